#include "broker/group_coordinator.h"

#include <algorithm>

#include "base/check.h"
#include "protocol/java_hash.h"

// Which groups there are, when this broker coordinates them, and their deadlines.
namespace sim::broker {

GroupCoordinator::GroupCoordinator(const BrokerConfig& config, NodeId /*self*/, node::TimerId timer)
    : config_(config),
      timer_(timer),
      partitions_(static_cast<std::size_t>(config.offsets_topic_num_partitions)) {}

std::int32_t GroupCoordinator::partition_for(std::string_view group, std::int32_t partitions) {
  return java_abs(java_string_hash(group)) % partitions;
}

// ---- Elections

void GroupCoordinator::elected(std::int32_t partition, LeaderEpoch leader_epoch) {
  OffsetsPartition& log = partitions_[static_cast<std::size_t>(partition)];
  log.leader_epoch = leader_epoch;
  if (log.state == OffsetsPartition::State::not_led) log.state = OffsetsPartition::State::loading;
}

void GroupCoordinator::loaded(std::int32_t partition, node::Env env, node::Effects& out) {
  const Step step{env, out};
  OffsetsPartition& log = partitions_[static_cast<std::size_t>(partition)];
  SIM_CHECK(log.state == OffsetsPartition::State::loading, "a log is loaded once per election");
  log.state = OffsetsPartition::State::active;
  log.loaded_at = env.now;
  for (ClassicGroup& group : groups_) {
    if (group.uid == 0 || group.partition != partition) continue;
    // The members cannot know yet who coordinates them: each has a full session from here.
    for (GroupMember& member : group.members) arm_session(group, member, member.session_timeout_ms, step);
    node::report(out, observe::GroupStateChanged{group.name, group.state, group.generation,
                                                 static_cast<std::int32_t>(group.members.size())});
    if (std::cmp_greater(group.members.size(), config_.group_max_size)) prepare_rebalance(group, step);
  }
  plan_scan(partition, step);
  set_timer(out);
}

void GroupCoordinator::resigned(std::int32_t partition, node::Effects& out) {
  OffsetsPartition& log = partitions_[static_cast<std::size_t>(partition)];
  for (ClassicGroup& group : groups_) {
    if (group.uid == 0 || group.partition != partition) continue;
    answer_parked(group, ErrorCode::not_coordinator, out);
    if (log.state == OffsetsPartition::State::active && !group.removed) {
      node::report(out, observe::GroupStateChanged{group.name, GroupState::dead, group.generation,
                                                   static_cast<std::int32_t>(group.members.size())});
    }
    erase_group(group);
  }
  for (PendingWrite& write : log.pending) {
    for (Deferred& deferred : write.deferred) {
      if (!deferred.done) refuse(deferred.work, ErrorCode::not_coordinator, out);
    }
  }
  deadlines_.cancel(log.linger);
  deadlines_.cancel(log.write_timeout);
  deadlines_.cancel(log.offset_scan);
  log = OffsetsPartition{};
  std::erase_if(writes_, [partition](const Write& write) { return write.partition == partition; });
  set_timer(out);
}

// ---- Groups

const ClassicGroup* GroupCoordinator::find_group(const std::string& name) const {
  const auto it = slots_.find(name);
  return it == slots_.end() ? nullptr : &groups_[it->second];
}

GroupCoordinator::Lookup GroupCoordinator::find(const std::string& name) {
  Lookup found;
  if (const auto it = slots_.find(name); it != slots_.end()) {
    found.group = &groups_[it->second];
    found.partition = found.group->partition;
  } else {
    found.partition = partition_for(name, config_.offsets_topic_num_partitions);
  }
  switch (partitions_[static_cast<std::size_t>(found.partition)].state) {
    case OffsetsPartition::State::not_led: found.error = ErrorCode::not_coordinator; break;
    case OffsetsPartition::State::loading: found.error = ErrorCode::coordinator_load_in_progress; break;
    case OffsetsPartition::State::active: break;
  }
  return found;
}

ClassicGroup* GroupCoordinator::resolve(GroupRef ref) {
  ClassicGroup& group = groups_[ref.slot];
  return group.uid == ref.uid ? &group : nullptr;
}

ClassicGroup& GroupCoordinator::make_group(const std::string& name, std::int32_t partition) {
  if (free_slots_.empty()) {
    free_slots_.push_back(static_cast<std::uint32_t>(groups_.size()));
    groups_.emplace_back();
  }
  ClassicGroup& group = groups_[free_slots_.back()];
  group.slot = free_slots_.back();
  free_slots_.pop_back();
  group.uid = next_uid_++;
  group.name = name;
  group.partition = partition;
  slots_.insert_or_assign(name, group.slot);
  return group;
}

// REQUIRES: a record of the group follows, in the batch that is opened here
ClassicGroup& GroupCoordinator::create_group(const std::string& name, std::int32_t partition,
                                             const Step& step) {
  ClassicGroup& group = make_group(name, partition);
  group.state_timestamp_ms = step.env.wall_ms();
  open_batch(partition, step).groups.push_back(GroupChange{GroupRef{group.slot, group.uid}, true});
  arm_scan(partition, step.env.now, step);
  return group;
}

void GroupCoordinator::cancel_deadlines(ClassicGroup& group) {
  deadlines_.cancel(group.join_deadline);
  deadlines_.cancel(group.sync_deadline);
  for (GroupMember& member : group.members) deadlines_.cancel(member.session);
  for (PendingMember& member : group.pending) deadlines_.cancel(member.session);
}

void GroupCoordinator::erase_group(ClassicGroup& group) {
  cancel_deadlines(group);
  if (const auto it = slots_.find(group.name); it != slots_.end() && it->second == group.slot)
    slots_.erase(it);
  const std::uint32_t slot = group.slot;
  group = ClassicGroup{};
  free_slots_.push_back(slot);
}

void GroupCoordinator::transition(ClassicGroup& group, GroupState state, const Step& step) {
  group.previous_state = group.state;
  group.state = state;
  group.state_timestamp_ms = step.env.wall_ms();
  node::report(step.out, observe::GroupStateChanged{group.name, state, group.generation,
                                                    static_cast<std::int32_t>(group.members.size())});
  // Offsets age in an empty group, and in a stable one those of topics it no longer subscribes to.
  const bool has_offsets = group.offsets.any_written();
  const Duration retention = from_minutes(config_.offsets_retention_minutes);
  if (state == GroupState::empty)
    arm_scan(group.partition, has_offsets ? step.env.now + retention : step.env.now, step);
  if (state == GroupState::stable && has_offsets) arm_scan(group.partition, step.env.now, step);
}

// ---- Deadlines

void GroupCoordinator::arm(DeadlineHandle& handle, const Deadline& what, Duration delay, const Step& step) {
  deadlines_.arm(handle, what, step.env.now + delay);
}

void GroupCoordinator::arm_session(ClassicGroup& group, GroupMember& member, std::int64_t timeout_ms,
                                   const Step& step) {
  arm(member.session, Deadline{Deadline::Kind::session, group.partition, group.slot, member.serial},
      from_millis(timeout_ms), step);
}

// The process's timer stands at or before the next deadline; it is moved only to an earlier time.
void GroupCoordinator::set_timer(node::Effects& out) {
  const std::optional<LocalTime> next = deadlines_.next_entry();
  if (!next) {
    if (timer_set_) out.emplace_back(node::CancelTimer{timer_});
    timer_set_.reset();
  } else if (!timer_set_ || *next < *timer_set_) {
    out.emplace_back(node::SetTimer{timer_, *next});
    timer_set_ = next;
  }
}

void GroupCoordinator::timer_fired(node::Env env, node::Effects& out) {
  timer_set_.reset();
  const Step step{env, out};
  while (const std::optional<Deadline> deadline = deadlines_.pop(env.now)) passed(*deadline, step);
  set_timer(out);
}

void GroupCoordinator::passed(const Deadline& deadline, const Step& step) {
  const auto of_group = [&](GroupRecord record) {
    if (record) append(deadline.partition, std::move(*record), step);
    finish(deadline.partition);
  };
  switch (deadline.kind) {
    case Deadline::Kind::session:
      return of_group(session_passed(groups_[deadline.group], deadline.member, step));
    case Deadline::Kind::join: return of_group(join_deadline_passed(groups_[deadline.group], step));
    case Deadline::Kind::sync: return of_group(sync_deadline_passed(groups_[deadline.group], step));
    case Deadline::Kind::linger: return flush(deadline.partition);
    case Deadline::Kind::write_timeout: return time_out_writes(deadline.partition, step);
    case Deadline::Kind::offset_scan: return scan(deadline.partition, step);
  }
}

}  // namespace sim::broker
