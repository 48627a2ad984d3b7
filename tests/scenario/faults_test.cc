#include <algorithm>
#include <chrono>
#include <limits>
#include <string>
#include <utility>
#include <variant>

#include <doctest/doctest.h>

#include "protocol/messages.h"
#include "scenario/loading.h"
#include "scenario/schema.h"
#include "scenario/targets.h"

// From what is written under faults to the values the host plays.
namespace sim::scenario::test {

namespace {

constexpr const char* kCluster = R"(schema: kraftsim/v1
duration: 60s
cluster: {brokers: 3, controllers: 3, racks: [a, b, c]}
topics: {orders: {partitions: 6, replication.factor: 3}}
clients:
  order-service: {produces: orders, arrivals: {poisson: 5/s}}
  payment: {consumes: orders, members: 2}
faults:
  - )";

fault::Fault one(const std::string& text) {
  const Result<Scenario> loaded = load_text(kCluster + text + "\n");
  for (const Problem& problem : loaded.problems()) MESSAGE(problem.message);
  REQUIRE(loaded);
  REQUIRE(loaded->cluster.faults.size() == 1);
  return loaded->cluster.faults.front();
}

std::string text(const fault::Targets& targets) {
  std::string text;
  for (const fault::Target& target : targets) text += (text.empty() ? "" : " | ") + print_target(target);
  return text;
}

}  // namespace

TEST_CASE("each way to name a target reads back as itself") {
  for (const char* target : {"broker-2", "controller-1", "rack(a)", "controller", "leader(orders-0)", "leader(a-b-12)", "follower(orders-0, 1)",
                             "coordinator(payment)", "client(payment)", "client(payment[1])", "brokers", "controllers", "clients",
                             "random(brokers, 2)", "random(clients, 1)"}) {
    CAPTURE(target);
    const ReadTarget read = read_target(target);
    REQUIRE(read.target);
    CHECK(print_target(*read.target) == target);
  }
  CHECK(print_target(*read_target(" follower( orders-0 ) ").target) == "follower(orders-0, 1)");
  CHECK(print_target(*read_target("random(controllers)").target) == "random(controllers, 1)");
}

TEST_CASE("when a fault strikes, how often and for how long") {
  const fault::Fault fault = one("{at: 12s, every: 10s, for: 2500ms, kill: {target: [broker-1, controller]}}");
  CHECK(fault.name == "kill-broker-1");
  CHECK(fault.at == Instant{} + std::chrono::seconds(12));
  CHECK(fault.every == Duration(std::chrono::seconds(10)));
  CHECK(fault.lasts == Duration(std::chrono::milliseconds(2500)));
  CHECK(text(std::get<fault::Kill>(fault.kind).targets) == "broker-1 | controller");
  const fault::Fault forever = one("{name: x, at: 0s, powerloss: {target: \"client(payment[1])\"}}");
  CHECK(forever.name == "x");
  CHECK_FALSE(forever.every);
  CHECK_FALSE(forever.lasts);
  CHECK(text(std::get<fault::PowerLoss>(forever.kind).targets) == "client(payment[1])");
}

TEST_CASE("what a fault does") {
  const auto isolate = std::get<fault::Partition>(one("{at: 1s, partition: {isolate: rack(a), direction: from}}").kind);
  CHECK(text(std::get<fault::Isolate>(isolate.shape).targets) == "rack(a)");
  CHECK(isolate.direction == fault::Direction::from);
  const auto groups = std::get<fault::Partition>(one("{at: 1s, partition: {groups: [broker-1, [broker-2, clients]]}}").kind);
  CHECK(text(std::get<fault::Groups>(groups.shape).groups.at(0)) == "broker-1");
  CHECK(text(std::get<fault::Groups>(groups.shape).groups.at(1)) == "broker-2 | clients");
  CHECK(std::holds_alternative<fault::Halves>(std::get<fault::Partition>(one("{at: 1s, partition: halves}").kind).shape));
  CHECK(std::holds_alternative<fault::MajoritiesRing>(std::get<fault::Partition>(one("{at: 1s, partition: majorities-ring}").kind).shape));
  const auto delay = std::get<fault::Delay>(one("{at: 1s, delay: {target: broker-1, to: controllers, by: 50ms}}").kind);
  CHECK(text(delay.wires.targets) == "broker-1");
  CHECK(text(delay.wires.peers) == "controllers");
  CHECK(delay.wires.direction == fault::Direction::both);
  Rng rng(1, "delay");
  CHECK(delay.by.sample(rng) == 50'000'000);
  CHECK(std::get<fault::Loss>(one("{at: 1s, loss: {target: broker-1, rate: 2.5%}}").kind).per_million == 25'000);
  const auto hold = std::get<fault::Hold>(one("{at: 1s, hold: {target: broker-1, request: AlterPartition, direction: to}}").kind);
  CHECK(hold.request == "AlterPartition");
  CHECK(hold.wires.direction == fault::Direction::to);
  CHECK(hold.wires.peers.empty());
}

TEST_CASE("a controller's number is not its node id") {
  const Result<Scenario> loaded = load_text(std::string(kCluster) + "{at: 1s, kill: {target: controller-2}}\n");
  REQUIRE(loaded);
  const auto& kill = std::get<fault::Kill>(loaded->cluster.faults.front().kind);
  CHECK(std::get<fault::ControllerTarget>(kill.targets.front()).id == loaded->cluster.controllers.at(1).id);
}

TEST_CASE("made-up names are unique and keep out of the way of given ones") {
  const Result<Scenario> loaded = load_text(std::string(kCluster) +
                                            "{at: 1s, pause: {target: leader(orders-0)}}\n  - {at: 9s, pause: {target: leader(orders-0)}}\n"
                                            "  - {name: partition-halves, at: 1s, pause: {target: broker-1}}\n  - {at: 1s, partition: halves}\n");
  REQUIRE(loaded);
  std::string names;
  for (const fault::Fault& fault : loaded->cluster.faults) names += fault.name + " ";
  CHECK(names == "pause-leader-orders-0 pause-leader-orders-0-2 partition-halves partition-halves-2 ");
}

TEST_CASE("the requests that can be held are Kafka's") {
  std::string all = "|";
  for (const Key& key : keys()) {
    if (key.path == "faults/[]/hold/request") all += std::string(key.words) + "|";
  }
  std::size_t requests = 0;
  const auto check = [&](const Message& message) {
    std::string word = name(message);
    if (!word.ends_with("Request")) return;
    word.resize(word.size() - 7);
    CAPTURE(word);
    CHECK(all.find("|" + word + "|") != std::string::npos);
    ++requests;
  };
  [&]<std::size_t... index>(std::index_sequence<index...>) {
    (check(std::variant_alternative_t<index, AnyMessage>{}), ...);
  }(std::make_index_sequence<std::variant_size_v<AnyMessage>>{});
  CHECK(requests > 20);
  CHECK(static_cast<std::size_t>(std::count(all.begin(), all.end(), '|')) == requests + 1);
}

TEST_CASE("a scenario goes back in the quorum's history") {
  const Result<Scenario> loaded = load_text(
      "schema: kraftsim/v1\nduration: 60s\ncluster:\n  brokers: 3\n  history: {pre-vote: off, directory-ids: off, eligible-leader-replicas: off}\n"
      "  config: {controller.quorum.fetch.timeout.ms: 3000, metadata.max.retention.ms: 60000}\n");
  REQUIRE(loaded);
  const cluster::ClusterSpec& cluster = loaded->cluster;
  CHECK_FALSE(cluster.quorum_history.pre_vote);
  CHECK(cluster.quorum_history.check_quorum);
  CHECK_FALSE(cluster.quorum_history.directory_ids);
  CHECK(cluster.quorum_history.fetch_high_watermark);
  CHECK_FALSE(cluster.controllers.front().config.eligible_leader_replicas_enable);
  CHECK(cluster.quorum.fetch_timeout == std::chrono::seconds(3));
  CHECK(cluster.quorum.retention == std::chrono::minutes(1));
  CHECK(cluster.quorum.election_timeout == std::chrono::seconds(1));
}

TEST_CASE("a metadata log without limits keeps everything") {
  const Result<Scenario> loaded = load_text(
      "schema: kraftsim/v1\nduration: 60s\ncluster:\n  brokers: 3\n  config: {metadata.max.retention.ms: -1, metadata.max.retention.bytes: -1}\n");
  REQUIRE(loaded);
  CHECK(loaded->cluster.quorum.retention > std::chrono::hours(24 * 365 * 50));
  CHECK(loaded->cluster.quorum.retention_bytes == std::numeric_limits<std::int64_t>::max());
}

}  // namespace sim::scenario::test
