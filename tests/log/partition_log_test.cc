// A partition's log: places are promised before they are filled, and leader epochs tell histories apart.
#include "log/partition_log.h"

#include <doctest/doctest.h>

#include <map>
#include <optional>
#include <vector>

#include "base/rng.h"
#include "log/test_batches.h"

namespace sim::log {
namespace {

BatchDataPtr records(std::int32_t n) {
  return test::batch_of(0, LeaderEpoch{0}, n, 10).data;
}

void write(PartitionLog& log, std::int32_t n, std::int32_t epoch) {
  log.append(log.assign(records(n), LeaderEpoch{epoch}));
}

TEST_CASE("a batch has its place before it can be read") {
  PartitionLog log;
  const Batch first = log.assign(records(3), LeaderEpoch{0});
  const Batch second = log.assign(records(2), LeaderEpoch{0});
  CHECK(first.base_offset == 0);
  CHECK(second.base_offset == 3);
  CHECK(log.next_offset() == 5);
  CHECK(log.log_end_offset() == 0);
  CHECK(log.read(0, 5, 1'000'000, true).empty());

  log.append(first);
  CHECK(log.log_end_offset() == 3);
  CHECK(log.read(0, log.log_end_offset(), 1'000'000, true).size() == 1);
  CHECK_THROWS(log.append(first));
  log.append(second);
  CHECK(log.log_end_offset() == 5);
}

TEST_CASE("a follower keeps the leader's offsets, gaps and epochs") {
  PartitionLog log;
  const Batch one = test::batch_of(4, LeaderEpoch{2}, 3, 10);
  const Batch two = test::batch_of(9, LeaderEpoch{3}, 1, 10);
  log.assign_as_is(one);
  log.assign_as_is(two);
  log.append(one);
  log.append(two);
  CHECK(log.log_end_offset() == 10);
  CHECK(log.epochs() == std::vector<EpochStart>{{LeaderEpoch{2}, 4}, {LeaderEpoch{3}, 9}});
  CHECK_THROWS(log.assign_as_is(test::batch_of(9, LeaderEpoch{3}, 1, 10)));
}

TEST_CASE("truncation takes assigned and appended batches and the epochs that began there") {
  PartitionLog log;
  write(log, 5, 0);
  write(log, 5, 1);
  (void)log.assign(records(5), LeaderEpoch{1});
  log.truncate_to(12);  // only what was promised
  CHECK(log.log_end_offset() == 10);
  CHECK(log.next_offset() == 12);
  log.truncate_to(5);
  CHECK(log.log_end_offset() == 5);
  CHECK(log.next_offset() == 5);
  CHECK(log.epochs() == std::vector<EpochStart>{{LeaderEpoch{0}, 0}});
  log.truncate_fully_and_start_at(100);
  CHECK(log.log_start_offset() == 100);
  CHECK(log.log_end_offset() == 100);
  CHECK(log.epochs().empty());
  CHECK(log.size_bytes() == 0);
}

TEST_CASE("an epoch that was noted but never written to goes when the log is truncated to its end") {
  PartitionLog log;
  write(log, 5, 0);
  log.begin_epoch(LeaderEpoch{4}, 5);
  CHECK(log.latest_epoch() == LeaderEpoch{4});
  log.truncate_to(5);
  CHECK(log.latest_epoch() == LeaderEpoch{0});
}

TEST_CASE("where an epoch ended") {
  PartitionLog log;
  CHECK_FALSE(log.end_offset_for(LeaderEpoch{0}));  // nothing is known
  write(log, 10, 2);
  write(log, 10, 5);
  log.begin_epoch(LeaderEpoch{7}, 20);
  struct Row {
    std::int32_t asked, epoch;
    Offset end;
  };
  const Row rows[] = {
      {0, 0, 0},                           // before all that are known: it ended before they began
      {1, 1, 0},  {2, 2, 10}, {3, 2, 10},  // the largest below
      {4, 2, 10}, {5, 5, 20}, {6, 5, 20}, {7, 7, 20},  // the latest ends where the log does
  };
  for (const Row& row : rows) {
    CAPTURE(row.asked);
    const auto end = log.end_offset_for(LeaderEpoch{row.asked});
    REQUIRE(end.has_value());
    CHECK(end->leader_epoch == LeaderEpoch{row.epoch});
    CHECK(end->end_offset == row.end);
  }
  CHECK_FALSE(log.end_offset_for(LeaderEpoch{8}));  // above all that are known: undefined
  CHECK_FALSE(log.end_offset_for(kNoLeaderEpoch));
}

TEST_CASE("a new epoch drops the entries that contradict it") {
  struct Row {
    const char* what;
    EpochStart noted;
    std::vector<EpochStart> want;
  };
  const auto at = [](std::int32_t epoch, Offset start) { return EpochStart{LeaderEpoch{epoch}, start}; };
  const Row rows[] = {
      {"later in both", at(6, 30), {at(2, 0), at(4, 20), at(6, 30)}},
      {"the same again", at(4, 20), {at(2, 0), at(4, 20)}},
      {"the latest, from later on", at(4, 25), {at(2, 0), at(4, 20)}},
      {"the latest, from earlier on", at(4, 15), {at(2, 0), at(4, 15)}},
      {"a later epoch that starts where the latest did", at(5, 20), {at(2, 0), at(5, 20)}},
      {"an epoch in between", at(3, 30), {at(2, 0), at(3, 30)}},
      {"an epoch known before", at(2, 30), {at(2, 30)}},
      {"one that starts at the beginning", at(9, 0), {at(9, 0)}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    PartitionLog log;
    log.begin_epoch(LeaderEpoch{2}, 0);
    log.begin_epoch(LeaderEpoch{4}, 20);
    log.begin_epoch(row.noted.leader_epoch, row.noted.start_offset);
    CHECK(log.epochs() == row.want);
  }
}

TEST_CASE("raising the log start moves the first epoch with it") {
  PartitionLog log;
  for (const std::int32_t epoch : {1, 3, 6}) write(log, 10, epoch);
  log.raise_log_start(14);
  CHECK(log.log_start_offset() == 14);
  CHECK(log.epochs() == std::vector<EpochStart>{{LeaderEpoch{3}, 14}, {LeaderEpoch{6}, 20}});
  CHECK(log.read(14, 30, 1'000'000, true).size() == 2);  // the batch that holds 14 stays
  log.raise_log_start(3);
  CHECK(log.log_start_offset() == 14);
  log.raise_log_start(30);
  CHECK(log.epochs() == std::vector<EpochStart>{{LeaderEpoch{6}, 30}});
  CHECK(log.log_end_offset() == 30);
}

// One leader epoch per offset: all that the cache is meant to know.
class NaiveLog {
 public:
  void append(std::int32_t n, LeaderEpoch epoch) {
    epochs_.insert(epochs_.end(), static_cast<std::size_t>(n), epoch);
  }
  void truncate_to(Offset end) { epochs_.resize(static_cast<std::size_t>(std::min(end, size()))); }
  Offset size() const { return static_cast<Offset>(epochs_.size()); }
  LeaderEpoch latest() const { return epochs_.empty() ? kNoLeaderEpoch : epochs_.back(); }

  std::optional<PartitionLog::EpochEnd> end_offset_for(LeaderEpoch asked) const {
    if (epochs_.empty() || asked > epochs_.back()) return std::nullopt;
    if (asked == epochs_.back()) return PartitionLog::EpochEnd{asked, size()};
    LeaderEpoch best = asked;  // if none is below or equal
    Offset end = 0;
    for (Offset i = 0; i < size() && epochs_[static_cast<std::size_t>(i)] <= asked; ++i) {
      best = epochs_[static_cast<std::size_t>(i)];
      end = i + 1;
    }
    return PartitionLog::EpochEnd{best, end};
  }

 private:
  std::vector<LeaderEpoch> epochs_;
};

TEST_CASE("the epoch cache answers as if it had remembered the epoch of every record") {
  int truncated = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    Rng rng(seed, "epochs");
    PartitionLog log;
    NaiveLog naive;
    std::int32_t epoch = 0;
    for (int step = 0; step < 200; ++step) {
      if (rng.bernoulli(1, 4)) epoch += static_cast<std::int32_t>(rng.below(3));
      if (rng.bernoulli(1, 6) && naive.size() > 0) {
        const Offset end = rng.between(0, naive.size() + 1);
        // Batches are cut whole: ask for an end between two of them.
        const std::vector<Batch> kept = log.read(0, end, INT64_MAX, false);
        const Offset boundary = kept.empty() ? 0 : kept.back().end_offset();
        log.truncate_to(boundary);
        naive.truncate_to(boundary);
        ++truncated;
      } else {
        const auto n = static_cast<std::int32_t>(1 + rng.below(4));
        if (naive.latest() <= LeaderEpoch{epoch}) {
          write(log, n, epoch);
          naive.append(n, LeaderEpoch{epoch});
        }
      }
      REQUIRE(log.log_end_offset() == naive.size());
      REQUIRE(log.latest_epoch() == naive.latest());
      for (std::int32_t asked = 0; asked <= epoch + 1; ++asked) {
        const auto got = log.end_offset_for(LeaderEpoch{asked});
        const auto want = naive.end_offset_for(LeaderEpoch{asked});
        REQUIRE(got.has_value() == want.has_value());
        if (!got) continue;
        REQUIRE(got->leader_epoch == want->leader_epoch);
        REQUIRE(got->end_offset == want->end_offset);
      }
    }
  }
  CHECK(truncated > 100);
}

TEST_CASE("an image is what its writes add up to, and a log boots from it") {
  const TopicPartition tp{TopicId{1}, 0};
  LogImage image;
  image.perform(AppendBatch{tp, test::batch_of(0, LeaderEpoch{0}, 5, 10)});
  image.perform(AppendBatch{tp, test::batch_of(5, LeaderEpoch{0}, 5, 10)});
  image.perform(AppendBatch{tp, test::batch_of(10, LeaderEpoch{3}, 5, 10)});
  image.perform(CheckpointHighWatermark{tp, 10});
  CHECK(image.end_offset() == 15);
  CHECK(image.epochs == std::vector<EpochStart>{{LeaderEpoch{0}, 0}, {LeaderEpoch{3}, 10}});
  image.perform(TruncateLog{tp, 10});
  image.perform(AppendBatch{tp, test::batch_of(10, LeaderEpoch{2}, 1, 10)});
  const PartitionLog log(image);
  CHECK(log.log_end_offset() == 11);
  CHECK(log.next_offset() == 11);
  CHECK(log.epochs() == std::vector<EpochStart>{{LeaderEpoch{0}, 0}, {LeaderEpoch{2}, 10}});
  CHECK(log.read(0, 11, INT64_MAX, false).size() == 3);
}

TEST_CASE("power loss leaves what was flushed, and a later truncation cannot bring back more") {
  const TopicPartition tp{TopicId{1}, 0};
  LogImage image;
  image.perform(AppendBatch{tp, test::batch_of(0, LeaderEpoch{0}, 5, 10)});
  image.perform(AppendBatch{tp, test::batch_of(5, LeaderEpoch{1}, 5, 10)});
  image.flush();
  image.perform(TruncateLog{tp, 5});
  image.perform(AppendBatch{tp, test::batch_of(5, LeaderEpoch{2}, 5, 10)});
  image.lose_unflushed();
  CHECK(image.end_offset() == 5);
  image.recover();
  CHECK(image.epochs == std::vector<EpochStart>{{LeaderEpoch{0}, 0}});
  image.flush();
  image.lose_unflushed();
  CHECK(image.end_offset() == 5);
}

TEST_CASE("the operating system writes back what has been dirty for 30 s, at its next turn") {
  const TopicPartition tp{TopicId{1}, 0};
  const auto at = [](std::int64_t seconds) { return Instant{std::chrono::seconds(seconds)}; };
  LogImage image;
  const auto append = [&](std::int64_t seconds, Offset base) {
    image.write_back(at(seconds));
    image.perform(AppendBatch{tp, test::batch_of(base, LeaderEpoch{0}, 5, 10)});
    image.dirtied(at(seconds));
  };
  append(2, 0);    // expires at 32 s, is seen at 35 s
  append(20, 5);   // goes with it
  append(36, 10);  // dirty anew: until 70 s
  const auto survives = [&](std::int64_t seconds) {
    LogImage copy = image;
    copy.write_back(at(seconds));
    copy.lose_unflushed();
    return copy.end_offset();
  };
  CHECK(survives(36) == 10);
  CHECK(survives(69) == 10);
  CHECK(survives(70) == 15);

  image.flushed_to(15);  // fsync: clean from here on
  append(60, 15);        // so this has until 90 s
  CHECK(survives(70) == 15);
  CHECK(survives(90) == 20);
}

TEST_CASE("the first record at or after a time") {
  PartitionLog log;
  const auto at = [](std::vector<std::int64_t> stamps) {
    std::vector<Record> list;
    for (const std::int64_t ms : stamps) list.push_back(Record{kNoRecord, ms, -1, 10});
    return make_data_batch(std::move(list));
  };
  log.append(log.assign(at({100, 110, 120}), LeaderEpoch{0}));
  log.append(log.assign(at({115, 130}), LeaderEpoch{0}));
  CHECK(log.offset_for_timestamp(0) == 0);
  CHECK(log.offset_for_timestamp(105) == 1);
  CHECK(log.offset_for_timestamp(120) == 2);
  CHECK(log.offset_for_timestamp(121) == 4);
  CHECK_FALSE(log.offset_for_timestamp(131));
}

}  // namespace
}  // namespace sim::log
