// What a cluster costs that has nothing to do, and what an election costs with every invariant looking on.
//
//   idle/1000       three controllers, three brokers, a topic of that many partitions, no clients
//   election/30     30 virtual seconds of a cluster whose active controller is killed and comes back, seed by
//   seed
//
// Counters: virtual seconds per second, events per virtual second.
#include <benchmark/benchmark.h>

#include "cluster/cluster.h"
#include "cluster/quorum_worlds.h"

namespace sim::cluster {
namespace {

using namespace std::chrono_literals;

double seconds(Duration time) {
  return static_cast<double>(nanos(time)) / 1e9;
}

void report(benchmark::State& state, Duration played, std::uint64_t events) {
  state.counters["x real time"] = benchmark::Counter(seconds(played), benchmark::Counter::kIsRate);
  state.counters["events/s virtual"] = static_cast<double>(events) / seconds(played);
  state.counters["events/s"] = benchmark::Counter(static_cast<double>(events), benchmark::Counter::kIsRate);
}

void idle(benchmark::State& state) {
  constexpr Duration kPlayed = 300s;
  Duration played{};
  std::uint64_t events = 0;
  for (auto _ : state) {
    state.PauseTiming();
    test::QuorumWorld world(test::idle_cluster(1, static_cast<std::int32_t>(state.range(0))));
    world.play_until(30s);  // elected, registered, partitions led
    const std::uint64_t before = world.cluster.events_fired();
    state.ResumeTiming();
    world.play_until(30s + kPlayed);
    played += kPlayed;
    events += world.cluster.events_fired() - before;
    if (!world.violations().empty()) state.SkipWithError(world.violations().front().c_str());
  }
  report(state, played, events);
}
BENCHMARK(idle)->Arg(10)->Arg(1'000)->Unit(benchmark::kMillisecond);

void election(benchmark::State& state) {
  const Duration length = std::chrono::seconds(state.range(0));
  Duration played{};
  std::uint64_t events = 0;
  std::uint64_t seed = 1;
  for (auto _ : state) {
    test::QuorumWorld world(test::failing_controller(seed++));
    world.play_until(length);
    played += length;
    events += world.cluster.events_fired();
    if (!world.violations().empty()) state.SkipWithError(world.violations().front().c_str());
  }
  report(state, played, events);
}
BENCHMARK(election)->Arg(30)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace sim::cluster

BENCHMARK_MAIN();
