#include "scenario/properties.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <utility>

#include "scenario/property_table.h"
#include "scenario/read_values.h"
#include "scenario/suggest.h"
#include "scenario/units.h"

namespace sim::scenario {

namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

std::vector<std::string_view> split(std::string_view text, char by) {
  std::vector<std::string_view> parts;
  if (trimmed(text).empty()) return parts;
  for (;;) {
    const std::size_t end = text.find(by);
    parts.push_back(trimmed(text.substr(0, end)));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

Range range_of(const Property& property) {
  Range range = property.range;
  const auto narrow = [&range](std::int64_t least, std::int64_t most) {
    range.least = std::max(range.least, least);
    range.most = std::min(range.most, most);
  };
  if (property.type == PropertyType::int32)
    narrow(std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max());
  if (property.type == PropertyType::int16)
    narrow(std::numeric_limits<std::int16_t>::min(), std::numeric_limits<std::int16_t>::max());
  return range;
}

PropertyValue wrong(std::string problem, std::string hint = {}) {
  return PropertyValue{std::nullopt, std::move(problem), std::move(hint)};
}

std::string or_list(std::string_view words) {
  const std::vector<std::string_view> parts = split(words, '|');
  std::string text;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    text += (i == 0 ? "" : i + 1 == parts.size() ? " or " : ", ") + std::string(parts[i]);
  }
  return text;
}

// A value with a unit, where Kafka's name holds the unit already.
std::string without_unit(const Property& property, std::string_view text) {
  const bool is_time = property.name.ends_with(".ms");
  const bool is_size = property.name.find("bytes") != std::string_view::npos ||
                       property.name.ends_with(".size") || property.name.ends_with(".memory");
  if (!is_time && !is_size) return {};
  const Scalar scalar = read_scalar(text, is_time ? UnitKind::duration : UnitKind::size);
  if (!scalar.value || (is_time && *scalar.value % 1'000'000 != 0)) return {};
  std::string hint = "Kafka's properties are raw numbers: write " +
                     std::to_string(is_time ? *scalar.value / 1'000'000 : *scalar.value);
  // Who writes 16KB of a buffer may mean 16384.
  if (const std::size_t unit = text.find_first_of("kKMG");
      is_size && text.ends_with('B') && unit == text.size() - 2) {
    const Scalar binary = read_scalar(
        std::string(text.substr(0, unit)) + (text[unit] == 'k' ? 'K' : text[unit]) + "iB", UnitKind::size);
    if (binary.value) hint += ", or " + std::to_string(*binary.value) + " for the binary unit";
  }
  return hint;
}

PropertyValue read_number(const Property& property, std::string_view text) {
  const std::string_view digits = !text.empty() && text.front() == '+' ? text.substr(1) : text;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (digits.empty() || error == std::errc::invalid_argument || end != digits.data() + digits.size()) {
    return wrong("must be a whole number, not \"" + std::string(text) + "\"", without_unit(property, text));
  }
  const Range range = range_of(property);
  if (error == std::errc::result_out_of_range || number > range.most)
    return wrong("must be at most " + std::to_string(range.most) + ", not " + std::string(text));
  if (number < range.least)
    return wrong("must be at least " + std::to_string(range.least) + ", not " + std::string(text));
  return PropertyValue{std::to_string(number), {}, {}};
}

// String.trim(), which ConfigDef.parseType applies to whatever it reads.
std::string_view trimmed_as_java(std::string_view text) {
  const auto counts = [](char c) { return static_cast<unsigned char>(c) > ' '; };
  const auto first = std::find_if(text.begin(), text.end(), counts);
  const auto last = std::find_if(text.rbegin(), std::make_reverse_iterator(first), counts).base();
  return text.substr(static_cast<std::size_t>(first - text.begin()), static_cast<std::size_t>(last - first));
}

// ConfigDef.CaseInsensitiveValidString
bool takes_any_case(const Property& property) {
  return property.name == "group.protocol" || property.name == "metadata.recovery.strategy" ||
         property.name == "security.protocol";
}

PropertyValue read_word(const Property& property, std::string_view text) {
  const std::vector<std::string_view> words = split(property.words, '|');
  const std::string in_small_letters = takes_any_case(property) ? lower(text) : std::string{};
  if (!in_small_letters.empty()) text = in_small_letters;
  if (constexpr std::string_view kByDuration = "by_duration:";
      property.name == "auto.offset.reset" && text.starts_with(kByDuration)) {
    if (read_iso_duration_ms(text.substr(kByDuration.size())))
      return PropertyValue{std::string(text), {}, {}};
    return wrong("must be earliest, latest, none or by_duration:DURATION, not \"" + std::string(text) + "\"",
                 "durations are written as in by_duration:PT1H30M or by_duration:P2D");
  }
  if (std::find(words.begin(), words.end(), text) == words.end()) {
    return wrong("must be " + or_list(property.words) + ", not \"" + std::string(text) + "\"",
                 did_you_mean(text, words));
  }
  const std::vector<std::string_view> not_played = split(property.not_modelled, '|');
  if (std::find(not_played.begin(), not_played.end(), text) != not_played.end()) {
    return wrong("\"" + std::string(text) + "\" is not modelled yet");
  }
  return PropertyValue{std::string(text), {}, {}};
}

// Kafka names assignors by their classes; their short names are what their name() returns.
std::string_view assignor_name(std::string_view text) {
  constexpr std::string_view kPackage = "org.apache.kafka.clients.consumer.";
  if (text.starts_with(kPackage)) text.remove_prefix(kPackage.size());
  if (text == "RangeAssignor") return "range";
  if (text == "RoundRobinAssignor") return "roundrobin";
  if (text == "StickyAssignor") return "sticky";
  if (text == "CooperativeStickyAssignor") return "cooperative-sticky";
  return text;
}

PropertyValue read_list(const Property& property, std::string_view text) {
  const bool assignors = property.name == "partition.assignment.strategy";
  std::string canonical;
  for (std::string_view item : split(text, ',')) {
    if (assignors) item = assignor_name(item);
    if (!property.words.empty()) {
      PropertyValue word = read_word(property, item);
      if (!word.value) return word;
    }
    canonical += (canonical.empty() ? "" : ",") + std::string(item);
  }
  const bool may_be_empty = property.fallback.empty();  // nobody is the default, too
  if (canonical.empty() && !may_be_empty && property.status == Status::modelled)
    return wrong("must not be empty");
  return PropertyValue{canonical, {}, {}};
}

}  // namespace

std::span<const Property> properties() {
  static const std::vector<Property> all = [] {
    std::vector<Property> rows;
    for (const std::span<const Property> part :
         {rows::server_rows(), rows::synonym_rows(), rows::topic_rows(), rows::client_rows()}) {
      rows.insert(rows.end(), part.begin(), part.end());
    }
    return rows;
  }();
  return all;
}

const Property* find_property(std::string_view name, Components components) {
  for (const Property& property : properties()) {
    if ((property.components & components) != 0 && property.name == name) return &property;
  }
  for (const Property& property : properties()) {
    if ((property.components & components) == 0 || property.name.back() != '*') continue;
    if (name.starts_with(property.name.substr(0, property.name.size() - 1))) return &property;
  }
  return nullptr;
}

namespace {

PropertyValue read_by_type(const Property& property, std::string_view text) {
  if (property.status == Status::removed)
    return wrong("was removed from Kafka: " + std::string(property.meaning));
  if (property.not_modelled == "*") return wrong("is not modelled yet");
  switch (property.type) {
    case PropertyType::boolean: {
      const std::string word = lower(text);
      if (word == "true" || word == "false") return PropertyValue{word, {}, {}};
      const bool yes = word == "yes" || word == "on" || word == "y" || word == "1";
      const bool no = word == "no" || word == "off" || word == "n" || word == "0";
      return wrong("must be true or false, not \"" + std::string(text) + "\"", yes  ? "write true"
                                                                               : no ? "write false"
                                                                                    : "");
    }
    case PropertyType::int16:
    case PropertyType::int32:
    case PropertyType::int64: return read_number(property, text);
    case PropertyType::decimal: {
      double number = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
      if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(number))
        return wrong("must be a number, not \"" + std::string(text) + "\"");
      const Range range = range_of(property);
      if (number < static_cast<double>(range.least))
        return wrong("must be at least " + std::to_string(range.least) + ", not " + std::string(text));
      if (number > static_cast<double>(range.most))
        return wrong("must be at most " + std::to_string(range.most) + ", not " + std::string(text));
      return PropertyValue{std::string(text), {}, {}};
    }
    case PropertyType::list: return read_list(property, text);
    case PropertyType::text: break;
  }
  if (property.words.empty()) return PropertyValue{std::string(text), {}, {}};
  PropertyValue word = read_word(property, text);
  if (word.value && property.name == "acks" && *word.value == "-1") word.value = "all";
  return word;
}

}  // namespace

PropertyValue read_property(const Property& property, std::string_view text) {
  text = trimmed_as_java(text);
  PropertyValue read = read_by_type(property, text);
  if (!read.value || property.setting == nullptr || property.setting_factor != 1) return read;
  // The setting has the last word, and its one way of writing equal values.
  read.value = canonical_setting(*property.setting, *read.value);
  if (read.value) return read;
  const bool are_replicas = property.type == PropertyType::list && property.words.empty();
  return wrong("cannot be \"" + std::string(text) + "\"",
               are_replicas ? "it is * for all replicas, or a list of partition:broker such as 0:1,0:2" : "");
}

std::optional<std::int64_t> read_iso_duration_ms(std::string_view text) {
  struct Part {
    char unit;
    std::int64_t ms;
    bool of_day;
  };
  constexpr Part kParts[] = {
      {'D', 86'400'000, false}, {'H', 3'600'000, true}, {'M', 60'000, true}, {'S', 1'000, true}};
  constexpr std::int64_t kCenturyMs = std::int64_t{36'600} * 86'400'000;
  const auto is = [](char c, char wanted) { return c == wanted || c == wanted - 'A' + 'a'; };
  if (text.empty() || !is(text.front(), 'P')) return std::nullopt;
  text.remove_prefix(1);
  std::int64_t sum = 0;
  bool in_time = false;
  bool any = false;
  const Part* next = std::begin(kParts);
  while (!text.empty()) {
    if (is(text.front(), 'T') && !in_time) {
      in_time = true;
      text.remove_prefix(1);
      if (text.empty()) return std::nullopt;
      continue;
    }
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || number < 0) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    std::int64_t fraction_ms = 0;
    if (!text.empty() && (text.front() == '.' || text.front() == ',')) {
      std::size_t digits = 1;
      for (std::int64_t one = 100; digits < text.size() && text[digits] >= '0' && text[digits] <= '9';
           ++digits, one /= 10)
        fraction_ms += (text[digits] - '0') * one;
      text.remove_prefix(digits);
      if (text.empty() || !is(text.front(), 'S')) return std::nullopt;
    }
    const auto part = std::find_if(next, std::end(kParts), [&](const Part& one) {
      return !text.empty() && is(text.front(), one.unit) && one.of_day == in_time;
    });
    if (part == std::end(kParts)) return std::nullopt;
    next = part + 1;
    sum = std::min(kCenturyMs, sum + std::min(number, kCenturyMs / part->ms) * part->ms + fraction_ms);
    text.remove_prefix(1);
    any = true;
  }
  if (!any) return std::nullopt;
  return sum;
}

std::string describe_range(const Property& property) {
  if (!property.words.empty()) {
    std::string words;
    for (const std::string_view word : split(property.words, '|'))
      words += (words.empty() ? "" : ", ") + std::string(word);
    return "[" + words + "]";
  }
  if (property.type == PropertyType::boolean || property.type == PropertyType::text ||
      property.type == PropertyType::list)
    return {};
  const Range& range = property.range;
  if (range.least == std::numeric_limits<std::int64_t>::min() &&
      range.most == std::numeric_limits<std::int64_t>::max())
    return {};
  const std::string most =
      range.most == std::numeric_limits<std::int64_t>::max() ? "..." : "...," + std::to_string(range.most);
  return "[" + std::to_string(range.least) + "," + most + "]";
}

std::string_view describe(PropertyType type) {
  switch (type) {
    case PropertyType::boolean: return "boolean";
    case PropertyType::int16: return "short";
    case PropertyType::int32: return "int";
    case PropertyType::int64: return "long";
    case PropertyType::decimal: return "double";
    case PropertyType::text: return "string";
    case PropertyType::list: return "list";
  }
  return {};
}

std::string describe_components(Components components) {
  constexpr std::array<std::pair<Components, std::string_view>, 5> kNames{{{kBroker, "broker"},
                                                                           {kController, "controller"},
                                                                           {kTopic, "topic"},
                                                                           {kProducer, "producer"},
                                                                           {kConsumer, "consumer"}}};
  std::string text;
  for (const auto& [component, name] : kNames) {
    if ((components & component) != 0) text += (text.empty() ? "" : ", ") + std::string(name);
  }
  return text;
}

}  // namespace sim::scenario
