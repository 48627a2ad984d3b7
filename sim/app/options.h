#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "app/exit_code.h"
#include "app/init_answers.h"
#include "app/latency_file.h"
#include "app/plot.h"
#include "app/terminal.h"
#include "base/time.h"
#include "report/export.h"
#include "scenario/scenario.h"
#include "sweep/compare.h"
#include "sweep/seed_list.h"
#include "trace/event_log.h"

// The command line, read: one function, and the only one that knows CLI11.
namespace sim::app {

// Whose annotations are printed besides: --ci.
enum class CiSystem : std::uint8_t { none, github };

struct RunOptions {
  std::string file;
  std::vector<scenario::Override> overrides;  // --set and --seed, in the order given
  std::string out;                            // --out; empty = runs/<scenario>/<seed>
  std::optional<Duration> until;
  trace::Level trace = trace::Level::off;
  bool json = false;
  bool quiet = false;
  bool force = false;
  bool check_determinism = false;
  bool no_files = false;                                            // nothing is written
  scenario::Strictness strictness = scenario::Strictness::lenient;  // --strict
  CiSystem ci = CiSystem::none;
  std::int64_t watch_speed = 0;  // times real time; 0: nobody watches
};
struct CheckOptions {
  std::vector<std::string> files;
  std::vector<scenario::Override> overrides;
  bool resolve = false;
  scenario::Strictness strictness = scenario::Strictness::lenient;
  CiSystem ci = CiSystem::none;
};
inline constexpr const char* kCalibrationScenario = "@calibration";
struct CalibrateOptions {
  std::string file;  // measured latencies
  std::string scenario = kCalibrationScenario;
  std::vector<scenario::Override> overrides;
  LatencyFileFormat format;
};
struct InitOptions {
  std::string file = "scenario.yaml";
  InitAnswers answers;
  bool may_ask = false;  // nothing was answered by a flag
  bool force = false;
};
struct ImportOptions {
  std::vector<std::string> files;
  std::string out;  // empty: the scenario is printed
  bool force = false;
};
struct ListOptions {};
struct ExplainOptions {
  std::string topic;  // empty = an overview
};
struct SchemaOptions {};
struct ManualOptions {};
struct CompletionOptions {
  std::string shell;
};
struct VersionOptions {};
struct PlotOptions {
  PlotRequest request;
};
struct ExportOptions {
  report::ExportRequest request;
};
struct ReportOptions {
  std::string run;
  std::string out;  // --out; empty = report.html, or index.html, in the folder
};
struct ReplayOptions {
  std::string run;
  bool quiet = false;
};
struct SweepOptions {
  std::string file;
  std::vector<scenario::Override> overrides;
  scenario::Strictness strictness = scenario::Strictness::lenient;
  sweep::SeedList seeds;
  sweep::Shard shard;
  std::size_t jobs = 0;  // 0: as many as there are processors
  std::string matrix;
  std::uint64_t until_failures = 0;
  std::vector<std::string> required;  // situations that must have occurred
  std::optional<Duration> budget;     // of time on the wall
  std::string out;                    // empty = runs/<scenario>/sweep
  bool resume = false;
  bool force = false;
  bool json = false;
  bool quiet = false;
  CiSystem ci = CiSystem::none;
};
struct MergeOptions {
  std::vector<std::string> parts;
  std::string out;  // empty = runs/<scenario>/sweep
  bool force = false;
  bool json = false;
};
struct CompareOptions {
  std::string a, b;
  std::vector<sweep::Tolerance> tolerances;
  std::string out;  // the file of its page; empty = none
};
// Of one seed that fails: blame, shrink.
struct SearchOptions {
  std::string file;
  std::vector<scenario::Override> overrides;
  scenario::Strictness strictness = scenario::Strictness::lenient;
  std::size_t jobs = 0;            // of blame; 0: as many as there are processors
  std::optional<Duration> budget;  // of time on the wall
  // The file that is written; empty = runs/<scenario>/shrunk-<seed>.yaml of shrink, .../pinpoint-<seed>.json
  // of pinpoint
  std::string out;
  bool quiet = false;
};
struct ShrinkCommand {
  SearchOptions options;
};
struct BlameCommand {
  SearchOptions options;
};
struct PinpointCommand {
  SearchOptions options;
};
struct WhyOptions {
  std::string run;
  std::string order;
};
// Help was asked for, or something is wrong: there is nothing to do but to say so.
struct SayOptions {
  std::string text;
  ExitCode code = ExitCode::usage;
};

using Command =
    std::variant<SayOptions, RunOptions, CheckOptions, ReplayOptions, PlotOptions, ExportOptions,
                 ReportOptions, SweepOptions, MergeOptions, CompareOptions, ShrinkCommand, BlameCommand,
                 PinpointCommand, WhyOptions, CalibrateOptions, InitOptions, ImportOptions, ListOptions,
                 ExplainOptions, SchemaOptions, CompletionOptions, ManualOptions, VersionOptions>;

struct Options {
  Command command;
  ColorMode color = ColorMode::automatic;
};

Options parse_args(int argc, const char* const* argv);

// What there is to type, for the completion of shells and the manual page.
struct OptionWords {
  std::string flag;  // --trace
  std::string meaning;
  bool takes_value = false;
  std::vector<std::string> values{};  // if only these are allowed
  std::string value_name{};           // LEVEL; empty: it takes none
};
struct CommandWords {
  std::string name;
  std::string meaning;
  std::vector<OptionWords> options;
  std::vector<std::string> arguments{};  // if only these are allowed
  bool takes_files = false;
  std::string usage{};                                             // "kraftsim run FILE [options]"
  std::vector<std::pair<std::string, std::string>> positionals{};  // name and meaning
};
std::vector<CommandWords> command_words();

}  // namespace sim::app
