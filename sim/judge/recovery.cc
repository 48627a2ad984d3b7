#include "judge/recovery.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "judge/metric.h"
#include "judge/statistic.h"

namespace sim::judge {
namespace {

// The end of the time in which what happens is the doing of a strike that has ended: the next strike of any
// fault, or the end of the run.
std::int64_t end_of_span(const MeasuredRun& run, std::int64_t ended) {
  std::int64_t end = run.end_ns;
  for (const FaultWindow& fault : run.faults) {
    if (nanos(fault.from) > ended) end = std::min(end, nanos(fault.from));
  }
  return end;
}

Sample recovered_from(const MeasuredRun& run, const Course& course, const Condition& until,
                      std::int64_t ended) {
  const std::int64_t end = end_of_span(run, ended);
  bool holds_now = false;
  std::int64_t since = ended;  // it has held; meaningful only while it does
  for (const auto& [at, value] : course) {
    if (at >= end && end < run.end_ns) break;
    if (!holds(value, until.comparison, until.limit, until.upper_limit)) {
      holds_now = false;
    } else if (!holds_now) {
      holds_now = true;
      since = std::max(at, ended);
    }
  }
  if (!holds_now) return Sample{end - ended, true};
  return Sample{since - ended};
}

}  // namespace

Measured measure_recovery(const MeasuredRun& run, const Expectation& expectation) {
  const Metric* metric = find_metric(expectation.until.metric);
  if (metric == nullptr || !metric->recovers()) return Measured{};
  const Course course = metric->course(run, expectation.until);
  std::vector<Sample> samples;
  for (const FaultWindow& fault : run.faults) {
    if (fault.name != expectation.fault || nanos(fault.to) >= run.end_ns) continue;
    samples.push_back(recovered_from(run, course, expectation.until, nanos(fault.to)));
  }
  return statistic_of("max", std::move(samples));
}

}  // namespace sim::judge
