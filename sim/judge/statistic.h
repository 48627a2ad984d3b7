#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "judge/evaluate.h"

// One number from many: percentiles, extremes, means of what was measured.
namespace sim::judge {

// How long something took or, if the run ended first, has taken so far.
struct Sample {
  std::int64_t ns = 0;
  bool at_least = false;
  auto operator<=>(const Sample&) const = default;
};

// "p99.9" -> 99'900 hundred-thousandths; nullopt if it is not a percentile between p1 and p99.999.
std::optional<std::int64_t> percentile_share(std::string_view statistic);

// p50, p99.9, min, max, mean, or value: the last one. Nothing of no samples. Reorders `samples`.
Measured statistic_of(const std::string& statistic, std::vector<std::int64_t>& samples);
Measured statistic_of(const std::string& statistic, std::vector<Sample> samples);  // value: the longest

// Count, mean and percentiles of a sample set; percentiles only where enough samples lie beyond them.
struct Distribution {
  std::uint64_t count = 0;
  std::int64_t mean = 0;
  std::int64_t p50 = kUnknown;
  std::int64_t p90 = kUnknown;
  std::int64_t p99 = kUnknown;
  std::int64_t p999 = kUnknown;
  std::int64_t max = 0;

  static constexpr std::int64_t kUnknown = -1;
};
// Reorders `samples`.
Distribution distribution_of(std::vector<std::int64_t>& samples);

}  // namespace sim::judge
