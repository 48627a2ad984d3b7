// Checkers are proven: every planted defect is caught by the invariant that names its harm, and the same
// turmoil without a defect is clean.
#include <doctest/doctest.h>

#include <cstdlib>
#include <string>

#include "raft/outages.h"

namespace sim::raft::test {
namespace {

constexpr std::uint64_t kSeeds = 200;
constexpr int kBlows = 16;

WorldSpec spec_of(std::uint64_t seed, PlantedDefect defect) {
  WorldSpec spec;
  spec.seed = seed;
  spec.voters = 3 + static_cast<int>(seed % 3);
  spec.observers = static_cast<int>(seed % 2);
  if (seed % 4 == 0) spec.delay_max = std::chrono::milliseconds(40);  // so that candidates meet
  if (seed % 3 == 0) {  // so that a log begins where a snapshot ends
    spec.snapshot_every = 200;
    spec.config.clean_interval = std::chrono::milliseconds(500);
    spec.config.retention_bytes = 30 << 20;
  }
  spec.defect = defect;
  return spec;
}

// The first seed whose first broken invariant is this one; 0: none.
std::uint64_t seed_that_breaks(const std::string& invariant, PlantedDefect defect) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const WorldSpec spec = spec_of(seed, defect);
    World world(spec);
    a_turmoil(world, static_cast<std::size_t>(spec.voters), kBlows);
    if (!world.invariants.broken()) continue;
    if (world.invariants.violations().front().invariant == invariant) return seed;
  }
  return 0;
}

TEST_CASE("every planted defect is caught by a named invariant") {
  struct Row {
    const char* what;
    PlantedDefect defect;
    const char* invariant;
  };
  const Row rows[] = {
      {"vote without log check", PlantedDefect::vote_without_log_check, "committed-never-lost"},
      {"vote forgotten on restart", PlantedDefect::vote_forgotten_on_restart, "one-vote-per-epoch"},
      {"vote granted again", PlantedDefect::vote_granted_again, "one-vote-per-epoch"},
      {"elected without majority", PlantedDefect::elected_without_majority, "single-leader"},
      {"high watermark of an old epoch", PlantedDefect::high_watermark_of_old_epoch,
       "high-watermark-own-epoch"},
      {"leader counts itself twice", PlantedDefect::leader_counts_itself_twice, "majority-high-watermark"},
      {"truncation skipped", PlantedDefect::truncation_skipped, "log-matching"},
      {"old epoch accepted", PlantedDefect::old_epoch_accepted, "epochs-never-fall"},
      {"acknowledged before flush", PlantedDefect::acknowledged_before_flush, "committed-never-lost"},
  };
  for (const Row& row : rows) {
    const std::uint64_t seed = seed_that_breaks(row.invariant, row.defect);
    const std::string what = row.what;
    CAPTURE(what);
    CHECK(seed != 0);
    const std::string message = what + " breaks " + row.invariant + " with seed " + std::to_string(seed);
    MESSAGE(message);
  }
}

TEST_CASE("without a defect the same turmoil is clean, and the rare things happen in it") {
  RareThings sums;
  const std::uint64_t seeds = std::getenv("KRAFTSIM_SWEEP") != nullptr ? kSeeds : 25;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    const WorldSpec spec = spec_of(seed, PlantedDefect::none);
    World world(spec);
    CAPTURE(seed);
    const bool survived = a_turmoil(world, static_cast<std::size_t>(spec.voters), kBlows);
    CHECK_MESSAGE(survived, told(world));
    CHECK(world.failures() == 0);
    sums.add(world);
  }
  CHECK(sums.elections > 0);
  CHECK(sums.split_votes > 0);
  CHECK(sums.pre_votes_refused > 0);
  CHECK(sums.truncations > 0);
  CHECK(sums.snapshots_fetched > 0);
  CHECK(sums.lost_majorities > 0);
  CHECK(sums.resets > 0);
  MESSAGE("elections ", sums.elections, ", split votes ", sums.split_votes, ", pre-votes refused ",
          sums.pre_votes_refused, ", truncations ", sums.truncations, ", snapshots fetched ",
          sums.snapshots_fetched, ", majorities lost ", sums.lost_majorities, ", resets ", sums.resets);
}

}  // namespace
}  // namespace sim::raft::test
