#pragma once

#include <algorithm>
#include <cstdint>

#include "base/rng.h"
#include "base/time.h"

namespace sim::node {

// Kafka's ExponentialBackoff (KIP-580): initial * 2^failures, capped at max, with a jitter of
// ±20 %. `failures` is 0 before the first retry. initial >= max means a constant wait.
inline Duration exponential_backoff(Duration initial, Duration max, std::int32_t failures, Rng& rng) {
  if (initial >= max) return initial;
  const std::int64_t initial_ms = std::max<std::int64_t>(1, millis(initial));
  const std::int64_t max_ms = millis(max);
  // min(failures, log2(max/initial)): at the cap 2^exp * initial = max.
  std::int64_t term_ms = initial_ms;
  for (std::int32_t i = 0; i < failures && term_ms < max_ms; ++i) term_ms = std::min(term_ms * 2, max_ms);
  const std::int64_t factor_millionths = rng.between(800'000, 1'200'000);
  return std::min(max, from_millis(term_ms * factor_millionths / 1'000'000));
}

}  // namespace sim::node
