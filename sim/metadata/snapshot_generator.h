#pragma once

#include <cstdint>
#include <vector>

#include "base/time.h"
#include "metadata/metadata_image.h"
#include "protocol/quorum.h"

// When a server writes its image down, so that its log can be cleaned and others can begin with it
// (SnapshotGenerator). Every server does so for itself, looking each time it has replayed something.
//
// Deliberately different: records become a snapshot in no time; only its write takes some.
namespace sim::metadata {

struct SnapshotConfig {
  std::int64_t max_record_bytes = 20 * 1024 * 1024;  // metadata.log.max.record.bytes.between.snapshots
  std::int64_t max_interval_ms = 3'600'000;          // metadata.log.max.snapshot.interval.ms; 0 = no limit
};

class SnapshotGenerator {
 public:
  explicit SnapshotGenerator(const SnapshotConfig& config) : config_(config) {}

  void start(LocalTime now) { last_snapshot_ = now; }
  void loaded(const MetadataSnapshot& snapshot, LocalTime now);
  void replayed(const std::vector<Batch>& committed);

  bool is_due(LocalTime now) const;
  // REQUIRES: `image` has replayed what was told of, and nothing else
  MetadataSnapshotPtr take(const MetadataImage& image, VotersRecord voters, LocalTime now);

 private:
  SnapshotConfig config_;
  LocalTime last_snapshot_{};
  std::int64_t bytes_since_ = 0;
  LeaderEpoch last_epoch_ = kNoLeaderEpoch;  // of the last record replayed
};

}  // namespace sim::metadata
