#include "check/metric_names.h"

#include <algorithm>

namespace sim::check {

const std::vector<MetricInfo>& known_metrics() {
  static const std::vector<MetricInfo> metrics{
      {"e2e_latency", Unit::nanoseconds, true, true,
       "from the intended time of an order until every service (or the one named) has done it; failures at "
       "their age"},
      {"produce_latency", Unit::nanoseconds, true, false,
       "from the intended time of an order until its producer hears of success or failure"},
      {"lag", Unit::nanoseconds, true, true,
       "age of the oldest record a group has not committed, once a second; the worst group unless one is "
       "named"},
      {"lag_offsets", Unit::count, true, true,
       "records between a group's committed offsets and the high watermarks, once a second; the worst group "
       "unless one is named"},
      {"lost_orders", Unit::count, false, true, "acknowledged orders that some service can no longer do"},
      {"failed_orders", Unit::count, false, false, "orders for which the producer reported an error"},
      {"fulfilled_orders", Unit::count, false, false, "orders that every service has done"},
      {"unhandled_orders", Unit::count, false, true,
       "orders that some service (or the one named) had not done when the run ended, failed ones apart"},
      {"open_orders", Unit::count, false, false, "orders still under way when the run ended"},
      {"retried_orders", Unit::count, false, false, "orders whose batch was sent more than once"},
      {"duplicate_effects", Unit::count, false, true,
       "times a service did an order again that it had already done"},
      {"throughput", Unit::milli_per_s, false, false, "orders fulfilled per second"},
  };
  return metrics;
}

const MetricInfo* find_metric(std::string_view name) {
  const auto& metrics = known_metrics();
  const auto found =
      std::find_if(metrics.begin(), metrics.end(), [&](const MetricInfo& m) { return m.name == name; });
  return found == metrics.end() ? nullptr : &*found;
}

std::optional<std::int64_t> percentile_share(std::string_view statistic) {
  if (statistic.empty() || statistic.front() != 'p') return std::nullopt;
  const std::string_view number = statistic.substr(1);
  const std::size_t point = number.find('.');
  const std::string_view percents = number.substr(0, point);
  const std::string_view fraction = point == std::string_view::npos ? "0" : number.substr(point + 1);
  if (percents.empty() || percents.size() > 2 || fraction.empty() || fraction.size() > 3) return std::nullopt;
  std::int64_t share = 0;
  for (const char c : percents) {
    if (c < '0' || c > '9') return std::nullopt;
    share = share * 10 + (c - '0');
  }
  for (std::size_t i = 0; i < 3; ++i) {
    const char c = i < fraction.size() ? fraction[i] : '0';
    if (c < '0' || c > '9') return std::nullopt;
    share = share * 10 + (c - '0');
  }
  return share > 0 ? std::optional(share) : std::nullopt;
}

}  // namespace sim::check
