// Consumers that read from the replica in their rack (KIP-392).
#include <doctest/doctest.h>

#include <map>
#include <set>
#include <string>

#include "base/overloaded.h"
#include "check/all_invariants.h"
#include "cluster/cluster.h"
#include "cluster/shop.h"

namespace sim::cluster {
namespace {

using namespace std::chrono_literals;

// One controller (process 0), brokers 1 to 3 in racks a, b, c, a producer (4), and payment in rack b (5).
ClusterSpec shop_in_three_racks(std::uint64_t seed, bool rack_aware) {
  ClusterSpec spec;
  spec.seed = seed;
  spec.controllers = {ControllerSpec{NodeId{100}, "a", {}, {}, {}}};
  const char* racks[] = {"a", "b", "c"};
  for (std::int32_t id = 1; id <= 3; ++id) {
    spec.brokers.push_back(BrokerSpec{NodeId{id}, racks[id - 1], {}, {}, {}});
    spec.brokers.back().config.rack_aware_replica_selector = rack_aware;
  }
  test::connect(spec);
  spec.topics = {test::orders_topic(3)};
  spec.flows = {test::order_service(100'000, 8s)};
  workload::ServiceSpec payment = test::service("payment");
  payment.rack = payment.consumer.client_rack = "b";
  payment.consumer.auto_offset_reset = client::AutoOffsetReset::earliest;
  spec.services = {payment};
  spec.load_ends_at = 40s;
  return spec;
}

// From whom payment got orders, and whether it handled all.
struct FollowerReadsWatch final : test::OrdersWatch {
  bool wants_messages() const override { return true; }
  void on(const observe::Observation& seen) override {
    test::OrdersWatch::on(seen);
    std::visit(Overloaded{
                   [&](const observe::MessageDelivered& one) {
                     const auto* answer = std::get_if<FetchResponse>(&one.envelope->message);
                     if (answer == nullptr || seen.process != ProcessId{5}) return;
                     for (const auto& partition : answer->partitions) {
                       if (!partition.batches.empty())
                         ++batches_from[one.envelope->from().value()][nanos(seen.at) / 20'000'000'000];
                     }
                   },
                   [](const auto&) {},
               },
               seen.fact);
  }
  std::map<std::int32_t, std::map<std::int64_t, int>> batches_from;  // by process, then by stretch of 20 s
};

struct FollowerReadsWorld {
  explicit FollowerReadsWorld(const ClusterSpec& spec) : cluster(spec) {
    cluster.observe(watch);
    cluster.observe(invariants);
    test::play_until(cluster, 70s);
  }
  FollowerReadsWatch watch;
  check::AllInvariants invariants{{{NodeId{1}, NodeId{2}, NodeId{3}}, {true}}};
  Cluster cluster;
};

TEST_CASE("a consumer in a broker's rack reads everything there") {
  for (const bool rack_aware : {true, false}) {
    CAPTURE(rack_aware);
    FollowerReadsWorld world(shop_in_three_racks(1, rack_aware));
    CHECK(world.watch.placed.size() > 2'000);
    CHECK(world.watch.all_handled());
    CHECK(world.invariants.violations().empty());
    CHECK(world.watch.batches_from[2][1] > 300);  // from 20 s on
    const int elsewhere = world.watch.batches_from[1][1] + world.watch.batches_from[3][1];
    CHECK((rack_aware ? elsewhere == 0 : elsewhere > 300));
  }
}

TEST_CASE("when that broker dies, it reads from the leaders, and comes back") {
  ClusterSpec spec = shop_in_three_racks(2, true);
  spec.faults = {{"crash", fault::Kill{{fault::BrokerTarget{NodeId{2}}}}, Instant{20s}, {}, Duration{3s}}};
  spec.services[0].consumer.metadata_max_age_ms = 5'000;
  FollowerReadsWorld world(spec);
  CHECK(world.watch.all_handled());
  CHECK(world.invariants.violations().empty());
  CHECK(world.watch.batches_from[1][1] + world.watch.batches_from[3][1] > 0);
  CHECK(world.watch.batches_from[2][2] > 0);  // from 40 s on
}

}  // namespace
}  // namespace sim::cluster
