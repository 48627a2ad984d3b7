// The order service: orders at their instants whatever the cluster does, each sent once, in order.
#include "workload/order_service.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "observe/names.h"
#include "support/process_host.h"

namespace sim::workload {
namespace {

constexpr ProcessId kOrderService{9};
constexpr ProcessId kOrdersBroker{1};
constexpr TopicPartition kOrders0{TopicId{5}, 0};

// The service and one broker with one partition that answers everything at once; or only from `answers_from`
// on.
struct OrderServiceWorld {
  explicit OrderServiceWorld(const FlowSpec& spec, Duration load_ends_at = 1h, std::uint64_t seed = 1)
      : node(boot_order_service(OrderServiceBoot{
            kOrderService, FlowId{2}, spec, {kOrdersBroker}, load_ends_at, Rng(seed, "order-service")})) {}
  OrderServiceWorld(const OrderServiceWorld& other)
      : node(other.node->clone()), host(other.host), answers_from(other.answers_from), held(other.held) {}

  void start() { feed(node::Started{}); }
  void run_until(Duration end) {
    const LocalTime until{end};
    while (true) {
      if (!held.empty() && answers_from <= std::min(host.next_timer(), until)) {
        host.now = std::max(host.now, answers_from);
        for (Envelope& request : std::exchange(held, {})) serve(request);
      }
      std::optional<node::Input> input = host.next_until(until);
      if (!input) return;
      step(*input);
    }
  }
  template <class Fact>
  std::vector<std::pair<LocalTime, Fact>> all() const {
    std::vector<std::pair<LocalTime, Fact>> found;
    for (const auto& one : host.told) {
      if (const auto* fact = std::get_if<Fact>(&one.fact)) found.emplace_back(one.at, *fact);
    }
    return found;
  }

  // And all that follows at once.
  void feed(node::Input input) {
    step(input);
    while (!host.inputs.empty()) step(*host.next_until(host.now));
  }
  void step(node::Input input) {
    node::Effects out;
    node->step(input, host.env(), out);
    host.perform(out, [&](Envelope&& request) {
      if (host.now < answers_from)
        held.push_back(std::move(request));
      else
        serve(request);
    });
  }
  void serve(const Envelope& request) {
    Message response = ApiVersionsResponse{};
    if (const auto* metadata = std::get_if<MetadataRequest>(&request.message)) {
      MetadataResponse answer;
      answer.brokers = {{NodeId{1}, kOrdersBroker, {}}};
      if (!metadata->topics.empty()) {
        answer.topics = {{ErrorCode::none,
                          "orders",
                          kOrders0.topic,
                          false,
                          100,
                          {{ErrorCode::none, 0, NodeId{1}, LeaderEpoch{0}, {}, {}}}}};
      }
      response = std::move(answer);
    } else if (std::holds_alternative<InitProducerIdRequest>(request.message)) {
      response = InitProducerIdResponse{ErrorCode::none, ProducerId{1}, ProducerEpoch{0}};
    } else if (const auto* produce = std::get_if<ProduceRequest>(&request.message)) {
      ProduceResponse answer;
      answer.partitions.resize(produce->partitions.size());
      for (std::size_t i = 0; i < answer.partitions.size(); ++i) {
        answer.partitions[i].tp = produce->partitions[i].tp;
        answer.partitions[i].base_offset = 0;
      }
      response = std::move(answer);
    }
    host.answer(request, std::move(response));
  }

  std::unique_ptr<node::Node> node;
  test::ProcessHost host{Rng(7, "step")};
  LocalTime answers_from{};
  std::vector<Envelope> held;  // until then
};

FlowSpec spec(Arrivals arrivals) {
  FlowSpec flow;
  flow.name = "order-service";
  flow.topic = "orders";
  flow.arrivals = std::move(arrivals);
  flow.record_bytes = Distribution::constant(1000);
  return flow;
}

TEST_CASE("orders are placed at their instants and acknowledged, each once") {
  OrderServiceWorld world(spec(ConstantArrivals{100'000}), 10s);
  world.start();
  world.run_until(20s);
  const auto placed = world.all<observe::OrderPlaced>();
  REQUIRE(placed.size() == 1000);
  for (std::size_t i = 0; i < placed.size(); ++i) {
    CHECK(placed[i].first == local_at(static_cast<std::int64_t>(i) * 10'000'000));
    CHECK(placed[i].second.intended_ns == nanos(placed[i].first));
    CHECK(placed[i].second.record == record_id(FlowId{2}, static_cast<std::int64_t>(i)));
    CHECK(placed[i].second.value_bytes == 1000);
    CHECK(placed[i].second.key == -1);
    CHECK(placed[i].second.key_bytes == -1);
  }
  CHECK(world.all<observe::RecordAccepted>().size() == 1000);
  std::int64_t next = 0;
  for (const auto& [at, fact] : world.all<observe::BatchAcknowledged>()) {
    for (const Record& record : fact.batch->application_records())
      CHECK(record.id == record_id(FlowId{2}, next++));
  }
  CHECK(next == 1000);
}

TEST_CASE("nothing is placed before its start, at the end of load or after it, or beyond max_orders") {
  FlowSpec flow = spec(ConstantArrivals{1'000});
  flow.start_at = 3s;
  OrderServiceWorld late(flow, 10s);
  late.start();
  late.run_until(20s);
  const auto placed = late.all<observe::OrderPlaced>();
  REQUIRE(placed.size() == 7);  // 3 s to 9 s
  CHECK(placed.front().first == local_at(nanos(3s)));
  CHECK(placed.back().first == local_at(nanos(9s)));

  flow.max_orders = 4;
  OrderServiceWorld few(flow, 10s);
  few.start();
  few.run_until(20s);
  CHECK(few.all<observe::OrderPlaced>().size() == 4);
}

TEST_CASE("asked to stop, it takes no more orders, sends those it has without lingering, and ends") {
  FlowSpec flow = spec(ConstantArrivals{100'000});
  flow.producer.linger_ms = 1'000;
  OrderServiceWorld world(flow, 10s);
  world.start();
  world.run_until(2'015ms);
  world.feed(node::StopRequested{});
  CHECK(world.host.exited_at == local_at(nanos(2'015ms)));
  world.run_until(20s);
  const auto placed = world.all<observe::OrderPlaced>();
  CHECK(placed.size() == 202);
  std::size_t acknowledged = 0;
  for (const auto& [at, fact] : world.all<observe::BatchAcknowledged>())
    acknowledged += fact.batch->application_records().size();
  CHECK(acknowledged == placed.size());
}

TEST_CASE("asked to stop while send() is blocked, it waits for the orders it has") {
  OrderServiceWorld world(spec(ConstantArrivals{10'000}), 10s);
  world.answers_from = local_at(nanos(5s));
  world.start();
  world.run_until(2s);
  world.feed(node::StopRequested{});
  world.run_until(4s);
  CHECK_FALSE(world.host.exited_at);
  world.run_until(20s);
  REQUIRE(world.host.exited_at.has_value());
  CHECK(millis(world.host.exited_at->time_since_epoch()) == 5'000);
  CHECK(world.all<observe::OrderPlaced>().size() == 21);
  CHECK(world.all<observe::RecordAccepted>().size() == 21);
}

TEST_CASE("an open loop: a cluster that does not answer delays no order's intended time, and loses none") {
  OrderServiceWorld world(spec(ConstantArrivals{100'000}), 10s);
  world.answers_from = local_at(nanos(5s));
  world.start();
  world.run_until(4s);
  CHECK(world.all<observe::OrderPlaced>().size() == 401);
  CHECK(world.all<observe::RecordAccepted>().empty());
  world.run_until(20s);
  const auto placed = world.all<observe::OrderPlaced>();
  CHECK(placed.size() == 1000);
  for (const auto& [at, fact] : placed) CHECK(fact.intended_ns == nanos(at));
  const auto accepted = world.all<observe::RecordAccepted>();
  REQUIRE(accepted.size() == 1000);
  for (std::size_t i = 0; i < accepted.size(); ++i) {
    CHECK(accepted[i].second.record == placed[i].second.record);
    CHECK(accepted[i].first == std::max(placed[i].first, world.answers_from));
  }
}

TEST_CASE("a cluster that never answers fails one order a max.block.ms, the others wait") {
  OrderServiceWorld world(spec(ConstantArrivals{1'000}), 1h);
  world.answers_from = LocalTime::max();
  world.start();
  world.run_until(150s);
  const auto failed = world.all<observe::RecordFailed>();
  REQUIRE(failed.size() == 2);
  CHECK(failed[0].first == local_at(nanos(60s)));
  CHECK(failed[1].first == local_at(nanos(120s)));
  CHECK(failed[1].second.record == record_id(FlowId{2}, 1));
}

TEST_CASE("customers have keys of their number") {
  FlowSpec flow = spec(ConstantArrivals{100'000});
  flow.keyed = true;
  flow.key = Distribution::zipf(1000, 110);
  OrderServiceWorld world(flow, 10s);
  world.start();
  world.run_until(20s);
  bool seen_long = false;
  for (const auto& [at, fact] : world.all<observe::OrderPlaced>()) {
    CHECK(fact.key >= 0);
    CHECK(fact.key < 1000);
    CHECK(fact.key_bytes == static_cast<std::int32_t>(std::to_string(fact.key).size()) + 5);
    seen_long = seen_long || fact.key >= 100;
  }
  CHECK(seen_long);
}

TEST_CASE("keys, sizes and arrivals have streams of their own") {
  FlowSpec flow = spec(PoissonArrivals{100'000});
  flow.record_bytes = Distribution::lognormal(600, 4096);
  OrderServiceWorld keyless(flow, 10s);
  flow.keyed = true;
  flow.key = Distribution::uniform(0, 100);
  OrderServiceWorld keyed(flow, 10s);
  for (OrderServiceWorld* world : {&keyless, &keyed}) {
    world->start();
    world->run_until(20s);
  }
  const auto a = keyless.all<observe::OrderPlaced>();
  const auto b = keyed.all<observe::OrderPlaced>();
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    CHECK(a[i].second.intended_ns == b[i].second.intended_ns);
    CHECK(a[i].second.value_bytes == b[i].second.value_bytes);
  }
}

TEST_CASE("a trace is replayed with its keys and sizes") {
  const auto orders = std::make_shared<const std::vector<TraceOrder>>(
      std::vector<TraceOrder>{{1'000'000, 0, 10},
                              {1'000'000, -1, 20},
                              {2'000'000'000, 12, 30},
                              {3'000'000'000, observe::kFirstRecordedKey + 1, 40}});
  const auto keys =
      std::make_shared<const std::vector<std::string>>(std::vector<std::string>{"a", "anna@example"});
  FlowSpec flow = spec(TraceArrivals{orders, "t.csv", keys});
  flow.start_at = 1s;
  OrderServiceWorld world(flow, 1h);
  world.start();
  world.run_until(20s);
  const auto placed = world.all<observe::OrderPlaced>();
  REQUIRE(placed.size() == 4);
  CHECK(placed[0].second.intended_ns == 1'001'000'000);
  CHECK(placed[2].second.intended_ns == 3'000'000'000);
  CHECK(placed[1].second.key == -1);
  CHECK(placed[2].second.key == 12);
  CHECK(placed[2].second.key_bytes == 7);
  CHECK(placed[2].second.value_bytes == 30);
  CHECK(placed[3].second.key_bytes == 12);  // a recorded key is sent as it is
  CHECK(world.all<observe::RecordAccepted>().size() == 4);
}

TEST_CASE("a service that starts again goes on with the orders of now, under their own numbers") {
  OrderServiceWorld world(spec(ConstantArrivals{1'000}), 10s);
  world.host.now = local_at(nanos(4500ms));
  world.start();
  world.run_until(20s);
  const auto placed = world.all<observe::OrderPlaced>();
  REQUIRE(placed.size() == 5);
  CHECK(placed[0].second.record == record_id(FlowId{2}, 5));
}

TEST_CASE("a copy in mid-run plays on as the original does") {
  FlowSpec flow = spec(PoissonArrivals{200'000});
  flow.keyed = true;
  flow.key = Distribution::zipf(1000, 110);
  OrderServiceWorld world(flow, 10s);
  world.answers_from = local_at(nanos(3s));
  world.start();
  world.run_until(2s);
  OrderServiceWorld copy(world);
  world.run_until(12s);
  copy.run_until(12s);
  REQUIRE(world.host.told.size() == copy.host.told.size());
  for (std::size_t i = 0; i < world.host.told.size(); ++i) {
    CHECK(world.host.told[i].at == copy.host.told[i].at);
    CHECK(world.host.told[i].fact.index() == copy.host.told[i].fact.index());
  }
}

}  // namespace
}  // namespace sim::workload
