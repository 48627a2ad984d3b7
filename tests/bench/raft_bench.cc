// How much faster than time a quorum plays: 5 voters and 5 observers in the outages of Kafka's own raft
// simulation test, every node that leads appending every 2 to 5 ms, all invariants on. The counter
// `x_real_time` is simulated time over real time.
#include <benchmark/benchmark.h>

#include "raft/outages.h"

namespace sim::raft::test {
namespace {

constexpr std::size_t kVoters = 5;

template <class Play>
void play(benchmark::State& state, Play outage) {
  std::int64_t simulated_ns = 0;
  std::uint64_t events = 0;
  std::uint64_t seed = 0;
  for (auto _ : state) {
    WorldSpec spec;
    spec.seed = ++seed;
    spec.voters = static_cast<int>(kVoters);
    spec.observers = 5;
    World world(spec);
    if (!outage(world) || !world.run_for(std::chrono::seconds(10))) {
      state.SkipWithError(told(world).c_str());
      break;
    }
    simulated_ns += nanos(world.now());
    events += world.events_fired();
  }
  state.counters["x_real_time"] =
      benchmark::Counter(static_cast<double>(simulated_ns) / 1e9, benchmark::Counter::kIsRate);
  state.counters["events/s"] = benchmark::Counter(static_cast<double>(events), benchmark::Counter::kIsRate);
}

void cold_start(benchmark::State& state) {
  play(state, a_cold_start);
}
void leader_shut_down(benchmark::State& state) {
  play(state, [](World& world) { return loss_of_the_leader(world, Crash::kill, true); });
}
void leader_without_power(benchmark::State& state) {
  play(state, [](World& world) { return loss_of_the_leader(world, Crash::power_loss, false); });
}
void everyone_killed(benchmark::State& state) {
  play(state, [](World& world) { return loss_of_everyone(world, kVoters, Crash::kill); });
}
void leader_cut_off(benchmark::State& state) {
  play(state, isolation_of_the_leader);
}
void two_of_five_cut_off(benchmark::State& state) {
  play(state, split_with_a_majority);
}
void two_leaders_cut_off_in_a_row(benchmark::State& state) {
  play(state, isolation_of_two_leaders_in_a_row);
}
void disk_lost(benchmark::State& state) {
  play(state, [](World& world) { return loss_of_a_disk(world, kVoters); });
}

BENCHMARK(cold_start)->Unit(benchmark::kMillisecond);
BENCHMARK(leader_shut_down)->Unit(benchmark::kMillisecond);
BENCHMARK(leader_without_power)->Unit(benchmark::kMillisecond);
BENCHMARK(everyone_killed)->Unit(benchmark::kMillisecond);
BENCHMARK(leader_cut_off)->Unit(benchmark::kMillisecond);
BENCHMARK(two_of_five_cut_off)->Unit(benchmark::kMillisecond);
BENCHMARK(two_leaders_cut_off_in_a_row)->Unit(benchmark::kMillisecond);
BENCHMARK(disk_lost)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace sim::raft::test

BENCHMARK_MAIN();
