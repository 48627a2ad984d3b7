#pragma once

#include <memory>
#include <vector>

#include "base/rng.h"
#include "controller/config.h"
#include "node/durable_image.h"
#include "node/node.h"
#include "protocol/ids.h"
#include "protocol/metadata_records.h"

// A KRaft controller (QuorumController): decides about brokers, topics and leaders as records, replays them,
// and answers once they are committed. Brokers follow its log by fetching kClusterMetadata from it.
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

}  // namespace sim::controller
