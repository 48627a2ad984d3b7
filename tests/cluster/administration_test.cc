// What operators do to a cluster at work: leaders are brought home, replicas move, topics grow and go.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/overloaded.h"
#include "check/all_invariants.h"
#include "cluster/cluster.h"
#include "cluster/shop.h"

namespace sim::cluster {
namespace {

using namespace std::chrono_literals;

// Three controllers (processes 0 to 2), four brokers (3 to 6, nodes 1 to 4), a producer and a consumer, and
// the operator of each fault. Orders come from 8 s on.
ClusterSpec administered_shop(std::uint64_t seed, std::vector<fault::Fault> faults) {
  ClusterSpec spec;
  spec.seed = seed;
  for (std::int32_t id = 1; id <= 3; ++id)
    spec.controllers.push_back(ControllerSpec{NodeId{3000 + id}, "", {}, {}, {}});
  for (std::int32_t id = 1; id <= 4; ++id) spec.brokers.push_back(BrokerSpec{NodeId{id}, "", {}, {}, {}});
  test::connect(spec);
  spec.topics = {test::orders_topic(3)};
  spec.flows = {test::order_service(100'000, 8s)};
  workload::ServiceSpec service = test::service("payment");
  service.consumer.auto_offset_reset = client::AutoOffsetReset::earliest;
  spec.services = {service};
  spec.faults = std::move(faults);
  spec.load_ends_at = 22s;
  return spec;
}

fault::Fault admin(std::string name, AdminAction action, Duration at) {
  return {std::move(name), fault::Admin{std::move(action)}, Instant{at}, {}, {}};
}
fault::Fault kill(fault::Target target, Duration at, Duration lasts) {
  return {"kill", fault::Kill{{std::move(target)}}, Instant{at}, {}, lasts};
}
AdminAction elect_preferred() {
  return AdminRequest(ElectLeadersRequest{ElectionType::preferred, true, {}});
}

struct AdministrationWatch final : test::OrdersWatch {
  void on(const observe::Observation& seen) override {
    test::OrdersWatch::on(seen);
    std::visit(Overloaded{
                   [&](const observe::ProcessingDone& one) { read_from.insert(one.tp.partition); },
                   [&](const observe::PartitionChanged& one) { partitions[one.tp] = one; },
                   [&](const observe::AdminAnswered& one) { answers.push_back(one); },
                   [&](const observe::FaultEnded& one) {
                     ended[one.fault] = {nanos(seen.at) / 1'000'000, one.effects};
                   },
                   [](const auto&) {},
               },
               seen.fact);
  }
  std::set<std::int32_t> read_from;
  std::map<TopicPartition, observe::PartitionChanged> partitions;
  std::vector<observe::AdminAnswered> answers;
  std::map<FaultId, std::pair<std::int64_t, std::int64_t>> ended;  // when, and with what effects
};

struct AdministrationWorld {
  explicit AdministrationWorld(const ClusterSpec& spec) : cluster(spec) {
    cluster.observe(watch);
    cluster.observe(invariants);
    for (std::int32_t partition = 0; partition < 3; ++partition) orders.push_back({TopicId{1}, partition});
  }
  void play(Duration until) { test::play_until(cluster, until); }
  bool is_whole() const {
    return watch.placed.size() > 1'000 && watch.acknowledged == watch.placed && watch.all_handled();
  }
  std::size_t violations() const { return invariants.violations().size(); }

  AdministrationWatch watch;
  check::AllInvariants invariants{{{NodeId{1}, NodeId{2}, NodeId{3}, NodeId{4}}, {true}}};
  Cluster cluster;
  std::vector<TopicPartition> orders;
};

// Every partition on brokers 4, 1, 2 in an order of its own.
AdminAction reassign_all() {
  AlterPartitionReassignmentsRequest request;
  for (std::int32_t partition = 0; partition < 3; ++partition) {
    std::vector<NodeId> replicas{NodeId{4}, NodeId{1}, NodeId{2}};
    std::rotate(replicas.begin(), replicas.begin() + partition, replicas.end());
    request.partitions.push_back({{"orders", partition}, std::move(replicas), false});
  }
  return AdminRequest(std::move(request));
}

void check_reassigned(const AdministrationWorld& world) {
  for (const TopicPartition tp : world.orders) {
    CAPTURE(tp.partition);
    const observe::PartitionChanged& one = world.watch.partitions.at(tp);
    CHECK(one.replicas.size() == 3);
    CHECK(one.isr.size() == 3);
    CHECK(std::find(one.replicas.begin(), one.replicas.end(), NodeId{3}) == one.replicas.end());
    CHECK(one.adding.empty());
    CHECK_FALSE(world.cluster.image(ProcessId{5}).logs.contains(tp));  // broker 3 has thrown it away
    const auto& copied = world.cluster.image(ProcessId{6}).logs.at(tp);
    CHECK(copied.end_offset() == world.cluster.image(ProcessId{3}).logs.at(tp).end_offset());
  }
}

TEST_CASE("an operator brings the leaders home") {
  AdministrationWorld world(administered_shop(
      1, {kill(fault::BrokerTarget{NodeId{1}}, 9s, 1s), admin("elect", elect_preferred(), 26s)}));
  world.play(25s);
  const auto away = std::count_if(world.orders.begin(), world.orders.end(), [&](TopicPartition tp) {
    const auto& one = world.watch.partitions.at(tp);
    return one.leader != one.replicas.front();
  });
  REQUIRE(away > 0);
  world.play(32s);
  for (const TopicPartition tp : world.orders) {
    CHECK(world.watch.partitions.at(tp).leader == world.watch.partitions.at(tp).replicas.front());
  }
  CHECK(world.watch.ended.at(FaultId{1}).second >= away);  // of __consumer_offsets, too
  CHECK(world.watch.ended.at(FaultId{1}).first < 26'100);  // a few round trips
  CHECK(world.is_whole());
  CHECK(world.violations() == 0);
}

TEST_CASE("replicas move under load, and nothing is lost") {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    CAPTURE(seed);
    AdministrationWorld world(administered_shop(seed, {admin("reassign", reassign_all(), 12s)}));
    world.play(35s);
    CHECK(world.watch.answers.size() == 3);
    CHECK(world.watch.ended.at(FaultId{0}).second == 3);
    check_reassigned(world);
    CHECK(world.is_whole());
    CHECK(world.violations() == 0);
  }
}

TEST_CASE("a reassignment survives the controller that took it") {
  // The new replica is down at first, so the reassignment waits; meanwhile another controller takes over.
  AdministrationWorld world(administered_shop(
      4, {kill(fault::BrokerTarget{NodeId{4}}, 10s, 8s),
          admin("reassign", reassign_all(), 12s),
          {"controller", fault::Kill{{fault::ActiveController{}}}, Instant{14s}, {}, Duration{3s}}}));
  world.play(17s);
  CHECK(std::any_of(world.orders.begin(), world.orders.end(),
                    [&](TopicPartition tp) { return !world.watch.partitions.at(tp).adding.empty(); }));
  world.play(60s);
  check_reassigned(world);
  CHECK(world.is_whole());
  CHECK(world.violations() == 0);
}

TEST_CASE("an operator's tool asks again until a controller answers") {
  // Nobody can decide for five seconds.
  AdministrationWorld world(administered_shop(
      5,
      {{"no quorum", fault::Kill{{fault::AllOf{fault::Pool::controllers}}}, Instant{11s}, {}, Duration{5s}},
       admin("reassign", reassign_all(), 12s)}));
  world.play(40s);
  REQUIRE(world.watch.answers.size() == 3);
  CHECK(world.watch.ended.at(FaultId{1}).first > 16'000);
  check_reassigned(world);
  CHECK(world.violations() == 0);
}

TEST_CASE("it gives up after default.api.timeout.ms") {
  AdministrationWorld world(administered_shop(
      6, {{"no quorum", fault::Kill{{fault::AllOf{fault::Pool::controllers}}}, Instant{11s}, {}, {}},
          admin("reassign", reassign_all(), 12s)}));
  world.play(80s);
  REQUIRE(world.watch.answers.size() == 1);
  CHECK(world.watch.answers.front().error == ErrorCode::request_timed_out);
  CHECK(world.watch.ended.at(FaultId{1}) == std::pair<std::int64_t, std::int64_t>{72'000, 0});
}

TEST_CASE("a broker is emptied") {
  AdministrationWorld world(administered_shop(7, {admin("move", MoveReplicas{NodeId{2}, NodeId{4}}, 12s)}));
  world.play(40s);
  for (const auto& [tp, one] : world.watch.partitions) {
    // Those on both keep what they have.
    const std::vector<NodeId>& replicas = one.replicas;
    const auto has = [&replicas](std::int32_t node) {
      return std::find(replicas.begin(), replicas.end(), NodeId{node}) != replicas.end();
    };
    CHECK((!has(2) || has(4)));
    CHECK(one.adding.empty());
  }
  CHECK(world.watch.answers.size() > 3);  // of __consumer_offsets, too
  CHECK(world.is_whole());
  CHECK(world.violations() == 0);
}

TEST_CASE("a topic is deleted everywhere, and its producer's request for it makes a new one") {
  AdministrationWorld world(
      administered_shop(8, {admin("delete", AdminRequest(DeleteTopicsRequest{{"orders"}}), 15s)}));
  world.play(60s);
  CHECK(world.watch.ended.at(FaultId{0}).second == 1);
  for (std::int32_t broker = 3; broker <= 6; ++broker) {
    for (const TopicPartition tp : world.orders)
      CHECK_FALSE(world.cluster.image(ProcessId{broker}).logs.contains(tp));
  }
  const auto is_new = [](const auto& entry) { return entry.first.topic > TopicId{2}; };
  CHECK(std::any_of(world.watch.partitions.begin(), world.watch.partitions.end(), is_new));
  CHECK(world.watch.acknowledged.size() > 1'000);
}

AdminAction reset(ResetOffsets::To to) {
  ResetOffsets action;
  action.group = "payment";
  action.topic = "orders";
  action.to = to;
  action.offset = Offset{100};
  action.before = 4s;
  return action;
}

// Payment stands still from 14 s to 19 s, and goes on where it was told to meanwhile.
AdministrationWorld played_with_reset(ResetOffsets::To to) {
  std::vector<fault::Fault> faults{admin("reset", reset(to), 16s)};
  fault::Stop stop{{fault::ClientTarget{"payment", std::nullopt}}};
  faults.push_back({"stop", std::move(stop), Instant{14s}, {}, 5s});
  AdministrationWorld world(administered_shop(7, std::move(faults)));
  world.play(60s);
  return world;
}

TEST_CASE("a group's offsets are reset while it has no members") {
  const auto repeated = [](const AdministrationWorld& world) {
    std::size_t twice = 0;
    for (const auto& [order, times] : world.watch.handled) twice += times > 1 ? 1 : 0;
    return twice;
  };
  const AdministrationWorld all = played_with_reset(ResetOffsets::To::earliest);
  CHECK(all.watch.ended.at(FaultId{0}).second == 3);
  CHECK(all.watch.all_handled());
  CHECK(repeated(all) > 500);
  const AdministrationWorld some = played_with_reset(ResetOffsets::To::time);
  CHECK(some.watch.all_handled());
  CHECK(repeated(some) > 100);  // of the two seconds before it stopped
  CHECK(repeated(some) < 250);
  const AdministrationWorld from_offset = played_with_reset(ResetOffsets::To::offset);
  CHECK(from_offset.watch.all_handled());
  CHECK(repeated(from_offset) > repeated(some));
  CHECK(repeated(from_offset) < repeated(all));
  const AdministrationWorld none = played_with_reset(ResetOffsets::To::latest);
  CHECK(repeated(none) == 0);
  CHECK_FALSE(none.watch.all_handled());  // what came while it stood still is skipped
  for (const AdministrationWorld* world : {&all, &some, &from_offset, &none}) CHECK(world->violations() == 0);
}

TEST_CASE("the offsets of a group at work are not reset") {
  AdministrationWorld world(administered_shop(7, {admin("reset", reset(ResetOffsets::To::earliest), 16s)}));
  world.play(60s);
  REQUIRE(world.watch.answers.size() == 3);
  for (const observe::AdminAnswered& one : world.watch.answers)
    CHECK(one.error == ErrorCode::unknown_member_id);
  CHECK(world.watch.ended.at(FaultId{0}).second == 0);
  CHECK(world.is_whole());
}

TEST_CASE("more partitions are used as soon as clients hear of them") {
  ClusterSpec spec =
      administered_shop(9, {admin("grow", AdminRequest(CreatePartitionsRequest{{{"orders", 6}}}), 10s)});
  spec.flows[0].producer.metadata_max_age_ms = 2'000;
  spec.services[0].consumer.metadata_max_age_ms = 2'000;
  AdministrationWorld world(spec);
  world.play(40s);
  CHECK(world.watch.ended.at(FaultId{0}).second == 1);
  CHECK(world.watch.read_from.size() == 6);
  CHECK(world.is_whole());
  CHECK(world.violations() == 0);
}

TEST_CASE("a setting takes effect while the topic is used") {
  // With one replica in sync writes are refused, until one is enough.
  ClusterSpec spec = administered_shop(
      10, {{"two down",
            fault::Kill{{fault::BrokerTarget{NodeId{3}}, fault::BrokerTarget{NodeId{4}}}},
            Instant{9s},
            {},
            {}},
           admin("lower",
                 AdminRequest(
                     IncrementalAlterConfigsRequest{{{"orders", {{"min.insync.replicas", "1", false}}}}}),
                 19s)});
  spec.topics[0].config.min_insync_replicas = 3;
  spec.topics[0].partitions = 1;
  AdministrationWorld world(spec);
  world.play(19s);
  CHECK(world.watch.acknowledged.size() < 150);  // of the first second
  world.play(45s);
  CHECK(world.watch.acknowledged == world.watch.placed);
}

// Operators who keep moving things while servers die: whatever becomes of orders, what must hold holds.
TEST_CASE("replicas are moved, taken back and elected among crashes") {
  const auto reassign = [](std::initializer_list<std::int32_t> replicas, std::int32_t partition) {
    AlterPartitionReassignmentsRequest request;
    request.partitions.push_back({{"orders", partition}, {}, replicas.size() == 0});
    for (const std::int32_t id : replicas) request.partitions.back().replicas.emplace_back(id);
    return AdminAction(AdminRequest(std::move(request)));
  };
  std::size_t answers = 0;
  for (std::uint64_t seed = 21; seed <= 24; ++seed) {
    CAPTURE(seed);
    std::vector<fault::Fault> faults{
        {"brokers", fault::Kill{{fault::RandomOf{fault::Pool::brokers, 1}}}, Instant{10s}, Duration{13s},
         Duration{6s}},
        {"controllers", fault::Kill{{fault::ActiveController{}}}, Instant{13s}, Duration{11s}, Duration{4s}},
        {"elect", fault::Admin{elect_preferred()}, Instant{12s}, Duration{7s}, {}},
        {"there", fault::Admin{MoveReplicas{NodeId{1}, NodeId{4}}}, Instant{11s}, Duration{10s}, {}},
        {"back", fault::Admin{MoveReplicas{NodeId{4}, NodeId{1}}}, Instant{16s}, Duration{10s}, {}},
        {"alone", fault::Admin{reassign({2}, 0)}, Instant{14s}, Duration{12s}, {}},
        {"together", fault::Admin{reassign({3, 4, 1}, 0)}, Instant{18s}, Duration{12s}, {}},
        {"not so", fault::Admin{reassign({}, 0)}, Instant{Duration{19s}}, Duration{6s}, {}},
    };
    ClusterSpec spec = administered_shop(seed, std::move(faults));
    spec.load_ends_at = 60s;
    AdministrationWorld world(spec);
    world.play(90s);
    CHECK(world.violations() == 0);
    CHECK(world.watch.acknowledged.size() > 1'000);
    answers += world.watch.answers.size();
  }
  CHECK(answers > 200);
}

TEST_CASE("a topic is made in mid-run, where it was asked to lie; a second one of its name is refused") {
  CreateTopicsRequest request;
  request.topics.emplace_back().name = "later";
  request.topics.back().replicas = {{NodeId{2}, NodeId{4}}, {NodeId{3}, NodeId{1}}};
  CreateTopicsRequest nowhere;
  nowhere.topics.emplace_back().name = "nowhere";
  nowhere.topics.back().replicas = {{NodeId{2}, NodeId{9}}};
  AdministrationWorld world(administered_shop(
      3, {admin("make", AdminRequest(request), 5s), admin("again", AdminRequest(request), 6s),
          admin("nowhere", AdminRequest(nowhere), 7s)}));
  world.play(10s);
  REQUIRE(world.watch.answers.size() == 3);
  CHECK(world.watch.answers[0].error == ErrorCode::none);
  CHECK(world.watch.answers[0].resource == "later");
  CHECK(world.watch.answers[1].error == ErrorCode::topic_already_exists);
  CHECK(world.watch.answers[2].error == ErrorCode::invalid_replica_assignment);
  const auto has = [&](std::int32_t partition, std::vector<NodeId> replicas) {
    return std::any_of(world.watch.partitions.begin(), world.watch.partitions.end(), [&](const auto& one) {
      return one.first.partition == partition && one.second.replicas == replicas &&
             one.second.leader == replicas.front();
    });
  };
  CHECK(has(0, {NodeId{2}, NodeId{4}}));
  CHECK(has(1, {NodeId{3}, NodeId{1}}));
  CHECK(world.violations() == 0);
}

TEST_CASE("a copy in mid-run has its operators, too") {
  Cluster original(administered_shop(
      11, {admin("reassign", reassign_all(), 12s), admin("elect", elect_preferred(), 16s)}));
  original.set_time_limit(Instant{12s + 1ms});
  while (original.step()) {
  }
  Cluster copy = original;
  for (Cluster* one : {&original, &copy}) {
    one->set_time_limit(Instant{20s});
    while (one->step()) {
    }
  }
  CHECK(original.events_fired() == copy.events_fired());
  CHECK(original.fingerprint() == copy.fingerprint());
}

}  // namespace
}  // namespace sim::cluster
