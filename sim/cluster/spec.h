#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/distribution.h"
#include "base/time.h"
#include "broker/config.h"
#include "controller/config.h"
#include "protocol/ids.h"
#include "protocol/topic_config.h"
#include "workload/spec.h"

// Everything the host needs to build a world: machines, links, topics, applications. A value,
// complete: every default is filled in.
namespace sim::cluster {

struct LinkSpec {
  Distribution one_way = Distribution::constant(200'000);  // ns
  std::int64_t bits_per_second = 1'000'000'000;            // 0 = unlimited
};

// The link between two processes is the entry of their rack pair, else `clients` if one of them
// is a client, else `between`.
struct NetworkSpec {
  LinkSpec between;
  LinkSpec clients;
  std::map<std::pair<std::string, std::string>, LinkSpec> rack_pairs;  // both orders present
};

struct DiskSpec {
  Distribution append = Distribution::constant(50'000);    // ns, one write into the page cache
  Distribution flush = Distribution::constant(2'000'000);  // ns, one fsync
  std::int64_t bytes_per_second = 500'000'000;             // on top, for the bytes; 0 = unlimited
};

// CPU time of a broker's threads.
struct MachineSpec {
  Distribution network_per_request = Distribution::constant(10'000);  // ns of a network thread
  std::int64_t network_ns_per_kib = 200;
  Distribution io_per_request = Distribution::constant(30'000);       // ns of an I/O thread
  std::int64_t io_ns_per_kib = 500;
};

struct ControllerSpec {
  NodeId id;
  std::string rack;
  controller::ControllerConfig config;
  DiskSpec disk;
  MachineSpec machine;
};

struct BrokerSpec {
  NodeId id;
  std::string rack;
  broker::BrokerConfig config;
  DiskSpec disk;
  MachineSpec machine;
};

struct TopicSpec {  // created before the applications start
  std::string name;
  std::int32_t partitions = 1;
  std::int16_t replication_factor = 1;
  TopicConfig config;
};

struct ClusterSpec {
  std::uint64_t seed = 1;
  std::vector<ControllerSpec> controllers;  // with `combined`, each shares the machine of the broker of its id
  bool combined = false;
  std::vector<BrokerSpec> brokers;
  NetworkSpec network;
  std::vector<TopicSpec> topics;
  std::vector<workload::FlowSpec> flows;        // FlowId = index
  std::vector<workload::ServiceSpec> services;  // ServiceId = index
  // Applications place no orders from here on; what is under way is finished.
  Duration load_ends_at{};
};

}  // namespace sim::cluster
