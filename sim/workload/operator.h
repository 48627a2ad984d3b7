#pragma once

#include <memory>
#include <vector>

#include "node/node.h"
#include "protocol/admin_requests.h"
#include "protocol/ids.h"

// An operator at a shell: one of Kafka's tools (kafka-leader-election, kafka-reassign-partitions,
// kafka-topics, kafka-configs, kafka-consumer-groups), which asks for one thing, tells what was answered, and
// ends. Asked to stop (Ctrl-C), it ends at once; what it has asked for may still be carried out.
namespace sim::workload {

struct OperatorBoot {
  ProcessId self;
  FaultId fault;  // of the scenario, in whose name it acts
  AdminAction action;
  std::vector<ProcessId> bootstrap;  // bootstrap.servers
};

std::unique_ptr<node::Node> boot_operator(const OperatorBoot& boot);

}  // namespace sim::workload
