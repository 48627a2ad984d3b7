#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "importer/inventory.h"
#include "scenario/tree.h"

// A reader for each kind of file. What they cannot take goes into what is left out of the inventory.
namespace sim::importer {

// A property as it stands in a file: a name of Kafka's or of another dialect.
struct WrittenProperty {
  std::string name;
  std::string value;
  Origin origin;
};

// Files of properties. False: nothing in it is Kafka's.
bool read_property_file(const std::vector<WrittenProperty>& properties, const std::string& file,
                        Inventory& inventory);

// A file of docker compose. False: none of its services is a server of Kafka.
bool read_compose(const scenario::Value& root, const std::string& file, Inventory& inventory);

// Resources of Kubernetes. False: none of them is Strimzi's.
bool read_kubernetes(const std::vector<scenario::Value>& resources, const std::string& file,
                     Inventory& inventory);

// application.yml, document by document, or the map of application.properties. False: it says nothing of
// Kafka.
bool read_spring(const std::vector<scenario::Value>& documents, const std::string& file,
                 Inventory& inventory);

// The name of a file without its folder and ending.
std::string stem_of_file(const std::string& file);

}  // namespace sim::importer
