#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "importer/inventory.h"

namespace sim::importer {

// A file as it was read from the disk.
struct InputText {
  std::string name;  // as messages and the scenario call it
  std::string text;  // UTF-8
};

// Takes what a file says into the inventory. What the file is is told by its content:
//
//   server.properties, producer.properties, consumer.properties, application.properties, an env file
//   what kafka-topics --describe and kafka-consumer-groups --describe printed, one after the other too
//   docker compose, Kubernetes resources of Strimzi (Kafka, KafkaNodePool, KafkaTopic), application.yml of
//   Spring
//
// A file that is none of these, or in which there is nothing, is a problem.
Problems read_input(const InputText& input, Inventory& inventory);

}  // namespace sim::importer
