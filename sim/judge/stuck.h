#pragma once

#include <cstdint>
#include <vector>

#include "judge/measured_run.h"

// Partitions that do nothing any more, until somebody acts.
namespace sim::judge {

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

}  // namespace sim::judge
