#include <algorithm>
#include <cstddef>
#include <iterator>
#include <string_view>
#include <utility>

#include "importer/file_kinds.h"
#include "importer/settings.h"
#include "scenario/dialects.h"

// docker compose: each service whose image or environment is that of a server of Kafka is one server, or as
// many as its scale or deploy.replicas says.
namespace sim::importer {

namespace {

using scenario::Entry;
using scenario::Value;

constexpr int kMostReplicas = 1'000;  // of a service

std::string text_below(const Value& value, std::string_view key) {
  const Value* below = value.is_map() ? value.find(key) : nullptr;
  return below != nullptr && below->is_scalar() ? with_defaults(below->text) : std::string{};
}

// A map, from the map or the list of an environment.
Value environment_of(const Value& service) {
  Value wrapper = scenario::empty_map();
  if (const Value* environment = service.find("environment")) wrapper.set("environment", *environment);
  take_settings(wrapper);
  const Value* environment = wrapper.find("environment");
  return environment != nullptr && environment->is_map() ? *environment : scenario::empty_map();
}

// The last part of an image's name, and its tag: {"kafka", "4.1.0"}.
std::pair<std::string, std::string> image_and_tag(const std::string& image) {
  const std::size_t slash = image.rfind('/');
  const std::string name = slash == std::string::npos ? image : image.substr(slash + 1);
  const std::size_t colon = name.find(':');
  if (colon == std::string::npos) return {name, ""};
  return {name.substr(0, colon), name.substr(colon + 1)};
}

constexpr std::string_view kImages[] = {"kafka",      "kafka-native",        "cp-kafka",
                                        "cp-server",  "cp-enterprise-kafka", "confluent-local",
                                        "kafka-kraft"};

bool is_kafka_image(const std::string& image) {
  return std::find(std::begin(kImages), std::end(kImages), image_and_tag(image).first) != std::end(kImages);
}

// A variable that only a server has.
bool has_server_environment(const Value& environment) {
  return std::any_of(environment.entries.begin(), environment.entries.end(), [](const Entry& entry) {
    for (const std::string_view name :
         {"KAFKA_PROCESS_ROLES", "KAFKA_CFG_PROCESS_ROLES", "KAFKA_NODE_ID", "KAFKA_CFG_NODE_ID",
          "KAFKA_BROKER_ID", "KAFKA_CFG_BROKER_ID", "KAFKA_ZOOKEEPER_CONNECT", "KAFKA_CFG_ZOOKEEPER_CONNECT",
          "KAFKA_ADVERTISED_LISTENERS", "KAFKA_CFG_ADVERTISED_LISTENERS"}) {
      if (entry.key == name) return true;
    }
    return false;
  });
}

void take_version(const Value& service, const std::string& file, Inventory& inventory) {
  const Value* image = service.find("image");
  if (image == nullptr || !image->is_scalar()) return;
  const std::string text = with_defaults(image->text);
  const auto [name, tag] = image_and_tag(text);
  const bool is_confluents = name.starts_with("cp-") || name.starts_with("confluent");
  const std::string release = is_confluents ? release_of_confluent(tag) : release_of(tag);
  const Origin origin{file, image->place.line};
  if (release.empty()) {
    inventory.leave_out(origin, "image: " + text,
                        "its tag is no release that is played; the newest one is, unless cluster.kafka says "
                        "otherwise");
  } else if (!inventory.kafka.empty() && inventory.kafka != release) {
    inventory.leave_out(origin, "image: " + text,
                        "all servers are of one release here, and " + inventory.kafka + " was read in " +
                            inventory.kafka_origin.file + ":" + std::to_string(inventory.kafka_origin.line));
  } else {
    inventory.kafka = release;
    inventory.kafka_origin = origin;
  }
}

int replicas_of(const Value& service) {
  const Value* deploy = service.find("deploy");
  const std::string text =
      deploy != nullptr && deploy->is_map() ? text_below(*deploy, "replicas") : text_below(service, "scale");
  return std::clamp(whole_number(text).value_or(1), 1, kMostReplicas);
}

void read_service(const Entry& service, const Value& environment, const std::string& file,
                  Inventory& inventory) {
  Server server;
  server.origin = {file, service.key_place.line};
  Identity identity;
  take_version(service.value, file, inventory);
  Value of_kafka = scenario::empty_map();
  for (const Entry& entry : environment.entries) {
    if (entry.key.starts_with("KAFKA_") || entry.key == "CLUSTER_ID") {
      of_kafka.entries.push_back(entry);
    } else if (entry.value.is_scalar()) {
      inventory.leave_out({file, entry.key_place.line}, shown_setting(entry.key, entry.value.text),
                          "is no property of a server");
    }
  }
  for (const Setting& setting :
       in_kafka_names(std::move(of_kafka), scenario::kBroker | scenario::kController, file, inventory))
    take_server_setting(setting.name, setting.value, setting.origin, identity, server.settings, inventory);
  server.id = identity.id;
  server.is_broker = identity.is_broker;
  server.is_controller = identity.is_controller;
  // Apache's image without any setting runs one combined server.
  if (!identity.says_roles && environment.entries.empty()) server.is_controller = true;
  server.rack = identity.rack;
  if (identity.voters) inventory.voters = std::max(*identity.voters, inventory.voters.value_or(0));
  const Value* deploy = service.value.find("deploy");
  if (deploy != nullptr && deploy->find("resources") != nullptr)
    inventory.leave_out(
        {file, deploy->place.line}, service.key + ".deploy.resources",
        "is not taken; write cluster: {cpu: {cores: ...}} to have threads wait for processors");
  const int replicas = replicas_of(service.value);
  if (replicas > 1) server.id.reset();
  for (int i = 0; i < replicas; ++i) inventory.servers.push_back(server);
}

}  // namespace

bool read_compose(const Value& root, const std::string& file, Inventory& inventory) {
  const Value* services = root.find("services");
  if (services == nullptr || !services->is_map()) return false;
  std::vector<LeftOut> others;
  bool found = false;
  for (const Entry& service : services->entries) {
    const Value environment = environment_of(service.value);
    const std::string image = text_below(service.value, "image");
    const bool is_server = service.value.is_map() &&
                           (is_kafka_image(image) || has_server_environment(environment)) &&
                           service.value.find("entrypoint") == nullptr;
    if (is_server) {
      read_service(service, environment, file, inventory);
      found = true;
    } else {
      const bool is_zookeeper = image.find("zookeeper") != std::string::npos;
      others.push_back({{file, service.key_place.line},
                        "service " + service.key + (image.empty() ? "" : " (" + image + ")"),
                        is_zookeeper
                            ? "ZooKeeper is not played: the cluster has a quorum of controllers"
                            : "is no server of Kafka; add what it does as a client of the scenario"});
    }
  }
  if (!found) return false;
  inventory.left_out.insert(inventory.left_out.end(), others.begin(), others.end());
  return true;
}

}  // namespace sim::importer
