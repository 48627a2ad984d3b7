#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fault/fault.h"
#include "judge/measured_run.h"

// What became of each fault of a scenario: when it struck, whom, and what it did.
namespace sim::judge {

struct FaultReport {
  struct Strike {
    std::int64_t from_ns = 0;
    std::int64_t to_ns = 0;
    std::int64_t effect_to_ns = 0;  // when all was well again, or what its window ended by
    EffectEnd ends_by = EffectEnd::end_of_run;
    std::vector<std::string> touched;  // processes
    std::int64_t effects = 0;
    std::vector<std::string> refused{};  // of what an operator asked for: "orders-0: ELECTION_NOT_NEEDED"
    std::vector<std::string> missed{};   // of its targets: "leader(orders-0) was broker-2, which was down"
  };
  std::string name;
  std::string kind;    // kill, partition, ...
  std::string target;  // as the scenario has it: "leader(orders-0)", "broker-1 to controllers", "halves"
  std::string role;    // whom that means in words, where a process's name does not tell: "leader of orders-0"
  std::string unit;    // of effects: "process killed", "message dropped", ...
  bool may_miss = false;  // it need not have done anything
  std::vector<Strike> strikes;

  std::int64_t effects() const;
};

// In the order of the scenario, with the strikes that there were.
std::vector<FaultReport> report_faults(const fault::Schedule& schedule, const MeasuredRun& run);

// What ended the window of a strike, in words: "recovered", "next_strike", "grace", "end_of_run".
const char* name(EffectEnd end);

}  // namespace sim::judge
