#pragma once

#include "judge/evaluate.h"
#include "judge/measured_run.h"

namespace sim::judge {

// From the end of each strike of the fault until the condition holds, and goes on to hold for three seconds
// or to the end of the run; the longest counts.
Measured measure_recovery(const MeasuredRun& run, const Expectation& expectation);

}  // namespace sim::judge
