#include "report/run_files.h"

#include <string>
#include <vector>

#include "judge/charts.h"
#include "metrics/histogram.h"
#include "report/charts_json.h"
#include "report/console.h"
#include "report/json.h"
#include "report/metrics_csv.h"
#include "report/orders_csv.h"
#include "report/outcome_tables.h"

namespace sim::report {
namespace {

using metrics::OrderLedger;

// Of orders intended after the warm-up, as in the summary.
void write_histograms(OutputFolder& output, const record::RunRecord& record, Duration warmup) {
  const OrderLedger& ledger = record.ledger();
  const std::vector<std::string>& names = record.names().services;
  metrics::Histogram e2e;
  metrics::Histogram produce;
  std::vector<metrics::Histogram> services(names.size());
  for (OrderLedger::Index i = 0; i < ledger.size(); ++i) {
    const OrderLedger::Order& order = ledger.order(i);
    if (order.intended < nanos(warmup)) continue;
    e2e.add(ledger.ended(i) - order.intended);
    produce.add(ledger.answered(i) - order.intended);
    for (std::size_t s = 0; s < services.size(); ++s) {
      if (ledger.wants(order, s)) services[s].add(ledger.ended(i, s) - order.intended);
    }
  }
  output.write("hist/e2e.hgrm", e2e.percentile_text());
  output.write("hist/produce.hgrm", produce.percentile_text());
  for (std::size_t s = 0; s < services.size(); ++s) {
    output.write("hist/e2e_" + names[s] + ".hgrm", services[s].percentile_text());
  }
}

}  // namespace

const std::vector<RunFile>& run_files() {
  static const std::vector<RunFile> files{
      {"report.html",
       "The run on one page: what was found, charts, faults and their effects, orders step by step, "
       "settings. It needs no "
       "network and no script."},
      {"summary.json",
       "The verdict, expectations, percentiles and counts, for programs (kraftsim-summary/1)."},
      {"summary.txt", "What the console says, without what only one machine knows."},
      {"manifest.json",
       "Scenario and seed, the fingerprint of the events, that of what they mean, and the sha256 of every "
       "file; kraftsim replay RUN holds the run against it."},
      {"host.json", "Wall time, events a second, peak memory: the only file that differs between two runs."},
      {"scenario.resolved.yaml", "The scenario with every default filled in; runnable by itself."},
      {"inputs/", "Copies of the recorded orders that the scenario replays."},
      {"orders.csv",
       "A row per order: the nanosecond of every stage, partition, offset, retries, what each service did."},
      {"metrics.csv", "A row per second, under the names of kafka_exporter and of Kafka's MBeans."},
      {"groups.csv",
       "What became of consumer groups: rebalances and why, members that left or were expelled and why, who "
       "was assigned what."},
      {"faults.csv", "Each strike: whom it touched, what it did, until when its effect was felt."},
      {"leadership.csv",
       "Every change of active controller, leaders, ISR and fencing, and when a partition worked again."},
      {"verdicts.csv",
       "Each order or partition that was lost, repeated, late, refused or stuck; when and why."},
      {"hist/*.hgrm", "Latencies as HdrHistogram percentile text, as its public plotter reads it."},
      {"charts.json", "What charts show: bins, percentiles, bands, who led what."},
      {"events.jsonl", "With --trace: each event, with the event that caused it."},
      {"charts/", "What kraftsim plot has drawn."}};
  return files;
}

void write_run_files(OutputFolder& output, const judge::Summary& summary, const record::RunRecord& record) {
  output.write("summary.json", to_json(summary));
  output.write("summary.txt", to_text(summary, TextOptions{}));
  output.write("leadership.csv", record.leadership().csv());
  write_faults_csv(output.open("faults.csv"), summary.faults);
  write_verdicts_csv(output.open("verdicts.csv"), summary.outcomes, record);
  write_groups_csv(output.open("groups.csv"), record);
  write_orders_csv(output.open("orders.csv"), record, summary.warmup);
  write_metrics_csv(output.open("metrics.csv"), record);
  write_histograms(output, record, summary.warmup);
  const judge::MeasuredRun run(record, summary.warmup, summary.duration, nanos(summary.end.end));
  output.write("charts.json", charts_json(judge::charts_of(run, summary.faults)));
}

}  // namespace sim::report
