#pragma once

#include <optional>
#include <string>
#include <vector>

#include "judge/summary.h"

// By what failures of many runs are told apart: two runs with the same signature failed in the same way.
namespace sim::judge {

struct Signature {
  std::string what;     // the id of an expectation, or "invariant " and its name
  std::string anomaly;  // the verdict that goes with it: LOST(acked), DUP(effect), ...; empty: none
  std::string fault;    // the kind of the last fault that did something before; empty: none had

  auto operator<=>(const Signature&) const = default;
};

// "durable · LOST(acked) · after kill"
std::string text_of(const Signature& signature);

// When the first of what failed went wrong, as far as a verdict or an invariant tells; nothing if none does.
std::optional<Instant> failed_at(const Summary& summary);

// One for each expectation that failed and each invariant that was broken: invariants first, then in the
// order of the scenario. Empty if nothing failed.
std::vector<Signature> signatures_of(const Summary& summary);

}  // namespace sim::judge
