#pragma once

#include "app/options.h"
#include "app/terminal.h"

// One function per command; what it returns is the exit code. Results go to stdout, all else to stderr.
namespace sim::app {

int run_command(const RunOptions& options, const Terminal& terminal);
int sweep_command(const SweepOptions& options, const Terminal& terminal);
int merge_command(const MergeOptions& options, const Terminal& terminal);
int compare_command(const CompareOptions& options, const Terminal& terminal);
int shrink_command(const SearchOptions& options, const Terminal& terminal);
int pinpoint_command(const SearchOptions& options, const Terminal& terminal);
int why_command(const WhyOptions& options, const Terminal& terminal);
int blame_command(const SearchOptions& options, const Terminal& terminal);
int replay_command(const ReplayOptions& options, const Terminal& terminal);
int check_command(const CheckOptions& options, const Terminal& terminal);
int plot_command(const PlotOptions& options, const Terminal& terminal);
int export_command(const ExportOptions& options, const Terminal& terminal);
int calibrate_command(const CalibrateOptions& options, const Terminal& terminal);
int init_command(const InitOptions& options, const Terminal& terminal);
int import_command(const ImportOptions& options, const Terminal& terminal);
int list_command(const Terminal& terminal);
int explain_command(const ExplainOptions& options, const Terminal& terminal);
int schema_command();
int manual_command();
int completion_command(const CompletionOptions& options);
int version_command();
int say_command(const SayOptions& options);

// The command the options hold.
int carry_out(const Options& options);

// The exit code of a command that is done: that it could not print all it had to say is an error of its own.
int after_output(int code);

}  // namespace sim::app
