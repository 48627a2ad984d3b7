#include "workload/offset_reset.h"

#include <algorithm>
#include <string>
#include <utility>

namespace sim::workload {
namespace {

using client::AdminClient;

const client::AdminConfig kResetConfig{};

bool has_moved(ErrorCode error) {
  switch (error) {
    case ErrorCode::not_leader_or_follower:
    case ErrorCode::leader_not_available:
    case ErrorCode::fenced_leader_epoch:
    case ErrorCode::unknown_leader_epoch:
    case ErrorCode::offset_not_available:
    case ErrorCode::unknown_topic_or_partition:
    case ErrorCode::kafka_storage_error:
    case ErrorCode::replica_not_available: return true;
    default: return false;
  }
}

}  // namespace

OffsetReset::Call OffsetReset::begin(node::Env env) {
  gives_up_at_ = env.now + from_millis(kResetConfig.default_api_timeout_ms);
  return ask_metadata();
}

OffsetReset::Call OffsetReset::ask_metadata() const {
  MetadataRequest request;
  request.topics = {wanted_.topic};
  request.allow_auto_topic_creation = false;
  return {std::move(request), AdminClient::LeastLoaded{}, {}};
}

std::optional<OffsetReset::Call> OffsetReset::answered(const Message& answer, node::Env env) {
  if (const auto* metadata = std::get_if<MetadataResponse>(&answer)) return on(*metadata, env);
  if (const auto* listed = std::get_if<ListOffsetsResponse>(&answer)) return on(*listed, env);
  if (const auto* committed = std::get_if<OffsetCommitResponse>(&answer)) return on(*committed);
  if (const auto* found = std::get_if<FindCoordinatorResponse>(&answer))
    results_.push_back({"", found->error});
  return std::nullopt;
}

std::optional<OffsetReset::Call> OffsetReset::on(const MetadataResponse& answer, node::Env env) {
  partitions_.clear();
  questions_.clear();
  for (const MetadataResponse::Topic& topic : answer.topics) {
    if (topic.error != ErrorCode::none) return begin_again(topic.error, env);
    for (const MetadataResponse::Partition& partition : topic.partitions) {
      const std::vector<std::int32_t>& some = wanted_.partitions;
      if (!some.empty() && std::find(some.begin(), some.end(), partition.index) == some.end()) continue;
      if (partition.leader == kNoNode) return begin_again(ErrorCode::leader_not_available, env);
      partitions_.push_back({{topic.id, partition.index}, partition.leader});
    }
  }
  if (partitions_.empty()) {
    results_.push_back({wanted_.topic, ErrorCode::unknown_topic_or_partition});
    return std::nullopt;
  }
  std::vector<NodeId> leaders;
  for (const Found& partition : partitions_) leaders.push_back(partition.leader);
  std::sort(leaders.begin(), leaders.end());
  leaders.erase(std::unique(leaders.begin(), leaders.end()), leaders.end());
  for (const NodeId leader : leaders) {
    questions_.push_back({leader, kEarliestTimestamp});
    questions_.push_back({leader, kLatestTimestamp});
    if (wanted_.to == ResetOffsets::To::time)
      questions_.push_back({leader, env.wall_ms() - millis(wanted_.before)});
  }
  return next_call();
}

std::optional<OffsetReset::Call> OffsetReset::on(const ListOffsetsResponse& answer, node::Env env) {
  const Question asked = questions_.back();
  for (const ListOffsetsResponse::Partition& told : answer.partitions) {
    if (has_moved(told.error)) return begin_again(told.error, env);
    const auto found = std::find_if(partitions_.begin(), partitions_.end(),
                                    [&told](const Found& one) { return one.tp == told.tp; });
    if (told.error != ErrorCode::none || found == partitions_.end()) {
      results_.push_back({wanted_.topic + "-" + std::to_string(told.tp.partition), told.error});
      return std::nullopt;
    }
    if (asked.timestamp == kEarliestTimestamp) {
      found->earliest = told.offset;
    } else if (asked.timestamp == kLatestTimestamp) {
      found->latest = told.offset;
    } else {
      found->at_time = told.offset;
    }
  }
  questions_.pop_back();
  return next_call();
}

std::optional<OffsetReset::Call> OffsetReset::on(const OffsetCommitResponse& answer) {
  for (const OffsetCommitResponse::Partition& one : answer.partitions) {
    results_.push_back({wanted_.topic + "-" + std::to_string(one.tp.partition), one.error});
    committed_ = committed_ || one.error == ErrorCode::none;
  }
  return std::nullopt;
}

std::optional<OffsetReset::Call> OffsetReset::next_call() const {
  if (questions_.empty()) {
    OffsetCommitRequest commit;  // of no member and no generation: the group has to be empty
    commit.group = wanted_.group;
    for (const Found& partition : partitions_)
      commit.partitions.push_back({partition.tp, target(partition), kNoLeaderEpoch});
    return Call{std::move(commit), AdminClient::GroupCoordinator{wanted_.group}, {}};
  }
  ListOffsetsRequest list;
  for (const Found& partition : partitions_) {
    if (partition.leader == questions_.back().leader)
      list.partitions.push_back({partition.tp, kNoLeaderEpoch, questions_.back().timestamp});
  }
  return Call{std::move(list), questions_.back().leader, {}};
}

std::optional<OffsetReset::Call> OffsetReset::begin_again(ErrorCode error, node::Env env) {
  if (env.now >= gives_up_at_) {
    results_.push_back({wanted_.topic, error});
    return std::nullopt;
  }
  Call call = ask_metadata();
  call.wait = from_millis(kResetConfig.retry_backoff_ms);
  return call;
}

Offset OffsetReset::target(const Found& partition) const {
  switch (wanted_.to) {
    case ResetOffsets::To::earliest: return partition.earliest;
    case ResetOffsets::To::latest: return partition.latest;
    case ResetOffsets::To::offset: return std::clamp(wanted_.offset, partition.earliest, partition.latest);
    case ResetOffsets::To::time: return partition.at_time == kNoOffset ? partition.latest : partition.at_time;
  }
  return partition.latest;
}

}  // namespace sim::workload
