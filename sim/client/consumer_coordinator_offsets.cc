// Committing offsets and fetching committed ones.
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "client/consumer_coordinator.h"

namespace sim::client {

// ---- Commits

// Of everything poll() has returned so far, handled or not; checked only in poll().
void ConsumerCoordinator::maybe_auto_commit(ConsumerContext& context) {
  if (!context.config.enable_auto_commit || context.now() < next_auto_commit_) return;
  next_auto_commit_ = context.now() + from_millis(context.config.auto_commit_interval_ms);
  CommitOffsets offsets = context.subscriptions.all_consumed();
  if (offsets.empty()) return;
  const CommitError error = send_commit(std::move(offsets), CommitPurpose::automatic, context);
  if (error != CommitError::none) commit_done(CommitPurpose::automatic, error, context);
}

void ConsumerCoordinator::commit_async(CommitOffsets offsets, ConsumerContext& context) {
  if (offsets.empty()) return commit_done(CommitPurpose::async, CommitError::none, context);
  if (coordinator_unknown(context)) {
    commits_awaiting_coordinator_.push_back(std::move(offsets));
    return look_up_coordinator(context);
  }
  const CommitError error = send_commit(std::move(offsets), CommitPurpose::async, context);
  if (error != CommitError::none) commit_done(CommitPurpose::async, error, context);
}

void ConsumerCoordinator::commit_sync(CommitOffsets offsets, Duration timeout, ConsumerContext& context) {
  sync_commit_ =
      SyncCommit{std::move(offsets), context.now() + timeout, LocalTime::min(), 0, false, std::nullopt};
  if (sync_commit_->offsets.empty()) {
    sync_commit_->result = CommitError::none;
  } else {
    progress_sync_commit(context);
  }
}

std::optional<CommitError> ConsumerCoordinator::take_commit_sync_result() {
  if (!sync_commit_ || !sync_commit_->result) return std::nullopt;
  const CommitError result = *sync_commit_->result;
  sync_commit_.reset();
  return result;
}

void ConsumerCoordinator::progress_sync_commit(ConsumerContext& context) {
  SyncCommit& commit = *sync_commit_;
  if (context.now() >= commit.deadline) {
    commit.result = CommitError::timed_out;
    return;
  }
  if (commit.in_flight || context.now() < commit.retry_at) return;
  if (coordinator_unknown(context)) return look_up_coordinator(context);
  commit.in_flight = true;
  const CommitError error = send_commit(commit.offsets, CommitPurpose::sync, context);
  if (error != CommitError::none) commit_done(CommitPurpose::sync, error, context);
}

// An error tells that nothing was sent.
CommitError ConsumerCoordinator::send_commit(CommitOffsets offsets, CommitPurpose purpose,
                                             ConsumerContext& context) {
  if (coordinator_unknown(context)) return CommitError::retriable;
  if (state_ != MemberState::stable)
    return rebalance_in_progress() ? CommitError::rebalance_in_progress : CommitError::commit_failed;
  for (const OffsetCommitRequest::Partition& partition : offsets) {
    node::report(context.out, observe::CommitSent{context.identity.service, context.identity.member,
                                                  partition.tp, partition.offset});
  }
  OffsetCommitRequest request;
  request.group = context.config.group_id;
  request.generation = generation_.number;
  request.member_id = generation_.member_id;
  request.group_instance_id = context.config.group_instance_id;
  request.partitions = offsets;
  const RequestId id = context.coordination.send(coordinator_, std::move(request), context.env, context.out);
  commits_.push_back(CommitInFlight{id, purpose, generation_, std::move(offsets)});
  return CommitError::none;
}

void ConsumerCoordinator::on_commit(const CommitInFlight& commit, const OffsetCommitResponse* response,
                                    ConsumerContext& context) {
  const auto acknowledge = [&](TopicPartition tp, Offset offset, ErrorCode error) {
    node::report(context.out, observe::CommitAcknowledged{context.identity.service, context.identity.member,
                                                          tp, offset, error});
  };
  if (response == nullptr) {
    for (const auto& partition : commit.offsets)
      acknowledge(partition.tp, partition.offset, ErrorCode::network_exception);
    return commit_done(commit.purpose, CommitError::retriable, context);
  }
  // Answers come in the order in which was asked.
  auto sent = commit.offsets.begin();
  for (const OffsetCommitResponse::Partition& answer : response->partitions) {
    sent = std::find_if(sent, commit.offsets.end(), [&](const auto& p) { return p.tp == answer.tp; });
    SIM_CHECK(sent != commit.offsets.end(), "a coordinator answers for what it was asked, in that order");
    acknowledge(answer.tp, sent->offset, answer.error);
    ++sent;
  }
  commit_done(commit.purpose, judge_commit(commit, *response, context), context);
}

// OffsetCommitResponseHandler: the first error decides.
CommitError ConsumerCoordinator::judge_commit(const CommitInFlight& commit,
                                              const OffsetCommitResponse& response,
                                              ConsumerContext& context) {
  const auto failed = std::find_if(response.partitions.begin(), response.partitions.end(),
                                   [](const auto& partition) { return partition.error != ErrorCode::none; });
  if (failed == response.partitions.end()) return CommitError::none;
  const bool unchanged = commit.generation == generation_;
  const bool rejoining = state_ == MemberState::preparing_rebalance;
  switch (failed->error) {
    case ErrorCode::coordinator_load_in_progress:
    case ErrorCode::unknown_topic_or_partition: return CommitError::retriable;
    case ErrorCode::coordinator_not_available:
    case ErrorCode::not_coordinator:
    case ErrorCode::request_timed_out:
      mark_coordinator_unknown(false, context);
      return CommitError::retriable;
    case ErrorCode::fenced_instance_id:
      if (unchanged) return CommitError::fenced;
      return rejoining ? CommitError::rebalance_in_progress : CommitError::commit_failed;
    case ErrorCode::rebalance_in_progress: request_rejoin(); return CommitError::rebalance_in_progress;
    case ErrorCode::unknown_member_id:
    case ErrorCode::illegal_generation:
      if (!unchanged && rejoining) return CommitError::rebalance_in_progress;
      reset_state_and_rejoin(failed->error == ErrorCode::unknown_member_id);
      return CommitError::commit_failed;
    default: return CommitError::unexpected;
  }
}

void ConsumerCoordinator::commit_done(CommitPurpose purpose, CommitError error, ConsumerContext& context) {
  switch (purpose) {
    case CommitPurpose::sync: {
      if (!commit_sync_under_way()) return;
      sync_commit_->in_flight = false;
      if (error != CommitError::retriable) {
        sync_commit_->result = error;
      } else {
        sync_commit_->retry_at = context.now() + backoff(sync_commit_->failures++, context);
      }
      return;
    }
    case CommitPurpose::join_prepare:
      if (std::exchange(join_prepare_commit_in_flight_, false)) join_prepare_commit_ = error;
      break;
    case CommitPurpose::async: async_results_.push_back(error); break;
    case CommitPurpose::automatic:
      auto_commit_to_retry_ = auto_commit_to_retry_ || error == CommitError::retriable;
      break;
  }
  if (error == CommitError::fenced) async_commit_fenced_ = true;
}

// ---- Committed offsets

ConsumerCoordinator::PollOutcome ConsumerCoordinator::init_with_committed_offsets(ConsumerContext& context) {
  std::vector<TopicPartition> initializing;
  for (const SubscriptionState::Partition& partition : context.subscriptions.partitions()) {
    if (partition.state == FetchState::initializing) initializing.push_back(partition.tp);
  }
  if (initializing.empty()) return {};
  const MemberGeneration stable = state_ == MemberState::stable ? generation_ : MemberGeneration{};
  if (initializing != offset_fetch_partitions_ ||
      stable != offset_fetch_generation_) {  // what was asked for is of no use
    offset_fetch_ = 0;
    committed_offsets_.reset();
    offset_fetch_partitions_ = std::move(initializing);
    offset_fetch_generation_ = stable;
  }
  if (offset_fetch_error_ != ConsumerError::none)
    return {Progress::done, std::exchange(offset_fetch_error_, ConsumerError::none)};
  if (committed_offsets_) {
    adopt_committed_offsets(*std::exchange(committed_offsets_, std::nullopt), context);
    offset_fetch_partitions_.clear();
    return {};
  }
  if (offset_fetch_ == 0 && context.now() >= offset_fetch_allowed_at_) {
    if (coordinator_unknown(context)) {
      look_up_coordinator(context);
    } else {
      send_offset_fetch(context);
    }
  }
  return {Progress::blocked, ConsumerError::none};
}

void ConsumerCoordinator::send_offset_fetch(ConsumerContext& context) {
  OffsetFetchRequest request;
  request.group = context.config.group_id;
  request.require_stable = true;
  request.partitions = offset_fetch_partitions_;
  offset_fetch_ = context.coordination.send(coordinator_, std::move(request), context.env, context.out);
}

void ConsumerCoordinator::on_offset_fetch(OffsetFetchResponse* response, ConsumerContext& context) {
  ErrorCode error = response == nullptr ? ErrorCode::network_exception : response->error;
  if (error == ErrorCode::coordinator_not_available || error == ErrorCode::not_coordinator)
    mark_coordinator_unknown(false, context);
  if (error == ErrorCode::none) {
    for (const OffsetFetchResponse::Partition& partition : response->partitions) {
      if (partition.error == ErrorCode::none) continue;
      error = partition.error == ErrorCode::unstable_offset_commit ? partition.error
                                                                   : ErrorCode::unknown_server_error;
    }
  }
  if (error == ErrorCode::none) {
    committed_offsets_ = std::move(*response);
    offset_fetch_failures_ = 0;
  } else if (is_retriable(error)) {
    offset_fetch_allowed_at_ = context.now() + backoff(offset_fetch_failures_++, context);
  } else {
    offset_fetch_error_ = error == ErrorCode::group_authorization_failed
                              ? ConsumerError::group_authorization_failed
                              : ConsumerError::unexpected;
  }
}

// Without a committed offset a partition keeps waiting for the reset policy.
void ConsumerCoordinator::adopt_committed_offsets(const OffsetFetchResponse& response,
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
