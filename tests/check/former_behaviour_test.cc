#include "check/former_behaviour.h"

#include <doctest/doctest.h>

#include "history/table.h"

namespace sim::check {
namespace {

TEST_CASE("what the invariants excuse follows from the switches") {
  const FormerBehaviour today = former_behaviour(History{});
  CHECK(today.words.empty());
  CHECK_FALSE(today.exposes_uncovered);
  CHECK_FALSE(today.exposes_below_min_isr);
  CHECK_FALSE(today.knows_voters_by_id);
  History history;
  history.directory_ids = false;
  CHECK(former_behaviour(history).words.empty());  // it is about the quorum, not about records
  CHECK(former_behaviour(history).knows_voters_by_id);
  history = History{};
  history.truncation = Truncation::epoch;
  history.isr_maximal = false;
  const FormerBehaviour former = former_behaviour(history);
  CHECK(former.words == "truncation by epoch without search, no maximal ISR");
  CHECK(former.exposes_uncovered);
  CHECK(former.exposes_below_min_isr);
  CHECK_FALSE(former.knows_voters_by_id);
  CHECK(former_behaviour(history::history_of({3, 6})).words ==
        "no eligible leader replicas, a high watermark that min.insync.replicas does not hold");
}

}  // namespace
}  // namespace sim::check
