#include "log/partition_log.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/check.h"

namespace sim::log {
namespace {

// The entry of the smallest epoch above this one, or the end.
using Epochs = std::vector<EpochStart>;
Epochs::const_iterator first_above(const Epochs& epochs, LeaderEpoch leader_epoch) {
  return std::upper_bound(
      epochs.begin(), epochs.end(), leader_epoch,
      [](LeaderEpoch epoch, const EpochStart& entry) { return epoch < entry.leader_epoch; });
}

}  // namespace

PartitionLog::PartitionLog(const LogImage& image)
    : batches_(image.batches),
      epochs_(image.epochs),
      segments_(image.start_offset, image.segment_bases, image.batches),
      start_(image.start_offset),
      end_(image.end_offset()),
      next_(image.end_offset()) {}

Batch PartitionLog::assign(BatchDataPtr data, LeaderEpoch leader_epoch) {
  Batch batch{next_, leader_epoch, data->record_count(), std::move(data)};
  next_ = batch.end_offset();
  return batch;
}

void PartitionLog::assign_as_is(const Batch& batch) {
  SIM_CHECK(batch.base_offset >= next_, "a fetched batch lies behind what the log holds");
  next_ = batch.end_offset();
}

bool PartitionLog::append(Batch batch) {
  SIM_CHECK(batch.base_offset >= end_ && batch.end_offset() <= next_,
            "batches take effect in the order of assigning");
  note_epoch(epochs_, {batch.leader_epoch, batch.base_offset});
  end_ = batch.end_offset();
  const bool rolled = segments_.append(batch, segment_limits_);
  batches_.append(std::move(batch));
  return rolled;
}

std::vector<Batch> PartitionLog::read(Offset from, Offset end, std::int64_t max_bytes,
                                      bool at_least_one) const {
  return batches_.read(from, end, max_bytes, at_least_one);
}

std::int64_t PartitionLog::bytes_between(Offset from, Offset end, std::int64_t at_most) const {
  return batches_.bytes_between(from, end, at_most);
}

void PartitionLog::truncate_to(Offset end) {
  if (end < start_) return truncate_fully_and_start_at(end);
  batches_.truncate_to(end);
  truncate_epochs_to(epochs_, end);
  segments_.truncate_to(end, batches_);
  end_ = std::min(end_, end);
  next_ = std::min(next_, end);
}

void PartitionLog::truncate_fully_and_start_at(Offset start) {
  batches_ = BatchList();
  epochs_.clear();
  segments_ = Segments(start);
  start_ = end_ = next_ = start;
}

void PartitionLog::raise_log_start(Offset start) {
  if (start <= start_) return;
  SIM_CHECK(start <= end_, "a log does not start behind its end");
  start_ = start;
  batches_.drop_before(start);
  segments_.drop_before(start);
  // The epoch in which the log now starts, starts there (LeaderEpochFileCache.truncateFromStart).
  const auto later =
      std::upper_bound(epochs_.begin(), epochs_.end(), start,
                       [](Offset offset, const EpochStart& entry) { return offset < entry.start_offset; });
  if (later == epochs_.begin()) return;
  epochs_.erase(epochs_.begin(), std::prev(later));
  epochs_.front().start_offset = start;
}

void PartitionLog::begin_epoch(LeaderEpoch leader_epoch, Offset start) {
  note_epoch(epochs_, {leader_epoch, start});
}

std::optional<PartitionLog::EpochEnd> PartitionLog::end_offset_for(LeaderEpoch leader_epoch) const {
  if (leader_epoch == kNoLeaderEpoch) return std::nullopt;
  if (leader_epoch == latest_epoch()) return EpochEnd{leader_epoch, end_};
  const auto higher = first_above(epochs_, leader_epoch);
  if (higher == epochs_.end()) return std::nullopt;
  // An epoch before all that are known ended before they began.
  if (higher == epochs_.begin()) return EpochEnd{leader_epoch, higher->start_offset};
  return EpochEnd{std::prev(higher)->leader_epoch, higher->start_offset};
}

std::optional<Offset> PartitionLog::offset_for_timestamp(std::int64_t timestamp_ms) const {
  return batches_.offset_for_timestamp(timestamp_ms);
}

}  // namespace sim::log
