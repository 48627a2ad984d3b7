#include <algorithm>
#include <utility>

#include "broker/group_coordinator.h"

// Offsets: committed, fetched, expired (OffsetMetadataManager in Kafka).
namespace sim::broker {

namespace {

OffsetCommitResponse commit_response(const OffsetCommitRequest& request, ErrorCode error) {
  OffsetCommitResponse response;
  response.partitions.reserve(request.partitions.size());
  for (const OffsetCommitRequest::Partition& one : request.partitions) {
    response.partitions.push_back(OffsetCommitResponse::Partition{one.tp, error});
  }
  return response;
}

OffsetFetchResponse::Partition fetched(TopicPartition tp, const StoredOffset& value) {
  if (!value.exists()) return OffsetFetchResponse::Partition{tp, ErrorCode::none, kNoOffset, kNoLeaderEpoch};
  return OffsetFetchResponse::Partition{tp, ErrorCode::none, value.offset, value.leader_epoch};
}

OffsetFetchResponse fetch_response(const ClassicGroup* group, const OffsetFetchRequest& request) {
  const bool latest = request.require_stable;
  OffsetFetchResponse response;
  if (!request.partitions.empty()) {
    response.partitions.reserve(request.partitions.size());
    for (const TopicPartition tp : request.partitions) {
      StoredOffset value;
      if (group != nullptr) value = latest ? group->offsets.written(tp) : group->offsets.committed(tp);
      response.partitions.push_back(fetched(tp, value));
    }
  } else if (group != nullptr) {  // all that the group has
    for (const GroupOffsets::Slot& slot : group->offsets.slots()) {
      const StoredOffset& value = latest ? slot.written : slot.committed;
      if (value.exists()) response.partitions.push_back(fetched(slot.tp, value));
    }
  }
  return response;
}

}  // namespace

void GroupCoordinator::on(const OffsetCommitRequest& request, const Envelope& from, node::Env env,
                          node::Effects& out) {
  const Step step{env, out};
  const ReplyTo to{from.channel, from.correlation};
  const Lookup found = find(request.group);
  ErrorCode error = found.error;
  GroupMember* member = nullptr;
  if (error == ErrorCode::none) {
    if (found.group != nullptr) {
      error = found.group->validate_offset_commit(request, member);
    } else if (request.generation >= Generation{0}) {
      error = ErrorCode::group_id_not_found;
    }
  }
  if (error != ErrorCode::none) return send(to, commit_response(request, error), out);
  if (request.partitions.empty()) return send(to, OffsetCommitResponse{}, out);

  ClassicGroup& group =
      found.group != nullptr ? *found.group : create_group(request.group, found.partition, step);
  // A commit says as much as a heartbeat: its sender lives.
  if (member != nullptr) arm_session(group, *member, member->session_timeout_ms, step);
  const std::int64_t now_ms = env.wall_ms();
  for (const OffsetCommitRequest::Partition& one : request.partitions) {
    store_offset(group, one.tp, StoredOffset{one.offset, one.leader_epoch, now_ms}, step);
  }
  finish(group.partition, DeferredAnswer{to, commit_response(request, ErrorCode::none)}, step);
  set_timer(out);
}

// Writes the record and replays it; no offset is a tombstone.
void GroupCoordinator::store_offset(ClassicGroup& group, TopicPartition tp, const StoredOffset& value,
                                    const Step& step) {
  PendingWrite& batch = append(
      group.partition,
      OffsetCommitRecord{group.name, tp, value.offset, value.leader_epoch, value.commit_timestamp_ms}, step);
  batch.offsets.push_back(OffsetChange{GroupRef{group.slot, group.uid}, tp, value});
  group.offsets.write(tp, value);
  if (value.exists() && !group.is_subscribed_to(tp.topic)) {
    arm_scan(group.partition, step.env.now + from_minutes(config_.offsets_retention_minutes), step);
  }
}

// With require_stable, as consumers ask, the answer waits until nothing it tells can be taken back.
void GroupCoordinator::on(const OffsetFetchRequest& request, const Envelope& from, node::Env env,
                          node::Effects& out) {
  const ReplyTo to{from.channel, from.correlation};
  const Lookup found = find(request.group);
  if (found.error != ErrorCode::none) {
    OffsetFetchResponse refused;
    refused.error = found.error;
    return send(to, std::move(refused), out);
  }
  OffsetFetchResponse response = fetch_response(found.group, request);
  if (!request.require_stable) return send(to, std::move(response), out);
  finish(found.partition, DeferredAnswer{to, std::move(response)}, Step{env, out});
  set_timer(out);
}

// ---- Retention (GroupCoordinatorShard.cleanupGroupMetadata)

// There will be a scan at the first multiple of the check interval, counted from loading, that is after
// now and not before `earliest`.
void GroupCoordinator::arm_scan(std::int32_t partition, LocalTime earliest, const Step& step) {
  OffsetsPartition& log = partitions_[static_cast<std::size_t>(partition)];
  const Duration interval = period_of_millis(config_.offsets_retention_check_interval_ms);
  const std::int64_t passed = (step.env.now - log.loaded_at) / interval;
  const Duration wanted = earliest - log.loaded_at;
  const std::int64_t rounded_up = wanted > Duration{} ? (wanted - Duration{1}) / interval + 1 : 0;
  const LocalTime due = log.loaded_at + interval * std::max(passed + 1, rounded_up);
  if (deadlines_.is_armed(log.offset_scan) && log.scan_due <= due) return;
  log.scan_due = due;
  arm(log.offset_scan, Deadline{Deadline::Kind::offset_scan, partition, 0, 0}, due - step.env.now, step);
}

// The next scan that can find anything: an offset grown old, or an empty group without any.
void GroupCoordinator::plan_scan(std::int32_t partition, const Step& step) {
  const Duration retention = from_minutes(config_.offsets_retention_minutes);
  for (const ClassicGroup& group : groups_) {
    if (group.uid == 0 || group.partition != partition || group.removed) continue;
    if (group.is(GroupState::empty) && !group.offsets.any_written()) arm_scan(partition, step.env.now, step);
    for (const GroupOffsets::Slot& slot : group.offsets.slots()) {
      if (!slot.written.exists()) continue;
      const std::optional<std::int64_t> base_ms = group.retention_base_ms(slot);
      if (base_ms)
        arm_scan(partition, LocalTime{from_millis(*base_ms) - step.env.wall_ahead} + retention, step);
    }
  }
}

void GroupCoordinator::clock_stepped(node::Env env, node::Effects& out) {
  for (std::int32_t partition = 0; std::cmp_less(partition, partitions_.size()); ++partition) {
    const bool leads =
        partitions_[static_cast<std::size_t>(partition)].state == OffsetsPartition::State::active;
    if (leads) plan_scan(partition, Step{env, out});
  }
  set_timer(out);
}

void GroupCoordinator::scan(std::int32_t partition, const Step& step) {
  for (ClassicGroup& group : groups_) {
    if (group.uid == 0 || group.partition != partition || group.removed) continue;
    if (!expire_offsets(group, step) || !group.is(GroupState::empty)) continue;
    GroupMetadataRecord tombstone;
    tombstone.group = group.name;
    tombstone.tombstone = true;
    PendingWrite& batch = append(partition, std::move(tombstone), step);
    batch.groups.push_back(GroupChange{GroupRef{group.slot, group.uid}, false});
    cancel_deadlines(group);
    group.pending.clear();
    slots_.erase(group.name);
    group.removed = true;
  }
  finish(partition);
  plan_scan(partition, step);
}

// True: no offset is left.
bool GroupCoordinator::expire_offsets(ClassicGroup& group, const Step& step) {
  const std::int64_t now_ms = step.env.wall_ms();
  const std::int64_t retention_ms = config_.offsets_retention_minutes * 60'000;
  std::vector<TopicPartition> expired;
  bool all = true;
  for (const GroupOffsets::Slot& slot : group.offsets.slots()) {
    if (!slot.written.exists()) continue;
    const std::optional<std::int64_t> base_ms = group.retention_base_ms(slot);
    if (base_ms && now_ms - *base_ms >= retention_ms) {
      expired.push_back(slot.tp);
    } else {
      all = false;
    }
  }
  for (const TopicPartition tp : expired) store_offset(group, tp, StoredOffset{}, step);
  return all;
}

}  // namespace sim::broker
