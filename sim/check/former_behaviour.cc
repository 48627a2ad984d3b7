#include "check/former_behaviour.h"

#include "history/table.h"

namespace sim::check {

FormerBehaviour former_behaviour(const History& history) {
  FormerBehaviour former;
  history::Unprevented unprevented = history::kNothing;
  for (const history::Switch& one : history::switches()) {
    for (const history::Behaviour& behaviour : one.behaviours) {
      if (!behaviour.is_at(history)) continue;
      unprevented |= behaviour.unprevented;
      if (!behaviour.excuse.empty())
        former.words += (former.words.empty() ? "" : ", ") + std::string(behaviour.excuse);
    }
  }
  former.exposes_below_min_isr = (unprevented & history::kExposesBelowMinIsr) != 0;
  former.exposes_uncovered = (unprevented & history::kExposesUncovered) != 0;
  former.knows_voters_by_id = (unprevented & history::kForgetsVotes) != 0;
  return former;
}

}  // namespace sim::check
