#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "app/commands.h"
#include "app/play.h"
#include "app/progress_line.h"
#include "app/recording.h"
#include "app/render_problems.h"
#include "app/say.h"
#include "cluster/cluster.h"
#include "report/console.h"
#include "report/json.h"
#include "report/words.h"
#include "scenario/scenario.h"
#include "scenario/units.h"

// `kraftsim run`: load, play, record, say.
namespace sim::app {
namespace {

std::string pasteable(const std::string& word) {
  const bool plain = word.find_first_of(" '\"\\$`!*?&|;<>(){}[]#~\n\t") == std::string::npos && !word.empty();
  if (plain) return word;
  return report::in_single_quotes(word);
}

// The command that shows this run again.
std::string repro(const RunOptions& options, const scenario::Scenario& scenario) {
  std::string command =
      "kraftsim run " + pasteable(options.file) + " --seed " + std::to_string(scenario.seed);
  for (const scenario::Override& override : options.overrides) {
    if (override.path != "seed") command += " --set " + pasteable(shown(override));
  }
  if (options.until) {
    command += " --until " + scenario::print_scalar(nanos(*options.until), scenario::UnitKind::duration);
  }
  return command;
}

RecordingOptions places(const RunOptions& options, const scenario::Scenario& scenario) {
  RecordingOptions places = default_places(scenario);
  if (!options.out.empty()) {
    places.folder = options.out;
    places.link.clear();
  }
  if (options.no_files) {
    places.folder.clear();
    places.link.clear();
  }
  places.trace = options.trace;
  places.force = options.force;
  return places;
}

// A bug of ours is told with where and when it struck.
[[noreturn]] void rethrow_with_place(const InternalError& bug, const cluster::Cluster& world,
                                     const std::string& command, std::uint64_t seed) {
  throw InternalError(fmt::format("{}\n  at {} ns of simulated time, event {}, seed {}\n  {}", bug.what(),
                                  nanos(world.now()), world.events_fired(), seed, command));
}

// Plays the scenario once more, unseen: its fingerprint must be the same.
bool is_repeated(const scenario::Scenario& scenario, const judge::RunEnd& end) {
  cluster::Cluster world(scenario.cluster);
  while (world.events_fired() < end.events && world.step()) {
  }
  world.end_faults();
  return world.events_fired() == end.events && world.fingerprint() == end.fingerprint;
}

}  // namespace

int run_command(const RunOptions& options, const Terminal& terminal) {
  const Result<scenario::Scenario> loaded =
      scenario::load(options.file, options.overrides, options.strictness);
  if (!loaded) return refuse(loaded.problems(), terminal);
  const scenario::Scenario& scenario = *loaded;
  if (!options.quiet) print(stderr, render_problems(loaded.problems(), terminal.color_err));

  cluster::Cluster world(scenario.cluster);
  Result<std::unique_ptr<Recording>> opened =
      Recording::open(scenario, world.names(), places(options, scenario));
  if (!opened) return refuse(opened.problems(), terminal);
  Recording& recording = **opened;
  world.observe(recording);
  listen_to_signals();

  const std::string command = repro(options, scenario);
  judge::RunEnd end;
  try {
    std::optional<ProgressLine> line;
    if (terminal.progress && !options.quiet) line.emplace();
    end = play(scenario, world, recording.record(), PlayOptions{options.until, line ? &*line : nullptr});
  } catch (const InternalError& bug) {
    rethrow_with_place(bug, world, command, scenario.seed);
  }
  end.repro = command;
  const bool repeated = !options.check_determinism || end.reason == judge::StopReason::interrupted ||
                        is_repeated(scenario, end);

  const Result<judge::Summary> finished = recording.finish(end);
  if (!finished) return refuse(finished.problems(), terminal);
  const judge::Summary& summary = *finished;
  if (options.json) {
    print(stdout, report::to_json(summary));
  } else if (!options.quiet) {
    print(stdout, report::to_text(summary, report::TextOptions{terminal.color_out, recording.wall_time(),
                                                               recording.folder().string()}));
  } else {
    print(stdout, report::verdict_line(summary, report::TextOptions{terminal.color_out}));
  }
  if (!repeated) {
    print(stderr, "kraftsim: played a second time, the same scenario and seed gave another fingerprint\n");
    return number(ExitCode::not_deterministic);
  }
  if (end.reason == judge::StopReason::interrupted) {
    return number(interrupted_by() == SIGTERM ? ExitCode::terminated : ExitCode::interrupted);
  }
  return judge::exit_code(summary);
}

}  // namespace sim::app
