// A group of 500 members on 1 000 partitions, by the classic protocol and by that of KIP-848: how long the
// simulator takes for its formation, and for the rebalance when a member is closed. Everything that goes on
// meanwhile is in it: heartbeats, fetches, replication of __consumer_offsets.
#include <benchmark/benchmark.h>

#include "cluster/cluster.h"
#include "cluster/shop.h"

namespace sim::cluster {
namespace {

using namespace std::chrono_literals;

class Assignments final : public observe::Observer {
 public:
  void on(const observe::Observation& seen) override {
    if (const auto* changed = std::get_if<observe::GroupStateChanged>(&seen.fact)) {
      stable = changed->state == observe::GroupState::stable;
      members = changed->members;
    }
  }
  bool stable = false;
  std::int32_t members = 0;
};

ClusterSpec large_group(client::GroupProtocol protocol) {
  ClusterSpec spec;
  spec.seed = 1;
  spec.controllers = {ControllerSpec{NodeId{100}, "", {}, {}, {}}};
  for (std::int32_t id = 1; id <= 3; ++id) spec.brokers.push_back(BrokerSpec{NodeId{id}, "", {}, {}, {}});
  test::connect(spec);
  spec.topics = {test::orders_topic(1'000)};
  workload::ServiceSpec service = test::service("payment");
  service.members = 500;
  service.start_at = 10s;
  service.consumer.group_protocol = protocol;
  spec.services = {service};
  test::strike(spec, fault::Stop{fault::Targets{fault::ClientTarget{"payment", 7}}}, 40s);
  return spec;
}

// Plays on until the group is stable with so many members.
void play_until_stable(Cluster& cluster, const Assignments& seen, std::int32_t members) {
  while (!(seen.stable && seen.members == members) && cluster.step()) {
  }
}

void group_of_500(benchmark::State& state) {
  const auto protocol =
      state.range(0) == 0 ? client::GroupProtocol::classic : client::GroupProtocol::consumer;
  const bool forms = state.range(1) == 0;
  for (auto _ : state) {
    state.PauseTiming();
    Assignments seen;
    Cluster cluster(large_group(protocol));
    cluster.observe(seen);
    test::play_until(cluster, 10s);
    if (!forms) test::play_until(cluster, 40s);
    cluster.set_time_limit(Instant{} + 120s);
    state.ResumeTiming();
    play_until_stable(cluster, seen, forms ? 500 : 499);
    if (!seen.stable) state.SkipWithError("the group is not stable");
  }
}
BENCHMARK(group_of_500)
    ->ArgNames({"consumer_protocol", "rebalance"})
    ->ArgsProduct({{0, 1}, {0, 1}})
    ->Iterations(3)
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace sim::cluster

BENCHMARK_MAIN();
