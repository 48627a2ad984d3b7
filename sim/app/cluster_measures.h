#pragma once

#include <vector>

#include "app/measures.h"
#include "check/evaluate.h"
#include "check/expectation.h"

// What expectations ask of the cluster itself, from its timeline: how long failovers took, how often leaders changed,
// what was fenced, under-replicated or without a leader; and how long it took to recover from a fault.
namespace sim::app {

// Partitions that nobody leads when the run ends, and since when.
std::vector<metrics::ClusterTimeline::Gap> stuck_partitions_of(const metrics::ClusterTimeline& timeline);

bool is_cluster_metric(const std::string& metric);
check::Measured measure_cluster(const MeasuredRun& run, const check::Expectation& expectation);

// From the end of each strike of the fault until the condition holds, and goes on to hold for three seconds or to the
// end of the run; the longest counts. Lag is looked at once a second, as are rates and latencies of the orders of a
// second.
check::Measured measure_recovery(const MeasuredRun& run, const check::Expectation& expectation);

}  // namespace sim::app
