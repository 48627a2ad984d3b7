#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "app/exit_code.h"
#include "app/latency_file.h"
#include "app/plot.h"
#include "app/terminal.h"
#include "base/time.h"
#include "report/export.h"
#include "scenario/scenario.h"
#include "trace/event_log.h"

// The command line, read: one function, and the only one that knows CLI11.
namespace sim::app {

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
};
struct CheckOptions {
  std::vector<std::string> files;
  std::vector<scenario::Override> overrides;
  bool resolve = false;
  scenario::Strictness strictness = scenario::Strictness::lenient;
};
inline constexpr const char* kCalibrationScenario = "@calibration";
struct CalibrateOptions {
  std::string file;  // measured latencies
  std::string scenario = kCalibrationScenario;
  std::vector<scenario::Override> overrides;
  LatencyFileFormat format;
};
struct ListOptions {};
struct ExplainOptions {
  std::string topic;  // empty = an overview
};
struct SchemaOptions {};
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
struct ReplayOptions {
  std::string run;
  bool quiet = false;
};
// Help was asked for, or something is wrong: there is nothing to do but to say so.
struct SayOptions {
  std::string text;
  ExitCode code = ExitCode::usage;
};

using Command = std::variant<SayOptions, RunOptions, CheckOptions, ReplayOptions, PlotOptions, ExportOptions,
                             CalibrateOptions, ListOptions, ExplainOptions, SchemaOptions, CompletionOptions,
                             VersionOptions>;

struct Options {
  Command command;
  ColorMode color = ColorMode::automatic;
};

Options parse_args(int argc, const char* const* argv);

// What there is to type, for the completion of shells.
struct OptionWords {
  std::string flag;  // --trace
  std::string meaning;
  bool takes_value = false;
  std::vector<std::string> values{};  // if only these are allowed
};
struct CommandWords {
  std::string name;
  std::string meaning;
  std::vector<OptionWords> options;
  std::vector<std::string> arguments{};  // if only these are allowed
  bool takes_files = false;
};
std::vector<CommandWords> command_words();

}  // namespace sim::app
