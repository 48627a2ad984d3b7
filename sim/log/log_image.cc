#include "log/log_image.h"

#include <algorithm>

#include "base/overloaded.h"

namespace sim::log {

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
      },
      write);
}

void LogImage::lose_unflushed() {
  batches.truncate_to(flushed_end_offset);
  truncate_epochs_to(epochs, end_offset());
  truncate_segments_to(end_offset());
}

void LogImage::truncate_segments_to(Offset end) {
  while (!segment_bases.empty() && segment_bases.back() >= end) segment_bases.pop_back();
}

}  // namespace sim::log
