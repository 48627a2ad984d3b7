// A client's view of the cluster: whom it asks and when, which leaders it believes.
#include "client/client_metadata.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "support/process_host.h"

namespace sim::client {
namespace {

using node::NetworkClient;

constexpr ProcessId kClientProcess{9};
constexpr TopicPartition kOrders0{TopicId{5}, 0};

MetadataResponse::Partition partition(std::int32_t index, NodeId leader, std::int32_t leader_epoch,
                                      ErrorCode error = ErrorCode::none) {
  return {error, index, leader, LeaderEpoch{leader_epoch}, {NodeId{1}, NodeId{2}}, {NodeId{1}, NodeId{2}}};
}

MetadataResponse answer(std::vector<MetadataResponse::Topic> topics) {
  MetadataResponse response;
  response.brokers = {
      {NodeId{1}, ProcessId{1}, "a"}, {NodeId{2}, ProcessId{2}, "b"}, {NodeId{3}, ProcessId{3}, "c"}};
  response.topics = std::move(topics);
  return response;
}

MetadataResponse::Topic orders_topic(std::vector<MetadataResponse::Partition> partitions,
                                     TopicId id = TopicId{5}) {
  return {ErrorCode::none, "orders", id, false, 100, std::move(partitions)};
}

// A client of brokers that connect at once and answer when told to.
struct MetadataWorld {
  MetadataWorld() { host.now = local_at(nanos(1h)); }

  sim::test::ProcessHost host{Rng(1, "client")};
  NetworkClient network{kClientProcess, Lane::data, node::NetworkClientConfig{}, node::TimerId{}};
  MetadataClient metadata{{ProcessId{1}, ProcessId{2}, ProcessId{3}}, MetadataClient::Config{}};
  std::vector<std::pair<Envelope, MetadataRequest>> asked;  // not answered yet

  node::Env env() { return host.env(); }

  void feed(node::Input input) {
    node::Effects out;
    NetworkClient::Events events;
    network.step(input, env(), out, events);
    for (NetworkClient::Event& event : events) metadata.digest(event, env());
    metadata.maybe_update(network, env(), out);
    perform(out);
  }
  void perform(node::Effects& out) {
    host.perform(out, [this](Envelope&& sent) {
      if (auto* request = std::get_if<MetadataRequest>(&sent.message)) {
        asked.emplace_back(Envelope{sent.channel, sent.correlation, true, {}}, std::move(*request));
      } else {
        host.answer(sent, ApiVersionsResponse{});
      }
    });
    while (!host.inputs.empty()) feed(std::move(*host.next_until(host.now)));
  }
  void update() {
    node::Effects out;
    metadata.maybe_update(network, env(), out);
    perform(out);
  }
  void reply(MetadataResponse response) {
    REQUIRE(asked.size() == 1);
    Envelope envelope = std::move(asked[0].first);
    asked.clear();
    envelope.message = std::move(response);
    feed(node::Received{std::move(envelope)});
  }
  // Lets time pass until it asks by itself; how long that took.
  Duration until_it_asks() {
    const LocalTime start = host.now;
    while (asked.empty()) {
      REQUIRE(metadata.next_update_at() != LocalTime::max());
      host.now = std::max(host.now, metadata.next_update_at());
      update();
    }
    return host.now - start;
  }
  // Past the empty first answer, and with the topic known.
  void learn_orders(std::vector<MetadataResponse::Partition> partitions) {
    metadata.add_topic("orders", host.now);
    update();
    reply(answer({orders_topic(std::move(partitions))}));
    if (!asked.empty()) reply(answer({orders_topic({partition(0, NodeId{1}, 0)})}));
  }
};

TEST_CASE("a new client asks one bootstrap server, for no topic yet") {
  MetadataWorld world;
  world.update();
  REQUIRE(world.asked.size() == 1);
  CHECK(world.asked[0].second.topics.empty());
  CHECK_FALSE(world.asked[0].second.all_topics);
  world.reply(answer({}));
  CHECK(world.metadata.brokers().size() == 3);
  CHECK(world.metadata.endpoint(NodeId{2}) == ProcessId{2});
  CHECK(world.asked.empty());
  CHECK(world.metadata.next_update_at() == world.host.now + 5min);
}

TEST_CASE("a topic asked for the first time is asked about at once, alone") {
  MetadataWorld world;
  world.update();
  world.reply(answer({}));
  world.metadata.add_topic("orders", world.host.now);
  world.update();
  REQUIRE(world.asked.size() == 1);
  CHECK(world.asked[0].second.topics == std::vector<std::string>{"orders"});
  world.reply(answer({orders_topic({partition(0, NodeId{2}, 4)})}));
  const MetadataClient::Topic* topic = world.metadata.find("orders");
  REQUIRE(topic != nullptr);
  CHECK(topic->id == TopicId{5});
  REQUIRE(world.metadata.leader_of(kOrders0) != nullptr);
  CHECK(world.metadata.leader_of(kOrders0)->leader_endpoint == ProcessId{2});
}

TEST_CASE("a leader is believed unless a newer epoch was seen") {
  struct Row {
    const char* told;
    std::int32_t leader_epoch;
    TopicId id;
    NodeId want;
  };
  const Row rows[] = {
      {"older", 3, TopicId{5}, NodeId{1}},
      {"the same", 4, TopicId{5}, NodeId{2}},
      {"newer", 5, TopicId{5}, NodeId{2}},
      {"older, of a topic created anew", 0, TopicId{6}, NodeId{2}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.told);
    MetadataWorld world;
    world.learn_orders({partition(0, NodeId{1}, 4)});
    world.metadata.request_update();
    world.until_it_asks();
    world.reply(answer({orders_topic({partition(0, NodeId{2}, row.leader_epoch)}, row.id)}));
    const MetadataClient::Partition* leader = world.metadata.leader_of({row.id, 0});
    REQUIRE(leader != nullptr);
    CHECK(leader->leader == row.want);
  }
}

TEST_CASE("a newer epoch seen elsewhere makes the known leader stale") {
  MetadataWorld world;
  world.learn_orders({partition(0, NodeId{1}, 4)});
  world.metadata.see_leader_epoch(kOrders0, LeaderEpoch{4});
  CHECK(world.metadata.leader_of(kOrders0) != nullptr);
  CHECK(world.metadata.next_update_at() > world.host.now + 4min);
  world.metadata.see_leader_epoch(kOrders0, LeaderEpoch{5});
  CHECK(world.metadata.leader_of(kOrders0) == nullptr);
  CHECK(world.metadata.next_update_at() < world.host.now + 1s);
}

TEST_CASE("an error's leader hint counts if it is newer and its node is known") {
  struct Row {
    LeaderHint hint;
    bool want;
  };
  const Row rows[] = {
      {{NodeId{2}, LeaderEpoch{4}, ProcessId{2}}, false},
      {{NodeId{2}, LeaderEpoch{5}, ProcessId{2}}, true},
      {{NodeId{2}, LeaderEpoch{5}, kNoProcess}, true},  // among the brokers anyway
      {{NodeId{7}, LeaderEpoch{5}, kNoProcess}, false},
      {{NodeId{7}, LeaderEpoch{5}, ProcessId{17}}, true},  // a broker that came since
      {{}, false},
  };
  for (const Row& row : rows) {
    MetadataWorld world;
    world.learn_orders({partition(0, NodeId{1}, 4)});
    CHECK(world.metadata.update_leader(kOrders0, row.hint) == row.want);
    REQUIRE(world.metadata.leader_of(kOrders0) != nullptr);
    CHECK(world.metadata.leader_of(kOrders0)->leader == (row.want ? row.hint.leader : NodeId{1}));
  }
}

TEST_CASE("answers without progress are asked for ever more slowly") {
  MetadataWorld world;
  world.learn_orders({partition(0, NodeId{1}, 4)});
  const std::int64_t want_ms[] = {100, 100, 200, 400, 800, 1000, 1000};
  for (const std::int64_t want : want_ms) {
    world.metadata.request_update();
    const std::int64_t waited = millis(world.until_it_asks());
    CHECK(waited >= want * 8 / 10);
    CHECK(waited <= std::min<std::int64_t>(want * 12 / 10, 1000));
    world.reply(answer({orders_topic({partition(0, NodeId{1}, 4)})}));
  }
  world.metadata.request_update();
  world.until_it_asks();
  world.reply(answer({orders_topic({partition(0, NodeId{2}, 5)})}));  // progress
  world.metadata.request_update();
  CHECK(millis(world.until_it_asks()) <= 120);
}

TEST_CASE("a topic without leader, or not there yet, is asked for again by itself") {
  MetadataWorld world;
  world.metadata.add_topic("orders", world.host.now);
  world.update();
  world.reply(answer({{ErrorCode::leader_not_available, "orders", kNoTopic, false, 100, {}}}));
  CHECK_FALSE(world.metadata.find("orders")->known());
  CHECK(millis(world.until_it_asks()) <= 120);
  world.reply(answer({orders_topic({partition(0, kNoNode, 0, ErrorCode::leader_not_available)})}));
  CHECK(world.metadata.find("orders")->known());
  CHECK(world.metadata.leader_of(kOrders0) == nullptr);
  CHECK(millis(world.until_it_asks()) <= 240);
  world.reply(answer({orders_topic({partition(0, NodeId{3}, 1)})}));
  CHECK(world.metadata.leader_of(kOrders0) != nullptr);
  CHECK(world.metadata.next_update_at() == world.host.now + 5min);
}

TEST_CASE("a topic that nobody uses any more is forgotten") {
  MetadataWorld world;
  world.learn_orders({partition(0, NodeId{1}, 4)});
  const MetadataClient::TopicIndex orders_index = world.metadata.add_topic("orders", world.host.now + 2min);
  world.host.now += 6min;
  world.update();
  REQUIRE(world.asked.size() == 1);
  world.reply(answer({orders_topic({partition(0, NodeId{1}, 4)})}));
  CHECK(world.metadata.topic(orders_index).known());
  world.host.now += 6min;
  world.update();
  world.reply(answer({orders_topic({partition(0, NodeId{1}, 4)})}));
  CHECK_FALSE(world.metadata.topic(orders_index).known());
  world.metadata.add_topic(orders_index, world.host.now);
  world.update();
  REQUIRE(world.asked.size() == 1);
  CHECK(world.asked[0].second.topics == std::vector<std::string>{"orders"});
}

TEST_CASE("a lost connection makes it ask again, at another server") {
  MetadataWorld world;
  world.learn_orders({partition(0, NodeId{1}, 4)});
  const std::vector<ProcessId> connected = world.network.connected();
  REQUIRE(connected.size() == 1);
  world.host.refusing.insert(connected[0]);
  world.feed(
      node::Disconnected{Channel{kClientProcess, connected[0], Lane::data}, node::DisconnectReason::reset});
  CHECK(millis(world.until_it_asks()) <= 120);
  CHECK(world.asked[0].first.channel.server != connected[0]);
}

TEST_CASE("when no known broker can be reached, it begins again from the bootstrap servers") {
  MetadataWorld world;
  MetadataResponse of_one_broker = answer({orders_topic({partition(0, NodeId{1}, 4)})});
  of_one_broker.brokers.resize(1);
  world.metadata.add_topic("orders", world.host.now);
  world.update();
  world.reply(of_one_broker);
  if (!world.asked.empty()) world.reply(of_one_broker);
  while (!world.network.is_connected(ProcessId{1})) {
    node::Effects out;
    world.network.ready(ProcessId{1}, world.env(), out);
    world.perform(out);
  }
  world.host.refusing.insert(ProcessId{1});
  for (const ProcessId server : world.network.connected()) {
    world.feed(
        node::Disconnected{Channel{kClientProcess, server, Lane::data}, node::DisconnectReason::reset});
  }
  const LocalTime cut_off = world.host.now;
  while (world.asked.empty()) {
    world.host.now += 10ms;
    world.update();
  }
  CHECK(world.host.now - cut_off < 30s);
  CHECK(world.metadata.brokers().empty());
  CHECK_FALSE(world.metadata.find("orders")->known());
  CHECK(world.asked[0].first.channel.server != ProcessId{1});
  world.reply(answer({orders_topic({partition(0, NodeId{2}, 5)})}));
  CHECK(world.metadata.leader_of(kOrders0) != nullptr);
}

TEST_CASE("when nothing was learnt for five minutes, it begins again as well") {
  MetadataWorld world;
  world.learn_orders({partition(0, NodeId{1}, 4)});
  world.metadata.request_update();
  world.until_it_asks();
  const LocalTime since = world.host.now;
  while (!world.metadata.brokers().empty()) {
    REQUIRE(world.host.now - since < 10min);
    if (!world.asked.empty()) world.reply(MetadataResponse{});  // brokers that are only starting
    world.host.now += 100ms;
    world.update();
  }
  CHECK(world.host.now - since > 5min);
}

TEST_CASE("the least loaded server: idle before busy, connected before connecting before unknown") {
  MetadataWorld world;
  node::Effects out;
  const auto connect = [&world](ProcessId server) {
    node::Effects effects;
    world.network.ready(server, world.env(), effects);
    world.perform(effects);
  };
  world.network.ready(ProcessId{3}, world.env(), out);  // on its way
  CHECK(world.metadata.least_loaded(world.network, world.env()) == ProcessId{3});
  connect(ProcessId{1});
  CHECK(world.metadata.least_loaded(world.network, world.env()) == ProcessId{1});
  connect(ProcessId{2});
  const ProcessId busy{2};
  while (world.network.in_flight(busy) < 2) world.network.send(busy, MetadataRequest{}, world.env(), out);
  const std::int32_t already = world.network.in_flight(ProcessId{1});
  CHECK(already <= 1);
  CHECK(world.metadata.least_loaded(world.network, world.env()) == ProcessId{1});
}

TEST_CASE("any of the idle servers may be asked") {
  MetadataWorld world;
  std::set<ProcessId> chosen;
  for (int i = 0; i < 100; ++i) chosen.insert(world.metadata.least_loaded(world.network, world.env()));
  CHECK(chosen.size() == 3);
}

TEST_CASE("a consumer's topics are those of its subscription") {
  MetadataWorld world;
  world.metadata.set_topics({"orders", "stock"});
  world.update();
  REQUIRE(world.asked.size() == 1);
  CHECK(world.asked[0].second.topics == std::vector<std::string>{"orders", "stock"});
  world.reply(answer({orders_topic({partition(0, NodeId{1}, 0)})}));
  world.metadata.set_topics({"stock"});
  world.update();
  CHECK(world.asked.at(0).second.topics == std::vector<std::string>{"stock"});
}

}  // namespace
}  // namespace sim::client
