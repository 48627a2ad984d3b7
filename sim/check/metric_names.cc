#include "check/metric_names.h"

#include <algorithm>

namespace sim::check {

const std::vector<MetricInfo>& known_metrics() {
  constexpr Unit ns = Unit::nanoseconds;
  constexpr Unit count = Unit::count;
  static const std::vector<MetricInfo> metrics{
      // Orders
      {"e2e_latency", ns, true, Of::client, false, true,
       "from the intended time of an order until every service (or the one named) has done it; failures at "
       "their age"},
      {"produce_latency", ns, true, Of::producer, false, true,
       "from the intended time of an order until its producer hears of success or failure"},
      {"lag", ns, true, Of::consumer, false, true,
       "age of the oldest record a group has not committed, once a second; the worst group unless one is "
       "named"},
      {"lag_offsets", count, true, Of::consumer, false, true,
       "records between a group's committed offsets and the high watermarks, once a second; the worst group "
       "unless one is named"},
      {"lost_orders", count, false, Of::client, false, false,
       "acknowledged orders that some service can no longer do"},
      {"lost_acked", count, false, Of::producer, false, false,
       "acknowledged orders that are not in the final log of their partition, nor were deleted from it by "
       "retention"},
      {"lost_for_group", count, false, Of::consumer, false, false,
       "acknowledged orders that are in the final log and that their service can no longer do"},
      {"duplicate_records", count, false, Of::producer, false, false,
       "records of the final logs that hold an order which the log of their partition already holds"},
      {"reordered_keys", count, false, Of::consumer, false, false,
       "keys whose orders a service did in another order than they were placed in"},
      {"failed_orders", count, false, Of::producer, false, false,
       "orders for which the producer reported an error"},
      {"fulfilled_orders", count, false, Of::producer, false, false, "orders that every service has done"},
      {"unhandled_orders", count, false, Of::client, false, false,
       "orders that some service (or the one named) had not done when the run ended, failed ones apart"},
      {"open_orders", count, false, Of::producer, false, false, "orders still under way when the run ended"},
      {"retried_orders", count, false, Of::producer, false, false,
       "orders whose batch was sent more than once"},
      {"duplicate_effects", count, false, Of::consumer, false, false,
       "times a service did an order again that it had already done"},
      {"throughput", Unit::milli_per_s, false, Of::nobody, false, true, "orders fulfilled per second"},
      // The cluster, as its active controller decides and commits
      {"time_to_new_controller", ns, true, Of::nobody, true, false,
       "from a strike until a controller becomes active; of strikes that touched the active one, or of all "
       "of "
       "the fault named"},
      {"time_to_new_leader", ns, true, Of::partition, true, false,
       "from a strike until a partition has a new leader; of partitions whose leader it touched, or of the "
       "one "
       "named"},
      {"time_to_fence", ns, true, Of::broker, true, false,
       "from a strike until a broker is fenced; of brokers it touched, or of the one named"},
      {"unavailability", ns, true, Of::partition, false, false,
       "how long a partition was without a leader, each time: its process had stopped, or none was elected"},
      {"leader_elections", count, false, Of::partition, false, false, "times a partition got a new leader"},
      {"controller_elections", count, false, Of::nobody, false, false,
       "times a controller became active, the first time apart"},
      {"fenced_brokers", count, false, Of::broker, false, true,
       "brokers that are fenced, the most at any one time"},
      {"under_replicated", count, false, Of::partition, false, true,
       "partitions with fewer in-sync replicas than replicas, the most at any one time"},
      {"offline_partitions", count, false, Of::partition, false, true,
       "partitions for which the controller has no leader, the most at any one time"},
      {"diverged_partitions", count, false, Of::partition, false, false,
       "partitions of which two replicas differ below both their high watermarks when the run ends"},
      {"stuck_partitions", count, false, Of::partition, false, false,
       "partitions that are without a leader for a minute when the run ends, or refused orders for a minute "
       "and took no more"},
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
