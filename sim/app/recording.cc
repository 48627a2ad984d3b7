#include "app/recording.h"

#include <sys/resource.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "app/console.h"
#include "app/metrics_csv.h"
#include "app/orders_csv.h"
#include "app/version.h"
#include "metrics/histogram.h"

namespace sim::app {
namespace {

using metrics::OrderLedger;
using Json = nlohmann::ordered_json;

metrics::LedgerSpec ledger_spec(const cluster::ClusterSpec& cluster) {
  metrics::LedgerSpec spec;
  spec.services = cluster.services.size();
  for (const workload::FlowSpec& flow : cluster.flows) {
    std::uint64_t services = 0;
    for (std::size_t s = 0; s < cluster.services.size(); ++s) {
      if (cluster.services[s].topic == flow.topic) services |= std::uint64_t{1} << s;
    }
    spec.services_of_flow.push_back(services);
  }
  return spec;
}

check::InvariantsSpec invariants_spec(const scenario::Scenario& scenario) {
  const cluster::ClusterSpec& cluster = scenario.cluster;
  check::InvariantsSpec spec;
  spec.history = check::former_behaviour(cluster.history);
  for (const scenario::InvariantOff& off : scenario.invariants_off) spec.off.push_back(off.name);
  for (const cluster::BrokerSpec& broker : cluster.brokers) spec.brokers.push_back(broker.id);
  for (const workload::FlowSpec& flow : cluster.flows)
    spec.acks_all_of_flow.push_back(flow.producer.acks == -1);
  return spec;
}

}  // namespace

RecordingOptions default_places(const scenario::Scenario& scenario) {
  RecordingOptions options;
  options.folder = std::filesystem::path("runs") / scenario.name / std::to_string(scenario.seed);
  options.link = std::filesystem::path("runs") / "latest";
  return options;
}

Result<std::unique_ptr<Recording>> Recording::open(const scenario::Scenario& scenario,
                                                   const observe::Names& names,
                                                   const RecordingOptions& options) {
  auto output =
      OutputFolder::create(options.folder, RunIdentity{scenario.name, scenario.seed}, options.force);
  if (!output) return output.problems();
  return std::unique_ptr<Recording>(new Recording(scenario, names, options, std::move(*output)));
}

Recording::Recording(const scenario::Scenario& scenario, const observe::Names& names,
                     const RecordingOptions& options, std::unique_ptr<OutputFolder> output)
    : scenario_(scenario),
      names_(names),
      options_(options),
      output_(std::move(output)),
      ledger_(ledger_spec(scenario.cluster)),
      series_(scenario.cluster.services.size()),
      invariants_(invariants_spec(scenario)),
      leadership_(names),
      meaning_(names) {
  if (options.trace == trace::Level::off) return;
  event_log_ = std::make_unique<trace::EventLog>(output_->open("events.jsonl"), options.trace, names);
}

void Recording::on(const observe::Observation& observation) {
  series_.on(observation, ledger_);
  invariants_.on(observation);
  ledger_.on(observation, invariants_.log_change());
  timeline_.on(observation);
  leadership_.on(observation);
  meaning_.on(observation);
  if (event_log_ != nullptr) event_log_->on(observation);
  if (const auto* created = std::get_if<observe::TopicCreated>(&observation.fact)) topics_.on(*created);
}

bool Recording::settled() const {
  if (ledger_.totals().ended != ledger_.totals().placed) return false;
  bool all_committed = true;
  ledger_.for_each_partition([&](TopicPartition tp) {
    for (std::size_t s = 0; s < ledger_.services(); ++s) {
      if (ledger_.reads(tp, s) && ledger_.committed(tp, s) < ledger_.high_watermark(tp))
        all_committed = false;
    }
  });
  return all_committed;
}

Duration Recording::wall_time() const {
  return std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - opened_);
}

Result<Summary> Recording::finish(RunEnd end) {
  end.meaning = meaning_.value();
  ledger_.finish(end.end, end.reason == StopReason::settled, &invariants_.logs());
  series_.finish(end.end, ledger_);
  if (event_log_ != nullptr) event_log_->flush();
  MeasuredRun run{ledger_,        series_, timeline_,          names_, scenario_.warmup, scenario_.duration,
                  nanos(end.end), {},      &invariants_.logs()};
  std::vector<FaultReport> faults =
      report_faults(scenario_.cluster.faults, timeline_, names_, nanos(end.end));
  for (const FaultReport& fault : faults) {
    for (const FaultReport::Strike& strike : fault.strikes) {
      run.faults.push_back(FaultWindow{fault.name, instant_at(strike.from_ns), instant_at(strike.to_ns)});
    }
  }
  Summary summary = summarize(scenario_, run, invariants_, std::move(faults), end);
  write_files(summary);
  const auto files = output_->seal();
  if (!files) return files.problems();
  output_->write("manifest.json", manifest_json(summary, *files));
  output_->write("host.json", host_json(summary));
  if (const auto sealed = output_->seal(); !sealed) return sealed.problems();
  if (const auto failed = output_->publish()) return *failed;
  if (!options_.link.empty()) point_link(options_.link, options_.folder);
  return summary;
}

void Recording::write_files(const Summary& summary) {
  output_->write("summary.json", to_json(summary));
  output_->write("summary.txt", to_text(summary, TextOptions{}));
  output_->write("scenario.resolved.yaml", scenario_.resolved_yaml);
  output_->write("leadership.csv", leadership_.csv());
  write_faults_csv(output_->open("faults.csv"), summary.faults);
  write_verdicts_csv(output_->open("verdicts.csv"), summary.outcomes, ledger_, names_, topics_);
  write_orders_csv(output_->open("orders.csv"), ledger_, names_, topics_, scenario_.warmup);
  write_metrics_csv(output_->open("metrics.csv"), series_, ledger_, names_);
  write_histograms();
}

// Of orders intended after the warm-up, as in the summary.
void Recording::write_histograms() {
  metrics::Histogram e2e;
  metrics::Histogram produce;
  std::vector<metrics::Histogram> services(names_.services.size());
  for (OrderLedger::Index i = 0; i < ledger_.size(); ++i) {
    const OrderLedger::Order& order = ledger_.order(i);
    if (order.intended < nanos(scenario_.warmup)) continue;
    e2e.add(ledger_.ended(i) - order.intended);
    produce.add(ledger_.answered(i) - order.intended);
    for (std::size_t s = 0; s < services.size(); ++s) {
      if (ledger_.wants(order, s)) services[s].add(ledger_.ended(i, s) - order.intended);
    }
  }
  output_->write("hist/e2e.hgrm", e2e.percentile_text());
  output_->write("hist/produce.hgrm", produce.percentile_text());
  for (std::size_t s = 0; s < services.size(); ++s) {
    output_->write("hist/e2e_" + names_.services[s] + ".hgrm", services[s].percentile_text());
  }
}

std::string Recording::manifest_json(const Summary& summary,
                                     const std::map<std::string, OutputFolder::Entry>& files) const {
  Json json{{"schema", "kraftsim-manifest/1"},
            {"version", kVersion},
            {"scenario", {{"name", scenario_.name}, {"sha256", Sha256::of(scenario_.source_text)}}},
            {"seed", scenario_.seed},
            {"trace", trace::name(options_.trace)},
            {"partial", summary.partial()},
            {"events", summary.end.events},
            {"end_ns", nanos(summary.end.end)},
            {"fingerprint", fingerprint_text(summary.end.fingerprint)},
            {"meaning", fingerprint_text(summary.end.meaning)}};
  json["files"] = Json::object();
  for (const auto& [name, entry] : files)
    json["files"][name] = {{"bytes", entry.bytes}, {"sha256", entry.sha256}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string Recording::host_json(const Summary& summary) const {
  const std::int64_t wall_ns = std::max<std::int64_t>(nanos(wall_time()), 1);
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto events_per_s = static_cast<std::uint64_t>(int128{summary.end.events} * 1'000'000'000 / wall_ns);
  const Json json{{"schema", "kraftsim-host/1"},
                  {"wall_ms", wall_ns / 1'000'000},
                  {"events_per_s", events_per_s},
                  {"simulated_to_wall_milli",
                   static_cast<std::uint64_t>(int128{nanos(summary.end.end)} * 1000 / wall_ns)},
                  {"peak_memory_kib", usage.ru_maxrss}};
  return json.dump(2) + "\n";
}

}  // namespace sim::app
