#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "check/expectation.h"

// The metrics an expectation may name, and what can be asked of each. One table for the loader, the help and
// whoever measures.
namespace sim::check {

// What `of` may name.
enum class Of : std::uint8_t { nobody, client, producer, consumer, partition, broker };

struct MetricInfo {
  std::string_view name;
  Unit unit;
  bool distribution;  // has p50, p99.9, min, max, mean; otherwise a single value
  Of of;
  bool from_strikes;  // a time from each strike of a fault
  bool recovers;      // may stand in the condition of a recovery
  std::string_view meaning;
};
const std::vector<MetricInfo>& known_metrics();
// Null if there is no such metric.
const MetricInfo* find_metric(std::string_view name);

// "p99.9" -> 99'900 hundred-thousandths; nullopt if it is not a percentile between p1 and p99.999.
std::optional<std::int64_t> percentile_share(std::string_view statistic);

}  // namespace sim::check
