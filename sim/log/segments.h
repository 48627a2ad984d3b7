#pragma once

#include <cstdint>
#include <vector>

#include "log/batch_list.h"
#include "protocol/record_batch.h"

// Where a log is cut into segments (LogSegment, LogSegments in Kafka): by size and by age, before a batch
// that would not fit. The last segment is the active one. Retention and compaction work on whole segments,
// and a finished segment is flushed in the background.
//
// Kafka also rolls when an index is full; with segment.bytes of at most 2 GiB and the default index sizes
// that never comes first, and index sizes are not modelled.
namespace sim::log {

struct SegmentLimits {
  std::int64_t bytes = 1'073'741'824;  // segment.bytes
  std::int64_t ms = 604'800'000;       // segment.ms, by the timestamps of records
};

struct Segment {
  Offset base_offset = 0;
  std::int64_t bytes = 0;
  std::int64_t first_timestamp_ms = 0;  // of its first batch
  std::int64_t largest_timestamp_ms = 0;
  bool empty() const { return bytes == 0; }
  bool operator==(const Segment&) const = default;
};

class Segments {
 public:
  explicit Segments(Offset start = 0) : list_{Segment{start, 0, 0, 0}} {}
  // What stands on a disk: segments begin at `bases`, the first at the start of the log.
  Segments(Offset start, const std::vector<Offset>& bases, const BatchList& batches);

  const std::vector<Segment>& list() const { return list_; }  // never empty, rising

  // Counts a batch in; true if the active segment was finished before it. REQUIRES: batches come in order
  bool append(const Batch& batch, const SegmentLimits& limits);
  // Nothing at or above `end` is left in `batches`. A segment that begins there stays, empty
  // (LocalLog.truncateTo).
  void truncate_to(Offset end, const BatchList& batches);
  // Nothing wholly below `start` is left, and at `end`, where the log ends, nothing at all.
  void drop_before(Offset start, Offset end);
  // Those before the one that begins at `end` are now these: the first keeps its base, the others begin at
  // `bases`.
  void replace_before(Offset end, const std::vector<Offset>& bases, const std::vector<Batch>& batches);
  std::int64_t size_bytes() const;

 private:
  static bool must_roll(const Segment& active, const Batch& batch, const SegmentLimits& limits);
  static void count_in(Segment& segment, const Batch& batch);
  static Segment rebuilt(Offset base, Offset end, const BatchList& batches);

  std::vector<Segment> list_;
};

}  // namespace sim::log
