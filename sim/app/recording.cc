#include "app/recording.h"

#include <sys/resource.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "app/report.h"
#include "play/run_plan.h"
#include "report/build_id.h"
#include "report/run_files.h"
#include "report/version.h"
#include "report/words.h"
#include "scenario/files.h"

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
  std::unique_ptr<Recording> recording(new Recording(scenario, names, options));
  if (options.folder.empty()) return recording;
  const RunIdentity identity{scenario.name, scenario.seed};
  if (options.trace == trace::Level::off) {
    if (auto problem = OutputFolder::check(options.folder, identity, options.force)) return *problem;
    return recording;
  }
  auto output = OutputFolder::create(options.folder, identity, options.force);
  if (!output) return output.problems();
  recording->output_ = std::move(*output);
  recording->event_log_.emplace(recording->output_->open("events.jsonl"), options.trace, names);
  return recording;
}

Recording::Recording(const scenario::Scenario& scenario, const observe::Names& names,
                     const RecordingOptions& options)
    : scenario_(scenario), options_(options), record_(play::record_spec(scenario, names)) {}

Duration Recording::wall_time() const {
  return std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - opened_);
}

judge::Summary Recording::finish(judge::RunEnd end) {
  end.meaning = record_.meaning();
  end.scenario_sha256 = report::Sha256::of(scenario_.source_text);
  record_.finish(end.end, end.reason == judge::StopReason::settled);
  judge::Summary summary = judge::summarize(play::run_plan(scenario_), record_, end);
  if (options_.folder.empty()) return summary;
  not_written_ = write_folder(summary);
  event_log_.reset();
  output_.reset();
  if (!not_written_ && !options_.link.empty()) report::point_link(options_.link, options_.folder);
  return summary;
}

std::optional<Problem> Recording::write_folder(const judge::Summary& summary) {
  if (output_ == nullptr) {
    auto opened =
        OutputFolder::create(options_.folder, RunIdentity{scenario_.name, scenario_.seed}, options_.force);
    if (!opened) return opened.problems().front();
    output_ = std::move(*opened);
  }
  output_->write("scenario.resolved.yaml", scenario_.portable_yaml);
  if (auto failed = write_inputs(*output_)) return failed;
  report::write_run_files(*output_, summary, record_);
  if (event_log_) event_log_->flush();
  auto files = output_->seal();
  if (!files) return files.problems().front();
  output_->write("report.html", page_of_run(output_->written_to()));
  auto page = output_->seal();
  if (!page) return page.problems().front();
  files->merge(*page);
  output_->write("manifest.json", manifest_json(summary, *files));
  output_->write("host.json", host_json(summary));
  if (const auto sealed = output_->seal(); !sealed) return sealed.problems().front();
  return output_->publish();
}

// The files that the resolved scenario names, so that the folder is all it takes to play the run again.
std::optional<Problem> Recording::write_inputs(OutputFolder& output) const {
  for (const scenario::InputFile& input : scenario_.inputs) {
    report::OutputFile& copy = output.open(input.name);
    std::string why_not;
    const bool is_copied = scenario::copy_file(
        input.path, [&](std::string_view bytes) { copy.write(bytes); }, why_not);
    if (!is_copied) return report::problem_with(input.path, why_not);
  }
  return std::nullopt;
}

std::string Recording::manifest_json(const judge::Summary& summary,
                                     const std::map<std::string, report::OutputFolder::Entry>& files) const {
  OrderedJson json{
      {"schema", "kraftsim-manifest/1"},
      {"version", report::kVersion},
      {"build", report::build_id()},
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
