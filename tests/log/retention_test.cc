// Which segments of a log are too old or too many.
#include "log/retention.h"

#include <doctest/doctest.h>

#include <memory>
#include <optional>

#include "log/log_image.h"

namespace sim::log {
namespace {

BatchDataPtr data(std::int32_t bytes, std::int64_t timestamp_ms) {
  BatchData made;
  made.records = std::vector<Record>(2);
  made.size_bytes = bytes;
  made.base_timestamp_ms = timestamp_ms;
  made.max_timestamp_ms = timestamp_ms;
  return std::make_shared<const BatchData>(std::move(made));
}

// Segments of two batches each, [0, 4), [4, 8), [8, 12), the last one active; batch i bears the time i
// seconds.
PartitionLog three_segments() {
  PartitionLog log;
  log.set_segment_limits({1'000, 1'000'000'000});
  for (int i = 0; i < 6; ++i) log.append(log.assign(data(500, i * 1'000), LeaderEpoch{i / 3}));
  return log;
}

TEST_CASE("by time and by size, whole segments only, oldest first, none above the high watermark") {
  struct Row {
    const char* what;
    Offset high_watermark;
    RetentionLimits limits;
    std::int64_t now_ms;
    Offset start;
  };
  const Row rows[] = {
      {"nothing is old", 12, {10'000, -1}, 11'000, 0},
      {"exactly as old as allowed stays", 12, {10'000, -1}, 11'000, 0},
      {"one millisecond more goes", 12, {10'000, -1}, 11'001, 4},
      {"two segments", 12, {10'000, -1}, 13'001, 8},
      {"the active one goes, too", 12, {10'000, -1}, 15'001, 12},
      {"a segment that reaches above the high watermark stays", 7, {10'000, -1}, 15'001, 4},
      {"the active one stays for one unreplicated record", 11, {10'000, -1}, 15'001, 8},
      {"for ever", 12, {-1, -1}, 1'000'000'000'000, 0},
      {"as large as allowed", 12, {-1, 3'000}, 0, 0},
      {"a segment goes only if what is left is not below the limit", 12, {-1, 2'001}, 0, 0},
      {"a segment too many", 12, {-1, 2'000}, 0, 4},
      {"two too many", 12, {-1, 1'000}, 0, 8},
      {"no size at all: the active one, too", 12, {-1, 0}, 0, 12},
      {"size first, time then", 12, {10'000, 2'000}, 13'001, 8},
      {"retention of nothing", 12, {0, -1}, 5'000, 8},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    CHECK(start_after_retention(three_segments(), row.high_watermark, row.limits, row.now_ms) == row.start);
  }
}

TEST_CASE("one late record keeps a whole segment, and all that lie behind it") {
  PartitionLog log;
  log.set_segment_limits({1'000, 1'000'000'000});
  log.append(log.assign(data(500, 0), LeaderEpoch{0}));
  log.append(log.assign(data(500, 9'000'000), LeaderEpoch{0}));  // whose clock was fast
  for (int i = 0; i < 4; ++i) log.append(log.assign(data(500, 0), LeaderEpoch{0}));
  CHECK(start_after_retention(log, 12, {1'000, -1}, 100'000) == 0);
  CHECK(start_after_retention(log, 12, {1'000, -1}, 9'001'001) == 12);
}

TEST_CASE("the earliest time at which anything may go") {
  const PartitionLog log = three_segments();
  CHECK(may_expire_at_ms(log, {10'000, -1}, 0) == 11'001);
  CHECK(may_expire_at_ms(log, {10'000, -1}, 20'000) == 20'000);  // what has been due is due now
  CHECK(may_expire_at_ms(log, {10'000, 2'000}, 7) == 7);
  CHECK(may_expire_at_ms(log, {-1, 2'001}, 7) == std::nullopt);
  CHECK(may_expire_at_ms(log, {INT64_MAX, -1}, 7) == std::nullopt);
  CHECK(may_expire_at_ms(PartitionLog(), {10'000, 0}, 0) == std::nullopt);
}

TEST_CASE("when everything has gone the log goes on where it ended, in its epoch, and so does its image") {
  PartitionLog log = three_segments();
  LogImage image;
  for (const Batch& batch : log.read(0, 12, 1 << 20, false)) image.perform(AppendBatch{{}, batch});
  for (const Offset base : {4, 8}) image.perform(RollSegment{{}, base});
  log.raise_log_start(12);
  image.perform(RaiseLogStart{{}, 12});
  for (const PartitionLog& one : {log, PartitionLog(image)}) {
    CHECK(one.log_start_offset() == 12);
    CHECK(one.log_end_offset() == 12);
    CHECK(one.segments() == std::vector<Segment>{{12, 0, 0, 0}});
    CHECK(one.epochs() == std::vector<EpochStart>{{LeaderEpoch{1}, 12}});
    CHECK(one.size_bytes() == 0);
  }
  CHECK_FALSE(log.append(log.assign(data(500, 0), LeaderEpoch{1})));
  CHECK(log.segments() == std::vector<Segment>{{12, 500, 0, 0}});
}

}  // namespace
}  // namespace sim::log
