#include "app/commands.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <variant>

#include "app/completion.h"
#include "app/explain.h"
#include "app/json_schema.h"
#include "app/list.h"
#include "app/manual.h"
#include "app/render_problems.h"
#include "app/report.h"
#include "app/say.h"
#include "base/overloaded.h"
#include "history/table.h"
#include "report/continuous_integration.h"
#include "report/version.h"
#include "report/why.h"

namespace sim::app {

namespace {

int print_result(const Result<std::string>& result, const Terminal& terminal) {
  if (!result) return refuse(result.problems(), terminal);
  print(stdout, *result);
  return number(ExitCode::held);
}

}  // namespace

int check_command(const CheckOptions& options, const Terminal& terminal) {
  bool failed = false;
  for (const std::string& file : options.files) {
    const Result<scenario::Scenario> scenario = scenario::load(file, options.overrides, options.strictness);
    tell(stderr, render_problems(scenario.problems(), terminal.color_err));
    if (options.ci == CiSystem::github) print(stdout, report::github_annotations(scenario.problems()));
    failed = failed || !scenario;
    if (scenario) print(stdout, options.resolve ? scenario->resolved_yaml : printable(file) + ": ok\n");
  }
  return number(failed ? ExitCode::usage : ExitCode::held);
}

int plot_command(const PlotOptions& options, const Terminal& terminal) {
  const Result<int> code = plot_runs(options.request);
  return code ? *code : refuse(code.problems(), terminal);
}

int export_command(const ExportOptions& options, const Terminal& terminal) {
  return print_result(report::export_run(options.request), terminal);
}

int why_command(const WhyOptions& options, const Terminal& terminal) {
  return print_result(report::why_of(options.run, options.order), terminal);
}

int list_command(const Terminal& terminal) {
  tell(stdout, list_scenarios("scenarios", terminal.color_out));
  return number(ExitCode::held);
}

int explain_command(const ExplainOptions& options, const Terminal& terminal) {
  const Result<std::string> text = explain(options.topic);
  if (!text) return refuse(text.problems(), terminal);
  tell(stdout, *text);
  return number(ExitCode::held);
}

int schema_command() {
  print(stdout, json_schema());
  return number(ExitCode::held);
}

int manual_command() {
  print(stdout, manual_page());
  return number(ExitCode::held);
}

int completion_command(const CompletionOptions& options) {
  print(stdout, completion_script(options.shell));
  return number(ExitCode::held);
}

int version_command() {
  print(stdout, fmt::format("kraftsim {}   behaves as Apache Kafka {} in KRaft mode, or as the release that "
                            "cluster.kafka names\n",
                            report::kVersion, history::text_of(kNewestKafka)));
  return number(ExitCode::held);
}

int say_command(const SayOptions& options) {
  tell(options.code == ExitCode::held ? stdout : stderr, printable(options.text));
  return number(options.code);
}

int after_output(int code) {
  errno = 0;
  if (std::fflush(stdout) != 0 && output_error() == 0) output_error() = errno == 0 ? EIO : errno;
  if (output_error() == 0) return code;
  std::fprintf(stderr, "kraftsim: what was to be printed could not be written: %s\n",
               std::strerror(output_error()));
  const bool is_about_the_run = code >= number(ExitCode::held) && code <= number(ExitCode::inconclusive);
  return is_about_the_run ? number(ExitCode::not_written) : code;
}

int carry_out(const Options& options) {
  const Terminal terminal = look_at_terminal(options.color);
  return std::visit(
      Overloaded{
          [](const SayOptions& command) { return say_command(command); },
          [&](const RunOptions& command) { return run_command(command, terminal); },
          [&](const CheckOptions& command) { return check_command(command, terminal); },
          [&](const ReplayOptions& command) { return replay_command(command, terminal); },
          [&](const PlotOptions& command) { return plot_command(command, terminal); },
          [&](const ExportOptions& command) { return export_command(command, terminal); },
          [&](const ReportOptions& command) { return report_command(command, terminal); },
          [&](const SweepOptions& command) { return sweep_command(command, terminal); },
          [&](const MergeOptions& command) { return merge_command(command, terminal); },
          [&](const CompareOptions& command) { return compare_command(command, terminal); },
          [&](const ShrinkCommand& command) { return shrink_command(command.options, terminal); },
          [&](const BlameCommand& command) { return blame_command(command.options, terminal); },
          [&](const PinpointCommand& command) { return pinpoint_command(command.options, terminal); },
          [&](const WhyOptions& command) { return why_command(command, terminal); },
          [&](const CalibrateOptions& command) { return calibrate_command(command, terminal); },
          [&](const InitOptions& command) { return init_command(command, terminal); },
          [&](const ImportOptions& command) { return import_command(command, terminal); },
          [&](const ListOptions&) { return list_command(terminal); },
          [&](const ExplainOptions& command) { return explain_command(command, terminal); },
          [](const SchemaOptions&) { return schema_command(); },
          [](const ManualOptions&) { return manual_command(); },
          [](const CompletionOptions& command) { return completion_command(command); },
          [](const VersionOptions&) { return version_command(); },
      },
      options.command);
}

}  // namespace sim::app
