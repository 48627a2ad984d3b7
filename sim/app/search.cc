#include <fmt/format.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include "app/command_line.h"
#include "app/commands.h"
#include "app/processors.h"
#include "app/report.h"
#include "app/say.h"
#include "app/signals.h"
#include "play/run.h"
#include "report/words.h"
#include "search/blame.h"
#include "search/pinpoint.h"
#include "search/shrink.h"
#include "sweep/compare.h"
#include "sweep/results_file.h"

// `kraftsim blame`, `shrink` and `compare`: to understand one failure, and what a change changes.
namespace sim::app {
namespace {

// Whether there is time left, and nobody has interrupted.
class Patience {
 public:
  explicit Patience(std::optional<Duration> budget) : budget_(budget) {}
  bool is_left() const {
    const bool is_over = budget_ && std::chrono::steady_clock::now() - began_ >= *budget_;
    return !is_over && !is_interrupted();
  }

 private:
  std::optional<Duration> budget_;
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

int interrupted_code() {
  return number(interrupted_by() == SIGTERM ? ExitCode::terminated : ExitCode::interrupted);
}

// Nothing, which has been said, if it does not fail; nor if it was interrupted.
std::optional<judge::Summary> play_failing(const SearchOptions& options, const scenario::Scenario& scenario,
                                           const char* verb) {
  play::PlayOptions play_options;
  play_options.is_interrupted = is_interrupted;
  judge::Summary summary = play::Run(scenario).finish(play_options);
  if (is_interrupted()) return std::nullopt;
  if (!judge::signatures_of(summary).empty()) return summary;
  print(stderr, fmt::format("kraftsim: with seed {} {} does not fail: there is nothing to {}\n"
                            "          kraftsim sweep {} finds seeds that do\n",
                            scenario.seed, scenario.name, verb, report::shell_word(options.file)));
  return std::nullopt;
}

}  // namespace

int pinpoint_command(const SearchOptions& options, const Terminal& terminal) {
  const Result<scenario::Scenario> scenario =
      scenario::load(options.file, options.overrides, options.strictness);
  if (!scenario) return refuse(scenario.problems(), terminal);
  listen_to_signals();
  const Patience patience(options.budget);
  const std::optional<judge::Summary> summary = play_failing(options, *scenario, "pinpoint");
  if (!summary) return is_interrupted() ? interrupted_code() : number(ExitCode::usage);
  search::PinpointSpec spec;
  spec.signature = judge::signatures_of(*summary).front();
  spec.jobs = options.jobs == 0 ? processors() : options.jobs;
  spec.goes_on = [&patience] { return patience.is_left(); };
  const search::Pinpointed found = search::pinpoint(*scenario, *summary, spec);
  const std::filesystem::path file = options.out.empty() ? std::filesystem::path("runs") / scenario->name /
                                                               fmt::format("pinpoint-{}.json", scenario->seed)
                                                         : std::filesystem::path(options.out);
  if (auto failed = sweep::write_whole(file, search::to_json(*scenario, spec, found)))
    return refuse({*failed}, terminal);
  print(stdout, search::to_text(*scenario, spec, found) +
                    fmt::format("a chart of it: kraftsim plot {}\n", report::shell_word(file.string())));
  return is_interrupted() ? interrupted_code() : number(ExitCode::held);
}

int blame_command(const SearchOptions& options, const Terminal& terminal) {
  const Result<scenario::Scenario> scenario =
      scenario::load(options.file, options.overrides, options.strictness);
  if (!scenario) return refuse(scenario.problems(), terminal);
  listen_to_signals();
  const Patience patience(options.budget);
  search::BlameSpec spec;
  spec.file = options.file;
  spec.overrides = options.overrides;
  spec.jobs = options.jobs == 0 ? processors() : options.jobs;
  spec.goes_on = [&patience] { return patience.is_left(); };
  const search::BlameReport report = search::blame(*scenario, spec);
  print(stdout, search::to_text(*scenario, report));
  return is_interrupted() ? interrupted_code() : number(ExitCode::held);
}

int shrink_command(const SearchOptions& options, const Terminal& terminal) {
  const Result<scenario::Scenario> scenario =
      scenario::load(options.file, options.overrides, options.strictness);
  if (!scenario) return refuse(scenario.problems(), terminal);
  listen_to_signals();
  const std::optional<judge::Summary> failing = play_failing(options, *scenario, "shrink");
  if (!failing) return is_interrupted() ? interrupted_code() : number(ExitCode::usage);
  const judge::Summary& summary = *failing;
  const Patience patience(options.budget);
  const bool is_shown = terminal.progress && !options.quiet;
  search::ShrinkOptions how;
  how.goes_on = [&](const search::ShrinkProgress& progress) {
    if (is_shown) {
      print(stderr, fmt::format("\r{} runs played · {} faults left\x1b[K", progress.plays, progress.faults));
      std::fflush(stderr);
    }
    return patience.is_left();
  };
  const auto shrunk = search::shrink(*scenario, summary, how);
  if (is_shown) print(stderr, "\r\x1b[K");
  const std::filesystem::path file = options.out.empty() ? std::filesystem::path("runs") / scenario->name /
                                                               fmt::format("shrunk-{}.yaml", scenario->seed)
                                                         : std::filesystem::path(options.out);
  if (auto failed = sweep::write_whole(file, shrunk->text())) return refuse({*failed}, terminal);
  print(stdout,
        shrunk->text() + fmt::format("\n{}: {} faults of {}, {} runs played, fails in the same way: {}\n"
                                     "kraftsim run {}\n",
                                     file.string(), shrunk->draft.below({"faults"}).size(),
                                     scenario->cluster.faults.size(), shrunk->plays,
                                     judge::text_of(shrunk->signature), report::shell_word(file.string())));
  if (!shrunk->is_smallest)
    print(stderr,
          "kraftsim: stopped before nothing more could be left out; the file may be shrunk further\n");
  return is_interrupted() ? interrupted_code() : number(ExitCode::held);
}

int compare_command(const CompareOptions& options, const Terminal& terminal) {
  const Result<sweep::Side> a = sweep::read_side(options.a);
  if (!a) return refuse(a.problems(), terminal);
  const Result<sweep::Side> b = sweep::read_side(options.b);
  if (!b) return refuse(b.problems(), terminal);
  const sweep::Comparison comparison = sweep::compare(*a, *b);
  if (comparison.pairs == 0) {
    print(stderr, "kraftsim: compare: " + options.a + " and " + options.b + " have no seed in common\n");
    return number(ExitCode::usage);
  }
  print(stdout, sweep::to_text(*a, *b, comparison));
  const std::vector<std::string> exceeded = sweep::beyond(comparison, options.tolerances);
  for (const std::string& one : exceeded) print(stdout, "x  " + one + "\n");
  if (!options.out.empty()) {
    if (auto failed = write_comparison_page(options, *a, *b, comparison, exceeded))
      return refuse({*failed}, terminal);
    print(stdout, "\n" + options.out + "\n");
  }
  return number(exceeded.empty() ? ExitCode::held : ExitCode::failed);
}

}  // namespace sim::app
