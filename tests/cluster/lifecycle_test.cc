// Brokers and controllers come and go: what a whole cluster does then, and when.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/overloaded.h"
#include "cluster/cluster.h"

namespace sim::cluster {
namespace {

using namespace std::chrono_literals;

constexpr Duration kSession = 9s;

ClusterSpec three_and_three(std::uint64_t seed) {
  ClusterSpec spec;
  spec.seed = seed;
  for (std::int32_t id = 3001; id <= 3003; ++id)
    spec.controllers.push_back(ControllerSpec{NodeId{id}, "", {}, {}, {}});
  for (std::int32_t id = 1; id <= 3; ++id) spec.brokers.push_back(BrokerSpec{NodeId{id}, "", {}, {}, {}});
  spec.network.between.one_way = Distribution::lognormal(200'000, 1'000'000);
  spec.network.clients = spec.network.between;
  TopicSpec orders{"orders", 6, 3, {}};
  orders.config.min_insync_replicas = 2;
  spec.topics = {orders};
  workload::FlowSpec flow;
  flow.name = "order-service";
  flow.topic = "orders";
  flow.arrivals = workload::PoissonArrivals{100'000};
  flow.start_at = 5s;
  spec.flows = {flow};
  spec.load_ends_at = 60s;
  return spec;
}

struct At {
  Instant when;
  ProcessId process;
};
template <class Fact>
struct Seen : At {
  Fact fact;
};

// What happened, and when.
class History final : public observe::Observer {
 public:
  bool wants_messages() const override { return true; }
  void on(const observe::Observation& seen) override {
    const At at{seen.at, seen.process};
    std::visit(Overloaded{
                   [&](const observe::ControllerChanged& one) { controllers.push_back({at, one}); },
                   [&](const observe::BrokerStateChanged& one) { brokers.push_back({at, one}); },
                   [&](const observe::PartitionChanged& one) { partitions.push_back({at, one}); },
                   [&](const observe::BecameLeader& one) { leaders.push_back({at, one}); },
                   [&](const observe::ProcessStopped&) { stops.push_back(at); },
                   [&](const observe::OrderPlaced& one) { placed.insert(one.record); },
                   [&](const observe::BatchAcknowledged& one) {
                     if (one.error != ErrorCode::none) return;
                     for (const Record& record : one.batch->application_records())
                       acknowledged.insert(record.id);
                   },
                   [&](const observe::MessageSent& one) {
                     if (std::holds_alternative<BrokerHeartbeatRequest>(one.envelope->message))
                       last_heartbeat[seen.process] = seen.at;
                   },
                   [](const auto&) {},
               },
               seen.fact);
  }

  std::optional<observe::ControllerChanged> active_controller() const {
    std::optional<observe::ControllerChanged> active;
    for (const auto& one : controllers) {
      if (one.fact.active) active = one.fact;
    }
    return active;
  }
  NodeId leader_of(TopicPartition tp) const {
    NodeId leader = kNoNode;
    for (const auto& one : leaders) {
      if (one.fact.tp == tp) leader = one.fact.broker;
    }
    return leader;
  }
  // The first time from `from` on that a broker was fenced, or unfenced.
  std::optional<Instant> broker_became(NodeId broker, bool fenced, Instant from) const {
    for (const auto& one : brokers) {
      if (one.when >= from && one.fact.broker == broker && one.fact.fenced == fenced) return one.when;
    }
    return std::nullopt;
  }
  std::optional<Instant> stopped(ProcessId process, Instant from) const {
    for (const At& one : stops) {
      if (one.when >= from && one.process == process) return one.when;
    }
    return std::nullopt;
  }
  // When the controller had this broker in (or out of) every ISR that it was of again, from `from` on.
  const observe::PartitionChanged* last_of(TopicPartition tp) const {
    const observe::PartitionChanged* last = nullptr;
    for (const auto& one : partitions) {
      if (one.fact.tp == tp) last = &one.fact;
    }
    return last;
  }

  std::vector<Seen<observe::ControllerChanged>> controllers;
  std::vector<Seen<observe::BrokerStateChanged>> brokers;
  std::vector<Seen<observe::PartitionChanged>> partitions;
  std::vector<Seen<observe::BecameLeader>> leaders;
  std::vector<At> stops;
  std::set<RecordId> placed, acknowledged;
  std::map<ProcessId, Instant> last_heartbeat;
};

struct World {
  explicit World(const ClusterSpec& spec) : cluster(spec) { cluster.observe(history); }

  void play_until(Duration until) {
    cluster.set_time_limit(Instant{} + until);
    while (cluster.step()) {
    }
  }
  ProcessId process(const std::string& name) const {
    const auto& names = cluster.names().processes;
    const auto found = std::find(names.begin(), names.end(), name);
    REQUIRE(found != names.end());
    return ProcessId{static_cast<std::int32_t>(found - names.begin())};
  }
  ProcessId broker(NodeId id) const { return process("broker-" + std::to_string(id.value())); }
  ProcessId active_controller() const {
    const auto active = history.active_controller();
    REQUIRE(active.has_value());
    return process("controller-" + std::to_string(active->node.value() - 3000));
  }
  void check_orders() const {
    CHECK(history.placed.size() > 1'000);
    CHECK(history.acknowledged == history.placed);
  }

  Cluster cluster;
  History history;
};

constexpr TopicPartition kOrders0{TopicId{1}, 0};

TEST_CASE("a quorum of three elects one controller, and three brokers begin") {
  World world(three_and_three(1));
  world.play_until(20s);
  CHECK(std::count_if(world.history.controllers.begin(), world.history.controllers.end(),
                      [](const auto& one) { return one.fact.active; }) == 1);
  CHECK(world.history.stops.empty());
  for (const auto& one : world.history.brokers) CHECK_FALSE(one.fact.fenced);
  std::set<NodeId> leaders;
  for (std::int32_t i = 0; i < 6; ++i) leaders.insert(world.history.leader_of({TopicId{1}, i}));
  CHECK(leaders.size() == 3);
  CHECK(world.history.placed.size() > 1'000);
  CHECK(world.history.acknowledged.size() > 1'400);
}

TEST_CASE("a killed leader is fenced when its session ends, and replaced with that") {
  World world(three_and_three(2));
  world.play_until(10s);
  const NodeId leader = world.history.leader_of(kOrders0);
  const ProcessId killed = world.broker(leader);
  world.cluster.crash(killed, CrashMode::kill);
  const Instant last_heartbeat = world.history.last_heartbeat.at(killed);
  world.play_until(75s);

  const auto fenced = world.history.broker_became(leader, true, Instant{} + 10s);
  REQUIRE(fenced.has_value());
  CHECK(*fenced - last_heartbeat > kSession);
  CHECK(*fenced - last_heartbeat < kSession + 100ms);
  const NodeId next = world.history.leader_of(kOrders0);
  CHECK(next != leader);
  const auto became = std::find_if(world.history.leaders.begin(), world.history.leaders.end(), [&](const auto& one) {
    return one.fact.tp == kOrders0 && one.fact.broker == next;
  });
  CHECK(became->when - *fenced < 100ms);
  REQUIRE(world.history.last_of(kOrders0) != nullptr);
  CHECK(world.history.last_of(kOrders0)->isr.size() == 2);
  world.check_orders();
}

TEST_CASE("if the active controller dies with it, the clock starts anew") {
  World world(three_and_three(3));
  world.play_until(10s);
  const NodeId leader = world.history.leader_of(kOrders0);
  world.cluster.crash(world.active_controller(), CrashMode::kill);
  world.cluster.crash(world.broker(leader), CrashMode::kill);
  world.play_until(75s);
  const auto& last = world.history.controllers.back();
  REQUIRE(last.fact.active);
  REQUIRE(last.when > Instant{} + 10s);
  CHECK(last.when < Instant{} + 16s);
  const auto fenced = world.history.broker_became(leader, true, Instant{} + 10s);
  REQUIRE(fenced.has_value());
  CHECK(*fenced - last.when > kSession - 100ms);
  CHECK(*fenced - last.when < kSession + 100ms);
  world.check_orders();
}

TEST_CASE("a controlled shutdown moves all leaders before the broker goes") {
  World world(three_and_three(4));
  world.play_until(10s);
  const NodeId leader = world.history.leader_of(kOrders0);
  const ProcessId process = world.broker(leader);
  world.cluster.stop(process);
  world.play_until(20s);
  const auto stopped = world.history.stopped(process, Instant{} + 10s);
  REQUIRE(stopped.has_value());
  CHECK(*stopped < Instant{} + 15s);
  for (std::int32_t i = 0; i < 6; ++i) {
    const TopicPartition tp{TopicId{1}, i};
    CAPTURE(i);
    CHECK(world.history.leader_of(tp) != leader);
    for (const auto& one : world.history.leaders) {
      if (one.fact.tp == tp) CHECK(one.when < *stopped);
    }
  }
  CHECK_FALSE(world.cluster.is_up(process));

  // It registers at once: the controller knows that it has gone.
  world.cluster.restart(process);
  world.play_until(75s);
  const auto unfenced = world.history.broker_became(leader, false, Instant{} + 20s);
  REQUIRE(unfenced.has_value());
  CHECK(*unfenced < Instant{} + 22s);
  for (std::int32_t i = 0; i < 6; ++i) {
    const auto* partition = world.history.last_of({TopicId{1}, i});
    REQUIRE(partition != nullptr);
    CHECK(partition->isr.size() == 3);
  }
  world.check_orders();
}

TEST_CASE("a killed broker that comes back at once must wait for the end of its former session") {
  World world(three_and_three(5));
  world.play_until(10s);
  const NodeId leader = world.history.leader_of(kOrders0);
  const ProcessId process = world.broker(leader);
  world.cluster.crash(process, CrashMode::kill);
  const Instant last_heartbeat = world.history.last_heartbeat.at(process);
  world.cluster.restart(process);
  world.play_until(75s);
  const auto fenced = world.history.broker_became(leader, true, Instant{} + 10s);
  REQUIRE(fenced.has_value());
  CHECK(*fenced - last_heartbeat > kSession);
  const auto unfenced = world.history.broker_became(leader, false, *fenced);
  REQUIRE(unfenced.has_value());
  CHECK(*unfenced - last_heartbeat < 16s);  // the back-off of its registration: 6.4 s by then
  for (std::int32_t i = 0; i < 6; ++i) {
    const auto* partition = world.history.last_of({TopicId{1}, i});
    REQUIRE(partition != nullptr);
    CHECK(partition->isr.size() == 3);
  }
  world.check_orders();
}

TEST_CASE("the active controller dies: data keeps flowing, and brokers find the next one") {
  World world(three_and_three(6));
  world.play_until(10s);
  const ProcessId controller = world.active_controller();
  world.cluster.crash(controller, CrashMode::kill);
  world.play_until(30s);
  world.cluster.restart(controller);
  world.play_until(75s);
  CHECK(world.history.controllers.back().fact.active);
  for (const auto& one : world.history.brokers) CHECK_FALSE(one.fact.fenced);
  world.check_orders();
}

}  // namespace
}  // namespace sim::cluster
