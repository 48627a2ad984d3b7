#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sweep/result.h"

// Two runs, or two sweeps seed by seed: what changed, and by how much. That both sides met the same seeds
// takes the luck of the draw out of the difference.
namespace sim::sweep {

// One side: a run's folder, a sweep's, or one configuration of a sweep: "runs/shop/sweep:acks-1".
struct Side {
  std::string name;
  std::string scenario;
  std::map<std::uint64_t, SeedResult> by_seed;
};
Result<Side> read_side(const std::string& where);

struct Change {  // of one metric, over the seeds that both sides have
  std::string metric;
  std::uint64_t pairs = 0;
  std::int64_t median_a = 0;
  std::int64_t median_b = 0;
  std::int64_t mean_a = 0;
  std::int64_t mean_difference = 0;  // b - a
  std::int64_t half_width = 0;       // of its 95 % interval; of a single pair there is none: 0
  std::uint64_t more = 0;            // pairs in which b is more
  std::uint64_t less = 0;

  bool is_certain() const;  // its interval does not hold zero
};
struct Comparison {
  std::vector<Change> changes;
  std::uint64_t pairs = 0;
  std::uint64_t only_a_failed = 0;
  std::uint64_t only_b_failed = 0;
  std::uint64_t both_failed = 0;
  // That as many pairs or more would differ in one direction by chance (sign test, both sides), in
  // millionths.
  std::uint64_t chance_per_million = 1'000'000;
};
// REQUIRES: they share a seed
Comparison compare(const Side& a, const Side& b);

// "p99=10%": the mean may be so much higher on the second side. p50, p99, p99.9 and max are those of
// e2e_latency.
struct Tolerance {
  std::string metric;
  std::int64_t per_million = 0;

  static std::optional<Tolerance> read(std::string_view text, std::string& why_not);
};
// In words, each that is exceeded.
std::vector<std::string> beyond(const Comparison& comparison, const std::vector<Tolerance>& tolerances);

std::string to_text(const Side& a, const Side& b, const Comparison& comparison);

}  // namespace sim::sweep
