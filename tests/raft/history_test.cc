// What pre-vote, check-quorum, the high watermark in fetches and directory ids cured: each outage with and
// without.
#include <doctest/doctest.h>

#include <cstdlib>
#include <set>
#include <string>
#include <variant>

#include "raft/outages.h"

namespace sim::raft::test {
namespace history_test {

constexpr std::uint64_t kSeeds = 10;

WorldSpec spec_of(std::uint64_t seed, const History& history) {
  WorldSpec spec;
  spec.seed = seed;
  spec.history = history;
  spec.new_disks_are_known = history.directory_ids;
  return spec;
}
std::size_t led(World& world) {
  REQUIRE(a_cold_start(world));
  REQUIRE(world.run_until([&] { return world.leader().has_value(); }));
  return *world.leader();
}

// By how many epochs the quorum is further after a follower was away for a while. No other connection breaks:
// a voter that loses its leader's connection asks any other voter meanwhile (maybeSendFetchToBestNode), and
// one that asks the voter which is away hears nothing for the request's time-out, long enough to cost the
// leader its majority.
std::int32_t epochs_spent_on_a_return(std::uint64_t seed, bool pre_vote) {
  History history;
  history.pre_vote = pre_vote;
  WorldSpec spec = spec_of(seed, history);
  spec.resets_per_10000 = 0;
  World world(spec);
  const std::size_t leader = led(world);
  const QuorumEpoch before = world.replica(leader).epoch();
  world.isolate((leader + 1) % 3);
  CHECK(world.run_for(std::chrono::seconds(15)));
  CHECK(world.leader() == leader);
  world.heal();
  CHECK(world.run_for(std::chrono::seconds(10)));
  const Offset goal = world.highest() + 10;
  CHECK_MESSAGE(world.run_until([&] { return world.all_reached(goal); }), told(world));
  return world.replica(*world.leader()).epoch().value() - before.value();
}

TEST_CASE("pre-vote: who was cut off and returns does not depose the leader") {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    CAPTURE(seed);
    CHECK(epochs_spent_on_a_return(seed, true) == 0);
    CHECK(epochs_spent_on_a_return(seed, false) > 1);
  }
}

TEST_CASE("check-quorum: a leader that nobody hears resigns within one and a half fetch time-outs") {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    CAPTURE(seed);
    for (const bool check_quorum : {true, false}) {
      CAPTURE(check_quorum);
      History history;
      history.check_quorum = check_quorum;
      World world(spec_of(seed, history));
      const std::size_t old = led(world);
      const Instant cut_at = world.now();
      world.isolate(old);
      if (check_quorum) {
        CHECK(world.run_until([&] { return !world.replica(old).is_leader(); }));
        // Fetches that were parked count once more, when the next records release them.
        const Duration next_records = RaftConfig{}.append_linger + std::chrono::milliseconds(5);
        CHECK(world.now() - cut_at <= RaftConfig{}.fetch_timeout * 3 / 2 + next_records);
      }
      CHECK(world.run_for(std::chrono::seconds(30)));
      CHECK(world.replica(old).is_leader() == !check_quorum);  // the other one is of a later epoch
      world.heal();
      const Offset goal = world.highest() + 10;
      CHECK_MESSAGE(world.run_until([&] { return world.all_reached(goal); }), told(world));
      CHECK(world.leader() != old);
    }
  }
}

TEST_CASE("a fetch that waited in vain is no new sign of life") {
  WorldSpec spec = spec_of(1, History{});
  spec.append_pause = std::chrono::seconds(100);
  World world(spec);
  REQUIRE(world.run_until([&] { return world.leader() && world.all_reached(3); }));
  REQUIRE(world.run_for(std::chrono::seconds(2)));
  const std::size_t old = *world.leader();
  const Instant cut_at = world.now();
  world.isolate(old);
  CHECK(world.run_until([&] { return !world.replica(old).is_leader(); }));
  CHECK(world.now() - cut_at <= RaftConfig{}.fetch_timeout * 3 / 2);
}

// How long after its leader a follower knows that a record is committed, while nothing else is written.
Duration known_after(std::uint64_t seed, bool fetch_high_watermark) {
  History history;
  history.fetch_high_watermark = fetch_high_watermark;
  WorldSpec spec = spec_of(seed, history);
  spec.append_pause = std::chrono::seconds(2);
  spec.resets_per_10000 = 0;
  World world(spec);
  const std::size_t leader = led(world);
  const Offset before = world.high_watermark(leader);
  CHECK(world.run_until([&] { return world.high_watermark(leader) > before; }));
  const Offset now_committed = world.high_watermark(leader);
  const Instant at = world.now();
  CHECK(world.run_until([&] { return world.all_reached(now_committed); }));
  return world.now() - at;
}

TEST_CASE("KIP-1166: followers hear of a commit at once, not with what their next fetch brings") {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    CAPTURE(seed);
    CHECK(known_after(seed, true) < std::chrono::milliseconds(20));
    CHECK(known_after(seed, false) > RaftConfig{}.fetch_max_wait * 9 / 10);
  }
}

TEST_CASE("directory ids: an emptied disk elects nobody") {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    CAPTURE(seed);
    for (const bool directory_ids : {true, false}) {
      CAPTURE(directory_ids);
      History history;
      history.directory_ids = directory_ids;
      World world(spec_of(seed, history));
      const std::size_t leader = led(world);
      const std::size_t emptied = (leader + 1) % 3;
      const std::size_t behind = (leader + 2) % 3;
      world.isolate(behind);
      REQUIRE(world.run_for(std::chrono::seconds(2)));  // the other two commit
      world.crash(leader, Crash::kill);
      world.crash(emptied, Crash::wipe);
      world.restart(emptied);
      world.heal();
      const bool clean = world.run_for(std::chrono::seconds(20));
      if (directory_ids) {  // no majority: it waits for the one who knows
        CHECK_MESSAGE(clean, told(world));
        CHECK(!world.leader());
        world.restart(leader);
        const Offset goal = world.highest() + 10;
        CHECK_MESSAGE(world.run_until([&] { return world.all_reached(goal); }), told(world));
      } else {
        REQUIRE(world.invariants.broken());
        CHECK(world.invariants.violations().front().invariant == "committed-never-lost");
      }
    }
  }
}

TEST_CASE("in every age a quorum is safe, and lives when all return") {
  const std::uint64_t seeds = std::getenv("KRAFTSIM_SWEEP") != nullptr ? 100 : 3;
  for (int age = 0; age < 16; ++age) {
    CAPTURE(age);
    History history;
    history.pre_vote = (age & 1) != 0;
    history.check_quorum = (age & 2) != 0;
    history.fetch_high_watermark = (age & 4) != 0;
    history.directory_ids = (age & 8) != 0;
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
      CAPTURE(seed);
      WorldSpec spec = spec_of(seed, history);
      spec.voters = 3 + static_cast<int>(seed % 3);
      spec.observers = static_cast<int>(seed % 2);
      if (seed % 4 == 0) spec.delay_max = std::chrono::milliseconds(40);
      World world(spec);
      const bool survived = a_turmoil(world, static_cast<std::size_t>(spec.voters), 16);
      CHECK_MESSAGE(survived, told(world));
      CHECK(world.failures() == 0);
    }
  }
}

// KafkaRaftClient.pollCandidate up to 3.9: the election time-out, 1 to 2 s, then a back-off of at most 1 s.
TEST_CASE("without pre-vote a voter that is cut off campaigns again every 1 to 3 s") {
  History history;
  history.pre_vote = false;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    CAPTURE(seed);
    World world(spec_of(seed, history));
    const std::size_t follower = (led(world) + 1) % 3;
    world.isolate(follower);
    REQUIRE(
        world.run_until([&] { return std::holds_alternative<Candidate>(world.replica(follower).role()); }));
    const std::int32_t before = world.replica(follower).epoch().value();
    REQUIRE(world.run_for(std::chrono::seconds(60)));
    const std::int32_t risen = world.replica(follower).epoch().value() - before;
    CHECK(risen >= 20);
    CHECK(risen <= 60);
  }
}

// Since 4.0 (KIP-996) KafkaRaftClient.pollUnattachedAsVoter fetches from bootstrap servers.
TEST_CASE("a voter without a leader finds it before its election time-out") {
  History history;
  World world(spec_of(1, history));
  const std::size_t leader = led(world);
  const std::size_t follower = (leader + 1) % 3;
  const Offset goal = world.highest() + 5;
  REQUIRE(world.run_until([&] { return world.all_reached(goal); }));
  world.crash(follower, Crash::wipe);  // it does not even know the epoch
  world.restart(follower);
  REQUIRE(std::holds_alternative<Unattached>(world.replica(follower).role()));
  const Instant restarted = world.now();
  REQUIRE(world.run_until([&] { return world.replica(follower).leader() == world.key(leader).id; }));
  CHECK(world.now() - restarted < std::chrono::milliseconds(200));
}

TEST_CASE("in every role, of every age, a replica waits for a time as Kafka's does") {
  std::set<std::size_t> roles_seen;
  for (int age = 0; age < 4; ++age) {
    CAPTURE(age);
    History history;
    history.pre_vote = (age & 1) != 0;
    history.check_quorum = (age & 2) != 0;
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
      CAPTURE(seed);
      WorldSpec spec = spec_of(seed, history);
      spec.observers = 1;
      World world(spec);
      const std::size_t leader = led(world);
      world.isolate((leader + 1) % 3);  // campaigns, in vain
      REQUIRE(world.run_for(std::chrono::seconds(20)));
      world.isolate(leader);  // nobody can be elected
      REQUIRE(world.run_for(std::chrono::seconds(20)));
      world.shut_down((leader + 2) % 3);
      REQUIRE(world.run_for(std::chrono::seconds(10)));
      world.heal();
      REQUIRE(world.run_for(std::chrono::seconds(10)));
      CHECK(world.sleeping_roles() == std::set<std::size_t>{});
      const std::set<std::size_t>& seen = world.roles_seen();
      roles_seen.insert(seen.begin(), seen.end());
    }
  }
  CHECK(roles_seen.size() == std::variant_size_v<Role>);
}

}  // namespace history_test
}  // namespace sim::raft::test
