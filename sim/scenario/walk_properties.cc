#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "scenario/dialects.h"
#include "scenario/files.h"
#include "scenario/properties_text.h"
#include "scenario/secrets.h"
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

constexpr std::string_view kByteOrderMark =
    "\xC3\xAF\xC2\xBB\xC2\xBF";  // its three bytes, each read as a character

// Settings of what surrounds Kafka, in files that are used for both.
bool belongs_to_others(std::string_view name) {
  constexpr std::string_view kFamilies[] = {
      "zookeeper.", "confluent.",       "cruise.control.", "kafka.",       "schema.registry", "spring.",
      "connect.",   "metrics.reporter", "metric.",         "interceptor.", "plugin.",         "strimzi."};
  return std::any_of(std::begin(kFamilies), std::end(kFamilies),
                     [name](std::string_view family) { return name.starts_with(family); });
}

// A property that is meant, probably: few letters are wrong, or only its case and its dividers.
std::string similar_property(std::string_view name, Components components) {
  std::vector<std::string_view> names;
  for (const Property& row : scenario::properties()) {
    if ((row.components & components) == 0 || row.name.back() == '*' || row.status == Status::removed)
      continue;
    if (same_letters(row.name, name)) return "did you mean " + std::string(row.name) + "?";
    names.push_back(row.name);
  }
  return did_you_mean(name, names);
}

Value overlay_of(const Value& value) {
  Value map = empty_map(value.place);
  map.entries = value.overlay;
  return map;
}

}  // namespace

bool Walk::properties(Value& value, const Key& key, const std::string& where) {
  Value map;
  settings_of(value, where);
  if (value.is_map()) {
    flatten(value);
    map = value.entries.size() == 1 && value.entries.front().key == "file"
              ? property_file(value.entries.front().value, where)
              : property_map(value, where);
  } else if (value.is_scalar() && value.literal) {
    map = pasted_block(value, where);
  } else if (value.is_scalar() && value.text.empty()) {
    map = empty_map(value.place);
  } else if (value.is_scalar() && value.text.find_first_of("=:\n") != std::string::npos) {
    map = property_text(read_properties(value.text, Encoding::utf8), {}, value.place, where);
  } else {
    const bool looks_like_a_file = value.is_scalar() && value.text.find('.') != std::string::npos;
    return not_a(value, key, where, {},
                 looks_like_a_file   ? "write {file: " + value.text + "}"
                 : value.is_scalar() ? "begin a block with | to keep its lines"
                                     : "");
  }
  for (const Entry& entry : use_kafka_names(map, key.components, library_, where, report_))
    accepted_.push_back(Accepted{entry.key, where, entry.key_place});
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

void Walk::settings_of(Value& value, const std::string& where) {
  if (!take_settings(value)) return;
  report_.warning(value.place, where + ": of a Kafka resource only spec.kafka.config is read",
                  "its replicas are cluster.brokers, its version is cluster.kafka, its rack cluster.racks");
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

// The text of a block is that of the lines below its |, each without its indentation.
Value Walk::pasted_block(const Value& value, const std::string& where) {
  const std::vector<std::string>& lines = report_.source(value.place.source).lines;
  std::vector<int> indents;
  for (std::size_t at = 0; at < value.text.size();) {
    const std::size_t end = std::min(value.text.find('\n', at), value.text.size());
    const std::size_t number = static_cast<std::size_t>(value.place.line) + indents.size();
    const std::size_t width = number < lines.size() ? lines[number].size() : 0;
    indents.push_back(width > end - at ? static_cast<int>(width - (end - at)) : 0);
    at = end + 1;
  }
  const auto place_of = [&](const TextPlace& place) {
    const std::size_t index = static_cast<std::size_t>(std::max(place.line, 1)) - 1;
    const int indent = index < indents.size() ? indents[index] : 0;
    return Place{value.place.source, value.place.line + place.line, indent + place.column, place.length};
  };
  return property_text(read_properties(value.text, Encoding::utf8), place_of, value.place, where);
}

Value Walk::property_file(const Value& value, const std::string& where) {
  if (!value.is_scalar() || value.text.empty()) {
    report_.error(value.place, where + ".file must be the name of a file, not " + describe(value));
    return empty_map(value.place);
  }
  const std::string path = locate(scenario_file_, value.text);
  std::string text, why_not;
  bool is_utf8 = true;
  if (!read_properties_file(path, kMaxFileBytes, text, is_utf8, why_not)) {
    report_.error(value.place, where + ".file: " + path + " " + why_not);
    return empty_map(value.place);
  }
  if (path.ends_with(".yaml") || path.ends_with(".yml") || path.ends_with(".json")) {
    std::optional<Value> tree = read_yaml(text, report_.add_source(path, text), report_);
    if (!tree) return empty_map(value.place);
    settings_of(*tree, where);
    if (!tree->is_map()) {
      report_.error(value.place, where + ".file: " + path + " holds no map of properties");
      return empty_map(value.place);
    }
    flatten(*tree);
    return property_map(*tree, where);
  }
  // Shown as its writer sees it, and read as Kafka reads it: byte by byte.
  const std::vector<JavaProperty> properties = read_properties(text, Encoding::latin1);
  const int source = report_.add_source(path, is_utf8 ? text : latin1_to_utf8(text));
  const auto place_of = [source, is_utf8](const TextPlace& place) {
    return Place{source, place.line, is_utf8 ? place.column : 0, is_utf8 ? place.length : 0};
  };
  return property_text(properties, place_of, value.place, where);
}

// `place_of`: where a stretch of the text stands; without it, all of it stands at `whole`.
Value Walk::property_text(std::vector<JavaProperty> properties, const PlaceOf& place_of, const Place& whole,
                          const std::string& where) {
  Value map = empty_map(whole);
  const auto located = [&](const TextPlace& place) { return place_of ? place_of(place) : whole; };
  for (JavaProperty& property : properties) {
    const Place name_place = located(property.name_place);
    if (!property.problem.empty()) {
      report_.error(name_place, property.problem);
      continue;
    }
    if (property.name.starts_with(kByteOrderMark)) {
      const std::string_view rest = std::string_view(property.name).substr(kByteOrderMark.size());
      if (rest.starts_with('#') || rest.starts_with('!'))
        continue;  // a strange name to Kafka, a comment to everybody
      report_.error(
          name_place,
          where + ": the file begins with a byte order mark, which Kafka takes for a part of the first name",
          "save the file without one");
      continue;
    }
    if (Value* earlier = map.find(property.name)) {
      report_.warning(name_place, where + " has \"" + property.name +
                                      "\" twice, and the last one counts, as java.util.Properties has it");
      *earlier = scalar(std::move(property.value), located(property.value_place));
      continue;
    }
    map.entries.push_back(
        Entry{property.name, name_place, scalar(std::move(property.value), located(property.value_place))});
  }
  return map;
}

// A name that Kafka does not know: it logs it and goes on, but for a topic, which is refused with it.
bool Walk::unknown_property(const Entry& entry, const Key& key, const std::string& where) {
  constexpr Components kAll = kBroker | kController | kTopic | kProducer | kConsumer;
  const Property* other = find_property(entry.key, kAll);
  const std::string owners = other == nullptr ? "" : people(other->components);
  if (key.components == kTopic || strictness_ == Strictness::strict) {
    const std::string hint =
        other != nullptr ? "it is a property of " + owners + ", and these are for " + people(key.components)
                         : similar_property(entry.key, key.components);
    report_.error(entry.key_place, "unknown property \"" + entry.key + "\" in " + where, hint);
    return false;
  }
  if (other == nullptr && !belongs_to_others(entry.key)) {
    const std::string hint = report_.full() ? "" : similar_property(entry.key, key.components);
    if (!hint.empty() || report_.full()) {
      report_.error(entry.key_place, "unknown property \"" + entry.key + "\" in " + where, hint);
      return false;
    }
  }
  foreign_.push_back(
      Accepted{entry.key + (owners.empty() ? "" : " (of " + owners + ")"), where, entry.key_place});
  return false;
}

bool Walk::property(Entry& entry, const Key& key, const std::string& where) {
  const Property* property = find_property(entry.key, key.components);
  if (property == nullptr) return unknown_property(entry, key, where);
  if (property->status == Status::removed && key.components != kTopic && strictness_ == Strictness::lenient) {
    foreign_.push_back(Accepted{entry.key, where, entry.key_place});
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
  entry.value.text = property->status == Status::accepted && is_secret(entry.key) ? std::string(kHidden)
                                                                                  : std::move(*read.value);
  entry.value.quoted = false;
  return true;
}

}  // namespace sim::scenario
