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

void write_run_files(OutputFolder& output, const judge::Summary& summary, const record::RunRecord& record) {
  output.write("summary.json", to_json(summary));
  output.write("summary.txt", to_text(summary, TextOptions{}));
  output.write("leadership.csv", record.leadership().csv());
  write_faults_csv(output.open("faults.csv"), summary.faults);
  write_verdicts_csv(output.open("verdicts.csv"), summary.outcomes, record);
  write_orders_csv(output.open("orders.csv"), record, summary.warmup);
  write_metrics_csv(output.open("metrics.csv"), record);
  write_histograms(output, record, summary.warmup);
  const judge::MeasuredRun run(record, summary.warmup, summary.duration, nanos(summary.end.end));
  output.write("charts.json", charts_json(judge::charts_of(run, summary.faults)));
}

}  // namespace sim::report
