#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/rng.h"
#include "net/interference.h"
#include "protocol/ids.h"

// What a fault of the schedule is doing.
namespace sim::cluster {

// A process in one of its lives.
struct Life {
  ProcessId process = kNoProcess;
  Incarnation incarnation;
};

// One strike, from when it struck until it is undone. One that is never undone lasts until the next or until
// the run's end.
struct Strike {
  std::vector<ProcessId> touched;    // whom the targets meant
  std::vector<ProcessId> held_down;  // must not start while it lasts
  std::vector<net::Endpoint> powered_off;
  std::vector<net::Endpoint> clocks;  // put wrong
  std::vector<Life> paused;
  std::vector<Life> restarting;     // asked to stop; they start again
  std::optional<net::RuleId> rule;  // of the network
  bool is_undone = false;
  std::int64_t effects = 0;  // but for what the rule has counted
};

struct FaultState {
  Rng rng;
  std::uint32_t strikes = 0;
  std::optional<Strike> lasting{};
};

struct SlowedBy {  // a process's threads
  FaultId fault;
  std::int64_t factor = 1;
};

// Requests of one kind do not leave the sender's socket, nor what follows them on their connection.
struct HoldRule {
  FaultId fault;
  net::Pairs pairs;
  std::string message;  // Kafka's name of it: AlterPartitionRequest, ...
};

}  // namespace sim::cluster
