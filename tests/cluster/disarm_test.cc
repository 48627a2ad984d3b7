// A fault that is taken out of a copy of a world: the copy goes on as a world in which that fault meets
// nobody.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "cluster/small_world.h"

namespace sim::cluster {
namespace {

using namespace test;

// A kill of one server or of nobody, and after it a fault that draws whom it meets. Latencies are drawn too.
Cluster world(const fault::Targets& killed) {
  SmallWorld small;
  for (int i = 0; i < 3; ++i) small.add_server({.writes = node::Safety::flushed});
  for (int i = 0; i < 2; ++i) small.add_client({.servers = {ProcessId{0}, ProcessId{1}, ProcessId{2}}});
  fault::Schedule faults;
  const auto at = [](std::int64_t ms) { return Instant{} + from_millis(ms); };
  faults.push_back({"kill", fault::Kill{killed}, at(50), from_millis(100), from_millis(30)});
  faults.push_back({"pause", fault::Pause{{fault::RandomOf{fault::Pool::brokers, 1}}}, at(120),
                    from_millis(70), from_millis(20)});
  NetworkSpec network;
  network.between = {Distribution::uniform(50 * kMicros, 400 * kMicros), 0};
  network.clients = network.between;
  return Cluster(small.processes(), network, kernel::Streams(3), faults, at(600));
}

std::vector<std::string> told_from(Cluster& cluster) {
  Transcript record;
  cluster.observe(record);
  test::play_until(cluster, from_millis(500));
  std::vector<std::string> lines;
  for (const Transcript::Line& line : record.lines) {
    const bool is_of_kill = line.word == "FaultStruck" && line.number == 0;
    if (is_of_kill || line.word == "FaultEnded" || line.word == "RoleMissed") continue;  // what faults tell
    lines.push_back(std::to_string(line.at_micros) + " " + std::to_string(line.process.value()) + " " +
                    line.word + " " + std::to_string(line.number));
    for (const ProcessId touched : line.touched) lines.back() += " " + std::to_string(touched.value());
  }
  return lines;
}

TEST_CASE("a disarmed fault shifts nothing but what it would have done") {
  Cluster cluster = world(broker(2));
  Cluster of_nobody = world(broker(99));
  test::play_until(cluster, from_millis(40));
  test::play_until(of_nobody, from_millis(40));
  Cluster disarmed = cluster;
  disarmed.disarm(FaultId{0});

  const std::vector<std::string> without = told_from(of_nobody);
  CHECK(told_from(disarmed) == without);
  CHECK(disarmed.events_fired() == of_nobody.events_fired());
  CHECK(told_from(cluster) != without);  // the original still has it
}

TEST_CASE("what a fault does when it is disarmed ends as it would have; it does not come again") {
  Cluster cluster = world(broker(2));
  test::play_until(cluster, from_millis(60));
  CHECK_FALSE(cluster.is_up(ProcessId{1}));
  cluster.disarm(FaultId{0});
  test::play_until(cluster, from_millis(90));
  CHECK(cluster.is_up(ProcessId{1}));
  test::play_until(cluster, from_millis(160));  // a second strike would have been at 150 ms
  CHECK(cluster.is_up(ProcessId{1}));
}

}  // namespace
}  // namespace sim::cluster
