#include "importer/described_topics.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "importer/lines.h"
#include "importer/settings.h"

namespace sim::importer {

namespace {

// As the tool prints them, an ending colon apart; the longer ones first where one is part of another.
constexpr std::string_view kLabels[] = {"TopicId",
                                        "Topic",
                                        "PartitionCount",
                                        "Partition",
                                        "ReplicationFactor",
                                        "Configs",
                                        "Leader",
                                        "Adding Replicas",
                                        "Removing Replicas",
                                        "Replicas",
                                        "Isr",
                                        "LastKnownElr",
                                        "Elr",
                                        "Offline",
                                        "Observers",
                                        "MarkedForDeletion"};
using Fields = std::map<std::string_view, std::string_view>;

// The label that begins at this place; empty: none does.
std::string_view label_at(std::string_view line, std::size_t at) {
  if (at > 0 && line[at - 1] != ' ' && line[at - 1] != '\t') return {};
  for (const std::string_view label : kLabels) {
    if (line.substr(at).starts_with(label) && line.substr(at + label.size()).starts_with(':')) return label;
  }
  return {};
}

// A field reaches to the next label, Configs to the end of the line.
Fields fields_of(std::string_view line) {
  Fields fields;
  std::string_view label;
  std::size_t value = 0;
  for (std::size_t at = 0; at < line.size(); ++at) {
    const std::string_view next = label_at(line, at);
    if (next.empty()) continue;
    if (!label.empty()) fields[label] = without_blanks(line.substr(value, at - value));
    label = next;
    value = at + next.size() + 1;
    at = value - 1;
    if (label == "Configs") break;
  }
  if (!label.empty()) fields[label] = without_blanks(line.substr(value));
  return fields;
}

std::string field(const Fields& fields, std::string_view label) {
  const auto found = fields.find(label);
  return found == fields.end() ? std::string{} : std::string(found->second);
}

// "1,2,3"; nothing: not a list of ids. An empty list is one.
std::optional<std::vector<int>> ids_of(const std::string& list) {
  std::vector<int> ids;
  if (list.empty()) return ids;
  for (const std::string_view part : parts_of(list, ',')) {
    const std::optional<int> id = whole_number(std::string(without_blanks(part)));
    if (!id) return std::nullopt;
    ids.push_back(*id);
  }
  return ids;
}

class DescribedTopics {
 public:
  DescribedTopics(const std::string& file, Inventory& inventory, std::set<int>& taken)
      : file_(file), inventory_(inventory), taken_(taken) {}

  void line(std::string_view text, int number) {
    origin_ = {file_, number};
    const Fields fields = fields_of(text);
    if (fields.contains("PartitionCount")) {
      topic(fields, text);
    } else if (fields.contains("Partition") && fields.contains("Replicas")) {
      partition(fields, text);
    } else {
      return;
    }
    taken_.insert(number);
  }

  void end() {
    for (const auto& [name, shrunk] : under_replicated_) {
      inventory_.leave_out(shrunk.first,
                           name + ": " + std::to_string(shrunk.second) + " partitions out of sync",
                           "a simulation starts with all replicas in sync");
    }
  }

 private:
  void refuse(std::string_view text, std::string reason) {
    inventory_.leave_out(origin_, std::string(without_blanks(text)), std::move(reason));
  }

  void topic(const Fields& fields, std::string_view text) {
    const std::string name = field(fields, "Topic");
    const std::optional<int> partitions = whole_number(field(fields, "PartitionCount"));
    const std::optional<int> factor = whole_number(field(fields, "ReplicationFactor"));
    if (name.empty() || !partitions || *partitions == 0)
      return refuse(text, "has no name, or no number of partitions");
    Topic& topic = inventory_.topics[name];
    const bool is_new = topic.origin.line == 0 || topic.partitions == 0;
    if (!is_new && topic.partitions != *partitions)
      return refuse(text, "the topic is described with " + std::to_string(topic.partitions) +
                              " partitions in " + topic.origin.file + ":" +
                              std::to_string(topic.origin.line) + "; that one counts");
    topic.origin = origin_;
    topic.partitions = *partitions;
    topic.replication_factor = factor.value_or(topic.replication_factor);
    settings(field(fields, "Configs"), topic);
    if (field(fields, "MarkedForDeletion") == "true")
      inventory_.leave_out(origin_, name + ": MarkedForDeletion", "the topic is played as if it stayed");
  }

  // A value may hold commas (cleanup.policy=compact,delete): a part without = goes on with it.
  void settings(const std::string& list, Topic& topic) {
    std::vector<std::string> pairs;
    for (const std::string_view part : parts_of(list, ',')) {
      if (part.find('=') == std::string_view::npos && !pairs.empty()) {
        pairs.back() += "," + std::string(part);
      } else if (!without_blanks(part).empty()) {
        pairs.emplace_back(without_blanks(part));
      }
    }
    for (const std::string& pair : pairs) {
      const std::size_t equals = pair.find('=');
      if (equals == std::string::npos) {
        inventory_.leave_out(origin_, pair, "is no setting: it has no =");
        continue;
      }
      take_setting(pair.substr(0, equals), pair.substr(equals + 1), origin_, scenario::kTopic, topic.settings,
                   inventory_);
    }
  }

  void partition(const Fields& fields, std::string_view text) {
    const std::string name = field(fields, "Topic");
    const std::optional<int> number = whole_number(field(fields, "Partition"));
    const std::optional<std::vector<int>> replicas = ids_of(field(fields, "Replicas"));
    const std::optional<std::vector<int>> isr = ids_of(field(fields, "Isr"));
    if (name.empty() || !number || !replicas || replicas->empty())
      return refuse(text, "has no topic, partition or replicas that can be read");
    Topic& topic = inventory_.topics[name];
    if (topic.origin.line == 0) topic.origin = origin_;
    topic.replicas[*number] = *replicas;
    inventory_.broker_ids.insert(replicas->begin(), replicas->end());
    if (isr && isr->size() < replicas->size()) {
      const auto [shrunk, is_first] = under_replicated_.try_emplace(name, origin_, 0);
      ++shrunk->second.second;
    }
    for (const std::string_view label : {"Adding Replicas", "Removing Replicas", "Observers"}) {
      if (!field(fields, label).empty())
        inventory_.leave_out(
            origin_,
            name + "-" + std::to_string(*number) + " " + std::string(label) + ": " + field(fields, label),
            label == "Observers" ? "are Confluent's own, and not played"
                                 : "a reassignment under way is not played; fault admin has one");
    }
  }

  const std::string& file_;
  Inventory& inventory_;
  std::set<int>& taken_;
  Origin origin_;
  std::map<std::string, std::pair<Origin, int>> under_replicated_;  // topics: the first such line, how many
};

}  // namespace

bool is_topic_line(std::string_view line) {
  const Fields fields = fields_of(line);
  return fields.contains("Topic") && (fields.contains("PartitionCount") || fields.contains("Replicas"));
}

void read_described_topics(std::string_view text, const std::string& file, Inventory& inventory,
                           std::set<int>& taken) {
  DescribedTopics topics(file, inventory, taken);
  int line_number = 0;
  for (const std::string_view line : lines_of(text)) topics.line(line, ++line_number);
  topics.end();
}

}  // namespace sim::importer
