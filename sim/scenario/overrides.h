#pragma once

#include <string>
#include <vector>

#include "scenario/scenario.h"
#include "scenario/tree.h"

namespace sim::scenario {

// Puts the value of each `--set path=value` into the tree, as if the file had said so; values are YAML. A
// path goes through maps by their keys, which may hold dots themselves, and through lists by their index.
// REQUIRES: root is a map
void apply_overrides(Value& root, const std::vector<Override>& overrides, Report& report);

}  // namespace sim::scenario
