// The controller's state machine of a broker's life.
#include "controller/broker_heartbeats.h"

#include <doctest/doctest.h>

namespace sim::controller {
namespace {

constexpr NodeId kOne{1};
constexpr NodeId kTwo{2};
constexpr NodeId kThree{3};

BrokerHeartbeatRequest heartbeat(Offset applied, bool want_fence, bool want_shut_down) {
  return {kOne, BrokerEpoch{5}, applied, want_fence, want_shut_down};
}

TEST_CASE("the table of states") {
  using enum BrokerState;
  constexpr Offset kRegisteredAt = 10;
  struct Row {
    BrokerState now;
    bool want_shut_down, want_fence, leads;
    Offset applied;
    BrokerState next;
  };
  const Row rows[] = {
      {fenced, true, false, false, 20, shutdown_now},
      {fenced, true, true, true, 20, shutdown_now},
      {fenced, false, false, false, 10, unfenced},
      {fenced, false, false, false, 9, fenced},
      {fenced, false, true, false, 20, fenced},
      {unfenced, true, true, true, 20, shutdown_now},
      {unfenced, false, true, true, 20, fenced},
      {unfenced, true, false, true, 20, controlled_shutdown},
      {unfenced, true, false, false, 20, shutdown_now},
      {unfenced, false, false, true, 20, unfenced},
      {controlled_shutdown, true, false, true, 20, controlled_shutdown},
      {controlled_shutdown, true, false, false, 20, shutdown_now},  // broker 2 has applied enough
      {controlled_shutdown, false, false, true, 20, controlled_shutdown},
      {controlled_shutdown, true, true, false, 20, shutdown_now},
  };
  for (const Row& row : rows) {
    CAPTURE(static_cast<int>(row.now));
    CAPTURE(row.want_shut_down);
    CAPTURE(row.want_fence);
    CAPTURE(row.leads);
    BrokerHeartbeats heartbeats;
    heartbeats.replayed(kOne, true);
    heartbeats.replayed(kTwo, true);
    heartbeats.touch(kTwo, false, 50);
    heartbeats.touch(kOne, row.now == fenced, 20);
    if (row.now == controlled_shutdown) heartbeats.enter_controlled_shutdown(kOne, 50);
    REQUIRE(heartbeats.state(kOne) == row.now);
    CHECK(heartbeats.next_state(heartbeat(row.applied, row.want_fence, row.want_shut_down), kRegisteredAt,
                                row.leads) == row.next);
  }
}

TEST_CASE("a broker that shuts down waits until every active broker knows") {
  BrokerHeartbeats heartbeats;
  for (const NodeId id : {kOne, kTwo, kThree}) {
    heartbeats.replayed(id, true);
    heartbeats.touch(id, false, 40);
  }
  heartbeats.enter_controlled_shutdown(kOne, 50);
  heartbeats.enter_controlled_shutdown(kOne, 60);  // the first one counts
  const auto next = [&] { return heartbeats.next_state(heartbeat(60, false, true), 10, false); };
  CHECK(next() == BrokerState::controlled_shutdown);
  heartbeats.touch(kTwo, false, 55);
  CHECK(next() == BrokerState::controlled_shutdown);
  heartbeats.touch(kThree, false, 49);
  CHECK(next() == BrokerState::controlled_shutdown);
  heartbeats.touch(kThree, false, 50);
  CHECK(next() == BrokerState::shutdown_now);
  heartbeats.touch(kThree, false, 10);
  heartbeats.fence(kThree);  // it counts no more
  CHECK(next() == BrokerState::shutdown_now);
}

TEST_CASE("fencing ends a controlled shutdown") {
  BrokerHeartbeats heartbeats;
  heartbeats.replayed(kOne, false);
  heartbeats.enter_controlled_shutdown(kOne, 5);
  CHECK(heartbeats.is_shutting_down(kOne));
  heartbeats.touch(kOne, true, 5);
  CHECK_FALSE(heartbeats.is_shutting_down(kOne));
  CHECK(heartbeats.state(kOne) == BrokerState::fenced);
}

}  // namespace
}  // namespace sim::controller
