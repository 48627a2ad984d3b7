#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "broker/config.h"
#include "node/durable_image.h"
#include "node/node.h"
#include "protocol/ids.h"

// A Kafka broker: replica manager, replica fetchers, group coordinator, and the APIs that clients call
// (KafkaApis). It follows the metadata log and becomes leader or follower of its partitions from it.
namespace sim::broker {

struct BrokerBoot {
  ProcessId self;
  NodeId id;
  std::string rack;
  BrokerConfig config;
  std::vector<ProcessId> controllers;  // of the quorum, by node id
  Incarnation incarnation;
};

std::unique_ptr<node::Node> boot_broker(const BrokerBoot& boot, const node::DurableImage& image);

}  // namespace sim::broker
