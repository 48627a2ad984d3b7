// Two worlds side by side: of one scenario they agree to the end; of two, the first difference is found where
// it is.
#include "play/twin.h"

#include <doctest/doctest.h>

#include <string>

#include "play/play.h"
#include "play/run_plan.h"
#include "scenario/scenario.h"

namespace sim::play {
namespace twin_test {

scenario::Scenario small_shop(const std::string& crash_at) {
  auto loaded = scenario::load_text("small.yaml", R"YAML(
schema: kraftsim/v1
name: small
duration: 14s
drain: 5s
cluster: {brokers: 3, controllers: 1}
topics: {orders: {partitions: 2, replication.factor: 3}}
clients:
  order-service: {produces: orders, arrivals: {poisson: 20/s}, start: 8s}
faults:
  - {name: crash, at: )YAML" + crash_at + R"YAML(, kill: {target: broker-2}}
)YAML",
                                    {});
  REQUIRE(loaded.ok());
  return std::move(*loaded);
}

judge::RunEnd play_with_twin(const scenario::Scenario& scenario, cluster::Cluster& world, Twin& twin) {
  record::RunRecord record(record_spec(scenario, world.names()));
  world.observe(record);
  PlayOptions options;
  options.twin = &twin;
  return play_to_end(scenario, world, record, options);
}

TEST_CASE("two worlds of one scenario and seed agree to the end") {
  const scenario::Scenario scenario = small_shop("10s");
  cluster::Cluster world(scenario.cluster);
  Twin twin(scenario, world);
  const judge::RunEnd end = play_with_twin(scenario, world, twin);
  CHECK(end.reason != judge::StopReason::interrupted);
  CHECK_FALSE(twin.difference().has_value());
}

TEST_CASE("the first event that differs is found at its instant, with what came before it") {
  const scenario::Scenario scenario = small_shop("10s");
  const scenario::Scenario later = small_shop("12s");
  cluster::Cluster world(scenario.cluster);
  Twin twin(later, world);
  const judge::RunEnd end = play_with_twin(scenario, world, twin);
  CHECK(end.reason == judge::StopReason::interrupted);
  REQUIRE(twin.difference().has_value());
  const TwinDifference& difference = *twin.difference();
  CHECK(difference.at == Instant{} + Duration{10'000'000'000});
  CHECK(difference.what == "the events");
  CHECK(difference.before.size() == 10);
  CHECK(difference.first != difference.second);
  CHECK(difference.first.find("crash") != std::string::npos);
  CHECK(difference.second.find("crash") == std::string::npos);
}

TEST_CASE("of a log that goes on for long the last lines are kept, whole") {
  RecentLines recent;
  for (std::uint64_t i = 0; i < 1'000; ++i) {
    recent.write("line ");
    recent.write(std::to_string(i) + "\n");
  }
  CHECK(recent.lines().size() == RecentLines::kKept);
  CHECK(recent.dropped() == 1'000 - RecentLines::kKept);
  CHECK(recent.lines().front() == "line 800");
  CHECK(recent.lines().back() == "line 999");
}

}  // namespace twin_test
}  // namespace sim::play
