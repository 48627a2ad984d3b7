// The outages a quorum must survive, over sizes and seeds: every invariant after every event, then progress.
#include "raft/outages.h"

#include <doctest/doctest.h>

#include <string>

namespace sim::raft::test {
namespace outages_test {

constexpr std::uint64_t kSeeds = 12;

// Plays it for all sizes from `from` voters on.
template <class Play>
RareThings sweep(int from, int to, Play play, Offset snapshot_every = 0) {
  RareThings sums;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    for (int voters = from; voters <= to; ++voters) {
      WorldSpec spec;
      spec.seed = seed;
      spec.voters = voters;
      spec.observers = static_cast<int>((seed + static_cast<std::uint64_t>(voters)) % 6);
      spec.snapshot_every = snapshot_every;
      if (snapshot_every != 0) {
        spec.config.clean_interval = std::chrono::milliseconds(500);
        spec.config.retention_bytes = 30 << 20;
      }
      World world(spec);
      CAPTURE(seed);
      CAPTURE(voters);
      const bool survived = play(world);
      CHECK_MESSAGE(survived, told(world));
      CHECK(world.failures() == 0);
      sums.add(world);
    }
  }
  return sums;
}

TEST_CASE("a cold start: an initial leader is elected") {
  CHECK(sweep(1, 5, a_cold_start).elections >= 60);
}

TEST_CASE("the leader is shut down, and returns") {
  sweep(3, 5, [](World& world) { return loss_of_the_leader(world, Crash::kill, true); });
}

TEST_CASE("the leader is killed, and returns") {
  sweep(3, 5, [](World& world) { return loss_of_the_leader(world, Crash::kill, false); });
}

TEST_CASE("the leader loses power, and returns") {
  sweep(3, 5, [](World& world) { return loss_of_the_leader(world, Crash::power_loss, false); });
}

TEST_CASE("everyone is killed, a majority returns") {
  for (const std::size_t voters : {1u, 3u, 5u}) {
    const int n = static_cast<int>(voters);
    sweep(n, n, [voters](World& world) { return loss_of_everyone(world, voters, Crash::power_loss); });
  }
}

TEST_CASE("the leader is cut off") {
  const RareThings sums = sweep(3, 5, isolation_of_the_leader);
  CHECK(sums.truncations > 0);
  CHECK(sums.lost_majorities > 0);
  CHECK(sums.pre_votes_refused > 0);
}

TEST_CASE("two of five voters are cut off") {
  sweep(5, 5, split_with_a_majority);
}

TEST_CASE("a leader is cut off, then its successor") {
  sweep(3, 5, isolation_of_two_leaders_in_a_row);
}

TEST_CASE("a voter loses its disk") {
  for (const std::size_t voters : {3u, 5u}) {
    const int n = static_cast<int>(voters);
    sweep(n, n, [voters](World& world) { return loss_of_a_disk(world, voters); });
  }
}

TEST_CASE("snapshots replace the log, and whoever lags fetches them") {
  const auto lags = [](World& world) {
    if (!a_cold_start(world)) return false;
    const std::size_t behind = (*world.leader() + 1) % 3;
    world.crash(behind, Crash::kill);
    if (!world.run_for(std::chrono::seconds(3))) return false;
    world.restart(behind);
    const Offset goal = world.highest() + 10;
    return world.run_until([&] { return world.all_reached(goal); });
  };
  CHECK(sweep(3, 4, lags, 50).snapshots_fetched > 0);
}

}  // namespace outages_test
}  // namespace sim::raft::test
