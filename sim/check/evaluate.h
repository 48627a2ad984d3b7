#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "check/expectation.h"

// Expectations against what was measured.
namespace sim::check {

enum class Verdict : std::uint8_t { ok, failed, inconclusive };
const char* name(Verdict verdict);

struct Measured {
  std::optional<std::int64_t> value;  // none: there is nothing to measure
  std::uint64_t samples = 0;          // it was computed from; for counts, the orders looked at
};

// Inconclusive when there are no samples, or fewer than three beyond an asked percentile: n(1-p) >= 3.
Verdict judge(const Expectation& expectation, const Measured& measured);

// Why judge() found it inconclusive, e.g. "p99.9 needs 3000 samples, there are 812"; empty otherwise.
std::string why_inconclusive(const Expectation& expectation, const Measured& measured);

}  // namespace sim::check
