#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/rng.h"
#include "node/node.h"
#include "protocol/ids.h"
#include "workload/spec.h"

// The order service: places orders at the times its arrivals say and sends each with a producer.
//
// Open loop: an order's latency counts from its intended time, whatever the producer is waiting for. While
// send() blocks (metadata unknown, buffer.memory exhausted, up to max.block.ms) later orders queue in the
// application, in order. Asked to stop, it takes no more orders, sends those it has, closes its producer and
// ends.
namespace sim::workload {

struct OrderServiceBoot {
  ProcessId self;
  FlowId flow;
  FlowSpec spec;
  std::vector<ProcessId> bootstrap;  // bootstrap.servers
  Duration load_ends_at{};           // no order is intended at or after this
  // Streams of its own: "arrivals", "keys", "sizes" are children of this.
  Rng rng;
};

std::unique_ptr<node::Node> boot_order_service(const OrderServiceBoot& boot);

}  // namespace sim::workload
