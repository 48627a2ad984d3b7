#pragma once

#include <optional>
#include <string>
#include <vector>

#include "scenario/scenario.h"
#include "scenario/tree.h"

// A scenario that is being changed, as text: entries are set and taken out, and what comes of it is loaded
// like any other file. It begins with everything written out, drawn faults and defaults too.
namespace sim::scenario {

// Keys and places in lists (from 0), from the outside in: {"faults", "0", "for"}.
using DraftPath = std::vector<std::string>;

class Draft {
 public:
  explicit Draft(const Scenario& scenario);

  std::string text() const;
  // As a run of it would have it; `file` is where files that it names are looked for.
  Result<Scenario> load(const std::string& file) const;

  bool has(const DraftPath& path) const { return find(path) != nullptr; }
  // The text of a scalar.
  std::optional<std::string> get(const DraftPath& path) const;
  // Keys of a map, places of a list; empty if it is neither.
  std::vector<std::string> below(const DraftPath& path) const;

  // REQUIRES: has(path)
  void set(const DraftPath& path, std::string value);
  void remove(const DraftPath& path);

 private:
  const Value* find(const DraftPath& path) const;
  Value* find(const DraftPath& path);

  Value root_;
};

// Without whatever says no more than the default: it loads to the same scenario.
Draft without_defaults(const Draft& draft, const std::string& file);

}  // namespace sim::scenario
