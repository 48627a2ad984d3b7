#include "fault/fault.h"

#include "base/overloaded.h"

namespace sim::fault {

const char* word(const Kind& kind) {
  return std::visit(
      Overloaded{
          [](const Kill&) { return "kill"; },           [](const PowerLoss&) { return "powerloss"; },
          [](const Wipe&) { return "wipe"; },           [](const Stop&) { return "stop"; },
          [](const Restart&) { return "restart"; },     [](const Pause&) { return "pause"; },
          [](const Partition&) { return "partition"; }, [](const Delay&) { return "delay"; },
          [](const Loss&) { return "loss"; },           [](const Hold&) { return "hold"; },
          [](const Admin&) { return "admin"; },         [](const Bandwidth&) { return "bandwidth"; },
          [](const Reset&) { return "reset"; },         [](const IoDelay&) { return "io-delay"; },
          [](const IoError&) { return "io-error"; },    [](const DiskFull&) { return "disk-full"; },
          [](const SlowCpu&) { return "slow-cpu"; },    [](const TimeOffset&) { return "time-offset"; },
          [](const Drift&) { return "drift"; },         [](const Deploy&) { return "deploy"; },
      },
      kind);
}

}  // namespace sim::fault
