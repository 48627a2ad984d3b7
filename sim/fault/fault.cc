#include "fault/fault.h"

#include "base/overloaded.h"

namespace sim::fault {

const char* word(const Kind& kind) {
  return std::visit(Overloaded{
                        [](const Kill&) { return "kill"; },
                        [](const PowerLoss&) { return "powerloss"; },
                        [](const Stop&) { return "stop"; },
                        [](const Restart&) { return "restart"; },
                        [](const Pause&) { return "pause"; },
                        [](const Partition&) { return "partition"; },
                        [](const Delay&) { return "delay"; },
                        [](const Loss&) { return "loss"; },
                        [](const Hold&) { return "hold"; },
                    },
                    kind);
}

}  // namespace sim::fault
