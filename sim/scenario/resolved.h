#pragma once

#include <string>
#include <string_view>

#include "scenario/tree.h"

namespace sim::scenario {

// A completed scenario as YAML: loading it again gives the same scenario.
std::string print_yaml(const Value& root);

// A text as a value in YAML: in quotes if it would be taken for something else without them.
std::string text_in_yaml(std::string_view text);

}  // namespace sim::scenario
