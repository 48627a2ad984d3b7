#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"

namespace sim::report {

// The story of one order as text, a page at most: its stages, and between them what befell its partition and
// which faults lasted, then what was decisive. `which`: a number, FLOW/number, slowest, lost (the first that
// was lost) or duplicated (the first that is there, or was handled, twice).
Result<std::string> why_of(const std::filesystem::path& run, const std::string& which);

}  // namespace sim::report
