#pragma once

#include "cluster/spec.h"
#include "scenario/traces.h"
#include "scenario/tree.h"

namespace sim::scenario {

// REQUIRES: root has been completed and validated without an error
cluster::ClusterSpec build_cluster(const Value& root, const Traces& traces, Report& report);

}  // namespace sim::scenario
