#include <algorithm>
#include <utility>
#include <vector>

#include "base/check.h"
#include "group/shard.h"

// How a group gets from one generation to the next (GroupMetadataManager.prepareRebalance,
// completeClassicGroupJoin, classicGroupSync in Kafka).
namespace sim::group {

// ---- The join phase

GroupShard::GroupRecord GroupShard::rebalance_or_complete_join(ClassicGroup& group, RebalanceReason reason,
                                                               const std::string& member, const Step& step) {
  return group.can_rebalance() ? prepare_rebalance(group, reason, member, step)
                               : maybe_complete_join(group, step);
}

GroupShard::GroupRecord GroupShard::prepare_rebalance(ClassicGroup& group, RebalanceReason reason,
                                                      const std::string& member_id, const Step& step) {
  node::report(step.out, observe::RebalanceBegan{group.name, group.generation, reason, member_id});
  if (group.is(GroupState::completing_rebalance))
    reset_assignment(group, ErrorCode::rebalance_in_progress, step);
  for (GroupMember& member : group.members) member.pending_sync = false;
  step.cancel(group.sync_deadline);
  const bool is_initial = group.is(GroupState::empty);
  if (is_initial) {  // more members are about to come: wait for them
    const Duration delay = from_millis(step.config().group_initial_rebalance_delay_ms);
    group.join_is_initial = true;
    group.initial_delay = delay;
    group.initial_remaining = std::max(from_millis(group.rebalance_timeout_ms()) - delay, Duration{});
    arm_join(group, delay, step);
  }
  transition(group, GroupState::preparing_rebalance, step);
  if (is_initial) return std::nullopt;
  if (group.has_all_members_joined()) return complete_join(group, step);
  group.join_is_initial = false;
  arm_join(group, from_millis(group.rebalance_timeout_ms()), step);
  return std::nullopt;
}

void GroupShard::arm_join(ClassicGroup& group, Duration delay, const Step& step) {
  step.arm(group.join_deadline, GroupTimer{GroupTimer::Kind::join, group.slot, 0}, delay);
}

GroupShard::GroupRecord GroupShard::maybe_complete_join(ClassicGroup& group, const Step& step) {
  if (!group.is(GroupState::preparing_rebalance)) return std::nullopt;
  if (group.previous_state == GroupState::empty) return std::nullopt;  // the initial delay runs its time
  if (!group.has_all_members_joined()) return std::nullopt;
  return complete_join(group, step);
}

GroupShard::GroupRecord GroupShard::join_deadline_passed(ClassicGroup& group, const Step& step) {
  if (!group.join_is_initial) return complete_join(group, step);
  if (!group.new_member_added || group.initial_remaining == Duration{}) return complete_join(group, step);
  group.new_member_added = false;
  const Duration next =
      std::min(from_millis(step.config().group_initial_rebalance_delay_ms), group.initial_remaining);
  group.initial_remaining = std::max(group.initial_remaining - group.initial_delay, Duration{});
  group.initial_delay = next;
  arm_join(group, next, step);
  return std::nullopt;
}

GroupShard::GroupRecord GroupShard::complete_join(ClassicGroup& group, const Step& step) {
  step.cancel(group.join_deadline);
  for (std::size_t i = 0; i < group.members.size();) {
    GroupMember& member = group.members[i];
    if (member.join || member.is_static()) {
      ++i;
      continue;
    }
    step.cancel(member.session);
    tell_departure(group, member.id, observe::DepartureReason::join_timeout, step);
    group.remove(i);
  }
  if (!group.elect_joined_leader() && !group.members.empty()) {
    // Only static members are left and none of them has rejoined: until their sessions end, they may.
    group.join_is_initial = false;
    arm_join(group, from_millis(group.rebalance_timeout_ms()), step);
    return std::nullopt;
  }
  return next_generation(group, step);
}

GroupShard::GroupRecord GroupShard::next_generation(ClassicGroup& group, const Step& step) {
  group.generation = group.generation.next();
  group.protocol = group.members.empty() ? std::string{} : group.select_protocol();
  group.update_subscribed();
  if (group.members.empty()) {
    transition(group, GroupState::empty, step);
    return group.record(nullptr);
  }
  transition(group, GroupState::completing_rebalance, step);
  for (GroupMember& member : group.members) {
    JoinGroupResponse response;
    response.generation = group.generation;
    response.protocol = group.protocol;
    response.leader = group.leader;
    response.member_id = member.id;
    if (group.is_leader(member)) response.members = group.member_list();
    answer_join(member, std::move(response), step.out);
    arm_session(group, member, member.session_timeout_ms, step);
    member.is_new = false;
    member.pending_sync = true;
  }
  step.arm(group.sync_deadline, GroupTimer{GroupTimer::Kind::sync, group.slot, 0},
           from_millis(group.rebalance_timeout_ms()));
  return std::nullopt;
}

// ---- The sync phase

void GroupShard::on(const SyncGroupRequest& request, const ReplyTo& to, const Step& step) {
  const auto answer = [&](SyncGroupResponse response) { send(to, std::move(response), step.out); };
  ClassicGroup* found = find(request.group);
  if (found == nullptr) return answer(SyncGroupResponse{ErrorCode::unknown_member_id, {}});
  if (found->consumer) return sync_consumer_group(*found, request, to, step);
  ClassicGroup& group = *found;
  GroupMember* member = nullptr;
  ErrorCode error = group.validate_member(request.member_id, request.group_instance_id, member);
  if (error == ErrorCode::none && request.generation != group.generation)
    error = ErrorCode::illegal_generation;
  if (error == ErrorCode::none && group.is(GroupState::preparing_rebalance))
    error = ErrorCode::rebalance_in_progress;
  if (error != ErrorCode::none) return answer(SyncGroupResponse{error, {}});

  sync_received(group, *member, step);
  if (group.is(GroupState::stable)) return answer(SyncGroupResponse{ErrorCode::none, member->assignment});
  SIM_CHECK(group.is(GroupState::completing_rebalance), "an empty group has no member to sync");
  member->sync = ParkedRequest{to, false};
  const GroupRef ref{group.slot, group.uid};
  if (group.is_leader(*member)) {
    step.append(group.record(&request.assignments));
    step.defer(DeferredAssignment{ref, group.generation, request.assignments});
  } else {
    step.defer(DeferredPark{to, ref});
  }
}

void GroupShard::sync_received(ClassicGroup& group, GroupMember& member, const Step& step) {
  member.pending_sync = false;
  if (group.has_received_sync_from_all()) step.cancel(group.sync_deadline);
}

void GroupShard::assignment_stored(const DeferredAssignment& work, const Step& step) {
  ClassicGroup* group = resolve(work.group);
  if (group == nullptr || !group->is(GroupState::completing_rebalance) ||
      group->generation != work.generation)
    return;
  for (GroupMember& member : group->members) {
    const auto given =
        std::find_if(work.assignment.begin(), work.assignment.end(),
                     [&](const SyncGroupRequest::Assignment& one) { return one.member_id == member.id; });
    member.assignment = given != work.assignment.end() ? given->partitions : std::vector<TopicPartition>{};
  }
  propagate_assignment(*group, ErrorCode::none, step);
  transition(*group, GroupState::stable, step);
}

void GroupShard::assignment_failed(const DeferredAssignment& work, ErrorCode error, const Step& step) {
  ClassicGroup* group = resolve(work.group);
  if (group == nullptr || !group->is(GroupState::completing_rebalance) ||
      group->generation != work.generation)
    return;
  reset_assignment(*group, error, step);
  const GroupRecord record =
      rebalance_or_complete_join(*group, RebalanceReason::assignment_not_stored, {}, step);
  SIM_CHECK(!record, "the members who have just been told to rejoin have not done so yet");
}

void GroupShard::reset_assignment(ClassicGroup& group, ErrorCode error, const Step& step) {
  for (GroupMember& member : group.members) member.assignment.clear();
  propagate_assignment(group, error, step);
}

void GroupShard::propagate_assignment(ClassicGroup& group, ErrorCode error, const Step& step) {
  for (GroupMember& member : group.members) {
    if (!member.sync) continue;
    answer_sync(member, SyncGroupResponse{error, member.assignment}, step.out);
    // Had its session ended while it was parked, nothing would watch it any more.
    arm_session(group, member, member.session_timeout_ms, step);
  }
}

GroupShard::GroupRecord GroupShard::sync_deadline_passed(ClassicGroup& group, const Step& step) {
  if (!group.is(GroupState::completing_rebalance) && !group.is(GroupState::stable)) return std::nullopt;
  if (group.has_received_sync_from_all()) return std::nullopt;
  std::string late;
  for (std::size_t i = 0; i < group.members.size();) {
    if (!group.members[i].pending_sync) {
      ++i;
      continue;
    }
    step.cancel(group.members[i].session);
    late = group.members[i].id;
    tell_departure(group, late, observe::DepartureReason::sync_timeout, step);
    group.remove(i);
  }
  return prepare_rebalance(group, RebalanceReason::member_expelled, late, step);
}

// ---- Sessions

GroupShard::GroupRecord GroupShard::session_passed(ClassicGroup& group, std::uint64_t serial,
                                                   const Step& step) {
  const auto waiting = std::find_if(group.pending.begin(), group.pending.end(),
                                    [serial](const PendingMember& one) { return one.serial == serial; });
  if (waiting != group.pending.end()) {
    remove_pending(group, *waiting, step);
    if (!group.is(GroupState::preparing_rebalance) || !group.has_all_members_joined()) return std::nullopt;
    return complete_join(group, step);
  }
  GroupMember* member = group.find_serial(serial);
  if (member == nullptr || member->has_satisfied_heartbeat()) return std::nullopt;
  const std::string member_id = member->id;
  remove_member(group, *member, observe::DepartureReason::session_expired, step);
  if (group.is(GroupState::stable) || group.is(GroupState::completing_rebalance)) {
    return rebalance_or_complete_join(group, RebalanceReason::member_expelled, member_id, step);
  }
  if (!group.is(GroupState::preparing_rebalance) || !group.has_all_members_joined()) return std::nullopt;
  return complete_join(group, step);
}

}  // namespace sim::group
