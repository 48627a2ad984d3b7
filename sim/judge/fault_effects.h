#pragma once

#include <cstdint>

#include "judge/measured_run.h"

// When the effect of each strike was over: what it did does not end with it.
//
// A strike's effect lasts, from its end on, while anything is worse than when it struck: a partition has no
// leader or too few replicas in sync, a broker is fenced, and, looked at once a second, more orders are under
// way, or a group is further behind, than twice what had been usual before (and a little more than that, for
// what is hardly anything). It is over at the end of the first second from which nothing is: an effect may
// set in later than the strike ends (a broker is missed when its session is over). The next strike of any
// fault ends it, for what follows is that one's; so does the grace, after which what is still worse is no
// longer put down to the strike, and counts as steady.
namespace sim::judge {

inline constexpr std::int64_t kEffectGrace = 60'000'000'000;  // ns from the end of a strike

// Fills in when and why the effects of the run's faults ended. REQUIRES: the rest of `run` is filled in
void find_fault_effects(MeasuredRun& run);

}  // namespace sim::judge
