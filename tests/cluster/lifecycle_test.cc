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
#include "cluster/quorum_worlds.h"
#include "cluster/shop.h"

namespace sim::cluster {
namespace {

using namespace std::chrono_literals;

constexpr Duration kSession = 9s;
constexpr Duration kSessionCheck = 1125ms;  // sessions are looked at every eighth of one

ClusterSpec busy_three_and_three(std::uint64_t seed) {
  ClusterSpec spec = test::idle_cluster(seed, 6);
  spec.topics.front().config.min_insync_replicas = 2;
  spec.flows = {test::order_service(100'000, 5s)};
  spec.load_ends_at = 60s;
  return spec;
}

// Each broker is a controller, too.
ClusterSpec three_combined(std::uint64_t seed) {
  ClusterSpec spec = busy_three_and_three(seed);
  spec.combined = true;
  for (std::size_t i = 0; i < 3; ++i) spec.controllers[i].id = spec.brokers[i].id;
  return spec;
}

ClusterSpec with_service(ClusterSpec spec) {
  workload::ServiceSpec service = test::service("payment");
  service.members = 2;
  service.service_time = Distribution::constant(1'000'000);
  service.commit = workload::CommitMode::after_batch;
  service.consumer.enable_auto_commit = false;
  service.consumer.auto_offset_reset = client::AutoOffsetReset::earliest;
  spec.services = {service};
  return spec;
}

void isolate_for(ClusterSpec& spec, fault::Target target, Duration at, Duration lasts) {
  fault::Fault fault{"isolation", fault::Partition{fault::Isolate{{std::move(target)}}}};
  fault.at = Instant{} + at;
  fault.lasts = lasts;
  spec.faults = {fault};
}

struct EventAt {
  Instant when;
  ProcessId process;
};
template <class Fact>
struct FactAt : EventAt {
  Fact fact;
};

// What happened, and when.
class LifecycleWatch final : public test::OrdersWatch {
 public:
  bool wants_messages() const override { return true; }
  void on(const observe::Observation& seen) override {
    test::OrdersWatch::on(seen);
    const EventAt at{seen.at, seen.process};
    std::visit(Overloaded{
                   [&](const observe::ControllerChanged& one) {
                     controllers.push_back({at, one});
                   },
                   [&](const observe::BrokerStateChanged& one) {
                     brokers.push_back({at, one});
                   },
                   [&](const observe::PartitionChanged& one) {
                     partitions.push_back({at, one});
                   },
                   [&](const observe::BecameLeader& one) {
                     leaders.push_back({at, one});
                   },
                   [&](const observe::ProcessStopped&) { stops.push_back(at); },
                   [&](const observe::AssignmentReceived& one) {
                     assignments.push_back({at, one});
                   },
                   [&](const observe::LogTruncated& one) { truncated.insert(one.broker); },
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
    for (const EventAt& one : stops) {
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

  std::vector<FactAt<observe::ControllerChanged>> controllers;
  std::vector<FactAt<observe::BrokerStateChanged>> brokers;
  std::vector<FactAt<observe::PartitionChanged>> partitions;
  std::vector<FactAt<observe::BecameLeader>> leaders;
  std::vector<FactAt<observe::AssignmentReceived>> assignments;
  std::vector<EventAt> stops;
  std::set<NodeId> truncated;
  std::map<ProcessId, Instant> last_heartbeat;
};

struct LifecycleWorld {
  explicit LifecycleWorld(const ClusterSpec& spec) : cluster(spec) { cluster.observe(history); }

  void play_until(Duration until) { test::play_until(cluster, until); }
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
    if (active->node.value() < 3000) return broker(active->node);  // combined
    return process("controller-" + std::to_string(active->node.value() - 3000));
  }
  // All of them everywhere, in the end.
  void check_all_in_sync() const {
    for (std::int32_t i = 0; i < 6; ++i) {
      const auto* partition = history.last_of({TopicId{1}, i});
      REQUIRE(partition != nullptr);
      CHECK(partition->isr.size() == 3);
    }
  }
  void check_orders() const {
    CHECK(history.placed.size() > 1'000);
    CHECK(history.acknowledged == history.placed);
  }

  Cluster cluster;
  LifecycleWatch history;
};

constexpr TopicPartition kOrders0{TopicId{1}, 0};

TEST_CASE("a quorum of three elects one controller, and three brokers begin") {
  LifecycleWorld world(busy_three_and_three(1));
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
  LifecycleWorld world(busy_three_and_three(2));
  world.play_until(10s);
  const NodeId leader = world.history.leader_of(kOrders0);
  const ProcessId killed = world.broker(leader);
  world.cluster.crash(killed, CrashMode::kill);
  const Instant last_heartbeat = world.history.last_heartbeat.at(killed);
  world.play_until(75s);

  const auto fenced = world.history.broker_became(leader, true, Instant{} + 10s);
  REQUIRE(fenced.has_value());
  CHECK(*fenced - last_heartbeat > kSession);
  CHECK(*fenced - last_heartbeat < kSession + kSessionCheck + 100ms);
  const NodeId next = world.history.leader_of(kOrders0);
  CHECK(next != leader);
  const auto became =
      std::find_if(world.history.leaders.begin(), world.history.leaders.end(),
                   [&](const auto& one) { return one.fact.tp == kOrders0 && one.fact.broker == next; });
  CHECK(became->when - *fenced < 100ms);
  REQUIRE(world.history.last_of(kOrders0) != nullptr);
  CHECK(world.history.last_of(kOrders0)->isr.size() == 2);
  world.check_orders();
}

TEST_CASE("if the active controller dies with it, the clock starts anew") {
  LifecycleWorld world(busy_three_and_three(3));
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
  LifecycleWorld world(busy_three_and_three(4));
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

  // The controller knows that it has gone, but its session goes on (BrokerHeartbeatTracker): until 9 s after
  // its last heartbeat it may not register, and it asks every two seconds.
  const Instant last_heartbeat = world.history.last_heartbeat.at(process);
  world.cluster.restart(process);
  world.play_until(75s);
  const auto unfenced = world.history.broker_became(leader, false, Instant{} + 20s);
  REQUIRE(unfenced.has_value());
  CHECK(*unfenced > last_heartbeat + kSession);
  CHECK(*unfenced < last_heartbeat + kSession + 2s + 200ms);
  world.check_all_in_sync();
  world.check_orders();
}

// After ten seconds the leader of orders-0 is killed, and started again at once.
struct BounceOfALeader {
  LifecycleWorld world{busy_three_and_three(5)};
  NodeId leader;
  Instant last_heartbeat;

  BounceOfALeader() {
    world.play_until(10s);
    leader = world.history.leader_of(kOrders0);
    const ProcessId process = world.broker(leader);
    world.cluster.crash(process, CrashMode::kill);
    last_heartbeat = world.history.last_heartbeat.at(process);
    world.cluster.restart(process);
  }
};

TEST_CASE("a killed broker that comes back at once must wait for the end of its former session") {
  BounceOfALeader bounce;
  LifecycleWorld& world = bounce.world;
  world.play_until(75s);
  const auto fenced = world.history.broker_became(bounce.leader, true, Instant{} + 10s);
  REQUIRE(fenced.has_value());
  CHECK(*fenced - bounce.last_heartbeat > kSession);
  const auto unfenced = world.history.broker_became(bounce.leader, false, *fenced);
  REQUIRE(unfenced.has_value());
  CHECK(*unfenced - bounce.last_heartbeat < kSession + 2s + 200ms);  // it asks every two seconds
  world.check_all_in_sync();
  world.check_orders();
}

// It loads its logs and fetches as soon as it knows the metadata, and is in the ISR until it is fenced.
TEST_CASE("a killed broker that may not register yet lets the other leaders acknowledge") {
  BounceOfALeader bounce;
  LifecycleWorld& world = bounce.world;
  world.play_until(12s);
  const std::size_t acknowledged = world.history.acknowledged.size();
  world.play_until(16s);
  REQUIRE(Instant{} + 16s < bounce.last_heartbeat + kSession);
  CHECK(world.history.acknowledged.size() > acknowledged + 100);
}

TEST_CASE("seeds choose where heartbeats stand: a kill is noticed sooner or later") {
  Duration soonest = Duration::max();
  Duration latest{};
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    CAPTURE(seed);
    ClusterSpec spec = busy_three_and_three(seed);
    spec.flows.clear();
    LifecycleWorld world(spec);
    world.play_until(10s);
    world.cluster.crash(world.broker(NodeId{1}), CrashMode::kill);
    world.play_until(21s);
    const auto fenced = world.history.broker_became(NodeId{1}, true, Instant{} + 10s);
    REQUIRE(fenced.has_value());
    const Duration took = *fenced - (Instant{} + 10s);
    CHECK(took > kSession - 2s);
    CHECK(took < kSession + kSessionCheck + 100ms);
    soonest = std::min(soonest, took);
    latest = std::max(latest, took);
  }
  CHECK(latest - soonest > 1s);
}

TEST_CASE("what is started again after a fault runs when its start is over") {
  ClusterSpec spec = busy_three_and_three(12);
  for (BrokerSpec& broker : spec.brokers) {
    broker.start_time = Distribution::constant(3'000'000'000);
    broker.open_logs_time = Distribution::constant(2'000'000'000);
  }
  fault::Fault crash{"crash", fault::Kill{{fault::BrokerTarget{NodeId{2}}}}};
  crash.at = Instant{} + 10s;
  crash.lasts = 15s;
  spec.faults = {crash};
  LifecycleWorld world(spec);
  world.play_until(27s);
  const ProcessId process = world.broker(NodeId{2});
  CHECK_FALSE(world.cluster.is_up(process));
  world.play_until(28s + 1ms);
  CHECK(world.cluster.is_up(process));
  world.play_until(60s);
  const auto unfenced = world.history.broker_became(NodeId{2}, false, Instant{} + 25s);
  REQUIRE(unfenced.has_value());
  CHECK(*unfenced > Instant{} + 30s);
  CHECK(*unfenced < Instant{} + 30s + 200ms);
}

TEST_CASE("the active controller dies: data keeps flowing, and brokers find the next one") {
  LifecycleWorld world(busy_three_and_three(6));
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

TEST_CASE("combined mode: a process that is both may die, and comes back as both") {
  LifecycleWorld world(three_combined(7));
  world.play_until(10s);
  const ProcessId process = world.active_controller();
  const NodeId id = world.history.active_controller()->node;
  world.cluster.crash(process, CrashMode::kill);
  world.play_until(30s);
  const auto next = world.history.active_controller();
  CHECK(next->node != id);
  const auto fenced = world.history.broker_became(id, true, Instant{} + 10s);
  REQUIRE(fenced.has_value());
  const auto activated = std::find_if(world.history.controllers.rbegin(), world.history.controllers.rend(),
                                      [](const auto& one) { return one.fact.active; });
  CHECK(*fenced - activated->when > kSession - 100ms);
  CHECK(*fenced - activated->when < kSession + 100ms);  // the eighth look comes right after the session
  world.cluster.restart(process);
  world.play_until(75s);
  const auto unfenced = world.history.broker_became(id, false, *fenced);
  REQUIRE(unfenced.has_value());
  CHECK(*unfenced < Instant{} + 32s);
  world.check_all_in_sync();
  world.check_orders();
}

TEST_CASE("combined mode: asked to stop, it hands over its partitions, then the quorum") {
  LifecycleWorld world(three_combined(8));
  world.play_until(10s);
  const ProcessId process = world.active_controller();
  const NodeId id = world.history.active_controller()->node;
  world.cluster.stop(process);
  world.play_until(25s);
  const auto stopped = world.history.stopped(process, Instant{} + 10s);
  REQUIRE(stopped.has_value());
  for (const auto& one : world.history.leaders) CHECK(one.when < *stopped);
  CHECK(world.history.active_controller()->node != id);
  world.cluster.restart(process);
  world.play_until(75s);
  CHECK(world.history.broker_became(id, false, *stopped).has_value());
  world.check_all_in_sync();
  world.check_orders();
}

TEST_CASE("an isolated leader is replaced, and follows when it is back") {
  ClusterSpec spec = busy_three_and_three(9);
  isolate_for(spec, fault::LeaderOf{"orders", 0}, 10s, 25s);
  LifecycleWorld world(spec);
  world.play_until(10s);
  const NodeId leader = world.history.leader_of(kOrders0);
  world.play_until(75s);
  const auto fenced = world.history.broker_became(leader, true, Instant{} + 10s);
  REQUIRE(fenced.has_value());
  CHECK(*fenced - (Instant{} + 10s) > kSession - 2s);
  CHECK(*fenced - (Instant{} + 10s) < kSession + kSessionCheck + 100ms);
  CHECK(world.history.leader_of(kOrders0) != leader);
  const auto unfenced = world.history.broker_became(leader, false, Instant{} + 35s);
  REQUIRE(unfenced.has_value());
  CHECK(*unfenced < Instant{} + 55s);
  world.check_all_in_sync();
  world.check_orders();
}

TEST_CASE("an isolated active controller is replaced, and no broker is fenced") {
  ClusterSpec spec = busy_three_and_three(10);
  isolate_for(spec, fault::ActiveController{}, 10s, 20s);
  LifecycleWorld world(spec);
  world.play_until(75s);
  CHECK(std::count_if(world.history.controllers.begin(), world.history.controllers.end(),
                      [](const auto& one) { return one.fact.active; }) == 2);
  for (const auto& one : world.history.brokers) CHECK_FALSE(one.fact.fenced);
  world.check_orders();
}

TEST_CASE("without a quorum data flows on, but nothing heals before it is back") {
  LifecycleWorld world(busy_three_and_three(11));
  world.play_until(10s);
  const ProcessId active = world.active_controller();
  world.cluster.crash(active, CrashMode::kill);
  const ProcessId second =
      world.process(active == world.process("controller-1") ? "controller-2" : "controller-1");
  world.cluster.crash(second, CrashMode::kill);
  world.play_until(20s);
  const std::size_t acknowledged = world.history.acknowledged.size();
  world.play_until(30s);
  CHECK(world.history.acknowledged.size() > acknowledged + 800);
  const NodeId leader = world.history.leader_of(kOrders0);
  world.cluster.crash(world.broker(leader), CrashMode::kill);
  world.play_until(50s);
  CHECK(world.history.leader_of(kOrders0) == leader);
  world.cluster.restart(active);
  world.play_until(80s);
  CHECK(world.history.leader_of(kOrders0) != leader);
  world.check_orders();
}

TEST_CASE("a replica that joins while the controller fails over is in the ISR in the end") {
  for (std::uint64_t seed = 20; seed < 26; ++seed) {
    CAPTURE(seed);
    LifecycleWorld world(busy_three_and_three(seed));
    world.play_until(10s);
    const NodeId leader = world.history.leader_of(kOrders0);
    const ProcessId process = world.broker(leader);
    world.cluster.stop(process);
    world.play_until(15s);
    REQUIRE_FALSE(world.cluster.is_up(process));
    world.cluster.restart(process);
    world.play_until(15s + std::chrono::milliseconds(20) * static_cast<int>(seed - 19));
    world.cluster.crash(world.active_controller(), CrashMode::kill);
    world.play_until(75s);
    world.check_all_in_sync();
    world.check_orders();
  }
}

TEST_CASE("power loss of a leader loses no acknowledged order") {
  LifecycleWorld world(busy_three_and_three(12));
  world.play_until(10s);
  const NodeId leader = world.history.leader_of(kOrders0);
  world.cluster.crash(world.broker(leader), CrashMode::power_loss);
  world.play_until(30s);
  world.cluster.restart(world.broker(leader));
  world.play_until(75s);
  world.check_all_in_sync();
  world.check_orders();
}

TEST_CASE("a member that is stopped leaves its group at once, and joins again when it is back") {
  LifecycleWorld world(with_service(busy_three_and_three(13)));
  world.play_until(20s);
  const ProcessId member = world.process("payment[0]");
  world.cluster.stop(member);
  world.play_until(30s);
  CHECK_FALSE(world.cluster.is_up(member));
  REQUIRE(world.history.stopped(member, Instant{} + 20s).has_value());
  CHECK(*world.history.stopped(member, Instant{} + 20s) < Instant{} + 21s);
  CHECK(world.history.assignments.back().fact.partitions.size() == 6);
  CHECK(world.history.assignments.back().when < Instant{} + 26s);
  world.cluster.restart(member);
  world.play_until(75s);
  CHECK(world.history.assignments.back().fact.partitions.size() == 3);
  world.check_orders();
  CHECK(world.history.handled.size() == world.history.placed.size());
  for (const auto& [record, times] : world.history.handled) CHECK(times == 1);
}

// Each broker waits until the session of its former life has ended; the next is stopped after that.
TEST_CASE("a rolling restart of all brokers and controllers is not seen by the orders") {
  ClusterSpec spec = with_service(busy_three_and_three(14));
  spec.load_ends_at = 100s;
  LifecycleWorld world(spec);
  world.play_until(15s);
  Duration now = 15s;
  const auto restart = [&](const std::string& name, Duration until_next) {
    CAPTURE(name);
    const ProcessId process = world.process(name);
    world.cluster.stop(process);
    now += 6s;
    world.play_until(now);
    REQUIRE_FALSE(world.cluster.is_up(process));
    world.cluster.restart(process);
    now += until_next;
    world.play_until(now);
  };
  for (const char* name : {"broker-1", "broker-2", "broker-3"}) restart(name, 10s);
  for (const char* name : {"controller-1", "controller-2", "controller-3"}) restart(name, 3s);
  world.play_until(130s);
  world.check_all_in_sync();
  world.check_orders();
  CHECK(world.history.handled.size() == world.history.placed.size());
}

// It may not: the ISR of some partitions falls to one, and writes stall (Kafka 4.1.2, restarted every 8 s).
TEST_CASE("brokers that are restarted faster than sessions end leave too few in sync") {
  LifecycleWorld world(busy_three_and_three(15));
  world.play_until(15s);
  std::size_t smallest_isr = 3;
  for (const char* name : {"broker-1", "broker-2"}) {
    const ProcessId process = world.process(name);
    world.cluster.stop(process);
    world.play_until(15s + (name == std::string("broker-1") ? 6s : 14s));
    REQUIRE_FALSE(world.cluster.is_up(process));
    world.cluster.restart(process);
    if (name == std::string("broker-1")) world.play_until(23s);
  }
  world.play_until(75s);
  for (const auto& one : world.history.partitions) smallest_isr = std::min(smallest_isr, one.fact.isr.size());
  CHECK(smallest_isr == 1);
  world.check_all_in_sync();
  world.check_orders();
}

}  // namespace
}  // namespace sim::cluster
