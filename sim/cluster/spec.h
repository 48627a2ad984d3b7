#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/distribution.h"
#include "base/time.h"
#include "cluster/processors.h"
#include "controller/config.h"
#include "disk/device.h"
#include "fault/fault.h"
#include "history/history.h"
#include "metadata/snapshot_generator.h"
#include "net/network.h"
#include "protocol/ids.h"
#include "protocol/topic_config.h"
#include "raft/config.h"
#include "server/config.h"
#include "workload/spec.h"

// Everything the host needs to build a world: machines, links, topics, applications. A value,
// complete: every default is filled in.
namespace sim::cluster {

using disk::DiskSpec;
using net::LinkSpec;
using net::NetworkSpec;

// CPU time of a broker's threads.
struct MachineSpec {
  Distribution network_per_request = Distribution::constant(10'000);  // ns of a network thread
  std::int64_t network_ns_per_kib = 200;
  Distribution io_per_request = Distribution::constant(30'000);  // ns of an I/O thread
  std::int64_t io_ns_per_kib = 500;
};

struct ControllerSpec {
  NodeId id;
  std::string rack;
  controller::ControllerConfig config;
  DiskSpec disk;
  MachineSpec machine;
  Distribution start_time{};
  Distribution exit_time{};
};

struct BrokerSpec {
  NodeId id;
  std::string rack;
  server::BrokerConfig config;
  DiskSpec disk;
  MachineSpec machine;
  // From when it is started again to when it first asks to be registered, and from there until it opens its
  // logs: a process has a lot to do when it starts. What is up when the run begins goes on from before.
  Distribution start_time{};
  Distribution open_logs_time{};
  // From when it is killed until its connections are closed: before that its operating system takes back the
  // memory that it held.
  Distribution exit_time{};
};

struct TopicSpec {  // created before the applications start
  std::string name;
  std::int32_t partitions = 1;
  std::int16_t replication_factor = 1;
  TopicConfig config;
  std::vector<std::vector<NodeId>>
      replicas{};  // of each partition, its preferred leader first; empty: the controller places them
  // Of each of these replicas its place in log.dirs, from 0; empty: each broker chooses the emptiest.
  std::vector<std::vector<std::int32_t>> directories{};
};

struct ClientQuotaSpec {
  std::string client;  // a flow or service
  server::ClientQuota quota;
};

// What a `deploy` makes of a client, all of it: the flow or the service takes the place of the one of its
// name.
struct Deployment {
  FaultId fault;
  std::variant<workload::FlowSpec, workload::ServiceSpec> client;
};

struct ClusterSpec {
  std::uint64_t seed = 1;
  std::vector<ControllerSpec>
      controllers;  // with `combined`, each shares the machine of the broker of its id
  bool combined = false;
  raft::RaftConfig quorum;
  History history;  // of the quorum here; those of brokers and controllers are in their configs
  metadata::SnapshotConfig metadata_snapshots;
  std::vector<BrokerSpec> brokers;
  NetworkSpec network;
  CpuSpec cpu;
  std::vector<TopicSpec> topics;
  std::vector<ClientQuotaSpec> quotas;
  std::vector<workload::FlowSpec> flows;        // FlowId = index
  std::vector<workload::ServiceSpec> services;  // ServiceId = index
  fault::Schedule faults;                       // FaultId = index
  std::vector<fault::Fixed> fixed_targets;      // that faults name
  std::vector<Deployment> deployments;
  // Applications place no orders from here on; what is under way is finished.
  Duration load_ends_at{};
  // Then every fault ends for good and whatever a fault took down is started again: from there on the cluster
  // must come right. Not if it is told to settle only.
  bool heals_when_load_ends = false;
};

}  // namespace sim::cluster
