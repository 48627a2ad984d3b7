#pragma once

#include "observe/fold.h"
#include "observe/leaders.h"
#include "observe/observation.h"

namespace sim::test {

// Tells folds what happened and what follows from it for who leads what, one fold after the other.
struct Teller {
  template <class... Folds>
  void operator()(const observe::Observation& seen, Folds&... folds) {
    const auto see = [&](const auto& one) { (observe::tell(folds, one, seen), ...); };
    std::visit(
        [&](const auto& fact) {
          see(fact);
          leaders.on(fact, seen, see);
        },
        seen.fact);
  }

  observe::Leaders leaders;
};

}  // namespace sim::test
