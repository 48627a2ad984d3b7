#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>

#include "importer/file_kinds.h"
#include "importer/settings.h"
#include "scenario/properties.h"

namespace sim::importer {

namespace {

using scenario::Components;

// How many of the properties are read by these components, and by none of the others.
int count_only(const std::vector<WrittenProperty>& properties, Components readers, Components others) {
  return static_cast<int>(
      std::count_if(properties.begin(), properties.end(), [=](const WrittenProperty& property) {
        return scenario::find_property(property.name, readers) != nullptr &&
               scenario::find_property(property.name, others) == nullptr;
      }));
}

int count_known(const std::vector<WrittenProperty>& properties) {
  return count_only(properties,
                    scenario::kBroker | scenario::kController | scenario::kProducer | scenario::kConsumer, 0);
}

enum class Whose : std::uint8_t { nobody, server, producer, consumer };

// Whoever alone reads most of them; where that is undecided, as the file's name has it.
Whose whose(const std::vector<WrittenProperty>& properties, const std::string& file) {
  constexpr Components kServer = scenario::kBroker | scenario::kController;
  if (count_known(properties) == 0) return Whose::nobody;
  const int server = count_only(properties, kServer, scenario::kProducer | scenario::kConsumer);
  const int producer = count_only(properties, scenario::kProducer, kServer | scenario::kConsumer);
  const int consumer = count_only(properties, scenario::kConsumer, kServer | scenario::kProducer);
  const std::string name = stem_of_file(file);
  const auto is_named = [&name](std::string_view part) { return name.find(part) != std::string::npos; };
  const int most = std::max({server, producer, consumer});
  const bool is_decided = most > 0 && (server == most) + (producer == most) + (consumer == most) == 1;
  if (is_decided)
    return server == most ? Whose::server : producer == most ? Whose::producer : Whose::consumer;
  if (is_named("producer")) return Whose::producer;
  if (is_named("consumer")) return Whose::consumer;
  if (is_named("server") || is_named("broker") || is_named("controller")) return Whose::server;
  return server > 0     ? Whose::server
         : producer > 0 ? Whose::producer
         : consumer > 0 ? Whose::consumer
                        : Whose::nobody;
}

std::string value_of(const std::vector<WrittenProperty>& properties, std::string_view name) {
  std::string value;  // the last one counts
  for (const WrittenProperty& property : properties) {
    if (property.name == name) value = property.value;
  }
  return value;
}

void read_server(const std::vector<WrittenProperty>& properties, const std::string& file,
                 Inventory& inventory) {
  Server server;
  server.origin = {file, 0};
  Identity identity;
  for (const WrittenProperty& property : properties)
    take_server_setting(property.name, property.value, property.origin, identity, server.settings, inventory);
  server.id = identity.id;
  server.is_broker = identity.is_broker;
  server.is_controller = identity.is_controller;
  server.rack = identity.rack;
  if (identity.voters) inventory.voters = std::max(*identity.voters, inventory.voters.value_or(0));
  inventory.servers.push_back(std::move(server));
}

void read_producer(const std::vector<WrittenProperty>& properties, const std::string& file,
                   Inventory& inventory) {
  Producer producer;
  producer.origin = {file, 0};
  producer.name = value_of(properties, "client.id");
  if (producer.name.empty()) producer.name = stem_of_file(file);
  for (const WrittenProperty& property : properties) {
    if (property.name == "client.id") continue;
    take_setting(property.name, property.value, property.origin, scenario::kProducer, producer.settings,
                 inventory);
  }
  inventory.producers.push_back(std::move(producer));
}

void read_consumer(const std::vector<WrittenProperty>& properties, const std::string& file,
                   Inventory& inventory) {
  std::string name = value_of(properties, "group.id");
  if (name.empty()) name = stem_of_file(file);
  Group& group = inventory.groups[name];
  if (group.origin.file.empty()) group.origin = {file, 0};
  for (const WrittenProperty& property : properties) {
    if (property.name == "group.id" || property.name == "client.id") continue;
    if (property.name == "enable.auto.commit") {
      group.commit = property.value == "false" ? "after-batch" : "auto";
    } else if (property.name == "group.protocol" && property.value == "consumer") {
      group.has_consumer_protocol = true;
    } else if (property.name == "group.instance.id") {
      group.has_static_members = true;
    } else {
      take_setting(property.name, property.value, property.origin, scenario::kConsumer, group.settings,
                   inventory);
    }
  }
}

}  // namespace

std::string stem_of_file(const std::string& file) {
  const std::size_t slash = file.rfind('/');
  std::string name = slash == std::string::npos ? file : file.substr(slash + 1);
  const std::size_t dot = name.rfind('.');
  return dot == std::string::npos || dot == 0 ? name : name.substr(0, dot);
}

bool read_property_file(const std::vector<WrittenProperty>& properties, const std::string& file,
                        Inventory& inventory) {
  switch (whose(properties, file)) {
    case Whose::nobody: return false;
    case Whose::server: read_server(properties, file, inventory); return true;
    case Whose::producer: read_producer(properties, file, inventory); return true;
    case Whose::consumer: read_consumer(properties, file, inventory); return true;
  }
  return false;
}

}  // namespace sim::importer
