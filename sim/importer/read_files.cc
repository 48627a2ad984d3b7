#include "importer/read_files.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "importer/described_groups.h"
#include "importer/described_topics.h"
#include "importer/file_kinds.h"
#include "importer/lines.h"
#include "importer/settings.h"
#include "scenario/properties_text.h"
#include "scenario/secrets.h"
#include "scenario/tree.h"

namespace sim::importer {

namespace {

using scenario::Value;

constexpr std::string_view kWhatIsRead =
    "it reads server.properties, producer.properties, consumer.properties, what kafka-topics --describe and "
    "kafka-consumer-groups --describe print, docker compose, Strimzi's resources and Spring's "
    "application.yml";

Problem problem_of(const std::string& file, std::string message, std::string hint = {}, int line = 0) {
  Problem problem;
  problem.file = file;
  problem.line = line;
  problem.message = std::move(message);
  problem.hint = std::move(hint);
  return problem;
}

bool is_comment(std::string_view line) {
  line = without_blanks(line);
  return line.empty() || line.front() == '#' || line.front() == '!';
}

// ---- What tools have printed

void read_descriptions(std::string_view text, const std::string& file, Inventory& inventory) {
  std::set<int> taken;
  read_described_topics(text, file, inventory, taken);
  read_described_groups(text, file, inventory, taken);
  int line_number = 0;
  for (const std::string_view line : lines_of(text)) {
    ++line_number;
    if (taken.contains(line_number) || without_blanks(line).empty()) continue;
    inventory.leave_out({file, line_number}, scenario::without_secrets(without_blanks(line)),
                        "is no line of kafka-topics or kafka-consumer-groups --describe");
  }
}

// ---- YAML

// The first line that says something, as YAML has it and .properties seldom have.
bool looks_like_yaml(std::string_view text) {
  for (const std::string_view full : lines_of(text)) {
    const std::string_view line = without_blanks(full);
    if (line.empty() || line.front() == '#') continue;
    if (line.starts_with("---") || line.starts_with('{') || line.starts_with("- ")) return true;
    const std::size_t colon = line.find(':');
    const std::size_t equals = line.find('=');
    return colon != std::string_view::npos && (equals == std::string_view::npos || colon < equals);
  }
  return false;
}

bool has_key(const Value& root, std::string_view key) {
  return root.is_map() && root.find(key) != nullptr;
}

bool is_map_of_scalars(const Value& root) {
  return root.is_map() &&
         std::none_of(root.entries.begin(), root.entries.end(), [](const scenario::Entry& entry) {
           return entry.value.is_map() || entry.value.is_list();
         });
}

// Nothing: it is YAML of which no tool is known here.
std::optional<Problems> read_yaml_file(const std::vector<Value>& documents, const std::string& file,
                                       Inventory& inventory) {
  const auto any_has = [&documents](std::string_view key) {
    return std::any_of(documents.begin(), documents.end(),
                       [key](const Value& document) { return has_key(document, key); });
  };
  if (any_has("services")) {
    for (const Value& document : documents) {
      if (read_compose(document, file, inventory)) return Problems{};
    }
    return Problems{
        problem_of(file, "none of its services is a server of Kafka",
                   "a service is one if its image is Kafka's, or KAFKA_NODE_ID or the like is in its "
                   "environment")};
  }
  if (any_has("apiVersion") || any_has("kind")) {
    if (read_kubernetes(documents, file, inventory)) return Problems{};
    return Problems{
        problem_of(file, "none of its resources is a Kafka, KafkaNodePool or KafkaTopic of Strimzi's")};
  }
  if (read_spring(documents, file, inventory)) return Problems{};
  if (any_has("schema")) return Problems{problem_of(file, "is a scenario already", "kraftsim run " + file)};
  return std::nullopt;
}

// ---- Properties

bool is_env_file(const std::vector<WrittenProperty>& properties) {
  return std::any_of(properties.begin(), properties.end(),
                     [](const WrittenProperty& one) { return one.name.starts_with("KAFKA_"); });
}

Value as_map(const std::vector<WrittenProperty>& properties) {
  Value map = scenario::empty_map();
  for (const WrittenProperty& property : properties) {
    const scenario::Place place{0, property.origin.line, 0, 0};
    map.set(property.name, scenario::scalar(property.value, place));
    map.entries.back().key_place = place;
  }
  return map;
}

Problems read_properties_text(const InputText& input, Inventory& inventory) {
  std::vector<WrittenProperty> properties;
  std::string_view text = input.text;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  for (const scenario::JavaProperty& property : scenario::read_properties(text, scenario::Encoding::utf8)) {
    const Origin origin{input.name, property.name_place.line};
    if (property.problem.empty()) {
      properties.push_back({property.name, property.value, origin});
    } else {
      inventory.leave_out(origin, "a property that cannot be read", property.problem);
    }
  }
  const bool is_springs = std::any_of(properties.begin(), properties.end(), [](const WrittenProperty& one) {
    return one.name.starts_with("spring.kafka.");
  });
  if (is_springs && read_spring({as_map(properties)}, input.name, inventory)) return {};
  if (is_env_file(properties)) {
    std::vector<WrittenProperty> in_kafkas_names;
    for (const Setting& setting :
         in_kafka_names(as_map(properties), scenario::kBroker | scenario::kController, input.name, inventory))
      in_kafkas_names.push_back({setting.name, setting.value, setting.origin});
    properties = std::move(in_kafkas_names);
  }
  if (read_property_file(properties, input.name, inventory)) return {};
  return {problem_of(input.name,
                     properties.empty() ? "is no file that kraftsim import can read"
                                        : "none of its " + std::to_string(properties.size()) +
                                              " properties is one of Kafka's servers, producers or consumers",
                     std::string(kWhatIsRead))};
}

// What other commands of Kafka print, of which something is said instead.
std::optional<Problem> of_another_command(std::string_view text, const std::string& file) {
  if (text.find(" records/sec") != std::string_view::npos &&
      text.find("ms avg latency") != std::string_view::npos)
    return problem_of(
        file, "is what kafka-producer-perf-test printed",
        "kraftsim calibrate " + file + " finds a network and processors that have its latencies");
  if (text.find("ClusterId:") != std::string_view::npos &&
      text.find("LeaderEpoch:") != std::string_view::npos)
    return problem_of(file, "is what kafka-metadata-quorum printed, which is not read",
                      "cluster.controllers says how many controllers there are");
  return std::nullopt;
}

}  // namespace

Problems read_input(const InputText& input, Inventory& inventory) {
  const std::string_view text = input.text;
  const std::vector<std::string_view> lines = lines_of(text);
  if (std::all_of(lines.begin(), lines.end(), is_comment))
    return {problem_of(input.name, "there is nothing in it", std::string(kWhatIsRead))};
  if (std::any_of(lines.begin(), lines.end(),
                  [](std::string_view line) { return is_topic_line(line) || is_group_line(line); })) {
    read_descriptions(text, input.name, inventory);
    return {};
  }
  if (std::optional<Problem> problem = of_another_command(text, input.name)) return {*problem};
  if (!looks_like_yaml(text)) return read_properties_text(input, inventory);
  scenario::Report report;
  const int source = report.add_source(input.name, text);
  const std::optional<std::vector<Value>> documents = read_yaml_documents(text, source, report);
  if (documents) {
    if (const std::optional<Problems> problems = read_yaml_file(*documents, input.name, inventory))
      return *problems;
  }
  // Java divides a name from its value with a colon, too; but it knows of no maps within maps.
  const bool is_flat = documents ? documents->size() == 1 && is_map_of_scalars(documents->front())
                                 : input.name.ends_with(".properties");
  Inventory as_properties = inventory;
  if (is_flat && read_properties_text(input, as_properties).empty()) {
    inventory = std::move(as_properties);
    return {};
  }
  if (!documents) return report.take();
  return {problem_of(input.name, "is YAML, and neither docker compose's, Strimzi's nor Spring's",
                     std::string(kWhatIsRead))};
}

}  // namespace sim::importer
