#pragma once

#include <algorithm>
#include <cstdint>

#include "base/int128.h"
#include "base/rng.h"
#include "base/time.h"

// Kafka's ExponentialBackoff (KIP-580), in whole milliseconds: initial * 2^failures, at most max.
// `failures` is 0 before the first retry. An initial wait that is not below the maximum means a constant wait
// of the maximum, without jitter; an initial wait of 0 stays 0.
namespace sim::node {

// Without jitter. (Kafka reaches the maximum through pow() and log() and may fall short of it by a
// millisecond.)
inline Duration exponential_backoff_term(Duration initial, Duration max, std::int32_t failures) {
  const std::int64_t max_ms = millis(max);
  std::int64_t term_ms = std::min(millis(initial), max_ms);
  if (term_ms <= 0) return Duration{0};
  for (std::int32_t i = 0; i < failures && term_ms < max_ms; ++i) {
    term_ms = term_ms > max_ms / 2 ? max_ms : term_ms * 2;
  }
  return from_millis(term_ms);
}

// With Kafka's jitter of ±20 %, which never takes it above max.
inline Duration exponential_backoff(Duration initial, Duration max, std::int32_t failures, Rng& rng) {
  const Duration term = exponential_backoff_term(initial, max, failures);
  if (initial >= max || term == Duration{0}) return term;
  const std::int64_t factor_millionths = rng.between(800'000, 1'200'000);
  const uint128 scaled =
      uint128{static_cast<std::uint64_t>(millis(term))} * static_cast<std::uint64_t>(factor_millionths);
  return std::min(max, from_millis(static_cast<std::int64_t>(scaled / std::uint64_t{1'000'000})));
}

}  // namespace sim::node
