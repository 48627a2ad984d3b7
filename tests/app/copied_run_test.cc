// The record of a run is a value: copied in mid-run with its world it goes on as the original does, and
// neither knows of the other.
#include <doctest/doctest.h>

#include "cluster/cluster.h"
#include "play/run_plan.h"
#include "record/run_record.h"
#include "report/json.h"
#include "scenario/scenario.h"

namespace sim::app {
namespace copied_run_test {

using record::RecordSpec;
using record::RunRecord;

scenario::Scenario loaded(const std::string& file, std::vector<scenario::Override> overrides) {
  auto scenario = scenario::load(file, overrides);
  REQUIRE(scenario.ok());
  return std::move(*scenario);
}

void play_until(cluster::Cluster& world, Instant at) {
  while (world.now() < at && world.step()) {
  }
}

std::string told(const scenario::Scenario& scenario, const cluster::Cluster& world, RunRecord record) {
  record.finish(world.now(), false);
  judge::RunEnd end;
  end.end = world.now();
  end.events = world.events_fired();
  end.fingerprint = world.fingerprint();
  end.meaning = record.meaning();
  return report::to_json(judge::summarize(play::run_plan(scenario), record, end)) + record.leadership().csv();
}

TEST_CASE("copied in mid-run with its world, a record goes on as the original does") {
  const scenario::Scenario scenario =
      loaded("@broker-crash", {{"duration", "45s"}, {"clients.order-service.arrivals.poisson", "50/s"}});
  const RecordSpec spec = play::record_spec(scenario, cluster::Cluster(scenario.cluster).names());

  cluster::Cluster world(scenario.cluster);
  RunRecord record(spec);
  world.observe(record);
  play_until(world, Instant{31s});  // a leader has just been killed

  cluster::Cluster second_world = world;
  RunRecord second = record;
  second_world.observe(second);
  cluster::Cluster thrown_away = world;
  {
    RunRecord third = record;
    thrown_away.observe(third);
    play_until(thrown_away, Instant{33s});
  }
  play_until(second_world, Instant{45s});
  const std::string from_the_copy = told(scenario, second_world, second);
  CHECK(told(scenario, world, record) != from_the_copy);  // the original has not moved
  play_until(world, Instant{45s});
  CHECK(told(scenario, world, record) == from_the_copy);
  CHECK(record.timeline().gaps().size() > 0);  // what the copy was made in the middle of
  CHECK(record.ledger().totals().placed > 500);
}

TEST_CASE("an assigned record is the other's equal, and its own") {
  const scenario::Scenario scenario = loaded("@broker-crash", {});
  cluster::Cluster world(scenario.cluster);
  const RecordSpec spec = play::record_spec(scenario, world.names());
  RunRecord record(spec), kept(spec);
  world.observe(record);
  play_until(world, Instant{14s});
  kept = record;
  const std::string then = told(scenario, world, kept);
  CHECK(told(scenario, world, record) == then);
  play_until(world, Instant{15s});
  CHECK(kept.ledger().size() < record.ledger().size());
}

}  // namespace copied_run_test
}  // namespace sim::app
