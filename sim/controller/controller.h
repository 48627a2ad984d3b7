#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/rng.h"
#include "controller/config.h"
#include "protocol/ids.h"
#include "protocol/metadata_records.h"

// What a controller is told when it starts, and what a new cluster's log begins with.
namespace sim::controller {

struct ControllerBoot {
  ProcessId self;
  NodeId id;
  std::uint64_t incarnation = 0;  // another one each time it starts; never 0
  ControllerConfig config;
  // Written to an empty log before anything else (Kafka: the bootstrap snapshot of `kafka-storage format`).
  std::vector<MetadataRecord> bootstrap;
};

struct BootstrapBroker {
  NodeId id = kNoNode;
  ProcessId endpoint = kNoProcess;
  std::string rack;
  bool tells_cordoned_log_dirs = false;
};
struct BootstrapController {
  NodeId id = kNoNode;
  ProcessId endpoint = kNoProcess;
  std::uint64_t incarnation = 0;  // of its first life
};
struct BootstrapTopic {
  std::string name;
  std::int32_t partitions = 1;
  std::int16_t replication_factor = 1;
  TopicConfig config;
  std::vector<std::vector<NodeId>>
      replicas{};  // of each partition, its preferred leader first; empty: they are placed
  std::vector<std::vector<DirectoryId>> directories{};  // of each of these replicas; empty: nobody knows yet
};

// The metadata of a cluster that has been up for a while: features at the levels of a new cluster of 4.1,
// these controllers registered, these brokers registered and unfenced, these topics created, placed as the
// controller places them or as they say themselves. REQUIRES: each topic could be created on these brokers
std::vector<MetadataRecord> bootstrap_records(bool eligible_leader_replicas,
                                              const std::vector<BootstrapController>& controllers,
                                              const std::vector<BootstrapBroker>& brokers,
                                              const std::vector<BootstrapTopic>& topics, Rng rng);

}  // namespace sim::controller
