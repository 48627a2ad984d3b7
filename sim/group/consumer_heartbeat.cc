#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/contains.h"
#include "group/responses.h"
#include "group/server_assignor.h"
#include "group/shard.h"
#include "group/topic_pattern.h"

// Groups of KIP-848: heartbeats, with which members join, acknowledge and leave; target assignments; members
// that are fenced (GroupMetadataManager.consumerGroupHeartbeat, consumerGroupLeave, consumerGroupFenceMembers
// in Kafka).
namespace sim::group {

namespace {

using Kind = ConsumerGroupRecord::Kind;

ConsumerGroupHeartbeatResponse heartbeat_error(ErrorCode error) {
  ConsumerGroupHeartbeatResponse response;
  response.error = error;
  return response;
}

observe::DepartureReason departure_of(LeaveReason reason) {
  return reason == LeaveReason::poll_timeout ? observe::DepartureReason::poll_timeout
                                             : observe::DepartureReason::closed;
}

// What the request tells anew, over what is known (ConsumerGroupMember.Builder.maybeUpdate*).
ConsumerMemberValue told_by(const ConsumerGroupHeartbeatRequest& request, ConsumerMemberValue about) {
  if (!request.group_instance_id.empty()) about.group_instance_id = request.group_instance_id;
  if (!request.rack.empty()) about.rack = request.rack;
  if (request.rebalance_timeout_ms != kNoRebalanceTimeout)
    about.rebalance_timeout_ms = request.rebalance_timeout_ms;
  if (!request.server_assignor.empty()) about.server_assignor = request.server_assignor;
  if (request.subscribed_topics) {
    about.subscribed_topics = *request.subscribed_topics;
    std::sort(about.subscribed_topics.begin(), about.subscribed_topics.end());
  }
  if (request.subscribed_regex) about.subscribed_regex = *request.subscribed_regex;
  about.client_id = request.client_id;
  about.classic.reset();
  return about;
}

// Two refreshes are at least so far apart (REGEX_BATCH_REFRESH_MIN_INTERVAL_MS).
constexpr std::int64_t kLeastRegexRefreshMs = 10'000;

}  // namespace

// ---- Heartbeats

void GroupShard::on(const ConsumerGroupHeartbeatRequest& request, const ReplyTo& to, const Step& step) {
  if (request.member_epoch < kJoinEpoch) return leave_consumer_group(request, to, step);
  const bool joins = request.member_epoch == kJoinEpoch;
  const auto refuse = [&](ErrorCode error) { send(to, heartbeat_error(error), step.out); };
  ClassicGroup* found = find(request.group);
  if (const ErrorCode error = check_consumer_group(found, request.member_id, joins, step.config());
      error != ErrorCode::none)
    return refuse(error);
  if (found != nullptr && found->consumer) {
    if (const ErrorCode error = check_consumer_member(*found->consumer, request); error != ErrorCode::none)
      return refuse(error);
  }
  if (request.subscribed_regex && !is_valid_topic_pattern(*request.subscribed_regex))
    return refuse(ErrorCode::invalid_regular_expression);

  ClassicGroup& group = found != nullptr ? *found : create_group(request.group, step);
  become_consumer_group(group, step);
  const ConsumerGroupState& state = group.consumer->written;
  const ConsumerMember before = subscribe_consumer(group, request.member_id, request.group_instance_id, step);
  const ConsumerMemberValue about = told_by(request, before.about);
  const std::optional<RebalanceReason> reason = update_consumer(group, before, about, step);
  if (reason || group.consumer->refresh_requested)
    refresh_consumer_group(group, reason, request.member_id, step);
  update_target(group, step);
  advance_consumer(group, request.member_id, request.owned, step);
  arm_consumer_session(group, request.member_id, step.config().group_consumer_session_timeout_ms, step);

  const ConsumerMember& member = *state.find(request.member_id);
  ConsumerGroupHeartbeatResponse response;
  response.member_id = member.id;
  response.member_epoch = member.current.member_epoch;
  response.heartbeat_interval_ms = step.config().group_consumer_heartbeat_interval_ms;
  if (joins || request.is_full() || member.current.assigned != before.current.assigned)
    response.assignment = member.current.assigned;
  step.defer(DeferredAnswer{to, std::move(response)});
  refresh_regexes(group, step);
  tell_consumer_group(group, step);
}

// getOrMaybeCreateConsumerGroup, throwIfConsumerGroupIsFull.
ErrorCode GroupShard::check_consumer_group(const ClassicGroup* group, const std::string& member_id,
                                           bool may_create, const Config& config) {
  if (group == nullptr) return may_create ? ErrorCode::none : ErrorCode::group_id_not_found;
  if (!group->consumer) {
    if (!may_create) return ErrorCode::group_id_not_found;
    if (group->is(GroupState::empty) && group->members.empty()) return ErrorCode::none;
    if (!upgrades(config.group_consumer_migration_policy) || group->protocol_type != "consumer")
      return ErrorCode::group_id_not_found;
    if (std::cmp_greater(group->members.size(), config.group_consumer_max_size))
      return ErrorCode::group_id_not_found;
    return std::cmp_less(group->members.size(), config.group_consumer_max_size)
               ? ErrorCode::none
               : ErrorCode::group_max_size_reached;
  }
  const ConsumerGroupState& state = group->consumer->written;
  if (std::cmp_greater_equal(state.members().size(), config.group_consumer_max_size) &&
      state.find(member_id) == nullptr)
    return ErrorCode::group_max_size_reached;
  return ErrorCode::none;
}

// getOrMaybeSubscribeDynamicConsumerGroupMember and ...Static...
ErrorCode GroupShard::check_consumer_member(const ConsumerGroup& group,
                                            const ConsumerGroupHeartbeatRequest& request) {
  const ConsumerGroupState& state = group.written;
  const bool joins = request.member_epoch == kJoinEpoch;
  if (request.group_instance_id.empty()) {
    const ConsumerMember* member = state.find(request.member_id);
    if (member != nullptr) return check_member_epoch(*member, request.member_epoch, request.owned);
    return joins ? ErrorCode::none : ErrorCode::unknown_member_id;
  }
  const ConsumerMember* holder = state.find_static(request.group_instance_id);
  if (joins) {
    // Whoever holds the instance id must have left it for a while.
    const bool released = holder == nullptr || holder->uses_classic_protocol() ||
                          holder->current.member_epoch == kLeaveStaticEpoch;
    return released ? ErrorCode::none : ErrorCode::unreleased_instance_id;
  }
  if (holder == nullptr) return ErrorCode::unknown_member_id;
  if (holder->id != request.member_id) return ErrorCode::fenced_instance_id;
  return check_member_epoch(*holder, request.member_epoch, request.owned);
}

// The member as it was before the request: a new one, if there is none.
ConsumerMember GroupShard::subscribe_consumer(ClassicGroup& group, const std::string& member_id,
                                              const std::string& instance_id, const Step& step) {
  const ConsumerGroupState& state = group.consumer->written;
  const ConsumerMember* known = state.find(member_id);
  if (known != nullptr && known->current.member_epoch != kLeaveStaticEpoch) return *known;
  const ConsumerMember* holder = state.find_static(instance_id);
  if (holder == nullptr) return ConsumerMember{member_id, {}, {}};
  // A static member has come back under another member id: it takes over what the former had (replaceMember).
  ConsumerMember member = *holder;
  const std::vector<TopicPartition> target = state.target(holder->id);
  const std::string former_id = holder->id;
  remove_consumer(group, former_id, step);
  cancel_consumer_deadlines(group, former_id, step);
  member.id = member_id;
  member.current.member_epoch = kJoinEpoch;
  member.current.previous_member_epoch = kJoinEpoch;
  write_consumer(group, member_id, member.about, step);
  write_consumer(group, member_id, ConsumerTargetValue{target}, step);
  write_current(group, member_id, member.current, step);
  return member;
}

// Writes what has changed about the member; why the group needs another assignment, if it does.
std::optional<RebalanceReason> GroupShard::update_consumer(ClassicGroup& group, const ConsumerMember& before,
                                                           const ConsumerMemberValue& about,
                                                           const Step& step) {
  const ConsumerGroupState& state = group.consumer->written;
  const bool is_new = state.find(before.id) == nullptr;
  std::optional<RebalanceReason> reason;
  if (state.epoch() == Generation{0}) reason = RebalanceReason::member_joined;
  if (is_new || about != before.about) {
    const std::string& old_regex = before.about.subscribed_regex;
    const bool other_regex = old_regex != about.subscribed_regex;
    if (other_regex && !old_regex.empty() && state.subscribers_of(old_regex) == 1)
      write_tombstone(group, Kind::regex, old_regex, step);
    write_consumer(group, before.id, about, step);
    // A new regular expression counts when it has been resolved.
    const bool known_regex =
        !about.subscribed_regex.empty() && state.regexes().contains(about.subscribed_regex);
    const bool gave_up_regex = !old_regex.empty() && about.subscribed_regex.empty();
    if (about.subscribed_topics != before.about.subscribed_topics ||
        (other_regex && (known_regex || gave_up_regex)))
      reason = is_new ? RebalanceReason::member_joined : RebalanceReason::member_rejoined;
  }
  return reason;
}

// Raises the group's epoch if there is a reason to, or if the topics that it subscribes to are not what they
// were (updateSubscriptionMetadata).
void GroupShard::refresh_consumer_group(ClassicGroup& group, std::optional<RebalanceReason> reason,
                                        const std::string& member_id, const Step& step) {
  const ConsumerGroupState& state = group.consumer->written;
  const std::uint64_t hash = catalog_ == nullptr ? 0 : catalog_->hash_of(state.subscribed_topics());
  group.consumer->refresh_requested = false;
  if (!reason && hash == state.metadata_hash()) return;
  node::report(step.out, observe::RebalanceBegan{group.name, state.epoch(),
                                                 reason.value_or(RebalanceReason::topics_changed),
                                                 reason ? member_id : std::string{}});
  write_consumer(group, {}, ConsumerGroupEpochValue{state.epoch().next(), hash}, step);
}

// ---- The target assignment (TargetAssignmentBuilder)

void GroupShard::update_target(ClassicGroup& group, const Step& step) {
  const ConsumerGroupState& state = group.consumer->written;
  if (state.epoch() <= state.target_epoch()) return;
  AssignmentInput input;
  input.homogeneous = state.is_homogeneous();
  std::vector<TopicId> same_for_all;
  input.members.reserve(state.members().size());
  for (const ConsumerMember& member : state.members()) {
    AssignedMember& one = input.members.emplace_back();
    one.id = member.id;
    one.instance_id = member.about.group_instance_id;
    one.current = state.target(member.id);
    if (input.homogeneous && input.members.size() > 1) {
      one.subscription = same_for_all;
      continue;
    }
    for (const std::string& name : state.subscribed_topics(member)) {
      const TopicCatalog::Topic* topic = catalog_ == nullptr ? nullptr : catalog_->find(name);
      if (topic == nullptr) continue;
      one.subscription.push_back(topic->id);
      input.topics.push_back(AssignedTopic{topic->id, topic->partitions});
    }
    std::sort(one.subscription.begin(), one.subscription.end());
    same_for_all = one.subscription;
  }
  const auto by_id = [](const AssignedTopic& a, const AssignedTopic& b) { return a.id < b.id; };
  std::sort(input.topics.begin(), input.topics.end(), by_id);
  input.topics.erase(std::unique(input.topics.begin(), input.topics.end(),
                                 [](const AssignedTopic& a, const AssignedTopic& b) { return a.id == b.id; }),
                     input.topics.end());

  std::string assignor = state.preferred_assignor();
  if (assignor.empty()) assignor = step.config().group_consumer_assignors.front();
  const Assignment assignment = assignor == kRangeAssignor ? assign_range(input) : assign_uniform(input);
  std::vector<std::string> ids;
  ids.reserve(state.members().size());
  for (const ConsumerMember& member : state.members()) ids.push_back(member.id);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (state.has_target(ids[i]) && state.target(ids[i]) == assignment[i]) continue;
    write_consumer(group, ids[i], ConsumerTargetValue{assignment[i]}, step);
  }
  write_consumer(group, {}, ConsumerTargetEpochValue{state.epoch()}, step);
}

// Moves the member on towards its target, as far as what it owns allows (maybeReconcile).
void GroupShard::advance_consumer(ClassicGroup& group, const std::string& member_id,
                                  const std::optional<std::vector<TopicPartition>>& owned, const Step& step) {
  const ConsumerGroupState& state = group.consumer->written;
  const ConsumerMember& member = *state.find(member_id);
  if (member.is_reconciled_to(state.target_epoch())) return;
  ConsumerCurrentValue next = reconcile(state, member, state.target(member_id), owned, step.config().defect);
  if (next == member.current) return;
  const bool must_revoke = next.state == MemberAssignmentState::unrevoked_partitions;
  const bool is_classic = member.uses_classic_protocol();
  const std::int32_t timeout_ms = member.about.rebalance_timeout_ms;
  const Generation member_epoch = next.member_epoch;
  write_current(group, member_id, std::move(next), step);
  if (is_classic) return;  // its rejoining and syncing are timed instead
  MemberDeadlines& deadlines = consumer_deadlines(group, member_id);
  if (must_revoke) {
    deadlines.revocation_epoch = member_epoch;
    step.arm(deadlines.revocation,
             GroupTimer{GroupTimer::Kind::consumer_revocation, group.slot, deadlines.serial},
             from_millis(timeout_ms));
  } else {
    step.cancel(deadlines.revocation);
  }
}

// ---- Regular expressions (maybeUpdateRegularExpressions)

// Resolved aside in Kafka, a moment later; here at the end of the heartbeat that called for it.
void GroupShard::refresh_regexes(ClassicGroup& group, const Step& step) {
  const ConsumerGroupState& state = group.consumer->written;
  const std::vector<std::string> wanted = state.subscribed_regexes();
  if (wanted.empty() || catalog_ == nullptr) return;
  const std::int64_t now_ms = step.env.wall_ms();
  std::int64_t last_ms = -kLeastRegexRefreshMs - 1;
  for (const auto& [regex, resolved] : state.regexes()) last_ms = std::max(last_ms, resolved.timestamp_ms);
  if (now_ms <= last_ms + kLeastRegexRefreshMs) return;
  const bool unresolved = wanted.size() != state.regexes().size();
  const bool too_old = now_ms > last_ms + step.config().group_consumer_regex_refresh_interval_ms;
  if (!unresolved && !group.consumer->new_topics && !too_old) return;
  group.consumer->new_topics = false;
  bool changed = false;
  for (const std::string& regex : wanted) {
    ConsumerRegexValue resolved{{}, ++regex_version_, now_ms};
    const TopicPattern pattern(regex);
    for (const TopicCatalog::Topic& topic : catalog_->topics()) {
      if (pattern.matches(topic.name)) resolved.topics.push_back(topic.name);
    }
    const auto before = state.regexes().find(regex);
    if (before == state.regexes().end() ? !resolved.topics.empty() : before->second.topics != resolved.topics)
      changed = true;
    write_consumer(group, regex, std::move(resolved), step);
  }
  refresh_consumer_group(group, changed ? std::optional(RebalanceReason::topics_changed) : std::nullopt, {},
                         step);
}

// ---- Leaving

void GroupShard::leave_consumer_group(const ConsumerGroupHeartbeatRequest& request, const ReplyTo& to,
                                      const Step& step) {
  const auto refuse = [&](ErrorCode error) { send(to, heartbeat_error(error), step.out); };
  ClassicGroup* found = find(request.group);
  if (found == nullptr || !found->consumer) return refuse(ErrorCode::group_id_not_found);
  ClassicGroup& group = *found;
  const ConsumerGroupState& state = group.consumer->written;
  const bool is_static = !request.group_instance_id.empty();
  const ConsumerMember* member =
      is_static ? state.find_static(request.group_instance_id) : state.find(request.member_id);
  if (member == nullptr) return refuse(ErrorCode::unknown_member_id);
  if (member->id != request.member_id) return refuse(ErrorCode::fenced_instance_id);
  ConsumerGroupHeartbeatResponse response;
  response.member_id = request.member_id;
  response.member_epoch = request.member_epoch;
  if (is_static && request.member_epoch == kLeaveStaticEpoch) {
    // It means to come back: until its session is over its partitions are kept for it.
    ConsumerCurrentValue away = member->current;
    away.member_epoch = kLeaveStaticEpoch;
    away.pending_revocation.clear();
    write_current(group, request.member_id, std::move(away), step);
  } else {
    fence_consumers(group, {request.member_id}, departure_of(request.leave_reason),
                    RebalanceReason::member_left, step);
  }
  step.defer(DeferredAnswer{to, std::move(response)});
  if (group.consumer) tell_consumer_group(group, step);
}

// The members are out of the group, whether they know it or not. If only members with the classic protocol
// are left, it may become a classic group again.
void GroupShard::fence_consumers(ClassicGroup& group, const std::vector<std::string>& member_ids,
                                 observe::DepartureReason departure, RebalanceReason reason,
                                 const Step& step) {
  if (member_ids.empty()) return;
  const ConsumerGroupState& state = group.consumer->written;
  for (const std::string& id : member_ids) tell_departure(group, id, departure, step);
  if (may_become_classic(group, member_ids, step.config()))
    return become_classic_group(group, member_ids, step);
  node::report(step.out, observe::RebalanceBegan{group.name, state.epoch(), reason, member_ids.front()});
  for (const std::string& id : member_ids) {
    const std::string regex = state.find(id)->about.subscribed_regex;
    remove_consumer(group, id, step);
    if (!regex.empty() && state.subscribers_of(regex) == 0) write_tombstone(group, Kind::regex, regex, step);
    cancel_consumer_deadlines(group, id, step);
  }
  const std::uint64_t hash = catalog_ == nullptr ? 0 : catalog_->hash_of(state.subscribed_topics());
  write_consumer(group, {}, ConsumerGroupEpochValue{state.epoch().next(), hash}, step);
}

// ---- Timers

void GroupShard::consumer_timer_passed(ClassicGroup& group, GroupTimer timer, const Step& step) {
  if (group.uid == 0 || !group.consumer) return;
  const auto due = std::find_if(group.consumer->deadlines.begin(), group.consumer->deadlines.end(),
                                [&](const auto& one) { return one.second.serial == timer.member; });
  if (due == group.consumer->deadlines.end()) return;
  const std::string member_id = due->first;
  const ConsumerMember* member = group.consumer->written.find(member_id);
  if (member == nullptr) return;  // what made it could not be written
  observe::DepartureReason departure = observe::DepartureReason::session_expired;
  switch (timer.kind) {
    case GroupTimer::Kind::consumer_session: break;
    case GroupTimer::Kind::consumer_revocation:
      if (member->current.member_epoch != due->second.revocation_epoch) return;  // it has moved on
      departure = observe::DepartureReason::revocation_timeout;
      break;
    case GroupTimer::Kind::consumer_join: departure = observe::DepartureReason::join_timeout; break;
    case GroupTimer::Kind::consumer_sync: departure = observe::DepartureReason::sync_timeout; break;
    case GroupTimer::Kind::session:
    case GroupTimer::Kind::join:
    case GroupTimer::Kind::sync:
    case GroupTimer::Kind::offset_scan: SIM_CHECK(false, "these are not of one member of such a group");
  }
  fence_consumers(group, {member_id}, departure, RebalanceReason::member_expelled, step);
  if (group.consumer) tell_consumer_group(group, step);
}

MemberDeadlines& GroupShard::consumer_deadlines(ClassicGroup& group, const std::string& member_id) {
  MemberDeadlines& deadlines = group.consumer->deadlines[member_id];
  if (deadlines.serial == 0) deadlines.serial = next_serial_++;
  return deadlines;
}

void GroupShard::arm_consumer_session(ClassicGroup& group, const std::string& member_id,
                                      std::int64_t timeout_ms, const Step& step) {
  MemberDeadlines& deadlines = consumer_deadlines(group, member_id);
  step.arm(deadlines.session, GroupTimer{GroupTimer::Kind::consumer_session, group.slot, deadlines.serial},
           from_millis(timeout_ms));
}

// The members as they are, all anew: nobody owns anything until it is told that he does.
void GroupShard::retell_members(const ClassicGroup& group, const Step& step) {
  const ConsumerGroupState& state = group.consumer->written;
  for (const ConsumerMember& one : state.members()) {
    node::report(step.out,
                 observe::MemberAssignmentChanged{group.name, one.id, state.epoch(), kLeaveEpoch, {}, {}});
  }
  for (const ConsumerMember& one : state.members()) {
    node::report(step.out,
                 observe::MemberAssignmentChanged{group.name, one.id, state.epoch(), one.current.member_epoch,
                                                  one.current.assigned, one.current.pending_revocation});
  }
}

// After an election, or when what a write changed was taken back: nobody may have been told who coordinates,
// so each member has a full session from here.
void GroupShard::arm_consumer_sessions(ClassicGroup& group, const Step& step) {
  for (const ConsumerMember& member : group.consumer->written.members()) {
    MemberDeadlines& deadlines = consumer_deadlines(group, member.id);
    if (step.is_armed(deadlines.session)) continue;
    const std::int64_t timeout_ms = member.uses_classic_protocol()
                                        ? member.about.classic->session_timeout_ms
                                        : step.config().group_consumer_session_timeout_ms;
    arm_consumer_session(group, member.id, timeout_ms, step);
    if (member.current.state != MemberAssignmentState::unrevoked_partitions) continue;
    deadlines.revocation_epoch = member.current.member_epoch;
    step.arm(deadlines.revocation,
             GroupTimer{GroupTimer::Kind::consumer_revocation, group.slot, deadlines.serial},
             from_millis(member.about.rebalance_timeout_ms));
  }
}

void GroupShard::cancel_consumer_deadlines(ClassicGroup& group, const std::string& member_id,
                                           const Step& step) {
  const auto it = group.consumer->deadlines.find(member_id);
  if (it == group.consumer->deadlines.end()) return;
  for (DeadlineHandle* one :
       {&it->second.session, &it->second.revocation, &it->second.join, &it->second.sync})
    step.cancel(*one);
  group.consumer->deadlines.erase(it);
}

// ---- Records

void GroupShard::write_consumer(ClassicGroup& group, const std::string& key, ConsumerGroupRecord::Value value,
                                const Step& step) {
  step.write(ConsumerGroupRecord::of(group.name, key, std::move(value)));
}

void GroupShard::write_tombstone(ClassicGroup& group, ConsumerGroupRecord::Kind kind, const std::string& key,
                                 const Step& step) {
  step.write(ConsumerGroupRecord{group.name, kind, key});
}

void GroupShard::write_current(ClassicGroup& group, const std::string& member_id, ConsumerCurrentValue value,
                               const Step& step) {
  write_consumer(group, member_id, std::move(value), step);
  const ConsumerGroupState& state = group.consumer->written;
  const ConsumerCurrentValue& now = state.find(member_id)->current;
  node::report(step.out,
               observe::MemberAssignmentChanged{group.name, member_id, state.epoch(), now.member_epoch,
                                                now.assigned, now.pending_revocation});
}

void GroupShard::remove_consumer(ClassicGroup& group, const std::string& member_id, const Step& step) {
  write_tombstone(group, Kind::current, member_id, step);
  node::report(step.out, observe::MemberAssignmentChanged{
                             group.name, member_id, group.consumer->written.epoch(), kLeaveEpoch, {}, {}});
  write_tombstone(group, Kind::target, member_id, step);
  write_tombstone(group, Kind::member, member_id, step);
}

void GroupShard::tell_consumer_group(ClassicGroup& group, const Step& step) {
  ConsumerGroup& consumer = *group.consumer;
  const ConsumerGroupState& state = consumer.written;
  const GroupState now = state.state();
  if (now == consumer.told_state && state.epoch() == consumer.told_epoch) return;
  const bool other_epoch = state.epoch() != consumer.told_epoch;
  consumer.told_state = now;
  consumer.told_epoch = state.epoch();
  group.previous_state = std::exchange(group.state, now);
  node::report(step.out, observe::GroupStateChanged{group.name, now, state.epoch(),
                                                    static_cast<std::int32_t>(state.members().size())});
  if (other_epoch) note_subscribed_topics(group);
  if (group.offsets.any_written()) arm_scan(step.env.now, step);
  if (now == GroupState::empty) arm_scan(step.env.now, step);
}

// For the retention of its offsets.
void GroupShard::note_subscribed_topics(ClassicGroup& group) const {
  if (catalog_ == nullptr) return;
  std::vector<TopicId>& ids = group.subscribed.emplace();
  for (const std::string& name : group.consumer->written.subscribed_topics()) {
    if (const TopicCatalog::Topic* topic = catalog_->find(name)) ids.push_back(topic->id);
  }
  std::sort(ids.begin(), ids.end());
}

// ---- Topics (onNewMetadataImage)

void GroupShard::topics_changed(const std::shared_ptr<const TopicCatalog>& catalog) {
  if (catalog_ == catalog) return;
  const bool created = catalog_ != nullptr && catalog_->next_topic_id() != catalog->next_topic_id();
  catalog_ = catalog;
  for (ClassicGroup& group : groups_) {
    if (group.uid == 0 || !group.consumer) continue;
    group.consumer->refresh_requested = true;
    if (created) group.consumer->new_topics = true;
    note_subscribed_topics(group);
  }
}

}  // namespace sim::group
