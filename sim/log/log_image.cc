#include "log/log_image.h"

#include <algorithm>
#include <iterator>

#include "base/overloaded.h"

namespace sim::log {
namespace {

constexpr Duration kWriteBackInterval = std::chrono::seconds(5);
constexpr Duration kDirtyExpires = std::chrono::seconds(30);

}  // namespace

void note_epoch(std::vector<EpochStart>& epochs, EpochStart entry) {
  if (!epochs.empty() && epochs.back().leader_epoch == entry.leader_epoch &&
      epochs.back().start_offset <= entry.start_offset) {
    return;  // known already
  }
  while (!epochs.empty() && (epochs.back().leader_epoch >= entry.leader_epoch ||
                             epochs.back().start_offset >= entry.start_offset)) {
    epochs.pop_back();
  }
  epochs.push_back(entry);
}

void truncate_epochs_to(std::vector<EpochStart>& epochs, Offset end) {
  while (!epochs.empty() && epochs.back().start_offset >= end) epochs.pop_back();
}

void truncate_epochs_before(std::vector<EpochStart>& epochs, Offset start) {
  const auto later =
      std::upper_bound(epochs.begin(), epochs.end(), start,
                       [](Offset offset, const EpochStart& entry) { return offset < entry.start_offset; });
  if (later == epochs.begin()) return;
  epochs.erase(epochs.begin(), std::prev(later));
  epochs.front().start_offset = std::max(epochs.front().start_offset, start);
}

void LogImage::perform(const LogWrite& write) {
  std::visit(
      Overloaded{
          [this](const AppendBatch& append) {
            note_epoch(epochs, {append.batch.leader_epoch, append.batch.base_offset});
            batches.append(append.batch);
          },
          [this](const TruncateLog& truncate) {
            batches.truncate_to(truncate.end);
            truncate_epochs_to(epochs, truncate.end);
            truncate_segments_to(truncate.end);
            flushed_end_offset = std::min(flushed_end_offset, end_offset());
          },
          [this](const CheckpointHighWatermark& checkpoint) { high_watermark = checkpoint.high_watermark; },
          [this](const RollSegment& roll) { segment_bases.push_back(roll.base_offset); },
          [this](const WriteQuorumState& stored) { quorum_state = stored.state; },
          [this](const WriteSnapshot& taken) {
            std::erase_if(snapshots, [&](const auto& one) { return one->id == taken.snapshot->id; });
            snapshots.push_back(taken.snapshot);
          },
          [this](const CleanLog& clean) {
            std::erase_if(snapshots, [&](const auto& one) { return one->id.end_offset < clean.end; });
            batches.drop_before(clean.end);
            start_offset = std::max(start_offset, clean.end);
            truncate_epochs_before(epochs, clean.end);
            flushed_end_offset = std::max(flushed_end_offset, clean.end);
          },
          [this](const ResetLog& reset) {
            batches = BatchList();
            epochs.clear();
            segment_bases.clear();
            start_offset = flushed_end_offset = reset.start;
          },
          [this](const WriteCleanShutdown& file) { clean_shutdown = file.broker_epoch; },
      },
      write);
}

void LogImage::lose_unflushed() {
  batches.truncate_to(flushed_end_offset);
  truncate_epochs_to(epochs, end_offset());
  truncate_segments_to(end_offset());
  high_watermark = std::min(high_watermark, end_offset());
  written_back_at = Instant::max();
}

void LogImage::write_back(Instant now) {
  if (written_back_at > now) return;
  written_back_at = Instant::max();
  flush();
}

void LogImage::dirtied(Instant now) {
  if (written_back_at != Instant::max() || flushed_end_offset >= end_offset()) return;
  const std::int64_t expires = nanos(now) + nanos(kDirtyExpires);
  const std::int64_t turns = (expires + nanos(kWriteBackInterval) - 1) / nanos(kWriteBackInterval);
  written_back_at = instant_at(turns * nanos(kWriteBackInterval));
}

void LogImage::flushed_to(Offset end) {
  flushed_end_offset = std::max(flushed_end_offset, std::min(end, end_offset()));
  if (flushed_end_offset == end_offset()) written_back_at = Instant::max();
}

void LogImage::truncate_segments_to(Offset end) {
  while (!segment_bases.empty() && segment_bases.back() >= end) segment_bases.pop_back();
}

}  // namespace sim::log
