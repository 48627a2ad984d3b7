#include "controller/broker_heartbeats.h"

#include <algorithm>
#include <limits>

#include "base/check.h"

namespace sim::controller {

void BrokerHeartbeats::replayed(NodeId broker, bool fenced) {
  const auto [it, is_new] = brokers_.try_emplace(broker);
  const Offset metadata_offset =
      !is_new && it->second.fenced != fenced ? it->second.metadata_offset : kNoOffset;
  touch(broker, fenced, metadata_offset);
}

void BrokerHeartbeats::touch(NodeId broker, bool fenced, Offset metadata_offset) {
  const auto it = brokers_.find(broker);
  SIM_CHECK(it != brokers_.end(), "only a registered broker is heard");
  Broker& one = it->second;
  one.metadata_offset = metadata_offset;
  one.fenced = fenced;
  // A fenced broker leaves controlled shutdown; at its next heartbeat it may go at once.
  if (fenced) one.controlled_shutdown_offset = kNoOffset;
}

void BrokerHeartbeats::fence(NodeId broker) {
  if (const auto it = brokers_.find(broker); it != brokers_.end()) it->second.fenced = true;
}

void BrokerHeartbeats::enter_controlled_shutdown(NodeId broker, Offset offset) {
  const auto it = brokers_.find(broker);
  SIM_CHECK(it != brokers_.end() && !it->second.fenced, "a fenced broker does not shut down in order");
  if (!it->second.shutting_down()) it->second.controlled_shutdown_offset = offset;
}

bool BrokerHeartbeats::is_shutting_down(NodeId broker) const {
  const auto it = brokers_.find(broker);
  return it != brokers_.end() && it->second.shutting_down();
}

bool BrokerHeartbeats::is_fenced(NodeId broker) const {
  const auto it = brokers_.find(broker);
  return it == brokers_.end() || it->second.fenced;
}

BrokerState BrokerHeartbeats::state(NodeId broker) const {
  const Broker& one = brokers_.at(broker);
  if (one.shutting_down()) return BrokerState::controlled_shutdown;
  return one.fenced ? BrokerState::fenced : BrokerState::unfenced;
}

BrokerState BrokerHeartbeats::next_state(const BrokerHeartbeatRequest& request, Offset registration_offset,
                                         bool leads_any) const {
  switch (state(request.broker)) {
    case BrokerState::fenced:
      if (request.want_shut_down) return BrokerState::shutdown_now;
      if (request.want_fence || request.current_metadata_offset < registration_offset)
        return BrokerState::fenced;
      return BrokerState::unfenced;
    case BrokerState::unfenced:
      if (request.want_fence) return request.want_shut_down ? BrokerState::shutdown_now : BrokerState::fenced;
      if (!request.want_shut_down) return BrokerState::unfenced;
      return leads_any ? BrokerState::controlled_shutdown : BrokerState::shutdown_now;
    case BrokerState::controlled_shutdown:
      if (leads_any || brokers_.at(request.broker).controlled_shutdown_offset > lowest_active_offset()) {
        return BrokerState::controlled_shutdown;
      }
      return BrokerState::shutdown_now;
    case BrokerState::shutdown_now: break;
  }
  return BrokerState::shutdown_now;
}

Offset BrokerHeartbeats::lowest_active_offset() const {
  Offset lowest = std::numeric_limits<Offset>::max();
  for (const auto& [id, broker] : brokers_) {
    if (!broker.fenced && !broker.shutting_down()) lowest = std::min(lowest, broker.metadata_offset);
  }
  return lowest;
}

}  // namespace sim::controller
