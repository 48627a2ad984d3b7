// Sessions of brokers: contact times, and nothing else.
#include "controller/heartbeat_tracker.h"

#include <doctest/doctest.h>

#include <set>

namespace sim::controller {
namespace {

constexpr Duration kSession = std::chrono::seconds(9);
constexpr HeartbeatTracker::Session kFirst{NodeId{1}, BrokerEpoch{5}};
constexpr HeartbeatTracker::Session kFirstAgain{NodeId{1}, BrokerEpoch{7}};
constexpr HeartbeatTracker::Session kSecond{NodeId{2}, BrokerEpoch{5}};
LocalTime after_ms(std::int64_t ms) {
  return LocalTime{from_millis(ms)};
}

TEST_CASE("a session lasts up to and including its timeout after the last contact") {
  Rng rng{1, "tracker"};
  HeartbeatTracker tracker(kSession);
  CHECK_FALSE(tracker.has_valid_session(kFirst, after_ms(0)));
  CHECK_FALSE(tracker.next_expiry());
  tracker.contacted(kFirst, after_ms(1'000));
  CHECK(tracker.has_valid_session(kFirst, after_ms(10'000)));
  CHECK_FALSE(tracker.take_expired(after_ms(10'000), rng));
  const LocalTime end = after_ms(10'000) + Duration{1};
  CHECK(tracker.next_expiry() == end);
  CHECK_FALSE(tracker.has_valid_session(kFirst, end));
  CHECK(tracker.take_expired(end, rng) == kFirst);
  CHECK_FALSE(tracker.take_expired(end, rng));
  CHECK_FALSE(tracker.next_expiry());
}

TEST_CASE("each registration of a broker has a session of its own") {
  Rng rng{1, "tracker"};
  HeartbeatTracker tracker(kSession);
  tracker.contacted(kFirst, after_ms(0));
  tracker.contacted(kFirstAgain, after_ms(8'000));
  CHECK(tracker.has_valid_session(kFirst, after_ms(9'000)));
  CHECK(tracker.take_expired(after_ms(9'001), rng) == kFirst);
  CHECK(tracker.has_valid_session(kFirstAgain, after_ms(9'001)));
  tracker.contacted(kFirstAgain, after_ms(9'500));  // a contact renews it
  CHECK(tracker.next_expiry() == after_ms(18'500) + Duration{1});
}

TEST_CASE("sessions that have expired are forgotten one at a time, in no fixed order") {
  std::set<HeartbeatTracker::Session> first_ones;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Rng rng{seed, "tracker"};
    HeartbeatTracker tracker(kSession);
    tracker.contacted(kFirst, after_ms(0));
    tracker.contacted(kSecond, after_ms(100));
    const auto first = tracker.take_expired(after_ms(20'000), rng);
    const auto second = tracker.take_expired(after_ms(20'000), rng);
    REQUIRE(first);
    REQUIRE(second);
    CHECK(*first != *second);
    first_ones.insert(*first);
  }
  CHECK(first_ones.size() == 2);
}

}  // namespace
}  // namespace sim::controller
