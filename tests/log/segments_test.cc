// A log is cut before the batch that would make its active segment too large or too old.
#include "log/segments.h"

#include <doctest/doctest.h>

#include <memory>
#include <vector>

#include "log/log_image.h"
#include "log/partition_log.h"

namespace sim::log {
namespace segments_test {

BatchDataPtr data(std::int32_t bytes, std::int64_t timestamp_ms) {
  BatchData made;
  made.records = std::vector<Record>(2);
  made.size_bytes = bytes;
  made.base_timestamp_ms = timestamp_ms;
  made.max_timestamp_ms = timestamp_ms;
  return std::make_shared<const BatchData>(std::move(made));
}

Batch batch(Offset at, std::int32_t bytes, std::int64_t timestamp_ms) {
  return Batch{at, LeaderEpoch{0}, 2, data(bytes, timestamp_ms)};
}

TEST_CASE("by size: a batch that fits exactly stays, one byte more begins a segment") {
  Segments segments(0);
  const SegmentLimits limits{1'000, 1'000'000};
  CHECK_FALSE(segments.append(batch(0, 600, 0), limits));
  CHECK_FALSE(segments.append(batch(2, 400, 0), limits));
  CHECK(segments.append(batch(4, 1, 0), limits));
  CHECK(segments.list() == std::vector<Segment>{{0, 1'000, 0, 0}, {4, 1, 0, 0}});
}

TEST_CASE("by age: counted from the first batch of the segment, not by the clock") {
  Segments segments(0);
  const SegmentLimits limits{1'000'000, 100};
  CHECK_FALSE(segments.append(batch(0, 1, 50), limits));
  CHECK_FALSE(segments.append(batch(2, 1, 150), limits));
  CHECK(segments.append(batch(4, 1, 151), limits));
  CHECK(segments.list().back() == Segment{4, 1, 151, 151});
}

TEST_CASE("an empty segment takes any batch") {
  Segments segments(7);
  CHECK_FALSE(segments.append(batch(7, 5'000, 0), SegmentLimits{1'000, 100}));
  CHECK(segments.list().size() == 1);
}

TEST_CASE("cutting the end drops segments and counts the last one anew; cutting the start drops whole ones") {
  PartitionLog log;
  log.set_segment_limits({1'000, 1'000'000});
  for (int i = 0; i < 6; ++i) log.append(log.assign(data(400, i), LeaderEpoch{0}));
  CHECK(log.segments() == std::vector<Segment>{{0, 800, 0, 1}, {4, 800, 2, 3}, {8, 800, 4, 5}});
  log.truncate_to(10);
  CHECK(log.segments().back() == Segment{8, 400, 4, 4});
  log.truncate_to(6);
  CHECK(log.segments() == std::vector<Segment>{{0, 800, 0, 1}, {4, 400, 2, 2}});
  log.raise_log_start(3);
  CHECK(log.segments().size() == 2);
  log.raise_log_start(4);
  CHECK(log.segments() == std::vector<Segment>{{4, 400, 2, 2}});
}

TEST_CASE("a finished segment is flushed, and segments are found again after a crash") {
  LogImage image;
  PartitionLog log;
  log.set_segment_limits({1'000, 1'000'000});
  for (int i = 0; i < 5; ++i) {
    const Batch placed = log.assign(data(400, i), LeaderEpoch{0});
    image.perform(AppendBatch{TopicPartition{TopicId{1}, 0}, placed});
    if (log.append(placed)) image.perform(RollSegment{TopicPartition{TopicId{1}, 0}, placed.base_offset});
  }
  CHECK(image.segment_bases == std::vector<Offset>{4, 8});
  CHECK(PartitionLog(image).segments() == log.segments());
  image.perform(TruncateLog{TopicPartition{TopicId{1}, 0}, 6});
  CHECK(image.segment_bases == std::vector<Offset>{4});
}

}  // namespace segments_test
}  // namespace sim::log
