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

record::RecordSpec record_spec(const scenario::Scenario& scenario, const observe::Names& names) {
  return {names, ledger_spec(scenario.cluster), invariants_spec(scenario)};
}

RecordingOptions default_places(const scenario::Scenario& scenario) {
  RecordingOptions options;
  options.folder = std::filesystem::path("runs") / scenario.name / std::to_string(scenario.seed);
  options.link = std::filesystem::path("runs") / "latest";
  return options;
}

Result<std::unique_ptr<Recording>> Recording::open(const scenario::Scenario& scenario,
                                                   const observe::Names& names,
                                                   const RecordingOptions& options) {
  if (!options.folder.empty()) {
    const RunIdentity identity{scenario.name, scenario.seed};
    if (auto problem = OutputFolder::check(options.folder, identity, options.force)) return *problem;
  }
  return std::unique_ptr<Recording>(new Recording(scenario, names, options));
}

Recording::Recording(const scenario::Scenario& scenario, const observe::Names& names,
                     const RecordingOptions& options)
    : scenario_(scenario), options_(options), record_(record_spec(scenario, names)) {
  if (options.trace != trace::Level::off && !options.folder.empty())
    event_log_.emplace(trace_lines_, options.trace, names);
}

Duration Recording::wall_time() const {
  return std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - opened_);
}

Result<Summary> Recording::finish(RunEnd end) {
  end.meaning = record_.meaning();
  record_.finish(end.end, end.reason == StopReason::settled);
  Summary summary = summarize(scenario_, record_, end);
  if (options_.folder.empty()) return summary;
  if (const auto failed = write_folder(summary)) return *failed;
  if (!options_.link.empty()) point_link(options_.link, options_.folder);
  return summary;
}

std::optional<Problem> Recording::write_folder(const Summary& summary) {
  const auto opened =
      OutputFolder::create(options_.folder, RunIdentity{scenario_.name, scenario_.seed}, options_.force);
  if (!opened) return opened.problems().front();
  OutputFolder& output = **opened;
  if (auto failed = write_files(output, summary)) return failed;
  const auto files = output.seal();
  if (!files) return files.problems().front();
  output.write("manifest.json", manifest_json(summary, *files));
  output.write("host.json", host_json(summary));
  if (const auto sealed = output.seal(); !sealed) return sealed.problems().front();
  return output.publish();
}

std::optional<Problem> Recording::write_files(OutputFolder& output, const Summary& summary) {
  output.write("summary.json", to_json(summary));
  output.write("summary.txt", to_text(summary, TextOptions{}));
  output.write("scenario.resolved.yaml", scenario_.resolved_yaml);
  output.write("leadership.csv", record_.leadership().csv());
  write_faults_csv(output.open("faults.csv"), summary.faults);
  write_verdicts_csv(output.open("verdicts.csv"), summary.outcomes, record_);
  write_orders_csv(output.open("orders.csv"), record_, scenario_.warmup);
  write_metrics_csv(output.open("metrics.csv"), record_);
  write_histograms(output);
  if (!event_log_) return std::nullopt;
  event_log_->flush();
  return trace_lines_.copy_to(output.open("events.jsonl"));
}

// Of orders intended after the warm-up, as in the summary.
void Recording::write_histograms(OutputFolder& output) const {
  const OrderLedger& ledger = record_.ledger();
  const std::vector<std::string>& names = record_.names().services;
  metrics::Histogram e2e;
  metrics::Histogram produce;
  std::vector<metrics::Histogram> services(names.size());
  for (OrderLedger::Index i = 0; i < ledger.size(); ++i) {
    const OrderLedger::Order& order = ledger.order(i);
    if (order.intended < nanos(scenario_.warmup)) continue;
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
