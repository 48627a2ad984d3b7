#include "app/json_schema.h"

#include <array>
#include <limits>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "scenario/properties.h"
#include "scenario/schema.h"

namespace sim::app {

namespace {

using Json = nlohmann::ordered_json;
using scenario::Components;
using scenario::Key;
using scenario::KeyType;
using scenario::Property;
using scenario::PropertyType;
using scenario::UnitKind;

constexpr std::string_view kPartition = "^.+-(0|[1-9][0-9]*)$";
constexpr std::string_view kName = "^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$";
constexpr std::array<std::pair<Components, std::string_view>, 4> kPropertySets{
    {{scenario::kBroker | scenario::kController, "server-properties"},
     {scenario::kTopic, "topic-properties"},
     {scenario::kProducer, "producer-properties"},
     {scenario::kConsumer, "consumer-properties"}}};

Json one_of_words(std::string_view list) {
  Json values = Json::array();
  for (;;) {
    const std::size_t bar = list.find('|');
    values.push_back(std::string(list.substr(0, bar)));
    if (bar == std::string_view::npos) return Json{{"enum", std::move(values)}};
    list.remove_prefix(bar + 1);
  }
}

Json reference(std::string_view name) {
  return Json{{"$ref", "#/definitions/" + std::string(name)}};
}

Json number(UnitKind unit, std::int64_t least, std::int64_t most) {
  if (unit == UnitKind::ratio) return Json{{"type", "number"}, {"minimum", 0.01}, {"maximum", 1}};
  if (unit != UnitKind::none) {
    const std::string_view pattern = scenario::pattern(unit);
    const bool may_be_negative = least < 0 && least != std::numeric_limits<std::int64_t>::min();
    return Json{{"type", "string"},
                {"pattern", may_be_negative ? "^-?" + std::string(pattern.substr(1)) : std::string(pattern)}};
  }
  Json json{{"type", "integer"}};
  if (least != std::numeric_limits<std::int64_t>::min()) json["minimum"] = least;
  if (most != std::numeric_limits<std::int64_t>::max()) json["maximum"] = most;
  return json;
}

Json closed_map(Json properties, Json required) {
  Json json{{"type", "object"}, {"additionalProperties", false}, {"properties", std::move(properties)}};
  if (!required.empty()) json["required"] = std::move(required);
  return json;
}

Json distribution(UnitKind unit) {
  const Json scalar{{"type", "string"}, {"pattern", scenario::pattern(unit)}};
  Json kinds = Json::array(
      {scalar, closed_map({{"p50", scalar}, {"p99", scalar}}, {"p50", "p99"}),
       closed_map({{"constant", scalar}}, {"constant"}),
       closed_map({{"uniform", closed_map({{"min", scalar}, {"max", scalar}}, {"min", "max"})}}, {"uniform"}),
       closed_map({{"values", {{"type", "string"}}}}, {"values"})});
  if (unit == UnitKind::duration) kinds.push_back(closed_map({{"exponential", scalar}}, {"exponential"}));
  return Json{{"anyOf", std::move(kinds)}};
}

Json key_choice() {
  const Json n{{"type", "integer"}, {"minimum", 1}};
  const Json s{{"type", "number"}, {"minimum", 0}, {"maximum", 10}};
  return Json{
      {"anyOf", Json::array({one_of_words("none"),
                             closed_map({{"zipf", closed_map({{"n", n}, {"s", s}}, {"n", "s"})}}, {"zipf"}),
                             closed_map({{"uniform", closed_map({{"n", n}}, {"n"})}}, {"uniform"})})}};
}

// One or a list of them.
Json targets() {
  constexpr std::string_view kTarget =
      "^(broker-[1-9][0-9]*|controller(-[1-9][0-9]*)?|brokers|controllers|clients|leader\\(.+-[0-9]+\\)|"
      "follower\\(.+-[0-9]+(, *[1-9][0-9]*)?\\)|"
      "(rack|coordinator|client)\\(.+\\)|random\\((brokers|controllers|clients)(, *[1-9][0-9]*)?\\)|"
      "(?!broker-|controller-)[A-Za-z0-9_][A-Za-z0-9._-]*)$";  // the last: a name of let
  const Json one{{"type", "string"}, {"pattern", kTarget}};
  return Json{{"anyOf", Json::array({one, Json{{"type", "array"}, {"minItems", 1}, {"items", one}}})}};
}

Json property_schema(const Property& property) {
  Json json;
  switch (property.type) {
    case PropertyType::boolean: json = Json{{"type", "boolean"}}; break;
    case PropertyType::int16:
    case PropertyType::int32:
    case PropertyType::int64: json = number(UnitKind::none, property.range.least, property.range.most); break;
    case PropertyType::decimal: json = Json{{"type", "number"}}; break;
    case PropertyType::list: json = Json{{"type", {"string", "array"}}}; break;
    case PropertyType::text:
      json = property.words.empty() ? Json{{"type", {"string", "number", "boolean"}}}
                                    : one_of_words(property.words);
      break;
  }
  if (property.name == "acks") json = Json{{"enum", {"all", "-1", "0", "1", -1, 0, 1}}};
  json["description"] = property.meaning;
  return json;
}

Json property_set(Components components) {
  Json properties = Json::object();
  Json patterns = Json::object();
  for (const Property& property : scenario::properties()) {
    if ((property.components & components) == 0 || property.status == scenario::Status::removed) continue;
    if (property.name.back() != '*') {
      properties[std::string(property.name)] = property_schema(property);
      continue;
    }
    std::string pattern = "^";
    for (const char c : property.name.substr(0, property.name.size() - 1))
      pattern += c == '.' ? std::string("\\.") : std::string(1, c);
    patterns[pattern] = Json{{"description", property.meaning}};
  }
  Json map{{"type", "object"}, {"additionalProperties", false}, {"properties", std::move(properties)}};
  if (!patterns.empty()) map["patternProperties"] = std::move(patterns);
  return Json{{"anyOf", Json::array({std::move(map),
                                     Json{{"type", "string"}, {"description", "A pasted properties file."}},
                                     closed_map({{"file", {{"type", "string"}}}}, {"file"})})}};
}

Json schema_of(const Key& key);

Json section(std::string_view path) {
  Json properties = Json::object();
  Json required = Json::array();
  Json alternatives = Json::object();  // by set
  Json any = Json::array();            // of which at least one is needed
  Json dependencies = Json::object();
  std::string_view companion;  // of a set of alternatives that only counts beside it
  for (const Key* key : scenario::keys_below(path)) {
    const std::string name(key->last());
    Json child = schema_of(*key);
    child["description"] = key->meaning;
    if (properties.contains(name)) {  // one of two, depending on a companion
      if (properties[name] != child)
        properties[name] = Json{{"anyOf", Json::array({properties[name], std::move(child)})}};
      dependencies.erase(name);
      continue;
    }
    properties[name] = std::move(child);
    if (key->required && key->only_with.empty()) required.push_back(name);
    if (key->alternative == scenario::kAnyOf) any.push_back(Json{{"required", {name}}});
    if (key->required && !key->not_with.empty()) {  // unless that other is there
      const Json unless{{"required", {std::string(key->not_with)}}};
      dependencies[std::string(key->only_with)] =
          Json{{"anyOf", Json::array({Json{{"required", {name}}}, unless})}};
      dependencies[name] = Json::array({std::string(key->only_with)});
      continue;
    }
    if (key->alternative != 0 && key->alternative != scenario::kAnyOf)
      alternatives[std::to_string(key->alternative)].push_back(Json{{"required", {name}}});
    if (key->alternative != 0 && !key->only_with.empty()) companion = key->only_with;
    if (!key->only_with.empty()) dependencies[name] = Json::array({std::string(key->only_with)});
    if (!key->also_with.empty()) dependencies[name].push_back(std::string(key->also_with));
    if (key->required && !key->only_with.empty()) dependencies[std::string(key->only_with)].push_back(name);
  }
  Json json = closed_map(std::move(properties), std::move(required));
  if (!any.empty()) json["anyOf"] = std::move(any);
  if (alternatives.contains("1")) json["oneOf"] = std::move(alternatives["1"]);
  if (alternatives.contains("2"))
    dependencies[std::string(companion)] = Json{{"oneOf", std::move(alternatives["2"])}};
  if (!dependencies.empty()) json["dependencies"] = std::move(dependencies);
  return json;
}

Json schema_of(const Key& key) {
  switch (key.type) {
    case KeyType::section:
      if (!key.short_for.empty())
        return Json{{"anyOf", Json::array({Json{{"type", "string"}}, section(key.path)})}};
      return key.words.empty() ? section(key.path)
                               : Json{{"anyOf", Json::array({one_of_words(key.words), section(key.path)})}};
    case KeyType::names:
      return Json{{"type", "object"},
                  {"propertyNames", {{"pattern", kName}}},
                  {"additionalProperties", section(std::string(key.path) + "/<name>")}};
    case KeyType::list: return Json{{"type", "array"}, {"items", section(std::string(key.path) + "/[]")}};
    case KeyType::scalar: return number(key.unit, key.least, key.most);
    case KeyType::boolean: return Json{{"type", "boolean"}};
    case KeyType::text:
    case KeyType::path: return Json{{"type", "string"}};
    case KeyType::name: return Json{{"type", "string"}, {"pattern", kName}};
    case KeyType::word: return one_of_words(key.words);
    case KeyType::name_list:
      return Json{{"type", "array"}, {"items", {{"type", "string"}, {"pattern", kName}}}};
    case KeyType::matrix:
      return Json{{"type", "object"},
                  {"additionalProperties",
                   {{"type", "object"}, {"additionalProperties", reference("duration-distribution")}}}};
    case KeyType::distribution:
      return reference(key.unit == UnitKind::size ? "size-distribution" : "duration-distribution");
    case KeyType::key_choice: return reference("key");
    case KeyType::properties:
      for (const auto& [components, name] : kPropertySets) {
        if (components == key.components) return reference(name);
      }
      return Json::object();
    case KeyType::limit: return Json{{"type", {"string", "integer"}}};
    case KeyType::targets: return reference("targets");
    case KeyType::target_groups:
      return Json{{"type", "array"}, {"minItems", 2}, {"items", reference("targets")}};
    case KeyType::partitions: {
      const Json one{{"type", "string"}, {"pattern", kPartition}};
      return Json{{"anyOf", Json::array({one_of_words("all"), one,
                                         Json{{"type", "array"}, {"minItems", 1}, {"items", one}}})}};
    }
    case KeyType::replica_lists: {
      const Json broker{
          {"anyOf", Json::array({Json{{"type", "integer"}, {"minimum", 1}},
                                 Json{{"type", "string"}, {"pattern", "^broker-[1-9][0-9]*$"}}})}};
      const Json replicas{
          {"anyOf", Json::array({one_of_words("cancel"),
                                 Json{{"type", "array"}, {"minItems", 1}, {"items", broker}}})}};
      return Json{{"type", "object"},
                  {"minProperties", 1},
                  {"propertyNames", {{"pattern", kPartition}}},
                  {"additionalProperties", replicas}};
    }
    case KeyType::assignment: {
      const Json broker{
          {"anyOf", Json::array({Json{{"type", "integer"}, {"minimum", 1}},
                                 Json{{"type", "string"}, {"pattern", "^broker-[1-9][0-9]*$"}}})}};
      return Json{{"type", "array"},
                  {"minItems", 1},
                  {"items", {{"type", "array"}, {"minItems", 1}, {"items", broker}}}};
    }
    case KeyType::variations: {
      const Json value{{"type", {"string", "number", "boolean"}}};
      const Json range{{"type", "object"},
                       {"properties", {{"from", value}, {"to", value}}},
                       {"required", {"from", "to"}},
                       {"additionalProperties", false}};
      const Json list{{"type", "array"}, {"minItems", 1}, {"items", value}};
      return Json{{"type", "object"}, {"additionalProperties", {{"anyOf", Json::array({list, range})}}}};
    }
    case KeyType::fixed_targets:
      return Json{{"type", "object"},
                  {"propertyNames", {{"pattern", kName}}},
                  {"additionalProperties", {{"type", "string"}, {"pattern", "^.+ at .+$"}}}};
  }
  return Json::object();
}

}  // namespace

std::string json_schema() {
  Json json{{"$schema", "http://json-schema.org/draft-07/schema#"},
            {"title", "kraftsim/v1"},
            {"description", "A scenario of kraftsim."}};
  json.update(section(""));
  Json definitions = Json::object();
  definitions["duration-distribution"] = distribution(UnitKind::duration);
  definitions["size-distribution"] = distribution(UnitKind::size);
  definitions["key"] = key_choice();
  definitions["targets"] = targets();
  for (const auto& [components, name] : kPropertySets)
    definitions[std::string(name)] = property_set(components);
  json["definitions"] = std::move(definitions);
  return json.dump(1) + "\n";
}

}  // namespace sim::app
