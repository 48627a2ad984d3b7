#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/distribution.h"
#include "cluster/shared_server.h"
#include "cluster/spec.h"
#include "kernel/streams.h"
#include "node/node.h"
#include "observe/names.h"
#include "workload/operator.h"
#include "workload/order_service.h"
#include "workload/service_member.h"

// The processes of a world: who they are, where they run, and how each is booted. ProcessIds are given in the
// order dedicated controllers, brokers, flows, service members, operators. In combined mode the process of a
// broker is also that of the controller with its node id.
namespace sim::cluster {

// A ready-made process, cloned at each start: what tests bring along.
using Prototype = std::shared_ptr<const node::Node>;

using Boot = std::variant<ServerBoot, workload::OrderServiceBoot, workload::ServiceMemberBoot,
                          workload::OperatorBoot, Prototype>;

struct ServerThreads {
  std::int32_t network_threads = 3;
  std::int32_t io_threads = 8;
  std::int32_t queued_max_requests = 500;
};

struct ProcessSpec {
  std::string name;
  // What it is to a fault that looks for its targets: the node ids of a server's roles, or an application's
  // member.
  NodeId broker = kNoNode;
  NodeId controller = kNoNode;
  std::string application{};
  std::int32_t member = -1;
  Boot boot;
  std::vector<std::pair<FaultId, Boot>> deployed{};  // instead of `boot` once this fault has struck it
  net::Endpoint machine = 0;
  Instant starts_at{};
  Distribution start_time{};          // from when it is started again until it runs
  Distribution exit_time{};           // from when it is killed until its connections are closed
  std::optional<FaultId> acts_for{};  // an operator: starts each time when the fault strikes
  bool serves = false;                // has a request path: a broker or controller
  ServerThreads threads;
  MachineSpec machine_spec;
  std::int32_t processors = -1;  // which of Processes::processors its threads share; -1: they never wait
  bool has_pauses = false;       // of a garbage collector
  DiskSpec disk;
  std::int32_t log_dirs = 1;  // each a device of its own

  // The node id under which it holds a replica of the log.
  NodeId replica_of(TopicPartition tp) const {
    return tp == kClusterMetadata && controller != kNoNode ? controller : broker;
  }
};

struct Processes {
  std::vector<ProcessSpec> specs;           // by ProcessId
  std::vector<net::MachinePlace> machines;  // by net::Endpoint
  CpuSpec cpu;
  std::vector<std::string>
      processors;  // machines with cores of their own, by the names of their random streams
  observe::Names names;
};

Processes processes_of(const ClusterSpec& spec, const kernel::Streams& streams);

// The only way to make a process. `deployed`: the last deployment that struck it.
std::unique_ptr<node::Node> boot(const ProcessSpec& spec, std::optional<FaultId> deployed,
                                 const node::DurableImage& image, Incarnation incarnation);

}  // namespace sim::cluster
