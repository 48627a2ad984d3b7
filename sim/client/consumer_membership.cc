#include "client/consumer_membership.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "base/check.h"

namespace sim::client {

namespace {

std::vector<TopicPartition> in_first_only(const std::vector<TopicPartition>& a,
                                          const std::vector<TopicPartition>& b) {
  std::vector<TopicPartition> out;
  std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(out));
  return out;
}

// Kafka's Uuid.randomUuid().toString(): sixteen random bytes in URL-safe Base64, 22 letters.
std::string random_member_id(Rng& rng) {
  constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::array<std::uint64_t, 2> halves{};
  for (std::uint64_t& half : halves) half = rng.next();
  std::string id;
  for (int letter = 0; letter < 22; ++letter) {
    unsigned value = 0;
    for (int i = 0; i < 6; ++i) {
      const int bit = letter * 6 + i;
      const unsigned set =
          bit < 128
              ? static_cast<unsigned>(halves[static_cast<std::size_t>(bit / 64)] >> (63 - bit % 64)) & 1u
              : 0;
      value = value * 2 + set;
    }
    id += kLetters[value];
  }
  return id;
}

ConsumerError fatal_error_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::group_authorization_failed: return ConsumerError::group_authorization_failed;
    case ErrorCode::group_max_size_reached: return ConsumerError::group_max_size_reached;
    case ErrorCode::fenced_instance_id: return ConsumerError::fenced_instance_id;
    case ErrorCode::unreleased_instance_id: return ConsumerError::unreleased_instance_id;
    case ErrorCode::unsupported_version: return ConsumerError::unsupported_version;
    case ErrorCode::unsupported_assignor: return ConsumerError::unsupported_assignor;
    default: return ConsumerError::unexpected;
  }
}

}  // namespace

ConsumerMembership::ConsumerMembership(const ConsumerConfig& config)
    : max_poll_interval_(from_millis(config.max_poll_interval_ms)),
      next_auto_commit_(from_millis(config.auto_commit_interval_ms)),
      first_auto_commit_(from_millis(config.first_auto_commit_ms)) {}

void ConsumerMembership::start(std::vector<std::string> topics, LocalTime now) {
  topics_ = std::move(topics);
  std::sort(topics_.begin(), topics_.end());
  subscription_updated_ = true;
  next_auto_commit_ += now.time_since_epoch();
}

Duration ConsumerMembership::backoff(std::int32_t failures, ConsumerContext& context) const {
  return node::exponential_backoff(from_millis(context.config.retry_backoff_ms),
                                   from_millis(context.config.retry_backoff_max_ms), failures,
                                   context.env.rng);
}

// ---- poll() (ApplicationEventProcessor's PollEvent)

ConsumerMembership::PollOutcome ConsumerMembership::poll(ConsumerContext& context) {
  maybe_reconcile(true, context);
  maybe_auto_commit(context);
  if (std::exchange(subscription_updated_, false) && state_ == State::unsubscribed) {
    if (member_id_.empty()) member_id_ = random_member_id(context.env.rng);
    join(context);
  }
  if (poll_timer_expired_ || context.now() >= poll_ends_) {
    poll_timer_expired_ = false;
    if (state_ == State::stale) join(context);
  }
  poll_ends_ = context.now() + max_poll_interval_;
  background(context);
  return {Progress::done, std::exchange(error_, ConsumerError::none)};
}

// ---- Finding the coordinator (CoordinatorRequestManager)

bool ConsumerMembership::knows_coordinator(ConsumerContext& context) {
  if (coordinator_ != kNoProcess && context.coordination.is_unavailable(coordinator_, context.now()))
    coordinator_ = kNoProcess;
  return coordinator_ != kNoProcess;
}

void ConsumerMembership::look_up_coordinator(ConsumerContext& context) {
  if (find_coordinator_ != 0 || context.now() < lookup_allowed_at_) return;
  const ProcessId node = context.metadata.least_loaded(context.data.client(), context.env);
  if (node == kNoProcess) return lookup_failed(context);
  find_coordinator_ =
      context.data.send(node, FindCoordinatorRequest{context.config.group_id}, context.env, context.out);
}

void ConsumerMembership::on_find_coordinator(const FindCoordinatorResponse* response,
                                             ConsumerContext& context) {
  if (response == nullptr) return lookup_failed(context);
  if (response->error != ErrorCode::none) {
    if (!is_retriable(response->error)) error_ = fatal_error_of(response->error);
    return lookup_failed(context);
  }
  coordinator_ = response->endpoint;
  if (!knows_coordinator(context)) return lookup_failed(context);
  lookup_failures_ = 0;
  lookup_allowed_at_ = LocalTime::min();
}

void ConsumerMembership::lookup_failed(ConsumerContext& context) {
  lookup_allowed_at_ = context.now() + backoff(lookup_failures_++, context);
  context.metadata.request_update();
}

void ConsumerMembership::on_unavailable(ProcessId server, ConsumerContext&) {
  if (server == coordinator_) coordinator_ = kNoProcess;
}

// ---- Answers

bool ConsumerMembership::on_completion(ConsumerNetwork::Completion& completion, ConsumerContext& context) {
  if (!completion.response && completion.server == coordinator_) coordinator_ = kNoProcess;
  const auto answer = [&]<class Response>() {
    return completion.response ? &std::get<Response>(*completion.response) : nullptr;
  };
  if (completion.id == offset_fetch_) {
    offset_fetch_ = 0;
    on_offset_fetch(answer.template operator()<OffsetFetchResponse>(), context);
    return true;
  }
  const auto beat = std::find_if(heartbeats_.begin(), heartbeats_.end(),
                                 [&](const auto& one) { return one.id == completion.id; });
  if (beat != heartbeats_.end()) {
    const bool ignored = beat->ignore_answer;
    heartbeats_.erase(beat);
    if (!ignored) on_heartbeat(answer.template operator()<ConsumerGroupHeartbeatResponse>(), context);
    return true;
  }
  const auto commit = std::find_if(commits_.begin(), commits_.end(),
                                   [&](const Commit& one) { return one.id == completion.id; });
  if (commit == commits_.end()) return false;
  Commit sent = std::move(*commit);
  commits_.erase(commit);
  on_commit(std::move(sent), answer.template operator()<OffsetCommitResponse>(), context);
  return true;
}

bool ConsumerMembership::on_data_completion(ConsumerNetwork::Completion& completion,
                                            ConsumerContext& context) {
  if (completion.id != find_coordinator_) return false;
  find_coordinator_ = 0;
  on_find_coordinator(
      completion.response ? &std::get<FindCoordinatorResponse>(*completion.response) : nullptr, context);
  return true;
}

// ---- The background thread

void ConsumerMembership::background(ConsumerContext& context) {
  if (!knows_coordinator(context)) look_up_coordinator(context);
  send_commits(context);
  poll_heartbeat(context);
  maybe_reconcile(false, context);
  if (state_ == State::acknowledging) poll_heartbeat(context);
}

// AbstractHeartbeatRequestManager.poll
void ConsumerMembership::poll_heartbeat(ConsumerContext& context) {
  if (!is_member() || !knows_coordinator(context)) {
    if (state_ == State::leaving) state_ = State::unsubscribed;  // nobody to say goodbye to
    return;
  }
  if (!context.in_poll && context.now() >= poll_ends_ && state_ != State::leaving) {
    // The application has stalled. It may come back, and join anew then.
    poll_timer_expired_ = true;
    member_epoch_ = leave_epoch(context);
    current_ = LocalAssignment{};
    state_ = State::leaving;
    send_heartbeat(true, LeaveReason::poll_timeout, context);
    forget_heartbeats();
    return;
  }
  const bool now = state_ == State::leaving || (wants_heartbeat_now() && !heartbeat_awaited_);
  const bool due =
      context.now() >= heartbeat_due_ && context.now() >= heartbeat_allowed_at_ && !heartbeat_awaited_;
  if (!now && !due) return;
  send_heartbeat(state_ == State::leaving, LeaveReason::closed, context);
}

void ConsumerMembership::send_heartbeat(bool ignore_answer, LeaveReason reason, ConsumerContext& context) {
  ConsumerGroupHeartbeatRequest request = heartbeat_request(reason, context);
  heartbeat_due_ = context.now() + heartbeat_interval_;
  heartbeat_awaited_ = true;
  const RequestId id = context.coordination.send(coordinator_, std::move(request), context.env, context.out);
  heartbeats_.push_back(HeartbeatInFlight{id, ignore_answer});
  heartbeat_sent(context);
}

// ConsumerHeartbeatRequestManager.HeartbeatState.buildRequestData: what has changed, or all of it.
ConsumerGroupHeartbeatRequest ConsumerMembership::heartbeat_request(LeaveReason reason,
                                                                    const ConsumerContext& context) {
  const ConsumerConfig& config = context.config;
  const bool all = state_ == State::joining;
  ConsumerGroupHeartbeatRequest request;
  request.group = config.group_id;
  request.member_id = member_id_;
  request.member_epoch = member_epoch_;
  request.group_instance_id = config.group_instance_id;
  request.client_id = config.client_id;
  if (state_ == State::leaving) request.leave_reason = reason;
  if (all || !std::exchange(sent_.rebalance_timeout, true))
    request.rebalance_timeout_ms = config.max_poll_interval_ms;
  if (all || !std::exchange(sent_.topics, true)) request.subscribed_topics = topics_;
  if (!config.group_remote_assignor.empty() && (all || !std::exchange(sent_.assignor, true)))
    request.server_assignor = config.group_remote_assignor;
  if (all || sent_.owned != current_) {
    request.owned = current_.partitions;
    sent_.owned = current_;
  }
  if (all) {
    request.rack = config.client_rack;
    sent_.rebalance_timeout = sent_.topics = sent_.assignor = true;
  }
  return request;
}

void ConsumerMembership::heartbeat_sent(ConsumerContext& context) {
  if (state_ == State::acknowledging) {
    state_ = is_reconciled() ? State::stable : State::reconciling;
  } else if (state_ == State::leaving && poll_timer_expired_) {
    state_ = State::stale;
    lose_partitions(context);
    clear_assignment(context);
  } else if (state_ == State::leaving) {
    state_ = State::unsubscribed;
  }
}

void ConsumerMembership::on_heartbeat(const ConsumerGroupHeartbeatResponse* response,
                                      ConsumerContext& context) {
  heartbeat_awaited_ = false;
  if (response == nullptr) return heartbeat_failed(context);
  if (response->error != ErrorCode::none) return on_heartbeat_error(response->error, context);
  heartbeat_failures_ = 0;
  heartbeat_allowed_at_ = LocalTime::min();
  const Duration interval = from_millis(response->heartbeat_interval_ms);
  if (interval != heartbeat_interval_) {
    heartbeat_interval_ = interval;
    heartbeat_due_ = context.now() + interval;
  }
  if (!is_member() || state_ == State::leaving || response->member_epoch < kJoinEpoch) return;
  member_epoch_ = response->member_epoch;
  last_told_epoch_ = member_epoch_;
  if (response->assignment) adopt_assignment(*response->assignment);
}

// It is due again as soon as the back-off allows, and tells everything anew.
void ConsumerMembership::heartbeat_failed(ConsumerContext& context) {
  heartbeat_due_ = context.now();
  heartbeat_allowed_at_ = context.now() + backoff(heartbeat_failures_++, context);
  sent_ = SentFields{};
}

void ConsumerMembership::forget_heartbeats() {
  heartbeat_awaited_ = false;
  heartbeat_failures_ = 0;
  heartbeat_allowed_at_ = LocalTime::min();
  sent_ = SentFields{};
}

void ConsumerMembership::on_heartbeat_error(ErrorCode error, ConsumerContext& context) {
  heartbeat_failed(context);
  switch (error) {
    case ErrorCode::not_coordinator:
    case ErrorCode::coordinator_not_available:
      coordinator_ = kNoProcess;
      forget_heartbeats();
      return;
    case ErrorCode::coordinator_load_in_progress: return;
    case ErrorCode::fenced_member_epoch:
    case ErrorCode::unknown_member_id:
      fenced(context);
      forget_heartbeats();
      return;
    default: return fail(fatal_error_of(error), context);
  }
}

// ---- Membership (AbstractMembershipManager)

void ConsumerMembership::join(ConsumerContext&) {
  if (reconciling_) rejoined_meanwhile_ = true;
  member_epoch_ = kJoinEpoch;
  state_ = State::joining;
  target_ = LocalAssignment{};
}

void ConsumerMembership::adopt_assignment(std::vector<TopicPartition> partitions) {
  std::sort(partitions.begin(), partitions.end());
  if (target_.local_epoch < 0 || target_.partitions != partitions)
    target_ = LocalAssignment{target_.local_epoch + 1, std::move(partitions)};
  if (!is_reconciled()) {
    state_ = State::reconciling;
  } else if (state_ == State::reconciling || state_ == State::joining) {
    state_ = State::stable;
  }
}

void ConsumerMembership::maybe_reconcile(bool can_commit, ConsumerContext& context) {
  if (state_ != State::reconciling || is_reconciled() || reconciling_) return;
  LocalAssignment resolved{target_.local_epoch, {}};
  for (const TopicPartition tp : target_.partitions) {
    if (context.metadata.find(tp.topic) != nullptr) {
      resolved.partitions.push_back(tp);
    } else {
      context.metadata.request_update();
    }
  }
  if (current_.local_epoch >= 0 && resolved.partitions == current_.partitions) {
    current_ = std::move(resolved);  // what is known of it is owned already
    state_ = State::acknowledging;
    return;
  }
  if (context.config.enable_auto_commit && !can_commit) return;
  reconciling_ = true;
  rejoined_meanwhile_ = false;
  resolved_ = std::move(resolved);
  context.subscriptions.mark_pending_revocation(
      in_first_only(context.subscriptions.assigned(), resolved_.partitions));
  CommitOffsets offsets;
  if (context.config.enable_auto_commit) offsets = context.subscriptions.all_consumed();
  if (offsets.empty()) return revoke_and_assign(context);
  auto_commit_in_flight_ = true;
  Commit commit;
  commit.purpose = CommitPurpose::reconciliation;
  commit.offsets = std::move(offsets);
  commit.deadline = context.now() + max_poll_interval_;
  add_commit(std::move(commit), context);
}

void ConsumerMembership::revoke_and_assign(ConsumerContext& context) {
  reconciling_ = false;
  if (state_ != State::reconciling || std::exchange(rejoined_meanwhile_, false)) return;
  const std::vector<TopicPartition> owned = context.subscriptions.assigned();
  std::vector<TopicPartition> revoked = in_first_only(owned, resolved_.partitions);
  std::vector<TopicPartition> added = in_first_only(resolved_.partitions, owned);
  if (!revoked.empty()) note(RebalanceEvent::Kind::revoked, std::move(revoked), context);
  context.subscriptions.assign(resolved_.partitions);
  note(RebalanceEvent::Kind::assigned, std::move(added), context);
  current_ = resolved_;
  const Duration first_auto_commit = std::exchange(first_auto_commit_, Duration{});
  next_auto_commit_ =
      context.now() + (first_auto_commit > Duration{} ? first_auto_commit
                                                      : from_millis(context.config.auto_commit_interval_ms));
  state_ = State::acknowledging;
  node::report(context.out, observe::AssignmentReceived{context.identity.service, context.identity.member,
                                                        member_epoch_, current_.partitions});
}

void ConsumerMembership::fenced(ConsumerContext& context) {
  if (state_ == State::leaving) state_ = State::unsubscribed;
  if (state_ == State::unsubscribed) return;
  state_ = State::fenced;
  lose_partitions(context);
  clear_assignment(context);
  join(context);
}

void ConsumerMembership::fail(ConsumerError error, ConsumerContext& context) {
  error_ = error;
  state_ = State::fatal;
  lose_partitions(context);
  clear_assignment(context);
}

void ConsumerMembership::clear_assignment(ConsumerContext& context) {
  context.subscriptions.assign({});
  current_ = LocalAssignment{};
  target_ = LocalAssignment{};
}

void ConsumerMembership::lose_partitions(ConsumerContext& context) {
  std::vector<TopicPartition> assigned = context.subscriptions.assigned();
  if (!assigned.empty()) note(RebalanceEvent::Kind::lost, std::move(assigned), context);
}

void ConsumerMembership::note(RebalanceEvent::Kind kind, std::vector<TopicPartition> partitions,
                              ConsumerContext& context) {
  if (kind != RebalanceEvent::Kind::assigned && !partitions.empty()) {
    node::report(context.out, observe::PartitionsRevoked{context.identity.service, context.identity.member,
                                                         partitions, kind == RebalanceEvent::Kind::lost});
  }
  events_.push_back(RebalanceEvent{kind, std::move(partitions)});
}

void ConsumerMembership::leave(ConsumerContext& context) {
  const bool was_member = is_member() && state_ != State::leaving;
  std::vector<TopicPartition> dropped = context.subscriptions.assigned();
  if (!dropped.empty()) {
    const bool lost = member_epoch_ <= kJoinEpoch;
    note(lost ? RebalanceEvent::Kind::lost : RebalanceEvent::Kind::revoked, std::move(dropped), context);
  }
  clear_assignment(context);
  poll_timer_expired_ = false;
  if (!was_member) {
    if (state_ != State::fatal) state_ = State::unsubscribed;
    return;
  }
  member_epoch_ = leave_epoch(context);
  state_ = State::leaving;
  poll_heartbeat(context);
}

LocalTime ConsumerMembership::next_wakeup(const ConsumerContext& context) const {
  LocalTime next = LocalTime::max();
  const auto consider = [&](LocalTime at) {
    if (at > context.now()) next = std::min(next, at);
  };
  if (coordinator_ == kNoProcess && find_coordinator_ == 0) consider(lookup_allowed_at_);
  if (coordinator_ != kNoProcess && is_member()) {
    if (!heartbeat_awaited_) consider(std::max(heartbeat_due_, heartbeat_allowed_at_));
    if (!context.in_poll) consider(poll_ends_);
  }
  for (const Commit& commit : commits_) {
    if (commit.id != 0) continue;
    consider(commit.retry_at);
    consider(commit.deadline);
  }
  if (context.in_poll) {
    if (context.config.enable_auto_commit) consider(next_auto_commit_);
    consider(offset_fetch_allowed_at_);
  }
  return next;
}

}  // namespace sim::client
