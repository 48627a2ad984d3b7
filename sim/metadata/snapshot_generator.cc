#include "metadata/snapshot_generator.h"

#include <memory>
#include <utility>

#include "protocol/batch_builder.h"

namespace sim::metadata {

void SnapshotGenerator::loaded(const MetadataSnapshot& snapshot, LocalTime now) {
  last_snapshot_ = now;
  bytes_since_ = 0;
  last_epoch_ = snapshot.id.leader_epoch;
}

void SnapshotGenerator::replayed(const std::vector<Batch>& committed) {
  for (const Batch& batch : committed) {
    bytes_since_ += batch.size_bytes();
    last_epoch_ = batch.leader_epoch;
  }
}

bool SnapshotGenerator::is_due(LocalTime now) const {
  if (bytes_since_ == 0) return false;
  const bool is_old =
      config_.max_interval_ms > 0 && now - last_snapshot_ >= from_millis(config_.max_interval_ms);
  return is_old || bytes_since_ >= config_.max_record_bytes;
}

MetadataSnapshotPtr SnapshotGenerator::take(const MetadataImage& image, VotersRecord voters, LocalTime now) {
  MetadataSnapshot snapshot;
  snapshot.id = SnapshotId{image.end_offset(), last_epoch_};
  snapshot.records = image.records();
  snapshot.voters = std::move(voters);
  snapshot.timestamp_ms = millis(now.time_since_epoch());
  snapshot.size_bytes = kBatchHeaderBytes;
  for (const MetadataRecord& record : snapshot.records) snapshot.size_bytes += record_size(record, 0);
  last_snapshot_ = now;
  bytes_since_ = 0;
  return std::make_shared<const MetadataSnapshot>(std::move(snapshot));
}

}  // namespace sim::metadata
