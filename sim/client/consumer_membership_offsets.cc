// Committing offsets and fetching committed ones, protocol of KIP-848 (CommitRequestManager in Kafka).
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "client/consumer_membership.h"

namespace sim::client {

// ---- Commits

// Of everything poll() has returned so far, handled or not; looked at only in poll(). One that fails is not
// tried again before the next interval.
void ConsumerMembership::maybe_auto_commit(ConsumerContext& context) {
  if (!context.config.enable_auto_commit || context.now() < next_auto_commit_ || auto_commit_in_flight_)
    return;
  next_auto_commit_ = context.now() + from_millis(context.config.auto_commit_interval_ms);
  CommitOffsets offsets = context.subscriptions.all_consumed();
  if (offsets.empty()) return;
  auto_commit_in_flight_ = true;
  Commit commit;
  commit.purpose = CommitPurpose::automatic;
  commit.offsets = std::move(offsets);
  add_commit(std::move(commit), context);
}

void ConsumerMembership::commit_async(CommitOffsets offsets, ConsumerContext& context) {
  if (offsets.empty()) return void(async_results_.push_back(CommitError::none));
  Commit commit;
  commit.purpose = CommitPurpose::async;
  commit.offsets = std::move(offsets);
  add_commit(std::move(commit), context);
}

void ConsumerMembership::commit_sync(CommitOffsets offsets, Duration timeout, ConsumerContext& context) {
  if (offsets.empty()) {
    sync_commit_result_ = CommitError::none;
    return;
  }
  sync_commit_pending_ = true;
  Commit commit;
  commit.purpose = CommitPurpose::sync;
  commit.offsets = std::move(offsets);
  commit.deadline = context.now() + timeout;
  add_commit(std::move(commit), context);
}

void ConsumerMembership::add_commit(Commit commit, ConsumerContext& context) {
  commits_.push_back(std::move(commit));
  if (knows_coordinator(context)) {
    send_commit(commits_.back(), context);
  } else {
    look_up_coordinator(context);
  }
}

// Those that wait for a coordinator or for their back-off; and gives up those that have waited too long.
void ConsumerMembership::send_commits(ConsumerContext& context) {
  const bool can_send = knows_coordinator(context);
  std::vector<Commit> expired;
  for (std::size_t i = 0; i < commits_.size();) {
    Commit& commit = commits_[i];
    if (commit.id == 0 && context.now() >= commit.deadline) {
      expired.push_back(std::move(commit));
      commits_.erase(commits_.begin() + static_cast<std::ptrdiff_t>(i));
      continue;
    }
    if (commit.id == 0 && can_send && context.now() >= commit.retry_at) send_commit(commit, context);
    ++i;
  }
  for (Commit& commit : expired) commit_done(std::move(commit), ErrorCode::request_timed_out, context);
}

// A consumer that is no member says so by an epoch of -1.
void ConsumerMembership::send_commit(Commit& commit, ConsumerContext& context) {
  for (const OffsetCommitRequest::Partition& partition : commit.offsets) {
    node::report(context.out, observe::CommitSent{context.identity.service, context.identity.member,
                                                  partition.tp, partition.offset});
  }
  OffsetCommitRequest request;
  request.group = context.config.group_id;
  request.generation = member_epoch_ > kJoinEpoch ? member_epoch_ : kNoGeneration;
  request.member_id = member_id_;
  request.group_instance_id = context.config.group_instance_id;
  request.partitions = commit.offsets;
  commit.id = context.coordination.send(coordinator_, std::move(request), context.env, context.out);
}

void ConsumerMembership::on_commit(Commit commit, const OffsetCommitResponse* response,
                                   ConsumerContext& context) {
  const ErrorCode error = first_error(commit, response, context);
  commit.id = 0;
  commit_done(std::move(commit), error, context);
}

// The first error decides (OffsetCommitRequestState.onResponse).
ErrorCode ConsumerMembership::first_error(const Commit& commit, const OffsetCommitResponse* response,
                                          ConsumerContext& context) {
  const auto acknowledge = [&](TopicPartition tp, Offset offset, ErrorCode error) {
    node::report(context.out, observe::CommitAcknowledged{context.identity.service, context.identity.member,
                                                          tp, offset, error});
  };
  if (response == nullptr) {
    for (const auto& partition : commit.offsets)
      acknowledge(partition.tp, partition.offset, ErrorCode::network_exception);
    return ErrorCode::network_exception;
  }
  ErrorCode first = ErrorCode::none;
  auto sent = commit.offsets.begin();
  for (const OffsetCommitResponse::Partition& answer : response->partitions) {
    sent = std::find_if(sent, commit.offsets.end(), [&](const auto& one) { return one.tp == answer.tp; });
    SIM_CHECK(sent != commit.offsets.end(), "a coordinator answers for what it was asked, in that order");
    acknowledge(answer.tp, sent->offset, answer.error);
    if (first == ErrorCode::none) first = answer.error;
    ++sent;
  }
  if (first == ErrorCode::coordinator_not_available || first == ErrorCode::not_coordinator ||
      first == ErrorCode::request_timed_out)
    coordinator_ = kNoProcess;
  return first;
}

void ConsumerMembership::try_again(Commit commit, ConsumerContext& context) {
  commit.retry_at = context.now() + backoff(commit.failures++, context);
  commits_.push_back(std::move(commit));
}

namespace {

// As the application hears of it; what is retriable has been tried again before, or is told as such.
CommitError told_to_application(ErrorCode error) {
  switch (error) {
    case ErrorCode::none: return CommitError::none;
    case ErrorCode::unknown_member_id:
    case ErrorCode::stale_member_epoch: return CommitError::commit_failed;
    default: return is_retriable(error) ? CommitError::retriable : CommitError::unexpected;
  }
}

}  // namespace

void ConsumerMembership::commit_done(Commit commit, ErrorCode error, ConsumerContext& context) {
  const bool expired = context.now() >= commit.deadline;
  switch (commit.purpose) {
    case CommitPurpose::sync:
      if (is_retriable(error) && !expired) return try_again(std::move(commit), context);
      sync_commit_pending_ = false;
      sync_commit_result_ = is_retriable(error) ? CommitError::timed_out : told_to_application(error);
      return;
    case CommitPurpose::async: return void(async_results_.push_back(told_to_application(error)));
    case CommitPurpose::automatic: auto_commit_in_flight_ = false; return;
    case CommitPurpose::reconciliation: {
      // In a new epoch it is tried with that; otherwise the partitions are given up without it.
      const bool in_new_epoch = error == ErrorCode::stale_member_epoch && member_epoch_ > kJoinEpoch;
      const bool may_succeed = is_retriable(error) && error != ErrorCode::unknown_topic_or_partition;
      if ((may_succeed || in_new_epoch) && !expired && state_ == State::reconciling) {
        commit.offsets = context.subscriptions.all_consumed();
        return try_again(std::move(commit), context);
      }
      auto_commit_in_flight_ = false;
      return revoke_and_assign(context);
    }
  }
}

// ---- Committed offsets

ConsumerMembership::PollOutcome ConsumerMembership::init_with_committed_offsets(ConsumerContext& context) {
  std::vector<TopicPartition> initializing;
  for (const SubscriptionState::Partition& partition : context.subscriptions.partitions()) {
    if (partition.state == FetchState::initializing) initializing.push_back(partition.tp);
  }
  if (initializing.empty()) return {};
  if (initializing != offset_fetch_partitions_) {  // what was asked for is of no use
    offset_fetch_ = 0;
    committed_offsets_.reset();
    offset_fetch_partitions_ = std::move(initializing);
  }
  if (offset_fetch_error_ != ConsumerError::none)
    return {Progress::done, std::exchange(offset_fetch_error_, ConsumerError::none)};
  if (committed_offsets_) {
    adopt_committed_offsets(*std::exchange(committed_offsets_, std::nullopt), context);
    offset_fetch_partitions_.clear();
    return {};
  }
  if (offset_fetch_ == 0 && context.now() >= offset_fetch_allowed_at_) {
    if (knows_coordinator(context)) {
      send_offset_fetch(context);
    } else {
      look_up_coordinator(context);
    }
  }
  return {Progress::blocked, ConsumerError::none};
}

void ConsumerMembership::send_offset_fetch(ConsumerContext& context) {
  OffsetFetchRequest request;
  request.group = context.config.group_id;
  request.require_stable = true;
  request.partitions = offset_fetch_partitions_;
  if (member_epoch_ > kJoinEpoch) {
    request.member_id = member_id_;
    request.member_epoch = member_epoch_;
  }
  offset_fetch_ = context.coordination.send(coordinator_, std::move(request), context.env, context.out);
}

void ConsumerMembership::on_offset_fetch(OffsetFetchResponse* response, ConsumerContext& context) {
  ErrorCode error = response == nullptr ? ErrorCode::network_exception : response->error;
  if (error == ErrorCode::coordinator_not_available || error == ErrorCode::not_coordinator)
    coordinator_ = kNoProcess;
  if (error == ErrorCode::none) {
    for (const OffsetFetchResponse::Partition& partition : response->partitions) {
      if (partition.error == ErrorCode::none) continue;
      error = partition.error == ErrorCode::unstable_offset_commit ? partition.error
                                                                   : ErrorCode::unknown_server_error;
    }
  }
  const bool of_other_epoch = error == ErrorCode::stale_member_epoch || error == ErrorCode::unknown_member_id;
  if (error == ErrorCode::none) {
    committed_offsets_ = std::move(*response);
    offset_fetch_failures_ = 0;
  } else if (is_retriable(error) || of_other_epoch) {
    offset_fetch_allowed_at_ = context.now() + backoff(offset_fetch_failures_++, context);
  } else {
    offset_fetch_error_ = error == ErrorCode::group_authorization_failed
                              ? ConsumerError::group_authorization_failed
                              : ConsumerError::unexpected;
  }
}

// Without a committed offset a partition keeps waiting for the reset policy.
void ConsumerMembership::adopt_committed_offsets(const OffsetFetchResponse& response,
                                                 ConsumerContext& context) {
  for (const OffsetFetchResponse::Partition& committed : response.partitions) {
    if (committed.offset < 0 || !context.subscriptions.is_assigned(committed.tp)) continue;
    if (committed.leader_epoch != kNoLeaderEpoch)
      context.metadata.see_leader_epoch(committed.tp, committed.leader_epoch);
    context.subscriptions.seek_unvalidated(
        committed.tp,
        FetchPosition{committed.offset, committed.leader_epoch, context.current_leader(committed.tp)});
  }
}

}  // namespace sim::client
