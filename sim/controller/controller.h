#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/rng.h"
#include "controller/config.h"
#include "node/durable_image.h"
#include "node/node.h"
#include "protocol/ids.h"
#include "protocol/metadata_records.h"

// A KRaft controller (QuorumController): decides about brokers, topics and leaders as records, replays them,
// and answers once they are committed. Brokers follow its log by fetching kClusterMetadata from it.
//
// Interim: the quorum is its first voter alone (see metadata_log.h); the others know who it is and answer
// NOT_CONTROLLER. Brokers of the bootstrap records are unfenced and need not send heartbeats, so no session
// runs for them until they have sent one. No NoOpRecord is written every metadata.max.idle.interval.ms:
// idle time costs nothing.
namespace sim::controller {

struct ControllerBoot {
  ProcessId self;
  NodeId id;
  ControllerConfig config;
  std::vector<ProcessId> voters;  // of the quorum, by node id, self included
  // Written to an empty log before anything else (Kafka: the bootstrap snapshot of `kafka-storage format`).
  std::vector<MetadataRecord> bootstrap;
  Incarnation incarnation;
};

std::unique_ptr<node::Node> boot_controller(const ControllerBoot& boot, const node::DurableImage& image);

struct BootstrapBroker {
  NodeId id = kNoNode;
  ProcessId endpoint = kNoProcess;
  std::string rack;
};
struct BootstrapTopic {
  std::string name;
  std::int32_t partitions = 1;
  std::int16_t replication_factor = 1;
  TopicConfig config;
};

// The metadata of a cluster that has been up for a while: these brokers registered and unfenced, these topics
// created, placed as the controller places them. REQUIRES: each topic could be created on these brokers
std::vector<MetadataRecord> bootstrap_records(const std::vector<BootstrapBroker>& brokers,
                                              const std::vector<BootstrapTopic>& topics, Rng rng);

}  // namespace sim::controller
