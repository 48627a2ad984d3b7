#include "partition/replica_selector.h"

#include <algorithm>
#include <tuple>

namespace sim::partition {

NodeId preferred_read_replica(const Partition& partition, Offset fetch_offset, std::string_view client_rack,
                              const Context& context) {
  const auto is_near = [&](NodeId node) {
    const metadata::BrokerRegistration* broker = context.image.broker(node);
    return broker != nullptr && !broker->fenced && broker->rack == client_rack;
  };
  if (client_rack.empty() || is_near(context.self)) return kNoNode;
  const std::vector<NodeId>& isr = partition.isr();
  const metadata::PartitionRegistration* registration = context.image.partition(partition.tp());
  if (registration == nullptr) return kNoNode;
  const FollowerProgress* best = nullptr;
  const auto worth = [](const FollowerProgress& one) {
    return std::tuple(one.log_end_offset, one.last_caught_up, one.broker);
  };
  for (const NodeId node : registration->replicas) {
    const FollowerProgress* one = partition.follower(node);
    if (one == nullptr || !is_near(node)) continue;
    // One that has fallen out would be chosen again and again, and hold its readers back (KAFKA-14372).
    const bool in_sync = std::find(isr.begin(), isr.end(), node) != isr.end();
    if (!in_sync && context.config.history.preferred_replica_only_isr) continue;
    if (one->log_end_offset < fetch_offset || one->log_start_offset > fetch_offset) continue;
    if (best == nullptr || worth(*one) > worth(*best)) best = one;
  }
  return best == nullptr ? kNoNode : best->broker;
}

}  // namespace sim::partition
