// What a world costs as a value: made and thrown away before anything happens in it, and copied in the middle
// of scenarios/order-flow.yaml (three controllers, three brokers, a flow of orders and twelve members of
// groups).
#include <benchmark/benchmark.h>

#include "cluster/cluster.h"
#include "scenario/scenario.h"

namespace sim::cluster {
namespace {

void make_a_world(benchmark::State& state) {
  const auto scenario = scenario::load("@order-flow", {});
  for (auto _ : state) {
    Cluster world(scenario->cluster);
    benchmark::DoNotOptimize(world.now());
  }
}

void copy_a_world(benchmark::State& state) {
  const auto scenario = scenario::load("@order-flow", {});
  Cluster world(scenario->cluster);
  world.set_time_limit(instant_at(60'000'000'000));
  while (world.step()) {
  }
  for (auto _ : state) {
    const Cluster copy = world;
    benchmark::DoNotOptimize(copy.now());
  }
}

BENCHMARK(make_a_world)->Unit(benchmark::kMillisecond);
BENCHMARK(copy_a_world)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace sim::cluster

BENCHMARK_MAIN();
