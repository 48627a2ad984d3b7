#include "group/group_coordinator.h"

#include "base/contains.h"
#include "group/responses.h"
#include "server/coordinators.h"

namespace sim::group {

namespace {

constexpr node::TimerId kGroupTimer{node::Part::group_coordinator, 0};

coordinator::RuntimeConfig runtime_config(const BrokerConfig& config) {
  return {kGroupTimer, config.offsets_topic_num_partitions,
          from_millis(config.group_coordinator_append_linger_ms), config.log.max_message_bytes,
          from_millis(config.offsets_commit_timeout_ms)};
}

ReplyTo reply_to(const Envelope& from) {
  return ReplyTo{from.channel, from.correlation};
}

}  // namespace

GroupCoordinator::GroupCoordinator(const BrokerConfig& config) : runtime_(runtime_config(config), config) {}

std::int32_t GroupCoordinator::partition_of(std::string_view group) const {
  return server::coordinator_partition(group, runtime_.partitions());
}

const ClassicGroup* GroupCoordinator::find_group(const std::string& name) const {
  const GroupShard* shard = runtime_.find_shard(partition_of(name));
  return shard == nullptr ? nullptr : shard->find(name);
}

void GroupCoordinator::clock_stepped(node::Env env, node::Effects& out) {
  runtime_.run_all(env, out,
                   [](GroupShard& shard, const GroupShard::Step& step) { shard.clock_stepped(step); });
}

// ---- Requests

ErrorCode GroupCoordinator::check(const std::string& group) const {
  return runtime_.check(partition_of(group));
}

template <class Request>
void GroupCoordinator::run(const Request& request, const ReplyTo& to, node::Env env, node::Effects& out) {
  runtime_.run(partition_of(request.group), env, out, [&](GroupShard& shard, const GroupShard::Step& step) {
    if (catalog_ != nullptr) shard.topics_changed(catalog_);
    shard.on(request, to, step);
  });
}

void GroupCoordinator::on(const JoinGroupRequest& request, const Envelope& from, node::Env env,
                          node::Effects& out) {
  const ReplyTo to = reply_to(from);
  const BrokerConfig& config = runtime_.config();
  if (request.group.empty()) return send(to, join_error(ErrorCode::invalid_group_id, request.member_id), out);
  if (request.session_timeout_ms < config.group_min_session_timeout_ms ||
      request.session_timeout_ms > config.group_max_session_timeout_ms)
    return send(to, join_error(ErrorCode::invalid_session_timeout, request.member_id), out);
  if (const ErrorCode error = check(request.group); error != ErrorCode::none)
    return send(to, join_error(error), out);
  run(request, to, env, out);
}

void GroupCoordinator::on(const SyncGroupRequest& request, const Envelope& from, node::Env env,
                          node::Effects& out) {
  const ReplyTo to = reply_to(from);
  const ErrorCode error = request.group.empty() ? ErrorCode::invalid_group_id : check(request.group);
  if (error != ErrorCode::none) return send(to, SyncGroupResponse{error, {}}, out);
  run(request, to, env, out);
}

// While the group is being loaded nobody can tell; the member is given the benefit of the doubt.
void GroupCoordinator::on(const HeartbeatRequest& request, const Envelope& from, node::Env env,
                          node::Effects& out) {
  const ReplyTo to = reply_to(from);
  const ErrorCode error = request.group.empty() ? ErrorCode::invalid_group_id : check(request.group);
  if (error == ErrorCode::coordinator_load_in_progress) return send(to, HeartbeatResponse{}, out);
  if (error != ErrorCode::none) return send(to, HeartbeatResponse{error}, out);
  run(request, to, env, out);
}

void GroupCoordinator::on(const LeaveGroupRequest& request, const Envelope& from, node::Env env,
                          node::Effects& out) {
  const ReplyTo to = reply_to(from);
  const ErrorCode error = request.group.empty() ? ErrorCode::invalid_group_id : check(request.group);
  if (error != ErrorCode::none) return send(to, LeaveGroupResponse{error}, out);
  run(request, to, env, out);
}

// GroupCoordinatorService.throwIfConsumerGroupHeartbeatRequestIsInvalid; whether the protocol is enabled is
// KafkaApis' affair there.
ErrorCode GroupCoordinator::validate(const ConsumerGroupHeartbeatRequest& request) const {
  const BrokerConfig& config = runtime_.config();
  if (!config.history.consumer_group_protocol || !config.group_consumer_protocol)
    return ErrorCode::unsupported_version;
  if (request.member_id.empty() || request.group.empty()) return ErrorCode::invalid_request;
  if (request.member_epoch == kJoinEpoch) {
    const bool subscribes = request.subscribed_topics || request.subscribed_regex;
    const bool owns_nothing = request.owned && request.owned->empty();
    if (request.rebalance_timeout_ms == kNoRebalanceTimeout || !owns_nothing || !subscribes)
      return ErrorCode::invalid_request;
  } else if (request.member_epoch == kLeaveStaticEpoch) {
    if (request.group_instance_id.empty()) return ErrorCode::invalid_request;
  } else if (request.member_epoch < kLeaveStaticEpoch) {
    return ErrorCode::invalid_request;
  }
  if (!request.server_assignor.empty() && !contains(config.group_consumer_assignors, request.server_assignor))
    return ErrorCode::unsupported_assignor;
  return ErrorCode::none;
}

void GroupCoordinator::on(const ConsumerGroupHeartbeatRequest& request, const Envelope& from, node::Env env,
                          node::Effects& out) {
  const ReplyTo to = reply_to(from);
  ErrorCode error = validate(request);
  if (error == ErrorCode::none) error = check(request.group);
  if (error != ErrorCode::none) {
    ConsumerGroupHeartbeatResponse refused;
    refused.error = error;
    return send(to, std::move(refused), out);
  }
  run(request, to, env, out);
}

void GroupCoordinator::on(const OffsetCommitRequest& request, const Envelope& from, node::Env env,
                          node::Effects& out) {
  const ReplyTo to = reply_to(from);
  if (const ErrorCode error = check(request.group); error != ErrorCode::none)
    return send(to, commit_response(request, error), out);
  run(request, to, env, out);
}

void GroupCoordinator::on(const OffsetFetchRequest& request, const Envelope& from, node::Env env,
                          node::Effects& out) {
  const ReplyTo to = reply_to(from);
  if (const ErrorCode error = check(request.group); error != ErrorCode::none) {
    OffsetFetchResponse refused;
    refused.error = error;
    return send(to, std::move(refused), out);
  }
  run(request, to, env, out);
}

// ---- Transactions

ErrorCode GroupCoordinator::check_transactional(const TxnOffsetCommitRequest& request) const {
  return request.group.empty() ? ErrorCode::invalid_group_id : check(request.group);
}

void GroupCoordinator::on(const TxnOffsetCommitRequest& request, std::uint64_t guard, const ReplyTo& to,
                          node::Env env, node::Effects& out) {
  if (const ErrorCode error = check_transactional(request); error != ErrorCode::none)
    return send(to, commit_response(request, error), out);
  runtime_.run_transactional(
      partition_of(request.group), {request.producer_id, request.producer_epoch, guard}, env, out,
      [&](GroupShard& shard, const GroupShard::Step& step) { shard.on(request, to, step); });
}

GroupCoordinator::MarkerWrite GroupCoordinator::complete_transaction(
    TopicPartition tp, const coordinator::TransactionalWriter& writer, const EndTransactionMarker& marker,
    node::Effects& out) {
  if (!runtime_.leads(tp)) return {ErrorCode::not_coordinator, 0};
  if (const ErrorCode error = runtime_.check(tp.partition); error != ErrorCode::none) return {error, 0};
  return {ErrorCode::none, runtime_.complete_transaction(tp.partition, writer, marker, out)};
}

}  // namespace sim::group
