#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "judge/signature.h"
#include "judge/summary.h"
#include "scenario/scenario.h"

// When a failure became certain. From copies of the world at several instants of a failing run, each goes on
// several times with other random numbers: of how many of these futures the failure is part. Where that share
// rises from what it was to all of them lies the moment that decided. What is drawn anew is the host's
// (wires, disks, threads, start times, the processes' own choices); customers and services go on as they were
// drawn.
namespace sim::search {

struct PinpointSpec {
  judge::Signature signature;
  std::uint32_t instants = 12;  // between the beginning and the end; more where the share rises
  std::uint32_t futures = 8;    // from each
  std::size_t jobs = 1;
  std::function<bool()> goes_on = [] { return true; };
};

struct Moment {
  Instant at{};
  std::uint32_t failed = 0;
  std::uint32_t of = 0;
};
struct Pinpointed {
  std::vector<Moment> moments;       // in order of time
  Instant not_yet{};                 // the last instant at which it could still end otherwise ...
  Instant certain{};                 // ... and the first from which on it could not
  std::vector<std::string> between;  // faults and verdicts there and shortly around, as lines
  struct FaultSpan {
    std::string name;
    Instant from{};
    Instant to{};
  };
  std::vector<FaultSpan> faults;  // as they struck in the run that failed
  Instant end{};                  // of that run
};

// REQUIRES: `summary` is of a run of the scenario, and failed in that way
Pinpointed pinpoint(const scenario::Scenario& scenario, const judge::Summary& summary,
                    const PinpointSpec& spec);

// The same for other programs (`kraftsim plot` draws it); schema kraftsim-pinpoint/1.
std::string to_json(const scenario::Scenario& scenario, const PinpointSpec& spec, const Pinpointed& found);

std::string to_text(const scenario::Scenario& scenario, const PinpointSpec& spec, const Pinpointed& found);

}  // namespace sim::search
