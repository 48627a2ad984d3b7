#include "check/evaluate.h"

#include "check/metric_names.h"

namespace sim::check {
namespace {

constexpr std::int64_t kWhole = 100'000;

bool holds(std::int64_t value, Comparison comparison, std::int64_t limit) {
  switch (comparison) {
    case Comparison::less:
      return value < limit;
    case Comparison::less_equal:
      return value <= limit;
    case Comparison::equal:
      return value == limit;
    case Comparison::greater_equal:
      return value >= limit;
    case Comparison::greater:
      return value > limit;
  }
  return false;
}

std::uint64_t samples_needed(const Expectation& expectation) {
  const auto share = percentile_share(expectation.statistic);
  if (!share) return expectation.statistic == "value" ? 0 : 1;
  const std::int64_t beyond = kWhole - *share;
  return static_cast<std::uint64_t>((3 * kWhole + beyond - 1) / beyond);
}

}  // namespace

const char* name(Verdict verdict) {
  switch (verdict) {
    case Verdict::ok:
      return "ok";
    case Verdict::failed:
      return "failed";
    case Verdict::inconclusive:
      return "inconclusive";
  }
  return "?";
}

Verdict judge(const Expectation& expectation, const Measured& measured) {
  if (!measured.value || measured.samples < samples_needed(expectation)) return Verdict::inconclusive;
  return holds(*measured.value, expectation.comparison, expectation.limit) ? Verdict::ok : Verdict::failed;
}

std::string why_inconclusive(const Expectation& expectation, const Measured& measured) {
  const std::uint64_t needed = samples_needed(expectation);
  if (measured.samples < needed) {
    return expectation.statistic + " needs " + std::to_string(needed) + " samples, there are " +
           std::to_string(measured.samples);
  }
  return measured.value ? "" : "nothing was measured";
}

}  // namespace sim::check
