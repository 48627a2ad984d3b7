#pragma once

#include <vector>

#include "base/rng.h"
#include "cluster/process.h"
#include "cluster/roles.h"
#include "fault/fault.h"

// Whom a fault's targets mean, at the instant at which it strikes.
//
// A role is played by a process that is up: the leader of a partition that has died and is not replaced yet
// is nobody. Whoever is called by name is meant whether up or down.
namespace sim::cluster {

struct Situation {
  const Processes& processes;
  const Roles& roles;
  const std::vector<bool>& up;  // by ProcessId
};

// Everyone once, in the order of the targets.
std::vector<ProcessId> resolve(const fault::Targets& targets, const Situation& situation, Rng& rng);

// All of a pool, in the order of their ids.
std::vector<ProcessId> pool_of(fault::Pool pool, const Processes& processes);

}  // namespace sim::cluster
