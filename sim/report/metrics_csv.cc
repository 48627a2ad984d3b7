#include "report/metrics_csv.h"

#include <algorithm>
#include <vector>

#include "base/human.h"
#include "judge/statistic.h"
#include "report/csv.h"

namespace sim::report {
namespace {

using metrics::OrderLedger;
using metrics::Series;

void write_metrics_header(CsvWriter& csv, const observe::Names& names) {
  for (const char* column : {"t_s",
                             "orders_placed_per_s",
                             "orders_acknowledged_per_s",
                             "orders_failed_per_s",
                             "orders_fulfilled_per_s",
                             "orders_in_flight",
                             "e2e_latency_samples",
                             "e2e_latency_p50_ms",
                             "e2e_latency_p90_ms",
                             "e2e_latency_p99_ms",
                             "e2e_latency_max_ms",
                             "kafka_server_BrokerTopicMetrics_MessagesInPerSec",
                             "kafka_server_BrokerTopicMetrics_BytesInPerSec",
                             "kafka_server_ReplicaManager_UnderReplicatedPartitions",
                             "kafka_server_ReplicaManager_IsrShrinksPerSec",
                             "kafka_server_ReplicaManager_IsrExpandsPerSec",
                             "kafka_server_Produce_throttle_time_ms",
                             "kafka_server_Fetch_throttle_time_ms",
                             "kafka_server_Request_throttle_time_ms",
                             "kafka_network_RequestMetrics_Produce_RequestQueueTimeMs_max",
                             "kafka_network_RequestMetrics_Produce_LocalTimeMs_max",
                             "kafka_network_RequestMetrics_Produce_RemoteTimeMs_max"}) {
    csv.text(column);
  }
  for (const std::string& group : names.groups) {
    csv.text("kafka_consumergroup_lag_seconds[" + group + "]");
    csv.text("kafka_consumergroup_lag[" + group + "]");
    csv.text("group_rebalances[" + group + "]");
    csv.text("group_members_expelled[" + group + "]");
  }
  csv.end_row();
}

// Latencies of the orders intended in each second.
std::vector<std::vector<std::int64_t>> latencies_by_second(const OrderLedger& ledger, std::size_t seconds) {
  std::vector<std::vector<std::int64_t>> latencies(seconds);
  for (OrderLedger::Index i = 0; i < ledger.size(); ++i) {
    const std::size_t row = Series::row_of(ledger.order(i).intended);
    if (row < seconds) latencies[row].push_back(ledger.ended(i) - ledger.order(i).intended);
  }
  return latencies;
}

// Of the produce requests that passed each stage in a second, the longest that one took for it: until an I/O
// thread had it, until its batch was in the log, until that was replicated. What a broker that is overloaded
// shows first.
struct LongestStages {
  std::int64_t queue = 0;
  std::int64_t local = 0;
  std::int64_t remote = 0;
};

std::vector<LongestStages> stages_by_second(const OrderLedger& ledger, std::size_t seconds) {
  std::vector<LongestStages> longest(seconds);
  const auto note = [&](std::int64_t from, std::int64_t to, std::int64_t LongestStages::*stage) {
    if (from == metrics::kNever || to == metrics::kNever) return;
    const std::size_t row = Series::row_of(to);
    if (row < seconds) longest[row].*stage = std::max(longest[row].*stage, to - from);
  };
  OrderLedger::Index last = OrderLedger::kNone;
  for (OrderLedger::Index i = 0; i < ledger.size(); ++i) {
    const OrderLedger::Order& order = ledger.order(i);
    if (order.batch == OrderLedger::kNone || order.batch == last) continue;
    last = order.batch;
    const OrderLedger::Batch& batch = ledger.batch_of(order);
    note(batch.received, batch.dequeued, &LongestStages::queue);
    note(batch.dequeued, batch.appended, &LongestStages::local);
    note(batch.appended, batch.high_watermark, &LongestStages::remote);
  }
  return longest;
}

struct GroupCounts {
  std::int64_t rebalances = 0;
  std::int64_t expelled = 0;
};

// By second, then by service.
std::vector<std::vector<GroupCounts>> groups_by_second(const record::RunRecord& record, std::size_t seconds) {
  using Event = metrics::GroupTimeline::Event;
  const std::vector<std::string>& groups = record.names().groups;
  std::vector<std::vector<GroupCounts>> counts(seconds, std::vector<GroupCounts>(groups.size()));
  for (const Event& event : record.groups().events()) {
    const std::size_t row = Series::row_of(event.at);
    if (row >= seconds) continue;
    for (std::size_t s = 0; s < groups.size(); ++s) {
      if (groups[s] != event.group) continue;
      if (event.kind == Event::Kind::rebalance_began) ++counts[row][s].rebalances;
      if (event.kind == Event::Kind::departed && is_expulsion(event.departure_reason))
        ++counts[row][s].expelled;
    }
  }
  return counts;
}

void write_latency(CsvWriter& csv, std::vector<std::int64_t>& samples) {
  const judge::Distribution latency = judge::distribution_of(samples);
  csv.number(static_cast<std::int64_t>(latency.count));
  for (const std::int64_t value : {latency.p50, latency.p90, latency.p99}) {
    csv.text(value == judge::Distribution::kUnknown ? "" : fixed(value, 6));
  }
  csv.text(latency.count == 0 ? "" : fixed(latency.max, 6));
}

}  // namespace

void write_metrics_csv(OutputFile& file, const record::RunRecord& record) {
  const Series& series = record.series();
  const OrderLedger& ledger = record.ledger();
  CsvWriter csv(file);
  write_metrics_header(csv, record.names());
  auto latencies = latencies_by_second(ledger, series.rows().size());
  const auto stages = stages_by_second(ledger, series.rows().size());
  const auto groups = groups_by_second(record, series.rows().size());
  for (std::size_t i = 0; i < series.rows().size(); ++i) {
    const Series::Row& row = series.rows()[i];
    csv.text(fixed(series.end_of(i) / 1'000'000, 3));
    for (const std::int64_t count : {row.placed, row.acknowledged, row.failed, row.fulfilled, row.in_flight})
      csv.number(count);
    write_latency(csv, latencies[i]);
    for (const std::int64_t count :
         {row.messages_in, row.bytes_in, row.under_replicated, row.isr_shrinks, row.isr_expands,
          row.produce_throttle_ms, row.fetch_throttle_ms, row.request_throttle_ms}) {
      csv.number(count);
    }
    for (const std::int64_t ns : {stages[i].queue, stages[i].local, stages[i].remote}) csv.text(fixed(ns, 6));
    for (std::size_t s = 0; s < row.lag.size(); ++s) {
      csv.text(fixed(row.lag[s].ns / 1'000'000, 3));
      csv.number(row.lag[s].offsets);
      csv.number(groups[i][s].rebalances);
      csv.number(groups[i][s].expelled);
    }
    csv.end_row();
  }
}

}  // namespace sim::report
