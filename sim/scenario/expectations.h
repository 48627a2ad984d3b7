#pragma once

#include <vector>

#include "check/expectation.h"
#include "scenario/tree.h"

namespace sim::scenario {

// Reads `expect` of a completed scenario: metrics against limits in their units. Canonical limits and made-up ids
// are written back into the tree.
std::vector<check::Expectation> read_expectations(Value& root, Report& report);

}  // namespace sim::scenario
