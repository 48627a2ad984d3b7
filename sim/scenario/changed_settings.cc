#include "scenario/changed_settings.h"

#include <algorithm>

#include "scenario/properties.h"

namespace sim::scenario {
namespace {

// A line "    name: value" of a printed scenario.
struct PrintedLine {
  std::size_t indent = 0;
  std::string key;
  std::string value;  // empty: what follows is indented further
};

PrintedLine read_line(std::string_view line) {
  PrintedLine read;
  read.indent = std::min(line.find_first_not_of(' '), line.size());
  line.remove_prefix(read.indent);
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return read;
  read.key = line.substr(0, colon);
  line.remove_prefix(colon + 1);
  while (!line.empty() && line.front() == ' ') line.remove_prefix(1);
  const bool is_quoted = line.size() >= 2 && line.front() == '"' && line.back() == '"';
  read.value = is_quoted ? line.substr(1, line.size() - 2) : line;
  return read;
}

struct Readers {
  std::string where;
  Components components = 0;
};

// Who reads what stands in `config` under these keys; nobody, if it is no such place.
Readers readers_of(const std::vector<std::string>& path) {
  if (path.size() < 2 || path.back() != "config") return {};
  if (path[0] == "topics" && path.size() == 3) return {"topic " + path[1], kTopic};
  if (path[0] == "clients" && path.size() == 3) return {path[1], kProducer | kConsumer};
  if (path[0] != "cluster") return {};
  Readers readers{"cluster", kBroker | kController};
  for (std::size_t i = 1; i + 1 < path.size(); ++i) readers.where += ", " + path[i];
  return readers;
}

}  // namespace

std::vector<ChangedSetting> changed_settings(std::string_view resolved_yaml) {
  std::vector<ChangedSetting> changed;
  std::vector<std::pair<std::size_t, std::string>> open;  // keys with their indents
  while (!resolved_yaml.empty()) {
    const std::size_t end = std::min(resolved_yaml.find('\n'), resolved_yaml.size());
    const PrintedLine line = read_line(resolved_yaml.substr(0, end));
    resolved_yaml.remove_prefix(std::min(end + 1, resolved_yaml.size()));
    while (!open.empty() && open.back().first >= line.indent) open.pop_back();
    if (line.value.empty()) {
      open.emplace_back(line.indent, line.key);
      continue;
    }
    std::vector<std::string> path;
    for (const auto& [indent, key] : open) path.push_back(key);
    const Readers readers = readers_of(path);
    const Property* property =
        readers.components == 0 ? nullptr : find_property(line.key, readers.components);
    if (property == nullptr || !property->has_default()) continue;
    const PropertyValue here = read_property(*property, line.value);
    const PropertyValue standard = read_property(*property, property->fallback);
    if (!here.value || !standard.value || *here.value == *standard.value) continue;
    changed.push_back({readers.where, line.key, line.value, std::string(property->fallback),
                       std::string(property->meaning)});
  }
  return changed;
}

}  // namespace sim::scenario
