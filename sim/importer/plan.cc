#include "importer/plan.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <iterator>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "importer/settings.h"
#include "scenario/properties.h"

namespace sim::importer {

namespace {

constexpr std::int64_t kOrdersPerSecond = 200;  // of all producers together, as nobody says how many come
constexpr int kUsualServers = 3;
constexpr int kUsualPartitions = 6;
constexpr std::size_t kLongestName = 64;

std::string place_text(const Origin& origin) {
  return origin.line == 0 ? origin.file : origin.file + ":" + std::to_string(origin.line);
}

std::optional<std::int64_t> number_among(const std::vector<Setting>& settings, std::string_view name) {
  for (const Setting& setting : settings) {
    if (setting.name != name) continue;
    std::int64_t number = 0;
    const char* const end = setting.value.data() + setting.value.size();
    const auto [rest, bad] = std::from_chars(setting.value.data(), end, number);
    if (bad == std::errc{} && rest == end) return number;
  }
  return std::nullopt;
}

// A name that a client of a scenario may have, and no other of them has.
std::string client_name(std::string_view text, std::set<std::string>& names) {
  std::string name;
  for (const char c : text.substr(0, kLongestName - 4)) {
    const bool may_stand = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                           c == '_' || c == '-' || c == '.';
    name += may_stand ? c : '-';
  }
  name.erase(0, name.find_first_not_of("-."));
  if (name.empty()) name = "client";
  std::string unique = name;
  for (int i = 2; !names.insert(unique).second; ++i) unique = name + "-" + std::to_string(i);
  return unique;
}

class Planner {
 public:
  explicit Planner(Inventory inventory) : from_(std::move(inventory)) {}

  Plan plan() {
    merge_servers_of_one_id();
    common_settings();
    internal_topics();
    topics_that_are_only_read();
    count_brokers();
    fit_offsets_topic();
    count_controllers();
    deal_out_racks();
    to_.kafka = from_.kafka;
    if (!to_.kafka.empty()) to_.kafka_remark = place_text(from_.kafka_origin);
    for (auto& [name, topic] : from_.topics) add_topic(name, topic);
    if (to_.topics.empty()) assume_topic();
    for (auto& [name, group] : from_.groups) add_group(name, group);
    if (from_.groups.empty()) assume_group();
    add_producers();
    share_out_orders();
    begin_when_groups_have_formed();
    to_.left_out = std::move(from_.left_out);
    return std::move(to_);
  }

 private:
  // Two files of one server: what the later one says is added.
  void merge_servers_of_one_id() {
    std::vector<Server> merged;
    for (Server& server : from_.servers) {
      const auto same = std::find_if(merged.begin(), merged.end(), [&server](const Server& other) {
        return server.id && other.id == server.id;
      });
      if (same == merged.end()) {
        merged.push_back(std::move(server));
        continue;
      }
      from_.leave_out(
          server.origin, "node.id=" + std::to_string(*server.id),
          "is the id of the server in " + place_text(same->origin) + ", too; both are taken for one");
      same->settings.insert(same->settings.end(), server.settings.begin(), server.settings.end());
      same->is_controller = same->is_controller || server.is_controller;
    }
    from_.servers = std::move(merged);
  }

  // All servers have one configuration here: of several values the most frequent counts, the first of those.
  void common_settings() {
    std::vector<std::string> names;
    for (const Server& server : from_.servers) {
      for (const Setting& setting : server.settings) {
        if (std::find(names.begin(), names.end(), setting.name) == names.end()) names.push_back(setting.name);
      }
    }
    for (const std::string& name : names) common_setting(name);
  }

  void common_setting(const std::string& name) {
    std::vector<const Setting*> given;
    for (const Server& server : from_.servers) {
      for (const Setting& setting : server.settings) {
        if (setting.name == name) given.push_back(&setting);
      }
    }
    const auto times = [&given](const std::string& value) {
      return std::count_if(given.begin(), given.end(),
                           [&value](const Setting* setting) { return setting->value == value; });
    };
    const Setting* chosen = given.front();
    for (const Setting* setting : given) {
      if (times(setting->value) > times(chosen->value)) chosen = setting;
    }
    std::set<std::string> told;
    for (const Setting* setting : given) {
      if (setting->value == chosen->value || !told.insert(place_text(setting->origin)).second) continue;
      from_.leave_out(setting->origin, shown_setting(name, setting->value),
                      "all servers have one configuration here, and it is " + chosen->value + " in " +
                          place_text(chosen->origin));
    }
    to_.settings.push_back(*chosen);
  }

  // Those of Kafka itself are made as settings of the brokers have it.
  void internal_topics() {
    for (auto topic = from_.topics.begin(); topic != from_.topics.end();) {
      const std::string& name = topic->first;
      if (!name.starts_with("__")) {
        ++topic;
        continue;
      }
      const std::string_view prefix = name == "__consumer_offsets"    ? "offsets.topic"
                                      : name == "__transaction_state" ? "transaction.state.log"
                                                                      : "";
      if (prefix.empty()) {
        from_.leave_out(topic->second.origin, "topic " + name, "is an internal topic that is not played");
      } else {
        internal_setting(std::string(prefix) + ".num.partitions", topic->second.partitions, topic->second);
        internal_setting(std::string(prefix) + ".replication.factor", topic->second.replication_factor,
                         topic->second);
      }
      topic = from_.topics.erase(topic);
    }
    for (auto& [name, group] : from_.groups)
      std::erase_if(group.topics, [](const auto& topic) { return topic.first.starts_with("__"); });
  }

  void internal_setting(const std::string& name, int value, const Topic& topic) {
    if (value == 0) return;
    const scenario::Property* property = scenario::find_property(name, scenario::kBroker);
    if (property == nullptr || property->status != scenario::Status::modelled) return;
    std::erase_if(to_.settings, [&name](const Setting& setting) { return setting.name == name; });
    to_.settings.push_back(Setting{name, std::to_string(value), topic.origin});
  }

  void topics_that_are_only_read() {
    for (const auto& [group_name, group] : from_.groups) {
      for (const auto& [name, read] : group.topics) {
        Topic& topic = from_.topics[name];
        if (topic.origin.file.empty()) topic.origin = group.origin;
        topic.partitions = std::max(topic.partitions, read.partitions);
      }
    }
    for (const Producer& producer : from_.producers) {
      if (producer.topic.empty()) continue;
      Topic& topic = from_.topics[producer.topic];
      if (topic.origin.file.empty()) topic.origin = producer.origin;
    }
    for (auto& [name, topic] : from_.topics) {
      if (!topic.replicas.empty())
        topic.partitions = std::max(topic.partitions, topic.replicas.rbegin()->first + 1);
      if (topic.replication_factor == 0 && !topic.replicas.empty())
        topic.replication_factor = static_cast<int>(topic.replicas.begin()->second.size());
    }
  }

  int most_replicas() const {
    std::int64_t most = 1;
    for (const char* name : {"default.replication.factor", "offsets.topic.replication.factor"})
      most = std::max(most, number_among(to_.settings, name).value_or(1));
    for (const auto& [name, topic] : from_.topics)
      most = std::max<std::int64_t>(most, topic.replication_factor);
    return static_cast<int>(std::min<std::int64_t>(most, 1'000));
  }

  void count_brokers() {
    std::set<int> ids = from_.broker_ids;
    int servers = 0;
    bool are_some_missing = from_.broker_ids.empty();  // files of single servers may be those of a few
    for (const Server& server : from_.servers) {
      if (!server.is_broker) continue;
      ++servers;
      if (server.id) ids.insert(*server.id);
      if (server.origin.line != 0) are_some_missing = false;  // compose and Strimzi name all of them
    }
    for (const int id : ids) to_.broker_numbers.emplace(id, static_cast<int>(to_.broker_numbers.size()) + 1);
    to_.brokers = std::max(servers, static_cast<int>(ids.size()));
    if (to_.brokers == 0) {
      to_.brokers = std::max(kUsualServers, most_replicas());
      to_.brokers_remark = "assumed";
    } else if (are_some_missing) {
      const int voters = any_combined() ? from_.voters.value_or(0) : 0;
      const int wanted = std::max({to_.brokers, voters, most_replicas()});
      if (wanted > to_.brokers)
        to_.brokers_remark = "assumed: replication factors or controller.quorum.voters ask for as many";
      to_.brokers = wanted;
    }
    const bool are_numbered_anew = std::any_of(to_.broker_numbers.begin(), to_.broker_numbers.end(),
                                               [](const auto& one) { return one.first != one.second; });
    if (!are_numbered_anew || !to_.brokers_remark.empty()) return;
    std::string names;
    for (const auto& [id, number] : to_.broker_numbers)
      names += (names.empty() ? "" : ", ") + std::to_string(id) + " is broker-" + std::to_string(number);
    to_.brokers_remark = names;
  }

  // No group can form where __consumer_offsets cannot have its replicas.
  void fit_offsets_topic() {
    constexpr std::string_view kName = "offsets.topic.replication.factor";
    constexpr std::int64_t kKafkasDefault = 3;
    const std::optional<std::int64_t> given = number_among(to_.settings, kName);
    if (given.value_or(kKafkasDefault) <= to_.brokers) return;
    const auto setting = std::find_if(to_.settings.begin(), to_.settings.end(),
                                      [=](const Setting& one) { return one.name == kName; });
    const std::string brokers = std::to_string(to_.brokers);
    if (setting == to_.settings.end()) {
      to_.settings.push_back(Setting{std::string(kName), brokers, {}});
    } else {
      from_.leave_out(setting->origin, shown_setting(setting->name, setting->value),
                      "there are " + brokers + " brokers, so it is " + brokers);
      setting->value = brokers;
    }
  }

  bool any_combined() const {
    return std::any_of(from_.servers.begin(), from_.servers.end(),
                       [](const Server& server) { return server.is_broker && server.is_controller; });
  }

  void count_controllers() {
    const auto controllers = std::count_if(from_.servers.begin(), from_.servers.end(),
                                           [](const Server& server) { return server.is_controller; });
    const bool are_separate =
        std::any_of(from_.servers.begin(), from_.servers.end(),
                    [](const Server& server) { return server.is_controller && !server.is_broker; });
    to_.combined = any_combined() && !are_separate;
    to_.controllers = std::max(static_cast<int>(controllers), from_.voters.value_or(0));
    if (any_combined() && are_separate)
      from_.leave_out(from_.servers.front().origin, "process.roles",
                      "some controllers are brokers too and some are not; all are servers of their own here");
    if (to_.controllers == 0) {
      to_.controllers = kUsualServers;
      to_.controllers_remark = "assumed";
    }
    if (to_.combined) to_.controllers = std::min(to_.controllers, to_.brokers);
  }

  void deal_out_racks() {
    std::map<int, std::string> racks;  // by broker
    int without_id = 0;
    for (const Server& server : from_.servers) {
      if (server.is_broker && !server.rack.empty())
        racks[server.id ? to_.broker_numbers.at(*server.id) : --without_id] = server.rack;
    }
    if (racks.empty()) return;
    const bool has_all = static_cast<int>(racks.size()) == to_.brokers;
    if (!has_all && racks.size() > 1) {
      from_.leave_out(from_.servers.front().origin, "broker.rack",
                      "is not said of every broker; write cluster: {racks: [a, b, c]}");
      return;
    }
    if (!has_all) return;
    std::vector<std::string> all;
    for (const auto& [number, rack] : racks) all.push_back(rack);
    std::size_t period = 1;  // they are dealt out in turn, so the shortest beginning that repeats will do
    while (period < all.size() &&
           !std::equal(all.begin() + static_cast<std::ptrdiff_t>(period), all.end(), all.begin()))
      ++period;
    to_.racks.assign(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(period));
  }

  void add_topic(const std::string& name, Topic& topic) {
    PlannedTopic planned;
    planned.name = name;
    planned.origin = topic.origin;
    planned.remark = place_text(topic.origin);
    planned.partitions = topic.partitions;
    planned.replication_factor = std::min(topic.replication_factor, to_.brokers);
    if (topic.replication_factor > to_.brokers)
      from_.leave_out(topic.origin, name + ": ReplicationFactor " + std::to_string(topic.replication_factor),
                      "there are " + std::to_string(to_.brokers) + " brokers");
    if (planned.replication_factor == 0 && !number_among(to_.settings, "default.replication.factor"))
      planned.replication_factor = std::min(kUsualServers, to_.brokers);
    if (planned.partitions == 0 && !number_among(to_.settings, "num.partitions"))
      planned.partitions = kUsualPartitions;
    planned.settings = std::move(topic.settings);
    place_replicas(topic, planned);
    to_.topics.push_back(std::move(planned));
  }

  void place_replicas(const Topic& topic, PlannedTopic& planned) {
    if (topic.replicas.empty()) return;
    const std::size_t factor = topic.replicas.begin()->second.size();
    const bool is_whole = static_cast<int>(topic.replicas.size()) == planned.partitions;
    const bool is_even = std::all_of(topic.replicas.begin(), topic.replicas.end(),
                                     [factor](const auto& one) { return one.second.size() == factor; });
    if (!is_whole || !is_even) {
      from_.leave_out(topic.origin, planned.name + ": Replicas",
                      is_whole
                          ? "its partitions have different numbers of replicas; the controller places them"
                          : "not all of its partitions are described; the controller places them");
      return;
    }
    planned.replication_factor = static_cast<int>(factor);
    for (const auto& [partition, ids] : topic.replicas) {
      std::vector<int> brokers;
      for (const int id : ids) brokers.push_back(to_.broker_numbers.at(id));
      planned.replicas.push_back(std::move(brokers));
    }
  }

  void assume_topic() {
    Topic topic;
    add_topic("orders", topic);
    to_.topics.back().remark = "assumed: no file names a topic";
  }

  // What clients use of which nothing is said: the topic that most are about.
  std::string main_topic() const {
    for (const Producer& producer : from_.producers) {
      if (!producer.topic.empty()) return producer.topic;
    }
    for (const auto& [name, group] : from_.groups) {
      if (!group.topics.empty()) return group.topics.begin()->first;
    }
    return to_.topics.front().name;
  }

  void add_group(const std::string& name, Group& group) {
    group_settings(name, group);
    const bool is_assumed = group.topics.empty();
    if (is_assumed) group.topics[main_topic()];
    const bool has_several = group.topics.size() > 1;
    if (has_several)
      from_.leave_out(group.origin,
                      "group " + name + " reads " + std::to_string(group.topics.size()) + " topics",
                      "a service reads one topic here: each of them has a group of its own");
    for (const auto& [topic, read] : group.topics) {
      PlannedClient client;
      client.name = client_name(has_several ? name + "-" + topic : name, names_);
      client.topic = topic;
      client.group_id = has_several ? name + "-" + topic : name;
      const int of_topic = static_cast<int>(read.members.size());
      const int members = has_several && of_topic > 0 ? of_topic : group.members.value_or(0);
      client.members = std::clamp(members, 1, 1'000);
      client.commit = group.commit;
      client.settings = group.settings;
      client.remark = place_text(group.origin);
      if (is_assumed) client.remark += ", which does not say what it reads";
      if (group.members && members == 0) client.remark += "; it had no active member";
      if (read.lag > 0) client.remark += "; its lag was " + std::to_string(read.lag);
      client.remark += hottest_partition(read);
      to_.clients.push_back(std::move(client));
    }
  }

  // A partition that holds twice its share and more: its keys are hot.
  static std::string hottest_partition(const GroupTopic& read) {
    std::int64_t sum = 0, most = 0;
    int partition = 0;
    for (const auto& [number, end] : read.log_end_offsets) {
      sum += end;
      if (end > most) {
        most = end;
        partition = number;
      }
    }
    const auto partitions = static_cast<std::int64_t>(read.log_end_offsets.size());
    if (partitions < 2 || sum < 1'000 || most * partitions < 2 * sum) return {};
    return "; partition " + std::to_string(partition) + " holds " + std::to_string(most * 100 / sum) +
           " % of its records";
  }

  void group_settings(const std::string& name, Group& group) {
    const Origin origin = group.origin;
    const auto has = [&group](std::string_view setting_name) {
      return std::any_of(group.settings.begin(), group.settings.end(),
                         [setting_name](const Setting& setting) { return setting.name == setting_name; });
    };
    if (group.has_consumer_protocol) {
      take_setting("group.protocol", "consumer", origin, scenario::kConsumer, group.settings, from_);
      const bool is_played = has("group.protocol");
      if (is_played && !group.assignor.empty())
        take_setting("group.remote.assignor", group.assignor, origin, scenario::kConsumer, group.settings,
                     from_);
    } else if (!group.assignor.empty() && !has("partition.assignment.strategy")) {
      take_setting("partition.assignment.strategy", group.assignor, origin, scenario::kConsumer,
                   group.settings, from_);
    }
    if (group.has_static_members && !has("group.instance.id"))
      take_setting("group.instance.id", name, origin, scenario::kConsumer, group.settings, from_);
  }

  void assume_group() {
    PlannedClient client;
    client.name = client_name("service", names_);
    client.remark = "assumed: no file names a group";
    client.topic = main_topic();
    client.group_id = client.name;
    client.members = 2;
    to_.clients.push_back(std::move(client));
  }

  void add_producers() {
    std::vector<std::string> wanted;  // topics that somebody reads, without a producer
    for (const PlannedClient& client : to_.clients) {
      if (std::find(wanted.begin(), wanted.end(), client.topic) == wanted.end())
        wanted.push_back(client.topic);
    }
    std::vector<PlannedClient> producers;
    for (Producer& producer : from_.producers) {
      PlannedClient client;
      client.name = client_name(producer.name, names_);
      client.produces = true;
      client.topic = !producer.topic.empty() ? producer.topic
                     : wanted.empty()        ? main_topic()
                                             : wanted.front();
      client.remark = place_text(producer.origin);
      if (producer.topic.empty()) client.remark += ", which does not say where to";
      client.settings = std::move(producer.settings);
      std::erase(wanted, client.topic);
      producers.push_back(std::move(client));
    }
    for (const std::string& topic : wanted) {
      PlannedClient client;
      client.name = client_name(topic + "-producer", names_);
      client.produces = true;
      client.topic = topic;
      client.remark = "assumed: no file says who produces to it";
      producers.push_back(std::move(client));
    }
    to_.clients.insert(to_.clients.begin(), std::make_move_iterator(producers.begin()),
                       std::make_move_iterator(producers.end()));
  }

  void share_out_orders() {
    const auto producers = std::count_if(to_.clients.begin(), to_.clients.end(),
                                         [](const PlannedClient& client) { return client.produces; });
    for (PlannedClient& client : to_.clients) {
      if (client.produces) client.orders_per_second = std::max<std::int64_t>(1, kOrdersPerSecond / producers);
    }
  }

  // A group forms after twice group.initial.rebalance.delay.ms at the most, and with auto.offset.reset=latest
  // it never sees what came before; the rest is for its members' start.
  void begin_when_groups_have_formed() {
    constexpr std::int64_t kUsualDelayMs = 3'000;
    const std::int64_t delay_ms =
        number_among(to_.settings, "group.initial.rebalance.delay.ms").value_or(kUsualDelayMs);
    to_.first_order_s = std::clamp<std::int64_t>(2 * delay_ms / 1'000 + 6, 12, 600);
  }

  Inventory from_;
  Plan to_;
  std::set<std::string> names_;  // of the clients
};

}  // namespace

Plan plan_of(Inventory inventory) {
  return Planner(std::move(inventory)).plan();
}

}  // namespace sim::importer
