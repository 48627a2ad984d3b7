#pragma once

#include <string>
#include <vector>

#include "cluster/spec.h"
#include "fault/fault.h"
#include "scenario/tree.h"

// The faults of a scenario: whether what they aim at exists, and the values they stand for.
namespace sim::scenario {

// Names those that have no name, too. REQUIRES: root has been completed
void validate_faults(Value& root, Report& report);

std::vector<std::string> fault_names(const Value& root);

// The clients that a `deploy` hits, as they are after it. REQUIRES: its targets are right
std::vector<Entry> deployed_clients(const Value& root, const Value& deploy);

// REQUIRES: root has been validated without an error, and `cluster` has its servers
fault::Schedule build_faults(const Value& root, const cluster::ClusterSpec& cluster, Report& report);
std::vector<fault::Fixed> build_fixed_targets(const Value& root, const cluster::ClusterSpec& cluster,
                                              Report& report);

}  // namespace sim::scenario
