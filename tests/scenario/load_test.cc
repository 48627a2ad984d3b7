#include <doctest/doctest.h>

#include <cstddef>
#include <filesystem>
#include <limits>
#include <string>
#include <variant>
#include <vector>

#include "base/overloaded.h"
#include "scenario/files.h"
#include "scenario/loading.h"
#include "scenario/scenario.h"

// What a scenario's text becomes.
namespace sim::scenario::test {

namespace {

constexpr const char* kStory = R"(
schema: kraftsim/v1
name: story
about: "Two services: a story"
duration: 90s
seed: 7
cluster:
  brokers: 3
  controllers: 3
  racks: [a, b]
  config: |
    # pasted
    broker.session.timeout.ms=12000
    log.retention.hours = 24
    min.insync.replicas=2
  network:
    rtt: 1ms
    clients: {rtt: {p50: 2ms, p99: 10ms}, bandwidth: 100Mbit}
    links:
      - {between: [a, b], rtt: {uniform: {min: 20ms, max: 30ms}}, bandwidth: unlimited}
  disk: {flush: 3ms, bandwidth: 100MiB/s}
topics:
  orders: {partitions: 6, replication.factor: 3, compression: 0.6, config: {retention.ms: 5000, segment.ms: 1000, cleanup.policy: [compact, delete]}}
  audit: {config: {min.insync.replicas: 1}}
clients:
  shop:
    produces: orders
    rack: b
    arrivals: {poisson: 0.5/s, orders: 40}
    key: {uniform: {n: 10}}
    record.size: {p50: 600B, p99: 4KiB}
    config: {acks: 1, linger.ms: 0, request.timeout.ms: 200000}
  payment:
    consumes: orders
    members: 2
    service: {p50: 6ms, p99: 40ms}
    commit: after-each
    config: {partition.assignment.strategy: org.apache.kafka.clients.consumer.RoundRobinAssignor, auto.offset.reset: earliest}
  invoices: {consumes: orders, group.id: billing, service: 1ms}
expect:
  - {id: tail, metric: e2e_latency, window: steady, p99.9: "<1500ms"}
  - {metric: lost_orders, equals: 0}
  - {metric: throughput, value: ">= 0.45/s"}
)";

Scenario story() {
  Result<Scenario> result = load_text(kStory);
  INFO(print(result.problems()));
  REQUIRE(result.ok());
  return std::move(result).value();
}

}  // namespace

TEST_CASE("the frame of a run") {
  const Scenario scenario = story();
  CHECK(scenario.name == "story");
  CHECK(scenario.about == "Two services: a story");
  CHECK(scenario.duration == 90s);
  CHECK(scenario.warmup == 10s);
  CHECK(scenario.drain == 30s);
  CHECK(scenario.seed == 7);
  CHECK(scenario.cluster.seed == 7);
  CHECK(scenario.cluster.load_ends_at == 90s);
  CHECK(scenario.source_text == kStory);
}

TEST_CASE("servers are dealt out to racks and share the cluster's properties") {
  const cluster::ClusterSpec spec = story().cluster;
  REQUIRE(spec.brokers.size() == 3);
  REQUIRE(spec.controllers.size() == 3);
  CHECK_FALSE(spec.combined);
  CHECK(spec.brokers[2].id == NodeId{3});
  CHECK(spec.brokers[0].rack == "a");
  CHECK(spec.brokers[1].rack == "b");
  CHECK(spec.brokers[2].rack == "a");
  CHECK(spec.brokers[1].config.broker_session_timeout_ms == 12'000);
  CHECK(spec.controllers[1].config.broker_session_timeout_ms == 12'000);
  CHECK(spec.brokers[0].config.log.retention_ms == 86'400'000);
  CHECK(spec.controllers[0].config.log.min_insync_replicas == 2);
  CHECK(spec.brokers[0].config.num_io_threads == 8);
  CHECK(spec.brokers[0].disk.bytes_per_second == 104'857'600);
  CHECK(spec.brokers[0].disk.flush.mean() == 3'000'000);
}

TEST_CASE("each direction takes half of a round trip") {
  const cluster::NetworkSpec network = story().cluster.network;
  CHECK(network.between.one_way.mean() == 500'000);
  CHECK(network.between.bits_per_second == 1'000'000'000);
  CHECK(network.clients.one_way.quantile(1, 2) == 1'000'000);
  CHECK(network.clients.bits_per_second == 100'000'000);
  REQUIRE(network.rack_pairs.size() == 2);
  CHECK(network.rack_pairs.at({"b", "a"}).one_way.mean() == 12'500'000);
  CHECK(network.rack_pairs.at({"a", "b"}).bits_per_second == 0);
}

TEST_CASE("a topic has its own properties, else its broker's") {
  const std::vector<cluster::TopicSpec> topics = story().cluster.topics;
  REQUIRE(topics.size() == 2);
  CHECK(topics[0].name == "orders");
  CHECK(topics[0].partitions == 6);
  CHECK(topics[0].replication_factor == 3);
  CHECK(topics[0].config.compression_percent == 60);
  CHECK(topics[0].config.retention_ms == 5'000);
  CHECK(topics[0].config.cleanup_compact);
  CHECK(topics[0].config.cleanup_delete);
  CHECK(topics[0].config.min_insync_replicas == 2);
  CHECK(topics[1].partitions == 1);
  CHECK(topics[1].replication_factor == 1);
  CHECK(topics[1].config.retention_ms == 86'400'000);
}

TEST_CASE("an order service") {
  const cluster::ClusterSpec spec = story().cluster;
  REQUIRE(spec.flows.size() == 1);
  const workload::FlowSpec& flow = spec.flows[0];
  CHECK(flow.name == "shop");
  CHECK(flow.rack == "b");
  CHECK(flow.topic == "orders");
  REQUIRE(std::holds_alternative<workload::PoissonArrivals>(flow.arrivals));
  CHECK(std::get<workload::PoissonArrivals>(flow.arrivals).rate == 500);
  CHECK(flow.max_orders == 40);
  CHECK(flow.keyed);
  CHECK(flow.start_at == 8s);
  CHECK(flow.record_bytes.quantile(1, 2) == 600);
  CHECK(flow.producer.acks == 1);
  CHECK(flow.producer.linger_ms == 0);
  CHECK_FALSE(flow.producer.enable_idempotence);        // given up silently: acks=1 does not allow it
  CHECK(flow.producer.delivery_timeout_ms == 200'000);  // raised silently to linger.ms + request.timeout.ms
}

TEST_CASE("services are groups of their own") {
  const cluster::ClusterSpec spec = story().cluster;
  REQUIRE(spec.services.size() == 2);
  const workload::ServiceSpec& payment = spec.services[0];
  CHECK(payment.name == "payment");
  CHECK(payment.members == 2);
  CHECK(payment.start_at == 0s);
  CHECK(payment.commit == workload::CommitMode::after_each);
  CHECK(payment.consumer.group_id == "payment");
  CHECK_FALSE(payment.consumer.enable_auto_commit);
  CHECK(payment.consumer.auto_offset_reset == client::AutoOffsetReset::earliest);
  CHECK(payment.consumer.partition_assignment_strategy == std::vector{client::Assignor::roundrobin});
  CHECK(payment.service_time.quantile(1, 2) == 6'000'000);
  CHECK(spec.services[1].consumer.group_id == "billing");
  CHECK(spec.services[1].commit == workload::CommitMode::auto_commit);
  CHECK(spec.services[1].consumer.enable_auto_commit);
}

TEST_CASE("expectations keep their unit, their words and their line") {
  const std::vector<judge::Expectation> expectations = story().expectations;
  REQUIRE(expectations.size() == 3);
  CHECK(expectations[0].id == "tail");
  CHECK(expectations[0].statistic == "p99.9");
  CHECK(expectations[0].window == judge::Window::steady);
  CHECK(expectations[0].comparison == judge::Comparison::less);
  CHECK(expectations[0].limit == 1'500'000'000);
  CHECK(expectations[0].limit_text == "< 1.5 s");
  CHECK(expectations[0].source.ends_with("scenario.yaml:41"));
  CHECK(expectations[1].id == "lost_orders");
  CHECK(expectations[1].statistic == "value");
  CHECK(expectations[1].limit_text == "= 0");
  CHECK(expectations[2].id == "throughput");
  CHECK(expectations[2].limit == 450);
  CHECK(expectations[2].unit == judge::Unit::milli_per_s);
  CHECK(expectations[2].limit_text == ">= 0.45/s");
}

TEST_CASE("invariants are switched off by name, with a reason") {
  const Result<Scenario> result =
      load_text(std::string(kStory) + "invariants: {acked-never-lost: {because: it is about losing}}\n");
  REQUIRE(result.ok());
  REQUIRE(result->invariants_off.size() == 1);
  CHECK(result->invariants_off[0].name == "acked-never-lost");
  CHECK(result->invariants_off[0].because == "it is about losing");
  CHECK(story().invariants_off.empty());
}

TEST_CASE("arrivals of every kind") {
  struct Row {
    std::string text;
    workload::Arrivals want;
  };
  const Row rows[] = {
      {"{constant: 30/min}", workload::ConstantArrivals{500}},
      {"{ramp: {from: 1/s, to: 2/s, over: 1min}}", workload::RampArrivals{1000, 2000, 60s}},
      {"{burst: {base: 1/s, peak: 9/s, every: 10s, length: 500ms}}",
       workload::BurstArrivals{1000, 9000, 10s, 500ms}},
      {"{daily: {low: 1/s, high: 9/s, day: 1h}}", workload::DailyArrivals{1000, 9000, 1h, 30min}},
  };
  const auto numbers = [](const workload::Arrivals& arrivals) {
    return std::visit(Overloaded{[](const workload::ConstantArrivals& a) { return std::vector{a.rate}; },
                                 [](const workload::PoissonArrivals& a) { return std::vector{a.rate}; },
                                 [](const workload::RampArrivals& a) {
                                   return std::vector{a.from, a.to, nanos(a.over)};
                                 },
                                 [](const workload::BurstArrivals& a) {
                                   return std::vector{a.base, a.peak, nanos(a.every), nanos(a.length)};
                                 },
                                 [](const workload::DailyArrivals& a) {
                                   return std::vector{a.low, a.high, nanos(a.day), nanos(a.peak_at)};
                                 },
                                 [](const workload::TraceArrivals&) { return std::vector<std::int64_t>{}; }},
                      arrivals);
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    Result<Scenario> result = load_text(kStory, {Override{"clients.shop.arrivals", row.text}});
    INFO(print(result.problems()));
    REQUIRE(result.ok());
    const workload::Arrivals& got = result->cluster.flows[0].arrivals;
    CHECK(got.index() == row.want.index());
    CHECK(numbers(got) == numbers(row.want));
  }
}

TEST_CASE("the same properties in their three shapes") {
  const Folder folder;
  folder.file("conf/server.properties", "# a comment\nnum.io.threads=4\n\n  min.insync.replicas = 2\n");
  const std::string head = "schema: kraftsim/v1\nname: shapes\nduration: 60s\ncluster:\n  brokers: 3\n";
  const std::string shapes[] = {
      head + "  config: {num.io.threads: 4, min.insync.replicas: 2}\n",
      head + "  config: |\n    num.io.threads=4\n    min.insync.replicas=2\n",
      head + "  config: {file: conf/server.properties}\n",
  };
  std::string first;
  for (const std::string& text : shapes) {
    CAPTURE(text);
    const Result<Scenario> result = load(folder.file("shape.yaml", text), {});
    INFO(print(result.problems()));
    REQUIRE(result.ok());
    CHECK(result->cluster.brokers[0].config.num_io_threads == 4);
    if (first.empty()) first = result->resolved_yaml;
    CHECK(result->resolved_yaml == first);
  }
}

TEST_CASE("what is set on the command line comes before validation, whatever shape the file has") {
  struct Row {
    Override set;
    const char* want;  // somewhere in the resolved scenario
  };
  const Row rows[] = {
      {{"seed", "99"}, "\nseed: 99\n"},
      {{"cluster.config.num.io.threads", "2"}, "    num.io.threads: 2\n"},
      {{"cluster.network.rtt.p50", "3ms"}, ""},  // 1ms becomes {p50: 3ms}, which lacks its p99
      {{"cluster.network.links.0.rtt", "9ms"}, "    - {between: [a, b], rtt: 9ms"},
      {{"topics.orders.replication.factor", "2"}, "    replication.factor: 2\n"},
      {{"topics.refunds.partitions", "4"}, "  refunds:\n    partitions: 4\n"},
      {{"clients.shop.arrivals.constant", "7/s"}, "    arrivals: {constant: 7/s, orders: 40}\n"},
      {{"clients.shop.config.linger.ms", "20"}, "      linger.ms: 20\n"},
      {{"clients.payment.group.id", "pay"}, "    group.id: pay\n"},
      {{"expect.0.max", "< 9s"}, "  - {id: tail, metric: e2e_latency, window: steady, max: \"< 9s\"}\n"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.set.path);
    const Result<Scenario> result = load_text(kStory, {row.set});
    INFO(print(result.problems()));
    REQUIRE(result.ok() == (row.want[0] != '\0'));
    if (result.ok()) CHECK(result->resolved_yaml.find(row.want) != std::string::npos);
  }
}

TEST_CASE("the resolved scenario is the same scenario") {
  const Folder folder;
  std::vector<std::string> files{folder.file("story.yaml", kStory)};
  for (const std::filesystem::directory_entry& entry : std::filesystem::directory_iterator("scenarios")) {
    if (entry.path().extension() == ".yaml") files.push_back(entry.path().string());
  }
  REQUIRE(files.size() >= 6);
  for (const std::string& file : files) {
    CAPTURE(file);
    const Result<Scenario> first = load(file, {});
    INFO(print(first.problems()));
    REQUIRE(first.ok());
    CHECK(first.problems().empty());
    CHECK_FALSE(first->about.empty());
    CHECK_FALSE(first->expectations.empty());
    const Result<Scenario> second =
        load(folder.file("runs/1/scenario.resolved.yaml", first->resolved_yaml), {});
    INFO(print(second.problems()));
    REQUIRE(second.ok());
    CHECK(second->resolved_yaml == first->resolved_yaml);
    CHECK(second->cluster.brokers.back().config.log == first->cluster.brokers.back().config.log);
    CHECK(second->cluster.topics.size() == first->cluster.topics.size());
    for (std::size_t i = 0; i < first->cluster.topics.size(); ++i)
      CHECK(second->cluster.topics[i].config == first->cluster.topics[i].config);
    CHECK(second->cluster.network.clients.one_way.quantile(99, 100) ==
          first->cluster.network.clients.one_way.quantile(99, 100));
    CHECK(second->cluster.flows.front().producer.delivery_timeout_ms ==
          first->cluster.flows.front().producer.delivery_timeout_ms);
    CHECK(second->expectations.size() == first->expectations.size());
  }
}

TEST_CASE("recorded values are drawn as often as they were recorded") {
  const Folder folder;
  folder.file("times.csv", "# service times\n2ms\n4ms,3\n");
  const std::string text =
      "schema: kraftsim/v1\nduration: 60s\ncluster: {brokers: 3, disk: {append: {values: times.csv}}}\n";
  const Result<Scenario> result = load(folder.file("scenario.yaml", text), {});
  INFO(print(result.problems()));
  REQUIRE(result.ok());
  CHECK(result->cluster.brokers[0].disk.append.mean() == 3'500'000);
}

TEST_CASE("recorded orders are found beside the scenario, and from where the resolved one lies") {
  const Folder folder;
  folder.file("traces/orders.csv", "time,key,size\n0.5,ann,300\n1.5,,200\n");
  const std::string text =
      "schema: kraftsim/v1\nduration: 60s\ncluster: {brokers: 3}\nclients:\n  shop: {produces: orders, "
      "arrivals: {trace: traces/orders.csv}}\n";
  const Result<Scenario> result = load(folder.file("scenario.yaml", text), {});
  INFO(print(result.problems()));
  REQUIRE(result.ok());
  const auto* trace = std::get_if<workload::TraceArrivals>(&result->cluster.flows[0].arrivals);
  REQUIRE(trace != nullptr);
  REQUIRE(trace->orders->size() == 2);
  CHECK(trace->orders->front().at_ns == 500'000'000);
  CHECK(trace->file == folder.path("traces/orders.csv"));
  const Result<Scenario> again =
      load(folder.file("runs/1/scenario.resolved.yaml", result->resolved_yaml), {});
  INFO(print(again.problems()));
  REQUIRE(again.ok());
  CHECK(again->resolved_yaml.find(folder.path("traces/orders.csv")) != std::string::npos);
}

TEST_CASE("a file is looked for beside the scenario, in the working folder, and above the scenario") {
  const Folder folder;
  folder.file("shop/data/times.csv", "1ms\n");
  struct Row {
    std::string scenario;
    std::string path;
    std::string want;
  };
  const Row rows[] = {
      {folder.path("shop/a.yaml"), "data/times.csv", folder.path("shop/data/times.csv")},
      {folder.path("shop/runs/a/1/resolved.yaml"), "data/times.csv", folder.path("shop/data/times.csv")},
      {folder.path("shop/a.yaml"), "scenarios/order-flow.yaml", "scenarios/order-flow.yaml"},
      {folder.path("shop/a.yaml"), "nowhere.csv", folder.path("shop/nowhere.csv")},
      {folder.path("shop/a.yaml"), "@traces/x.csv", "@traces/x.csv"},
      {"@trace-replay", "traces/x.csv", "@traces/x.csv"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.path);
    CHECK(locate(row.scenario, row.path) == row.want);
  }
}

TEST_CASE("what has no effect is one notice") {
  const Result<Scenario> result = load_text(
      "schema: kraftsim/v1\nduration: 60s\ncluster: {brokers: 3, config: {log.dir: /data, ssl.protocol: "
      "TLSv1.3}}\n");
  REQUIRE(result.ok());
  REQUIRE(result.problems().size() == 1);
  CHECK(result.problems().front().warning);
  CHECK(result.problems().front().message == "without effect here: log.dir, ssl.protocol");
}

TEST_CASE(
    "flushing and recovery: log.flush.interval.ms is log.flush.scheduler.interval.ms unless it is given") {
  const auto broker = [](const std::string& config) {
    const Result<Scenario> result = load_text(
        "schema: kraftsim/v1\nduration: 60s\ncluster: {brokers: 1, disk: {read: 40MB/s}, config: {" + config +
        "}}\n");
    REQUIRE(result.ok());
    CHECK(result->cluster.brokers.front().disk.read_bytes_per_second == 40'000'000);
    return result->cluster.brokers.front().config;
  };
  constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
  CHECK(broker("").log.flush_ms == kNever);
  CHECK(broker("").log_flush_scheduler_interval_ms == kNever);
  CHECK(broker("").log_flush_offset_checkpoint_interval_ms == 60'000);
  CHECK(broker("").num_recovery_threads_per_data_dir == 2);
  CHECK(broker("log.flush.scheduler.interval.ms: 3000").log.flush_ms == 3'000);
  CHECK(broker("log.flush.interval.ms: 5000, log.flush.scheduler.interval.ms: 3000").log.flush_ms == 5'000);
  CHECK(broker("log.flush.interval.ms: 5000").log_flush_scheduler_interval_ms == kNever);
  CHECK(broker("num.recovery.threads.per.data.dir: 8").num_recovery_threads_per_data_dir == 8);
}

TEST_CASE("built-in scenarios need no file") {
  const Result<Scenario> result = load("@order-flow", {});
  INFO(print(result.problems()));
  REQUIRE(result.ok());
  CHECK(result->name == "order-flow");
  CHECK(result->source_text == read("scenarios/order-flow.yaml"));
  CHECK(load("@no-such", {}).problems().front().message ==
        "is not a built-in scenario: kraftsim list shows them");
}

}  // namespace sim::scenario::test
