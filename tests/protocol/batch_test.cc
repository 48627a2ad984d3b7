// Record batches take the bytes that format v2 gives them.
#include <doctest/doctest.h>

#include <cstdint>
#include <vector>

#include "protocol/batch_builder.h"
#include "protocol/record_batch.h"
#include "protocol/wire.h"

namespace sim {
namespace {

Record record(std::int32_t key_bytes, std::int32_t value_bytes, std::int64_t timestamp_ms = 0) {
  return Record{RecordId{0}, timestamp_ms, key_bytes, value_bytes};
}

TEST_CASE("varints are zig-zag") {
  struct Row {
    std::int64_t value;
    std::int32_t want;
  };
  const Row rows[] = {
      {0, 1},       {63, 1},         {-64, 1},        {64, 2},         {-65, 2},       {8191, 2},
      {-8192, 2},   {8192, 3},       {1'048'575, 3},  {-1'048'576, 3}, {1'048'576, 4}, {(1 << 27) - 1, 4},
      {1 << 27, 5}, {INT64_MAX, 10}, {INT64_MIN, 10},
  };
  for (const Row& row : rows) {
    CAPTURE(row.value);
    CHECK(varint_size(row.value) == row.want);
  }
  CHECK(wire::unsigned_varint(0) == 1);
  CHECK(wire::unsigned_varint(127) == 1);
  CHECK(wire::unsigned_varint(128) == 2);
  CHECK(wire::unsigned_varint(16'383) == 2);
  CHECK(wire::unsigned_varint(16'384) == 3);
}

TEST_CASE("sizes of single records") {
  struct Row {
    std::int32_t key, value;
    std::int64_t offset_delta, timestamp_delta;
    std::int32_t want;
  };
  const Row rows[] = {
      {8, 100, 0, 0, 117},    {-1, 1000, 70, 5, 1010}, {-1, 100, 0, 0, 109},
      {16, 1024, 5, 3, 1049}, {8, -1, 0, 0, 15},
  };
  for (const Row& row : rows) {
    CAPTURE(row.want);
    CHECK(record_size(row.key, row.value, row.offset_delta, row.timestamp_delta) == row.want);
  }
}

TEST_CASE("a batch is its header and its records") {
  const BatchDataPtr ten = make_data_batch(std::vector<Record>(10, record(8, 100)));
  CHECK(ten->size_bytes == 1231);
  CHECK(ten->record_count() == 10);
  CHECK(ten->application_records().size() == 10);
}

TEST_CASE("sixteen keyless records of 1000 bytes fill a batch of batch.size") {
  BatchBuilder builder(16'384);
  while (builder.has_room_for(record(-1, 1000))) builder.append(record(-1, 1000));
  CHECK(builder.record_count() == 16);
  CHECK_FALSE(builder.full());  // a smaller record would still go in
  CHECK(builder.build()->size_bytes == 16'205);
  CHECK(builder.empty());
}

TEST_CASE("the first record of a batch fits whatever its size") {
  BatchBuilder builder(16'384);
  CHECK(builder.has_room_for(record(-1, 100'000)));
  builder.append(record(-1, 100'000));
  CHECK(builder.full());
  CHECK_FALSE(builder.has_room_for(record(-1, 0)));
}

TEST_CASE("a batch knows its span of timestamps, and deltas count from the first") {
  BatchBuilder builder(16'384);
  for (const std::int64_t ms : {1'000, 1'200, 900}) builder.append(record(4, 10, ms));
  const BatchDataPtr batch = builder.build(ProducerId{7}, ProducerEpoch{1}, 42);
  CHECK(batch->base_timestamp_ms == 1'000);
  CHECK(batch->max_timestamp_ms == 1'200);
  CHECK(batch->producer_id == ProducerId{7});
  CHECK(batch->base_sequence == 42);
  CHECK(batch->size_bytes ==
        61 + record_size(4, 10, 0, 0) + record_size(4, 10, 1, 200) + record_size(4, 10, 2, -100));
}

TEST_CASE("compression shrinks the records section only, and lets more in") {
  const std::vector<Record> records(10, record(8, 100));
  CHECK(make_data_batch(records, kNoProducerId, kNoProducerEpoch, -1, 50)->size_bytes == 61 + 1170 / 2);
  BatchBuilder half(16'384, 50);
  while (half.has_room_for(record(-1, 1000))) half.append(record(-1, 1000));
  CHECK(half.record_count() > 28);
  CHECK(half.record_count() < 32);
}

TEST_CASE("the upper bound of a batch with one record is never below its size") {
  for (const std::int32_t key : {-1, 0, 8, 100, 20'000}) {
    for (const std::int32_t value : {-1, 0, 1, 63, 64, 8191, 8192, 1'000'000}) {
      CAPTURE(key);
      CAPTURE(value);
      CHECK(batch_size_upper_bound(key, value) >= kBatchHeaderBytes + record_size(key, value, 0, 0));
    }
  }
}

TEST_CASE("an offset commit takes what OffsetCommitKey v1 and OffsetCommitValue v3 take") {
  OffsetCommitRecord commit{"payment", TopicPartition{TopicId{1}, 3}, 42, LeaderEpoch{0}, 1'000};
  constexpr std::int32_t kKey = 2 + 2 + 7 + 2 + static_cast<std::int32_t>(wire::kTopicNameBytes) + 4;
  constexpr std::int32_t kValue = 2 + 8 + 4 + 2 + 8;
  const BatchDataPtr batch = make_batch(std::vector<CoordinatorRecord>{commit}, 1'000);
  CHECK(batch->size_bytes == kBatchHeaderBytes + record_size(kKey, kValue, 0, 0));
  CHECK(batch->record_count() == 1);
  CHECK(batch->application_records().empty());
  CHECK(batch->base_timestamp_ms == 1'000);

  commit.offset = kNoOffset;
  CHECK(record_size(CoordinatorRecord{commit}, 0) == record_size(kKey, -1, 0, 0));
}

TEST_CASE("a metadata record takes its frame, its fields and the tagged fields that are set") {
  PartitionChangeRecord change;
  change.tp = TopicPartition{TopicId{1}, 0};
  constexpr std::int32_t kAlways = 3 + 4 + 16 + 1;  // frame, partition, topic id, count of tagged fields
  CHECK(record_size(MetadataRecord{change}, 0) == record_size(-1, kAlways, 0, 0));
  change.leader = NodeId{2};
  CHECK(record_size(MetadataRecord{change}, 0) == record_size(-1, kAlways + 2 + 4, 0, 0));
  change.has_isr = true;
  change.isr = {NodeId{2}, NodeId{3}};
  CHECK(record_size(MetadataRecord{change}, 0) == record_size(-1, kAlways + 2 + 4 + 2 + 1 + 8, 0, 0));
  CHECK(record_size(MetadataRecord{TopicRecord{"orders", TopicId{1}}}, 0) ==
        record_size(-1, 3 + 7 + 16 + 1, 0, 0));
}

}  // namespace
}  // namespace sim
