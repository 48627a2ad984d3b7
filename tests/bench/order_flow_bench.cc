// What the whole program costs: scenarios/order-flow.yaml scaled to a million orders of 1 KiB through all
// three services, played and recorded with every file of a run, once more with --trace full on a tenth of it,
// and for 30 s over 10 000 partitions on three brokers, where the groups' commits of all of them are what
// takes the time.
//
// Counters: orders and events per second of wall time, events per order, peak memory of the process in MiB.
#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "app/recording.h"
#include "cluster/cluster.h"
#include "play/play.h"
#include "scenario/scenario.h"

namespace sim::app {
namespace {

// Orders come from the 10th second on, 500 a second.
std::string duration_for(std::int64_t orders) {
  return std::to_string(10 + orders / 500) + "s";
}

void play_order_flow(benchmark::State& state, trace::Level trace, const char* partitions = "6") {
  const std::filesystem::path folder = std::filesystem::temp_directory_path() / "kraftsim-bench-order-flow";
  const std::vector<scenario::Override> overrides = {{"duration", duration_for(state.range(0))},
                                                     {"clients.order-service.record.size", "1KiB"},
                                                     {"topics.orders.partitions", partitions}};
  double orders = 0;
  double events = 0;
  for (auto _ : state) {
    const auto scenario = scenario::load("@order-flow", overrides);
    cluster::Cluster world(scenario->cluster);
    auto recording = Recording::open(*scenario, world.names(), RecordingOptions{folder, {}, trace, true});
    world.observe(**recording);
    const judge::RunEnd end = play::play_to_end(*scenario, world, (*recording)->record(), {});
    const judge::Summary summary = (*recording)->finish(end);
    orders += static_cast<double>(summary.orders.fulfilled);
    events += static_cast<double>(end.events);
  }
  std::filesystem::remove_all(folder);
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  state.counters["orders"] = orders;
  state.counters["orders/s"] = benchmark::Counter(orders, benchmark::Counter::kIsRate);
  state.counters["events/s"] = benchmark::Counter(events, benchmark::Counter::kIsRate);
  state.counters["events/order"] = events / orders;
  state.counters["peak_MiB"] = static_cast<double>(usage.ru_maxrss) / 1024;
}

BENCHMARK_CAPTURE(play_order_flow, partitions_10000, trace::Level::off, "10000")
    ->Arg(15'000)
    ->Iterations(1)
    ->Unit(benchmark::kSecond);
BENCHMARK_CAPTURE(play_order_flow, trace_full, trace::Level::full)
    ->Arg(100'000)
    ->Iterations(1)
    ->Unit(benchmark::kSecond);
BENCHMARK_CAPTURE(play_order_flow, trace_off, trace::Level::off)
    ->Arg(1'000'000)
    ->Iterations(1)
    ->Unit(benchmark::kSecond);

}  // namespace
}  // namespace sim::app

BENCHMARK_MAIN();
