#pragma once

#include <cstdint>
#include <vector>

#include "app/measures.h"
#include "check/evaluate.h"
#include "check/expectation.h"

// What expectations ask of the cluster itself, from its timeline: how long failovers took, how often leaders
// changed, what was fenced, under-replicated or without a leader; and how long it took to recover from a
// fault.
namespace sim::app {

inline constexpr std::int64_t kStuckAfter = 60'000'000'000;  // ns without progress, though orders wait

// A partition that nobody leads when the run ends, and since when; and one of which nothing was acknowledged
// any more, though its leader was tried with orders for so long. A producer that has gone tries nobody: its
// orders tell nothing.
struct StuckPartition {
  TopicPartition tp;
  std::int64_t from = 0;
  std::int64_t to = 0;  // the end of the run, or the last refusal
  bool is_led = false;
};
// Those for kStuckAfter or longer, in order of partitions.
std::vector<StuckPartition> stuck_partitions_of(const MeasuredRun& run);
// Since when nobody led a partition that nobody leads when the run ends; of deleted ones nothing.
std::vector<metrics::ClusterTimeline::Gap> open_gaps_of(const metrics::ClusterTimeline& timeline);

bool is_cluster_metric(const std::string& metric);
check::Measured measure_cluster(const MeasuredRun& run, const check::Expectation& expectation);

// From the end of each strike of the fault until the condition holds, and goes on to hold for three seconds
// or to the end of the run; the longest counts. Lag is looked at once a second, as are rates and latencies of
// the orders of a second.
check::Measured measure_recovery(const MeasuredRun& run, const check::Expectation& expectation);

}  // namespace sim::app
