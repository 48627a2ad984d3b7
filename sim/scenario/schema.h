#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "scenario/properties.h"
#include "scenario/tree.h"
#include "scenario/units.h"

// The table of every key a scenario may hold. The strict walk, the defaults, the resolved output, the JSON
// Schema and `explain` all read this one table.
namespace sim::scenario {

enum class KeyType : std::uint8_t {
  section,        // a map with the keys below it, or one of `words`, if there are any
  names,          // a map from names of the user's choice to "<name>"
  list,           // a list of "[]"
  scalar,         // a number, with a unit unless UnitKind::none
  boolean,        // true or false
  text,           // any text
  name,           // a word that becomes part of file and column names
  word,           // one of `words`
  name_list,      // a list of names
  matrix,         // a map from names to maps from names to distributions of `unit`
  path,           // a file, relative to the scenario
  distribution,   // a scalar of `unit`, or a map that says how it varies
  key_choice,     // none, {zipf: {n, s}} or {uniform: {n}}
  properties,     // Kafka properties of `components`: a map, a pasted block, or {file: ...}
  limit,          // "< 500ms", "= 0": what it is compared with depends on the metric
  targets,        // whom a fault hits, one or a list
  target_groups,  // a list of lists of them
  partitions,     // all, or partitions such as orders-0, one or a list
  replica_lists,  // a map from partitions to lists of brokers, or the word cancel
  fixed_targets,  // a map from names to "TARGET at TIME"
  assignment,     // a list with the list of its brokers for each partition
  variations,     // a map from keys of the scenario to lists of values or {from, to}
};

inline constexpr std::uint8_t kAnyOf = 3;  // of Key::alternative

struct Key {
  std::string_view path;  // levels divided by /, as keys themselves hold dots: clients/<name>/group.id
  KeyType type = KeyType::section;
  std::string_view fallback = {};  // as one would write it; "=..." is computed and says how; empty = none
  std::string_view meaning = {};
  UnitKind unit = UnitKind::none;
  std::int64_t least = std::numeric_limits<std::int64_t>::min();  // for scalars, in the smallest unit
  std::int64_t most = std::numeric_limits<std::int64_t>::max();
  std::string_view words = {};  // divided by |
  Components components = 0;
  bool required = false;
  std::uint8_t alternative = 0;  // of its section's keys with the same number exactly one must be given, with
                                 // kAnyOf at least one; 0 = none such
  std::string_view only_with = {};  // means something only beside this key of its section
  std::string_view also_with = {};  // as only_with: both must be there
  std::string_view not_with = {};   // means nothing beside this key of its section
  std::string_view example = {};
  std::string_view short_for = {};  // of a section: a scalar in its place is the value of this key of it

  std::string_view last() const;  // the last level of the path
  // Whether a section with these keys may have it.
  template <class Section>
  bool belongs_in(const Section& section) const {
    return (only_with.empty() || section.find(only_with) != nullptr) &&
           (also_with.empty() || section.find(also_with) != nullptr) &&
           (not_with.empty() || section.find(not_with) == nullptr);
  }
  bool computed() const { return !fallback.empty() && fallback.front() == '='; }
};

// In the order in which they are written out.
std::span<const Key> keys();

// The keys directly below `path`; "" is the scenario itself.
std::vector<const Key*> keys_below(std::string_view path);

// "clients.<name>.arrivals.poisson"
std::string dotted(std::string_view path);

// A scalar that stands for a section becomes that section. REQUIRES: key.short_for is not empty
void write_out(Value& value, const Key& key);

// What a key's value looks like, in words: "a duration such as 120s".
std::string describe(const Key& key);

}  // namespace sim::scenario
