#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "judge/evaluate.h"
#include "judge/expectation.h"
#include "judge/measured_run.h"

// The metrics an expectation may name: what each is, what can be asked of it, and what computes it. One table
// for the loader, the help and the verdict; a new metric is a row here and its function.
namespace sim::judge {

// What `of` may name.
enum class Of : std::uint8_t { nobody, client, producer, consumer, partition, broker };

// A value over time: (ns, value from then on), in order of time.
using Course = std::vector<std::pair<std::int64_t, std::int64_t>>;

struct Metric {
  std::string_view name;
  Unit unit;
  bool distribution;  // has p50, p99.9, min, max, mean; otherwise a single value
  Of of;
  bool from_strikes;  // a time from each strike of a fault
  std::string_view meaning;
  Measured (*measure)(const MeasuredRun& run, const Expectation& expectation);
  // How it went, for the condition of a recovery; null: it may not stand in one.
  Course (*course)(const MeasuredRun& run, const Condition& condition);

  bool recovers() const { return course != nullptr; }
};
const std::vector<Metric>& known_metrics();
// Null if there is no such metric.
const Metric* find_metric(std::string_view name);

// What an expectation asks for. Nothing, if there is no such metric.
Measured measure(const MeasuredRun& run, const Expectation& expectation);

}  // namespace sim::judge
