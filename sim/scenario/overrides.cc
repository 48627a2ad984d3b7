#include "scenario/overrides.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>

#include "scenario/schema.h"
#include "scenario/secrets.h"

namespace sim::scenario {

namespace {

// Whether `path` starts with `key` as a whole level.
bool leads(std::string_view path, std::string_view key) {
  return path.starts_with(key) && (path.size() == key.size() || path[key.size()] == '.');
}

std::string_view first_level(std::string_view path) {
  return path.substr(0, path.find('.'));
}

// The key the path goes through: the longest one there is, else the longest the table knows, else up to the
// dot.
std::string_view key_of(const Value& map, std::string_view schema_path, std::string_view path) {
  std::string_view best;
  const auto offer = [&](std::string_view key) {
    if (leads(path, key) && key.size() > best.size()) best = key;
  };
  for (const Entry& entry : map.entries) offer(entry.key);
  for (const Key* row : keys_below(schema_path)) offer(row->last());
  return best.empty() ? first_level(path) : path.substr(0, best.size());
}

const Key* row_of(std::string_view schema_path, std::string_view key) {
  for (const Key* row : keys_below(schema_path)) {
    if (row->last() == key || row->last() == "<name>") return row;
  }
  return nullptr;
}

// {poisson: 800/s} over {constant: 500/s}: one alternative takes the place of another.
void drop_other_alternatives(Value& map, std::string_view schema_path, std::string_view key) {
  const Key* chosen = row_of(schema_path, key);
  if (chosen == nullptr || chosen->alternative == 0 || chosen->alternative == kAnyOf) return;
  for (const Key* other : keys_below(schema_path)) {
    if (other->alternative != chosen->alternative || other->last() == key) continue;
    std::erase_if(map.entries, [other](const Entry& entry) { return entry.key == other->last(); });
  }
}

void put(Value& target, std::string_view schema_path, std::string_view path, Value value, const Place& place,
         Report& report) {
  if (target.is_list() && !path.empty()) {
    const std::string_view index = first_level(path);
    const bool digits = !index.empty() && index.size() < 6 &&
                        std::all_of(index.begin(), index.end(), [](char c) { return c >= '0' && c <= '9'; });
    const std::size_t at = digits ? std::stoul(std::string(index)) : target.items.size();
    if (at >= target.items.size()) {
      report.error(place,
                   "there is no item " + std::string(index) + " in " + dotted(schema_path) + ", which has " +
                       std::to_string(target.items.size()),
                   "they are counted from 0");
      return;
    }
    if (path.size() == index.size()) {
      target.items[at] = std::move(value);
    } else {
      put(target.items[at], std::string(schema_path) + "/[]", path.substr(index.size() + 1), std::move(value),
          place, report);
    }
    return;
  }
  if (!target.is_map()) target = empty_map(place);
  const std::string key(key_of(target, schema_path, path));
  const Key* row = row_of(schema_path, key);
  if (path.size() <= key.size()) {
    drop_other_alternatives(target, schema_path, key);
    target.set(key, std::move(value));
    return;
  }
  const std::string_view rest = path.substr(key.size() + 1);
  if (target.find(key) == nullptr) {
    drop_other_alternatives(target, schema_path, key);
    target.set(key, empty_map(place));
  }
  Value& below = *target.find(key);
  if (row != nullptr && below.is_scalar() && !row->short_for.empty()) write_out(below, *row);
  if (row != nullptr && row->type == KeyType::properties) {
    std::erase_if(below.overlay, [rest](const Entry& entry) { return entry.key == rest; });
    below.overlay.push_back(Entry{std::string(rest), place, std::move(value)});
    return;
  }
  const std::string level = row == nullptr ? "?" : row->last() == "<name>" ? "<name>" : key;
  put(below, schema_path.empty() ? level : std::string(schema_path) + "/" + level, rest, std::move(value),
      place, report);
}

}  // namespace

std::string shown(const Override& override) {
  return override.path + "=" +
         (is_secret(override.path.substr(override.path.find("config.") + 1)) ? std::string(kHidden)
                                                                             : override.value);
}

void apply_overrides(Value& root, const std::vector<Override>& overrides, Report& report) {
  for (const Override& override : overrides) {
    const int source = report.add_source("--set " + shown(override), override.value, true);
    const Place place{source, 1, 1, 0};
    if (override.path.empty() || override.value.find_first_not_of(" \t\r\n") == std::string::npos) {
      report.error(place, override.path.empty() ? "a path is missing" : "a value is missing",
                   "write --set path=value, such as --set cluster.brokers=5");
      continue;
    }
    std::optional<Value> value = read_yaml(override.value, source, report);
    if (value) put(root, "", override.path, std::move(*value), place, report);
  }
}

}  // namespace sim::scenario
