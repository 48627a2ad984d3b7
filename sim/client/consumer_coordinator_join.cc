// The rebalance, seen by a member: JoinGroup, the leader's assignment, SyncGroup, and what is revoked and
// assigned.
#include <algorithm>
#include <iterator>
#include <utility>

#include "base/check.h"
#include "client/consumer_coordinator.h"

namespace sim::client {
namespace {

std::vector<TopicPartition> difference(const std::vector<TopicPartition>& a,
                                       const std::vector<TopicPartition>& b) {
  std::vector<TopicPartition> out;
  std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(out));
  return out;
}

TopicLayout layout_of(const MetadataClient::Topic& topic, bool with_racks, const MetadataClient& metadata) {
  TopicLayout layout;
  layout.id = topic.id;
  layout.name = topic.name;
  layout.partitions = static_cast<std::int32_t>(topic.partitions.size());
  if (!with_racks) return layout;
  for (const MetadataClient::Partition& partition : topic.partitions) {
    std::vector<std::string>& racks = layout.racks.emplace_back();
    for (const NodeId replica : partition.replicas) {
      if (const MetadataClient::Broker* broker = metadata.broker(replica)) racks.push_back(broker->rack);
    }
    std::sort(racks.begin(), racks.end());
  }
  return layout;
}

ConsumerError error_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::fenced_instance_id: return ConsumerError::fenced_instance_id;
    case ErrorCode::group_max_size_reached: return ConsumerError::group_max_size_reached;
    case ErrorCode::inconsistent_group_protocol: return ConsumerError::inconsistent_group_protocol;
    case ErrorCode::invalid_session_timeout: return ConsumerError::invalid_session_timeout;
    case ErrorCode::invalid_group_id: return ConsumerError::invalid_group_id;
    case ErrorCode::group_authorization_failed: return ConsumerError::group_authorization_failed;
    default: return ConsumerError::unexpected;
  }
}

}  // namespace

// ---- When to join

// maybeUpdateSubscriptionMetadata: what an assignment by this member would rest on.
void ConsumerCoordinator::update_snapshot(ConsumerContext& context) {
  if (context.metadata.version() == snapshot_.version) return;
  snapshot_.version = context.metadata.version();
  snapshot_.topics.clear();
  for (const std::string& name : topics_) {
    const MetadataClient::Topic* topic = context.metadata.find(name);
    if (topic != nullptr && topic->known()) {
      snapshot_.topics.push_back(layout_of(*topic, !context.config.client_rack.empty(), context.metadata));
    }
  }
}

bool ConsumerCoordinator::topics_known(const ConsumerContext& context) const {
  return std::all_of(topics_.begin(), topics_.end(), [&](const std::string& name) {
    const MetadataClient::Topic* topic = context.metadata.find(name);
    return topic != nullptr && topic->known();
  });
}

std::vector<TopicId> ConsumerCoordinator::subscription(const ConsumerContext& context) const {
  std::vector<TopicId> ids;
  for (const std::string& name : topics_) ids.push_back(context.metadata.find(name)->id);
  std::sort(ids.begin(), ids.end());
  return ids;
}

bool ConsumerCoordinator::rejoin_needed_or_pending(ConsumerContext& context) {
  const bool metadata_changed = assignment_snapshot_ && assignment_snapshot_->version != snapshot_.version &&
                                assignment_snapshot_->topics != snapshot_.topics;
  // A topic deleted and created again has another id.
  const bool subscription_changed =
      joined_subscription_ && topics_known(context) && *joined_subscription_ != subscription(context);
  if (metadata_changed || subscription_changed) {
    request_rejoin();
    return true;
  }
  return rejoin_needed_ || join_stage_ != JoinStage::none;
}

bool ConsumerCoordinator::rebalance_in_progress() const {
  return state_ == MemberState::preparing_rebalance || state_ == MemberState::completing_rebalance;
}

// joinGroupIfNeeded, never waiting: false if there is something to wait for.
bool ConsumerCoordinator::ensure_active_group(ConsumerContext& context, ConsumerError& error) {
  if (!topics_known(context)) return false;
  heartbeat_started_ = true;
  while (rejoin_needed_or_pending(context)) {
    if (coordinator_unknown(context)) {
      look_up_coordinator(context);
      return false;
    }
    if (context.now() < join_allowed_at_) return false;
    if (needs_join_prepare_) {
      if (!on_join_prepare(context)) return false;
      needs_join_prepare_ = false;
    }
    if (join_stage_ == JoinStage::none) initiate_join(context);
    if (join_stage_ == JoinStage::in_flight) return false;
    if (std::exchange(join_stage_, JoinStage::none) == JoinStage::failed) {
      if (!may_retry_join_at_once(context, error)) return false;
    } else if (state_ == MemberState::stable && generation_.number != kNoGeneration) {
      on_join_complete(context);
      needs_join_prepare_ = true;
    } else {  // lost between the answer and this poll
      reset_state_and_rejoin(true);
    }
  }
  return true;
}

bool ConsumerCoordinator::may_retry_join_at_once(ConsumerContext& context, ConsumerError& error) {
  request_rejoin();
  switch (join_error_) {
    case ErrorCode::unknown_member_id:
    case ErrorCode::illegal_generation:
    case ErrorCode::rebalance_in_progress:
    case ErrorCode::member_id_required: return true;
    default: break;
  }
  if (is_retriable(join_error_)) {
    join_allowed_at_ = context.now() + from_millis(context.config.retry_backoff_ms);
  } else {
    error = error_of(join_error_);
  }
  return false;
}

// ---- Before joining

bool ConsumerCoordinator::on_join_prepare(ConsumerContext& context) {
  if (!join_prepare_ends_)
    join_prepare_ends_ = context.now() + from_millis(context.config.max_poll_interval_ms);
  if (context.config.enable_auto_commit && !committed_before_join(context)) return false;
  revoke_before_join(context);
  is_leader_ = false;
  join_prepare_ends_.reset();
  join_prepare_commit_.reset();
  join_prepare_commit_in_flight_ = false;
  join_prepare_retry_at_ = LocalTime::min();
  return true;
}

// Retriable failures are retried while the rebalance timeout lasts; others are given up.
bool ConsumerCoordinator::committed_before_join(ConsumerContext& context) {
  if (context.now() >= *join_prepare_ends_) return true;
  if (!join_prepare_commit_in_flight_ && !join_prepare_commit_) {
    if (context.now() < join_prepare_retry_at_) return false;
    // What is fetched while the commit is under way must not move the positions past it (KAFKA-16103).
    if (protocol_ == RebalanceProtocol::eager) context.subscriptions.mark_pending_revocation();
    CommitOffsets offsets = context.subscriptions.all_consumed();
    if (offsets.empty()) return true;
    join_prepare_commit_in_flight_ = true;
    const CommitError error = send_commit(std::move(offsets), CommitPurpose::join_prepare, context);
    if (error != CommitError::none) commit_done(CommitPurpose::join_prepare, error, context);
  }
  if (join_prepare_commit_in_flight_) return false;
  if (*std::exchange(join_prepare_commit_, std::nullopt) != CommitError::retriable) return true;
  join_prepare_retry_at_ = context.now() + from_millis(context.config.retry_backoff_ms);
  return false;
}

void ConsumerCoordinator::revoke_before_join(ConsumerContext& context) {
  std::vector<TopicPartition> owned = context.subscriptions.assigned();
  if (generation_.number == kNoGeneration || generation_.member_id.empty()) {
    if (!owned.empty()) note(RebalanceEvent::Kind::lost, std::move(owned), context);
    context.subscriptions.assign({});
    return;
  }
  switch (protocol_) {
    case RebalanceProtocol::eager:
      note(RebalanceEvent::Kind::revoked, std::move(owned), context);
      context.subscriptions.assign({});
      return;
    case RebalanceProtocol::cooperative: {  // only topics that are no longer subscribed to
      const std::vector<TopicId> topics = subscription(context);
      const auto gone = std::stable_partition(owned.begin(), owned.end(), [&](TopicPartition tp) {
        return std::binary_search(topics.begin(), topics.end(), tp.topic);
      });
      if (gone == owned.end()) return;
      note(RebalanceEvent::Kind::revoked, std::vector<TopicPartition>(gone, owned.end()), context);
      owned.erase(gone, owned.end());
      context.subscriptions.assign(std::move(owned));
      return;
    }
  }
}

void ConsumerCoordinator::note(RebalanceEvent::Kind kind, std::vector<TopicPartition> partitions,
                               ConsumerContext& context) {
  if (kind != RebalanceEvent::Kind::assigned && !partitions.empty()) {
    node::report(context.out, observe::PartitionsRevoked{context.identity.service, context.identity.member,
                                                         partitions, kind == RebalanceEvent::Kind::lost});
  }
  events_.push_back(RebalanceEvent{kind, std::move(partitions)});
}

// ---- JoinGroup

void ConsumerCoordinator::initiate_join(ConsumerContext& context) {
  const ConsumerConfig& config = context.config;
  joined_subscription_ = subscription(context);
  JoinGroupRequest request;
  request.group = config.group_id;
  request.member_id = generation_.member_id;
  request.group_instance_id = config.group_instance_id;
  request.client_id = config.client_id;
  request.session_timeout_ms = config.session_timeout_ms;
  request.rebalance_timeout_ms = config.max_poll_interval_ms;
  for (const Assignor assignor : config.partition_assignment_strategy) {
    Subscription subscribed{*joined_subscription_, context.subscriptions.assigned(), generation_.number,
                            config.client_rack};
    if (assignor == Assignor::sticky) {  // its user data: an eager member has just revoked all it owns
      subscribed.owned = sticky_owned_;
      subscribed.generation = sticky_generation_;
    }
    request.protocols.push_back(
        JoinGroupRequest::Protocol{std::string(assignor_name(assignor)), std::move(subscribed)});
  }
  // The coordinator may hold it for the rebalance timeout (JOIN_GROUP_TIMEOUT_LAPSE).
  const std::int64_t timeout_ms =
      std::max<std::int64_t>(config.request_timeout_ms, std::int64_t{config.max_poll_interval_ms} + 5'000);
  state_ = MemberState::preparing_rebalance;
  join_stage_ = JoinStage::in_flight;
  join_generation_ = generation_;
  join_request_ = context.coordination.send(coordinator_, std::move(request), context.env, context.out,
                                            from_millis(timeout_ms));
}

void ConsumerCoordinator::on_join(const JoinGroupResponse* response, ConsumerContext& context) {
  if (response == nullptr) return fail_join(ErrorCode::network_exception);
  switch (response->error) {
    case ErrorCode::none: break;
    case ErrorCode::unknown_member_id:
      if (join_generation_ == generation_) reset_state_and_rejoin(true);
      return fail_join(response->error);
    case ErrorCode::coordinator_not_available:
    case ErrorCode::not_coordinator:
      mark_coordinator_unknown(false, context);
      return fail_join(response->error);
    case ErrorCode::member_id_required:
      generation_ = MemberGeneration{kNoGeneration, response->member_id, {}};
      return fail_join(response->error);
    default: return fail_join(response->error);
  }
  if (state_ != MemberState::preparing_rebalance)
    return fail_join(ErrorCode::network_exception);  // UnjoinedGroupException
  state_ = MemberState::completing_rebalance;
  if (heartbeat_started_) {
    heartbeat_enabled_ = true;
    heartbeat_.reset_timeouts(context.now());
  }
  generation_ = MemberGeneration{response->generation, response->member_id, response->protocol};
  SyncGroupRequest request;
  request.group = context.config.group_id;
  request.generation = generation_.number;
  request.member_id = generation_.member_id;
  request.group_instance_id = context.config.group_instance_id;
  if (response->leader == response->member_id) request.assignments = perform_assignment(*response, context);
  if (coordinator_unknown(context)) return fail_join(ErrorCode::coordinator_not_available);
  sync_generation_ = generation_;
  sync_request_ = context.coordination.send(coordinator_, std::move(request), context.env, context.out);
}

std::vector<SyncGroupRequest::Assignment> ConsumerCoordinator::perform_assignment(
    const JoinGroupResponse& response, ConsumerContext& context) {
  const std::optional<Assignor> assignor = assignor_named(response.protocol);
  SIM_CHECK(assignor, "the coordinator selects a protocol that all members support");
  update_snapshot(context);
  is_leader_ = true;
  assignment_snapshot_ = snapshot_;
  if (response.skip_assignment) return {};
  GroupSubscription group;
  group.members = response.members;
  std::vector<TopicId> ids;
  for (const JoinGroupResponse::Member& member : group.members) {
    ids.insert(ids.end(), member.subscription.topics.begin(), member.subscription.topics.end());
  }
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  for (const TopicId id : ids) {
    if (const MetadataClient::Topic* topic = context.metadata.find(id))
      group.topics.push_back(layout_of(*topic, true, context.metadata));
  }
  return assign(*assignor, group);
}

// ---- SyncGroup

void ConsumerCoordinator::on_sync(const SyncGroupResponse* response, ConsumerContext& context) {
  if (response == nullptr) return fail_join(ErrorCode::network_exception);
  switch (response->error) {
    case ErrorCode::none:
      if (generation_.number == kNoGeneration || state_ != MemberState::completing_rebalance) {
        return fail_join(ErrorCode::illegal_generation);  // reset meanwhile: try again at once
      }
      state_ = MemberState::stable;
      rejoin_needed_ = false;
      assignment_ = response->assignment;
      join_stage_ = JoinStage::succeeded;
      return;
    case ErrorCode::unknown_member_id:
    case ErrorCode::illegal_generation:
      // Of a stale generation only the number is wrong: the member id may still be good.
      if (sync_generation_ == generation_)
        reset_state_and_rejoin(response->error == ErrorCode::unknown_member_id);
      return fail_join(response->error);
    case ErrorCode::coordinator_not_available:
    case ErrorCode::not_coordinator:
      mark_coordinator_unknown(false, context);
      return fail_join(response->error);
    case ErrorCode::rebalance_in_progress:
    case ErrorCode::fenced_instance_id:
    case ErrorCode::group_authorization_failed: return fail_join(response->error);
    default: return fail_join(ErrorCode::unknown_server_error);
  }
}

void ConsumerCoordinator::on_join_complete(ConsumerContext& context) {
  joined_generation_ = generation_.number;
  joined_member_id_ = generation_.member_id;
  if (!is_leader_) assignment_snapshot_.reset();  // only the leader watches for new partitions
  std::vector<TopicPartition> assigned = assignment_;
  std::sort(assigned.begin(), assigned.end());
  const bool matches = std::all_of(assigned.begin(), assigned.end(), [&](TopicPartition tp) {
    return std::binary_search(joined_subscription_->begin(), joined_subscription_->end(), tp.topic);
  });
  if (!matches) return request_rejoin();

  const std::vector<TopicPartition> owned = context.subscriptions.assigned();
  std::vector<TopicPartition> added = difference(assigned, owned);
  if (protocol_ == RebalanceProtocol::cooperative) {
    std::vector<TopicPartition> revoked = difference(owned, assigned);
    if (!revoked.empty()) {  // free for others in the rebalance that follows
      note(RebalanceEvent::Kind::revoked, std::move(revoked), context);
      request_rejoin();
    }
  }
  if (generation_.protocol == assignor_name(Assignor::sticky)) {
    sticky_owned_ = assigned;
    sticky_generation_ = generation_.number;
  }
  const Duration first_auto_commit = std::exchange(first_auto_commit_, Duration{});
  next_auto_commit_ =
      context.now() + (first_auto_commit > Duration{} ? first_auto_commit
                                                      : from_millis(context.config.auto_commit_interval_ms));
  context.subscriptions.assign(assigned);
  note(RebalanceEvent::Kind::assigned, std::move(added), context);
  node::report(context.out, observe::AssignmentReceived{context.identity.service, context.identity.member,
                                                        generation_.number, std::move(assigned)});
}

// ---- Losing membership

void ConsumerCoordinator::reset_state_and_rejoin(bool forget_member_id) {
  state_ = MemberState::unjoined;
  generation_ = MemberGeneration{
      kNoGeneration, forget_member_id ? std::string() : std::move(generation_.member_id), {}};
  request_rejoin();
  needs_join_prepare_ = true;
}

}  // namespace sim::client
