#pragma once

#include <string>

#include "judge/summary.h"

namespace sim::report {

// The bytes of summary.json, schema kraftsim-summary/1.
std::string to_json(const judge::Summary& summary);

}  // namespace sim::report
