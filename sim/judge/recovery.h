#pragma once

#include "judge/evaluate.h"
#include "judge/measured_run.h"

namespace sim::judge {

// From the end of each strike of the fault until the condition holds for good: to the next strike of any
// fault, or to the end of the run. An effect that sets in late (a broker is missed when its session is over)
// counts, however well all looked when the fault ended. The longest counts.
Measured measure_recovery(const MeasuredRun& run, const Expectation& expectation);

}  // namespace sim::judge
