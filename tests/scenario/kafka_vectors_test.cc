// The table of properties against the ConfigDefs of Kafka's own classes (tests/vectors).
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <limits>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "scenario/properties.h"
#include "vectors/vector_table.h"

namespace sim::scenario {
namespace kafka_vectors_test {

using vectors::VectorRow;

const Property* property_of(const VectorRow& row) {
  const std::string& scope = row.text("scope");
  const std::string& name = row.text("name");
  if (scope == "producer") return find_property(name, kProducer);
  if (scope == "consumer") return find_property(name, kConsumer);
  if (scope == "topic") return find_property(name, kTopic);
  return find_property(name, kBroker | kController);
}

std::string_view type_name(PropertyType type) {
  switch (type) {
    case PropertyType::boolean: return "BOOLEAN";
    case PropertyType::int16: return "SHORT";
    case PropertyType::int32: return "INT";
    case PropertyType::int64: return "LONG";
    case PropertyType::decimal: return "DOUBLE";
    case PropertyType::text: return "STRING";
    case PropertyType::list: return "LIST";
  }
  return "";
}

// The table is of 4.1.2; what is played by default is newer.
struct LaterSetting {
  std::string_view name;
  std::string_view kafka_default;
  std::string_view range;
};
constexpr LaterSetting kLaterSettings[] = {
    {"group.coordinator.append.linger.ms", "-1", "[-1;...]"},  // 4.2: GroupCoordinatorConfig
};
const LaterSetting* later_setting(const VectorRow& row) {
  const auto found = std::find_if(std::begin(kLaterSettings), std::end(kLaterSettings),
                                  [&](const LaterSetting& one) { return one.name == row.text("name"); });
  return found == std::end(kLaterSettings) ? nullptr : found;
}

// Kafka's default in our words. What Kafka parts by commas is parted by semicolons in the table.
std::string kafka_default(const VectorRow& row) {
  if (const LaterSetting* later = later_setting(row)) return std::string(later->kafka_default);
  std::string text = row.text("kafka_default");
  if (text == "(none)") return "null";
  std::replace(text.begin(), text.end(), ';', ',');
  return text;
}

std::string canonical(const Property& property, const std::string& text) {
  if (text == "null") return text;
  const PropertyValue read = read_property(property, text);
  return read.value.value_or(text);
}

// The words a text may be, in lower case and in order; empty: any text. Kafka's "non-null string" and the
// like bound nothing that we read.
std::set<std::string> words_of(std::string text) {
  constexpr std::string_view kPrefix = "(case insensitive) ";
  if (text.starts_with(kPrefix)) text.erase(0, kPrefix.size());
  if (text.empty() || text.front() != '[' || text.find("]:[") != std::string::npos) return {};
  for (char& c : text) {
    if (c == ',' || c == ';' || c == '[' || c == ']') c = ' ';
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  std::set<std::string> words;
  for (const std::string& word : vectors::split(text, ' ')) {
    if (!word.empty()) words.insert(word.starts_with("by_duration") ? "by_duration" : word);
  }
  return words;
}

// "[1;...;9] or -1": the least and the most of all of it.
Range kafka_range(const std::string& text) {
  Range range;
  if (text.empty() || text.front() != '[') return range;
  const std::size_t end = text.find(']');
  const std::vector<std::string> parts = vectors::split(text.substr(1, end - 1), ';');
  range.least = vectors::to_number(parts.front());
  if (parts.back() != "...") range.most = vectors::to_number(parts.back());
  if (const std::size_t other = text.find(" or "); other != std::string::npos)
    range.least = std::min(range.least, vectors::to_number(text.substr(other + 4)));
  return range;
}

// We may take less than Kafka does (what a simulated process could not hold, or would spin on), never more. A
// text without effect may be anything.
std::string range_fault(const Property& property, const std::string& kafkas) {
  const bool is_number = property.type == PropertyType::int16 || property.type == PropertyType::int32 ||
                         property.type == PropertyType::int64;
  if (is_number) {
    const Range allowed = kafka_range(kafkas);
    const bool within = property.range.least >= allowed.least && property.range.most <= allowed.most;
    const bool unbounded_type = allowed.most == std::numeric_limits<std::int64_t>::max();
    const bool fits = within || (unbounded_type && property.range.least >= allowed.least);
    return fits ? "" : " takes more than " + kafkas;
  }
  const std::set<std::string> allowed = words_of(kafkas);
  if (allowed.empty() || property.words.empty()) return "";
  std::string fault;
  for (const std::string& word : words_of(describe_range(property))) {
    if (!allowed.contains(word)) fault += " takes " + word;
  }
  return fault;
}

TEST_CASE("every property has the type, the default and at most the range of Kafka's ConfigDefs") {
  // Of families that have no effect (TLS, SASL, ...) only the beginning of the name is known.
  const auto is_family = [](const Property& property) { return property.name.back() == '*'; };
  const auto kafkas = [&](const VectorRow& row) {
    const std::string name = row.text("scope") + " " + row.text("name");
    const Property* property = property_of(row);
    if (property == nullptr) return name + " is known";
    if (is_family(*property)) return name;
    std::string type = row.text("type");
    if (type == "CLASS" || type == "PASSWORD") type = "STRING";
    return name + " " + type + " " + canonical(*property, kafka_default(row));
  };
  vectors::check_vectors("configs", kafkas, [&](const VectorRow& row) {
    const std::string name = row.text("scope") + " " + row.text("name");
    const Property* property = property_of(row);
    if (property == nullptr) return name + " is not known";
    if (is_family(*property)) return name;
    return name + " " + std::string(type_name(property->type)) + " " +
           canonical(*property, std::string(property->fallback)) +
           range_fault(*property, later_setting(row) == nullptr ? row.text("kafka_range")
                                                                : std::string(later_setting(row)->range));
  });
}

}  // namespace kafka_vectors_test
}  // namespace sim::scenario
