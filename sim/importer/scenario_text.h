#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "importer/plan.h"

namespace sim::importer {

struct Imported {
  std::string text;  // the scenario; `kraftsim check` accepts it
  Plan plan;         // what it says, and what was left out
};

// The scenario of a plan. It is loaded as any other; a setting that the loader refuses is taken out and
// listed with its reason, until nothing is refused. `file` is the name that the scenario will have (empty:
// none yet), `sources` are the files that it was made of.
Result<Imported> write_scenario(Plan plan, const std::string& file, const std::vector<std::string>& sources);

// "server.properties:31", or the file alone.
std::string place_of(const Origin& origin);

}  // namespace sim::importer
