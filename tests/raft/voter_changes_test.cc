// Voters come and go (KIP-853), one at a time, with every invariant after every event.
#include <doctest/doctest.h>

#include <cstdlib>
#include <string>

#include "raft/outages.h"

namespace sim::raft::test {
namespace {

WorldSpec spec_of(int voters, int observers, std::uint64_t seed = 1) {
  WorldSpec spec;
  spec.seed = seed;
  spec.voters = voters;
  spec.observers = observers;
  spec.new_disks_are_known = true;
  spec.all_are_bootstrap_servers = true;
  return spec;
}

ErrorCode error_of(const Message& answer) {
  if (const auto* add = std::get_if<AddRaftVoterResponse>(&answer)) return add->error;
  return std::get<RemoveRaftVoterResponse>(answer).error;
}

// Asks the leader, and waits for what it says.
std::optional<ErrorCode> asked(World& world, Message request) {
  if (!world.run_until([&] { return world.leader().has_value(); })) return std::nullopt;
  const std::size_t before = world.answers.size();
  world.ask(*world.leader(), std::move(request));
  if (!world.run_until([&] { return world.answers.size() > before; })) return std::nullopt;
  return error_of(world.answers.back());
}
std::optional<ErrorCode> add(World& world, std::size_t who) {
  return asked(world, AddRaftVoterRequest{world.as_voter(who)});
}
// As an administrator does whom a time-out does not stop.
std::optional<ErrorCode> add_at_last(World& world, std::size_t who) {
  for (int attempt = 0; attempt < 5; ++attempt) {
    const auto error = add(world, who);
    if (error != ErrorCode::request_timed_out) return error;
    if (!world.run_for(std::chrono::seconds(1))) return std::nullopt;
  }
  return ErrorCode::request_timed_out;
}
std::optional<ErrorCode> remove(World& world, const ReplicaKey& who) {
  return asked(world, RemoveRaftVoterRequest{who});
}

bool everyone_progresses(World& world) {
  const Offset goal = world.highest() + 10;
  return world.run_until([&] { return world.all_reached(goal); });
}
bool all_see_voters(World& world, std::size_t n) {
  return world.run_until([&] {
    for (std::size_t i = 0; i < world.size(); ++i) {
      if (world.is_up(i) && world.replica(i).voters().size() != n) return false;
    }
    return true;
  });
}
std::size_t some_follower(const World& world, std::size_t voters) {
  for (std::size_t i = 0; i < voters; ++i) {
    if (world.is_up(i) && i != world.leader()) return i;
  }
  return 0;
}

TEST_CASE("the first leader writes the configured voters into the log") {
  World world(spec_of(3, 1));
  REQUIRE(a_cold_start(world));
  for (std::size_t i = 0; i < world.size(); ++i) CHECK(world.replica(i).log().voters_offset() == 3);
}

TEST_CASE("a caught-up observer becomes a voter, and then it counts") {
  World world(spec_of(1, 1));
  REQUIRE(a_cold_start(world));
  CHECK(!world.replica(1).is_voter());
  CHECK(add_at_last(world, 1) == ErrorCode::none);
  CHECK(all_see_voters(world, 2));
  CHECK(world.replica(1).is_voter());
  world.crash(1, Crash::kill);  // of two voters both are a majority
  const Offset stuck = world.highest();
  CHECK(world.run_for(std::chrono::seconds(2)));
  CHECK(world.highest() <= stuck + 100);
  const Offset still = world.highest();
  CHECK(world.run_for(std::chrono::seconds(1)));
  CHECK(world.highest() == still);
  world.restart(1);
  CHECK_MESSAGE(everyone_progresses(world), told(world));
  // Nor does a leader of two stay one alone, which a sole voter does for ever.
  REQUIRE(world.run_until([&] { return world.leader().has_value(); }));
  const std::size_t leader = *world.leader();
  world.crash(1 - leader, Crash::kill);
  const Instant at = world.now();
  CHECK(world.run_until([&] { return !world.replica(leader).is_leader(); }));
  CHECK(world.now() - at < std::chrono::milliseconds(3100));
}

TEST_CASE("what a leader says to a change of voters") {
  struct Row {
    const char* what;
    Message (*request)(const World&);
    ErrorCode error;
  };
  const Row rows[] = {
      {"a voter is added again",
       [](const World& world) -> Message { return AddRaftVoterRequest{world.as_voter(0)}; },
       ErrorCode::duplicate_voter},
      {"a voter's id on another disk is added",
       [](const World& world) -> Message {
         return AddRaftVoterRequest{QuorumVoter{{world.key(0).id, DirectoryId{77}}, ProcessId{0}}};
       },
       ErrorCode::duplicate_voter},
      {"no directory id is told",
       [](const World& world) -> Message {
         return AddRaftVoterRequest{QuorumVoter{{world.key(3).id, kNoDirectory}, ProcessId{3}}};
       },
       ErrorCode::invalid_request},
      {"no endpoint is told",
       [](const World& world) -> Message {
         return AddRaftVoterRequest{QuorumVoter{world.key(3), kNoProcess}};
       },
       ErrorCode::invalid_request},
      {"the new voter never fetched",
       [](const World& world) -> Message {
         return AddRaftVoterRequest{QuorumVoter{{NodeId{9}, DirectoryId{9}}, world.as_voter(3).endpoint}};
       },
       ErrorCode::request_timed_out},
      {"an observer is removed",
       [](const World& world) -> Message { return RemoveRaftVoterRequest{world.key(3)}; },
       ErrorCode::voter_not_found},
      {"a voter is removed, but its disk is another one",
       [](const World& world) -> Message {
         return RemoveRaftVoterRequest{ReplicaKey{world.key(0).id, DirectoryId{77}}};
       },
       ErrorCode::voter_not_found},
      {"a voter is removed, without directory id",
       [](const World& world) -> Message {
         return RemoveRaftVoterRequest{ReplicaKey{world.key(0).id, kNoDirectory}};
       },
       ErrorCode::invalid_request},
  };
  World world(spec_of(3, 1));
  REQUIRE(a_cold_start(world));
  for (const Row& row : rows) {
    const std::string what = row.what;
    CAPTURE(what);
    CHECK(asked(world, row.request(world)) == row.error);
    CHECK(world.replica(*world.leader()).voters().size() == 3);
  }
  world.ask(some_follower(world, 3), RemoveRaftVoterRequest{world.key(0)});
  CHECK(error_of(world.answers.back()) == ErrorCode::not_leader_or_follower);
}

TEST_CASE("before directory ids voters do not change") {
  WorldSpec spec = spec_of(3, 1);
  spec.history.directory_ids = false;
  World world(spec);
  REQUIRE(a_cold_start(world));
  CHECK(add(world, 3) == ErrorCode::unsupported_version);
  CHECK(remove(world, world.key(0)) == ErrorCode::unsupported_version);
}

TEST_CASE("who cannot be reached or lags is not added") {
  World world(spec_of(3, 1));
  REQUIRE(a_cold_start(world));
  world.crash(3, Crash::kill);
  CHECK(add(world, 3) == ErrorCode::request_timed_out);
  world.crash(*world.leader(), Crash::kill);  // the next leader has never heard of it
  REQUIRE(world.run_until([&] { return world.leader().has_value(); }));
  world.restart(3);
  for (std::size_t i = 0; i < 3; ++i) world.cut(3, i);  // it is reached, and does not fetch
  CHECK(add(world, 3) == ErrorCode::request_timed_out);
  CHECK(world.replica(*world.leader()).voters().size() == 3);
  world.heal();
  CHECK(world.run_for(std::chrono::seconds(5)));
  CHECK(add_at_last(world, 3) == ErrorCode::none);
}

TEST_CASE("a leader removes itself, leads until that is committed, and leaves") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    CAPTURE(seed);
    World world(spec_of(3, 1, seed));
    REQUIRE(a_cold_start(world));
    REQUIRE(world.run_until([&] { return world.leader().has_value(); }));
    const std::size_t old = *world.leader();
    const QuorumEpoch led = world.replica(old).epoch();
    CHECK(remove(world, world.key(old)) == ErrorCode::none);
    CHECK(world.run_until([&] { return world.leader() && world.leader() != old; }));
    CHECK(world.replica(*world.leader()).epoch() > led);
    CHECK_MESSAGE(everyone_progresses(world), told(world));
    CHECK(!world.replica(old).is_voter());
    // It follows, and asks for no election.
    const QuorumEpoch now = world.replica(*world.leader()).epoch();
    world.isolate(old);
    CHECK(world.run_for(std::chrono::seconds(10)));
    world.heal();
    CHECK(world.run_for(std::chrono::seconds(10)));
    CHECK(world.replica(*world.leader()).epoch() == now);
    CHECK_MESSAGE(everyone_progresses(world), told(world));
  }
}

TEST_CASE("a voter whose disk was replaced is an observer until it is removed and added") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    CAPTURE(seed);
    World world(spec_of(3, 0, seed));
    REQUIRE(a_cold_start(world));
    REQUIRE(world.run_until([&] { return world.leader().has_value(); }));
    const std::size_t victim = some_follower(world, 3);
    const ReplicaKey lost = world.key(victim);
    world.crash(victim, Crash::wipe);
    world.restart(victim);
    CHECK(world.key(victim) != lost);
    CHECK_MESSAGE(everyone_progresses(world), told(world));
    CHECK(!world.replica(victim).is_voter());
    CHECK(add(world, victim) == ErrorCode::duplicate_voter);
    // What it holds does not count: without the other follower there is no majority.
    const std::size_t other = 3 - victim - *world.leader();
    world.cut(other, *world.leader());
    REQUIRE(world.run_for(std::chrono::milliseconds(200)));
    const Offset stuck = world.highest();
    REQUIRE(world.run_for(std::chrono::milliseconds(500)));
    CHECK(world.highest() == stuck);
    world.heal();
    CHECK_MESSAGE(everyone_progresses(world), told(world));
    CHECK(remove(world, lost) == ErrorCode::none);
    CHECK(add_at_last(world, victim) == ErrorCode::none);
    CHECK(world.run_until([&] { return world.replica(victim).is_voter(); }));
    CHECK(all_see_voters(world, 3));
    world.crash(other, Crash::kill);  // now it is needed
    CHECK_MESSAGE(everyone_progresses(world), told(world));
  }
}

TEST_CASE("one change at a time; what cannot be committed times out") {
  World world(spec_of(3, 2));
  REQUIRE(a_cold_start(world));
  REQUIRE(world.run_until([&] { return world.leader().has_value(); }));
  const std::size_t leader = *world.leader();
  for (std::size_t i = 0; i < 3; ++i) {
    if (i != leader) world.isolate(i);
  }
  const Instant asked_at = world.now();
  world.ask(leader, AddRaftVoterRequest{world.as_voter(3)});
  CHECK(world.run_for(std::chrono::milliseconds(100)));
  CHECK(world.answers.empty());
  CHECK(world.replica(leader).voters().size() == 4);  // counts from its appending on
  world.ask(leader, AddRaftVoterRequest{world.as_voter(4)});
  REQUIRE(world.answers.size() == 1);
  CHECK(error_of(world.answers.back()) == ErrorCode::request_timed_out);
  REQUIRE(world.run_until([&] { return world.answers.size() == 2; }));
  CHECK(error_of(world.answers.back()) == ErrorCode::request_timed_out);
  const Duration waited = world.now() - asked_at;
  CHECK(waited >= RaftConfig{}.request_timeout);
  CHECK(waited < RaftConfig{}.request_timeout + std::chrono::milliseconds(50));
  world.heal();
  CHECK_MESSAGE(everyone_progresses(world), told(world));
}

// Changes at random while voters are killed and cut off. Voters by what their logs say.
bool a_coming_and_going(World& world) {
  Rng& rng = world.rng();
  for (int round = 0; round < 20; ++round) {
    const std::size_t who = rng.below(world.size());
    if (const auto leader = world.leader()) {
      const VoterSet voters = world.replica(*leader).voters();
      if (voters.find(world.key(who).id) == nullptr) {
        world.ask(*leader, AddRaftVoterRequest{world.as_voter(who)});
      } else if (voters.size() > 2) {
        world.ask(*leader, RemoveRaftVoterRequest{voters.find(world.key(who).id)->key});
      }
    }
    if (!world.run_for(from_millis(rng.between(1, 300)))) return false;
    const std::size_t victim = rng.below(world.size());
    switch (rng.below(6)) {
      case 0:
        if (world.is_up(victim)) world.crash(victim, Crash::kill);
        break;
      case 1:
        if (world.is_up(victim)) world.crash(victim, Crash::power_loss);
        break;
      case 2: world.isolate(victim); break;
      default:
        world.heal();
        for (std::size_t i = 0; i < world.size(); ++i) {
          if (!world.is_up(i)) world.restart(i);
        }
    }
    if (!world.run_for(from_millis(rng.between(1, 1500)))) return false;
  }
  world.heal();
  for (std::size_t i = 0; i < world.size(); ++i) {
    if (!world.is_up(i)) world.restart(i);
  }
  return everyone_progresses(world);
}

TEST_CASE("voters come and go while others fail") {
  const std::uint64_t seeds = std::getenv("KRAFTSIM_SWEEP") != nullptr ? 300 : 30;
  std::int64_t changes = 0;
  std::int64_t done = 0;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    CAPTURE(seed);
    WorldSpec spec = spec_of(3, 3, seed);
    if (seed % 3 == 0) spec.snapshot_every = 200;
    World world(spec);
    const bool survived = a_coming_and_going(world);
    CHECK_MESSAGE(survived, told(world));
    CHECK(world.failures() == 0);
    changes += world.invariants.counts().voter_changes;
    for (const Message& answer : world.answers) done += error_of(answer) == ErrorCode::none ? 1 : 0;
  }
  CHECK(changes > 0);
  CHECK(done > static_cast<std::int64_t>(seeds));
}

}  // namespace
}  // namespace sim::raft::test
