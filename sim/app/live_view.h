#pragma once

#include <cstdint>
#include <optional>

#include "base/result.h"
#include "scenario/scenario.h"

// `kraftsim run --watch`: a run in a terminal, as it plays: faults, controller, leaders and ISRs, rates, lag;
// at a chosen speed, paused, a step back in time.
//
// What is watched is a world of its own, thrown away when the watching is over: nothing of it, neither when
// somebody paused nor that anybody looked, reaches the run that is played for the results, nor its files. A
// step back is a copy of the world and its record that was set aside when it was there; the copies far back
// lie further apart.
namespace sim::app {

inline constexpr std::int64_t kUsualSpeed = 10;  // times real time

// `until`: as the run will end; nothing: when all is settled. Fails if there is no terminal to watch in.
// Returns when the run has been seen to its end, or the reader had enough, or a signal arrived.
std::optional<Problem> watch_run(const scenario::Scenario& scenario, std::int64_t speed,
                                 std::optional<Duration> until);

}  // namespace sim::app
