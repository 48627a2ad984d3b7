#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "scenario/tree.h"
#include "workload/spec.h"

namespace sim::scenario {

// The recorded orders a scenario refers to, by file.
using Traces = std::map<std::string, std::shared_ptr<const std::vector<workload::TraceOrder>>>;

// Reads the trace of every client that has one. REQUIRES: root has been completed
Traces read_traces(const Value& root, Report& report);

}  // namespace sim::scenario
