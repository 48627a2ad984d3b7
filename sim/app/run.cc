#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "app/command_line.h"
#include "app/commands.h"
#include "app/first_difference.h"
#include "app/live_view.h"
#include "app/program_name.h"
#include "app/progress_line.h"
#include "app/recording.h"
#include "app/render_problems.h"
#include "app/say.h"
#include "app/signals.h"
#include "base/human.h"
#include "cluster/cluster.h"
#include "play/play.h"
#include "play/run_plan.h"
#include "play/twin.h"
#include "report/console.h"
#include "report/continuous_integration.h"
#include "report/json.h"
#include "scenario/scenario.h"
#include "scenario/units.h"

// `kraftsim run`: load, play, record, say.
namespace sim::app {
namespace {

// What runs a scenario again: its file as it was typed, for the screen, or by its name alone, for files,
// which must not depend on where they were made.
std::string repro(const RunOptions& options, const scenario::Scenario& scenario, const std::string& file) {
  std::string command = command_line("run", file, scenario.seed, options.overrides);
  if (options.until)
    command += " --until " + scenario::print_scalar(nanos(*options.until), scenario::UnitKind::duration);
  if (options.strictness == scenario::Strictness::strict) command += " --strict";
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

// Two worlds of one scenario and seed that do not agree.
std::string told_apart(const play::TwinDifference& difference) {
  return fmt::format(
             "NOT DETERMINISTIC  played side by side, two worlds of this scenario and seed differ in {} "
             "from event {} on, at {} s\n",
             difference.what, difference.event, fixed(nanos(difference.at) / 1'000, 6)) +
         difference_text("one world", difference.first, "the other", difference.second, difference.before);
}

}  // namespace

int run_command(const RunOptions& options, const Terminal& terminal) {
  const Result<scenario::Scenario> loaded =
      scenario::load(options.file, options.overrides, options.strictness);
  if (options.ci == CiSystem::github) print(stdout, report::github_annotations(loaded.problems()));
  if (!loaded) return refuse(loaded.problems(), terminal);
  const scenario::Scenario& scenario = *loaded;
  if (!options.quiet) tell(stderr, render_problems(loaded.problems(), terminal.color_err));

  if (options.watch_speed > 0) {
    listen_to_signals();
    if (const auto cannot = watch_run(scenario, options.watch_speed, options.until))
      return refuse({*cannot}, terminal);
  }
  cluster::Cluster world(scenario.cluster);
  Result<std::unique_ptr<Recording>> opened =
      Recording::open(scenario, world.names(), places(options, scenario));
  if (!opened) return refuse(opened.problems(), terminal);
  Recording& recording = **opened;
  world.observe(recording);
  listen_to_signals();

  const std::string command = repro(options, scenario, options.file);
  std::optional<play::Twin> twin;
  if (options.check_determinism) twin.emplace(scenario, world, options.until);
  judge::RunEnd end;
  try {
    std::optional<ProgressLine> line;
    if (terminal.progress && !options.quiet) line.emplace();
    end = play::play_to_end(
        scenario, world, recording.record(),
        play::PlayOptions{options.until, line ? &*line : nullptr, is_interrupted, twin ? &*twin : nullptr});
  } catch (const InternalError& bug) {
    rethrow_with_place(bug, world, command, scenario.seed);
  }
  end.repro = repro(options, scenario, play::file_name_of(options.file));

  const judge::Summary summary = recording.finish(end);
  report::TextOptions text{terminal.color_out, std::nullopt, {}, command};
  if (options.json) {
    print(stdout, report::to_json(summary));
  } else if (!options.quiet) {
    text.wall = recording.wall_time();
    if (!recording.not_written()) text.folder = recording.folder().string();
    tell(stdout, report::to_text(summary, text));
  } else {
    print(stdout, report::verdict_line(summary, text));
  }
  if (options.ci == CiSystem::github) print(stdout, report::github_annotations(summary, options.file));
  if (recording.not_written()) tell(stderr, render_problems({*recording.not_written()}, terminal.color_err));
  if (twin && twin->difference()) {
    print(stderr, told_apart(*twin->difference()));
    return number(ExitCode::not_deterministic);
  }
  if (end.reason == judge::StopReason::interrupted) {
    return number(interrupted_by() == SIGTERM ? ExitCode::terminated : ExitCode::interrupted);
  }
  return recording.not_written() ? number(ExitCode::not_written) : judge::exit_code(summary);
}

}  // namespace sim::app
