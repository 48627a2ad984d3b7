#include "client/consumer_coordinator.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace sim::client {

ConsumerCoordinator::ConsumerCoordinator(const ConsumerConfig& config)
    : protocol_(rebalance_protocol(config.partition_assignment_strategy)),
      heartbeat_(config),
      next_auto_commit_(from_millis(config.auto_commit_interval_ms)),
      first_auto_commit_(from_millis(config.first_auto_commit_ms)) {}

void ConsumerCoordinator::start(std::vector<std::string> topics, LocalTime now) {
  topics_ = std::move(topics);
  next_auto_commit_ += now.time_since_epoch();
}

Duration ConsumerCoordinator::backoff(std::int32_t failures, ConsumerContext& context) const {
  return node::exponential_backoff(from_millis(context.config.retry_backoff_ms),
                                   from_millis(context.config.retry_backoff_max_ms), failures,
                                   context.env.rng);
}

// ---- poll()

ConsumerCoordinator::PollOutcome ConsumerCoordinator::poll(ConsumerContext& context) {
  update_snapshot(context);
  if (join_answer_) {
    const JoinGroupResponse answer = *std::exchange(join_answer_, std::nullopt);
    on_join(&answer, context);
  }
  if (std::exchange(auto_commit_to_retry_, false))
    next_auto_commit_ = context.now() + from_millis(context.config.retry_backoff_ms);
  if (async_commit_fenced_) return {Progress::done, ConsumerError::fenced_instance_id};
  if (heartbeat_failure_ != ConsumerError::none) {
    heartbeat_started_ = false;
    return {Progress::done, std::exchange(heartbeat_failure_, ConsumerError::none)};
  }
  heartbeat_.polled(context.now());
  if (coordinator_unknown(context)) {
    look_up_coordinator(context);
    if (lookup_error_ != ConsumerError::none)
      return {Progress::done, std::exchange(lookup_error_, ConsumerError::none)};
    return {Progress::blocked, ConsumerError::none};
  }
  if (rejoin_needed_or_pending(context)) {
    ConsumerError error = ConsumerError::none;
    if (!ensure_active_group(context, error)) return {Progress::joining, error};
  }
  maybe_auto_commit(context);
  return {};
}

// ---- Finding the coordinator

bool ConsumerCoordinator::coordinator_unknown(ConsumerContext& context) {
  if (coordinator_ != kNoProcess && context.coordination.is_unavailable(coordinator_, context.now())) {
    mark_coordinator_unknown(true, context);
  }
  return coordinator_ == kNoProcess;
}

void ConsumerCoordinator::look_up_coordinator(ConsumerContext& context) {
  if (coordinator_ != kNoProcess || find_coordinator_ != 0 || context.now() < lookup_allowed_at_) return;
  const ProcessId node = context.metadata.least_loaded(context.data.client(), context.env);
  if (node == kNoProcess) return lookup_failed(context);
  find_coordinator_ =
      context.data.send(node, FindCoordinatorRequest{context.config.group_id}, context.env, context.out);
}

void ConsumerCoordinator::on_find_coordinator(const FindCoordinatorResponse* response,
                                              ConsumerContext& context) {
  if (response == nullptr) return lookup_failed(context);
  if (response->error != ErrorCode::none) {
    if (response->error == ErrorCode::group_authorization_failed) {
      lookup_error_ = ConsumerError::group_authorization_failed;
    } else if (!is_retriable(response->error)) {
      lookup_error_ = ConsumerError::unexpected;
    }
    return lookup_failed(context);
  }
  coordinator_ = response->endpoint;
  if (coordinator_unknown(context)) return lookup_failed(context);
  lookup_failures_ = 0;
  lookup_allowed_at_ = LocalTime::min();
  context.coordination.client().ready(coordinator_, context.env, context.out);
  heartbeat_.reset_session_timeout(context.now());
  for (CommitOffsets& offsets : std::exchange(commits_awaiting_coordinator_, {}))
    commit_async(std::move(offsets), context);
}

// Each poll() counts its attempts anew, and lasts about as long as one; only commitSync waits for many.
void ConsumerCoordinator::lookup_failed(ConsumerContext& context) {
  if (!context.in_commit_sync) lookup_failures_ = 0;
  lookup_allowed_at_ = context.now() + backoff(lookup_failures_++, context);
  context.metadata.request_update();
  for (std::size_t i = 0; i < commits_awaiting_coordinator_.size(); ++i)
    commit_done(CommitPurpose::async, CommitError::retriable, context);
  commits_awaiting_coordinator_.clear();
}

void ConsumerCoordinator::mark_coordinator_unknown(bool disconnected, ConsumerContext& context) {
  if (coordinator_ == kNoProcess) return;
  const ProcessId old = std::exchange(coordinator_, kNoProcess);
  if (!disconnected) context.coordination.disconnect(old, context.env, context.out);
}

void ConsumerCoordinator::on_unavailable(ProcessId server, ConsumerContext& context) {
  if (server == coordinator_) mark_coordinator_unknown(true, context);
}

// ---- Answers

bool ConsumerCoordinator::on_completion(ConsumerNetwork::Completion& completion, ConsumerContext& context) {
  if (!completion.response && completion.server == coordinator_) mark_coordinator_unknown(true, context);
  const auto answer = [&]<class Response>() {
    return completion.response ? &std::get<Response>(*completion.response) : nullptr;
  };
  if (completion.id == join_request_) {
    join_request_ = 0;
    const auto* response = answer.template operator()<JoinGroupResponse>();
    if (response != nullptr && !context.in_poll) {
      join_answer_ = *response;
    } else {
      on_join(response, context);
    }
  } else if (completion.id == sync_request_) {
    sync_request_ = 0;
    on_sync(answer.template operator()<SyncGroupResponse>(), context);
  } else if (completion.id == offset_fetch_) {
    offset_fetch_ = 0;
    on_offset_fetch(answer.template operator()<OffsetFetchResponse>(), context);
  } else if (const auto commit = std::find_if(commits_.begin(), commits_.end(),
                                              [&](const auto& c) { return c.id == completion.id; });
             commit != commits_.end()) {
    const CommitInFlight sent = std::move(*commit);
    commits_.erase(commit);
    on_commit(sent, answer.template operator()<OffsetCommitResponse>(), context);
  } else if (const auto beat = std::find_if(heartbeats_in_flight_.begin(), heartbeats_in_flight_.end(),
                                            [&](const auto& h) { return h.first == completion.id; });
             beat != heartbeats_in_flight_.end()) {
    const MemberGeneration sent = std::move(beat->second);
    heartbeats_in_flight_.erase(beat);
    on_heartbeat(sent, answer.template operator()<HeartbeatResponse>(), context);
  } else {
    return false;  // LeaveGroup, or a request that nobody waits for any more
  }
  return true;
}

bool ConsumerCoordinator::on_data_completion(ConsumerNetwork::Completion& completion,
                                             ConsumerContext& context) {
  if (completion.id != find_coordinator_) return false;
  find_coordinator_ = 0;
  on_find_coordinator(
      completion.response ? &std::get<FindCoordinatorResponse>(*completion.response) : nullptr, context);
  return true;
}

// ---- The heartbeat thread

void ConsumerCoordinator::background(ConsumerContext& context) {
  if (!commits_awaiting_coordinator_.empty()) look_up_coordinator(context);
  const bool joined = state_ == MemberState::completing_rebalance || state_ == MemberState::stable;
  if (!joined || heartbeat_failure_ != ConsumerError::none) heartbeat_enabled_ = false;
  if (heartbeat_enabled_) {
    if (!coordinator_unknown(context) && context.now() >= heartbeat_.session_ends())
      mark_coordinator_unknown(false, context);
    if (coordinator_ == kNoProcess) {
      look_up_coordinator(context);
    } else if (!context.in_poll && context.now() >= heartbeat_.poll_ends()) {
      maybe_leave_group(LeaveReason::poll_timeout, context);  // the application has stalled
    } else if (context.now() >= heartbeat_.next()) {
      send_heartbeat(context);
    }
  }
  if (commit_sync_under_way()) progress_sync_commit(context);
}

void ConsumerCoordinator::send_heartbeat(ConsumerContext& context) {
  heartbeat_.sent(context.now());
  HeartbeatRequest request{context.config.group_id, generation_.number, generation_.member_id,
                           context.config.group_instance_id};
  const RequestId id = context.coordination.send(coordinator_, std::move(request), context.env, context.out);
  heartbeats_in_flight_.emplace_back(id, generation_);
}

void ConsumerCoordinator::on_heartbeat(const MemberGeneration& sent, const HeartbeatResponse* response,
                                       ConsumerContext& context) {
  if (response == nullptr) return heartbeat_.failed(context.now(), context.env.rng);
  const bool unchanged = sent == generation_;
  switch (response->error) {
    case ErrorCode::none: return heartbeat_.received(context.now());
    case ErrorCode::rebalance_in_progress:
      if (state_ == MemberState::stable) request_rejoin();
      return heartbeat_.received(context.now());  // alive: the rebalance waits for this member
    case ErrorCode::illegal_generation:
    case ErrorCode::unknown_member_id:
    case ErrorCode::fenced_instance_id:
      if (!unchanged) return heartbeat_.received(context.now());
      reset_state_and_rejoin(response->error != ErrorCode::illegal_generation);
      if (response->error == ErrorCode::fenced_instance_id) {
        heartbeat_failure_ = ConsumerError::fenced_instance_id;
        return;
      }
      break;
    case ErrorCode::coordinator_not_available:
    case ErrorCode::not_coordinator: mark_coordinator_unknown(false, context); break;
    case ErrorCode::group_authorization_failed:
      heartbeat_failure_ = ConsumerError::group_authorization_failed;
      return;
    default: break;  // unexpected, and tried again
  }
  heartbeat_.failed(context.now(), context.env.rng);
}

void ConsumerCoordinator::maybe_leave_group(LeaveReason reason, ConsumerContext& context) {
  const bool dynamic = context.config.group_instance_id.empty();
  if (dynamic && !coordinator_unknown(context) && state_ != MemberState::unjoined &&
      !generation_.member_id.empty()) {
    LeaveGroupRequest request{context.config.group_id, generation_.member_id, {}, reason};
    context.coordination.send(coordinator_, std::move(request), context.env,
                              context.out);  // no one waits for the answer
  }
  reset_state_and_rejoin(true);
}

void ConsumerCoordinator::leave(ConsumerContext& context) {
  heartbeat_started_ = heartbeat_enabled_ = false;
  std::vector<TopicPartition> dropped = context.subscriptions.assigned();
  if (!dropped.empty()) {
    const bool lost =
        generation_.number == kNoGeneration || generation_.member_id.empty() || rebalance_in_progress();
    note(lost ? RebalanceEvent::Kind::lost : RebalanceEvent::Kind::revoked, std::move(dropped), context);
    context.subscriptions.assign({});
  }
  maybe_leave_group(LeaveReason::closed, context);
}

LocalTime ConsumerCoordinator::next_wakeup(const ConsumerContext& context) const {
  LocalTime next = LocalTime::max();
  const auto consider = [&](LocalTime at) {
    if (at > context.now()) next = std::min(next, at);
  };
  const bool wants_coordinator = heartbeat_enabled_ || context.in_poll || commit_sync_under_way() ||
                                 !commits_awaiting_coordinator_.empty();
  if (coordinator_ == kNoProcess && find_coordinator_ == 0 && wants_coordinator) consider(lookup_allowed_at_);
  if (coordinator_ != kNoProcess && heartbeat_enabled_) {
    consider(heartbeat_.next());
    consider(heartbeat_.session_ends());
    if (!context.in_poll) consider(heartbeat_.poll_ends());
  }
  if (commit_sync_under_way()) {
    consider(sync_commit_->deadline);
    if (!sync_commit_->in_flight) consider(sync_commit_->retry_at);
  }
  if (context.in_poll) {
    if (context.config.enable_auto_commit) consider(next_auto_commit_);
    consider(join_allowed_at_);
    consider(join_prepare_retry_at_);
    if (join_prepare_ends_) consider(*join_prepare_ends_);
    consider(offset_fetch_allowed_at_);
  }
  return next;
}

}  // namespace sim::client
