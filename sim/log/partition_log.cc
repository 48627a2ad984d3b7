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
      next_(image.end_offset()),
      recovery_point_(std::min(image.recovery_point, image.end_offset())),
      cleaned_to_(image.cleaned_to) {}

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
  recovery_point_ = std::min(recovery_point_, end_);
  cleaned_to_ = std::min(cleaned_to_, end);
}

void PartitionLog::truncate_fully_and_start_at(Offset start) {
  batches_ = BatchList();
  epochs_.clear();
  segments_ = Segments(start);
  start_ = end_ = next_ = recovery_point_ = start;
  cleaned_to_ = std::min(cleaned_to_, start);
}

void PartitionLog::raise_log_start(Offset start) {
  if (start <= start_) return;
  SIM_CHECK(start <= end_, "a log does not start behind its end");
  start_ = start;
  recovery_point_ = std::max(recovery_point_, start);
  batches_.drop_before(start);
  segments_.drop_before(start, end_);
  truncate_epochs_before(epochs_, start);
}

void PartitionLog::replace_segments(Offset end, const std::vector<Batch>& batches,
                                    const std::vector<Offset>& bases) {
  batches_.replace_before(end, batches);
  segments_.replace_before(end, bases, batches);
  cleaned_to_ = end;
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
