#pragma once

#include <filesystem>
#include <string>

#include "app/options.h"
#include "app/terminal.h"
#include "sweep/compare.h"
#include "sweep/result.h"

// The pages of runs, sweeps and comparisons, and `kraftsim report`, which writes them again.
namespace sim::app {

// Of the files in the folder of a run, whatever of them is there.
std::string page_of_run(const std::filesystem::path& folder);
// Writes report.html into the folder of a sweep.
std::optional<Problem> write_sweep_page(const std::filesystem::path& folder, const sweep::Results& results);
// `exceeded` are the tolerances that B is beyond, in words.
std::optional<Problem> write_comparison_page(const CompareOptions& options, const sweep::Side& a,
                                             const sweep::Side& b, const sweep::Comparison& comparison,
                                             const std::vector<std::string>& exceeded);

int report_command(const ReportOptions& options, const Terminal& terminal);

}  // namespace sim::app
