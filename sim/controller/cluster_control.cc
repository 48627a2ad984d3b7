#include "controller/cluster_control.h"

#include "base/overloaded.h"

namespace sim::controller {

using metadata::BrokerRegistration;
using metadata::MetadataImage;

void note_registration(const MetadataRecord& record, Offset offset, RegistrationOffsets& registered_at) {
  if (const auto* registered = std::get_if<RegisterBrokerRecord>(&record)) {
    registered_at[registered->broker] = offset;
  } else if (const auto* gone = std::get_if<UnregisterBrokerRecord>(&record)) {
    registered_at.erase(gone->broker);
  }
}

ClusterControl::ClusterControl(const ControllerConfig& config, const MetadataImage& image,
                               const RegistrationOffsets& registered_at, LocalTime now)
    : tracker_(from_millis(config.broker_session_timeout_ms)),
      activated_at_(now),
      registered_at_(registered_at) {
  for (const auto& [id, registration] : image.brokers()) {
    heartbeats_.replayed(id, registration.fenced);
    if (!registration.fenced) tracker_.contacted({id, registration.broker_epoch}, now);
  }
}

void ClusterControl::replayed(const MetadataImage& image, const MetadataRecord& record, Offset offset) {
  note_registration(record, offset, registered_at_);
  std::visit(Overloaded{
                 [&](const RegisterBrokerRecord& one) {
                   heartbeats_.remove(one.broker);
                   heartbeats_.replayed(one.broker, one.fenced);
                   // A registration is replayed as unfenced when the world begins (it was heard from before),
                   // or amended.
                   if (!one.fenced) tracker_.begun({one.broker, one.broker_epoch}, activated_at_);
                 },
                 [&](const UnregisterBrokerRecord& one) { heartbeats_.remove(one.broker); },
                 [&](const BrokerRegistrationChangeRecord& one) {
                   heartbeats_.replayed(one.broker, image.broker(one.broker)->fenced);
                 },
                 [](const TopicRecord&) {},
                 [](const RemoveTopicRecord&) {},
                 [](const TopicConfigRecord&) {},
                 [](const PartitionRecord&) {},
                 [](const PartitionChangeRecord&) {},
                 [](const ProducerIdsRecord&) {},
                 [](const NoOpRecord&) {},
                 [](const FeatureLevelRecord&) {},
                 [](const RegisterControllerRecord&) {},
             },
             record);
}

ErrorCode ClusterControl::check_broker_epoch(const MetadataImage& image, NodeId broker,
                                             BrokerEpoch broker_epoch) {
  const BrokerRegistration* registration = image.broker(broker);
  const bool current = registration != nullptr && registration->broker_epoch == broker_epoch;
  return current ? ErrorCode::none : ErrorCode::stale_broker_epoch;
}

Decision<BrokerRegistrationResponse> ClusterControl::register_broker(const MetadataImage& image,
                                                                     const BrokerRegistrationRequest& request,
                                                                     const ReplicationControl& replication,
                                                                     LocalTime now) const {
  Decision<BrokerRegistrationResponse> decision;
  const BrokerRegistration* existing = image.broker(request.broker);
  const bool same_incarnation = existing != nullptr && existing->incarnation == request.incarnation;
  if (existing != nullptr && !same_incarnation &&
      tracker_.has_valid_session({request.broker, existing->broker_epoch}, now)) {
    decision.answer.error = ErrorCode::duplicate_broker_registration;
    return decision;
  }
  RegisterBrokerRecord record;
  record.broker = request.broker;
  record.incarnation = request.incarnation;
  record.endpoint = request.endpoint;
  record.rack = request.rack;
  record.directories = request.log_dirs;
  if (same_incarnation) {
    record.fenced = existing->fenced;
    record.in_controlled_shutdown = existing->in_controlled_shutdown;
    record.broker_epoch = existing->broker_epoch;
  } else {
    const bool clean = existing != nullptr && existing->broker_epoch == request.previous_broker_epoch;
    replication.broker_restarted(image, request.broker, clean, decision.records);
    record.broker_epoch = BrokerEpoch{image.end_offset()};
  }
  decision.answer.broker_epoch = record.broker_epoch;
  decision.records.emplace_back(std::move(record));
  return decision;
}

Decision<BrokerHeartbeatResponse> ClusterControl::heartbeat(const MetadataImage& image,
                                                            const BrokerHeartbeatRequest& request,
                                                            const ReplicationControl& replication,
                                                            LocalTime now) {
  tracker_.contacted({request.broker, request.broker_epoch}, now);
  Decision<BrokerHeartbeatResponse> decision;
  decision.answer.error = check_broker_epoch(image, request.broker, request.broker_epoch);
  if (decision.answer.error != ErrorCode::none) return decision;

  const Offset registered_at = registered_at_.at(request.broker);
  const BrokerState before = heartbeats_.state(request.broker);
  const bool may_go = request.want_shut_down || before == BrokerState::controlled_shutdown;
  const bool leads_any = may_go && replication.leads_any(image, request.broker);
  const BrokerState next = heartbeats_.next_state(request, registered_at, leads_any);
  if (next != before) {
    switch (next) {
      case BrokerState::fenced:
      case BrokerState::shutdown_now:
        replication.broker_fenced(image, request.broker, decision.records);
        break;
      case BrokerState::unfenced: replication.broker_unfenced(image, request.broker, decision.records); break;
      case BrokerState::controlled_shutdown:
        replication.broker_in_controlled_shutdown(image, request.broker, decision.records);
        break;
    }
  }
  replication.directories_offline(image, request.broker, request.offline_log_dirs, decision.records);
  if (request.tells_cordoned_log_dirs)
    ReplicationControl::directories_cordoned(image, request.broker, decision.records);
  const bool fenced = next == BrokerState::fenced || next == BrokerState::shutdown_now;
  heartbeats_.touch(request.broker, fenced, request.current_metadata_offset);
  if (next == BrokerState::controlled_shutdown) {
    const Offset last = image.end_offset() + static_cast<Offset>(decision.records.size()) - 1;
    heartbeats_.enter_controlled_shutdown(request.broker, last);
  }
  decision.answer.is_caught_up = request.current_metadata_offset >= registered_at;
  decision.answer.is_fenced = fenced;
  decision.answer.should_shut_down = next == BrokerState::shutdown_now;
  return decision;
}

// ReplicationControlManager.maybeFenceOneStaleBroker
std::optional<std::vector<MetadataRecord>> ClusterControl::fence_one_stale_broker(
    const MetadataImage& image, const ReplicationControl& replication, LocalTime now, Rng& rng) {
  const std::optional<HeartbeatTracker::Session> expired = tracker_.take_expired(now, rng);
  if (!expired) return std::nullopt;
  std::vector<MetadataRecord> records;
  const auto [broker, broker_epoch] = *expired;
  const BrokerRegistration* registration = image.broker(broker);
  if (registration == nullptr) {
    heartbeats_.remove(broker);
  } else if (registration->broker_epoch == broker_epoch) {
    replication.broker_fenced(image, broker, records);  // also if it is fenced: its record is written again
    heartbeats_.fence(broker);
  }
  return records;
}

std::vector<UsableBroker> ClusterControl::usable_brokers(const MetadataImage& image) const {
  std::vector<UsableBroker> usable;
  for (const auto& [id, registration] : image.brokers()) {
    if (heartbeats_.is_shutting_down(id)) continue;
    usable.push_back({id, registration.rack, heartbeats_.is_fenced(id)});
  }
  return usable;
}

}  // namespace sim::controller
