#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "scenario/scenario.h"
#include "scenario/tree.h"
#include "workload/spec.h"

namespace sim::scenario {

// The recorded orders of each client that replays some, ready to be played.
using Traces = std::map<std::string, workload::TraceArrivals>;

// Makes each trace of the scenario that of a copy beside it, and tells where these are to be made from. A
// file that several replay is one copy.
std::vector<InputFile> name_inputs(Value& root);

// Reads the trace of every client that has one; what of it is not played is said. REQUIRES: root has been
// completed
Traces read_traces(const Value& root, Report& report);

}  // namespace sim::scenario
