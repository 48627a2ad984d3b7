#include "scenario/complete.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/int128.h"
#include "history/table.h"
#include "scenario/client_rules.h"
#include "scenario/dialects.h"
#include "scenario/profiles.h"
#include "scenario/read_values.h"
#include "scenario/schema.h"
#include "scenario/server_rules.h"
#include "scenario/walk.h"

namespace sim::scenario {

namespace {

class Completion {
 public:
  Completion(Value& root, const std::string& stem, Report& report)
      : root_(root), stem_(stem), report_(report) {}

  void section(Value& value, std::string_view path, const std::string& name) {
    std::vector<Entry> ordered;
    for (const Key* row : keys_below(path)) {
      if (!row->belongs_in(value)) continue;
      const auto given = std::find_if(value.entries.begin(), value.entries.end(),
                                      [&](const Entry& entry) { return entry.key == row->last(); });
      std::optional<Entry> entry;
      if (given != value.entries.end()) {
        entry = *given;
      } else if (std::optional<Value> fallback = missing(*row, value, ordered, name)) {
        entry = Entry{std::string(row->last()), value.place, std::move(*fallback)};
      }
      if (!entry) continue;
      below(entry->value, *row, name);
      ordered.push_back(std::move(*entry));
      if (path.empty()) root_.set(ordered.back().key, ordered.back().value);  // what follows may look it up
    }
    value.entries = std::move(ordered);
  }

 private:
  void below(Value& value, const Key& row, const std::string& name) {
    if (row.type == KeyType::section && value.is_map()) section(value, row.path, name);
    if (row.type == KeyType::list) {
      for (Value& item : value.items) section(item, std::string(row.path) + "/[]", name);
    }
    if (row.type == KeyType::names) {
      for (Entry& entry : value.entries) section(entry.value, std::string(row.path) + "/<name>", entry.key);
    }
    if (row.path == "clients/<name>/config" && is_librdkafka(name)) {
      use_librdkafka_defaults(value, row.components);
    } else if (row.type == KeyType::properties && row.path != "faults/[]/deploy/config") {
      former_defaults(value, row.components);
    }
    if (row.path == "cluster/config") complete_server_properties(value, report_);
    if (row.path == "topics/<name>/config" || row.path == "faults/[]/admin/create-topic/config")
      complete_topic_properties(value, server_properties(), report_);
    if ((row.path == "clients/<name>/config" && row.components == kProducer) ||
        row.path == "clients/<name>/producer.config")
      complete_producer_properties(value, is_librdkafka(name), report_);
    if (row.path == "clients/<name>/config" && row.components == kConsumer)
      complete_consumer_properties(value, report_);
  }

  bool is_librdkafka(const std::string& client) const {
    const Value* clients = root_.find("clients");
    const Value* self = clients == nullptr ? nullptr : clients->find(client);
    const Value* library = self == nullptr ? nullptr : self->find("client");
    return library != nullptr && library->text == "librdkafka";
  }

  std::string_view profile() const {
    const Value* given = root_.find("profile");
    return given == nullptr ? std::string_view{} : given->text;
  }

  // The release that is played. Its key stands before all that it decides.
  KafkaVersion version() const {
    const Value* cluster = root_.find("cluster");
    const Value* given = cluster == nullptr ? nullptr : cluster->find("kafka");
    return given == nullptr ? kNewestKafka : read_kafka_version(given->text).value_or(kNewestKafka);
  }

  // What has another default today and is not given has that of the release that is played.
  void former_defaults(Value& properties, Components components) const {
    using Whose = history::FormerDefault::Whose;
    for (const history::FormerDefault& row : history::former_defaults()) {
      const Components whose = row.whose == Whose::server     ? kBroker | kController
                               : row.whose == Whose::producer ? kProducer
                                                              : kConsumer;
      const bool is_given = properties.find(row.name) != nullptr;
      if ((whose & components) == 0 || version() >= row.since || is_given) continue;
      properties.set(std::string(row.name), scalar(std::string(row.before)));
    }
  }

  // How a switch of cluster.history stands without a word of its own. Eligible leader replicas are a feature
  // of the cluster besides, which kafka-features sets: the property that stands for its level counts.
  Value switch_default(std::string_view name) const {
    const history::Switch* found = history::find_switch(name);
    SIM_CHECK(found != nullptr, "the keys of cluster.history are the table's");
    if (name == "eligible-leader-replicas") {
      const Value* cluster = root_.find("cluster");
      const Value* config = cluster == nullptr ? nullptr : cluster->find("config");
      const Value* level = config == nullptr ? nullptr : config->find("eligible.leader.replicas.version");
      if (level != nullptr) return scalar(level->text == "0" ? "off" : "on");
    }
    return scalar(std::string(history::behaviour_in(*found, version()).word));
  }

  std::optional<Value> missing(const Key& row, const Value& section, const std::vector<Entry>& before,
                               const std::string& name) {
    if (const std::string_view text = profile_value(profile(), row.path); !text.empty()) return parse(text);
    if (row.computed()) return computed(row.path, before, name);
    if (!row.fallback.empty()) return parse(row.fallback);
    if (row.required) {
      Value value = row.path == "cluster" ? empty_map()
                    : row.example.empty() ? scalar("")
                                          : parse(row.example);
      value.invented = true;
      return value;
    }
    if (row.path == "chaos" || row.path == "vary") return std::nullopt;  // asked for, or not there
    const bool mapping =
        row.type == KeyType::section || row.type == KeyType::names || row.type == KeyType::properties;
    if (mapping && !row.alternative) return empty_map(section.place);
    return std::nullopt;
  }

  std::optional<Value> computed(std::string_view path, const std::vector<Entry>& before,
                                const std::string& name) {
    const auto earlier = [&before](std::string_view key) -> const Value* {
      const auto found =
          std::find_if(before.begin(), before.end(), [key](const Entry& entry) { return entry.key == key; });
      return found == before.end() ? nullptr : &found->value;
    };
    if (path == "name") return scalar(is_name(stem_) ? stem_ : "scenario");
    if (path == "warmup") {
      const std::int64_t quarter = *read_scalar(root_.at("duration").text, UnitKind::duration).value / 4;
      return scalar(print_scalar(std::min<std::int64_t>(10'000'000'000, quarter), UnitKind::duration));
    }
    if (path == "then") return scalar(root_.find("chaos") == nullptr ? "settle" : "converge");
    if (path == "chaos/from") return root_.at("warmup");
    if (path == "chaos/until") {
      const std::int64_t duration = *read_scalar(root_.at("duration").text, UnitKind::duration).value;
      return scalar(print_scalar(duration / 4'000'000 * 3'000'000, UnitKind::duration));
    }
    if (path == "event.budget") return scalar(std::to_string(usual_events()));
    if (path == "cluster/controllers") {
      const Value* cluster = root_.find("cluster");
      const Value* combined = cluster == nullptr ? nullptr : cluster->find("combined");
      const std::int64_t brokers = *read_scalar(earlier("brokers")->text, UnitKind::none).value;
      return scalar(combined != nullptr && combined->text == "true"
                        ? std::to_string(std::min<std::int64_t>(3, brokers))
                        : "1");
    }
    if (path == "cluster/network/clients/rtt" || path == "cluster/network/links/[]/rtt")
      return network_default("rtt");
    if (path == "cluster/network/clients/bandwidth" || path == "cluster/network/links/[]/bandwidth")
      return network_default("bandwidth");
    if (const Value* replicas = earlier("replicas"); replicas != nullptr) {
      if (path == "topics/<name>/partitions") return scalar(std::to_string(replicas->items.size()));
      if (path == "topics/<name>/replication.factor")
        return scalar(std::to_string(replicas->items.front().items.size()));
    }
    constexpr std::string_view kHistory = "cluster/history/";
    if (path.starts_with(kHistory)) return switch_default(path.substr(kHistory.size()));
    if (path == "topics/<name>/partitions") return scalar(server_properties().at("num.partitions").text);
    if (path == "topics/<name>/replication.factor")
      return scalar(server_properties().at("default.replication.factor").text);
    if (path == "clients/<name>/arrivals/daily/peak.at") {
      return scalar(
          print_scalar(*read_scalar(earlier("day")->text, UnitKind::duration).value / 2, UnitKind::duration));
    }
    if (path == "clients/<name>/group.id") return group_id(name);
    return std::nullopt;  // orders: no limit; the id of an expectation is made where it is read
  }

  // Many times what such a run needs, if nothing in it goes round in circles.
  std::int64_t usual_events() const {
    constexpr std::int64_t kAtLeast = 20'000'000, kPerSecond = 20'000, kPerOrder = 500, kOfATrace = 1'000'000;
    const auto seconds = [this](std::string_view key) {
      const Value* given = root_.find(key);
      return given == nullptr ? 30 : *read_scalar(given->text, UnitKind::duration).value / 1'000'000'000 + 1;
    };
    int128 events = kAtLeast + int128{kPerSecond} * (seconds("duration") + seconds("drain"));
    const Value* clients = root_.find("clients");
    const std::vector<Entry> none;
    for (const Entry& client : clients == nullptr ? none : clients->entries) {
      const Value* arrivals = client.value.find("arrivals");
      if (arrivals == nullptr) continue;
      const bool recorded = arrivals->find("trace") != nullptr;
      const int128 orders =
          recorded ? kOfATrace : int128{highest_rate(*arrivals)} * seconds("duration") / 1'000;
      events += kPerOrder * orders;
    }
    constexpr int128 kMost = std::numeric_limits<std::int64_t>::max();
    return static_cast<std::int64_t>(std::min(events, kMost));
  }

  // As the link between any two processes, given or defaulted.
  Value network_default(std::string_view key) {
    const Value* cluster = root_.find("cluster");
    const Value* network = cluster == nullptr ? nullptr : cluster->find("network");
    const Value* given = network == nullptr ? nullptr : network->find(key);
    if (given != nullptr) return *given;
    for (const Key* row : keys_below("cluster/network")) {
      if (row->last() != key) continue;
      const std::string_view of_profile = profile_value(profile(), row->path);
      return parse(of_profile.empty() ? row->fallback : of_profile);
    }
    return {};
  }

  // The consumer property of that name counts as well.
  Value group_id(const std::string& client) {
    const Value* clients = root_.find("clients");
    const Value* self = clients == nullptr ? nullptr : clients->find(client);
    const Value* config = self == nullptr ? nullptr : self->find("config");
    const Value* given = config == nullptr ? nullptr : config->find("group.id");
    return given != nullptr ? *given : scalar(client);
  }

  const Value& server_properties() { return root_.at("cluster").at("config"); }

  Value parse(std::string_view text) {
    std::optional<Value> value = read_yaml(text, 0, report_);
    SIM_CHECK(value.has_value(), "the table's own values are YAML");
    forget_places(*value);
    return std::move(*value);
  }

  static void forget_places(Value& value) {
    value.place = Place{};
    value.quoted = false;
    for (Value& item : value.items) forget_places(item);
    for (Entry& entry : value.entries) {
      entry.key_place = Place{};
      forget_places(entry.value);
    }
  }

  Value& root_;
  const std::string& stem_;
  Report& report_;
};

}  // namespace

void complete(Value& root, const std::string& stem, Report& report) {
  Value done = root;
  Completion(root, stem, report).section(done, "", "");
  // The feature's level is told twice, and once only decided.
  Value& cluster = *done.find("cluster");
  const bool eligible = cluster.at("history").at("eligible-leader-replicas").text == "on";
  cluster.find("config")->set("eligible.leader.replicas.version", scalar(eligible ? "1" : "0"));
  root = std::move(done);
}

}  // namespace sim::scenario
