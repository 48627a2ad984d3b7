#pragma once

#include <vector>

#include "judge/expectation.h"
#include "scenario/scenario.h"
#include "scenario/tree.h"

namespace sim::scenario {

// Reads `expect` of a completed scenario: metrics against limits in their units. Canonical limits and made-up
// ids are written back into the tree.
std::vector<judge::Expectation> read_expectations(Value& root, Report& report);

// Reads `invariants`: those that are switched off, each with its reason.
std::vector<InvariantOff> read_invariants_off(const Value& root, Report& report);

}  // namespace sim::scenario
