#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "scenario/dialects.h"
#include "scenario/java_properties.h"
#include "scenario/scenario.h"
#include "scenario/schema.h"
#include "scenario/targets.h"
#include "scenario/tree.h"

// The strict walk: holds a tree against the table of keys.
//
// What is wrong is reported and taken out of the tree; what is right is rewritten in its canonical form
// (120000ms becomes 120s, a pasted block of properties a map). So the rest of the loader meets only values it
// can use.
namespace sim::scenario {

class Walk {
 public:
  Walk(std::string scenario_file, Strictness strictness, Report& report)
      : scenario_file_(std::move(scenario_file)), strictness_(strictness), report_(report) {}

  // The whole scenario. REQUIRES: root is a map
  void scenario(Value& root);

  // Kafka properties that have no effect here, with where they stand.
  struct Accepted {
    std::string name;
    std::string where;
    Place place;
  };
  const std::vector<Accepted>& accepted() const { return accepted_; }
  // Properties that Kafka does not know, or that belong to another component: it ignores them.
  const std::vector<Accepted>& foreign() const { return foreign_; }

 private:
  // Each returns whether the value may stay. `where` is the path as the user would write it.
  bool section(Value& value, std::string_view path, const std::string& where);
  bool any(Value& value, const Key& key, const std::string& where);
  bool names(Value& value, const Key& key, const std::string& where);
  bool list(Value& value, const Key& key, const std::string& where);
  bool number(Value& value, const Key& key, const std::string& where);
  bool boolean(Value& value, const Key& key, const std::string& where);
  bool name(Value& value, const Key& key, const std::string& where);
  bool word(Value& value, const Key& key, const std::string& where);
  bool name_list(Value& value, const Key& key, const std::string& where);
  bool matrix(Value& value, const Key& key, const std::string& where);
  bool key_choice(Value& value, const Key& key, const std::string& where);
  bool distribution(Value& value, const Key& key, const std::string& where);
  bool values_file(Value& value, const Key& key, const std::string& where);
  bool path(Value& value, const Key& key, const std::string& where);
  bool targets(Value& value, const Key& key, const std::string& where);
  bool target_groups(Value& value, const Key& key, const std::string& where);
  bool partitions(Value& value, const Key& key, const std::string& where);
  bool replica_lists(Value& value, const Key& key, const std::string& where);
  bool assignment(Value& value, const Key& key, const std::string& where);
  bool fixed_targets(Value& value, const Key& key, const std::string& where);
  bool properties(Value& value, const Key& key, const std::string& where);

  // A map whose keys are all among `allowed`, of which exactly one is given if `one_only`.
  bool small_map(Value& value, const std::vector<std::string_view>& allowed, bool one_only,
                 const std::string& where);
  // The number under a key of a small map; reports one that is missing or wrong.
  bool small_number(Value& value, std::string_view key, UnitKind unit, std::int64_t least, std::int64_t most,
                    const std::string& where);

  bool not_a(const Value& value, const Key& key, const std::string& where, const std::string& problem = {},
             const std::string& hint = {});
  bool no_word_as_key(const Value& value, const Key& key, const std::string& where);
  void unknown_key(const Entry& entry, std::string_view path, const Value& section, const std::string& where);
  // Of keys that exclude each other one must be given; a second one is reported and dropped. False if none
  // is.
  bool keep_one_alternative(Value& value, std::string_view path, const std::string& where);
  bool keep_one_of(Value& value, const std::vector<std::string_view>& all, const std::string& where);

  // Takes from a foreign file what is settings, and says so if there was more.
  void settings_of(Value& value, const std::string& where);
  Value property_map(const Value& value, const std::string& where);
  using PlaceOf = std::function<Place(const TextPlace&)>;
  Value pasted_block(const Value& value, const std::string& where);
  Value property_file(const Value& value, const std::string& where);
  Value property_text(std::vector<JavaProperty> properties, const PlaceOf& place_of, const Place& whole,
                      const std::string& where);
  bool property(Entry& entry, const Key& key, const std::string& where);
  bool unknown_property(const Entry& entry, const Key& key, const std::string& where);

  std::string scenario_file_;
  Strictness strictness_;
  Report& report_;
  std::vector<Accepted> accepted_;
  std::vector<Accepted> foreign_;
  FixedNames fixed_names_;
  ClientLibrary library_ = ClientLibrary::java;  // of the client whose section it is in
};

// Whether a text may be a name of the user's: it becomes part of file and column names.
bool is_name(std::string_view text);

// Kafka: Topic.validate()
bool is_topic_name(std::string_view text);

}  // namespace sim::scenario
