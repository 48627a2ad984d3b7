#include "judge/recovery.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "judge/metric.h"
#include "judge/statistic.h"

namespace sim::judge {
namespace {

constexpr std::int64_t kMustHoldFor = 3'000'000'000;

Sample recovered_from(const Course& course, const Condition& until, std::int64_t ended,
                      std::int64_t run_end) {
  std::optional<std::int64_t> since;  // it holds, as of `ended` at the earliest
  for (const auto& [at, value] : course) {
    if (since && at - *since >= kMustHoldFor) break;
    if (!holds(value, until.comparison, until.limit, until.upper_limit)) {
      since.reset();
    } else if (!since) {
      since = std::max(at, ended);
    }
  }
  if (!since) return Sample{run_end - ended, true};
  return Sample{*since - ended};
}

}  // namespace

Measured measure_recovery(const MeasuredRun& run, const Expectation& expectation) {
  const Metric* metric = find_metric(expectation.until.metric);
  if (metric == nullptr || !metric->recovers()) return Measured{};
  const Course course = metric->course(run, expectation.until);
  std::vector<Sample> samples;
  for (const FaultWindow& fault : run.faults) {
    if (fault.name != expectation.fault || nanos(fault.to) >= run.end_ns) continue;
    samples.push_back(recovered_from(course, expectation.until, nanos(fault.to), run.end_ns));
  }
  return statistic_of("max", std::move(samples));
}

}  // namespace sim::judge
