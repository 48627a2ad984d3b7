#include "judge/evaluate.h"

#include "judge/metric.h"
#include "judge/statistic.h"

namespace sim::judge {
namespace {

constexpr std::int64_t kWhole = 100'000;

std::uint64_t samples_needed(const Expectation& expectation) {
  const auto share = percentile_share(expectation.statistic);
  if (!share) return expectation.statistic == "value" ? 0 : 1;
  const std::int64_t beyond = kWhole - *share;
  return static_cast<std::uint64_t>((3 * kWhole + beyond - 1) / beyond);
}

// Whether a value that may still have grown has already settled the matter.
Verdict judge_so_far(std::int64_t value, const Expectation& expectation) {
  switch (expectation.comparison) {
    case Comparison::less: return value < expectation.limit ? Verdict::inconclusive : Verdict::failed;
    case Comparison::less_equal:
    case Comparison::equal: return value <= expectation.limit ? Verdict::inconclusive : Verdict::failed;
    case Comparison::within:
      return value <= expectation.upper_limit ? Verdict::inconclusive : Verdict::failed;
    case Comparison::greater_equal: return value >= expectation.limit ? Verdict::ok : Verdict::inconclusive;
    case Comparison::greater: return value > expectation.limit ? Verdict::ok : Verdict::inconclusive;
  }
  return Verdict::inconclusive;
}

}  // namespace

bool holds(std::int64_t value, Comparison comparison, std::int64_t limit, std::int64_t upper_limit) {
  switch (comparison) {
    case Comparison::less: return value < limit;
    case Comparison::less_equal: return value <= limit;
    case Comparison::equal: return value == limit;
    case Comparison::greater_equal: return value >= limit;
    case Comparison::greater: return value > limit;
    case Comparison::within: return value >= limit && value <= upper_limit;
  }
  return false;
}

const char* name(Verdict verdict) {
  switch (verdict) {
    case Verdict::ok: return "ok";
    case Verdict::failed: return "failed";
    case Verdict::inconclusive: return "inconclusive";
  }
  return "?";
}

Verdict judge(const Expectation& expectation, const Measured& measured) {
  if (!measured.value || measured.samples < samples_needed(expectation)) return Verdict::inconclusive;
  if (measured.at_least) return judge_so_far(*measured.value, expectation);
  const bool ok = holds(*measured.value, expectation.comparison, expectation.limit, expectation.upper_limit);
  return ok ? Verdict::ok : Verdict::failed;
}

std::string why_inconclusive(const Expectation& expectation, const Measured& measured) {
  const std::uint64_t needed = samples_needed(expectation);
  if (measured.samples < needed) {
    return expectation.statistic + " needs " + std::to_string(needed) + " samples, there are " +
           std::to_string(measured.samples);
  }
  const Metric* metric = find_metric(expectation.metric);
  const bool waits = metric != nullptr && metric->from_strikes;
  if (measured.value && measured.at_least) {
    const bool is_one_thing = waits || expectation.metric == kRecovery;
    return is_one_thing ? "the run ended before it happened" : "orders were under way when the run was cut";
  }
  if (measured.value) return "";
  if (expectation.metric == kRecovery) return "the fault did not strike, or did not end";
  return waits ? "no fault struck what it is measured of" : "nothing was measured";
}

}  // namespace sim::judge
