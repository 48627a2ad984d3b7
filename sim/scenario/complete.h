#pragma once

#include <string>

#include "scenario/tree.h"

// Fills in every default, in the order of the table of keys: what comes out is what the resolved scenario
// shows.
namespace sim::scenario {

// `stem` is the name of the scenario's file without its ending. Where a required value is missing, which the
// walk has reported, an example of the table stands in and is marked as invented. REQUIRES: root has been
// walked
void complete(Value& root, const std::string& stem, Report& report);

}  // namespace sim::scenario
