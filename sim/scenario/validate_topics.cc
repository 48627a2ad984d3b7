#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "scenario/clients.h"
#include "scenario/property_values.h"
#include "scenario/read_values.h"
#include "scenario/units.h"
#include "scenario/validate.h"

namespace sim::scenario {

namespace {

// What Kafka takes without a word, and what comes of it.
class Topic {
 public:
  Topic(const Entry& topic, Report& report)
      : topic_(topic), config_(topic.value.at("config")), report_(report) {}

  // `duration_ms`: what would be deleted after it does not matter
  void check(std::int64_t duration_ms) {
    check_min_isr();
    if (!cleans("delete")) return;
    check_retention_bytes();
    if (number("retention.ms") < duration_ms) check_retention_ms();
  }
  // By a client that produces to it.
  void check_producer(const Entry& client) {
    const Value* key = client.value.find("key");  // what is sent on keeps that of its order
    if (cleans("compact") && key != nullptr && key->is_scalar() && key->text == "none") {
      report_.warning(
          given(*key) ? key->place : client.key_place,
          "clients." + client.key + ": topic " + topic_.key +
              " is compacted and refuses records without a key (INVALID_RECORD): every order will fail");
    }
    const Value& size = client.value.at("record.size");
    const Value& most = config_.at("max.message.bytes");
    if (!size.is_scalar()) return;
    const std::int64_t bytes = *read_scalar(size.text, UnitKind::size).value;
    const Value& producer = client.value.at(sends_on(client.value) ? "producer.config" : "config");
    const bool is_sent = bytes < *read_scalar(producer.at("max.request.size").text, UnitKind::none).value;
    if (!is_sent || bytes < number("max.message.bytes")) return;
    report_.warning(given(size) ? size.place : client.key_place,
                    "clients." + client.key + ".record.size (" + size.text +
                        ") does not fit into max.message.bytes (" + most.text + ") of topic " + topic_.key +
                        ": every order will be refused (MESSAGE_TOO_LARGE)");
  }

 private:
  static bool given(const Value& value) { return value.place.source >= 0; }
  std::int64_t number(std::string_view name) const {
    return *read_scalar(config_.at(name).text, UnitKind::none).value;
  }
  bool cleans(std::string_view policy) const {
    return config_.at("cleanup.policy").text.find(policy) != std::string::npos;
  }

  // The topic's own setting, or else the topic.
  const Place& place_of(std::string_view name, std::string_view other = {}) const {
    if (given(config_.at(name))) return config_.at(name).place;
    if (!other.empty() && given(config_.at(other))) return config_.at(other).place;
    return topic_.key_place;
  }

  void check_min_isr() {
    const Value& factor = topic_.value.at("replication.factor");
    const Value& min_isr = config_.at("min.insync.replicas");
    const std::int64_t replicas = *read_scalar(factor.text, UnitKind::none).value;
    if (number("min.insync.replicas") <= replicas) return;
    const Place& place = given(min_isr) ? min_isr.place : given(factor) ? factor.place : topic_.key_place;
    report_.warning(place, more_in_sync_than_replicas(topic_.key, number("min.insync.replicas"), replicas));
  }

  void check_retention_bytes() {
    const std::int64_t kept = number("retention.bytes");
    if (kept < 0 || kept >= number("segment.bytes")) return;
    report_.warning(place_of("retention.bytes", "segment.bytes"),
                    "topic " + topic_.key + ": retention.bytes (" + config_.at("retention.bytes").text +
                        ") is below segment.bytes (" + config_.at("segment.bytes").text +
                        "): only whole segments are deleted, so a partition grows to segment.bytes and more");
  }

  void check_retention_ms() {
    const std::int64_t kept = number("retention.ms");
    if (kept < 0 || kept >= number("segment.ms")) return;
    report_.warning(place_of("retention.ms", "segment.ms"),
                    "topic " + topic_.key + ": retention.ms (" + config_.at("retention.ms").text +
                        ") is below segment.ms (" + config_.at("segment.ms").text +
                        "): a segment goes when its youngest record is old enough, so nothing is deleted "
                        "while orders come, until the "
                        "segment is finished");
  }

  const Entry& topic_;
  const Value& config_;
  Report& report_;
};

// Topics that brokers create when a client first asks for them are as cluster.config has it.
void check_created_topics(const Value& root, Report& report) {
  const Value& config = root.at("cluster").at("config");
  const Value& min_isr = config.at("min.insync.replicas");
  const Value& factor = config.at("default.replication.factor");
  const std::int64_t least = *read_scalar(min_isr.text, UnitKind::none).value;
  const std::int64_t replicas = *read_scalar(factor.text, UnitKind::none).value;
  if (least <= replicas || config.at("auto.create.topics.enable").text != "true") return;
  for (const Entry& client : root.at("clients").entries) {
    const Value* produces = client.value.find("produces");
    if (produces == nullptr || root.at("topics").find(produces->text) != nullptr) continue;
    report.warning(min_isr.place.source >= 0 ? min_isr.place : factor.place,
                   more_in_sync_than_replicas(produces->text, least, replicas));
    return;  // the same is to be said of all others
  }
}

void check_directories(const Entry& topic, const Value& config, Report& report) {
  const Value* directories = topic.value.find("directories");
  if (directories == nullptr) return;
  const std::string where = "topics." + topic.key + ".directories";
  const Value& replicas = topic.value.at("replicas");
  const std::int64_t there_are = log_directories(config);
  bool fits = directories->items.size() == replicas.items.size();
  for (std::size_t i = 0; i < directories->items.size() && fits; ++i)
    fits = directories->items[i].items.size() == replicas.items[i].items.size();
  if (!fits)
    report.error(directories->place, where + " does not fit replicas",
                 "give a number for each of its replicas");
  for (const Value& partition : directories->items) {
    for (const Value& one : partition.items) {
      if (count_of(one) <= there_are) continue;
      report.error(one.place,
                   where + ": there is no directory number " + one.text + "; log.dirs lists " +
                       std::to_string(there_are),
                   "list them in cluster.config, such as log.dirs=/disk1,/disk2");
    }
  }
}

// ReplicationControlManager.validateManualPartitionAssignment, and what else is written of the topic agrees
// with it.
void check_assignment(const Entry& topic, const Value& brokers, Report& report) {
  const Value* replicas = topic.value.find("replicas");
  if (replicas == nullptr) return;
  const std::string where = "topics." + topic.key;
  const Value& partitions = topic.value.at("partitions");
  const Value& factor = topic.value.at("replication.factor");
  const std::size_t first = replicas->items.front().items.size();
  if (number_of(partitions, UnitKind::none) != static_cast<std::int64_t>(replicas->items.size())) {
    report.error(partitions.place,
                 where + ".partitions is " + partitions.text + ", and replicas lists " +
                     std::to_string(replicas->items.size()) + " partitions",
                 "leave partitions out");
  }
  if (number_of(factor, UnitKind::none) != static_cast<std::int64_t>(first)) {
    report.error(
        factor.place,
        where + ".replication.factor is " + factor.text + ", and replicas lists " + std::to_string(first),
        "leave replication.factor out");
  }
  for (std::size_t i = 0; i < replicas->items.size(); ++i) {
    const Value& partition = replicas->items[i];
    const std::string here = where + ".replicas[" + std::to_string(i) + "]";
    if (partition.items.size() != first) {
      report.error(partition.place, here + " has " + std::to_string(partition.items.size()) +
                                        " brokers, and the first partition " + std::to_string(first) +
                                        ": Kafka gives all partitions of a topic equally many");
    }
    std::set<std::string> seen;
    for (const Value& broker : partition.items) {
      if (!seen.insert(broker.text).second)
        report.error(broker.place, here + " lists broker " + broker.text + " twice");
      if (!brokers.invented && number_of(broker, UnitKind::none) > number_of(brokers, UnitKind::none)) {
        report.error(broker.place,
                     here + ": there is no broker " + broker.text + " in a cluster of " + brokers.text,
                     "they are 1 to " + brokers.text);
      }
    }
  }
}

}  // namespace

// Partition.effectiveMinIsr, ReplicationControlManager.getTopicEffectiveMinIsr: not above the number of
// replicas.
std::string more_in_sync_than_replicas(const std::string& topic, std::int64_t min_isr,
                                       std::int64_t replicas) {
  const std::string there_are = std::to_string(replicas);
  return "topic " + topic + " asks for " + std::to_string(min_isr) + " in-sync replicas and has " +
         there_are + ": Kafka takes min.insync.replicas for " + there_are +
         ", and writes with acks=all are refused as soon as one replica is out of sync";
}

void validate_topics(const Value& root, Report& report) {
  check_created_topics(root, report);
  const Value& duration = root.at("duration");
  const std::int64_t duration_ms =
      duration.invented ? 0 : *read_scalar(duration.text, UnitKind::duration).value / 1'000'000;
  for (const Entry& entry : root.at("topics").entries) {
    check_assignment(entry, root.at("cluster").at("brokers"), report);
    check_directories(entry, root.at("cluster").at("config"), report);
    Topic topic(entry, report);
    topic.check(duration_ms);
    for (const Entry& client : root.at("clients").entries) {
      const Value* produces = client.value.find("produces");
      if (produces != nullptr && produces->text == entry.key) topic.check_producer(client);
    }
  }
}

}  // namespace sim::scenario
