#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "scenario/tree.h"
#include "workload/spec.h"

namespace sim::scenario {

// The recorded orders of each client that replays some, ready to be played.
using Traces = std::map<std::string, workload::TraceArrivals>;

// Reads the trace of every client that has one; what of it is not played is said. REQUIRES: root has been
// completed
Traces read_traces(const Value& root, Report& report);

}  // namespace sim::scenario
