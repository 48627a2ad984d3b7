#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "report/chart_names.h"

// `kraftsim plot`: runs the scripts under plots/, which read the files of a run and never simulate. The
// simulator itself knows nothing of drawing.
namespace sim::app {

struct PlotRequest {
  std::vector<std::filesystem::path> runs;
  std::vector<std::string> charts;   // empty = all
  std::vector<std::string> formats;  // empty = png and svg
};

// The charts of a run, in the order in which they are drawn.
using report::chart_names;
// With those of sweeps and of what `pinpoint` has found.
std::vector<std::string> every_chart_name();

// What the scripts are called with: sweeps, `SWEEP:CONFIGURATION` and files of `pinpoint` go to
// draw_sweeps.py, runs to draw.py. Fails if a run, chart or format is not one, or the scripts are not to be
// found.
Result<std::vector<std::string>> plot_command_line(const PlotRequest& request);

// Draws into RUN/charts/; what the scripts say goes to this program's own output. Their exit code.
Result<int> plot_runs(const PlotRequest& request);

// The folder plots/ that belongs to this program: beside or above its executable, else above the current
// folder.
std::optional<std::filesystem::path> find_plots();

}  // namespace sim::app
