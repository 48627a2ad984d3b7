#include "judge/metric.h"

#include <algorithm>

#include "judge/cluster_metrics.h"
#include "judge/group_metrics.h"
#include "judge/order_metrics.h"
#include "judge/recovery.h"

namespace sim::judge {

const std::vector<Metric>& known_metrics() {
  constexpr Unit ns = Unit::nanoseconds;
  constexpr Unit count = Unit::count;
  static const std::vector<Metric> metrics{
      // Orders
      {"e2e_latency", ns, true, Of::client, false,
       "from the intended time of an order until every service (or the one named) has done it; failures at "
       "their age",
       e2e_latency, e2e_latency_course},
      {"produce_latency", ns, true, Of::producer, false,
       "from the intended time of an order until its producer hears of success or failure", produce_latency,
       produce_latency_course},
      {"lag", ns, true, Of::consumer, false,
       "age of the oldest record a group has not committed, once a second; the worst group unless one is "
       "named",
       lag, lag_course},
      {"lag_offsets", count, true, Of::consumer, false,
       "records between a group's committed offsets and the high watermarks, once a second; the worst group "
       "unless one is named",
       lag_offsets, lag_offsets_course},
      {"lost_orders", count, false, Of::client, false,
       "acknowledged orders that some service can no longer do", lost_orders, nullptr},
      {"lost_acked", count, false, Of::producer, false,
       "acknowledged orders that are not in the final log of their partition, nor were deleted from it by "
       "retention",
       lost_acked, nullptr},
      {"lost_for_group", count, false, Of::consumer, false,
       "acknowledged orders that are in the final log and that their service can no longer do",
       lost_for_group, nullptr},
      {"duplicate_records", count, false, Of::producer, false,
       "records of the final logs that hold an order which the log of their partition already holds",
       duplicate_records, nullptr},
      {"reordered_keys", count, false, Of::consumer, false,
       "keys whose orders a service did in another order than they were placed in", reordered_keys, nullptr},
      {"failed_orders", count, false, Of::producer, false, "orders for which the producer reported an error",
       failed_orders, nullptr},
      {"fulfilled_orders", count, false, Of::producer, false, "orders that every service has done",
       fulfilled_orders, nullptr},
      {"unhandled_orders", count, false, Of::client, false,
       "orders that some service (or the one named) had not done when the run ended, failed ones apart",
       unhandled_orders, nullptr},
      {"open_orders", count, false, Of::producer, false, "orders still under way when the run ended",
       open_orders, nullptr},
      {"retried_orders", count, false, Of::producer, false, "orders whose batch was sent more than once",
       retried_orders, nullptr},
      {"duplicate_effects", count, false, Of::consumer, false,
       "times a service did an order again that it had already done", duplicate_effects, nullptr},
      {"aborted_reads", count, false, Of::consumer, false,
       "records of aborted transactions that a service has handled", aborted_reads, nullptr},
      {"torn_transactions", count, false, Of::nobody, false,
       "transactions of which a part was committed and a part was not, or not as their client was told",
       torn_transactions, nullptr},
      {"throughput", Unit::milli_per_s, false, Of::nobody, false, "orders fulfilled per second", throughput,
       throughput_course},
      // Groups
      {"rebalances", count, false, Of::consumer, false,
       "times the members of a group (or of all) had to join anew, the first time included: why stands in "
       "groups.csv",
       rebalances, nullptr},
      {"expelled_members", count, false, Of::consumer, false,
       "times a member dropped out of its group against its will: no heartbeat within session.timeout.ms, no "
       "poll() within max.poll.interval.ms, ...",
       expelled_members, nullptr},
      {"left_members", count, false, Of::consumer, false,
       "times a member left its group because it was closed, or was removed by an operator", left_members,
       nullptr},
      {"revoked_partitions", count, false, Of::consumer, false,
       "how many partitions members gave up or lost, each time: what a rebalance interrupts",
       revoked_partitions, nullptr},
      {"ownership_gap", ns, true, Of::consumer, false,
       "how long a partition was without a member of the group that owns it, each time, since it was first "
       "assigned",
       ownership_gap, nullptr},
      // The cluster, as its active controller decides and commits
      {"time_to_new_controller", ns, true, Of::nobody, true,
       "from a strike until a controller becomes active; of strikes that touched the active one, or of all "
       "of the fault named",
       time_to_new_controller, nullptr},
      {"time_to_new_leader", ns, true, Of::partition, true,
       "from a strike until a partition has a new leader; of partitions whose leader it touched, or of the "
       "one named",
       time_to_new_leader, nullptr},
      {"time_to_fence", ns, true, Of::broker, true,
       "from a strike until a broker is fenced; of brokers it touched, or of the one named", time_to_fence,
       nullptr},
      {"unavailability", ns, true, Of::partition, false,
       "how long a partition was without a leader, each time: its process had stopped, or none was elected",
       unavailability, nullptr},
      {"leader_elections", count, false, Of::partition, false, "times a partition got a new leader",
       leader_elections, nullptr},
      {"controller_elections", count, false, Of::nobody, false,
       "times a controller became active, the first time apart", controller_elections, nullptr},
      {"quorum_epochs", count, false, Of::nobody, false,
       "quorum epochs that began after the first leader's: each time a voter campaigned in a higher one than "
       "any "
       "before, or learnt of it",
       quorum_epochs, nullptr},
      {"metadata_commit_gap", ns, true, Of::nobody, false,
       "time between two commits of the metadata log, as its leader knows them; Kafka's idle controller "
       "commits every 500 ms (metadata.max.idle.interval.ms)",
       metadata_commit_gap, nullptr},
      {"fenced_brokers", count, false, Of::broker, false, "brokers that are fenced, the most at any one time",
       fenced_brokers, fenced_brokers_course},
      {"under_replicated", count, false, Of::partition, false,
       "partitions with fewer in-sync replicas than replicas, the most at any one time", under_replicated,
       under_replicated_course},
      {"offline_partitions", count, false, Of::partition, false,
       "partitions for which the controller has no leader, the most at any one time", offline_partitions,
       offline_partitions_course},
      {"diverged_partitions", count, false, Of::partition, false,
       "partitions of which two replicas differ below both their high watermarks when the run ends",
       diverged_partitions, nullptr},
      {"stuck_partitions", count, false, Of::partition, false,
       "partitions that are without a leader for a minute when the run ends, or refused orders for a minute "
       "and took no more",
       stuck_partitions, nullptr},
      {"unconverged", count, false, Of::nobody, false,
       "what has not come right when the run ends: partitions without a leader or with replicas out of sync, "
       "orders "
       "under way, partitions that a group has not read to the end. A partition whose last in-sync and "
       "eligible "
       "replicas have all lost their logs is excused, and what waits for it",
       unconverged, nullptr},
  };
  return metrics;
}

const Metric* find_metric(std::string_view name) {
  const auto& metrics = known_metrics();
  const auto found =
      std::find_if(metrics.begin(), metrics.end(), [&](const Metric& m) { return m.name == name; });
  return found == metrics.end() ? nullptr : &*found;
}

Measured measure(const MeasuredRun& run, const Expectation& expectation) {
  if (expectation.metric == kRecovery) return measure_recovery(run, expectation);
  const Metric* metric = find_metric(expectation.metric);
  return metric == nullptr ? Measured{} : metric->measure(run, expectation);
}

}  // namespace sim::judge
