#include "raft/raft_log.h"

#include <algorithm>
#include <limits>

#include "base/check.h"

namespace sim::raft {

RaftLog::RaftLog(const log::LogImage* image, VoterSet configured)
    : log_(image == nullptr ? log::PartitionLog() : log::PartitionLog(*image)) {
  voters_.emplace_back(0, std::move(configured));
  if (image == nullptr) return;
  snapshots_ = image->snapshots;
  if (!snapshots_.empty() && !snapshots_.back()->voters.voters.empty()) {
    voters_.emplace_back(snapshots_.back()->id.end_offset, VoterSet(snapshots_.back()->voters.voters));
  }
  for (const Batch& batch :
       log_.read(start_offset(), end_offset(), std::numeric_limits<std::int64_t>::max(), true)) {
    if (batch.end_offset() > voters_.back().first) note_voters(batch);
  }
}

LeaderEpoch RaftLog::last_epoch() const {
  if (log_.latest_epoch() != kNoLeaderEpoch) return log_.latest_epoch();
  return snapshots_.empty() ? LeaderEpoch{0} : snapshots_.back()->id.leader_epoch;
}

MetadataSnapshotPtr RaftLog::snapshot(SnapshotId id) const {
  const auto it =
      std::find_if(snapshots_.begin(), snapshots_.end(), [&](const auto& one) { return one->id == id; });
  return it == snapshots_.end() ? nullptr : *it;
}

void RaftLog::note_voters(const Batch& batch) {
  if (!batch.data->control) return;
  const auto* records = std::get_if<std::vector<ControlRecord>>(&batch.data->records);
  if (records == nullptr) return;
  for (const ControlRecord& record : *records) {
    if (const auto* voters = std::get_if<VotersRecord>(&record)) {
      voters_.emplace_back(batch.end_offset(), VoterSet(voters->voters));
    }
  }
}

Batch RaftLog::append_as_leader(BatchDataPtr data, LeaderEpoch epoch) {
  Batch batch = log_.assign(std::move(data), epoch);
  log_.append(batch);
  note_voters(batch);
  return batch;
}

void RaftLog::append_as_follower(const Batch& batch) {
  log_.assign_as_is(batch);
  log_.append(batch);
  note_voters(batch);
}

RaftLog::Validation RaftLog::validate(Offset offset, LeaderEpoch epoch) const {
  if (start_offset() == 0 && offset == 0) return Valid{};
  if (!snapshots_.empty()) {
    const SnapshotId earliest = snapshots_.front()->id;
    const bool at_start = offset == start_offset() && epoch != earliest.leader_epoch && start_offset() > 0;
    if (offset < start_offset() || at_start || epoch < earliest.leader_epoch) {
      return FromSnapshot{snapshots_.back()->id};
    }
    if (start_offset() > 0 && offset == start_offset()) return Valid{};
  }
  const auto end = log_.end_offset_for(epoch);
  const FetchResponse::EpochEnd ours = end ? FetchResponse::EpochEnd{end->leader_epoch, end->end_offset}
                                           : FetchResponse::EpochEnd{last_epoch(), end_offset()};
  if (ours.leader_epoch != epoch || ours.end_offset < offset) {
    // An epoch older than all we have ended where ours begin.
    if (!end && epoch > last_epoch()) return Diverging{{last_epoch(), end_offset()}};
    return Diverging{ours};
  }
  return Valid{};
}

Offset RaftLog::truncate_to(FetchResponse::EpochEnd leader_end) {
  Offset to = 0;
  if (leader_end.leader_epoch == LeaderEpoch{0}) {
    to = std::min(leader_end.end_offset, end_offset());
  } else {
    const auto ours = log_.end_offset_for(leader_end.leader_epoch);
    const Offset our_end = ours ? ours->end_offset : end_offset();
    const LeaderEpoch our_epoch = ours ? ours->leader_epoch : last_epoch();
    to = our_epoch == leader_end.leader_epoch ? std::min(our_end, leader_end.end_offset) : our_end;
  }
  log_.truncate_to(to);
  while (voters_.size() > 1 && voters_.back().first > to) voters_.pop_back();
  return to;
}

void RaftLog::add_snapshot(MetadataSnapshotPtr snapshot) {
  std::erase_if(snapshots_, [&](const auto& one) { return one->id == snapshot->id; });
  snapshots_.push_back(std::move(snapshot));
}

void RaftLog::reset_to_latest_snapshot() {
  SIM_CHECK(!snapshots_.empty(), "a log is reset to a snapshot");
  const MetadataSnapshotPtr latest = snapshots_.back();
  snapshots_ = {latest};
  log_.truncate_fully_and_start_at(latest->id.end_offset);
  voters_.resize(1);
  if (!latest->voters.voters.empty())
    voters_.emplace_back(latest->id.end_offset, VoterSet(latest->voters.voters));
}

std::optional<Offset> RaftLog::cleanable(std::int64_t retention_bytes, std::int64_t expired_before_ms) const {
  std::int64_t bytes = log_.size_bytes();
  for (const MetadataSnapshotPtr& one : snapshots_) bytes += one->size_bytes;
  std::optional<Offset> start;
  // The newest snapshot stays, whatever its age.
  for (std::size_t i = 0; i + 1 < snapshots_.size(); ++i) {
    if (bytes <= retention_bytes && snapshots_[i]->timestamp_ms >= expired_before_ms) break;
    const Offset next = snapshots_[i + 1]->id.end_offset;
    bytes -= snapshots_[i]->size_bytes + log_.bytes_between(start.value_or(start_offset()), next, bytes);
    start = next;
  }
  // With a single snapshot and too large a log, the log may still start where the snapshot ends.
  if (!start && snapshots_.size() == 1 && bytes > retention_bytes &&
      snapshots_.front()->id.end_offset > start_offset()) {
    start = snapshots_.front()->id.end_offset;
  }
  return start;
}

void RaftLog::clean(Offset start) {
  std::erase_if(snapshots_, [start](const auto& one) { return one->id.end_offset < start; });
  log_.raise_log_start(start);
}

}  // namespace sim::raft
