#include "sweep/sweep.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "app/command_line.h"
#include "app/commands.h"
#include "app/processors.h"
#include "app/recording.h"
#include "app/report.h"
#include "app/say.h"
#include "app/signals.h"
#include "base/human.h"
#include "play/play.h"
#include "report/continuous_integration.h"
#include "scenario/matrix.h"
#include "sweep/results_file.h"
#include "sweep/summary.h"

// `kraftsim sweep` and `kraftsim merge`: many seeds, and what came of them on one page.
namespace sim::app {
namespace {

using Clock = std::chrono::steady_clock;

// 37 % · 370/1000 runs · 3 failed · 5.2 runs/s · ETA 2 min
class SweepLine final : public sweep::SweepListener {
 public:
  SweepLine(bool is_shown, std::optional<Duration> budget) : is_shown_(is_shown), budget_(budget) {}
  ~SweepLine() override {
    if (is_visible_) print(stderr, "\r\x1b[K");
  }

  bool on(const sweep::SweepProgress& progress) override {
    const Clock::duration passed = Clock::now() - started_;
    if (is_shown_) show(progress, std::chrono::duration<double>(passed).count());
    is_over_budget = budget_ && passed >= *budget_;
    return !is_over_budget && !is_interrupted();
  }

  bool is_over_budget = false;

 private:
  void show(const sweep::SweepProgress& progress, double seconds) {
    const double speed = static_cast<double>(progress.played) / std::max(seconds, 1e-9);
    std::string line = fmt::format("\r{} % · {}/{} runs · {} failed",
                                   progress.done * 100 / std::max<std::uint64_t>(progress.of, 1),
                                   progress.done, progress.of, progress.failed);
    if (progress.crashed != 0) line += fmt::format(" · {} bugs or crashes", progress.crashed);
    if (progress.played != 0) {
      const double left = static_cast<double>(progress.of - progress.done) / speed;
      line += fmt::format(" · {:.1f} runs/s · ETA {}", speed,
                          human_duration(static_cast<std::int64_t>(left) * 1'000'000'000));
    }
    print(stderr, line + "\x1b[K");
    std::fflush(stderr);
    is_visible_ = true;
  }

  bool is_shown_;
  std::optional<Duration> budget_;
  Clock::time_point started_ = Clock::now();
  bool is_visible_ = false;
};

std::filesystem::path default_folder(const std::string& scenario, const sweep::Shard& shard) {
  std::string name = "sweep";
  if (!shard.is_whole()) name += fmt::format("-{}-of-{}", shard.number, shard.of);
  return std::filesystem::path("runs") / scenario / name;
}

// Of the smallest seed of each kind of failure.
class KeptRuns {
 public:
  KeptRuns(const sweep::SweepSpec& spec) : spec_(spec) {}

  std::string command(std::size_t configuration, std::uint64_t seed) const {
    return command_line("run", spec_.file, seed, spec_.overrides_of(configuration));
  }
  std::string folder(std::size_t configuration, std::uint64_t seed) const {
    return kept_.contains({configuration, seed}) ? path(configuration, seed).string() : std::string{};
  }

  std::optional<Problem> keep(std::size_t configuration, std::uint64_t seed) {
    constexpr std::size_t kMost = 20;
    if (kept_.size() == kMost || kept_.contains({configuration, seed}) || is_interrupted())
      return std::nullopt;
    std::vector<scenario::Override> overrides = spec_.overrides_of(configuration);
    overrides.push_back({"seed", std::to_string(seed)});
    const Result<scenario::Scenario> scenario = scenario::load(spec_.file, overrides, spec_.strictness);
    if (!scenario) return scenario.problems().front();
    cluster::Cluster world(scenario->cluster);
    RecordingOptions places;
    places.folder = path(configuration, seed);
    places.force = true;
    auto recording = Recording::open(*scenario, world.names(), places);
    if (!recording) return recording.problems().front();
    world.observe(**recording);
    judge::RunEnd end = play::play_to_end(*scenario, world, (*recording)->record(),
                                          play::PlayOptions{std::nullopt, nullptr, is_interrupted, nullptr});
    end.repro = command(configuration, seed);
    const Result<judge::Summary> finished = (*recording)->finish(end);
    if (!finished) return finished.problems().front();
    kept_.insert({configuration, seed});
    return std::nullopt;
  }

 private:
  std::filesystem::path path(std::size_t configuration, std::uint64_t seed) const {
    const std::string& name = spec_.configurations[configuration].name;
    return spec_.folder / "kept" / (name.empty() ? std::to_string(seed) : fmt::format("{}-{}", name, seed));
  }

  const sweep::SweepSpec& spec_;
  std::set<std::pair<std::size_t, std::uint64_t>> kept_;
};

Result<sweep::SweepSpec> spec_of(const SweepOptions& options) {
  sweep::SweepSpec spec;
  spec.file = options.file;
  spec.overrides = options.overrides;
  spec.strictness = options.strictness;
  if (!options.matrix.empty()) {
    const auto configurations = scenario::read_matrix(options.matrix);
    if (!configurations) return configurations.problems();
    spec.configurations = *configurations;
  }
  spec.seeds = options.seeds;
  spec.shard = options.shard;
  spec.jobs = options.jobs == 0 ? processors() : options.jobs;
  spec.until_failures = options.until_failures;
  spec.folder = options.out;
  if (options.out.empty()) {
    const auto scenario = scenario::load(options.file, spec.overrides_of(0), options.strictness);
    if (!scenario) return scenario.problems();
    spec.folder = default_folder(scenario->name, options.shard);
  }
  spec.resume = options.resume;
  spec.force = options.force;
  return spec;
}

}  // namespace

int sweep_command(const SweepOptions& options, const Terminal& terminal) {
  const Result<sweep::SweepSpec> spec = spec_of(options);
  if (!spec) return refuse(spec.problems(), terminal);
  listen_to_signals();
  std::optional<SweepLine> line;
  line.emplace(terminal.progress && !options.quiet, options.budget);
  const Result<sweep::SweepRun> run = sweep::run_sweep(*spec, *line);
  const bool is_over_budget = line->is_over_budget;
  line.reset();
  if (!run) return refuse(run.problems(), terminal);

  const sweep::SweepSummary summary = sweep::summarize(run->results);
  KeptRuns kept(*spec);
  for (const auto& group : summary.groups) {
    if (auto failed = kept.keep(group.configuration, group.smallest_seed)) return refuse({*failed}, terminal);
  }
  const std::string json = sweep::to_json(summary);
  if (auto failed = sweep::write_whole(spec->folder / "summary.json", json))
    return refuse({*failed}, terminal);
  if (auto failed = write_sweep_page(spec->folder, run->results)) return refuse({*failed}, terminal);
  std::string text = json;
  if (!options.json) {
    text = sweep::to_text(summary, {[&](std::size_t c, std::uint64_t seed) { return kept.command(c, seed); },
                                    [&](std::size_t c, std::uint64_t seed) { return kept.folder(c, seed); }});
    text += fmt::format("  files       {}/report.html  (also summary.json, results.jsonl)\n",
                        spec->folder.string());
  }
  print(stdout, text);
  if (options.ci == CiSystem::github) {
    if (const auto annotations = report::github_of(spec->folder)) print(stdout, *annotations);
  }
  int code = sweep::exit_code(summary);
  for (const std::string& name : options.required) {
    if (summary.situations.at(name) != 0) continue;
    print(stdout, fmt::format("x  {} was required and never occurred\n", name));
    if (code == number(ExitCode::held) || code == number(ExitCode::inconclusive))
      code = number(ExitCode::failed);
  }
  if (run->end == sweep::SweepEnd::complete) return code;
  const char* why = run->end == sweep::SweepEnd::enough_failures ? "enough runs have failed"
                    : is_over_budget                             ? "the budget is spent"
                                                                 : "interrupted";
  print(stderr, fmt::format("kraftsim: {}; the same command with --resume plays the rest\n", why));
  if (is_interrupted())
    return number(interrupted_by() == SIGTERM ? ExitCode::terminated : ExitCode::interrupted);
  return code;
}

int merge_command(const MergeOptions& options, const Terminal& terminal) {
  const Result<sweep::Results> merged = sweep::merge({options.parts.begin(), options.parts.end()});
  if (!merged) return refuse(merged.problems(), terminal);
  print(stderr, render_problems(merged.problems(), terminal.color_err));
  const std::filesystem::path folder =
      options.out.empty() ? default_folder(merged->head.scenario, {}) : std::filesystem::path(options.out);
  const std::filesystem::path file = folder / sweep::kResultsFile;
  std::error_code ignored;
  if (!options.force && std::filesystem::exists(file, ignored)) {
    const Result<sweep::Results> there = sweep::read_results(file);
    if (!there || there->text() != merged->text()) {
      Problem problem;
      problem.file = folder.string();
      problem.message = "holds something else than what the parts make";
      problem.hint = "--force replaces it, --out puts the whole elsewhere";
      return refuse({problem}, terminal);
    }
  }
  const sweep::SweepSummary summary = sweep::summarize(*merged);
  const std::string json = sweep::to_json(summary);
  if (auto failed = sweep::write_whole(file, merged->text())) return refuse({*failed}, terminal);
  if (auto failed = sweep::write_whole(folder / "summary.json", json)) return refuse({*failed}, terminal);
  if (auto failed = write_sweep_page(folder, *merged)) return refuse({*failed}, terminal);
  if (options.json) {
    print(stdout, json);
    return sweep::exit_code(summary);
  }
  const auto command = [&](std::size_t configuration, std::uint64_t seed) {
    return command_line("run", merged->head.scenario + ".yaml", seed,
                        merged->head.configurations[configuration].overrides);
  };
  std::string text =
      sweep::to_text(summary, {command, [](std::size_t, std::uint64_t) { return std::string{}; }});
  text += fmt::format("  files       {}/report.html  (also summary.json, results.jsonl)\n", folder.string());
  print(stdout, text);
  return sweep::exit_code(summary);
}

}  // namespace sim::app
