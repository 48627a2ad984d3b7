#include <algorithm>
#include <cstddef>
#include <set>
#include <string_view>
#include <utility>

#include "importer/file_kinds.h"
#include "importer/settings.h"
#include "scenario/dialects.h"

// Spring for Apache Kafka: what is below spring.kafka is a producer, a group, or both.
namespace sim::importer {

namespace {

using scenario::Entry;
using scenario::Value;

constexpr std::string_view kKafka = "spring.kafka.";

std::string scalar_at(const Value& flat, std::string_view key) {
  const Value* value = flat.find(key);
  return value != nullptr && value->is_scalar() ? with_defaults(value->text) : std::string{};
}

class Application {
 public:
  Application(const Value& flat, const std::string& file, Inventory& inventory)
      : flat_(flat), file_(file), inventory_(inventory) {
    name_ = scalar_at(flat, "spring.application.name");
    if (name_.empty() || name_.find("${") != std::string::npos) name_ = "application";
  }

  void read() {
    for (const Entry& entry : flat_.entries) {
      const std::string_view key = entry.key;
      if (!key.starts_with(kKafka)) {
        other(entry);
      } else if (const std::string_view name = key.substr(kKafka.size()); name.starts_with("producer.")) {
        of_producer_.entries.push_back(entry);
      } else if (name.starts_with("consumer.")) {
        of_consumer_.entries.push_back(entry);
      } else if (name.starts_with("listener.")) {
        listener(entry, name.substr(std::string_view("listener.").size()));
      } else if (name == "template.default-topic") {
        topic_ = scalar_at(flat_, key);
      } else {
        of_both_.entries.push_back(entry);
      }
    }
    const bool produces = !of_producer_.entries.empty() || !topic_.empty();
    const bool consumes = !of_consumer_.entries.empty() || has_listener_ || !produces;
    if (produces) producer();
    if (consumes) consumer();
    if (others_ == 0) return;
    std::string names;
    for (const std::string& name : other_names_) names += (names.empty() ? "" : ", ") + name;
    inventory_.leave_out({file_, first_other_line_}, std::to_string(others_) + " keys of " + names,
                         "are not of spring.kafka");
  }

 private:
  void leave_out(const Entry& entry, std::string reason) {
    inventory_.leave_out({file_, entry.key_place.line}, shown_setting(entry.key, entry.value.text),
                         std::move(reason));
  }

  void other(const Entry& entry) {
    if (entry.key == "spring.application.name") return;
    if (others_++ == 0) first_other_line_ = entry.key_place.line;
    const std::size_t dot = entry.key.find('.', entry.key.starts_with("spring.") ? 7 : 0);
    other_names_.insert(entry.key.substr(0, dot));
  }

  // ContainerProperties.AckMode
  void listener(const Entry& entry, std::string_view name) {
    has_listener_ = true;
    const std::string text = with_defaults(entry.value.text);
    std::string mode = text;
    std::transform(mode.begin(), mode.end(), mode.begin(), [](char c) {
      return c == '-' ? '_' : c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    if (name == "concurrency") {
      members_ = whole_number(text);
      if (!members_) leave_out(entry, "is no number of consumers");
    } else if (name == "ack-mode" && mode == "record") {
      commit_ = "after-each";
    } else if (name == "ack-mode" && mode == "batch") {
      commit_ = "after-batch";
    } else if (name == "ack-mode") {
      leave_out(entry, "is not played; offsets are committed after each batch");
    } else {
      leave_out(entry, "is not played");
    }
  }

  Value with_both(Value map) const {
    for (const Entry& entry : of_both_.entries) map.entries.push_back(entry);
    return map;
  }

  void producer() {
    Producer producer;
    producer.origin = {file_, flat_.place.line};
    producer.name = name_;
    producer.topic = topic_;
    for (const Setting& setting :
         in_kafka_names(with_both(of_producer_), scenario::kProducer, file_, inventory_)) {
      if (setting.name == "client.id") {
        producer.name = setting.value;
      } else {
        take_setting(setting.name, setting.value, setting.origin, scenario::kProducer, producer.settings,
                     inventory_);
      }
    }
    inventory_.producers.push_back(std::move(producer));
  }

  void consumer() {
    const std::vector<Setting> settings =
        in_kafka_names(with_both(of_consumer_), scenario::kConsumer, file_, inventory_);
    std::string group_id = name_;
    for (const Setting& setting : settings) {
      if (setting.name == "group.id") group_id = setting.value;
    }
    Group& group = inventory_.groups[group_id];
    if (group.origin.file.empty()) group.origin = {file_, flat_.place.line};
    group.commit = commit_.empty() ? "after-batch" : commit_;  // Spring's own default, not Kafka's
    for (const Setting& setting : settings) {
      if (setting.name == "group.id" || setting.name == "client.id") continue;
      if (setting.name == "enable.auto.commit") {
        if (setting.value == "true") group.commit = "auto";
      } else if (setting.name == "group.protocol" && setting.value == "consumer") {
        group.has_consumer_protocol = true;
      } else {
        take_setting(setting.name, setting.value, setting.origin, scenario::kConsumer, group.settings,
                     inventory_);
      }
    }
    if (members_ && *members_ > 0) group.members = std::max(*members_, group.members.value_or(0));
  }

  const Value& flat_;
  const std::string& file_;
  Inventory& inventory_;
  std::string name_, topic_, commit_;
  std::optional<int> members_;
  bool has_listener_ = false;
  Value of_producer_ = scenario::empty_map(), of_consumer_ = scenario::empty_map(),
        of_both_ = scenario::empty_map();
  int others_ = 0;
  int first_other_line_ = 0;
  std::set<std::string> other_names_;
};

}  // namespace

bool read_spring(const std::vector<Value>& documents, const std::string& file, Inventory& inventory) {
  bool found = false;
  for (const Value& document : documents) {
    if (!document.is_map()) continue;
    Value flat = document;
    flatten(flat);
    const bool is_of_kafka = std::any_of(flat.entries.begin(), flat.entries.end(), [](const Entry& entry) {
      return std::string_view(entry.key).starts_with(kKafka);
    });
    if (!is_of_kafka) continue;
    std::string profile = scalar_at(flat, "spring.config.activate.on-profile");
    if (profile.empty()) profile = scalar_at(flat, "spring.profiles");
    found = true;
    if (profile.empty()) {
      Application(flat, file, inventory).read();
    } else {
      inventory.leave_out({file, document.place.line}, "the document of profile " + profile,
                          "only what holds without a profile is read");
    }
  }
  return found;
}

}  // namespace sim::importer
