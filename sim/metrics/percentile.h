#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "base/int128.h"

// Percentiles by the rank rule: the p-th percentile of n samples is the one at rank ceil(p * n), counted
// from 1. Always a sample that occurred, never a value in between. Shares are in hundred-thousandths: p99.9 =
// 99'900.
namespace sim::metrics {

inline constexpr std::int64_t kWhole = 100'000;

// REQUIRES: samples > 0, 0 < share <= kWhole
constexpr std::uint64_t rank_of(std::int64_t share, std::uint64_t samples) {
  const uint128 scaled =
      uint128{samples} * static_cast<std::uint64_t>(share) + static_cast<std::uint64_t>(kWhole - 1);
  const auto rank = static_cast<std::uint64_t>(scaled / static_cast<std::uint64_t>(kWhole));
  return rank == 0 ? 1 : rank;
}

// REQUIRES: `sorted` ascending and not empty
inline std::int64_t percentile(const std::vector<std::int64_t>& sorted, std::int64_t share) {
  SIM_CHECK(!sorted.empty(), "there is no percentile of nothing");
  return sorted[static_cast<std::size_t>(rank_of(share, sorted.size()) - 1)];
}

// At least three samples lie beyond the percentile: n(1-p) >= 3. With fewer it says more about chance than
// about the system, and is neither drawn nor judged.
constexpr bool enough_samples(std::int64_t share, std::uint64_t samples) {
  return uint128{samples} * static_cast<std::uint64_t>(kWhole - share) >=
         uint128{3} * static_cast<std::uint64_t>(kWhole);
}

}  // namespace sim::metrics
