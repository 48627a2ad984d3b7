#pragma once

#include <string>

#include "scenario/tree.h"

namespace sim::scenario {

// A completed scenario as YAML: loading it again gives the same scenario.
std::string print_yaml(const Value& root);

}  // namespace sim::scenario
