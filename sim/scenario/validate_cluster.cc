#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "scenario/property_values.h"
#include "scenario/suggest.h"
#include "scenario/units.h"
#include "scenario/validate.h"

namespace sim::scenario {

namespace {

std::int64_t whole(const Value& value) { return *read_scalar(value.text, UnitKind::none).value; }
std::int64_t nanoseconds(const Value& value) { return *read_scalar(value.text, UnitKind::duration).value; }

std::string brokers_there_are(std::int64_t brokers) {
  return brokers == 1 ? "there is 1 broker" : "there are " + std::to_string(brokers) + " brokers";
}

bool consumes_anything(const Value& root) {
  const std::vector<Entry>& clients = root.at("clients").entries;
  return std::any_of(clients.begin(), clients.end(), [](const Entry& client) { return client.value.find("consumes") != nullptr; });
}

void check_times(const Value& root, Report& report) {
  const Value& duration = root.at("duration");
  const Value& warmup = root.at("warmup");
  if (!duration.invented && nanoseconds(warmup) >= nanoseconds(duration)) {
    report.error(warmup.place, "warmup (" + warmup.text + ") must be shorter than duration (" + duration.text + "): nothing would be left to measure");
  }
}

void check_controllers(const Value& cluster, std::int64_t brokers, Report& report) {
  const Value& controllers = cluster.at("controllers");
  if (cluster.at("combined").text == "true" && whole(controllers) > brokers) {
    report.error(controllers.place, "combined controllers are brokers too, and " + brokers_there_are(brokers) + ", not " + controllers.text);
  }
}

void check_racks(const Value& cluster, Report& report) {
  std::set<std::string> racks;
  for (const Value& rack : cluster.at("racks").items) {
    if (!racks.insert(rack.text).second) report.error(rack.place, "rack \"" + rack.text + "\" is listed twice in cluster.racks");
  }
  const Value* links = cluster.at("network").find("links");
  if (links == nullptr) return;
  std::set<std::pair<std::string, std::string>> pairs;
  for (const Value& link : links->items) {
    const Value& between = link.at("between");
    if (between.invented) continue;
    if (between.items.size() != 2) {
      report.error(between.place, "a link is between two racks, not " + std::to_string(between.items.size()));
      continue;
    }
    std::vector<std::string_view> known(racks.begin(), racks.end());
    for (const Value& rack : between.items) {
      if (!racks.contains(rack.text)) report.error(rack.place, "there is no rack \"" + rack.text + "\" in cluster.racks", did_you_mean(rack.text, known));
    }
    const auto [first, second] = std::minmax(between.items[0].text, between.items[1].text);
    if (!pairs.emplace(first, second).second) report.error(between.place, "there is another link between " + first + " and " + second);
  }
}

void check_replication(const Value& root, std::int64_t brokers, Report& report) {
  const Value& config = root.at("cluster").at("config");
  for (const Entry& topic : root.at("topics").entries) {
    const Value& factor = topic.value.at("replication.factor");
    const Place& place = factor.place.source >= 0 ? factor.place : topic.key_place;
    if (whole(factor) > brokers) {
      report.error(place, "topic " + topic.key + " asks for " + factor.text + " replicas, and " + brokers_there_are(brokers));
      continue;
    }
    const Value& min_isr = topic.value.at("config").at("min.insync.replicas");
    if (whole(min_isr) > whole(factor)) {
      report.warning(min_isr.place.source >= 0 ? min_isr.place : place, "topic " + topic.key + " needs " + min_isr.text + " in-sync replicas and has " + factor.text +
                                                                            ": Kafka will refuse every write with acks=all");
    }
  }
  const Value& offsets = config.at("offsets.topic.replication.factor");
  if (whole(offsets) > brokers && consumes_anything(root)) {
    report.error(offsets.place.source >= 0 ? offsets.place : root.at("cluster").at("brokers").place,
                 "__consumer_offsets needs " + offsets.text + " brokers (offsets.topic.replication.factor), and " + brokers_there_are(brokers) +
                     ": no group could ever form",
                 "set offsets.topic.replication.factor to " + std::to_string(brokers) + " in cluster.config");
  }
}

}  // namespace

void validate_cluster(const Value& root, Report& report) {
  check_times(root, report);
  const Value& cluster = root.at("cluster");
  check_racks(cluster, report);
  if (cluster.at("brokers").invented) return;
  const std::int64_t brokers = whole(cluster.at("brokers"));
  check_controllers(cluster, brokers, report);
  check_replication(root, brokers, report);
}

}  // namespace sim::scenario
