#include <algorithm>
#include <utility>

#include "group/responses.h"
#include "group/shard.h"

// Offsets that are committed in transactions (OffsetMetadataManager.commitTransactionalOffset,
// replayEndTransactionMarker; KIP-98, KIP-447): pending until the marker of the producer's transaction, and
// what a reader is told meanwhile.
namespace sim::group {

namespace {

OffsetFetchResponse::Partition fetched(TopicPartition tp, const StoredOffset& value) {
  if (!value.exists()) return OffsetFetchResponse::Partition{tp, ErrorCode::none, kNoOffset, kNoLeaderEpoch};
  return OffsetFetchResponse::Partition{tp, ErrorCode::none, value.offset, value.leader_epoch};
}

OffsetFetchResponse::Partition unstable(TopicPartition tp) {
  return OffsetFetchResponse::Partition{tp, ErrorCode::unstable_offset_commit, kNoOffset, kNoLeaderEpoch};
}

}  // namespace

void GroupShard::on(const TxnOffsetCommitRequest& request, const ReplyTo& to, const Step& step) {
  ClassicGroup* found = find(request.group);
  ErrorCode error = ErrorCode::none;
  if (found != nullptr) {
    error = found->validate_transactional_commit(request);
  } else if (request.generation >= Generation{0}) {
    error = ErrorCode::illegal_generation;
  }
  if (error != ErrorCode::none) return send(to, commit_response(request, error), step.out);
  if (request.partitions.empty()) return send(to, TxnOffsetCommitResponse{}, step.out);

  const std::string& group = found != nullptr ? found->name : create_group(request.group, step).name;
  const std::int64_t now_ms = step.env.wall_ms();
  for (const OffsetCommitRequest::Partition& one : request.partitions)
    step.write(OffsetCommitRecord{group, one.tp, one.offset, one.leader_epoch, now_ms});
  step.defer(DeferredAnswer{to, commit_response(request, ErrorCode::none)});
}

// ---- Records

void GroupShard::replay_pending(const Record& record, ProducerId producer, Changes* uncommitted) {
  const auto* commit = std::get_if<OffsetCommitRecord>(&record);
  if (commit == nullptr) return replay(record, uncommitted);
  ClassicGroup* found = find(commit->group);
  const ClassicGroup& group = found != nullptr ? *found : make_group(commit->group);
  const GroupRef ref{group.slot, group.uid};
  const StoredOffset value{commit->offset, commit->leader_epoch, commit->commit_timestamp_ms,
                           next_record_number_++};
  pending_offsets_.push_back(PendingOffset{producer, ref, commit->tp, value});
  if (uncommitted != nullptr)
    uncommitted->pending_offsets.push_back(PendingOffsetChange{producer, ref, commit->tp, value, false});
}

void GroupShard::replay_marker(ProducerId producer, bool committed, Changes* uncommitted) {
  for (const PendingOffset& one : pending_offsets_) {
    if (one.producer != producer) continue;
    if (uncommitted != nullptr) {
      uncommitted->pending_offsets.push_back(
          PendingOffsetChange{producer, one.group, one.tp, one.value, true});
    }
    ClassicGroup* group = resolve(one.group);
    if (!committed || group == nullptr) continue;
    if (group->offsets.written(one.tp).record_number > one.value.record_number) continue;
    group->offsets.write(one.tp, one.value);
    if (uncommitted != nullptr) {
      uncommitted->offsets.push_back(OffsetChange{one.group, one.tp, one.value});
    } else {
      group->offsets.commit(one.tp, one.value);
    }
  }
  std::erase_if(pending_offsets_, [=](const PendingOffset& one) { return one.producer == producer; });
}

// The write of a marker failed.
void GroupShard::restore_pending(const PendingOffsetChange& change) {
  const auto place = std::upper_bound(
      pending_offsets_.begin(), pending_offsets_.end(), change.value.record_number,
      [](std::uint64_t number, const PendingOffset& one) { return number < one.value.record_number; });
  pending_offsets_.insert(place, PendingOffset{change.producer, change.group, change.tp, change.value});
}

// The write of the offset failed.
void GroupShard::drop_pending(const PendingOffsetChange& change) {
  std::erase_if(pending_offsets_, [&](const PendingOffset& one) {
    return one.value.record_number == change.value.record_number;
  });
}

// ---- Reading

bool GroupShard::is_pending(const ClassicGroup& group, TopicPartition tp) const {
  return std::any_of(pending_offsets_.begin(), pending_offsets_.end(),
                     [&](const PendingOffset& one) { return one.group.uid == group.uid && one.tp == tp; });
}

bool GroupShard::any_pending(const ClassicGroup& group) const {
  return std::any_of(pending_offsets_.begin(), pending_offsets_.end(),
                     [&](const PendingOffset& one) { return one.group.uid == group.uid; });
}

// A stable answer tells nothing of a partition whose offset some open transaction is about to change.
OffsetFetchResponse GroupShard::fetch_response(const OffsetFetchRequest& request,
                                               bool exposes_pending) const {
  const ClassicGroup* group = find(request.group);
  const bool latest = request.require_stable;
  const auto answer = [&](TopicPartition tp, const StoredOffset& value) {
    if (exposes_pending) {
      for (auto one = pending_offsets_.rbegin(); one != pending_offsets_.rend(); ++one) {
        if (one->group.uid == group->uid && one->tp == tp) return fetched(tp, one->value);
      }
    }
    return latest && is_pending(*group, tp) ? unstable(tp) : fetched(tp, value);
  };
  OffsetFetchResponse response;
  if (!request.partitions.empty()) {
    response.partitions.reserve(request.partitions.size());
    for (const TopicPartition tp : request.partitions) {
      if (group == nullptr) {
        response.partitions.push_back(fetched(tp, StoredOffset{}));
      } else {
        response.partitions.push_back(
            answer(tp, latest ? group->offsets.written(tp) : group->offsets.committed(tp)));
      }
    }
  } else if (group != nullptr) {  // all that the group has
    for (const GroupOffsets::Slot& slot : group->offsets.slots()) {
      const StoredOffset& value = latest ? slot.written : slot.committed;
      if (value.exists()) response.partitions.push_back(answer(slot.tp, value));
    }
  }
  return response;
}

}  // namespace sim::group
