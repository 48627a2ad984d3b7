// A list of batches is a plain vector of batches that happens to be fast and small.
#include "log/batch_list.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/rng.h"
#include "log/sealed_chunk.h"
#include "log/test_batches.h"

namespace sim::log {
namespace {

// The same, as plainly as it can be said.
struct Plain {
  std::vector<Batch> batches;

  void truncate_to(Offset end) {
    while (!batches.empty() && batches.back().end_offset() > end) batches.pop_back();
  }
  void drop_before(Offset start) {
    std::erase_if(batches, [start](const Batch& batch) { return batch.end_offset() <= start; });
  }
  std::vector<Batch> read(Offset from, Offset end, std::int64_t max_bytes, bool at_least_one) const {
    std::vector<Batch> result;
    std::int64_t bytes = 0;
    for (const Batch& batch : batches) {
      if (batch.end_offset() <= from) continue;
      if (batch.end_offset() > end) break;
      bytes += batch.size_bytes();
      if (bytes > max_bytes && (!at_least_one || !result.empty())) break;
      result.push_back(batch);
    }
    return result;
  }
  std::int64_t size_bytes() const {
    std::int64_t bytes = 0;
    for (const Batch& batch : batches) bytes += batch.size_bytes();
    return bytes;
  }
  std::optional<Offset> offset_for_timestamp(std::int64_t timestamp_ms) const {
    for (const Batch& batch : batches) {
      if (batch.data->max_timestamp_ms < timestamp_ms) continue;
      const std::vector<Record>& records = batch.data->application_records();
      for (std::size_t i = 0; i < records.size(); ++i) {
        if (records[i].timestamp_ms >= timestamp_ms) return batch.base_offset + static_cast<Offset>(i);
      }
      return batch.base_offset;
    }
    return std::nullopt;
  }
};

void check_same(const BatchList& list, const Plain& plain, Rng& rng) {
  REQUIRE(list.empty() == plain.batches.empty());
  REQUIRE(list.size() == plain.batches.size());
  REQUIRE(list.size_bytes() == plain.size_bytes());
  if (plain.batches.empty()) return;
  REQUIRE(list.start_offset() == plain.batches.front().base_offset);
  REQUIRE(list.end_offset() == plain.batches.back().end_offset());
  const Offset from = rng.between(list.start_offset() - 3, list.end_offset() + 3);
  const Offset end = rng.between(from, list.end_offset() + 4);
  const std::int64_t max_bytes = rng.between(0, 20'000);
  const bool at_least_one = rng.bernoulli(1, 2);
  REQUIRE(test::same(list.read(from, end, max_bytes, at_least_one),
                     plain.read(from, end, max_bytes, at_least_one)));
  std::int64_t bytes = 0;
  for (const Batch& batch : plain.read(from, end, INT64_MAX, false)) bytes += batch.size_bytes();
  REQUIRE(list.bytes_between(from, end, INT64_MAX) == bytes);
  if (bytes > 0) {
    const std::int64_t enough = rng.between(1, bytes + 1);
    REQUIRE(list.bytes_between(from, end, enough) >= enough);
    REQUIRE(list.bytes_between(from, end, enough) <= bytes);
  }
}

TEST_CASE("under random appends, reads and cuts the list equals a vector") {
  int emptied = 0;
  int cut_deep = 0;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    Rng rng(seed, "batch-list");
    test::BatchSource source(rng.next());
    BatchList list;
    Plain plain;
    BatchList older;  // a copy taken in mid-run must not feel what happens to the original
    Plain older_plain;
    for (int step = 0; step < 600; ++step) {
      const std::uint64_t dice = rng.below(100);
      if (dice < 80) {
        const std::int64_t burst = rng.bernoulli(1, 40) ? 300 : 3;
        for (std::int64_t i = 0; i < burst; ++i) {
          const Offset gap = rng.bernoulli(1, 20) ? rng.between(1, 5) : 0;
          const Batch batch =
              source.next((plain.batches.empty() ? 0 : plain.batches.back().end_offset()) + gap);
          list.append(batch);
          plain.batches.push_back(batch);
        }
      } else if (dice < 88 && !plain.batches.empty()) {
        const Offset reach = rng.bernoulli(1, 8) ? list.end_offset() - list.start_offset() + 2 : 40;
        const Offset end = list.end_offset() - rng.between(0, reach);
        cut_deep += reach > 1'000 ? 1 : 0;
        list.truncate_to(end);
        plain.truncate_to(end);
      } else if (dice < 96 && !plain.batches.empty()) {
        const Offset reach = rng.bernoulli(1, 8) ? list.end_offset() - list.start_offset() + 2 : 40;
        const Offset start = list.start_offset() + rng.between(0, reach);
        list.drop_before(start);
        plain.drop_before(start);
        emptied += plain.batches.empty() ? 1 : 0;
      } else if (dice < 98) {
        older = list;
        older_plain = plain;
      } else {
        std::swap(older, list);
        std::swap(older_plain, plain);
      }
      check_same(list, plain, rng);
      check_same(older, older_plain, rng);
    }
    const std::int64_t timestamp_ms =
        rng.between(source.first_timestamp_ms() - 5, source.last_timestamp_ms() + 5);
    REQUIRE(list.offset_for_timestamp(timestamp_ms) == plain.offset_for_timestamp(timestamp_ms));
    REQUIRE(test::same(list.read(0, INT64_MAX, INT64_MAX, false), plain.batches));
  }
  CHECK(emptied > 0);  // the rare things did happen
  CHECK(cut_deep > 0);
}

TEST_CASE("reading: limits, and what lies astride them") {
  BatchList list;
  for (Offset base = 0; base < 50; base += 10) list.append(test::batch_of(base, LeaderEpoch{0}, 10, 100));
  const std::int64_t one = list.size_bytes() / 5;
  const auto bases = [&list](Offset from, Offset end, std::int64_t max_bytes, bool at_least_one) {
    std::vector<Offset> result;
    for (const Batch& batch : list.read(from, end, max_bytes, at_least_one))
      result.push_back(batch.base_offset);
    return result;
  };
  CHECK(bases(0, 50, INT64_MAX, false) == std::vector<Offset>{0, 10, 20, 30, 40});
  CHECK(bases(25, 50, INT64_MAX, false) == std::vector<Offset>{20, 30, 40});  // the batch that holds 25
  CHECK(bases(0, 29, INT64_MAX, false) == std::vector<Offset>{0, 10});        // nothing beyond the end
  CHECK(bases(0, 50, 3 * one, false) == std::vector<Offset>{0, 10, 20});
  CHECK(bases(0, 50, 3 * one - 1, false) == std::vector<Offset>{0, 10});
  CHECK(bases(0, 50, one - 1, false).empty());
  CHECK(bases(0, 50, one - 1, true) == std::vector<Offset>{0});  // so that a reader gets ahead
  CHECK(bases(0, 9, one - 1, true).empty());                     // but not what it may not see
  CHECK(bases(50, 60, INT64_MAX, true).empty());
}

TEST_CASE("a sealed batch comes out as it went in, whatever it holds") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    test::BatchSource source(seed);
    std::vector<Batch> batches;
    for (int i = 0; i < 128; ++i)
      batches.push_back(source.next((i == 0 ? 1'000'000'007 : batches.back().end_offset()) + i % 3));
    const SealedChunkPtr chunk = SealedChunk::seal(batches.data(), batches.data() + batches.size());
    REQUIRE(test::same(chunk->unseal(), batches));
    std::int64_t bytes = 0;
    for (const Batch& batch : batches) bytes += batch.size_bytes();
    CHECK(chunk->size_bytes() == bytes);
    CHECK(chunk->start_offset() == batches.front().base_offset);
    CHECK(chunk->end_offset() == batches.back().end_offset());
  }
}

TEST_CASE("a long log takes a few bytes per record, and its copies share them") {
  struct Row {
    const char* what;
    std::int32_t records_per_batch;
    double most_bytes_per_record;
  };
  const Row rows[] = {{"single orders", 1, 13.0}, {"small batches", 3, 8.0}, {"full batches", 15, 5.5}};
  for (const Row& row : rows) {
    CAPTURE(row.what);
    Rng rng(1, "orders");
    BatchList list;
    Offset end = 0;
    std::int64_t number = 0;
    std::int64_t now_ms = 1'700'000'000'000;
    while (end < 60'000) {
      std::vector<Record> records;
      now_ms += rng.between(0, 20);
      for (std::int32_t i = 0; i < row.records_per_batch; ++i) {
        number += 1 + static_cast<std::int64_t>(rng.below(11));  // every sixth order comes to this partition
        records.push_back(Record{record_id(FlowId{0}, number), now_ms, 8, 1024});
      }
      const auto sequence = static_cast<std::int32_t>(end);
      const BatchDataPtr data =
          make_data_batch(std::move(records), ProducerId{2000}, ProducerEpoch{0}, sequence);
      list.append(Batch{end, LeaderEpoch{0}, row.records_per_batch, data});
      end += row.records_per_batch;
    }
    const auto sealed_records = static_cast<double>(list.sealed_batches()) * row.records_per_batch;
    CHECK(static_cast<double>(list.sealed_memory_bytes()) / sealed_records < row.most_bytes_per_record);
    CHECK(list.size() - list.sealed_batches() < 400);

    const BatchList copy = list;
    list.truncate_to(10);
    CHECK(copy.end_offset() == end);
    CHECK(copy.read(0, end, 1, true).front().base_offset == 0);
  }
}

TEST_CASE("batches joined out of order are a bug") {
  BatchList list;
  list.append(test::batch_of(5, LeaderEpoch{0}, 10, 100));
  CHECK_THROWS(list.append(test::batch_of(14, LeaderEpoch{0}, 1, 100)));
}

}  // namespace
}  // namespace sim::log
