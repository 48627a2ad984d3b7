#pragma once

#include <cstdint>

#include "base/time.h"
#include "observe/fact.h"

namespace sim::observe {

// One fact at its place in the run. `seq` is the number of the event being handled; `cause` the
// number of the event whose handling scheduled that one (0 = the start of the run). Facts of one
// event are observed in the order in which they became true.
struct Observation {
  Instant at;
  std::uint64_t seq = 0;
  std::uint64_t cause = 0;
  ProcessId process = kNoProcess;
  Incarnation incarnation;
  const Fact& fact;
};

class Observer {
 public:
  virtual ~Observer() = default;
  virtual void on(const Observation& observation) = 0;
  // The host builds message-level facts (MessageSent, MessageDelivered, ...) only if someone wants them.
  virtual bool wants_messages() const { return false; }
};

}  // namespace sim::observe
