#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "log/batch_list.h"
#include "log/log_image.h"
#include "log/segments.h"
#include "protocol/ids.h"
#include "protocol/record_batch.h"
#include "protocol/topic_config.h"

// A partition's log as a running broker has it: offsets, batches, leader epochs (UnifiedLog,
// LeaderEpochFileCache in Kafka). Knows nothing of leadership, followers or the high watermark's rules.
//
// Appending has two steps, because a write takes time: assign() gives a batch its place and the
// caller asks the disk for the write; append() lets it take effect once the write was performed, in the
// same order. So log_end_offset() counts what readers may see, next_offset() what was promised a place.
//
// Invariants: start <= log_end_offset <= next_offset; epochs rise with offsets.
namespace sim::log {

class PartitionLog {
 public:
  struct EpochEnd {
    LeaderEpoch leader_epoch = kNoLeaderEpoch;
    Offset end_offset = kNoOffset;
  };

  PartitionLog() = default;
  explicit PartitionLog(const LogImage& image);

  Offset log_start_offset() const { return start_; }
  Offset log_end_offset() const { return end_; }
  Offset next_offset() const { return next_; }
  std::int64_t size_bytes() const { return batches_.size_bytes(); }
  // Below it this broker has flushed the log; a crash need not doubt it (recoveryPoint).
  Offset recovery_point() const { return recovery_point_; }
  void flushed_to(Offset end) { recovery_point_ = std::max(recovery_point_, std::min(end, next_)); }

  // Places a batch at next_offset(). The producer's batch is shared, not copied.
  Batch assign(BatchDataPtr data, LeaderEpoch leader_epoch);
  // A follower's: the offsets are the leader's. REQUIRES: batch.base_offset >= next_offset()
  void assign_as_is(const Batch& batch);
  // The write of an assigned batch was performed. True: it began a new segment, so the one before it is
  // finished. REQUIRES: in the order of assigning
  bool append(Batch batch);

  void set_segment_limits(const SegmentLimits& limits) { segment_limits_ = limits; }
  const std::vector<Segment>& segments() const { return segments_.list(); }
  std::int64_t segments_bytes() const { return segments_.size_bytes(); }

  // See BatchList::read.
  std::vector<Batch> read(Offset from, Offset end, std::int64_t max_bytes, bool at_least_one) const;
  std::int64_t bytes_between(Offset from, Offset end, std::int64_t at_most) const;

  // Drops everything at and above `end`, assigned or appended. Epochs that start there go even if nothing
  // else does: a leader may have noted one and written nothing.
  void truncate_to(Offset end);
  void truncate_fully_and_start_at(Offset start);
  // No effect if the log already starts there or later. REQUIRES: start <= log_end_offset()
  void raise_log_start(Offset start);

  // ---- Compaction (compaction.h): what lies below here was cleaned, the rest is dirty.
  Offset cleaned_to() const { return cleaned_to_; }
  // REQUIRES: `end` is the base of a segment that is not the first; batches and bases as clean() has made
  // them
  void replace_segments(Offset end, const std::vector<Batch>& batches, const std::vector<Offset>& bases);

  // ---- Leader epochs (LeaderEpochFileCache)
  LeaderEpoch latest_epoch() const { return epochs_.empty() ? kNoLeaderEpoch : epochs_.back().leader_epoch; }
  const std::vector<EpochStart>& epochs() const { return epochs_; }
  // A new leader notes its epoch before it writes anything. Entries that contradict it go.
  void begin_epoch(LeaderEpoch leader_epoch, Offset start);
  // Where `leader_epoch` ended: the largest epoch known that is not above it, and the next one's start
  // (log_end_offset for the latest). nullopt: undefined (UNDEFINED_EPOCH_OFFSET).
  std::optional<EpochEnd> end_offset_for(LeaderEpoch leader_epoch) const;

  // See BatchList.
  std::optional<Offset> offset_for_timestamp(std::int64_t timestamp_ms) const;

 private:
  BatchList batches_;
  std::vector<EpochStart> epochs_;
  Segments segments_;
  SegmentLimits segment_limits_;
  Offset start_ = 0;
  Offset end_ = 0;
  Offset next_ = 0;
  Offset recovery_point_ = 0;
  Offset cleaned_to_ = 0;
};

}  // namespace sim::log
