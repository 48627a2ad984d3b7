#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <utility>

#include "base/check.h"
#include "group/member_ids.h"
#include "group/responses.h"
#include "group/shard.h"

// Who is in a group: joining, coming back, leaving (GroupMetadataManager.classicGroupJoin*,
// classicGroupLeave, classicGroupHeartbeat in Kafka).
namespace sim::group {

namespace {

observe::DepartureReason departure_of(const LeaveGroupRequest& request) {
  switch (request.reason) {
    case LeaveReason::none: return observe::DepartureReason::removed;
    case LeaveReason::closed: return observe::DepartureReason::closed;
    case LeaveReason::poll_timeout: return observe::DepartureReason::poll_timeout;
  }
  return observe::DepartureReason::removed;
}

JoinGroupResponse current_generation(const ClassicGroup& group, const GroupMember& member,
                                     bool with_members) {
  JoinGroupResponse response;
  response.generation = group.generation;
  response.protocol = group.protocol;
  response.leader = group.leader;
  response.member_id = member.id;
  if (with_members) response.members = group.member_list();
  return response;
}

}  // namespace

void GroupShard::on(const JoinGroupRequest& request, const ReplyTo& to, const Step& step) {
  ClassicGroup* found = find(request.group);
  const bool without_id = request.member_id.empty();
  if (found == nullptr && !without_id) {
    return send(to, join_error(ErrorCode::unknown_member_id, request.member_id), step.out);
  }
  if (found != nullptr && found->consumer) {
    if (!found->consumer->written.members().empty()) return join_consumer_group(*found, request, to, step);
    drop_empty_consumer_group(*found, step);
  }
  const bool is_new_group = found == nullptr;
  ClassicGroup& group = is_new_group ? create_group(request.group, step) : *found;

  GroupRecord record;
  std::optional<DeferredReplacement> replacement;
  if (!accepts(group, request.member_id, step.config().group_max_size)) {
    if (GroupMember* member = group.find(request.member_id))
      remove_member(group, *member, observe::DepartureReason::over_capacity, step);
    if (PendingMember* pending = group.find_pending(request.member_id)) remove_pending(group, *pending, step);
    send(to, join_error(ErrorCode::group_max_size_reached), step.out);
  } else if (without_id) {
    record = join_new(group, request, to, replacement, step);
  } else {
    record = join_existing(group, request, to, step);
  }

  if (is_new_group && !record) {  // it exists from here on, empty as far as the log knows
    record.emplace();
    record->group = group.name;
    record->generation = Generation{0};
    record->state_timestamp_ms = group.state_timestamp_ms;
  }
  if (record) step.append(std::move(*record));
  if (replacement) {
    step.defer(std::move(*replacement));
  } else {
    step.defer(DeferredPark{to, GroupRef{group.slot, group.uid}});
  }
}

// group.max.size. While members are rejoining, those who have are counted: the last ones stay out.
bool GroupShard::accepts(ClassicGroup& group, const std::string& member_id, std::int32_t max_size) {
  const GroupMember* member = group.find(member_id);
  switch (group.state) {
    case GroupState::empty:
    case GroupState::dead:
    case GroupState::assigning:
    case GroupState::reconciling: return true;
    case GroupState::preparing_rebalance:
      return (member != nullptr && member->join.has_value()) || group.awaiting_join() < max_size;
    case GroupState::completing_rebalance:
    case GroupState::stable: return member != nullptr || std::cmp_less(group.members.size(), max_size);
  }
  return false;
}

GroupShard::GroupRecord GroupShard::join_new(ClassicGroup& group, const JoinGroupRequest& request,
                                             const ReplyTo& to,
                                             std::optional<DeferredReplacement>& replacement,
                                             const Step& step) {
  if (!group.supports(request.protocol_type, request.protocols)) {
    send(to, join_error(ErrorCode::inconsistent_group_protocol), step.out);
    return std::nullopt;
  }
  const bool is_static = !request.group_instance_id.empty();
  std::string member_id =
      (is_static ? request.group_instance_id : request.client_id) + "-" + random_uuid(step.env.rng);
  if (is_static) {
    GroupMember* earlier_life = group.find_static(request.group_instance_id);
    if (earlier_life == nullptr) return add_member(group, request, std::move(member_id), to, step);
    return replace_static(group, *earlier_life, request, member_id, to, replacement, step);
  }
  // KIP-394: it is told its id first, or a client that keeps timing out would fill the group with ghosts.
  PendingMember& pending = group.pending.emplace_back();
  pending.id = member_id;
  pending.serial = next_serial_++;
  step.arm(pending.session, GroupTimer{GroupTimer::Kind::session, group.slot, pending.serial},
           from_millis(request.session_timeout_ms));
  send(to, join_error(ErrorCode::member_id_required, member_id), step.out);
  return std::nullopt;
}

GroupShard::GroupRecord GroupShard::join_existing(ClassicGroup& group, const JoinGroupRequest& request,
                                                  const ReplyTo& to, const Step& step) {
  if (!group.supports(request.protocol_type, request.protocols)) {
    send(to, join_error(ErrorCode::inconsistent_group_protocol, request.member_id), step.out);
    return std::nullopt;
  }
  if (PendingMember* pending = group.find_pending(request.member_id); pending != nullptr) {
    step.cancel(pending->session);
    return add_member(group, request, request.member_id, to, step);
  }
  GroupMember* member = nullptr;
  if (const ErrorCode error = group.validate_member(request.member_id, request.group_instance_id, member);
      error != ErrorCode::none) {
    send(to, join_error(error, request.member_id), step.out);
    return std::nullopt;
  }
  const bool unchanged = member->protocols == request.protocols;
  switch (group.state) {
    case GroupState::preparing_rebalance: return update_member(group, *member, request, to, step);
    case GroupState::completing_rebalance:
      if (!unchanged) return update_member(group, *member, request, to, step);
      // It may have missed the answer to its first try.
      send(to, current_generation(group, *member, group.is_leader(*member)), step.out);
      return std::nullopt;
    case GroupState::stable:
      // The leader rejoins when something it assigns by has changed, such as a topic's partitions.
      if (group.is_leader(*member) || !unchanged) return update_member(group, *member, request, to, step);
      send(to, current_generation(group, *member, false), step.out);
      return std::nullopt;
    case GroupState::empty:
    case GroupState::dead:
    case GroupState::assigning:
    case GroupState::reconciling: break;
  }
  SIM_CHECK(false, "an empty group has no member to come back");
  return std::nullopt;
}

GroupShard::GroupRecord GroupShard::add_member(ClassicGroup& group, const JoinGroupRequest& request,
                                               std::string member_id, const ReplyTo& to, const Step& step) {
  if (group.is(GroupState::preparing_rebalance) && group.previous_state == GroupState::empty) {
    group.new_member_added = true;
  }
  if (group.members.empty()) group.protocol_type = request.protocol_type;
  GroupMember joining;
  joining.id = std::move(member_id);
  joining.instance_id = request.group_instance_id;
  joining.client_id = request.client_id;
  joining.rebalance_timeout_ms = request.rebalance_timeout_ms;
  joining.session_timeout_ms = request.session_timeout_ms;
  joining.protocols = request.protocols;
  joining.join = ParkedRequest{to, false};
  joining.is_new = true;
  joining.serial = next_serial_++;
  GroupMember& member = group.add(std::move(joining));
  // It sends no heartbeats while its join is parked, and nobody sees its connection close. If it is still
  // there after these five minutes it tries again (classicGroupNewMemberJoinTimeoutMs).
  constexpr std::int64_t kNewMemberJoinTimeoutMs = 5 * 60 * 1000;
  arm_session(group, member, kNewMemberJoinTimeoutMs, step);
  return rebalance_or_complete_join(group, RebalanceReason::member_joined, member.id, step);
}

GroupShard::GroupRecord GroupShard::update_member(ClassicGroup& group, GroupMember& member,
                                                  const JoinGroupRequest& request, const ReplyTo& to,
                                                  const Step& step) {
  member.protocols = request.protocols;
  member.rebalance_timeout_ms = request.rebalance_timeout_ms;
  member.session_timeout_ms = request.session_timeout_ms;
  member.join = ParkedRequest{to, false};
  return rebalance_or_complete_join(group, RebalanceReason::member_rejoined, member.id, step);
}

// ---- Static members (KIP-345)

// A static member was restarted: whoever still uses its old member id is fenced.
GroupShard::GroupRecord GroupShard::replace_static(ClassicGroup& group, GroupMember& member,
                                                   const JoinGroupRequest& request, const std::string& new_id,
                                                   const ReplyTo& to,
                                                   std::optional<DeferredReplacement>& replacement,
                                                   const Step& step) {
  DeferredReplacement before{to,
                             GroupRef{group.slot, group.uid},
                             member.id,
                             new_id,
                             member.protocols,
                             member.rebalance_timeout_ms,
                             member.session_timeout_ms};
  rename_static(group, member, new_id, step);
  member.protocols = request.protocols;
  member.rebalance_timeout_ms = request.rebalance_timeout_ms;
  member.session_timeout_ms = request.session_timeout_ms;
  member.join = ParkedRequest{to, false};
  switch (group.state) {
    case GroupState::stable:
      if (group.select_protocol() != group.protocol) {
        return rebalance_or_complete_join(group, RebalanceReason::static_member_replaced, member.id, step);
      }
      replacement = std::move(before);  // nothing changes but its id, which must be stored
      return group.record(nullptr);
    case GroupState::completing_rebalance:
      // The leader may be assigning to the old id at this moment.
      return prepare_rebalance(group, RebalanceReason::static_member_replaced, member.id, step);
    case GroupState::preparing_rebalance: return maybe_complete_join(group, step);
    case GroupState::empty:
    case GroupState::dead:
    case GroupState::assigning:
    case GroupState::reconciling: break;
  }
  SIM_CHECK(false, "an empty group has no static member to replace");
  return std::nullopt;
}

void GroupShard::rename_static(ClassicGroup& group, GroupMember& member, const std::string& new_id,
                               const Step& step) {
  answer_join(member, join_error(ErrorCode::fenced_instance_id, member.id), step.out);
  answer_sync(member, SyncGroupResponse{ErrorCode::fenced_instance_id, {}}, step.out);
  if (group.is_leader(member)) group.leader = new_id;
  member.id = new_id;
  member.is_new = false;
  member.serial = next_serial_++;
  arm_session(group, member, member.session_timeout_ms, step);
}

// If a rebalance began meanwhile, its join counts for that.
void GroupShard::replacement_stored(const DeferredReplacement& work, const Step& step) {
  ClassicGroup* group = resolve(work.group);
  GroupMember* member = group == nullptr ? nullptr : group->find(work.new_id);
  if (member == nullptr || group->is(GroupState::preparing_rebalance)) return;
  const bool leads = group->is_leader(*member);
  JoinGroupResponse response = current_generation(*group, *member, leads);
  response.skip_assignment = leads;
  answer_join(*member, std::move(response), step.out);
}

void GroupShard::replacement_failed(DeferredReplacement& work, ErrorCode error, const Step& step) {
  ClassicGroup* group = resolve(work.group);
  GroupMember* member = group == nullptr ? nullptr : group->find(work.new_id);
  if (member == nullptr || !member->join || member->join->to != work.to) return;
  answer_join(*member, join_error(error), step.out);
  member->protocols = std::move(work.old_protocols);
  member->rebalance_timeout_ms = work.old_rebalance_timeout_ms;
  member->session_timeout_ms = work.old_session_timeout_ms;
  rename_static(*group, *member, work.old_id, step);
}

// ---- Heartbeats and leaving

void GroupShard::on(const HeartbeatRequest& request, const ReplyTo& to, const Step& step) {
  ClassicGroup* found = find(request.group);
  if (found == nullptr) return send(to, HeartbeatResponse{ErrorCode::unknown_member_id}, step.out);
  if (found->consumer) return heartbeat_consumer_group(*found, request, to, step);
  ClassicGroup& group = *found;
  GroupMember* member = nullptr;
  ErrorCode error = group.validate_member(request.member_id, request.group_instance_id, member);
  if (error == ErrorCode::none && request.generation != group.generation)
    error = ErrorCode::illegal_generation;
  if (error != ErrorCode::none) return send(to, HeartbeatResponse{error}, step.out);
  arm_session(group, *member, member->session_timeout_ms, step);
  const bool rebalancing = group.is(GroupState::preparing_rebalance);
  const HeartbeatResponse response{rebalancing ? ErrorCode::rebalance_in_progress : ErrorCode::none};
  step.defer(DeferredAnswer{to, response});
}

void GroupShard::on(const LeaveGroupRequest& request, const ReplyTo& to, const Step& step) {
  ClassicGroup* found = find(request.group);
  if (found == nullptr) return send(to, LeaveGroupResponse{ErrorCode::unknown_member_id}, step.out);
  if (found->consumer) return leave_consumer_group(*found, request, to, step);
  ClassicGroup& group = *found;
  ErrorCode error = ErrorCode::none;
  std::string member_id = request.member_id;
  if (PendingMember* pending = group.find_pending(request.member_id)) {
    remove_pending(group, *pending, step);
  } else {
    GroupMember* member = nullptr;
    if (request.member_id.empty()) {  // an administrator names the static member
      member = group.find_static(request.group_instance_id);
      if (member == nullptr) error = ErrorCode::unknown_member_id;
    } else {
      error = group.validate_member(request.member_id, request.group_instance_id, member);
    }
    if (error == ErrorCode::none) {
      member_id = member->id;
      remove_member(group, *member, departure_of(request), step);
    }
  }
  if (error == ErrorCode::none && !group.is(GroupState::empty)) {
    GroupRecord record = rebalance_or_complete_join(group, RebalanceReason::member_left, member_id, step);
    if (record) step.append(std::move(*record));
  }
  step.defer(DeferredAnswer{to, LeaveGroupResponse{error}});
}

// A parked join is answered with UNKNOWN_MEMBER_ID, so that a client that is still there tries again.
void GroupShard::remove_member(ClassicGroup& group, GroupMember& member, observe::DepartureReason reason,
                               const Step& step) {
  tell_departure(group, member.id, reason, step);
  answer_join(member, join_error(ErrorCode::unknown_member_id), step.out);
  step.cancel(member.session);
  group.remove(group.index_of(member));
}

void GroupShard::tell_departure(const ClassicGroup& group, const std::string& member_id,
                                observe::DepartureReason reason, const Step& step) {
  node::report(step.out, observe::MemberDeparted{group.name, member_id, reason});
}

void GroupShard::remove_pending(ClassicGroup& group, PendingMember& member, const Step& step) {
  step.cancel(member.session);
  group.remove_pending(std::string{member.id});
}

// ---- Answers to parked requests

void GroupShard::answer_join(GroupMember& member, JoinGroupResponse response, node::Effects& out) {
  if (member.join && !member.join->answered) send(member.join->to, std::move(response), out);
  member.join.reset();
}

void GroupShard::answer_sync(GroupMember& member, SyncGroupResponse response, node::Effects& out) {
  if (member.sync && !member.sync->answered) send(member.sync->to, std::move(response), out);
  member.sync.reset();
}

void GroupShard::answer_parked(ClassicGroup& group, ErrorCode error, node::Effects& out) {
  for (GroupMember& member : group.members) {
    answer_join(member, join_error(error, member.id), out);
    answer_sync(member, SyncGroupResponse{error, {}}, out);
  }
}

}  // namespace sim::group
