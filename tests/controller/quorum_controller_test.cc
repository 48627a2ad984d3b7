// The controller as a process: requests in, writes and answers out.
#include "controller/quorum_controller.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "metadata/metadata_image.h"
#include "support/process_host.h"

namespace sim::controller {
namespace {

constexpr ProcessId kController{0};
constexpr ProcessId kBroker1{1};

constexpr NodeId kSelf{3001};

// A quorum of one: the replica and its controller as their process would hold them.
class Server {
 public:
  Server(const ControllerBoot& boot, const log::LogImage* image)
      : replica_(spec(), image), controller_(boot) {}

  void step(node::Input& input, node::Env env, node::Effects& out) {
    const QuorumController::Context context{replica_, env, out};
    if (std::holds_alternative<node::Started>(input)) {
      handle(replica_.start(env, out), context);
    } else {
      node::for_each_part(input, kController, [&](node::Part part) {
        if (part == node::Part::raft) handle(replica_.step(input, env, out), context);
        if (part == node::Part::controller) controller_.step(input, context);
      });
    }
  }
  void resign(node::Env env, node::Effects& out) { replica_.resign(env, out); }
  const QuorumController& controller() const { return controller_; }

 private:
  static raft::ReplicaSpec spec() {
    raft::ReplicaSpec spec;
    spec.self = ReplicaKey{kSelf, DirectoryId{1}};
    spec.process = kController;
    spec.voters = {QuorumVoter{spec.self, kController}};
    spec.config.append_linger = Duration{0};
    return spec;
  }
  void handle(raft::Replica::Events events, const QuorumController::Context& context) {
    for (raft::Replica::Event& event : events) {
      if (const auto* committed = std::get_if<raft::Replica::Committed>(&event)) {
        controller_.replay(committed->batches, context);
      } else if (const auto* loaded = std::get_if<raft::Replica::SnapshotLoaded>(&event)) {
        controller_.load(*loaded->snapshot, context);
      } else if (const auto* won = std::get_if<raft::Replica::LeadershipWon>(&event)) {
        controller_.claim(won->quorum_epoch, context);
      } else if (std::holds_alternative<raft::Replica::LeadershipLost>(event)) {
        controller_.renounce(context);
      }
    }
  }

  raft::Replica replica_;
  QuorumController controller_;
};

// It runs on a disk that flushes when told to.
class Harness {
 public:
  explicit Harness(std::vector<MetadataRecord> bootstrap = {}, ControllerConfig config = {})
      : boot_{kController, kSelf, 1, config, std::move(bootstrap)} {
    start();
  }

  void start() {
    server_.emplace(boot_, image_ ? &*image_ : nullptr);
    host_.forget_process();
    feed(node::Started{});
    elect();
  }
  void crash_and_restart() {
    image_->lose_unflushed();
    image_->recover();
    start();
  }

  // Sends a request; what is answered at once or later lies in answers().
  CorrelationId ask(Lane lane, Message message, ProcessId from = kBroker1) {
    const CorrelationId correlation = next_++;
    feed(node::Received{Envelope{{from, kController, lane}, correlation, false, std::move(message)}});
    return correlation;
  }
  // Whatever is appended reaches the platter.
  void flush() {
    while (true) {
      while (!host_.writes.empty()) {
        write_oldest();
        image_->flush();
        take_inputs();
      }
      if (!take_next_until(host_.now)) return;
    }
  }
  // Plays timers up to this time.
  void run_until(std::int64_t ms) {
    while (take_next_until(LocalTime{from_millis(ms)})) flush();
  }
  void resign() {
    perform([&](node::Effects& out) { server_->resign(host_.env(), out); });
    flush();
  }
  void feed(node::Input input) {
    perform([&](node::Effects& out) { server_->step(input, host_.env(), out); });
  }

  bool is_answered(CorrelationId id) const { return answers_.contains(id); }
  template <class M>
  const M& answer(CorrelationId id) const {
    return std::get<M>(answers_.at(id));
  }
  const QuorumController& controller() const { return server_->controller(); }
  // What is committed.
  const metadata::MetadataImage& observed() const { return controller().committed_image(); }
  template <class F>
  std::vector<F> told() const {
    return host_.facts<F>();
  }

 private:
  // Up to its leader change record, which is not yet safe.
  void elect() {
    while (host_.writes.size() == 1 &&
           std::holds_alternative<log::WriteQuorumState>(host_.writes.front().writes.front())) {
      write_oldest();
      take_inputs();
    }
  }
  void write_oldest() {
    if (!image_) image_.emplace();
    for (const log::LogWrite& one : host_.writes.front().writes) image_->perform(one);
    CHECK(host_.writes.front().safety == node::Safety::flushed);
    host_.finish_write([&](Envelope&& sent) { keep_answer(std::move(sent)); });
  }
  bool take_next_until(LocalTime end) {
    std::optional<node::Input> input = host_.next_until(end);
    if (input) feed(std::move(*input));
    return input.has_value();
  }
  void take_inputs() {
    while (!host_.inputs.empty()) take_next_until(host_.now);
  }
  template <class Act>
  void perform(Act act) {
    node::Effects out;
    act(out);
    host_.perform(out, [&](Envelope&& sent) { keep_answer(std::move(sent)); });
  }
  void keep_answer(Envelope sent) {
    REQUIRE(sent.response);
    answers_[sent.correlation] = std::move(sent.message);
  }

  ControllerBoot boot_;
  std::optional<log::LogImage> image_;
  std::optional<Server> server_;
  sim::test::ProcessHost host_{Rng(1, "controller")};
  CorrelationId next_ = 1;
  std::map<CorrelationId, Message> answers_;
};

std::vector<MetadataRecord> three_brokers(std::vector<BootstrapTopic> topics = {}) {
  return bootstrap_records(
      true, {}, {{NodeId{1}, ProcessId{1}, ""}, {NodeId{2}, ProcessId{2}, ""}, {NodeId{3}, ProcessId{3}, ""}},
      topics, Rng(1, "bootstrap"));
}

CreateTopicsRequest create(const std::string& name) {
  CreateTopicsRequest request;
  request.topics.emplace_back();
  request.topics[0].name = name;
  request.topics[0].partitions = 3;
  request.topics[0].replication_factor = 3;
  return request;
}

TEST_CASE(
    "bootstrapping: brokers unfenced, listed topics placed, seen once it is on the platter, told as facts") {
  TopicConfig config;
  config.min_insync_replicas = 2;
  Harness harness(three_brokers({{"orders", 6, 3, config}, {"audit", 1, 1, {}}}));
  CHECK(harness.observed().brokers().empty());
  harness.flush();
  const metadata::MetadataImage image = harness.observed();
  CHECK(image.brokers().size() == 3);
  CHECK(image.is_active(NodeId{3}));
  CHECK(image.broker(NodeId{2})->endpoint == ProcessId{2});
  REQUIRE(image.topic("orders") != nullptr);
  CHECK(image.topic("orders")->partitions.size() == 6);
  CHECK(image.topic("orders")->config.min_insync_replicas == 2);
  CHECK(image.topic("audit")->partitions[0].replicas.size() == 1);
  REQUIRE(harness.told<observe::TopicCreated>().size() == 2);
  const observe::TopicCreated fact = harness.told<observe::TopicCreated>()[0];
  CHECK(fact.name == "orders");
  CHECK(fact.partitions == 6);
  CHECK(fact.replication_factor == 3);
  CHECK(harness.told<observe::BrokerStateChanged>().size() == 3);
  REQUIRE(harness.told<observe::PartitionChanged>().size() == 7);
  CHECK(harness.told<observe::PartitionChanged>()[0].isr.size() == 3);
  REQUIRE(harness.told<observe::ControllerChanged>().size() == 1);
  CHECK(harness.told<observe::ControllerChanged>()[0].active);
}

TEST_CASE("an answer waits for the commit; the next decision does not") {
  Harness harness(three_brokers());
  harness.flush();
  const CorrelationId first = harness.ask(Lane::forwarding, create("orders"));
  CHECK_FALSE(harness.is_answered(first));
  const CorrelationId again = harness.ask(Lane::forwarding, create("orders"));  // it knows already
  CHECK_FALSE(harness.is_answered(again));                                      // but may not say so yet
  CHECK(harness.observed().topic("orders") == nullptr);
  harness.flush();
  CHECK(harness.answer<CreateTopicsResponse>(first).topics[0].error == ErrorCode::none);
  CHECK(harness.answer<CreateTopicsResponse>(first).topics[0].id == TopicId{1});
  CHECK(harness.answer<CreateTopicsResponse>(again).topics[0].error == ErrorCode::topic_already_exists);
  CHECK(harness.observed().topic("orders") != nullptr);
  const CorrelationId idle = harness.ask(Lane::forwarding, create("orders"));
  CHECK(harness.is_answered(idle));  // nothing is outstanding
}

TEST_CASE("producer ids come in blocks of 1000, to brokers that are registered") {
  Harness harness(three_brokers());
  harness.flush();
  const auto ask = [&](std::int32_t broker, std::int64_t broker_epoch) {
    const CorrelationId id =
        harness.ask(Lane::forwarding, AllocateProducerIdsRequest{NodeId{broker}, BrokerEpoch{broker_epoch}});
    harness.flush();
    return harness.answer<AllocateProducerIdsResponse>(id);
  };
  // The features' levels lie before the brokers' registrations.
  CHECK(ask(1, 4).first == ProducerId{0});
  CHECK(ask(2, 5).first == ProducerId{1000});
  CHECK(ask(1, 4).count == 1000);
  CHECK(ask(1, 4).first == ProducerId{3000});
  CHECK(ask(1, 7).error == ErrorCode::stale_broker_epoch);
  CHECK(ask(9, 0).error == ErrorCode::stale_broker_epoch);
}

TEST_CASE("what came by a connection that is gone is not answered") {
  Harness harness(three_brokers());
  harness.flush();
  const CorrelationId ask = harness.ask(Lane::forwarding, create("orders"));
  harness.feed(node::Disconnected{{kBroker1, kController, Lane::forwarding}});
  harness.flush();
  harness.run_until(1'000);
  CHECK_FALSE(harness.is_answered(ask));
}

TEST_CASE("a restart finds what was flushed, in a new epoch, and bootstraps only once") {
  Harness harness(three_brokers());
  harness.flush();
  harness.ask(Lane::forwarding, create("orders"));
  harness.flush();
  harness.ask(Lane::forwarding, create("lost"));
  harness.crash_and_restart();
  harness.flush();
  const metadata::MetadataImage image = harness.observed();
  CHECK(image.topic("orders") != nullptr);
  CHECK(image.topic("lost") == nullptr);
  CHECK(image.brokers().size() == 3);
  const auto controllers = harness.told<observe::ControllerChanged>();
  REQUIRE(controllers.size() == 2);
  CHECK(controllers[0].quorum_epoch < controllers[1].quorum_epoch);
}

// ---- A broker's life

BrokerRegistrationRequest registration(std::int32_t broker, std::uint64_t incarnation,
                                       std::int64_t previous = -1) {
  return {NodeId{broker}, incarnation, ProcessId{broker}, "", BrokerEpoch{previous}};
}

class Lives {
 public:
  explicit Lives(ControllerConfig config = {}) : harness(std::vector<MetadataRecord>{}, config) {
    harness.flush();
  }

  BrokerRegistrationResponse register_broker(const BrokerRegistrationRequest& request) {
    const CorrelationId id = harness.ask(Lane::heartbeat, request);
    harness.flush();
    return harness.answer<BrokerRegistrationResponse>(id);
  }
  BrokerHeartbeatResponse heartbeat(std::int32_t broker, BrokerEpoch epoch, bool want_shut_down = false,
                                    std::optional<Offset> applied = {}) {
    const Offset offset = applied ? *applied : harness.observed().end_offset();
    const CorrelationId id = harness.ask(
        Lane::heartbeat, BrokerHeartbeatRequest{NodeId{broker}, epoch, offset, false, want_shut_down});
    harness.flush();
    return harness.answer<BrokerHeartbeatResponse>(id);
  }
  BrokerEpoch bring_up(std::int32_t broker) {
    const BrokerEpoch epoch = register_broker(registration(broker, 1)).broker_epoch;
    CHECK_FALSE(heartbeat(broker, epoch).is_fenced);
    return epoch;
  }
  bool is_active(std::int32_t broker) { return harness.observed().is_active(NodeId{broker}); }

  Harness harness;
};

TEST_CASE("a broker registers fenced, catches up, is unfenced, falls silent, is fenced after its session") {
  Lives lives;
  const BrokerRegistrationResponse registered = lives.register_broker(registration(1, 77));
  CHECK(registered.error == ErrorCode::none);
  const Offset at = registered.broker_epoch.value();  // where its record lies
  CHECK_FALSE(lives.is_active(1));
  BrokerHeartbeatResponse reply = lives.heartbeat(1, registered.broker_epoch, false, at - 1);
  CHECK(reply.is_fenced);
  CHECK_FALSE(reply.is_caught_up);
  reply = lives.heartbeat(1, registered.broker_epoch, false, at);
  CHECK_FALSE(reply.is_fenced);
  CHECK(reply.is_caught_up);
  CHECK(lives.is_active(1));

  lives.harness.run_until(5'000);
  CHECK_FALSE(lives.heartbeat(1, registered.broker_epoch).is_fenced);
  lives.harness.run_until(14'000);
  CHECK(lives.is_active(1));
  lives.harness.run_until(14'001 + 1'130);  // sessions are looked at every eighth of one
  CHECK_FALSE(lives.is_active(1));
  CHECK_FALSE(lives.heartbeat(1, registered.broker_epoch).is_fenced);  // it is back
  CHECK(lives.heartbeat(1, BrokerEpoch{999}).error == ErrorCode::stale_broker_epoch);
  CHECK(lives.heartbeat(2, BrokerEpoch{0}).error == ErrorCode::stale_broker_epoch);
}

TEST_CASE(
    "KIP-1066: which log directories are cordoned is a record of its own, once after each registration") {
  Lives lives;
  const BrokerEpoch epoch = lives.bring_up(1);
  const auto beat = [&] {
    BrokerHeartbeatRequest request{NodeId{1}, epoch, lives.harness.observed().end_offset()};
    request.tells_cordoned_log_dirs = true;
    const Offset before = lives.harness.observed().end_offset();
    lives.harness.ask(Lane::heartbeat, request);
    lives.harness.flush();
    return lives.harness.observed().end_offset() - before;
  };
  CHECK_FALSE(lives.harness.observed().broker(NodeId{1})->tells_cordoned_log_dirs);
  CHECK(beat() == 1);
  CHECK(lives.harness.observed().broker(NodeId{1})->tells_cordoned_log_dirs);
  CHECK(beat() == 0);
}

TEST_CASE("another incarnation must wait for the session of the one before") {
  Lives lives;
  const BrokerEpoch first = lives.bring_up(1);
  CHECK(lives.register_broker(registration(1, 1)).broker_epoch == first);  // the same again keeps its epoch
  CHECK(lives.is_active(1));
  CHECK(lives.register_broker(registration(1, 2)).error == ErrorCode::duplicate_broker_registration);
  lives.harness.run_until(9'001);
  const BrokerRegistrationResponse second = lives.register_broker(registration(1, 2));
  CHECK(second.error == ErrorCode::none);
  CHECK(second.broker_epoch > first);
  CHECK_FALSE(lives.is_active(1));
  CHECK(lives.heartbeat(1, first).error == ErrorCode::stale_broker_epoch);
}

// BrokerHeartbeatTracker: neither fencing nor a controlled shutdown ends a session.
TEST_CASE("a broker that went in order may not come back, and is fenced once more, before its session ends") {
  Lives lives;
  const BrokerEpoch first = lives.bring_up(1);
  lives.harness.run_until(1'000);
  CHECK(lives.heartbeat(1, first, true).should_shut_down);  // it leads nothing
  CHECK_FALSE(lives.is_active(1));
  lives.harness.run_until(10'000);
  CHECK(lives.register_broker(registration(1, 2)).error == ErrorCode::duplicate_broker_registration);
  const Offset before = lives.harness.observed().end_offset();
  lives.harness.run_until(10'001 + 1'130);
  CHECK(lives.harness.observed().end_offset() > before);  // fenced again
  CHECK(lives.register_broker(registration(1, 2)).error == ErrorCode::none);
}

TEST_CASE("brokers that fall silent together are fenced one after the other") {
  Lives lives;
  for (const std::int32_t id : {1, 2, 3}) lives.bring_up(id);
  lives.harness.ask(Lane::forwarding, create("orders"));
  lives.harness.flush();
  lives.harness.run_until(9'001 + 1'130 + 20);  // and the next one 10 ms after
  const metadata::MetadataImage image = lives.harness.observed();
  for (const std::int32_t id : {1, 2, 3}) CHECK(image.broker(NodeId{id})->fenced);
  for (const auto& partition : image.topic("orders")->partitions) {
    CHECK(partition.leader == kNoNode);
    CHECK(partition.isr.empty());
    CHECK(partition.leader_epoch >= LeaderEpoch{1});
  }
}

TEST_CASE("a controlled shutdown: leaders move, everybody learns of it, then the broker may go") {
  Lives lives;
  std::map<std::int32_t, BrokerEpoch> epochs;
  for (const std::int32_t id : {1, 2, 3}) epochs[id] = lives.bring_up(id);
  lives.harness.ask(Lane::forwarding, create("orders"));
  lives.harness.flush();
  for (const std::int32_t id : {2, 3}) lives.heartbeat(id, epochs[id]);

  BrokerHeartbeatResponse reply = lives.heartbeat(1, epochs[1], true);
  CHECK_FALSE(reply.should_shut_down);
  const metadata::MetadataImage image = lives.harness.observed();
  CHECK(image.broker(NodeId{1})->in_controlled_shutdown);
  for (const auto& partition : image.topic("orders")->partitions) {
    CHECK(partition.leader != NodeId{1});
    CHECK(partition.isr.size() == 2);
  }
  CHECK_FALSE(lives.heartbeat(1, epochs[1], true).should_shut_down);  // the others do not know yet
  lives.heartbeat(2, epochs[2]);
  CHECK_FALSE(lives.heartbeat(1, epochs[1], true).should_shut_down);
  lives.heartbeat(3, epochs[3]);
  reply = lives.heartbeat(1, epochs[1], true);
  CHECK(reply.should_shut_down);
  CHECK(reply.is_fenced);
}

TEST_CASE("whoever becomes active gives every unfenced broker a whole session") {
  Lives lives;
  lives.bring_up(1);
  lives.harness.run_until(8'000);
  lives.harness.crash_and_restart();
  lives.harness.flush();
  lives.harness.run_until(17'000);
  CHECK(lives.is_active(1));
  lives.harness.run_until(17'001 + 1'130);
  CHECK_FALSE(lives.is_active(1));

  Harness bootstrapped(three_brokers());
  bootstrapped.flush();
  bootstrapped.run_until(9'000);
  CHECK(bootstrapped.observed().is_active(NodeId{1}));
  bootstrapped.run_until(9'001 + 1'130 + 20);  // all three, one after the other
  CHECK_FALSE(bootstrapped.observed().is_active(NodeId{1}));
}

TEST_CASE("leaders are balanced leader.imbalance.check.interval.seconds after they got out of balance") {
  Lives lives;
  std::map<std::int32_t, BrokerEpoch> epochs;
  for (const std::int32_t id : {1, 2, 3}) epochs[id] = lives.bring_up(id);
  lives.harness.ask(Lane::forwarding, create("orders"));
  lives.harness.flush();
  std::int64_t ms = 0;
  const auto run_to = [&](std::int64_t end, std::vector<std::int32_t> alive) {
    while (ms < end) {
      ms = std::min(ms + 2'000, end);
      lives.harness.run_until(ms);
      for (const std::int32_t id : alive) lives.heartbeat(id, epochs[id]);
    }
  };
  const auto led_by = [&](std::int32_t id) {
    int count = 0;
    const metadata::MetadataImage image = lives.harness.observed();
    for (const auto& partition : image.topic("orders")->partitions)
      count += partition.leader == NodeId{id} ? 1 : 0;
    return count;
  };
  // The leaders of its partitions take broker 1 back into the ISR.
  const auto rejoin = [&] {
    const metadata::MetadataImage image = lives.harness.observed();
    const metadata::TopicImage& orders = *image.topic("orders");
    for (std::size_t i = 0; i < orders.partitions.size(); ++i) {
      const auto& partition = orders.partitions[i];
      AlterPartitionRequest request{partition.leader, epochs[partition.leader.value()], {}};
      AlterPartitionRequest::Partition wanted;
      wanted.tp = {orders.id, static_cast<std::int32_t>(i)};
      wanted.leader_epoch = partition.leader_epoch;
      wanted.partition_epoch = partition.partition_epoch;
      for (const std::int32_t id : {1, 2, 3}) wanted.new_isr.push_back({NodeId{id}, epochs[id]});
      request.partitions.push_back(wanted);
      const CorrelationId id = lives.harness.ask(Lane::alter_partition, request);
      lives.harness.flush();
      CHECK(lives.harness.answer<AlterPartitionResponse>(id).partitions[0].error == ErrorCode::none);
    }
  };
  for (int round = 0; round < 2; ++round) {
    CAPTURE(round);
    const std::int64_t start = ms;  // the last heartbeat of all three
    CHECK(led_by(1) == 1);
    std::int64_t fenced_at = start + 9'000;
    while (led_by(1) != 0 && fenced_at < start + 9'000 + 1'130) run_to(++fenced_at, {2, 3});
    CHECK(led_by(1) == 0);
    CHECK(fenced_at > start + 9'000);
    run_to(start + 12'000, {1, 2, 3});
    rejoin();
    run_to(fenced_at + 299'999, {1, 2, 3});
    CHECK(led_by(1) == 0);
    run_to(fenced_at + 300'000, {1, 2, 3});
    CHECK(led_by(1) == 1);
  }
}

TEST_CASE("an AlterPartition from another broker epoch is refused as a whole") {
  Harness harness(three_brokers());
  harness.flush();
  const CorrelationId id =
      harness.ask(Lane::alter_partition, AlterPartitionRequest{NodeId{1}, BrokerEpoch{5}, {}});
  CHECK(harness.answer<AlterPartitionResponse>(id).error == ErrorCode::stale_broker_epoch);
}

TEST_CASE("a copy plays on as the original would, and leaves it alone") {
  Harness harness(three_brokers());
  harness.flush();
  const CorrelationId first = harness.ask(Lane::forwarding, create("orders"));
  const Harness copy = harness;
  harness.flush();
  CHECK(harness.is_answered(first));
  CHECK(harness.observed().topic("orders") != nullptr);
  CHECK_FALSE(copy.is_answered(first));
  CHECK(copy.observed().topic("orders") == nullptr);
  CHECK(copy.controller().image() == harness.controller().image());
}

TEST_CASE("who leads no more goes back to the last commit and says so to all who wait") {
  Harness harness(three_brokers());
  harness.flush();
  const metadata::MetadataImage committed = harness.observed();
  const CorrelationId create_topic = harness.ask(Lane::forwarding, create("orders"));
  const CorrelationId register_again = harness.ask(Lane::heartbeat, registration(1, 0));
  const CorrelationId ids =
      harness.ask(Lane::forwarding, AllocateProducerIdsRequest{NodeId{1}, BrokerEpoch{4}});
  REQUIRE(harness.controller().image().topic("orders") != nullptr);
  REQUIRE_FALSE(harness.is_answered(create_topic));
  harness.resign();
  CHECK_FALSE(harness.controller().is_active());
  CHECK(harness.controller().image() == committed);
  CHECK(harness.controller().image().digest() == committed.digest());
  CHECK(harness.answer<CreateTopicsResponse>(create_topic).topics[0].error == ErrorCode::not_controller);
  CHECK(harness.answer<BrokerRegistrationResponse>(register_again).error == ErrorCode::not_controller);
  CHECK(harness.answer<AllocateProducerIdsResponse>(ids).error == ErrorCode::not_controller);
  CHECK_FALSE(harness.told<observe::ControllerChanged>().back().active);
  const CorrelationId later = harness.ask(Lane::heartbeat, BrokerHeartbeatRequest{});
  CHECK(harness.answer<BrokerHeartbeatResponse>(later).error == ErrorCode::not_controller);
  const CorrelationId isr = harness.ask(Lane::alter_partition, AlterPartitionRequest{});
  CHECK(harness.answer<AlterPartitionResponse>(isr).error == ErrorCode::not_controller);
}

TEST_CASE("an idle controller writes a NoOpRecord every metadata.max.idle.interval.ms, and nothing else") {
  Harness harness;
  harness.flush();
  const Offset begin = harness.observed().end_offset();
  harness.run_until(499);
  CHECK(harness.observed().end_offset() == begin);
  harness.run_until(10'000);
  CHECK(harness.observed().end_offset() == begin + 20);
  CHECK(harness.observed().empty());
}

}  // namespace
}  // namespace sim::controller
