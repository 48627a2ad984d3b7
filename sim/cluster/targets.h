#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/rng.h"
#include "cluster/process.h"
#include "cluster/roles.h"
#include "fault/fault.h"

// Whom a fault's targets mean, at the instant at which it strikes.
//
// A role is played by a process that is up: the leader of a partition that has died and is not replaced yet
// is nobody, and its role is missed. Whoever is called by name is meant whether up or down.
namespace sim::cluster {

// Whom fixed targets (fault::Fixed) mean, once their instant has come.
using FixedProcesses = std::map<std::string, std::vector<ProcessId>, std::less<>>;

struct Situation {
  const Processes& processes;
  const Roles& roles;
  const std::vector<bool>& up;  // by ProcessId
  const FixedProcesses& fixed;
};

// A target that means nobody who is up.
struct Miss {
  std::string role;               // as the scenario has it
  ProcessId player = kNoProcess;  // who has the role, and is down; none: nobody has it
};

struct Resolution {
  std::vector<ProcessId> processes;  // everyone once, in the order of the targets
  std::vector<Miss> missed;
};
Resolution resolve(const fault::Targets& targets, const Situation& situation, Rng& rng);

// All of a pool, in the order of their ids.
std::vector<ProcessId> pool_of(fault::Pool pool, const Processes& processes);

}  // namespace sim::cluster
