#include <algorithm>
#include <initializer_list>
#include <string_view>
#include <utility>

#include "importer/file_kinds.h"
#include "importer/settings.h"

// Resources of Strimzi: Kafka, KafkaNodePool, KafkaTopic. A pool's replicas are that many servers.
namespace sim::importer {

namespace {

using scenario::Entry;
using scenario::Value;

constexpr int kMostOfAPool = 1'000;

const Value* map_at(const Value& value, std::initializer_list<std::string_view> path) {
  const Value* at = &value;
  for (const std::string_view key : path) {
    at = at->is_map() ? at->find(key) : nullptr;
    if (at == nullptr) return nullptr;
  }
  return at;
}

std::string text_at(const Value& value, std::initializer_list<std::string_view> path) {
  const Value* at = map_at(value, path);
  return at != nullptr && at->is_scalar() ? at->text : std::string{};
}

class Resources {
 public:
  Resources(const std::string& file, Inventory& inventory) : file_(file), inventory_(inventory) {}

  void add(const Value& resource) {
    const Value* items = resource.is_map() ? resource.find("items") : nullptr;
    if (items != nullptr && items->is_list()) {  // kubectl get -o yaml
      for (const Value& item : items->items) add(item);
      return;
    }
    const std::string kind = text_at(resource, {"kind"});
    const std::string version = text_at(resource, {"apiVersion"});
    if (version.find("strimzi") == std::string::npos) {
      others_.push_back(
          {place(resource), "kind: " + (kind.empty() ? "(none)" : kind), "is no resource of Strimzi's"});
    } else if (kind == "Kafka") {
      clusters_.push_back(&resource);
    } else if (kind == "KafkaNodePool") {
      pools_.push_back(&resource);
    } else if (kind == "KafkaTopic") {
      topic(resource);
      found_ = true;
    } else {
      others_.push_back({place(resource), "kind: " + kind, "is not played"});
    }
  }

  bool end() {
    for (const Value* one : clusters_) cluster(*one);
    for (const Value* one : pools_) pool(*one);
    found_ = found_ || !clusters_.empty() || !pools_.empty();
    if (found_) inventory_.left_out.insert(inventory_.left_out.end(), others_.begin(), others_.end());
    return found_;
  }

 private:
  Origin place(const Value& value) const { return {file_, value.place.line}; }

  // Keys of a map that nobody reads here.
  void rest(const Value* map, std::string_view where, std::initializer_list<std::string_view> taken,
            const std::string& reason) {
    if (map == nullptr) return;
    for (const Entry& entry : map->entries) {
      if (std::find(taken.begin(), taken.end(), entry.key) == taken.end())
        inventory_.leave_out({file_, entry.key_place.line}, std::string(where) + entry.key, reason);
    }
  }

  void cluster(const Value& resource) {
    const Value* kafka = map_at(resource, {"spec", "kafka"});
    if (kafka == nullptr) {
      inventory_.leave_out(place(resource), "kind: Kafka", "has no spec.kafka");
      return;
    }
    if (const Value* version = map_at(*kafka, {"version"})) {
      const std::string release = release_of(version->text);
      if (release.empty()) {
        inventory_.leave_out(place(*version), "version: " + version->text, "is no release that is played");
      } else {
        inventory_.kafka = release;
        inventory_.kafka_origin = place(*version);
      }
    }
    Server server;
    server.origin = place(resource);
    Identity identity;
    if (const Value* config = map_at(*kafka, {"config"})) {
      for (const Setting& setting :
           in_kafka_names(*config, scenario::kBroker | scenario::kController, file_, inventory_))
        take_server_setting(setting.name, setting.value, setting.origin, identity, server.settings,
                            inventory_);
    }
    settings_ = server.settings;
    if (const Value* rack = map_at(*kafka, {"rack"}))
      inventory_.leave_out(place(*rack), "spec.kafka.rack",
                           "which zones there are is not said; write cluster: {racks: [a, b, c]}");
    rest(kafka, "spec.kafka.", {"version", "replicas", "config", "rack"}, "has no effect in a simulation");
    rest(map_at(resource, {"spec"}), "spec.", {"kafka", "zookeeper"}, "is not played");
    if (const Value* zookeeper = map_at(resource, {"spec", "zookeeper"}))
      inventory_.leave_out(place(*zookeeper), "spec.zookeeper",
                           "ZooKeeper is not played: the cluster has a quorum of controllers");
    if (!pools_.empty()) return;  // which say how many servers there are
    const int replicas = std::clamp(whole_number(text_at(*kafka, {"replicas"})).value_or(1), 1, kMostOfAPool);
    for (int i = 0; i < replicas; ++i) inventory_.servers.push_back(server);
  }

  void pool(const Value& resource) {
    Server server;
    server.origin = place(resource);
    server.is_broker = false;
    if (const Value* roles = map_at(resource, {"spec", "roles"})) {
      for (const Value& role : roles->items) {
        server.is_broker = server.is_broker || role.text == "broker";
        server.is_controller = server.is_controller || role.text == "controller";
      }
    }
    if (!server.is_broker && !server.is_controller) server.is_broker = true;
    server.settings = settings_;
    rest(map_at(resource, {"spec"}), "spec.", {"replicas", "roles"}, "has no effect in a simulation");
    const int replicas =
        std::clamp(whole_number(text_at(resource, {"spec", "replicas"})).value_or(1), 1, kMostOfAPool);
    for (int i = 0; i < replicas; ++i) inventory_.servers.push_back(server);
  }

  void topic(const Value& resource) {
    std::string name = text_at(resource, {"spec", "topicName"});
    if (name.empty()) name = text_at(resource, {"metadata", "name"});
    if (name.empty()) {
      inventory_.leave_out(place(resource), "kind: KafkaTopic", "has no name");
      return;
    }
    Topic& topic = inventory_.topics[name];
    if (topic.origin.line == 0) topic.origin = place(resource);
    if (const auto partitions = whole_number(text_at(resource, {"spec", "partitions"})))
      topic.partitions = std::max(topic.partitions, *partitions);
    if (const auto factor = whole_number(text_at(resource, {"spec", "replicas"})))
      topic.replication_factor = *factor;
    if (const Value* config = map_at(resource, {"spec", "config"})) {
      for (const Setting& setting : in_kafka_names(*config, scenario::kTopic, file_, inventory_))
        take_setting(setting.name, setting.value, setting.origin, scenario::kTopic, topic.settings,
                     inventory_);
    }
    rest(map_at(resource, {"spec"}), "spec.", {"topicName", "partitions", "replicas", "config"},
         "is not played");
  }

  const std::string& file_;
  Inventory& inventory_;
  std::vector<const Value*> clusters_, pools_;
  std::vector<Setting> settings_;  // of spec.kafka.config, for all pools
  std::vector<LeftOut> others_;
  bool found_ = false;
};

}  // namespace

bool read_kubernetes(const std::vector<Value>& resources, const std::string& file, Inventory& inventory) {
  Resources read(file, inventory);
  for (const Value& resource : resources) read.add(resource);
  return read.end();
}

}  // namespace sim::importer
