#pragma once

#include <string>

#include "history/history.h"

namespace sim::check {

// Behaviour of former times that is switched on, and what it no longer prevents. Losing what was
// acknowledged, and what follows from that, is among it whatever the behaviour.
struct FormerBehaviour {
  std::string words{};                 // empty: none
  bool exposes_below_min_isr = false;  // the high watermark advances whatever min.insync.replicas is
  bool knows_voters_by_id =
      false;  // a voter whose disk was wiped votes on: the quorum may forget what it committed
  bool exposes_uncovered = false;  // a member of the ISR may lack what is below the high watermark
};

// As the table of switches has it (history/table.h).
FormerBehaviour former_behaviour(const History& history);

}  // namespace sim::check
