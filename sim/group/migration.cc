#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/contains.h"
#include "group/member_ids.h"
#include "group/responses.h"
#include "group/shard.h"

// Between the two kinds of group (KIP-848, group.consumer.migration.policy): a classic group becomes one of
// KIP-848 when the first consumer with the new protocol joins it, and goes back when the last one has left;
// in between members with the classic protocol are served in a group of the new kind
// (GroupMetadataManager.convertToConsumerGroup, convertToClassicGroup, classicGroup*ToConsumerGroup in
// Kafka).
namespace sim::group {

namespace {

using Kind = ConsumerGroupRecord::Kind;
using ClassicProtocol = ConsumerMemberValue::ClassicProtocol;

std::vector<ClassicProtocol> supported_by(const std::vector<JoinGroupRequest::Protocol>& protocols) {
  std::vector<ClassicProtocol> out;
  for (const JoinGroupRequest::Protocol& one : protocols) {
    ClassicProtocol& supported = out.emplace_back(ClassicProtocol{one.name, one.subscription.topics});
    std::sort(supported.subscription.begin(), supported.subscription.end());
  }
  return out;
}

// Topics are known by name in groups of KIP-848.
std::vector<std::string> names_of(const std::vector<TopicId>& topics, const TopicCatalog* catalog) {
  std::vector<std::string> names;
  for (const TopicId id : topics) {
    const TopicCatalog::Topic* topic = catalog == nullptr ? nullptr : catalog->find(id);
    if (topic != nullptr) names.push_back(topic->name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

ErrorCode find_classic_member(const ConsumerGroupState& state, const std::string& member_id,
                              const std::string& instance_id, const ConsumerMember*& found) {
  found = instance_id.empty() ? state.find(member_id) : state.find_static(instance_id);
  if (found == nullptr) return ErrorCode::unknown_member_id;
  if (found->id != member_id) return ErrorCode::fenced_instance_id;
  return found->uses_classic_protocol() ? ErrorCode::none : ErrorCode::unknown_member_id;
}

}  // namespace

// ---- From one kind to the other

// Does nothing if it is one already. An empty classic group is simply another kind from here on; the members
// of one that is not are taken over with what they own.
void GroupShard::become_consumer_group(ClassicGroup& group, const Step& step) {
  if (group.consumer) return;
  const bool is_known = group.protocol_type == "consumer" || !group.members.empty();
  const GroupMetadataRecord before = group.record(nullptr);
  const std::vector<GroupMember> members = group.members;
  const Generation epoch = group.generation;
  answer_parked(group, ErrorCode::rebalance_in_progress, step.out);
  cancel_deadlines(group, step);
  if (is_known) {
    GroupMetadataRecord tombstone;
    tombstone.group = group.name;
    tombstone.tombstone = true;
    GroupChanges& changes = step.append(std::move(tombstone));
    changes.migrations.push_back(MigrationChange{GroupRef{group.slot, group.uid}, before, nullptr});
  }
  group.members.clear();
  group.pending.clear();
  group.leader.clear();
  group.protocol.clear();
  group.protocol_type = "consumer";
  group.consumer.emplace();
  if (members.empty()) return;

  std::vector<std::string> topics;
  for (const GroupMember& member : members) {
    ConsumerMemberValue about;
    about.group_instance_id = member.instance_id;
    about.client_id = member.client_id;
    about.rebalance_timeout_ms = member.rebalance_timeout_ms;
    about.subscribed_topics = names_of(member.protocols.front().subscription.topics, catalog_.get());
    about.classic = ConsumerMemberValue::Classic{member.session_timeout_ms, supported_by(member.protocols)};
    topics.insert(topics.end(), about.subscribed_topics.begin(), about.subscribed_topics.end());
    write_consumer(group, member.id, std::move(about), step);
  }
  std::sort(topics.begin(), topics.end());
  topics.erase(std::unique(topics.begin(), topics.end()), topics.end());
  const std::uint64_t hash = catalog_ == nullptr ? 0 : catalog_->hash_of(topics);
  write_consumer(group, {}, ConsumerGroupEpochValue{epoch, hash}, step);
  const auto assignment_of = [](const GroupMember& member) {
    std::vector<TopicPartition> sorted = member.assignment;
    std::sort(sorted.begin(), sorted.end());
    return sorted;
  };
  for (const GroupMember& member : members)
    write_consumer(group, member.id, ConsumerTargetValue{assignment_of(member)}, step);
  write_consumer(group, {}, ConsumerTargetEpochValue{epoch}, step);
  for (const GroupMember& member : members) {
    write_current(
        group, member.id,
        ConsumerCurrentValue{epoch, epoch, MemberAssignmentState::stable, assignment_of(member), {}}, step);
    arm_consumer_session(group, member.id, member.session_timeout_ms, step);
  }
}

// Only members with the classic protocol would be left (validateOnlineDowngradeWithFencedMembers).
bool GroupShard::may_become_classic(const ClassicGroup& group, const std::vector<std::string>& leaving,
                                    const Config& config) {
  const std::vector<ConsumerMember>& members = group.consumer->written.members();
  const std::size_t left = members.size() - leaving.size();
  const bool all_classic = std::all_of(members.begin(), members.end(), [&](const ConsumerMember& one) {
    return one.uses_classic_protocol() || contains(leaving, one.id);
  });
  return all_classic && left > 0 && downgrades(config.group_consumer_migration_policy) &&
         std::cmp_less_equal(left, config.group_max_size);
}

// The members that stay are asked to join anew.
void GroupShard::become_classic_group(ClassicGroup& group, const std::vector<std::string>& leaving,
                                      const Step& step) {
  const ConsumerGroupState state = group.consumer->written;
  for (const ConsumerMember& member : state.members()) {
    cancel_consumer_deadlines(group, member.id, step);
    node::report(step.out,
                 observe::MemberAssignmentChanged{group.name, member.id, state.epoch(), kLeaveEpoch, {}, {}});
  }
  GroupChanges& changes = append_consumer_tombstones(group, step);
  changes.migrations.push_back(MigrationChange{GroupRef{group.slot, group.uid}, std::nullopt,
                                               std::make_shared<const ConsumerGroupState>(state)});
  group.consumer.reset();
  group.protocol_type = "consumer";
  group.generation = state.epoch();
  group.state_timestamp_ms = step.env.wall_ms();
  for (const ConsumerMember& member : state.members()) {
    if (contains(leaving, member.id)) continue;
    GroupMember one;
    one.id = member.id;
    one.instance_id = member.about.group_instance_id;
    one.client_id = member.about.client_id;
    one.rebalance_timeout_ms = member.about.rebalance_timeout_ms;
    one.session_timeout_ms = member.about.classic->session_timeout_ms;
    for (const ClassicProtocol& supported : member.about.classic->protocols) {
      JoinGroupRequest::Protocol protocol{supported.name, {}};
      protocol.subscription.topics = supported.subscription;
      one.protocols.push_back(std::move(protocol));
    }
    one.assignment = state.target(member.id);
    one.serial = next_serial_++;
    group.add(std::move(one));
  }
  for (GroupMember& member : group.members) arm_session(group, member, member.session_timeout_ms, step);
  group.protocol = group.select_protocol();
  group.update_subscribed();
  group.state = GroupState::stable;
  step.append(group.record(nullptr));
  GroupRecord record = prepare_rebalance(group, RebalanceReason::protocol_changed,
                                         leaving.empty() ? "" : leaving.front(), step);
  if (record) step.append(std::move(*record));
}

// Whatever there is in the log about it as a group of KIP-848 (createGroupTombstoneRecords); what it is in
// memory is the caller's affair.
GroupChanges& GroupShard::append_consumer_tombstones(ClassicGroup& group, const Step& step) {
  const ConsumerGroupState& state = group.consumer->written;
  const auto append = [&](Kind kind, const std::string& key) -> GroupChanges& {
    return step.append(ConsumerGroupRecord{group.name, kind, key});
  };
  for (const Kind kind : {Kind::current, Kind::target}) {
    for (const ConsumerMember& member : state.members()) append(kind, member.id);
  }
  append(Kind::target_epoch, {});
  for (const ConsumerMember& member : state.members()) append(Kind::member, member.id);
  for (const auto& [regex, resolved] : state.regexes()) append(Kind::regex, regex);
  return append(Kind::group_epoch, {});
}

// A classic member joins what was a group of KIP-848 and has nobody in it any more.
void GroupShard::drop_empty_consumer_group(ClassicGroup& group, const Step& step) {
  GroupChanges& changes = append_consumer_tombstones(group, step);
  changes.migrations.push_back(
      MigrationChange{GroupRef{group.slot, group.uid}, std::nullopt,
                      std::make_shared<const ConsumerGroupState>(group.consumer->written)});
  group.consumer.reset();
  group.protocol_type.clear();
  group.subscribed.reset();
  group.generation = Generation{0};
  group.state = GroupState::empty;
}

// ---- Members with the classic protocol in a group of KIP-848

void GroupShard::join_consumer_group(ClassicGroup& group, const JoinGroupRequest& request, const ReplyTo& to,
                                     const Step& step) {
  const ConsumerGroupState& state = group.consumer->written;
  const auto refuse = [&](ErrorCode error, const std::string& id) {
    send(to, join_error(error, id), step.out);
  };
  const bool has_no_id = request.member_id.empty();
  const std::string member_id = has_no_id ? random_uuid(step.env.rng) : request.member_id;
  if (const ErrorCode error = check_consumer_group(&group, member_id, true, step.config());
      error != ErrorCode::none)
    return refuse(error, request.member_id);
  if (!state.supports_classic(request.protocol_type, request.protocols))
    return refuse(ErrorCode::inconsistent_group_protocol, request.member_id);
  const bool is_static = !request.group_instance_id.empty();
  if (!is_static && has_no_id) return refuse(ErrorCode::member_id_required, member_id);
  if (is_static && !has_no_id) {
    const ConsumerMember* holder = state.find_static(request.group_instance_id);
    if (holder == nullptr) return refuse(ErrorCode::unknown_member_id, request.member_id);
    if (holder->id != member_id) return refuse(ErrorCode::fenced_instance_id, request.member_id);
  }

  const Subscription& subscription = request.protocols.front().subscription;
  const ConsumerMember before = subscribe_consumer(group, member_id, request.group_instance_id, step);
  ConsumerMemberValue about = before.about;
  if (is_static) about.group_instance_id = request.group_instance_id;
  if (!subscription.rack.empty()) about.rack = subscription.rack;
  about.rebalance_timeout_ms = request.rebalance_timeout_ms;
  about.server_assignor.clear();
  about.subscribed_topics = names_of(subscription.topics, catalog_.get());
  about.subscribed_regex.clear();
  about.client_id = request.client_id;
  about.classic = ConsumerMemberValue::Classic{request.session_timeout_ms, supported_by(request.protocols)};
  const std::optional<RebalanceReason> reason = update_consumer(group, before, about, step);
  if (reason || group.consumer->refresh_requested) refresh_consumer_group(group, reason, member_id, step);
  if (may_become_classic(group, {}, step.config())) {
    // A static member has come back with the classic protocol, and was the last without it.
    become_classic_group(group, {}, step);
    return refuse(ErrorCode::rebalance_in_progress, member_id);
  }
  update_target(group, step);
  advance_consumer(group, member_id, subscription.owned, step);
  const ConsumerMember& member = *state.find(member_id);
  MemberDeadlines& deadlines = consumer_deadlines(group, member_id);
  step.cancel(deadlines.join);
  step.arm(deadlines.sync, GroupTimer{GroupTimer::Kind::consumer_sync, group.slot, deadlines.serial},
           from_millis(request.rebalance_timeout_ms));
  arm_consumer_session(group, member_id, request.session_timeout_ms, step);
  JoinGroupResponse response;
  response.member_id = member_id;
  response.generation = member.current.member_epoch;
  response.protocol = request.protocols.front().name;
  step.defer(DeferredAnswer{to, std::move(response)});
  tell_consumer_group(group, step);
}

void GroupShard::arm_classic_rejoin(ClassicGroup& group, const ConsumerMember& member, const Step& step) {
  MemberDeadlines& deadlines = consumer_deadlines(group, member.id);
  if (step.is_armed(deadlines.join)) return;
  step.arm(deadlines.join, GroupTimer{GroupTimer::Kind::consumer_join, group.slot, deadlines.serial},
           from_millis(member.about.rebalance_timeout_ms));
}

void GroupShard::sync_consumer_group(ClassicGroup& group, const SyncGroupRequest& request, const ReplyTo& to,
                                     const Step& step) {
  const ConsumerGroupState& state = group.consumer->written;
  const ConsumerMember* member = nullptr;
  ErrorCode error = find_classic_member(state, request.member_id, request.group_instance_id, member);
  if (error == ErrorCode::none && request.generation != member->current.member_epoch)
    error = ErrorCode::illegal_generation;
  // Who is revoking has joined already and finishes that first.
  if (error == ErrorCode::none && state.epoch() > member->current.member_epoch &&
      member->current.state != MemberAssignmentState::unrevoked_partitions) {
    arm_classic_rejoin(group, *member, step);
    error = ErrorCode::rebalance_in_progress;
  }
  if (error != ErrorCode::none) return send(to, SyncGroupResponse{error, {}}, step.out);
  step.cancel(consumer_deadlines(group, member->id).sync);
  arm_consumer_session(group, member->id, member->about.classic->session_timeout_ms, step);
  step.defer(DeferredAnswer{to, SyncGroupResponse{ErrorCode::none, member->current.assigned}});
}

void GroupShard::heartbeat_consumer_group(ClassicGroup& group, const HeartbeatRequest& request,
                                          const ReplyTo& to, const Step& step) {
  const ConsumerGroupState& state = group.consumer->written;
  const ConsumerMember* member = nullptr;
  ErrorCode error = find_classic_member(state, request.member_id, request.group_instance_id, member);
  if (error == ErrorCode::none && request.generation != member->current.member_epoch)
    error = ErrorCode::illegal_generation;
  if (error != ErrorCode::none) return send(to, HeartbeatResponse{error}, step.out);
  arm_consumer_session(group, member->id, member->about.classic->session_timeout_ms, step);
  // It has to join anew: for another target, to say that it has given up what it was to, or for partitions
  // that have become free.
  const MemberAssignmentState progress = member->current.state;
  const bool rejoins =
      member->current.member_epoch < state.epoch() ||
      progress == MemberAssignmentState::unrevoked_partitions ||
      (progress == MemberAssignmentState::unreleased_partitions && !state.waits_for_partition(*member));
  if (rejoins) arm_classic_rejoin(group, *member, step);
  step.defer(
      DeferredAnswer{to, HeartbeatResponse{rejoins ? ErrorCode::rebalance_in_progress : ErrorCode::none}});
}

void GroupShard::leave_consumer_group(ClassicGroup& group, const LeaveGroupRequest& request,
                                      const ReplyTo& to, const Step& step) {
  const ConsumerGroupState& state = group.consumer->written;
  const ConsumerMember* member = request.group_instance_id.empty()
                                     ? state.find(request.member_id)
                                     : state.find_static(request.group_instance_id);
  ErrorCode error = member == nullptr ? ErrorCode::unknown_member_id : ErrorCode::none;
  if (member != nullptr && !request.member_id.empty() && member->id != request.member_id)
    error = ErrorCode::fenced_instance_id;
  if (error == ErrorCode::none) {
    const bool timed_out = request.reason == LeaveReason::poll_timeout;
    fence_consumers(group, {member->id},
                    timed_out                               ? observe::DepartureReason::poll_timeout
                    : request.reason == LeaveReason::closed ? observe::DepartureReason::closed
                                                            : observe::DepartureReason::removed,
                    RebalanceReason::member_left, step);
  }
  step.defer(DeferredAnswer{to, LeaveGroupResponse{error}});
  if (group.consumer) tell_consumer_group(group, step);
}

// ---- Offsets of members (ConsumerGroup.validateOffsetCommit, validateOffsetFetch)

namespace {

ErrorCode check_epoch_of(const ConsumerMember* member, Generation received) {
  if (member == nullptr) return ErrorCode::unknown_member_id;
  if (received == member->current.member_epoch) return ErrorCode::none;
  return member->uses_classic_protocol() ? ErrorCode::illegal_generation : ErrorCode::stale_member_epoch;
}

}  // namespace

ErrorCode GroupShard::check_consumer_commit(const ConsumerGroup& group, const OffsetCommitRequest& request) {
  const ConsumerGroupState& state = group.written;
  if (request.generation < Generation{0} && state.members().empty()) return ErrorCode::none;
  return check_epoch_of(state.find(request.member_id), request.generation);
}

ErrorCode GroupShard::check_consumer_fetch(const ConsumerGroup& group, const OffsetFetchRequest& request) {
  if (request.member_id.empty() && request.member_epoch < Generation{0}) return ErrorCode::none;
  return check_epoch_of(group.committed.find(request.member_id), request.member_epoch);
}

}  // namespace sim::group
