#pragma once

#include <filesystem>
#include <string>

#include "app/options.h"
#include "app/terminal.h"

namespace sim::app {

// The page of the run in this folder, from whatever of its files is there.
std::string page_of_run(const std::filesystem::path& folder);

int report_command(const ReportOptions& options, const Terminal& terminal);

}  // namespace sim::app
