// The controller's state machine of a broker's life, and its sessions.
#include "controller/broker_heartbeats.h"

#include <doctest/doctest.h>

namespace sim::controller {
namespace {

constexpr NodeId kOne{1};
constexpr NodeId kTwo{2};
constexpr NodeId kThree{3};
constexpr Duration kTimeout = std::chrono::seconds(9);
LocalTime at_ms(std::int64_t ms) {
  return LocalTime{from_millis(ms)};
}

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
    BrokerHeartbeats heartbeats(kTimeout);
    heartbeats.replayed(kOne, true, at_ms(0));
    heartbeats.replayed(kTwo, true, at_ms(0));
    heartbeats.touch(kTwo, false, 50, at_ms(0));
    heartbeats.touch(kOne, row.now == fenced, 20, at_ms(0));
    if (row.now == controlled_shutdown) heartbeats.enter_controlled_shutdown(kOne, 50);
    REQUIRE(heartbeats.state(kOne) == row.now);
    CHECK(heartbeats.next_state(heartbeat(row.applied, row.want_fence, row.want_shut_down), kRegisteredAt,
                                row.leads) == row.next);
  }
}

TEST_CASE("a broker that shuts down waits until every active broker knows") {
  BrokerHeartbeats heartbeats(kTimeout);
  for (const NodeId id : {kOne, kTwo, kThree}) {
    heartbeats.replayed(id, true, at_ms(0));
    heartbeats.touch(id, false, 40, at_ms(0));
  }
  heartbeats.enter_controlled_shutdown(kOne, 50);
  heartbeats.enter_controlled_shutdown(kOne, 60);  // the first one counts
  const auto next = [&] { return heartbeats.next_state(heartbeat(60, false, true), 10, false); };
  CHECK(next() == BrokerState::controlled_shutdown);
  heartbeats.touch(kTwo, false, 55, at_ms(1));
  CHECK(next() == BrokerState::controlled_shutdown);
  heartbeats.touch(kThree, false, 49, at_ms(1));
  CHECK(next() == BrokerState::controlled_shutdown);
  heartbeats.touch(kThree, false, 50, at_ms(2));
  CHECK(next() == BrokerState::shutdown_now);
  heartbeats.touch(kThree, false, 10, at_ms(2));
  heartbeats.fence(kThree);  // it counts no more
  CHECK(next() == BrokerState::shutdown_now);
}

TEST_CASE("a session lasts up to and including its timeout after the last contact") {
  BrokerHeartbeats heartbeats(kTimeout);
  heartbeats.replayed(kOne, true, at_ms(0));
  CHECK_FALSE(heartbeats.has_valid_session(kOne, at_ms(0)));  // a fenced broker has none
  CHECK_FALSE(heartbeats.next_expiry());
  heartbeats.touch(kOne, false, 0, at_ms(1'000));
  CHECK(heartbeats.has_valid_session(kOne, at_ms(10'000)));
  CHECK_FALSE(heartbeats.stale_broker(at_ms(10'000)));
  const LocalTime end = at_ms(10'000) + Duration{1};
  CHECK(heartbeats.next_expiry() == end);
  CHECK_FALSE(heartbeats.has_valid_session(kOne, end));
  CHECK(heartbeats.stale_broker(end) == kOne);
  heartbeats.fence(kOne);
  CHECK_FALSE(heartbeats.stale_broker(end));
  CHECK_FALSE(heartbeats.next_expiry());
}

TEST_CASE("stale brokers are found one at a time, the longest silent first") {
  BrokerHeartbeats heartbeats(kTimeout);
  for (const NodeId id : {kOne, kTwo, kThree}) heartbeats.replayed(id, false, at_ms(0));
  heartbeats.touch(kOne, false, 0, at_ms(300));
  heartbeats.touch(kTwo, false, 0, at_ms(100));
  heartbeats.touch(kThree, false, 0, at_ms(200));
  CHECK(heartbeats.stale_broker(at_ms(20'000)) == kTwo);
  heartbeats.fence(kTwo);
  CHECK(heartbeats.stale_broker(at_ms(20'000)) == kThree);
  CHECK(heartbeats.next_expiry() == at_ms(9'200) + Duration{1});
}

TEST_CASE(
    "a registration starts a session if it is not fenced; every record of it counts as a sign of life") {
  BrokerHeartbeats heartbeats(kTimeout);
  heartbeats.replayed(kTwo, true, at_ms(0));
  CHECK_FALSE(heartbeats.next_expiry());
  heartbeats.replayed(kOne, false, at_ms(0));
  CHECK(heartbeats.next_expiry() == at_ms(9'000) + Duration{1});
  heartbeats.replayed(kOne, false, at_ms(10));
  CHECK(heartbeats.next_expiry() == at_ms(9'010) + Duration{1});
}

TEST_CASE("fencing ends a controlled shutdown") {
  BrokerHeartbeats heartbeats(kTimeout);
  heartbeats.replayed(kOne, false, at_ms(0));
  heartbeats.enter_controlled_shutdown(kOne, 5);
  CHECK(heartbeats.is_shutting_down(kOne));
  heartbeats.touch(kOne, true, 5, at_ms(1));
  CHECK_FALSE(heartbeats.is_shutting_down(kOne));
  CHECK(heartbeats.state(kOne) == BrokerState::fenced);
}

}  // namespace
}  // namespace sim::controller
