#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "judge/signature.h"
#include "judge/summary.h"
#include "scenario/draft.h"
#include "scenario/scenario.h"

// Finds a smaller scenario that fails in the same way: fewer faults, expectations, clients, orders, servers
// and partitions, shorter faults, an earlier end. Delta debugging (Zeller and Hildebrandt 2002): whatever may
// be left out without the failure going away is left out, until nothing more may. Every attempt is a scenario
// of its own that is played from its beginning, so that the result runs by itself.
namespace sim::search {

struct ShrinkProgress {
  std::uint64_t plays = 0;
  std::size_t faults = 0;  // left
};

struct ShrinkOptions {
  std::uint64_t most_plays = 400;
  // Asked before each attempt. False: what has been found so far is the result.
  std::function<bool(const ShrinkProgress&)> goes_on = [](const ShrinkProgress&) { return true; };
};

struct Shrunk {
  scenario::Draft draft;   // without what says no more than the default
  judge::Summary summary;  // of its run
  judge::Signature signature;
  std::uint64_t plays = 0;
  bool is_smallest = false;  // nothing more may be left out; else it was stopped before

  // As a scenario's file, that begins with comments on what happens when.
  std::string text() const;
};

// Nothing, if the scenario does not fail. REQUIRES: summary is of its run
std::optional<Shrunk> shrink(const scenario::Scenario& scenario, const judge::Summary& summary,
                             const ShrinkOptions& options);

}  // namespace sim::search
