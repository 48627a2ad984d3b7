#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "scenario/properties.h"
#include "scenario/tree.h"

// How people's files name Kafka's properties elsewhere than in a .properties file:
//
//   KAFKA_NUM_PARTITIONS, KAFKA_CFG_...   environments of container images (Apache's, Confluent's, Bitnami's)
//   spring.kafka.producer.batch-size      Spring Boot, with its own names and units
//   spec: {kafka: {config: {...}}}        Strimzi's custom resource, of which nothing else is read
//   [KAFKA_A=1, ...], [{name:, value:}]   the lists of docker compose and Kubernetes
//   queue.buffering.max.ms                librdkafka, of clients that are built on it
//
// All become Kafka's names and values; what cannot be is refused with what to write instead.
namespace sim::scenario {

// What of a map or a list that people paste is settings: of Strimzi's resource its spec.kafka.config, of a
// list of an environment a map. True: something else was there, and is left out.
bool take_settings(Value& value);

// {spring: {kafka: {producer: {acks: all}}}} becomes {spring.kafka.producer.acks: all}. Lists stay what they
// are, and so does a map that stands where a property of Kafka's has its value.
void flatten(Value& map);

// Whose client it is: what its names, its defaults and its partitioner are.
enum class ClientLibrary : std::uint8_t { java, librdkafka };

// Renames what stands under a name of another dialect, and says what cannot be taken. Returns what is known
// there and without effect here, as it was written.
std::vector<Entry> use_kafka_names(Value& map, Components components, ClientLibrary library,
                                   const std::string& where, Report& report);

// The defaults of librdkafka that differ from the Java client's, of what is not given. REQUIRES: a map of
// Kafka's names
void use_librdkafka_defaults(Value& map, Components components);

// What properties of servers say that keys of the scenario say too: process.roles, controller.quorum.voters,
// broker.rack. Each does what it says where the key is not given, and is an error where they disagree.
void use_server_identity(Value& root, Report& report);
bool is_server_identity(std::string_view name);

}  // namespace sim::scenario
