#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "scenario/dialects.h"
#include "scenario/files.h"
#include "scenario/properties_text.h"
#include "scenario/suggest.h"
#include "scenario/walk.h"

// Kafka properties in their three shapes; all become a map of canonical values.
namespace sim::scenario {

namespace {

// "brokers and controllers"
std::string people(Components components) {
  std::string text = describe_components(components) + "s";
  for (std::size_t at = text.find(", "); at != std::string::npos; at = text.find(", "))
    text.replace(at, 2, "s and ");
  return text;
}

Value overlay_of(const Value& value) {
  Value map = empty_map(value.place);
  map.entries = value.overlay;
  return map;
}

}  // namespace

bool Walk::properties(Value& value, const Key& key, const std::string& where) {
  Value map;
  if (value.is_map()) {
    flatten(value);
    map = value.entries.size() == 1 && value.entries.front().key == "file"
              ? property_file(value.entries.front().value, where)
              : property_map(value, where);
  } else if (value.is_scalar() && value.literal) {
    map = pasted_block(value, value.place.source, value.place.line + 1, -1, where);
  } else if (value.is_scalar() && value.text.empty()) {
    map = empty_map(value.place);
  } else {
    const bool looks_like_a_file = value.is_scalar() && value.text.find('=') == std::string::npos &&
                                   value.text.find('.') != std::string::npos;
    return not_a(value, key, where, {},
                 looks_like_a_file   ? "write {file: " + value.text + "}"
                 : value.is_scalar() ? "begin a block with | to keep its lines"
                                     : "");
  }
  use_kafka_names(map, key.components, library_, where, report_);
  Value overlay = property_map(overlay_of(value), where);
  use_kafka_names(overlay, key.components, library_, where, report_);
  for (Entry& entry : overlay.entries) map.set(entry.key, std::move(entry.value));
  std::vector<Entry> kept;
  for (Entry& entry : map.entries) {
    if (property(entry, key, where)) kept.push_back(std::move(entry));
  }
  value = empty_map(value.place);
  value.entries = std::move(kept);
  return true;
}

Value Walk::property_map(const Value& value, const std::string& where) {
  Value map = empty_map(value.place);
  for (const Entry& entry : value.entries) {
    Value text = entry.value;
    if (text.is_list()) {  // Kafka's lists are divided by commas
      text = scalar("", entry.value.place);
      for (const Value& item : entry.value.items) text.text += (text.text.empty() ? "" : ",") + item.text;
    }
    if (!text.is_scalar()) {
      report_.error(text.kind == Value::Kind::null ? entry.key_place : text.place,
                    where + "." + entry.key + " must be a Kafka property's value, not " + describe(text));
      continue;
    }
    const bool zero_first =
        text.text.size() > 1 && text.text[0] == '0' &&
        std::all_of(text.text.begin(), text.text.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (zero_first && !text.quoted) {
      report_.error(
          text.place,
          where + "." + entry.key + ": \"" + text.text + "\" starts with a zero, which some read as octal",
          "write " + text.text.substr(std::min(text.text.find_first_not_of('0'), text.text.size() - 1)));
      continue;
    }
    map.entries.push_back(Entry{entry.key, entry.key_place, std::move(text)});
  }
  return map;
}

// `indent` < 0: the block's own, that is of its first line that is not empty.
Value Walk::pasted_block(const Value& value, int source, int first_line, int indent,
                         const std::string& where) {
  Value map = empty_map(value.place);
  const std::vector<std::string> lines = report_.source(source).lines;
  std::set<std::string> seen;
  const int last_line =
      indent < 0 ? first_line + static_cast<int>(std::count(value.text.begin(), value.text.end(), '\n')) + 1
                 : static_cast<int>(lines.size()) + 1;
  for (int at = first_line; at < last_line && at <= static_cast<int>(lines.size()); ++at) {
    const std::string& line = lines[static_cast<std::size_t>(at) - 1];
    const std::size_t text = line.find_first_not_of(" \t");
    if (text == std::string::npos) continue;
    if (indent < 0) indent = static_cast<int>(text);
    if (static_cast<int>(text) < indent) break;  // the block has ended
    property_line(line,
                  Place{source, at, static_cast<int>(text) + 1,
                        static_cast<int>(line.find_last_not_of(" \t") - text) + 1},
                  map, seen, where);
  }
  return map;
}

Value Walk::property_file(const Value& value, const std::string& where) {
  if (!value.is_scalar() || value.text.empty()) {
    report_.error(value.place, where + ".file must be the name of a file, not " + describe(value));
    return empty_map(value.place);
  }
  const std::string path = locate(scenario_file_, value.text);
  std::string text, why_not;
  if (!read_file(path, kMaxFileBytes, text, why_not)) {
    report_.error(value.place, where + ".file: " + path + " " + why_not);
    return empty_map(value.place);
  }
  return pasted_block(value, report_.add_source(path, text), 1, 0, where);
}

void Walk::property_line(std::string_view line, const Place& place, Value& into, std::set<std::string>& seen,
                         const std::string& where) {
  PropertyLine read = read_property_line(line);
  if (!read.problem.empty()) {
    report_.error(place, read.problem, read.hint);
    return;
  }
  if (read.name.empty()) return;
  Place key_place = place;
  key_place.length = static_cast<int>(read.name.size());
  if (!seen.insert(read.name).second) {
    report_.error(key_place, "duplicate property \"" + read.name + "\" in " + where);
    return;
  }
  Place value_place = key_place;
  const std::size_t equals = line.find('=');
  const std::size_t begin = line.find_first_not_of(" \t", equals + 1);
  if (equals != std::string_view::npos && begin != std::string_view::npos && !read.value.empty()) {
    value_place.column = static_cast<int>(begin) + 1;
    value_place.length = static_cast<int>(read.value.size());
  }
  into.entries.push_back(Entry{read.name, key_place, scalar(std::move(read.value), value_place)});
}

bool Walk::property(Entry& entry, const Key& key, const std::string& where) {
  const Property* property = find_property(entry.key, key.components);
  if (property == nullptr) {
    constexpr Components kAll = kBroker | kController | kTopic | kProducer | kConsumer;
    std::vector<std::string_view> names;
    for (const Property& row : scenario::properties()) {
      if ((row.components & key.components) != 0 && row.name.back() != '*' && row.status != Status::removed)
        names.push_back(row.name);
    }
    std::string hint = report_.full() ? "" : did_you_mean(entry.key, names);
    if (const Property* other = find_property(entry.key, kAll)) {
      hint = "it is a property of " + people(other->components) + ", and these are for " +
             people(key.components);
    }
    report_.error(entry.key_place, "unknown property \"" + entry.key + "\" in " + where, hint);
    return false;
  }
  PropertyValue read = read_property(*property, entry.value.text);
  if (!read.value) {
    const bool about_the_name = property->status == Status::removed || property->not_modelled == "*";
    report_.error(about_the_name ? entry.key_place : entry.value.place,
                  where + ": " + entry.key + " " + read.problem, read.hint);
    return false;
  }
  if (property->status == Status::accepted && !is_server_identity(entry.key))
    accepted_.push_back(Accepted{entry.key, where, entry.key_place});
  entry.value.text = std::move(*read.value);
  entry.value.quoted = false;
  return true;
}

}  // namespace sim::scenario
