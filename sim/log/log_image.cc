#include "log/log_image.h"

#include <algorithm>
#include <iterator>
#include <limits>

#include "base/overloaded.h"

namespace sim::log {
namespace {

constexpr Duration kWriteBackInterval = std::chrono::seconds(5);
constexpr Duration kDirtyExpires = std::chrono::seconds(30);
constexpr std::int64_t kAllBytes = std::numeric_limits<std::int64_t>::max();

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
            std::erase_if(segment_bases, [&](Offset base) { return base > truncate.end; });
            flushed_end_offset = std::min(flushed_end_offset, end_offset());
            cleaned_to = std::min(cleaned_to, end_offset());
            recovery_point = std::min(recovery_point, end_offset());  // LogManager.truncateTo writes it down
            torn_bytes = 0;
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
            raise_start(clean.end);
          },
          [this](const ResetLog& reset) {
            batches = BatchList();
            epochs.clear();
            segment_bases.clear();
            start_offset = flushed_end_offset = recovery_point = reset.start;
            cleaned_to = std::min(cleaned_to, reset.start);
            torn_bytes = 0;
          },
          [this](const WriteCleanShutdown& file) { clean_shutdown = file.broker_epoch; },
          [this](const NoteLeaderEpoch& noted) {
            note_epoch(epochs, {noted.leader_epoch, noted.start});
          },
          [this](const RaiseLogStart& raised) { raise_start(raised.start); },
          [this](const ReplaceSegments& cleaned) {
            if (cleaned.end > end_offset()) return;  // the log was cut meanwhile
            batches.replace_before(cleaned.end, *cleaned.batches);
            std::erase_if(segment_bases, [&](Offset base) { return base < cleaned.end; });
            segment_bases.insert(segment_bases.begin(), cleaned.bases.begin(), cleaned.bases.end());
            flushed_end_offset = std::max(flushed_end_offset, cleaned.end);
            cleaned_to = cleaned.end;
          },
          [this](const DeleteLog&) { *this = LogImage{}; },
          [](const FlushLog&) {},
          [this](const CreateLog& created) { directory = created.directory; },
          [this](const CheckpointRecoveryPoint& checkpoint) { recovery_point = checkpoint.recovery_point; },
      },
      write);
}

void LogImage::raise_start(Offset start) {
  batches.drop_before(start);
  start_offset = std::max(start_offset, start);
  truncate_epochs_before(epochs, start);
  flushed_end_offset = std::max(flushed_end_offset, start);
  std::erase_if(segment_bases, [start](Offset base) { return base <= start; });
}

void LogImage::lose_unflushed(Rng* tail) {
  const Offset kept = tail == nullptr ? flushed_end_offset : tear(*tail);
  batches.truncate_to(kept);
  flushed_end_offset = end_offset();
  truncate_segments_to(end_offset());
  written_back_at = Instant::max();
}

// The disk has got so many of the bytes: whole batches, then a part of the next.
Offset LogImage::tear(Rng& rng) {
  std::int64_t bytes = batches.bytes_between(flushed_end_offset, end_offset(), kAllBytes);
  if (bytes == 0) return flushed_end_offset;
  std::int64_t left = rng.between(0, bytes);
  Offset kept = flushed_end_offset;
  for (const Batch& batch : batches.read(flushed_end_offset, end_offset(), kAllBytes, false)) {
    if (batch.size_bytes() > left) break;
    left -= batch.size_bytes();
    kept = batch.end_offset();
  }
  torn_bytes = left;
  return kept;
}

void LogImage::recover() {
  truncate_epochs_to(epochs, end_offset());
  truncate_epochs_before(epochs, start_offset);
  high_watermark = std::clamp(high_watermark, start_offset, end_offset());
  recovery_point = std::min(recovery_point, end_offset());
  cleaned_to = std::min(cleaned_to, end_offset());
  torn_bytes = 0;
}

bool LogImage::has_too_much() const {
  return torn_bytes != 0 || (!epochs.empty() && epochs.back().start_offset >= end_offset());
}

std::int64_t LogImage::bytes_to_recover() const {
  Offset from = start_offset;
  for (const Offset base : segment_bases) {
    if (base <= recovery_point) from = std::max(from, base);
  }
  return batches.bytes_between(from, end_offset(), kAllBytes) + torn_bytes;
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
