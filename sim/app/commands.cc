#include "app/commands.h"

#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <variant>

#include "app/completion.h"
#include "app/explain.h"
#include "app/json_schema.h"
#include "app/list.h"
#include "app/render_problems.h"
#include "app/say.h"
#include "base/overloaded.h"
#include "report/version.h"

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
    print(stderr, render_problems(scenario.problems(), terminal.color_err));
    failed = failed || !scenario;
    if (scenario) print(stdout, options.resolve ? scenario->resolved_yaml : file + ": ok\n");
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

int list_command(const Terminal& terminal) {
  print(stdout, list_scenarios("scenarios", terminal.color_out));
  return number(ExitCode::held);
}

int explain_command(const ExplainOptions& options, const Terminal& terminal) {
  return print_result(explain(options.topic), terminal);
}

int schema_command() {
  print(stdout, json_schema());
  return number(ExitCode::held);
}

int completion_command(const CompletionOptions& options) {
  print(stdout, completion_script(options.shell));
  return number(ExitCode::held);
}

int version_command() {
  print(stdout, fmt::format("kraftsim {}   behaves as Apache Kafka 4.1 in KRaft mode\n", report::kVersion));
  return number(ExitCode::held);
}

int say_command(const SayOptions& options) {
  print(options.code == ExitCode::held ? stdout : stderr, options.text);
  return number(options.code);
}

int carry_out(const Options& options) {
  const Terminal terminal = look_at_terminal(options.color);
  return std::visit(Overloaded{
                        [](const SayOptions& command) { return say_command(command); },
                        [&](const RunOptions& command) { return run_command(command, terminal); },
                        [&](const CheckOptions& command) { return check_command(command, terminal); },
                        [&](const ReplayOptions& command) { return replay_command(command, terminal); },
                        [&](const PlotOptions& command) { return plot_command(command, terminal); },
                        [&](const ExportOptions& command) { return export_command(command, terminal); },
                        [&](const CalibrateOptions& command) { return calibrate_command(command, terminal); },
                        [&](const ListOptions&) { return list_command(terminal); },
                        [&](const ExplainOptions& command) { return explain_command(command, terminal); },
                        [](const SchemaOptions&) { return schema_command(); },
                        [](const CompletionOptions& command) { return completion_command(command); },
                        [](const VersionOptions&) { return version_command(); },
                    },
                    options.command);
}

}  // namespace sim::app
