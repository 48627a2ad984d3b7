#include "client/consumer_offset_fetcher.h"

#include <algorithm>
#include <map>
#include <utility>

namespace sim::client {
namespace {

void retry_later(TopicPartition tp, ConsumerContext& context) {
  context.subscriptions.set_next_retry(tp, context.now() + from_millis(context.config.retry_backoff_ms));
  context.metadata.request_update();
}

void report_reset(TopicPartition tp, Offset to, ConsumerContext& context) {
  node::report(context.out,
               observe::PositionReset{context.identity.service, context.identity.member, tp, to});
}

template <class Response>
const Response* response_of(const ConsumerNetwork::Completion& completion) {
  return completion.response ? &std::get<Response>(*completion.response) : nullptr;
}

// Removes the request of this id and returns it.
template <class Request>
std::optional<Request> take(std::vector<Request>& requests, ConsumerNetwork::RequestId id) {
  const auto found = std::find_if(requests.begin(), requests.end(),
                                  [&](const Request& request) { return request.id == id; });
  if (found == requests.end()) return std::nullopt;
  Request request = std::move(*found);
  requests.erase(found);
  return request;
}

}  // namespace

// ---- Validation (KIP-320)

void OffsetFetcher::validate_positions_on_metadata_change(ConsumerContext& context) {
  if (metadata_version_ == context.metadata.version()) return;
  metadata_version_ = context.metadata.version();
  for (const TopicPartition tp : context.subscriptions.assigned()) {
    context.subscriptions.maybe_validate_position(tp, context.current_leader(tp));
  }
}

ConsumerError OffsetFetcher::validate_positions(ConsumerContext& context) {
  if (pending_error_ != ConsumerError::none) return std::exchange(pending_error_, ConsumerError::none);
  validate_positions_on_metadata_change(context);
  if (context.subscriptions.has_all_fetch_positions()) return ConsumerError::none;

  std::map<NodeId, std::vector<std::pair<TopicPartition, FetchPosition>>> by_leader;
  for (const SubscriptionState::Partition& partition : context.subscriptions.partitions()) {
    if (partition.state != FetchState::await_validation || context.now() < partition.next_retry) continue;
    if (partition.position.current_leader.leader == kNoNode) continue;
    by_leader[partition.position.current_leader.leader].emplace_back(partition.tp, partition.position);
  }
  for (auto& [leader, positions] : by_leader) {
    const ProcessId endpoint = context.metadata.endpoint(leader);
    if (endpoint == kNoProcess) {
      context.metadata.request_update();
      continue;
    }
    if (!context.data.client().is_connected(endpoint)) {
      context.data.client().ready(endpoint, context.env, context.out);
      continue;
    }
    OffsetForLeaderEpochRequest request;
    for (const auto& [tp, position] : positions) {
      context.subscriptions.set_next_retry(tp,
                                           context.now() + from_millis(context.config.request_timeout_ms));
      request.partitions.push_back({tp, position.current_leader.leader_epoch, position.offset_epoch});
    }
    const ConsumerNetwork::RequestId id =
        context.data.send(endpoint, std::move(request), context.env, context.out);
    validations_.push_back(ValidationRequest{id, std::move(positions)});
  }
  return ConsumerError::none;
}

void OffsetFetcher::on_validation(const ValidationRequest& request,
                                  const OffsetForLeaderEpochResponse* response, ConsumerContext& context) {
  for (const auto& [tp, position] : request.positions) {
    const OffsetForLeaderEpochResponse::Partition* answer = nullptr;
    if (response != nullptr) {
      for (const OffsetForLeaderEpochResponse::Partition& partition : response->partitions) {
        if (partition.tp == tp) answer = &partition;
      }
    }
    if (answer == nullptr || answer->error != ErrorCode::none) {
      retry_later(tp, context);
      continue;
    }
    const Validation outcome = context.subscriptions.maybe_complete_validation(
        tp, position, answer->end_offset, answer->leader_epoch);
    if (outcome == Validation::truncated) report_reset(tp, answer->end_offset, context);
    if (outcome == Validation::truncation_error) pending_error_ = ConsumerError::log_truncation;
  }
}

// ---- Reset

// AutoOffsetResetStrategy.timestamp. Time begins at 0 here: what would lie before it is the beginning of all.
std::int64_t OffsetFetcher::reset_timestamp(AutoOffsetReset strategy, const ConsumerContext& context) {
  if (strategy == AutoOffsetReset::earliest) return kEarliestTimestamp;
  if (strategy != AutoOffsetReset::by_duration) return kLatestTimestamp;
  return std::max<std::int64_t>(0, context.env.wall_ms() - context.config.auto_offset_reset_duration_ms);
}

void OffsetFetcher::reset_positions(ConsumerContext& context) {
  std::map<std::pair<NodeId, AutoOffsetReset>, ListOffsetsRequest> by_leader;
  for (const SubscriptionState::Partition& partition : context.subscriptions.partitions()) {
    if (partition.state != FetchState::await_reset || context.now() < partition.next_retry) continue;
    const LeaderAndEpoch leader = context.current_leader(partition.tp);
    if (leader.leader == kNoNode) {
      context.metadata.request_update();
      continue;
    }
    if (context.data.is_unavailable(context.metadata.endpoint(leader.leader), context.now())) continue;
    const std::int64_t timestamp = reset_timestamp(partition.reset_strategy, context);
    by_leader[{leader.leader, partition.reset_strategy}].partitions.push_back(
        {partition.tp, leader.leader_epoch, timestamp});
  }
  for (auto& [key, request] : by_leader) {
    request.read_committed = context.config.isolation_level == IsolationLevel::read_committed;
    ResetRequest sent{0, key.second, {}};
    for (const ListOffsetsRequest::Partition& partition : request.partitions) {
      context.subscriptions.set_next_retry(partition.tp,
                                           context.now() + from_millis(context.config.request_timeout_ms));
      sent.partitions.push_back(partition.tp);
    }
    sent.id =
        context.data.send(context.metadata.endpoint(key.first), std::move(request), context.env, context.out);
    resets_.push_back(std::move(sent));
  }
}

void OffsetFetcher::on_reset(const ResetRequest& request, const ListOffsetsResponse* response,
                             ConsumerContext& context) {
  if (response == nullptr) {
    for (const TopicPartition tp : request.partitions) retry_later(tp, context);
    return;
  }
  for (const ListOffsetsResponse::Partition& partition : response->partitions) {
    if (partition.error != ErrorCode::none) {
      retry_later(partition.tp, context);
      continue;
    }
    if (partition.offset == kNoOffset) continue;
    if (partition.leader_epoch != kNoLeaderEpoch)
      context.metadata.see_leader_epoch(partition.tp, partition.leader_epoch);
    const LeaderAndEpoch leader = context.current_leader(partition.tp);
    if (context.subscriptions.maybe_seek_to_reset(partition.tp, request.strategy, partition.offset, leader)) {
      report_reset(partition.tp, partition.offset, context);
    }
  }
}

bool OffsetFetcher::on_completion(ConsumerNetwork::Completion& completion, ConsumerContext& context) {
  if (const auto reset = take(resets_, completion.id)) {
    on_reset(*reset, response_of<ListOffsetsResponse>(completion), context);
    return true;
  }
  if (const auto validation = take(validations_, completion.id)) {
    on_validation(*validation, response_of<OffsetForLeaderEpochResponse>(completion), context);
    return true;
  }
  return false;
}

}  // namespace sim::client
