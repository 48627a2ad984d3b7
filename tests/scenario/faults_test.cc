#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <string>
#include <utility>
#include <variant>

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
  for (const char* target :
       {"broker-2", "controller-1", "rack(a)", "controller", "leader(orders-0)", "leader(a-b-12)",
        "follower(orders-0, 1)", "coordinator(payment)", "client(payment)", "client(payment[1])", "brokers",
        "controllers", "clients", "random(brokers, 2)", "random(clients, 1)"}) {
    CAPTURE(target);
    const ReadTarget read = read_target(target);
    REQUIRE(read.target);
    CHECK(print_target(*read.target) == target);
  }
  CHECK(print_target(*read_target(" follower( orders-0 ) ").target) == "follower(orders-0, 1)");
  CHECK(print_target(*read_target("random(controllers)").target) == "random(controllers, 1)");
}

TEST_CASE("when a fault strikes, how often and for how long") {
  const fault::Fault fault =
      one("{at: 12s, every: 10s, for: 2500ms, kill: {target: [broker-1, controller]}}");
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

TEST_CASE("until is a time of the run; a stop may count from the exit") {
  const fault::Fault fault = one("{at: 12s, until: 20s, kill: {target: broker-1}}");
  CHECK(fault.lasts == Duration(std::chrono::seconds(8)));
  const fault::Fault stop = one("{at: 12s, stop: {target: broker-1, down: 3s}}");
  CHECK_FALSE(stop.lasts);
  CHECK(std::get<fault::Stop>(stop.kind).down == Duration(std::chrono::seconds(3)));
  struct Row {
    const char* fault;
    const char* problem;
  };
  const Row rows[] = {
      {"{at: 12s, until: 12s, kill: {target: broker-1}}",
       "faults[0].until: it would end at 12s, before it strikes at 12s"},
      {"{at: 12s, until: 20s, for: 1s, kill: {target: broker-1}}", "faults[0] has both for and until"},
      {"{at: 12s, until: 20s, every: 5s, kill: {target: broker-1}}",
       "faults[0].until: it strikes again and again, and each time ends elsewhere"},
      {"{at: 12s, for: 20s, stop: {target: broker-1, down: 5s}}", "faults[0] has both for and stop.down"},
      {"{at: 1s, hold: {target: brokers, request: Heartbeat, partition: orders-0}}",
       "faults[0].hold.partition: Heartbeat is not about partitions"},
      {"{at: 1s, hold: {target: brokers, request: Fetch, partition: orders-9}}",
       "faults[0].hold.partition: topic orders has no partition 9"},
      {"{at: 1s, deploy: {target: broker-1, config: {linger.ms: 1}}}",
       "faults[0].deploy.target: broker-1 is no client"},
      {"{at: 1s, deploy: {target: client(payment)}}", "faults[0].deploy changes nothing"},
      {"{at: 1s, deploy: {target: client(payment), config: {linger.ms: 1}}}",
       "faults[0].deploy.config: linger.ms is a setting of producers, and payment consumes"},
      {"{at: 1s, for: 2s, deploy: {target: client(payment), config: {max.poll.records: 1}}}",
       "faults[0].for: a deployment is over when its processes are up again"},
      {"{at: 1s, admin: {create-topic: {topic: t, partitions: 2, replicas: [[1]]}}}",
       "faults[0].admin.create-topic has both replicas and partitions"},
      {"{at: 1s, admin: {create-topic: {topic: t, replicas: [[1, 4]]}}}",
       "faults[0].admin.create-topic.replicas: there is no broker-4"},
      {"{at: 1s, admin: {reset-offsets: {group: payment, topic: orders}}}",
       "faults[0].admin.reset-offsets does not say to where"},
      {"{at: 1s, admin: {reset-offsets: {group: payment, topic: orders, to: latest, by-duration: 5m}}}",
       "faults[0].admin.reset-offsets has both to and by-duration"},
      {"{at: 1s, admin: {reset-offsets: {group: payment, topic: orders, to: -5}}}",
       "faults[0].admin.reset-offsets.to: \"-5\" is no offset"},
      {"{at: 1s, admin: {reset-offsets: {group: paiment, topic: orders, to: 5}}}",
       "faults[0].admin.reset-offsets.group: there is no group \"paiment\""},
      {"{at: 1s, admin: {reset-offsets: {group: payment, topic: orders, to: 5, partitions: other-0}}}",
       "faults[0].admin.reset-offsets.partitions: there is no topic \"other\""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.fault);
    const Result<Scenario> loaded = load_text(std::string(kCluster) + row.fault + "\n");
    REQUIRE_FALSE(loaded);
    CHECK(loaded.problems()[0].message == row.problem);
  }
}

TEST_CASE("names of let are targets, of an instant that has come") {
  const auto with_let = [](const std::string& let, const std::string& at) {
    std::string text = kCluster;
    text.insert(text.find("faults:"), "let: " + let + "\n");
    return load_text(text + "{at: " + at + ", kill: {target: b1}}\n");
  };
  const Result<Scenario> loaded = with_let("{b1: \"leader(orders-0) at 29s\"}", "29s");
  REQUIRE(loaded);
  REQUIRE(loaded->cluster.fixed_targets.size() == 1);
  CHECK(loaded->cluster.fixed_targets[0].at == Instant{} + std::chrono::seconds(29));
  CHECK(text({loaded->cluster.fixed_targets[0].target}) == "leader(orders-0)");
  CHECK(text(std::get<fault::Kill>(loaded->cluster.faults[0].kind).targets) == "b1");
  struct Row {
    const char* let;
    const char* problem;
  };
  const Row rows[] = {
      {"{b1: \"leader(orders-0) at 31s\"}",
       "faults[0].kill.target: b1 is fixed at 31s, when this has struck already"},
      {"{b1: \"leader(orders-0)\"}", "let.b1: \"leader(orders-0)\" does not say when"},
      {"{b1: \"leader(orders-6) at 1s\"}", "let.b1: topic orders has no partition 6"},
      {"{controller: \"leader(orders-0) at 1s\"}", "let: \"controller\" cannot be a name: it is a target"},
      {"{broker-1: \"leader(orders-0) at 1s\"}", "let: \"broker-1\" cannot be a name: it is a target"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.let);
    const Result<Scenario> refused = with_let(row.let, "30s");
    REQUIRE_FALSE(refused);
    CHECK(refused.problems()[0].message == row.problem);
  }
}

TEST_CASE("a hold of replies, of one partition, of so many") {
  const auto hold = std::get<fault::Hold>(
      one("{at: 1s, hold: {target: brokers, request: Produce, replies: true, partition: orders-2, count: 3, "
          "connections: 2}}")
          .kind);
  CHECK((hold.side == fault::HeldSide::replies));
  REQUIRE(hold.partition);
  CHECK(hold.partition->partition == 2);
  CHECK(hold.count == 3);
  CHECK(hold.connections == 2);
}

TEST_CASE("a deployment is the client with other settings; topics may be made in mid-run") {
  const Result<Scenario> loaded = load_text(
      std::string(kCluster) +
      "{at: 1s, deploy: {target: \"client(payment[1])\", config: {max.poll.records: 7}, service: 9ms}}\n"
      "  - {at: 2s, admin: {create-topic: {topic: later, replicas: [[3, 1]], config: {retention.ms: "
      "5000}}}}\n"
      "  - {at: 3s, kill: {target: \"leader(later-0)\"}}\n");
  for (const Problem& problem : loaded.problems()) MESSAGE(problem.message);
  REQUIRE(loaded);
  REQUIRE(loaded->cluster.deployments.size() == 1);
  const auto& deployed = std::get<workload::ServiceSpec>(loaded->cluster.deployments[0].client);
  CHECK(deployed.name == "payment");
  CHECK(deployed.consumer.max_poll_records == 7);
  CHECK(loaded->cluster.services[0].consumer.max_poll_records == 500);
  const auto& admin = std::get<fault::Admin>(loaded->cluster.faults[1].kind);
  const auto& create = std::get<CreateTopicsRequest>(std::get<AdminRequest>(admin.action));
  REQUIRE(create.topics.size() == 1);
  CHECK(create.topics[0].replicas == std::vector<std::vector<NodeId>>{{NodeId{3}, NodeId{1}}});
  CHECK(create.topics[0].config.retention_ms == 5000);
}

TEST_CASE("what a fault does to disks") {
  const auto tail = [](const char* fault) { return std::get<fault::PowerLoss>(one(fault).kind).tail; };
  CHECK(tail("{at: 1s, powerloss: {target: broker-1}}") == fault::Tail::lost);
  CHECK(tail("{at: 1s, powerloss: {target: broker-1, tail: lost}}") == fault::Tail::lost);
  CHECK(tail("{at: 1s, powerloss: {target: broker-1, tail: torn}}") == fault::Tail::torn);
  CHECK(text(std::get<fault::Wipe>(one("{at: 1s, for: 5s, wipe: {target: [broker-1, controller-1]}}").kind)
                 .targets) == "broker-1 | controller-3001");
  for (const char* target : {"client(payment)", "clients", "\"random(clients, 1)\""}) {
    CAPTURE(target);
    const Result<Scenario> loaded =
        load_text(std::string(kCluster) + "{at: 1s, wipe: {target: " + target + "}}\n");
    REQUIRE_FALSE(loaded);
    REQUIRE(loaded.problems().size() == 1);
    CHECK(loaded.problems()[0].message == "faults[0].wipe.target: clients keep nothing on disks");
    CHECK(loaded.problems()[0].hint == "name brokers or controllers");
  }
}

TEST_CASE("what a fault does to disks and processors") {
  const auto delay =
      std::get<fault::IoDelay>(one("{at: 1s, io-delay: {target: broker-1, factor: 20, by: 5ms}}").kind);
  CHECK(text(delay.targets) == "broker-1");
  CHECK(delay.factor == 20);
  Rng rng(1, "delay");
  CHECK(delay.by.sample(rng) == 5'000'000);
  CHECK_FALSE(delay.directory);
  CHECK(std::get<fault::IoDelay>(one("{at: 1s, io-delay: {target: broker-1, by: 5ms}}").kind).factor == 1);
  CHECK(std::get<fault::IoError>(one("{at: 1s, io-error: {target: broker-1, dir: 1}}").kind).directory == 0);
  CHECK_FALSE(std::get<fault::DiskFull>(one("{at: 1s, disk-full: {target: brokers}}").kind).directory);
  CHECK(std::get<fault::SlowCpu>(one("{at: 1s, slow-cpu: {target: \"client(payment[1])\", factor: 10}}").kind)
            .factor == 10);
  const auto problem = [](const char* fault) {
    const Result<Scenario> loaded = load_text(std::string(kCluster) + fault + "\n");
    REQUIRE_FALSE(loaded);
    const Problem& first = loaded.problems().front();
    return first.message + (first.hint.empty() ? "" : " (" + first.hint + ")");
  };
  CHECK(problem("{at: 1s, io-delay: {target: broker-1}}") ==
        "faults[0].io-delay slows nothing down (give it a factor, such as 20, or a time, such as by: 50ms)");
  CHECK(problem("{at: 1s, io-error: {target: broker-1, dir: 2}}") ==
        "faults[0].io-error.dir: there is no log directory number 2; log.dirs lists one (list them in "
        "cluster.config, such as log.dirs=/disk1,/disk2)");
  CHECK(problem("{at: 1s, disk-full: {target: clients}}") ==
        "faults[0].disk-full.target: clients keep nothing on disks (name brokers or controllers)");
}

TEST_CASE("what a fault does") {
  const auto isolate =
      std::get<fault::Partition>(one("{at: 1s, partition: {isolate: rack(a), direction: from}}").kind);
  CHECK(text(std::get<fault::Isolate>(isolate.shape).targets) == "rack(a)");
  CHECK(isolate.direction == fault::Direction::from);
  const auto groups =
      std::get<fault::Partition>(one("{at: 1s, partition: {groups: [broker-1, [broker-2, clients]]}}").kind);
  CHECK(text(std::get<fault::Groups>(groups.shape).groups.at(0)) == "broker-1");
  CHECK(text(std::get<fault::Groups>(groups.shape).groups.at(1)) == "broker-2 | clients");
  CHECK(std::holds_alternative<fault::Halves>(
      std::get<fault::Partition>(one("{at: 1s, partition: halves}").kind).shape));
  CHECK(std::holds_alternative<fault::MajoritiesRing>(
      std::get<fault::Partition>(one("{at: 1s, partition: majorities-ring}").kind).shape));
  const auto delay =
      std::get<fault::Delay>(one("{at: 1s, delay: {target: broker-1, to: controllers, by: 50ms}}").kind);
  CHECK(text(delay.wires.targets) == "broker-1");
  CHECK(text(delay.wires.peers) == "controllers");
  CHECK(delay.wires.direction == fault::Direction::both);
  Rng rng(1, "delay");
  CHECK(delay.by.sample(rng) == 50'000'000);
  CHECK(std::get<fault::Loss>(one("{at: 1s, loss: {target: broker-1, rate: 2.5%}}").kind).per_million ==
        25'000);
  const auto hold = std::get<fault::Hold>(
      one("{at: 1s, hold: {target: broker-1, request: AlterPartition, direction: to}}").kind);
  CHECK(hold.request == "AlterPartition");
  CHECK(hold.wires.direction == fault::Direction::to);
  CHECK(hold.wires.peers.empty());
}

TEST_CASE("what a fault does to wires") {
  const auto cut = std::get<fault::Partition>(
      one("{at: 1s, partition: {isolate: broker-1, from: [clients, broker-2], direction: to}}").kind);
  CHECK(text(std::get<fault::Isolate>(cut.shape).peers) == "clients | broker-2");
  CHECK(cut.direction == fault::Direction::to);
  CHECK(std::holds_alternative<fault::Bridge>(
      std::get<fault::Partition>(one("{at: 1s, partition: bridge}").kind).shape));
  const auto delay = std::get<fault::Delay>(
      one("{at: 1s, delay: {target: broker-1, by: 50ms, jitter: 10ms, correlation: 25%}}").kind);
  CHECK(delay.jitter == 10'000'000);
  CHECK(delay.correlation_per_million == 250'000);
  CHECK(
      std::get<fault::Loss>(one("{at: 1s, loss: {target: broker-1, rate: 2%, burst: 6}}").kind).mean_burst ==
      6);
  const auto narrow = std::get<fault::Bandwidth>(
      one("{at: 1s, bandwidth: {target: broker-1, to: brokers, limit: 10Mbit, direction: from}}").kind);
  CHECK(narrow.bits_per_second == 10'000'000);
  CHECK(text(narrow.wires.peers) == "brokers");
  CHECK(narrow.wires.direction == fault::Direction::from);
  const auto reset = std::get<fault::Reset>(one("{at: 1s, reset: {target: broker-1, to: clients}}").kind);
  CHECK(text(reset.wires.targets) == "broker-1");
  CHECK(text(reset.wires.peers) == "clients");
  const auto problem = [](const char* fault) {
    const Result<Scenario> loaded = load_text(std::string(kCluster) + fault + "\n");
    REQUIRE_FALSE(loaded);
    return loaded.problems().front().message;
  };
  CHECK(problem("{at: 1s, for: 5s, reset: {target: broker-1}}") == "faults[0].for: a reset is over at once");
  CHECK(problem("{at: 1s, loss: {target: broker-1, rate: 80%, burst: 2}}") ==
        "faults[0].loss: bursts of 2 on average lose at most 66.6666%, not 80%");
  CHECK(problem("{at: 1s, partition: {groups: [broker-1, broker-2], from: clients}}") ==
        "faults[0].partition.from means something only together with \"isolate\"");
}

TEST_CASE("the history of the replication") {
  const auto of = [](const std::string& history) {
    const Result<Scenario> loaded = load_text(
        "schema: kraftsim/v1\nduration: 60s\ncluster: {brokers: 3, history: {" + history +
        "}}\ntopics: {orders: {}}\nclients: {shop: {produces: orders, arrivals: {poisson: 5/s}}}\n");
    REQUIRE(loaded);
    return *loaded;
  };
  const auto brokers_of = [&](const std::string& history) {
    return of(history).cluster.brokers.back().config.history;
  };
  CHECK(brokers_of("").truncation == Truncation::fetch);
  CHECK(brokers_of("truncation: epoch-search").truncation == Truncation::epoch_search);
  CHECK(brokers_of("truncation: epoch").truncation == Truncation::epoch);
  CHECK(brokers_of("truncation: high-watermark").truncation == Truncation::high_watermark);
  struct Row {
    const char* key;
    bool History::*guard;
  };
  const Row rows[] = {{"fetch-leader-epoch", &History::fetch_leader_epoch},
                      {"isr-epoch-start-check", &History::isr_epoch_start_check},
                      {"isr-maximal", &History::isr_maximal},
                      {"isr-unfenced-only", &History::isr_unfenced_only},
                      {"isr-broker-epoch", &History::isr_broker_epoch},
                      {"high-watermark-min-isr", &History::high_watermark_min_isr}};
  for (const Row& off : rows) {
    CAPTURE(off.key);
    const History history = brokers_of(std::string(off.key) + ": off");
    for (const Row& row : rows) CHECK(history.*row.guard == (row.key != off.key));
  }
  CHECK(of("").cluster.controllers.back().config.history.isr_unfenced_only);
  CHECK_FALSE(of("isr-unfenced-only: off").cluster.controllers.back().config.history.isr_unfenced_only);
}

TEST_CASE("round-trip times between racks as a matrix") {
  const std::string rest =
      "\ntopics: {orders: {}}\nclients: {shop: {produces: orders, rack: b, arrivals: {poisson: 5/s}}}\n";
  const auto load = [&](const std::string& matrix) {
    return load_text(
        "schema: kraftsim/v1\nduration: 60s\ncluster: {brokers: 3, racks: [a, b, c], network: {matrix: " +
        matrix + "}}" + rest);
  };
  const Result<Scenario> loaded = load("{a: {b: 30ms, c: {p50: 80ms, p99: 90ms}}, b: {b: 1ms, a: 30ms}}");
  for (const Problem& problem : loaded.problems()) MESSAGE(problem.message);
  REQUIRE(loaded);
  const auto& pairs = loaded->cluster.network.rack_pairs;
  CHECK(pairs.size() == 5);
  CHECK(pairs.at({"b", "a"}).one_way.mean() == 15'000'000);
  CHECK(pairs.at({"b", "b"}).one_way.mean() == 500'000);
  CHECK(pairs.at({"c", "a"}).bits_per_second == 0);
  const auto problem = [&](const std::string& matrix) {
    const Result<Scenario> bad = load(matrix);
    REQUIRE_FALSE(bad);
    return bad.problems().front().message;
  };
  CHECK(problem("{a: {d: 30ms}}") == "there is no rack \"d\" in cluster.racks");
  CHECK(problem("{a: {b: 30ms}, b: {a: 31ms}}") ==
        "cluster.network.matrix: between a and b there is another round-trip time already");
  CHECK(problem("{a: {b: 30ms}}, links: [{between: [b, a], rtt: 1ms}]")
            .ends_with("there is another round-trip time already"));
  CHECK(problem("{a: 30ms}") ==
        "cluster.network.matrix.a must be a map from racks to round-trip times, not \"30ms\"");
}

TEST_CASE("quotas: a client's own, else the default's, each by itself") {
  const auto load = [](const std::string& quotas) {
    return load_text("schema: kraftsim/v1\nduration: 60s\ncluster: {brokers: 3, quotas: " + quotas +
                     "}\ntopics: {orders: {}}\nclients:\n  shop: {produces: orders, arrivals: {poisson: "
                     "5/s}}\n  payment: {consumes: orders}\n");
  };
  const Result<Scenario> loaded = load(
      "{default: {producer_byte_rate: 1MB/s, request_percentage: 50}, payment: {consumer_byte_rate: 2MB/s, "
      "request_percentage: 12.5}}");
  for (const Problem& problem : loaded.problems()) MESSAGE(problem.message);
  REQUIRE(loaded);
  const auto& quotas = loaded->cluster.quotas;
  REQUIRE(quotas.size() == 2);
  CHECK(quotas[0].client == "shop");
  CHECK((quotas[0].quota == server::ClientQuota{1'000'000, server::ClientQuota::kNoLimit, 500'000'000}));
  CHECK((quotas[1].quota == server::ClientQuota{1'000'000, 2'000'000, 125'000'000}));
  const Result<Scenario> unknown = load("{shopp: {producer_byte_rate: 1MB/s}}");
  REQUIRE_FALSE(unknown);
  CHECK(unknown.problems().front().message == "cluster.quotas: there is no client \"shopp\"");
  CHECK(unknown.problems().front().hint == "did you mean shop?");
}

TEST_CASE("a controller's number is not its node id") {
  const Result<Scenario> loaded =
      load_text(std::string(kCluster) + "{at: 1s, kill: {target: controller-2}}\n");
  REQUIRE(loaded);
  const auto& kill = std::get<fault::Kill>(loaded->cluster.faults.front().kind);
  CHECK(std::get<fault::ControllerTarget>(kill.targets.front()).id == loaded->cluster.controllers.at(1).id);
}

TEST_CASE("made-up names are unique and keep out of the way of given ones") {
  const Result<Scenario> loaded = load_text(
      std::string(kCluster) +
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
  }
  (std::make_index_sequence<std::variant_size_v<AnyMessage>>{});
  CHECK(requests > 20);
  CHECK(static_cast<std::size_t>(std::count(all.begin(), all.end(), '|')) == requests + 1);
}

TEST_CASE("what an operator may ask for") {
  const auto request = [](const std::string& admin) {
    return std::get<AdminRequest>(
        std::get<fault::Admin>(one("{at: 5s, admin: {" + admin + "}}").kind).action);
  };
  const auto elect = std::get<ElectLeadersRequest>(
      request("elect-leaders: {type: unclean, partitions: [orders-0, orders-5]}"));
  CHECK(elect.type == ElectionType::unclean);
  CHECK_FALSE(elect.all_partitions);
  CHECK(elect.partitions == std::vector<NamedPartition>{{"orders", 0}, {"orders", 5}});
  CHECK(std::get<ElectLeadersRequest>(request("elect-leaders: {}")).all_partitions);

  const auto reassign = std::get<AlterPartitionReassignmentsRequest>(
      request("reassign: {orders-1: [broker-3, broker-1], orders-2: cancel}"));
  REQUIRE(reassign.partitions.size() == 2);
  CHECK(reassign.partitions[0].replicas == std::vector<NodeId>{NodeId{3}, NodeId{1}});
  CHECK_FALSE(reassign.partitions[0].cancels);
  CHECK(reassign.partitions[1].partition == NamedPartition{"orders", 2});
  CHECK(reassign.partitions[1].cancels);

  CHECK(std::get<DeleteTopicsRequest>(request("delete-topic: orders")).topics ==
        std::vector<std::string>{"orders"});
  const auto grow =
      std::get<CreatePartitionsRequest>(request("create-partitions: {topic: orders, count: 12}"));
  CHECK(grow.topics.front().count == 12);
  const auto alter = std::get<IncrementalAlterConfigsRequest>(
      request("alter-configs: {topic: orders, config: {min.insync.replicas: 2, preallocate: TRUE}}"));
  REQUIRE(alter.topics.front().entries.size() == 2);  // the controller answers for all of Kafka's settings
  CHECK(alter.topics.front().entries.front().name == "min.insync.replicas");
  CHECK(alter.topics.front().entries.front().value == "2");
  CHECK(alter.topics.front().entries.back().value == "true");
  const auto stamps = std::get<IncrementalAlterConfigsRequest>(
      request("alter-configs: {topic: orders, config: {message.timestamp.type: LogAppendTime, "
              "message.timestamp.before.max.ms: "
              "5, message.timestamp.after.max.ms: 6, min.cleanable.dirty.ratio: 0.25}}"));
  CHECK(stamps.topics.front().entries.size() == 4);

  const fault::Fault move = one("{at: 5s, admin: {move-replicas: {from: broker-1, to: broker-3}}}");
  CHECK(std::get<MoveReplicas>(std::get<fault::Admin>(move.kind).action).to == NodeId{3});
  CHECK(move.name == "move-replicas");

  const auto reset = [](const std::string& to) {
    const std::string group = "{at: 5s, admin: {reset-offsets: {group: payment, topic: orders, ";
    return std::get<ResetOffsets>(std::get<fault::Admin>(one(group + to + "}}}").kind).action);
  };
  CHECK(reset("to: earliest").to == ResetOffsets::To::earliest);
  CHECK(reset("to: earliest").partitions.empty());
  CHECK(reset("to: latest, partitions: [orders-2, orders-0]").partitions == std::vector<std::int32_t>{2, 0});
  CHECK(reset("to: 1200, partitions: orders-1").offset == Offset{1200});
  CHECK(reset("by-duration: 5m").to == ResetOffsets::To::time);
  CHECK(reset("by-duration: 5m").before == std::chrono::minutes(5));
}

TEST_CASE("a scenario goes back in the quorum's history") {
  const Result<Scenario> loaded = load_text(
      "schema: kraftsim/v1\nduration: 60s\ncluster:\n  brokers: 3\n  history: {pre-vote: off, directory-ids: "
      "off, eligible-leader-replicas: off}\n"
      "  config: {controller.quorum.fetch.timeout.ms: 3000, metadata.max.retention.ms: 60000}\n");
  REQUIRE(loaded);
  const cluster::ClusterSpec& cluster = loaded->cluster;
  CHECK_FALSE(cluster.history.pre_vote);
  CHECK(cluster.history.check_quorum);
  CHECK_FALSE(cluster.history.directory_ids);
  CHECK(cluster.history.fetch_high_watermark);
  CHECK_FALSE(cluster.controllers.front().config.history.eligible_leader_replicas);
  CHECK(cluster.quorum.fetch_timeout == std::chrono::seconds(3));
  CHECK(cluster.quorum.retention == std::chrono::minutes(1));
  CHECK(cluster.quorum.election_timeout == std::chrono::seconds(1));
}

TEST_CASE("a metadata log without limits keeps everything") {
  const Result<Scenario> loaded = load_text(
      "schema: kraftsim/v1\nduration: 60s\ncluster:\n  brokers: 3\n  config: {metadata.max.retention.ms: -1, "
      "metadata.max.retention.bytes: -1}\n");
  REQUIRE(loaded);
  CHECK(loaded->cluster.quorum.retention > std::chrono::hours(24 * 365 * 30));
  CHECK(loaded->cluster.quorum.retention_bytes == std::numeric_limits<std::int64_t>::max());
}

}  // namespace sim::scenario::test
