#include "scenario/property_values.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"

namespace sim::scenario {

std::string_view property_text(const Value& map, std::string_view name, Components components) {
  if (const Value* given = map.find(name)) return given->text;
  const Property* property = find_property(name, components);
  SIM_CHECK(property != nullptr && property->has_default(), "a rule asks for a property that has a value");
  return property->fallback;
}

std::int64_t log_directories(std::string_view list) {
  return list.empty() || list == "null" ? 1 : 1 + std::count(list.begin(), list.end(), ',');
}

std::int64_t log_directories(const Value& map) {
  const Value* dirs = map.find("log.dirs");
  return dirs == nullptr ? 1 : log_directories(dirs->text);
}

namespace {

std::int64_t checked_integer(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  SIM_CHECK(error == std::errc{} && end == text.data() + text.size(),
            "a property was checked before a rule reads it");
  return number;
}

}  // namespace

std::int64_t property_number(const Value& map, std::string_view name, Components components) {
  return checked_integer(property_text(map, name, components));
}

Place property_place(const Value& map, std::string_view name) {
  const Value* given = map.find(name);
  return given != nullptr ? given->place : map.place;
}

void fill_in_defaults(Value& map, Components components) {
  std::vector<Entry> ordered;
  for (const Property& property : properties()) {
    if ((property.components & components) == 0 || property.status != Status::modelled) continue;
    if (const Value* given = map.find(property.name)) {
      ordered.push_back(Entry{std::string(property.name), given->place, *given});
    } else if (property.has_default()) {
      ordered.push_back(Entry{std::string(property.name), Place{}, scalar(std::string(property.fallback))});
    }
  }
  for (Entry& entry : map.entries) {
    const Property* property = find_property(entry.key, components);
    if (property != nullptr && property->status != Status::modelled) ordered.push_back(std::move(entry));
  }
  map.entries = std::move(ordered);
}

void remove_property(Value& map, std::string_view name) {
  std::erase_if(map.entries, [name](const Entry& entry) { return entry.key == name; });
}

void apply_properties(const Value& map, Components components, const Targets& targets) {
  for (const Entry& entry : map.entries) {
    const Property* property = find_property(entry.key, components);
    if (property != nullptr) apply_property(*property, targets, entry.value.text);
  }
}

void apply_property(const Property& property, const Targets& targets, const std::string& value) {
  if (property.apply != nullptr) return property.apply(targets, value);
  if (property.setting == nullptr || !property.setting->is_modelled()) return;
  std::string in_its_unit = value;
  if (property.setting_factor != 1) {
    const std::int64_t count = checked_integer(value);
    in_its_unit = std::to_string(count < 0 ? -1 : count * property.setting_factor);
  }
  const auto write = [&](TopicConfig& config) { property.setting->write(config, in_its_unit); };
  if ((property.components & kTopic) != 0) {
    if (targets.topic != nullptr) write(*targets.topic);
    return;
  }
  if (targets.broker != nullptr) write(targets.broker->log);
  if (targets.controller != nullptr) write(targets.controller->log);
}

}  // namespace sim::scenario
