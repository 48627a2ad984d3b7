#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "app/latency_file.h"
#include "base/result.h"
#include "scenario/scenario.h"

// Looks for settings of a cluster with which the simulated acknowledgements have the percentiles of measured
// ones, by playing small worlds.
//
// Three percentiles fix three numbers, one after the other, each by halving an interval, and again until all
// fit: the round-trip time of the network by p50, the share of the processors that others take by p90, the
// length of pauses of a server by p99. What else a scenario says stays. Latencies alone do not tell which
// part of them is network, disk or processor: this is one way to have them, not the only one.
namespace sim::app {

// The numbers that are looked for.
struct Tuning {
  std::int64_t rtt_ns = 400'000;    // p50; p99 is kRttSpread times that
  std::int64_t others_percent = 0;  // cluster.cpu.others.share
  std::int64_t pause_ns = 0;        // p50 of cluster.cpu.pauses.length; p99 is kPauseSpread times that

  static constexpr std::int64_t kRttSpread = 3;
  static constexpr std::int64_t kPauseSpread = 3;
};

// As settings of a scenario.
std::vector<scenario::Override> overrides_of(const Tuning& tuning);

using Percentiles = std::array<std::int64_t, 3>;  // ns

struct Calibration {
  Tuning tuning;
  Percentiles found{};
  int worlds = 0;  // that were played
  // Each percentile lies within a tenth, or a tenth of a millisecond, of what was wanted.
  bool fits = false;
};

bool fits_percentiles(const Percentiles& found, const Percentiles& wanted);

// `play` says which percentiles a tuning has; it is asked some dozens of times.
Calibration calibrate_to(const Percentiles& wanted, const std::function<Percentiles(const Tuning&)>& play);

// Plays the scenario with these settings on top: each of these statistics of its acknowledgements, in ns.
// REQUIRES: `statistics` are such as an expectation may ask for: p99, mean, max
Result<std::vector<std::int64_t>> played_statistics(const std::string& scenario_file,
                                                    std::vector<scenario::Override> overrides,
                                                    const std::vector<std::string>& statistics);

// What of the world of `kafka-producer-perf-test` is known is played as it was: rate and size of the records,
// which have no key; and no longer than three percentiles need.
std::vector<scenario::Override> overrides_of_load(const MeasuredLatencies& measured);

}  // namespace sim::app
