#include "importer/settings.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <string_view>
#include <utility>

#include "history/table.h"
#include "scenario/dialects.h"
#include "scenario/secrets.h"
#include "scenario/suggest.h"

namespace sim::importer {

namespace {

using scenario::Property;
using scenario::PropertyValue;
using scenario::Status;

constexpr scenario::Components kEverybody =
    scenario::kBroker | scenario::kController | scenario::kTopic | scenario::kProducer | scenario::kConsumer;

// "1@host:9093,2@host:9093" or "host1:9093,host2:9093": how many there are.
int entries_of_list(std::string_view text) {
  int entries = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    if (text.substr(0, end).find_first_not_of(" \t") != std::string_view::npos) ++entries;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return entries;
}

std::string unknown_property(const std::string& name) {
  std::vector<std::string_view> names;
  for (const Property& row : scenario::properties()) {
    if (row.name.back() != '*' && row.status != Status::removed) names.push_back(row.name);
  }
  const std::string suggestion = scenario::did_you_mean(name, names);
  return "Kafka has no property of that name" + (suggestion.empty() ? "" : "; " + suggestion);
}

bool is_release(std::string_view text) {
  for (std::string_view all = history::kAllVersions; !all.empty();) {
    const std::size_t end = std::min(all.find('|'), all.size());
    if (all.substr(0, end) == text) return true;
    all.remove_prefix(std::min(end + 1, all.size()));
  }
  return false;
}

struct Numbers {
  int major = -1;
  int minor = -1;
};

// The first two numbers of 3.9.0, v3.9 or 3.9.0-debian-12-r1.
Numbers numbers_of(std::string_view version) {
  if (version.starts_with('v')) version.remove_prefix(1);
  Numbers numbers;
  const char* const end = version.data() + version.size();
  const auto [dot, bad] = std::from_chars(version.data(), end, numbers.major);
  if (bad != std::errc{} || dot == end || *dot != '.') return {};
  const auto [rest, bad_minor] = std::from_chars(dot + 1, end, numbers.minor);
  if (bad_minor != std::errc{}) return {};
  return numbers;
}

}  // namespace

std::string shown_setting(const std::string& name, const std::string& value) {
  if (scenario::is_secret(name)) return name + "=" + std::string(scenario::kHidden);
  constexpr std::size_t kLongest = 60;
  return name + "=" + (value.size() > kLongest ? value.substr(0, kLongest) + "..." : value);
}

void take_setting(const std::string& name, const std::string& value, const Origin& origin,
                  scenario::Components components, std::vector<Setting>& settings, Inventory& inventory) {
  const auto leave_out = [&](std::string reason) {
    inventory.leave_out(origin, shown_setting(name, value), std::move(reason));
  };
  const Property* property = scenario::find_property(name, components);
  if (property == nullptr) {
    const Property* elsewhere = scenario::find_property(name, kEverybody);
    return leave_out(elsewhere == nullptr
                         ? unknown_property(name)
                         : "is a property of " + scenario::describe_components(elsewhere->components) +
                               ", and is not read here");
  }
  if (property->status == Status::removed)
    return leave_out("is gone since Kafka 4.0: " + std::string(property->meaning));
  if (property->status == Status::accepted) {
    const PropertyValue read = scenario::read_property(*property, value);
    return leave_out(read.value ? "has no effect in a simulation" : read.problem);
  }
  const PropertyValue read = scenario::read_property(*property, value);
  if (!read.value) return leave_out(read.problem + (read.hint.empty() ? "" : "; " + read.hint));
  const auto earlier = std::find_if(settings.begin(), settings.end(),
                                    [&name](const Setting& setting) { return setting.name == name; });
  if (earlier == settings.end()) {
    settings.push_back(Setting{name, *read.value, origin});
    return;
  }
  if (earlier->value != *read.value)
    inventory.leave_out(
        earlier->origin, shown_setting(name, earlier->value),
        "is given again in line " + std::to_string(origin.line) + ", and the last one counts");
  *earlier = Setting{name, *read.value, origin};
}

void take_server_setting(const std::string& name, const std::string& value, const Origin& origin,
                         Identity& identity, std::vector<Setting>& settings, Inventory& inventory) {
  if (name == "node.id" || name == "broker.id") {
    identity.id = whole_number(value);
    if (!identity.id) inventory.leave_out(origin, shown_setting(name, value), "is no id of a server");
  } else if (name == "process.roles") {
    identity.says_roles = !value.empty();
    identity.is_broker = value.empty() || value.find("broker") != std::string::npos;
    identity.is_controller = value.find("controller") != std::string::npos;
  } else if (name == "controller.quorum.voters" || name == "controller.quorum.bootstrap.servers") {
    const int voters = entries_of_list(value);
    if (voters > 0) identity.voters = std::max(voters, identity.voters.value_or(0));
  } else if (name == "broker.rack") {
    identity.rack = value;
  } else if (name == "zookeeper.connect") {
    inventory.leave_out(origin, shown_setting(name, value),
                        "ZooKeeper is not played: the cluster has a quorum of controllers");
  } else {
    take_setting(name, value, origin, scenario::kBroker | scenario::kController, settings, inventory);
  }
}

std::vector<Setting> in_kafka_names(scenario::Value map, scenario::Components components,
                                    const std::string& file, Inventory& inventory) {
  scenario::flatten(map);
  std::vector<scenario::Entry> scalars;
  for (scenario::Entry& entry : map.entries) {
    const Origin origin{file, entry.key_place.line};
    if (entry.value.is_list()) {  // Kafka's lists are divided by commas
      std::string items;
      for (const scenario::Value& item : entry.value.items) items += (items.empty() ? "" : ",") + item.text;
      entry.value = scenario::scalar(items, entry.value.place);
    }
    if (entry.value.kind == scenario::Value::Kind::null)
      entry.value = scenario::scalar("", entry.value.place);
    if (!entry.value.is_scalar()) {
      inventory.leave_out(origin, entry.key, "its value is " + describe(entry.value) + ", not a property's");
      continue;
    }
    entry.value.text = with_defaults(entry.value.text);
    if (entry.value.text.find("${") != std::string::npos) {
      inventory.leave_out(origin, shown_setting(entry.key, entry.value.text),
                          "its value is a variable that the file does not set");
      continue;
    }
    scalars.push_back(std::move(entry));
  }
  map.entries = std::move(scalars);
  scenario::Report report;
  report.add_source(file, "");
  for (const scenario::Entry& dropped :
       use_kafka_names(map, components, scenario::ClientLibrary::java, "", report))
    inventory.leave_out({file, dropped.key_place.line}, shown_setting(dropped.key, dropped.value.text),
                        "has no effect in a simulation");
  for (const Problem& problem : report.take()) {
    std::string message = problem.message;
    if (message.starts_with(": ")) message.erase(0, 2);
    const std::string name = message.substr(0, message.find(' '));
    const std::string reason = message.size() > name.size() ? message.substr(name.size() + 1) : message;
    inventory.leave_out({file, problem.line}, name,
                        reason + (problem.hint.empty() ? "" : "; " + problem.hint));
  }
  std::vector<Setting> settings;
  for (const scenario::Entry& entry : map.entries)
    settings.push_back(Setting{entry.key, entry.value.text, {file, entry.key_place.line}});
  return settings;
}

std::string release_of(const std::string& version) {
  const Numbers numbers = numbers_of(version);
  if (numbers.major < 0) return {};
  const std::string release = std::to_string(numbers.major) + "." + std::to_string(numbers.minor);
  return is_release(release) ? release : std::string{};
}

// "Supported Versions and Interoperability" of Confluent's documentation: 5.0 is 2.0, 6.0 is 2.6, 7.0 is 3.0,
// 8.0 is 4.0, and so on.
std::string release_of_confluent(const std::string& version) {
  const Numbers numbers = numbers_of(version);
  switch (numbers.major) {
    case 5: return release_of("2." + std::to_string(numbers.minor));
    case 6: return release_of("2." + std::to_string(numbers.minor + 6));
    case 7: return release_of("3." + std::to_string(numbers.minor));
    case 8: return release_of("4." + std::to_string(numbers.minor));
    default: return {};
  }
}

std::optional<int> whole_number(const std::string& text) {
  int number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, bad] = std::from_chars(text.data(), end, number);
  if (text.empty() || bad != std::errc{} || rest != end || number < 0) return std::nullopt;
  return number;
}

std::string with_defaults(const std::string& text) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = text.find("${", at);
    const std::size_t end = begin == std::string::npos ? begin : text.find('}', begin);
    if (end == std::string::npos) return result + text.substr(at);
    const std::size_t dash = text.find('-', begin);
    result += text.substr(at, begin - at);
    if (dash != std::string::npos && dash < end) {
      result += text.substr(dash + 1, end - dash - 1);
    } else {
      result += text.substr(begin, end - begin + 1);
    }
    at = end + 1;
  }
  return result;
}

}  // namespace sim::importer
