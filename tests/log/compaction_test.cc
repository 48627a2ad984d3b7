// Of each key the last record stays; offsets stay as they are.
#include "log/compaction.h"

#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "base/rng.h"
#include "log/log_image.h"
#include "protocol/batch_builder.h"

namespace sim::log {
namespace {

Record record(std::int64_t key, std::int32_t value_bytes = 100, std::int64_t id = 0) {
  return Record{RecordId{id}, 1'000, 8, value_bytes, key};
}

struct Log {
  PartitionLog log;
  LogImage image;

  explicit Log(std::int64_t segment_bytes = 1'000) { log.set_segment_limits({segment_bytes, 1'000'000'000}); }

  void append(BatchDataPtr data) {
    const Batch batch = log.assign(std::move(data), LeaderEpoch{0});
    image.perform(AppendBatch{{}, batch});
    if (log.append(batch)) image.perform(RollSegment{{}, batch.base_offset});
  }
  void append(std::vector<Record> records) { append(make_data_batch(std::move(records))); }

  CleanedLog compact(
      CompactionLimits limits = kLimits, std::int64_t now_ms = 0,
      const IsLastOfProducer& is_last = [](const Batch&) { return false; }) {
    CleanedLog cleaned =
        clean(log, cleanable(log, log.log_end_offset(), limits, now_ms), limits, now_ms, is_last);
    log.replace_segments(cleaned.end, cleaned.batches, cleaned.bases);
    image.perform(ReplaceSegments{
        {}, cleaned.end, std::make_shared<const std::vector<Batch>>(cleaned.batches), cleaned.bases});
    return cleaned;
  }

  static constexpr CompactionLimits kLimits{0, INT64_MAX, 500'000, 86'400'000, 1'000'000};
};

// offset, key, size of the value
using Entry = std::tuple<Offset, std::int64_t, std::int32_t>;
std::vector<Entry> contents(const PartitionLog& log) {
  std::vector<Entry> entries;
  for (const Batch& batch : log.read(log.log_start_offset(), log.log_end_offset(), 1 << 30, false)) {
    const std::vector<Record>& records = batch.data->application_records();
    for (std::size_t i = 0; i < records.size(); ++i) {
      entries.emplace_back(batch.base_offset + batch.data->offset_delta(i), records[i].key,
                           records[i].value_bytes);
    }
  }
  return entries;
}

TEST_CASE("what a transaction has taken back goes, and replaces nothing; what is not stable stays") {
  Log log(200);
  const auto transactional = [](std::int64_t key) {
    return make_data_batch({record(key)}, ProducerId{7}, ProducerEpoch{0}, 0, 100, true);
  };
  log.append({record(1)});       // 0
  log.append(transactional(1));  // 1: aborted
  log.append(make_marker_batch({false, CoordinatorEpoch{0}}, ProducerId{7}, ProducerEpoch{1}, 0));  // 2
  log.append({record(2)});                                                                          // 3
  log.append({record(2)});                                                                          // 4
  log.append({record(3)});  // 5: the active segment
  const CompactionLimits limits = Log::kLimits;
  const auto never = [](const Batch&) { return false; };
  const auto aborted = [](const Batch& batch) { return batch.base_offset == 1; };
  CHECK(cleanable(log.log, 4, limits, 0).end == 4);  // the last stable offset
  const CleanedLog cleaned = clean(log.log, cleanable(log.log, 6, limits, 0), limits, 0, never, aborted);
  std::vector<Offset> left;
  for (const Batch& batch : cleaned.batches) left.push_back(batch.base_offset);
  CHECK(left == std::vector<Offset>{0, 2, 4});
}

TEST_CASE("the last record of a key stays, below the active segment") {
  Log log(900);
  log.append({record(1), record(2), record(1)});  // 0, 1, 2
  log.append({record(3), record(2), record(4)});  // 3, 4, 5
  log.append({record(5), record(1), record(6)});  // 6, 7, 8
  log.append({record(4), record(5), record(9)});  // 9, 10, 11: the active segment, by which nothing is judged
  REQUIRE(log.log.segments().back().base_offset == 6);
  const CleanedLog cleaned = log.compact();
  CHECK(cleaned.end == 6);
  CHECK(contents(log.log) == std::vector<Entry>{{2, 1, 100},
                                                {3, 3, 100},
                                                {4, 2, 100},
                                                {5, 4, 100},
                                                {6, 5, 100},
                                                {7, 1, 100},
                                                {8, 6, 100},
                                                {9, 4, 100},
                                                {10, 5, 100},
                                                {11, 9, 100}});
  CHECK(cleaned.bytes_after < cleaned.bytes_before);
  CHECK(log.log.log_end_offset() == 12);
  CHECK(log.log.cleaned_to() == 6);
}

TEST_CASE("what a reader gets who asks for an offset that is gone is the next that is there") {
  Log log(900);
  for (int round = 0; round < 4; ++round) log.append({record(1), record(2), record(3)});
  log.compact();
  const std::vector<Batch> read = log.log.read(1, 12, 1 << 20, true);
  REQUIRE_FALSE(read.empty());
  CHECK(read.front().base_offset == 3);  // the first batch is gone whole
  CHECK(log.log.bytes_between(0, 3, 1 << 20) == 0);
}

TEST_CASE("it is gone through once; the dirty part alone makes it worth its while") {
  Log log(900);
  for (int round = 0; round < 6; ++round) log.append({record(1), record(2), record(3)});
  CleanableLog what = cleanable(log.log, log.log.log_end_offset(), Log::kLimits, 0);
  CHECK(what.is_worth_it(Log::kLimits));
  CHECK(what.dirty_per_million() == 1'000'000);
  log.compact();
  what = cleanable(log.log, log.log.log_end_offset(), Log::kLimits, 0);
  CHECK(what.first_dirty == log.log.segments().back().base_offset);
  CHECK(what.dirty_bytes == 0);
  CHECK_FALSE(what.is_worth_it(Log::kLimits));
}

TEST_CASE(
    "what may be cleaned: not the active segment, not above the high watermark, not what is too young") {
  Log log(900);
  for (int round = 0; round < 6; ++round)
    log.append({record(1), record(2), record(3)});  // segments at 0, 6, 12
  REQUIRE(log.log.segments().size() == 3);
  CompactionLimits limits = Log::kLimits;
  CHECK(cleanable(log.log, 18, limits, 5'000).end == 12);
  CHECK(cleanable(log.log, 11, limits, 5'000).end == 6);
  CHECK(cleanable(log.log, 5, limits, 5'000).end == 0);
  limits.min_lag_ms = 4'000;  // records bear the time 1 s
  CHECK(cleanable(log.log, 18, limits, 4'999).end == 0);
  CHECK(cleanable(log.log, 18, limits, 5'000).end == 12);
  limits = Log::kLimits;
  limits.min_dirty_per_million = 1'000'000;
  CHECK_FALSE(cleanable(log.log, 18, limits, 5'000).is_worth_it(limits));
  limits.max_lag_ms = 3'999;
  CHECK(cleanable(log.log, 18, limits, 5'000).is_worth_it(limits));
}

TEST_CASE("a tombstone stays for delete.retention.ms from when it was first gone through") {
  Log log(400);
  log.append({record(1), record(2)});
  log.append({record(1, -1), record(2)});
  log.append({record(7), record(7)});
  log.append({record(8), record(8)});
  CompactionLimits limits = Log::kLimits;
  limits.delete_retention_ms = 1'000;
  log.compact(limits, 10'000);
  CHECK(std::get<2>(contents(log.log).front()) == -1);
  log.append({record(9), record(9)});
  log.append({record(9), record(9)});
  log.compact(limits, 10'999);
  CHECK(std::get<2>(contents(log.log).front()) == -1);
  log.append({record(9), record(9)});
  log.append({record(9), record(9)});
  log.compact(limits, 11'000);
  CHECK(contents(log.log).front() == Entry{3, 2, 100});
}

TEST_CASE("the batch with a producer's last sequence number stays, without records") {
  Log log(300);
  log.append(make_data_batch({record(1), record(1)}, ProducerId{7}, ProducerEpoch{0}, 40));
  log.append({record(1), record(1)});
  log.append({record(1), record(1)});
  log.append({record(1), record(1)});
  log.compact(Log::kLimits, 0, [](const Batch& batch) { return batch.base_offset == 0; });
  const std::vector<Batch> left = log.log.read(0, log.log.log_end_offset(), 1 << 20, false);
  CHECK(left.front().base_offset == 0);
  CHECK(left.front().end_offset() == 2);
  CHECK(left.front().data->application_records().empty());
  CHECK(left.front().data->base_sequence == 40);
  CHECK(left.front().size_bytes() == kBatchHeaderBytes);
}

TEST_CASE("commits of a group: the last of each partition, and the group's own record apart from them") {
  Log log(500);
  const auto commit = [](std::int32_t partition, Offset offset) {
    return CoordinatorRecord{
        OffsetCommitRecord{"payment", {TopicId{1}, partition}, offset, LeaderEpoch{0}, 0}};
  };
  GroupMetadataRecord group;
  group.group = "payment";
  log.append(make_batch(std::vector<CoordinatorRecord>{group}, 0));
  for (Offset at = 0; at < 20; ++at)
    log.append(make_batch(std::vector<CoordinatorRecord>{commit(0, at), commit(1, 2 * at)}, 0));
  log.compact();
  std::map<std::int32_t, Offset> known;
  int groups = 0;
  int commits = 0;
  for (const Batch& batch : log.log.read(0, log.log.log_end_offset(), 1 << 20, false)) {
    for (const CoordinatorRecord& one : std::get<std::vector<CoordinatorRecord>>(batch.data->records)) {
      if (const auto* stored = std::get_if<OffsetCommitRecord>(&one)) {
        known[stored->tp.partition] = stored->offset;
        ++commits;
      } else {
        ++groups;
      }
    }
  }
  CHECK(known == std::map<std::int32_t, Offset>{{0, 19}, {1, 38}});
  CHECK(groups == 1);
  CHECK(commits < 40);
}

// What a reader of all of it ends up with is the same as without compaction; the image says what the log
// says; nobody loses the end.
TEST_CASE("property: any log, compacted again and again, says the same of every key") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    Rng rng(seed, "compaction");
    Log log(static_cast<std::int64_t>(400 + rng.below(2'000)));
    std::map<std::int64_t, std::int64_t> latest;  // by key: id of the record
    std::int64_t id = 0;
    for (int batch = 0; batch < 600; ++batch) {
      std::vector<Record> records;
      const std::uint64_t count = 1 + rng.below(5);
      for (std::uint64_t i = 0; i < count; ++i) {
        const auto key = static_cast<std::int64_t>(rng.below(20));
        records.push_back(record(key, static_cast<std::int32_t>(rng.below(200)), ++id));
        latest[key] = id;
      }
      log.append(std::move(records));
      if (rng.below(40) == 0) log.compact();
    }
    const Offset end = log.log.log_end_offset();
    for (const PartitionLog& one : {log.log, PartitionLog(log.image)}) {
      std::map<std::int64_t, std::int64_t> read;
      Offset before = -1;
      for (Offset at = 0; at < end;) {
        const std::vector<Batch> piece = one.read(at, end, 2'000, true);
        REQUIRE_FALSE(piece.empty());
        for (const Batch& batch : piece) {
          CHECK(batch.base_offset > before);
          before = batch.end_offset() - 1;
          for (const Record& each : batch.data->application_records()) read[each.key] = each.id.value();
        }
        at = piece.back().end_offset();
      }
      CHECK(read == latest);
      CHECK(one.log_end_offset() == end);
      CHECK(one.segments() == log.log.segments());
      CHECK(one.size_bytes() == log.log.size_bytes());
    }
  }
}

}  // namespace
}  // namespace sim::log
