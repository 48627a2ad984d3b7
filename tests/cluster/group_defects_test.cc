// The checkers of KIP-848 groups are proven: each planted defect of the group coordinator is caught by the
// invariant that names its harm, and the same cluster is silent without it.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "check/all_invariants.h"
#include "cluster/cluster.h"
#include "cluster/shop.h"

namespace sim::cluster {
namespace {

using namespace std::chrono_literals;
using server::PlantedDefect;

// Members that come and go, each on its own.
std::vector<check::Violation> broken_in_group(std::uint64_t seed, PlantedDefect defect) {
  ClusterSpec spec;
  spec.seed = seed;
  spec.controllers = {ControllerSpec{NodeId{100}, "", {}, {}, {}}};
  for (std::int32_t id = 1; id <= 3; ++id) {
    BrokerSpec broker{NodeId{id}, "", {}, {}, {}};
    broker.config.defect = defect;
    spec.brokers.push_back(broker);
  }
  test::connect(spec);
  spec.topics = {test::orders_topic(6)};
  spec.flows = {test::keyed(test::order_service(50'000, 8s), 100)};
  workload::ServiceSpec service = test::service("payment");
  service.members = 3;
  service.start_at = 5s;
  service.start_stagger = Distribution::constant(3'000'000'000);
  service.service_time = Distribution::constant(1'000'000);
  service.consumer.group_protocol = client::GroupProtocol::consumer;
  spec.services = {service};
  spec.load_ends_at = 35s;
  test::strike(spec, fault::Restart{fault::Targets{fault::ClientTarget{"payment", 1}}}, 22s);
  test::strike(spec, fault::Kill{fault::Targets{fault::CoordinatorOf{"payment"}}}, 28s, 5s);
  check::AllInvariants invariants{check::InvariantsSpec{}};
  Cluster cluster(spec);
  cluster.observe(invariants);
  cluster.set_time_limit(Instant{45s});
  while (cluster.step()) {
  }
  return invariants.violations();
}

TEST_CASE("planted defects of groups are caught by the invariant that names their harm") {
  struct Row {
    PlantedDefect defect;
    const char* checker;
  };
  const Row rows[] = {
      {PlantedDefect::hands_out_unreleased, "one-owner-per-partition"},
      {PlantedDefect::member_passes_group, "member-epoch-bounded"},
  };
  for (const Row& row : rows) {
    const auto broken = broken_in_group(1, row.defect);
    CHECK_MESSAGE(std::any_of(broken.begin(), broken.end(),
                              [&](const check::Violation& one) { return one.invariant == row.checker; }),
                  row.checker);
  }
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    CAPTURE(seed);
    for (const check::Violation& one : broken_in_group(seed, PlantedDefect::none)) FAIL_CHECK(one.what);
  }
}

}  // namespace
}  // namespace sim::cluster
