#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "judge/expectation.h"

// Expectations against what was measured.
namespace sim::judge {

enum class Verdict : std::uint8_t { ok, failed, inconclusive };
const char* name(Verdict verdict);

struct Measured {
  std::optional<std::int64_t> value;  // none: there is nothing to measure
  std::uint64_t samples = 0;          // it was computed from; for counts, the orders looked at
  // What was waited for had not happened when the run ended, or the run was cut with orders under way: the
  // value is what it had come to so far, and may still have grown.
  bool at_least = false;
};

bool holds(std::int64_t value, Comparison comparison, std::int64_t limit, std::int64_t upper_limit);

// Inconclusive when there are no samples, fewer than three beyond an asked percentile: n(1-p) >= 3, or when
// the run ended too early to tell.
Verdict judge(const Expectation& expectation, const Measured& measured);

// Why judge() found it inconclusive, e.g. "p99.9 needs 3000 samples, there are 812"; empty otherwise.
std::string why_inconclusive(const Expectation& expectation, const Measured& measured);

}  // namespace sim::judge
