#include <algorithm>
#include <utility>

#include "group/responses.h"
#include "group/shard.h"

// Offsets: committed, fetched, expired (OffsetMetadataManager in Kafka).
namespace sim::group {

void GroupShard::on(const OffsetCommitRequest& request, const ReplyTo& to, const Step& step) {
  ClassicGroup* found = find(request.group);
  ErrorCode error = ErrorCode::none;
  GroupMember* member = nullptr;
  if (found != nullptr && found->consumer) {
    error = check_consumer_commit(*found->consumer, request);
  } else if (found != nullptr) {
    error = found->validate_offset_commit(request, member);
  } else if (request.generation >= Generation{0}) {
    error = ErrorCode::group_id_not_found;
  }
  if (error != ErrorCode::none) return send(to, commit_response(request, error), step.out);
  if (request.partitions.empty()) return send(to, OffsetCommitResponse{}, step.out);

  ClassicGroup& group = found != nullptr ? *found : create_group(request.group, step);
  // A commit says as much as a heartbeat: its sender lives.
  if (member != nullptr) arm_session(group, *member, member->session_timeout_ms, step);
  const std::int64_t now_ms = step.env.wall_ms();
  for (const OffsetCommitRequest::Partition& one : request.partitions) {
    store_offset(group, one.tp, StoredOffset{one.offset, one.leader_epoch, now_ms}, step);
  }
  step.defer(DeferredAnswer{to, commit_response(request, ErrorCode::none)});
}

// No offset is a tombstone.
void GroupShard::store_offset(ClassicGroup& group, TopicPartition tp, const StoredOffset& value,
                              const Step& step) {
  step.write(OffsetCommitRecord{group.name, tp, value.offset, value.leader_epoch, value.commit_timestamp_ms});
  if (value.exists() && !group.is_subscribed_to(tp.topic)) {
    arm_scan(step.env.now + from_minutes(step.config().offsets_retention_minutes), step);
  }
}

// With require_stable, as consumers ask, the answer waits until nothing it tells can be taken back.
void GroupShard::on(const OffsetFetchRequest& request, const ReplyTo& to, const Step& step) {
  const ClassicGroup* group = find(request.group);
  if (group != nullptr && group->consumer) {
    OffsetFetchResponse refused;
    refused.error = check_consumer_fetch(*group->consumer, request);
    if (refused.error != ErrorCode::none) return send(to, std::move(refused), step.out);
  }
  const bool exposes_pending = step.config().defect == server::PlantedDefect::pending_offsets_exposed;
  OffsetFetchResponse response = fetch_response(request, exposes_pending);
  if (!request.require_stable) return send(to, std::move(response), step.out);
  step.defer(DeferredAnswer{to, std::move(response)});
}

// ---- Retention (GroupCoordinatorShard.cleanupGroupMetadata)

// There will be a scan at the first multiple of the check interval, counted from loading, that is after
// now and not before `earliest`.
void GroupShard::arm_scan(LocalTime earliest, const Step& step) {
  const Duration interval = period_of_millis(step.config().offsets_retention_check_interval_ms);
  const std::int64_t passed = (step.env.now - loaded_at_) / interval;
  const Duration wanted = earliest - loaded_at_;
  const std::int64_t rounded_up = wanted > Duration{} ? (wanted - Duration{1}) / interval + 1 : 0;
  const LocalTime due = loaded_at_ + interval * std::max(passed + 1, rounded_up);
  if (step.is_armed(offset_scan_) && scan_due_ <= due) return;
  scan_due_ = due;
  step.arm(offset_scan_, GroupTimer{GroupTimer::Kind::offset_scan, 0, 0}, due - step.env.now);
}

// The next scan that can find anything: an offset grown old, or an empty group without any.
void GroupShard::plan_scan(const Step& step) {
  const Duration retention = from_minutes(step.config().offsets_retention_minutes);
  for (const ClassicGroup& group : groups_) {
    if (group.uid == 0 || group.removed) continue;
    if (group.is(GroupState::empty) && !group.offsets.any_written()) arm_scan(step.env.now, step);
    for (const GroupOffsets::Slot& slot : group.offsets.slots()) {
      if (!slot.written.exists()) continue;
      const std::optional<std::int64_t> base_ms = group.retention_base_ms(slot);
      if (base_ms) arm_scan(LocalTime{from_millis(*base_ms) - step.env.wall_ahead} + retention, step);
    }
  }
}

void GroupShard::scan(const Step& step) {
  for (ClassicGroup& group : groups_) {
    if (group.uid == 0 || group.removed) continue;
    if (!expire_offsets(group, step) || !group.is(GroupState::empty)) continue;
    GroupMetadataRecord tombstone;
    tombstone.group = group.name;
    tombstone.tombstone = true;
    Changes& changes =
        group.consumer ? append_consumer_tombstones(group, step) : step.append(std::move(tombstone));
    changes.groups.push_back(GroupChange{GroupRef{group.slot, group.uid}, false});
    cancel_deadlines(group, step);
    group.pending.clear();
    slots_.erase(group.name);
    group.removed = true;
  }
  plan_scan(step);
}

// True: no offset is left.
bool GroupShard::expire_offsets(ClassicGroup& group, const Step& step) {
  const std::int64_t now_ms = step.env.wall_ms();
  const std::int64_t retention_ms = step.config().offsets_retention_minutes * 60'000;
  std::vector<TopicPartition> expired;
  bool all = true;
  for (const GroupOffsets::Slot& slot : group.offsets.slots()) {
    if (!slot.written.exists()) continue;
    const std::optional<std::int64_t> base_ms = group.retention_base_ms(slot);
    if (base_ms && now_ms - *base_ms >= retention_ms && !is_pending(group, slot.tp)) {
      expired.push_back(slot.tp);
    } else {
      all = false;
    }
  }
  for (const TopicPartition tp : expired) store_offset(group, tp, StoredOffset{}, step);
  return all && !any_pending(group);
}

}  // namespace sim::group
