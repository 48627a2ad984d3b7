#include "app/report.h"

#include <string_view>
#include <utility>

#include "app/command_line.h"
#include "app/render_problems.h"
#include "app/say.h"
#include "page/comparison_page.h"
#include "page/index_page.h"
#include "page/page.h"
#include "page/sweep_page.h"
#include "report/words.h"
#include "scenario/changed_settings.h"
#include "sweep/results_file.h"
#include "sweep/summary.h"

namespace sim::app {

namespace {

namespace fs = std::filesystem;

std::string page_of_documents(const page::Documents& documents) {
  std::vector<page::ChangedSetting> changed;
  for (scenario::ChangedSetting& one : scenario::changed_settings(documents.resolved_scenario)) {
    changed.push_back({std::move(one.where), std::move(one.name), std::move(one.value),
                       std::move(one.standard), std::move(one.meaning)});
  }
  return page::page_of(documents, changed);
}

// "runs/shop/sweep/kept/acks-1-7", as the sweep names the folders of the runs that it keeps.
fs::path kept_folder(const std::string& configuration, std::uint64_t seed) {
  const std::string number = std::to_string(seed);
  return fs::path("kept") / (configuration.empty() ? number : configuration + "-" + number);
}

std::string page_of_results(const fs::path& folder, const sweep::Results& results) {
  page::SweepDocuments sweep =
      page::sweep_documents(sweep::to_json(sweep::summarize(results)), results.text());
  sweep.command = [&](const std::vector<std::string>& settings, std::uint64_t seed) {
    std::vector<scenario::Override> overrides;
    for (const std::string& setting : settings) {
      const std::size_t equals = setting.find('=');
      if (equals != std::string::npos)
        overrides.push_back({setting.substr(0, equals), setting.substr(equals + 1)});
    }
    return command_line("run", results.head.scenario + ".yaml", seed, overrides);
  };
  sweep.page_of_seed = [&](const std::string& configuration, std::uint64_t seed) {
    const fs::path page = kept_folder(configuration, seed) / "report.html";
    std::error_code error;
    return fs::exists(folder / page, error) ? page.generic_string() : std::string();
  };
  return page::page_of_sweep(sweep);
}

int tell_written(const std::optional<Problem>& failed, const fs::path& out, const Terminal& terminal) {
  if (failed) return refuse({*failed}, terminal);
  print(stdout, out.string() + "\n");
  return number(ExitCode::held);
}

int report_sweep(const fs::path& folder, const fs::path& out, const Terminal& terminal) {
  const Result<sweep::Results> results = sweep::read_results(folder);
  if (!results) return refuse(results.problems(), terminal);
  print(stderr, render_problems(results.problems(), terminal.color_err));  // a last line that was cut off
  return tell_written(sweep::write_whole(out, page_of_results(folder, *results)), out, terminal);
}

int report_many(const fs::path& folder, const fs::path& out, const Terminal& terminal) {
  const page::FoundRuns found = page::find_runs(folder);
  if (found.entries.empty() && found.unreadable == 0) {
    return refuse(
        {report::problem_with(folder, "is not the folder of a run or a sweep, and there is none below it",
                              "a run's has summary.json, charts.json and metrics.csv")},
        terminal);
  }
  const std::string name = fs::absolute(folder).lexically_normal().parent_path().filename().string();
  const std::string shown = folder.has_filename() ? folder.filename().string() : name;
  return tell_written(sweep::write_whole(out, page::page_of_index(shown, found)), out, terminal);
}

}  // namespace

std::string page_of_run(const fs::path& folder) {
  return page_of_documents(page::read_documents(folder));
}

std::optional<Problem> write_sweep_page(const fs::path& folder, const sweep::Results& results) {
  return sweep::write_whole(folder / "report.html", page_of_results(folder, results));
}

std::optional<Problem> write_comparison_page(const CompareOptions& options, const sweep::Side& a,
                                             const sweep::Side& b, const sweep::Comparison& comparison,
                                             const std::vector<std::string>& exceeded) {
  page::ComparedSides sides;
  sides.name_a = a.name;
  sides.name_b = b.name;
  sides.command = "kraftsim compare " + report::shell_word(options.a) + " " + report::shell_word(options.b);
  const auto count = [](std::uint64_t value) { return static_cast<std::int64_t>(value); };
  sides.pairs = count(comparison.pairs);
  sides.only_a_failed = count(comparison.only_a_failed);
  sides.only_b_failed = count(comparison.only_b_failed);
  sides.both_failed = count(comparison.both_failed);
  sides.chance_per_million = count(comparison.chance_per_million);
  for (const sweep::Change& change : comparison.changes) {
    sides.metrics.push_back({change.metric, count(change.pairs), change.median_a, change.median_b,
                             change.mean_a, change.mean_difference, change.half_width, count(change.more),
                             count(change.less), change.is_certain()});
  }
  sides.beyond_tolerance = exceeded;
  std::error_code error;
  for (const std::string* side : {&options.a, &options.b}) {
    if (fs::exists(fs::path(*side) / "charts.json", error)) sides.runs.push_back(page::read_documents(*side));
  }
  return sweep::write_whole(options.out, page::page_of_comparison(sides));
}

int report_command(const ReportOptions& options, const Terminal& terminal) {
  const fs::path folder = options.run;
  std::error_code error;
  if (!fs::is_directory(folder, error))
    return refuse(
        {report::problem_with(folder, fs::exists(folder, error) ? "is no folder" : "does not exist")},
        terminal);
  const auto place = [&](const char* name) {
    return options.out.empty() ? folder / name : fs::path(options.out);
  };
  if (fs::exists(folder / sweep::kResultsFile, error))
    return report_sweep(folder, place("report.html"), terminal);
  const page::Documents documents = page::read_documents(folder);
  if (documents.summary.is_null() && documents.charts.is_null() && documents.metrics.at_ms.empty() &&
      documents.manifest.is_null())
    return report_many(folder, place("index.html"), terminal);
  for (const std::string& missing : documents.missing) print(stderr, "kraftsim: " + missing + "\n");
  const fs::path out = place("report.html");
  return tell_written(sweep::write_whole(out, page_of_documents(documents)), out, terminal);
}

}  // namespace sim::app
