// Checkers are proven: every planted defect of replication is caught by the invariant that names its harm,
// and the same clusters under the same faults are silent without it.
//
//   build/release/tests/test_cluster -tc='planted defects*'
//
// prints the table: defect, what befalls the cluster, checker, seed. It plays the seeds of the table alone;
// with KRAFTSIM_SWEEP=200 it looks for the first seed of each anew, up to that one, and plays as many without
// a defect.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "check/all_invariants.h"
#include "cluster/cluster.h"
#include "cluster/shop.h"

namespace sim::cluster {
namespace {

using namespace std::chrono_literals;
using server::PlantedDefect;

constexpr std::uint64_t kSeedsWithoutDefect = 10;

// What befalls the cluster, from 12 s on, again and again.
struct Blow {
  fault::Kind kind;
  Duration lasts;
  Duration after{};  // since the first
};
struct Trouble {
  const char* name;
  std::vector<Blow> blows;
  Duration every = 10s;
};
const fault::Targets kLeader{fault::LeaderOf{"orders", 0}};
const fault::Targets kFollower{fault::FollowerOf{"orders", 0, 1}};
const fault::Targets kFollowers{fault::FollowerOf{"orders", 0, 1}, fault::FollowerOf{"orders", 0, 2}};
const fault::Targets kBrokers{fault::AllOf{fault::Pool::brokers}};

const std::vector<Trouble>& troubles() {
  const auto cut_off = [](const fault::Targets& whom) { return fault::Partition{fault::Isolate{whom}}; };
  const fault::Delay slow{{kFollower, kBrokers}, Distribution::constant(400'000'000)};
  static const std::vector<Trouble> all{
      {"leader killed", {{fault::Kill{kLeader}, 4s}}},
      {"follower killed", {{fault::Kill{kFollower}, 4s}}},
      {"leader cut off from brokers", {{fault::Partition{fault::Isolate{kLeader, kBrokers}}, 5s}}},
      {"follower cut off", {{cut_off(kFollower), 5s}}},
      {"follower slow", {{slow, 6s}}},
      {"leader loses power", {{fault::PowerLoss{kLeader}, 4s}}},
      {"leader restarted", {{fault::Restart{kLeader}, 0s}}},
      {"leader killed, follower slow", {{slow, 5s}, {fault::Kill{kLeader}, 5s, 500ms}}},
      {"follower cut off, AlterPartition held",
       {{cut_off(kFollower), 6s}, {fault::Hold{{kBrokers, {}}, "AlterPartition"}, 6s, 500ms}}},
      {"followers cut off, leader loses power",
       {{cut_off(kFollowers), 9s}, {fault::PowerLoss{kLeader}, 2s, 5s}},
       14s},
  };
  return all;
}
const Trouble& trouble_of(std::uint64_t seed) {
  return troubles()[seed % troubles().size()];
}

ClusterSpec world_of(std::uint64_t seed, PlantedDefect defect) {
  ClusterSpec spec;
  spec.seed = seed;
  spec.controllers = {ControllerSpec{NodeId{100}, "", {}, {}, {}}};
  spec.controllers.front().config.broker_session_timeout_ms = 3'000;
  for (std::int32_t id = 1; id <= 3; ++id) {
    BrokerSpec broker{NodeId{id}, "", {}, {}, {}};
    broker.config.replica_lag_time_max_ms = 2'000;
    broker.config.broker_session_timeout_ms = 3'000;
    broker.config.broker_heartbeat_interval_ms = 500;
    broker.config.defect = defect;
    spec.brokers.push_back(broker);
  }
  test::connect(spec);
  spec.topics = {test::orders_topic(2)};
  spec.flows = {test::keyed(test::order_service(200'000, 8s), 100)};
  workload::ServiceSpec service = test::service("payment");
  service.service_time = Distribution::constant(100'000);
  spec.services = {service};
  spec.load_ends_at = 40s;
  const Trouble& trouble = trouble_of(seed);
  for (const Blow& blow : trouble.blows) {
    fault::Fault fault;
    fault.name = "blow-" + std::to_string(spec.faults.size());
    fault.kind = blow.kind;
    fault.at = Instant{12s + blow.after};
    fault.every = trouble.every;
    if (blow.lasts > 0s) fault.lasts = blow.lasts;
    spec.faults.push_back(fault);
  }
  return spec;
}

bool is_among(const std::vector<check::Violation>& broken, const std::string& invariant) {
  return std::any_of(broken.begin(), broken.end(),
                     [&](const auto& one) { return one.invariant == invariant; });
}

// The rare things, to show that they happened.
class RareEvents final : public observe::Observer {
 public:
  void on(const observe::Observation& seen) override {
    elections += std::holds_alternative<observe::BecameLeader>(seen.fact) ? 1 : 0;
    truncations += std::holds_alternative<observe::LogTruncated>(seen.fact) ? 1 : 0;
    joins_and_leaves += std::holds_alternative<observe::IsrProposed>(seen.fact) ? 1 : 0;
    losses_of_power += std::holds_alternative<observe::LogLost>(seen.fact) ? 1 : 0;
  }
  int elections = 0, truncations = 0, joins_and_leaves = 0, losses_of_power = 0;
};

// The invariants that break; once `awaited` is among them, the rest does not matter.
std::vector<check::Violation> played(std::uint64_t seed, PlantedDefect defect,
                                     const std::string& awaited = "", RareEvents* seen = nullptr) {
  const ClusterSpec spec = world_of(seed, defect);
  check::InvariantsSpec watched;
  watched.brokers = {NodeId{1}, NodeId{2}, NodeId{3}};
  watched.acks_all_of_flow = {true};
  check::AllInvariants invariants{watched};
  Cluster cluster(spec);
  cluster.observe(invariants);
  if (seen != nullptr) cluster.observe(*seen);
  cluster.set_time_limit(Instant{45s});
  for (std::uint64_t events = 0; cluster.step(); ++events) {
    if (!awaited.empty() && events % 20'000 == 0 && is_among(invariants.violations(), awaited)) break;
  }
  return invariants.violations();
}

struct Row {
  const char* defect;
  PlantedDefect planted;
  const char* checker;  // that must catch it
  std::uint64_t seed;   // the first that does
};
const Row kTable[] = {
    {"acknowledges at once", PlantedDefect::acknowledges_at_once, "acked-below-high-watermark", 1},
    {"high watermark ignores a joiner", PlantedDefect::high_watermark_ignores_joiner,
     "high-watermark-covered", 1},
    {"high watermark ignores the slowest", PlantedDefect::high_watermark_ignores_slowest,
     "high-watermark-covered", 1},
    {"high watermark ignores the slowest", PlantedDefect::high_watermark_ignores_slowest, "acked-never-lost",
     7},
    {"high watermark ignores the slowest", PlantedDefect::high_watermark_ignores_slowest,
     "exposed-never-changes", 7},
    {"high watermark falls", PlantedDefect::high_watermark_falls, "high-watermark-monotone", 2},
    {"high watermark set at election", PlantedDefect::high_watermark_at_election, "high-watermark-covered",
     1},
    {"high watermark not clamped", PlantedDefect::high_watermark_not_clamped, "high-watermark-within-log", 5},
    {"min.insync.replicas not checked", PlantedDefect::min_isr_not_checked, "high-watermark-min-isr", 2},
    {"ISR shrinks before it is committed", PlantedDefect::shrinks_before_committed, "high-watermark-covered",
     1},
    {"ISR joined from behind", PlantedDefect::joins_behind, "high-watermark-covered", 2},
    {"fetch counts what was sent", PlantedDefect::counts_what_was_sent, "high-watermark-covered", 2},
    {"divergence not checked", PlantedDefect::divergence_not_checked, "replicas-agree", 3},
    {"serves beyond the high watermark", PlantedDefect::serves_beyond_high_watermark,
     "read-below-high-watermark", 1},
    {"orderly end marked too early", PlantedDefect::clean_shutdown_marked_early, "acked-never-lost", 9},
};

std::uint64_t most_seeds() {
  const char* wanted = std::getenv("KRAFTSIM_SWEEP");
  return wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : 0;
}

bool catches(const Row& row, std::uint64_t seed) {
  return is_among(played(seed, row.planted, row.checker), row.checker);
}

TEST_CASE("planted defects of replication are each caught by the invariant that names their harm") {
  std::printf("%-38s %-38s %-28s %s\n", "defect", "what befalls the cluster", "checker", "seed");
  for (const Row& row : kTable) {
    CAPTURE(row.defect);
    std::uint64_t seed = row.seed;
    if (most_seeds() > 0) {
      seed = 1;
      while (seed <= most_seeds() && !catches(row, seed)) ++seed;
      CHECK_MESSAGE(seed == row.seed, "the table says seed " << row.seed << ", it is " << seed);
    } else {
      CHECK(catches(row, seed));
    }
    std::printf("%-38s %-38s %-28s %llu\n", row.defect, trouble_of(seed).name, row.checker,
                static_cast<unsigned long long>(seed));
  }
}

TEST_CASE("planted defects apart, no invariant breaks under the same faults") {
  const std::uint64_t seeds = std::max(most_seeds(), kSeedsWithoutDefect);
  RareEvents seen;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    CAPTURE(seed);
    CAPTURE(trouble_of(seed).name);
    std::string all;
    for (const check::Violation& one : played(seed, PlantedDefect::none, "", &seen))
      all += one.invariant + ": " + one.what + "; ";
    CHECK(all == "");
  }
  CHECK(seen.elections > 100);
  CHECK(seen.truncations > 0);
  CHECK(seen.joins_and_leaves > 10);
  CHECK(seen.losses_of_power > 0);
}

}  // namespace
}  // namespace sim::cluster
