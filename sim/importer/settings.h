#pragma once

#include <optional>
#include <string>
#include <vector>

#include "importer/inventory.h"
#include "scenario/properties.h"
#include "scenario/tree.h"

// Properties of a file, sorted into those that a scenario can have and those that are left out, each with its
// reason.
namespace sim::importer {

// What says who a server is, and belongs to no scenario's config.
struct Identity {
  std::optional<int> id;
  std::optional<int> voters;
  bool says_roles = false;
  bool is_broker = true;
  bool is_controller = false;
  std::string rack;
};

// Takes one property of Kafka's own name: into `settings`, or into what is left out. A name that came before
// is replaced, as java.util.Properties does it.
void take_setting(const std::string& name, const std::string& value, const Origin& origin,
                  scenario::Components components, std::vector<Setting>& settings, Inventory& inventory);

// The same for a property of a server, of which some are its identity.
void take_server_setting(const std::string& name, const std::string& value, const Origin& origin,
                         Identity& identity, std::vector<Setting>& settings, Inventory& inventory);

// A map of names of any dialect (KAFKA_NUM_PARTITIONS, spring.kafka.producer.batch-size): translated into
// Kafka's, as a scenario's config would be; what cannot be is left out. Entries that are no scalars are, too.
std::vector<Setting> in_kafka_names(scenario::Value map, scenario::Components components,
                                    const std::string& file, Inventory& inventory);

// "group.id=payment", without the value of what is a secret.
std::string shown_setting(const std::string& name, const std::string& value);

// A release that is played, from a version or an image's tag such as 3.9.0 or 4.1; empty: there is none.
std::string release_of(const std::string& version);

// The same from a version of the Confluent Platform, which counts otherwise: 7.6.1 is Kafka 3.6.
std::string release_of_confluent(const std::string& version);

// A whole number from 0 on that fits an int; nothing: it is none.
std::optional<int> whole_number(const std::string& text);

// The default of a variable, as docker compose writes it: ${NAME:-default} or ${NAME-default} become the
// default, everything else stays.
std::string with_defaults(const std::string& text);

}  // namespace sim::importer
