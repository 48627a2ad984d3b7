#include "app/recording.h"

#include <sys/resource.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "play/run_plan.h"
#include "report/run_files.h"
#include "report/version.h"

namespace sim::app {

using OrderedJson = nlohmann::ordered_json;
using judge::RunEnd;
using judge::StopReason;
using judge::Summary;
using report::OutputFolder;
using report::RunIdentity;

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
    const report::RunIdentity identity{scenario.name, scenario.seed};
    if (auto problem = report::OutputFolder::check(options.folder, identity, options.force)) return *problem;
  }
  return std::unique_ptr<Recording>(new Recording(scenario, names, options));
}

Recording::Recording(const scenario::Scenario& scenario, const observe::Names& names,
                     const RecordingOptions& options)
    : scenario_(scenario), options_(options), record_(play::record_spec(scenario, names)) {
  if (options.trace != trace::Level::off && !options.folder.empty())
    event_log_.emplace(trace_lines_, options.trace, names);
}

Duration Recording::wall_time() const {
  return std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - opened_);
}

Result<judge::Summary> Recording::finish(judge::RunEnd end) {
  end.meaning = record_.meaning();
  record_.finish(end.end, end.reason == judge::StopReason::settled);
  judge::Summary summary = judge::summarize(play::run_plan(scenario_), record_, end);
  if (options_.folder.empty()) return summary;
  if (const auto failed = write_folder(summary)) return *failed;
  if (!options_.link.empty()) report::point_link(options_.link, options_.folder);
  return summary;
}

std::optional<Problem> Recording::write_folder(const judge::Summary& summary) {
  const auto opened = report::OutputFolder::create(
      options_.folder, report::RunIdentity{scenario_.name, scenario_.seed}, options_.force);
  if (!opened) return opened.problems().front();
  report::OutputFolder& output = **opened;
  if (auto failed = write_files(output, summary)) return failed;
  const auto files = output.seal();
  if (!files) return files.problems().front();
  output.write("manifest.json", manifest_json(summary, *files));
  output.write("host.json", host_json(summary));
  if (const auto sealed = output.seal(); !sealed) return sealed.problems().front();
  return output.publish();
}

std::optional<Problem> Recording::write_files(report::OutputFolder& output, const judge::Summary& summary) {
  output.write("scenario.resolved.yaml", scenario_.resolved_yaml);
  report::write_run_files(output, summary, record_);
  if (!event_log_) return std::nullopt;
  event_log_->flush();
  return trace_lines_.copy_to(output.open("events.jsonl"));
}

std::string Recording::manifest_json(const judge::Summary& summary,
                                     const std::map<std::string, report::OutputFolder::Entry>& files) const {
  OrderedJson json{
      {"schema", "kraftsim-manifest/1"},
      {"version", report::kVersion},
      {"scenario", {{"name", scenario_.name}, {"sha256", report::Sha256::of(scenario_.source_text)}}},
      {"seed", scenario_.seed},
      {"trace", trace::name(options_.trace)},
      {"partial", summary.partial()},
      {"events", summary.end.events},
      {"end_ns", nanos(summary.end.end)},
      {"fingerprint", judge::fingerprint_text(summary.end.fingerprint)},
      {"meaning", judge::fingerprint_text(summary.end.meaning)}};
  json["files"] = OrderedJson::object();
  for (const auto& [name, entry] : files)
    json["files"][name] = {{"bytes", entry.bytes}, {"sha256", entry.sha256}};
  return json.dump(2, ' ', false, OrderedJson::error_handler_t::replace) + "\n";
}

std::string Recording::host_json(const judge::Summary& summary) const {
  const std::int64_t wall_ns = std::max<std::int64_t>(nanos(wall_time()), 1);
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto events_per_s = static_cast<std::uint64_t>(int128{summary.end.events} * 1'000'000'000 / wall_ns);
  const OrderedJson json{{"schema", "kraftsim-host/1"},
                         {"wall_ms", wall_ns / 1'000'000},
                         {"events_per_s", events_per_s},
                         {"simulated_to_wall_milli",
                          static_cast<std::uint64_t>(int128{nanos(summary.end.end)} * 1000 / wall_ns)},
                         {"peak_memory_kib", usage.ru_maxrss}};
  return json.dump(2) + "\n";
}

}  // namespace sim::app
