#include "group/shard.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/contains.h"
#include "base/overloaded.h"
#include "coordinator/errors.h"
#include "group/responses.h"

// Which groups there are, and what becomes of them with the log: loading, records committed or reverted,
// answers that waited for a write, and the end of this broker's leadership.
namespace sim::group {

using coordinator::told_to_client;

namespace {

// Older consumers do not know COORDINATOR_NOT_AVAILABLE as an answer to OffsetFetch
// (handleOffsetFetchException).
ErrorCode told_to_fetcher(ErrorCode error) {
  const ErrorCode told = told_to_client(error);
  return told == ErrorCode::coordinator_not_available ? ErrorCode::not_coordinator : told;
}

void make_error(Message& message, ErrorCode error) {
  if (auto* commit = std::get_if<OffsetCommitResponse>(&message)) {
    for (OffsetCommitResponse::Partition& partition : commit->partitions)
      partition.error = told_to_client(error);
  } else if (auto* transactional = std::get_if<TxnOffsetCommitResponse>(&message)) {
    for (TxnOffsetCommitResponse::Partition& partition : transactional->partitions)
      partition.error = told_to_client(error);
  } else if (auto* fetch = std::get_if<OffsetFetchResponse>(&message)) {
    fetch->error = told_to_fetcher(error);
    fetch->partitions.clear();
  } else if (auto* heartbeat = std::get_if<HeartbeatResponse>(&message)) {
    heartbeat->error = told_to_client(error);
  } else if (auto* leave = std::get_if<LeaveGroupResponse>(&message)) {
    leave->error = told_to_client(error);
  } else if (std::holds_alternative<ConsumerGroupHeartbeatResponse>(message)) {
    ConsumerGroupHeartbeatResponse refused;
    refused.error = told_to_client(error);
    message = std::move(refused);
  } else if (const auto* join = std::get_if<JoinGroupResponse>(&message)) {
    message = join_error(told_to_client(error), join->member_id);
  } else if (std::holds_alternative<SyncGroupResponse>(message)) {
    message = SyncGroupResponse{told_to_client(error), {}};
  } else {
    SIM_CHECK(false, "no other answer waits for a write");
  }
}

}  // namespace

// ---- Elections

void GroupShard::loaded(const Step& step) {
  is_loaded_ = true;
  loaded_at_ = step.env.now;
  for (ClassicGroup& group : groups_) {
    if (group.uid == 0) continue;
    if (group.consumer) {
      arm_consumer_sessions(group, step);
      retell_members(group, step);
      tell_consumer_group(group, step);
      continue;
    }
    // The members cannot know yet who coordinates them: each has a full session from here.
    for (GroupMember& member : group.members) arm_session(group, member, member.session_timeout_ms, step);
    node::report(step.out, observe::GroupStateChanged{group.name, group.state, group.generation,
                                                      static_cast<std::int32_t>(group.members.size())});
    if (std::cmp_greater(group.members.size(), step.config().group_max_size))
      prepare_rebalance(group, RebalanceReason::group_over_capacity, {}, step);
  }
  plan_scan(step);
}

void GroupShard::unloaded(const Step& step) {
  for (ClassicGroup& group : groups_) {
    if (group.uid == 0) continue;
    answer_parked(group, ErrorCode::not_coordinator, step.out);
    if (is_loaded_ && !group.removed) {
      const auto members = group.consumer ? group.consumer->written.members().size() : group.members.size();
      node::report(step.out, observe::GroupStateChanged{
                                 group.name, GroupState::dead,
                                 group.consumer ? group.consumer->written.epoch() : group.generation,
                                 static_cast<std::int32_t>(members)});
    }
    erase_group(group);
  }
}

// ---- Groups

const ClassicGroup* GroupShard::find(const std::string& name) const {
  const auto it = slots_.find(name);
  return it == slots_.end() ? nullptr : &groups_[it->second];
}

ClassicGroup* GroupShard::find(const std::string& name) {
  return const_cast<ClassicGroup*>(std::as_const(*this).find(name));
}

ClassicGroup* GroupShard::resolve(GroupRef ref) {
  ClassicGroup& group = groups_[ref.slot];
  return group.uid == ref.uid ? &group : nullptr;
}

// REQUIRES: nobody holds a reference to another group
ClassicGroup& GroupShard::make_group(const std::string& name) {
  if (free_slots_.empty()) {
    free_slots_.push_back(static_cast<std::uint32_t>(groups_.size()));
    groups_.emplace_back();
  }
  ClassicGroup& group = groups_[free_slots_.back()];
  group.slot = free_slots_.back();
  free_slots_.pop_back();
  group.uid = next_uid_++;
  group.name = name;
  slots_.insert_or_assign(name, group.slot);
  return group;
}

// REQUIRES: a record of the group follows, in the batch that is opened here
ClassicGroup& GroupShard::create_group(const std::string& name, const Step& step) {
  ClassicGroup& group = make_group(name);
  group.state_timestamp_ms = step.env.wall_ms();
  step.open_batch().groups.push_back(GroupChange{GroupRef{group.slot, group.uid}, true});
  arm_scan(step.env.now, step);
  return group;
}

void GroupShard::cancel_deadlines(ClassicGroup& group, const Step& step) {
  step.cancel(group.join_deadline);
  step.cancel(group.sync_deadline);
  for (GroupMember& member : group.members) step.cancel(member.session);
  for (PendingMember& member : group.pending) step.cancel(member.session);
  if (!group.consumer) return;
  while (!group.consumer->deadlines.empty())
    cancel_consumer_deadlines(group, std::string(group.consumer->deadlines.begin()->first), step);
}

// REQUIRES: none of its deadlines is set, or the shard ends
void GroupShard::erase_group(ClassicGroup& group) {
  if (const auto it = slots_.find(group.name); it != slots_.end() && it->second == group.slot)
    slots_.erase(it);
  const std::uint32_t slot = group.slot;
  group = ClassicGroup{};
  free_slots_.push_back(slot);
}

void GroupShard::transition(ClassicGroup& group, GroupState state, const Step& step) {
  group.previous_state = group.state;
  group.state = state;
  group.state_timestamp_ms = step.env.wall_ms();
  node::report(step.out, observe::GroupStateChanged{group.name, state, group.generation,
                                                    static_cast<std::int32_t>(group.members.size())});
  // Offsets age in an empty group, and in a stable one those of topics it no longer subscribes to.
  const bool has_offsets = group.offsets.any_written();
  const Duration retention = from_minutes(step.config().offsets_retention_minutes);
  if (state == GroupState::empty) arm_scan(has_offsets ? step.env.now + retention : step.env.now, step);
  if (state == GroupState::stable && has_offsets) arm_scan(step.env.now, step);
}

void GroupShard::arm_session(ClassicGroup& group, GroupMember& member, std::int64_t timeout_ms,
                             const Step& step) {
  step.arm(member.session, GroupTimer{GroupTimer::Kind::session, group.slot, member.serial},
           from_millis(timeout_ms));
}

void GroupShard::timer_passed(const Timer& timer, const Step& step) {
  const auto write = [&](GroupRecord record) {
    if (record) step.append(std::move(*record));
  };
  switch (timer.kind) {
    case Timer::Kind::session: return write(session_passed(groups_[timer.group], timer.member, step));
    case Timer::Kind::join: return write(join_deadline_passed(groups_[timer.group], step));
    case Timer::Kind::sync: return write(sync_deadline_passed(groups_[timer.group], step));
    case Timer::Kind::offset_scan: return scan(step);
    case Timer::Kind::consumer_session:
    case Timer::Kind::consumer_revocation:
    case Timer::Kind::consumer_join:
    case Timer::Kind::consumer_sync: return consumer_timer_passed(groups_[timer.group], timer, step);
  }
}

// ---- Records

void GroupShard::replay(const Record& record, Changes* uncommitted) {
  std::visit(Overloaded{
                 [&](const OffsetCommitRecord& one) { replay(one, uncommitted); },
                 [&](const GroupMetadataRecord& one) { replay(one); },
                 [&](const ConsumerGroupRecord& one) { replay(one, uncommitted); },
             },
             record);
}

void GroupShard::replay(const OffsetCommitRecord& record, Changes* uncommitted) {
  ClassicGroup* found = find(record.group);
  const StoredOffset value{record.offset, record.leader_epoch, record.commit_timestamp_ms,
                           next_record_number_++};
  if (found == nullptr && !value.exists()) return;
  ClassicGroup& group = found != nullptr ? *found : make_group(record.group);
  group.offsets.write(record.tp, value);
  if (uncommitted != nullptr) {
    uncommitted->offsets.push_back(OffsetChange{GroupRef{group.slot, group.uid}, record.tp, value});
  } else {
    group.offsets.commit(record.tp, value);
    if (!value.exists()) group.offsets.drop_absent();
  }
}

void GroupShard::replay(const GroupMetadataRecord& record) {
  ClassicGroup* found = find(record.group);
  if (record.tombstone) {
    if (found == nullptr) return;
    // Of a group that has become one of KIP-848 the offsets stay.
    if (!found->offsets.any_written()) return erase_group(*found);
    GroupMetadataRecord without_members;
    without_members.group = record.group;
    return found->restore(without_members);
  }
  ClassicGroup& group = found != nullptr ? *found : make_group(record.group);
  group.consumer.reset();
  group.restore(record);
  for (GroupMember& member : group.members) member.serial = next_serial_++;
}

void GroupShard::replay(const ConsumerGroupRecord& record, Changes* uncommitted) {
  ClassicGroup* found = find(record.group);
  if (record.value == nullptr && (found == nullptr || !found->consumer)) return;
  ClassicGroup& group = found != nullptr ? *found : make_group(record.group);
  if (record.kind == ConsumerGroupRecord::Kind::group_epoch && record.value == nullptr) {
    if (!group.offsets.any_written()) return erase_group(group);
    group.consumer.reset();
    group.protocol_type.clear();
    group.state = GroupState::empty;
    return;
  }
  if (!group.consumer) {
    group.consumer.emplace();
    group.protocol_type = "consumer";
    group.state_timestamp_ms = -1;
  }
  group.consumer->written.apply(record);
  if (uncommitted != nullptr) {
    uncommitted->consumers.push_back(ConsumerRecordChange{GroupRef{group.slot, group.uid}, record});
  } else {
    group.consumer->committed.apply(record);
  }
}

void GroupShard::commit(const Changes& changes) {
  for (const ConsumerRecordChange& change : changes.consumers) {
    ClassicGroup* group = resolve(change.group);
    if (group != nullptr && group->consumer) group->consumer->committed.apply(change.record);
  }
  for (const OffsetChange& change : changes.offsets) {
    ClassicGroup* group = resolve(change.group);
    if (group == nullptr) continue;
    group->offsets.commit(change.tp, change.value);
    if (!change.value.exists()) group->offsets.drop_absent();
  }
  for (const GroupChange& change : changes.groups) {
    ClassicGroup* group = resolve(change.group);
    if (group != nullptr && !change.created) erase_group(*group);
  }
}

void GroupShard::committed(const Changes& changes, const Step& step) {
  for (const OffsetChange& change : changes.offsets) {
    const ClassicGroup* group = resolve(change.group);
    if (group == nullptr || !change.value.exists()) continue;
    node::report(step.out, observe::OffsetsStored{group->name, change.tp, change.value.offset});
  }
  commit(changes);
}

void GroupShard::revert(const Changes& failed, const std::vector<const Changes*>& standing, bool is_newest,
                        ErrorCode error, const Step& step) {
  for (const OffsetChange& change : failed.offsets) {
    if (ClassicGroup* group = resolve(change.group)) group->offsets.take_back(change.tp);
  }
  for (const PendingOffsetChange& change : failed.pending_offsets) {
    if (change.ended) {
      restore_pending(change);
    } else {
      drop_pending(change);
    }
  }
  for (const Changes* other : standing) {  // earlier ones stand, though they are not committed
    for (const OffsetChange& change : other->offsets) {
      if (ClassicGroup* group = resolve(change.group)) group->offsets.write(change.tp, change.value);
    }
  }
  take_back(failed, standing, step);
  for (auto change = failed.groups.rbegin(); change != failed.groups.rend(); ++change) {
    ClassicGroup* group = resolve(change->group);
    if (group == nullptr) continue;
    if (!change->created) {
      group->removed = false;
      if (!slots_.try_emplace(group->name, group->slot).second)
        erase_group(*group);  // the name is taken again
    } else if (is_newest) {   // or else what was written since may be about it
      answer_parked(*group, told_to_client(error), step.out);
      cancel_deadlines(*group, step);
      erase_group(*group);
    }
  }
  plan_scan(step);
}

// Groups of KIP-848: back to what is committed, and on from there with what stands.
void GroupShard::take_back(const Changes& failed, const std::vector<const Changes*>& standing,
                           const Step& step) {
  for (auto change = failed.migrations.rbegin(); change != failed.migrations.rend(); ++change) {
    ClassicGroup* group = resolve(change->group);
    if (group == nullptr) continue;
    cancel_deadlines(*group, step);
    if (change->classic) {
      group->consumer.reset();
      group->restore(*change->classic);
      for (GroupMember& member : group->members) {
        member.serial = next_serial_++;
        arm_session(*group, member, member.session_timeout_ms, step);
      }
    } else {
      group->members.clear();
      group->pending.clear();
      group->consumer.emplace(ConsumerGroup{*change->consumer, *change->consumer});
      arm_consumer_sessions(*group, step);
    }
  }
  std::vector<ClassicGroup*> touched;
  for (const ConsumerRecordChange& change : failed.consumers) {
    ClassicGroup* group = resolve(change.group);
    if (group != nullptr && group->consumer && !contains(touched, group)) touched.push_back(group);
  }
  for (ClassicGroup* group : touched) {
    group->consumer->written = group->consumer->committed;
    for (const Changes* other : standing) {
      for (const ConsumerRecordChange& change : other->consumers) {
        if (change.group.uid == group->uid) group->consumer->written.apply(change.record);
      }
    }
    group->consumer->refresh_requested = true;
    arm_consumer_sessions(*group, step);
    retell_members(*group, step);
    tell_consumer_group(*group, step);
  }
}

// ---- What has waited for a write

void GroupShard::succeeded(Deferred& work, const Step& step) {
  std::visit(Overloaded{
                 [&](DeferredAnswer& answer) { send(answer.to, std::move(answer.message), step.out); },
                 [](DeferredPark&) {},  // it waits for its group, not for the write
                 [&](DeferredAssignment& assignment) { assignment_stored(assignment, step); },
                 [&](DeferredReplacement& replacement) { replacement_stored(replacement, step); },
             },
             work);
}

void GroupShard::failed(Deferred& work, ErrorCode error, const Step& step) {
  const ErrorCode told = told_to_client(error);
  std::visit(Overloaded{
                 [&](DeferredAnswer&) { refuse(work, error, step.out); },
                 [&](DeferredPark&) { refuse(work, error, step.out); },
                 [&](DeferredAssignment& assignment) { assignment_failed(assignment, told, step); },
                 [&](DeferredReplacement& replacement) { replacement_failed(replacement, told, step); },
             },
             work);
}

// The request hears of the failure; its group does not.
void GroupShard::refuse(DeferredWork& work, ErrorCode error, node::Effects& out) {
  if (auto* answer = std::get_if<DeferredAnswer>(&work)) {
    make_error(answer->message, error);
    send(answer->to, std::move(answer->message), out);
  } else if (const auto* park = std::get_if<DeferredPark>(&work)) {
    ClassicGroup* group = resolve(park->group);
    if (group == nullptr) return;
    for (GroupMember& member : group->members) {
      if (member.join && member.join->to == park->to && !std::exchange(member.join->answered, true)) {
        send(park->to, join_error(told_to_client(error)), out);
      }
      if (member.sync && member.sync->to == park->to && !std::exchange(member.sync->answered, true)) {
        send(park->to, SyncGroupResponse{told_to_client(error), {}}, out);
      }
    }
  }
}

}  // namespace sim::group
