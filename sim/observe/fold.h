#pragma once

#include "observe/observation.h"

// How a fold over observations is told a fact, or what follows from one (observe/leaders.h).
//
// A fold has a public on(fact) or on(fact, observation) for each kind of fact that it heeds. Which of them
// there are is known when this is compiled, so that one visit of a fact serves any number of folds, and a
// fact that nobody heeds costs no more than that visit.
namespace sim::observe {

template <class Fold, class F>
inline constexpr bool kHeedsWithPlace = requires(Fold& fold, const F& fact, const Observation& seen) {
  fold.on(fact, seen);
};
template <class Fold, class F>
inline constexpr bool kHeeds = kHeedsWithPlace<Fold, F> || requires(Fold& fold, const F& fact) {
  fold.on(fact);
};

// Does nothing if the fold does not heed it.
template <class Fold, class F>
void tell(Fold& fold, const F& fact, const Observation& seen) {
  if constexpr (kHeedsWithPlace<Fold, F>) {
    fold.on(fact, seen);
  } else if constexpr (kHeeds<Fold, F>) {
    fold.on(fact);
  }
}

// For a fold that stands alone.
template <class Fold>
void tell_fact(Fold& fold, const Observation& seen) {
  std::visit([&](const auto& fact) { tell(fold, fact, seen); }, seen.fact);
}

}  // namespace sim::observe
