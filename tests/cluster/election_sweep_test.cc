// Elections of a whole cluster, seed after seed: the active controller is killed, loses power or is cut off,
// and comes back; no invariant breaks, somebody is active again, and the rare things did happen.
//
// KRAFTSIM_SWEEP=1000 plays that many seeds (a minute); without it a few.
#include <doctest/doctest.h>

#include <cstdlib>

#include "cluster/quorum_worlds.h"

namespace sim::cluster {
namespace {

using namespace std::chrono_literals;

std::uint64_t seeds() {
  const char* wanted = std::getenv("KRAFTSIM_SWEEP");
  return wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : 60;
}

TEST_CASE("whatever becomes of the active controller, the quorum holds") {
  check::RaftInvariants::Counts seen;
  for (std::uint64_t seed = 1; seed <= seeds(); ++seed) {
    CAPTURE(seed);
    test::QuorumWorld world(test::failing_controller(seed));
    world.play_until(30s);
    REQUIRE(world.violations() == std::vector<std::string>{});
    const check::RaftInvariants::Counts& one = world.quorum.counts();
    CHECK(one.elections >= 3);  // the first, and one after each of two failures
    seen.elections += one.elections;
    seen.split_votes += one.split_votes;
    seen.pre_votes_refused += one.pre_votes_refused;
    seen.truncations += one.truncations;
    seen.snapshots_fetched += one.snapshots_fetched;
  }
  MESSAGE("elections " << seen.elections << ", split votes " << seen.split_votes << ", pre-votes refused "
                       << seen.pre_votes_refused << ", truncations " << seen.truncations
                       << ", snapshots fetched " << seen.snapshots_fetched);
  CHECK(seen.split_votes > 0);
  CHECK(seen.pre_votes_refused > 0);
  CHECK(seen.truncations > 0);
  CHECK(seen.snapshots_fetched > 0);
}

TEST_CASE("while a controller is cut off, brokers find the next active one well within a session") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    ClusterSpec spec = test::idle_cluster(seed, 6);
    fault::Fault cut;
    cut.name = "cut";
    cut.kind = fault::Partition{fault::Isolate{{fault::ActiveController{}}}, fault::Direction::both};
    cut.at = Instant{5s};
    cut.lasts = 25s;
    spec.faults = {cut};
    test::QuorumWorld world(spec);
    world.play_until(29s);
    CHECK(world.quorum.counts().elections >= 2);
    CHECK(world.fencings.count == 0);
  }
}

}  // namespace
}  // namespace sim::cluster
