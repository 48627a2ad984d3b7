#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "judge/measured_run.h"
#include "judge/stories.h"

// What charts show of a run, computed once for whoever draws: who led what and when, latencies and outcomes
// over time, percentiles out to the rarest, where the time went, and the orders to look at. Nobody who draws
// needs to know a rule of the model.
namespace sim::judge {

struct Charts {
  // Who led a partition between two instants. Kafka's own topics are left out.
  struct LeaderSpan {
    std::int64_t from_ns = 0;
    std::int64_t to_ns = 0;
    NodeId leader = kNoNode;  // none: nobody
    std::size_t isr = 0;      // its size; 0: not told
  };
  struct PartitionLeaders {
    std::string topic;
    std::int32_t partition = 0;
    std::vector<LeaderSpan> spans;
  };
  struct ControllerSpan {  // the active controller
    std::int64_t from_ns = 0;
    std::int64_t to_ns = 0;
    std::string process;  // empty: none
  };
  // Orders intended within [from_ns, from_ns + bin_ns).
  struct Bin {
    std::int64_t from_ns = 0;
    std::uint64_t orders = 0;
    std::int64_t p50 = -1, p90 = -1, p99 = -1;  // ns, end to end; -1: too few orders to say
    std::int64_t max = -1;
    std::array<std::uint64_t, 4> outcomes{};  // by metrics::Outcome
  };
  // How many orders of each bin waited how long: a column per step of latency, ten to a power of ten. What is
  // not done counts at its age.
  struct Heat {
    std::vector<std::int64_t> edges_ns;  // of the steps, rising; one more than there are columns
    std::vector<std::vector<std::uint64_t>> orders{};  // by bin, then by step
  };
  // One latency at many percentiles, of the orders intended after the warm-up: `beyond` of `orders` take at
  // least `ns`. As far out as three lie beyond.
  struct Curve {
    enum class Of : std::uint8_t { end_to_end, service, acknowledged };
    struct Point {
      std::uint64_t beyond = 0;
      std::int64_t ns = 0;
    };
    Of of = Of::end_to_end;
    std::string service;
    std::uint64_t orders = 0;
    std::vector<Point> points;
  };
  // Fulfilled orders whose latency lies between two percentiles, on the way to their last service.
  struct Band {
    std::int32_t from_percent = 0;
    std::int32_t to_percent = 0;
    std::uint64_t orders = 0;
    std::array<std::int64_t, metrics::kStages> mean_ns{};  // in each stage
  };

  std::uint64_t orders = 0;
  std::int64_t first_order_ns = -1;
  std::int64_t bin_ns = 0;
  std::vector<Bin> bins;
  Heat heat;  // empty if no order was placed
  std::vector<Curve> curves;
  std::vector<Band> bands;  // those with three orders or more
  std::vector<PartitionLeaders> leaders;
  std::vector<ControllerSpan> controllers;
  std::vector<OrderStory> stories;
};

Charts charts_of(const MeasuredRun& run, const std::vector<FaultReport>& faults);

}  // namespace sim::judge
