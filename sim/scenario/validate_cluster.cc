#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "scenario/clients.h"
#include "scenario/property_values.h"
#include "scenario/read_values.h"
#include "scenario/suggest.h"
#include "scenario/units.h"
#include "scenario/validate.h"

namespace sim::scenario {

namespace {

std::string brokers_there_are(std::int64_t brokers) {
  return brokers == 1 ? "there is 1 broker" : "there are " + std::to_string(brokers) + " brokers";
}

bool consumes_anything(const Value& root) {
  const std::vector<Entry>& clients = root.at("clients").entries;
  return std::any_of(clients.begin(), clients.end(),
                     [](const Entry& client) { return client.value.find("consumes") != nullptr; });
}

void check_times(const Value& root, Report& report) {
  const Value& duration = root.at("duration");
  const Value& warmup = root.at("warmup");
  if (!duration.invented && nanoseconds_of(warmup) >= nanoseconds_of(duration)) {
    report.error(warmup.place, "warmup (" + warmup.text + ") must be shorter than duration (" +
                                   duration.text + "): nothing would be left to measure");
  }
}

// "/disk1/ " and "/disk1" are one directory.
std::string_view plain_directory(std::string_view text) {
  const std::size_t begin = std::min(text.find_first_not_of(' '), text.size());
  text.remove_prefix(begin);
  while (text.size() > 1 && (text.back() == ' ' || text.back() == '/')) text.remove_suffix(1);
  return text;
}

// LogManager.createAndValidateLogDirs.
void check_no_directory_twice(const Value& config, Report& report) {
  const Value* dirs = config.find("log.dirs");
  if (dirs == nullptr) return;
  std::set<std::string_view> seen;
  for (std::string_view rest = dirs->text; !rest.empty();) {
    const std::size_t end = std::min(rest.find(','), rest.size());
    const std::string_view dir = plain_directory(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (seen.insert(dir).second) continue;
    report.error(dirs->place,
                 "log.dirs lists " + std::string(dir) +
                     " twice, and Kafka does not start: Duplicate log directory found",
                 "give each disk a directory of its own");
    return;
  }
}

void check_log_directories(const Value& cluster, Report& report) {
  constexpr std::int64_t kMost = 31;
  const Value& config = cluster.at("config");
  const std::int64_t there_are = log_directories(config);
  if (there_are > kMost) {
    report.error(property_place(config, "log.dirs"), "log.dirs lists " + std::to_string(there_are) +
                                                         " directories; a broker has at most " +
                                                         std::to_string(kMost) + " here");
  }
  check_no_directory_twice(config, report);
}

// What other programs take of cores, and who shares them, means nothing while there is no limit to them.
void check_cpu(const Value& cluster, Report& report) {
  const Value& cpu = cluster.at("cpu");
  if (count_of(cpu.at("cores")) > 0) return;
  const Value& shared = cpu.at("shared");
  const Value& share = cpu.at("others.share");
  if (shared.text == "true")
    report.error(shared.place, "cluster.cpu.shared means nothing without cluster.cpu.cores", "add cores: 2");
  if (number_of(share, UnitKind::ratio) > 0)
    report.error(share.place, "cluster.cpu.others.share means nothing without cluster.cpu.cores",
                 "add cores: 2");
}

void check_controllers(const Value& cluster, std::int64_t brokers, Report& report) {
  const Value& controllers = cluster.at("controllers");
  if (cluster.at("combined").text == "true" && count_of(controllers) > brokers) {
    report.error(controllers.place, "combined controllers are brokers too, and " +
                                        brokers_there_are(brokers) + ", not " + controllers.text);
  }
}

void check_racks(const Value& cluster, Report& report) {
  std::set<std::string> racks;
  for (const Value& rack : cluster.at("racks").items) {
    if (!racks.insert(rack.text).second)
      report.error(rack.place, "rack \"" + rack.text + "\" is listed twice in cluster.racks");
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
      if (!racks.contains(rack.text))
        report.error(rack.place, "there is no rack \"" + rack.text + "\" in cluster.racks",
                     did_you_mean_rack(rack.text, known));
    }
    const auto [first, second] = std::minmax(between.items[0].text, between.items[1].text);
    if (!pairs.emplace(first, second).second)
      report.error(between.place, "there is another link between " + first + " and " + second);
  }
}

std::string spelled_out(const Value& value) {
  std::string text = value.text;
  for (const Entry& entry : value.entries) text += entry.key + ": " + spelled_out(entry.value) + " ";
  return text;
}

// Racks that there are, each pair once or twice the same, and none that has a link of its own.
void check_matrix(const Value& cluster, Report& report) {
  const Value* matrix = cluster.at("network").find("matrix");
  if (matrix == nullptr) return;
  std::vector<std::string_view> racks;
  for (const Value& rack : cluster.at("racks").items) racks.push_back(rack.text);
  const auto check_rack = [&](const Entry& entry) {
    if (std::find(racks.begin(), racks.end(), entry.key) != racks.end()) return;
    report.error(entry.key_place, "there is no rack \"" + entry.key + "\" in cluster.racks",
                 did_you_mean_rack(entry.key, racks));
  };
  std::map<std::pair<std::string, std::string>, std::string> seen;
  if (const Value* links = cluster.at("network").find("links")) {
    for (const Value& link : links->items) {
      const Value& between = link.at("between");
      if (between.invented || between.items.size() != 2) continue;
      const auto [first, second] = std::minmax(between.items[0].text, between.items[1].text);
      seen[{first, second}] = "a link of cluster.network.links";
    }
  }
  for (const Entry& row : matrix->entries) {
    check_rack(row);
    for (const Entry& cell : row.value.entries) {
      check_rack(cell);
      const auto [first, second] = std::minmax(row.key, cell.key);
      const std::string rtt = spelled_out(cell.value);
      const auto [earlier, is_new] = seen.emplace(std::pair{first, second}, rtt);
      if (is_new || earlier->second == rtt) continue;
      report.error(cell.key_place,
                   "cluster.network.matrix: between " + first + " and " + second +
                       " there is another round-trip time already",
                   "a round trip is the same from both ends: write each pair once; to make one direction "
                   "slow, add a fault: delay with a direction");
    }
  }
}

void check_quotas(const Value& root, Report& report) {
  const Value* quotas = root.at("cluster").find("quotas");
  if (quotas == nullptr) return;
  std::vector<std::string_view> clients{"default"};
  for (const Entry& client : root.at("clients").entries) clients.push_back(client.key);
  for (const Entry& quota : quotas->entries) {
    if (std::find(clients.begin(), clients.end(), quota.key) == clients.end()) {
      report.error(quota.key_place, "cluster.quotas: there is no client \"" + quota.key + "\"",
                   did_you_mean(quota.key, clients));
      continue;
    }
    const Value* client = root.at("clients").find(quota.key);
    if (client == nullptr) continue;
    if (sends_on(*client)) continue;
    const bool produces = places_orders(*client);
    const std::string_view useless = produces ? "consumer_byte_rate" : "producer_byte_rate";
    if (quota.value.find(useless) == nullptr) continue;
    report.warning(quota.key_place, "cluster.quotas." + quota.key + "." + std::string(useless) +
                                        " limits nothing: it only " + (produces ? "produces" : "consumes"));
  }
}

void check_replication(const Value& root, std::int64_t brokers, Report& report) {
  const Value& config = root.at("cluster").at("config");
  for (const Entry& topic : root.at("topics").entries) {
    const Value& factor = topic.value.at("replication.factor");
    const Place& place = factor.place.source >= 0 ? factor.place : topic.key_place;
    if (count_of(factor) > brokers) {
      report.error(place, "topic " + topic.key + " asks for " + factor.text + " replicas, and " +
                              brokers_there_are(brokers));
    }
  }
  const Value& offsets = config.at("offsets.topic.replication.factor");
  if (count_of(offsets) > brokers && consumes_anything(root)) {
    report.error(offsets.place.source >= 0 ? offsets.place : root.at("cluster").at("brokers").place,
                 "__consumer_offsets needs " + offsets.text +
                     " brokers (offsets.topic.replication.factor), and " + brokers_there_are(brokers) +
                     ": no group could ever form",
                 "set offsets.topic.replication.factor to " + std::to_string(brokers) + " in cluster.config");
  }
}

// The controller refuses to create such a topic.
void check_offsets_segments(const Value& root, Report& report) {
  const Value& bytes = root.at("cluster").at("config").at("offsets.topic.segment.bytes");
  if (count_of(bytes) >= 1'048'576 || !consumes_anything(root)) return;
  report.error(bytes.place, "offsets.topic.segment.bytes (" + bytes.text +
                                ") is below the least segment.bytes of a topic (1048576): __consumer_offsets "
                                "could not be created, and no group could ever form");
}

}  // namespace

void validate_cluster(const Value& root, Report& report) {
  check_times(root, report);
  const Value& cluster = root.at("cluster");
  check_racks(cluster, report);
  check_cpu(cluster, report);
  check_offsets_segments(root, report);
  check_log_directories(cluster, report);
  check_matrix(cluster, report);
  check_quotas(root, report);
  if (cluster.at("brokers").invented) return;
  const std::int64_t brokers = count_of(cluster.at("brokers"));
  check_controllers(cluster, brokers, report);
  check_replication(root, brokers, report);
}

}  // namespace sim::scenario
