#pragma once

#include <string>

#include "judge/charts.h"

namespace sim::report {

// The bytes of charts.json, schema kraftsim-charts/1: what plots/ and a report draw from. Times are
// nanoseconds; null where nothing can be said.
std::string charts_json(const judge::Charts& charts);

}  // namespace sim::report
