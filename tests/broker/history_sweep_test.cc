#include <vector>

#include "broker/harness.h"

// Small histories of one partition on three brokers, like those of sweep_test.cc but rougher: brokers lose
// their disks, miss metadata, and answers of the controller come late. What is never seen with Kafka 4.1's
// rules is seen with each of them switched back: so each is needed, and each switch works.
namespace sim {
namespace {

using test::batch_of;
using test::produce;
using test::World;

struct Seen {
  int diverged = 0;  // replicas that differ below both high watermarks
  int lost = 0;      // acknowledged by acks=all, in no log of the leader at the end
  int hollow = 0;    // a broker that is fenced was put into the ISR
  int exposed = 0;   // a high watermark moved while fewer than min.insync.replicas were in sync
  bool operator==(const Seen&) const = default;
};

class HistoricRun {
 public:
  HistoricRun(const History& history, std::uint64_t seed) : rng_(seed, "history") {
    server::BrokerConfig config;
    config.history = history;
    config.replica_lag_time_max_ms = 1'000;
    world_.isr_unfenced_only = history.isr_unfenced_only;
    for (int id = 1; id <= 3; ++id) world_.add_broker(id, config);
    TopicConfig topic;
    topic.min_insync_replicas = 2;
    tp_ = world_.create_topic("orders", {1, 2, 3}, topic);
    world_.run_for(50ms);
  }

  Seen play() {
    for (int i = 0; i < 80; ++i) {
      act();
      const int pause = draw(10);
      world_.run_for(pause == 0   ? 1500ms
                     : pause <= 2 ? 20ms
                                  : std::chrono::microseconds(pause <= 5 ? 0 : draw(1500)));
      look();
    }
    settle();
    return seen_;
  }

 private:
  int draw(int below) { return static_cast<int>(rng_.below(static_cast<std::uint64_t>(below))); }
  const metadata::PartitionRegistration& registration() const { return *world_.metadata().partition(tp_); }
  bool is_in_isr(int id) const {
    const auto& isr = registration().isr;
    return std::find(isr.begin(), isr.end(), NodeId{id}) != isr.end();
  }

  void act() {
    const int id = 1 + draw(3);
    switch (draw(20)) {
      case 0: return world_.cut(id, id % 3 + 1);
      case 1: return world_.cut(id, 0);  // hears nothing of the metadata
      case 2:
      case 3: return world_.heal();
      case 4:
        crash(id, draw(2) == 0);
        if (draw(2) == 0) restart(id);
        return;
      case 5:
      case 6: return restart(id);
      case 7: world_.grant_isr_changes = false; return;
      case 8:
        answer_isr_requests();
        if (draw(2) == 0) elect();
        return;
      case 9:
      case 10:
        elect();
        if (draw(2) == 0) world_.cut(id, id % 3 + 1);
        return;
      default: return send();
    }
  }

  void send() {
    const int leader = 1 + draw(3);  // or who takes itself for it
    if (!world_.is_up(leader)) return;
    const ProducerId producer{next_producer_++};
    ProduceRequest request = produce(tp_, batch_of(1, producer, 0), draw(4) == 0 ? 1 : -1);
    request.timeout_ms = 20'000;
    const bool all = request.acks == -1;
    const CorrelationId correlation = world_.send(leader, std::move(request));
    if (all) sent_.emplace_back(producer, correlation);
  }

  // A clean election: of a member of the ISR that is up.
  void elect() {
    std::vector<int> isr, able;
    for (const NodeId member : registration().isr) {
      isr.push_back(member.value());
      if (is_alive(member.value())) able.push_back(member.value());
    }
    if (able.empty()) return;
    world_.elect(tp_, able[static_cast<std::size_t>(draw(static_cast<int>(able.size())))], isr);
  }
  bool is_alive(int id) { return world_.is_up(id) && !world_.metadata().broker(NodeId{id})->fenced; }

  // Fenced, and out of the ISR. Its disk is lost only where another member of the ISR stays.
  void crash(int id, bool disk_too) {
    if (!is_alive(1) || !is_alive(2) || !is_alive(3)) return;
    std::vector<int> left;
    for (const NodeId member : registration().isr) {
      if (member != NodeId{id}) left.push_back(member.value());
    }
    if (left.empty()) return;
    world_.crash(id);
    if (disk_too) world_.wipe(id);
    world_.commit({BrokerRegistrationChangeRecord{NodeId{id},
                                                  world_.metadata().broker(NodeId{id})->broker_epoch, 1, 0}});
    if (std::cmp_equal(left.size(), registration().isr.size())) return;
    const bool led = registration().leader == NodeId{id};
    if (led) return world_.elect(tp_, left[0], left);
    PartitionChangeRecord record;
    record.tp = tp_;
    record.has_isr = true;
    for (const int member : left) record.isr.push_back(NodeId{member});
    world_.commit({record});
  }
  void restart(int id) {
    if (world_.is_up(id)) return;
    const BrokerEpoch epoch{++broker_epoch_};
    world_.commit({RegisterBrokerRecord{NodeId{id}, 1, epoch, test::process_of(id), "", false, false}});
    world_.boot(id);
  }

  void answer_isr_requests() {
    world_.grant_isr_changes = true;
    for (; answered_ < world_.isr_requests.size(); ++answered_) {
      const Envelope request = world_.isr_requests[answered_];
      if (world_.is_open(request.channel)) world_.answer_isr(request);
    }
  }

  void look() {
    if (world_.grant_isr_changes) answered_ = world_.isr_requests.size();
    for (int id = 1; id <= 3; ++id) look_at_high_watermark(id);
    for (const NodeId member : registration().isr) seen_.hollow += world_.metadata().broker(member)->fenced;
    for (int a = 1; a <= 3; ++a) {
      for (int b = a + 1; b <= 3; ++b) seen_.diverged += differ(a, b);
    }
  }
  // Twice under the minimum in the same partition epoch: it was so all the time between.
  void look_at_high_watermark(int id) {
    std::optional<Thin>& before = thin_[id];
    std::optional<Thin> now;
    const partition::Partition* here =
        world_.is_up(id) ? world_.broker(id).replicas().partition(tp_) : nullptr;
    if (here != nullptr && here->is_leader() && here->is_under_min_isr())
      now = Thin{here->partition_epoch(), here->high_watermark()};
    if (before && now && before->partition_epoch == now->partition_epoch)
      seen_.exposed += now->high_watermark > before->high_watermark;
    before = now;
  }
  bool differ(int a, int b) {
    if (!world_.is_up(a) || !world_.is_up(b)) return false;
    const partition::Partition* left = world_.broker(a).replicas().partition(tp_);
    const partition::Partition* right = world_.broker(b).replicas().partition(tp_);
    if (left == nullptr || right == nullptr) return false;
    const Offset common = std::min(left->high_watermark(), right->high_watermark());
    const auto x = left->log().read(0, common, 1 << 30, true);
    const auto y = right->log().read(0, common, 1 << 30, true);
    const auto same = [](const Batch& one, const Batch& other) {
      return one.base_offset == other.base_offset && one.data == other.data;
    };
    return !std::equal(x.begin(), x.end(), y.begin(), y.end(), same);
  }

  void settle() {
    answer_isr_requests();
    world_.heal();
    for (int id = 1; id <= 3; ++id) restart(id);
    world_.run_for(30s);
    look();
    std::set<ProducerId> held;
    const partition::Partition& leader = world_.partition(registration().leader.value(), tp_);
    for (const Batch& batch : leader.log().read(0, leader.log_end_offset(), 1 << 30, true))
      held.insert(batch.data->producer_id);
    for (const auto& [producer, correlation] : sent_) {
      const auto answer = world_.answer<ProduceResponse>(correlation);
      if (answer && answer->partitions[0].error == ErrorCode::none) seen_.lost += !held.contains(producer);
    }
  }

  struct Thin {
    PartitionEpoch partition_epoch;
    Offset high_watermark = 0;
  };

  World world_;
  Rng rng_;
  std::map<int, std::optional<Thin>> thin_;
  TopicPartition tp_;
  std::int64_t next_producer_ = 1;
  std::int64_t broker_epoch_ = 1'000;
  std::size_t answered_ = 0;
  std::vector<std::pair<ProducerId, CorrelationId>> sent_;
  Seen seen_;
};

constexpr std::uint64_t kSeeds = 100;
constexpr std::uint64_t kMostSeeds = 200;

TEST_CASE("with the rules of 4.1, nothing is lost and no replicas differ") {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    CAPTURE(seed);
    CHECK(HistoricRun(History{}, seed).play() == Seen{});
  }
}

TEST_CASE("without its rules, chance alone finds what goes wrong") {
  struct Row {
    const char* what;
    History history;
    int Seen::*expected;
  };
  const Row rows[] = {
      {"truncation by high watermark", {.truncation = Truncation::high_watermark}, &Seen::lost},
      {"truncation by epoch, without search", {.truncation = Truncation::epoch}, &Seen::diverged},
      {"no maximal ISR", {.isr_maximal = false}, &Seen::lost},
      {"the fenced join", {.isr_unfenced_only = false}, &Seen::hollow},
      {"the high watermark moves below min.insync.replicas",
       {.high_watermark_min_isr = false},
       &Seen::exposed},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    std::uint64_t seed = 1;
    while (seed <= kMostSeeds && HistoricRun(row.history, seed).play().*row.expected == 0) ++seed;
    CHECK(seed <= kMostSeeds);
    MESSAGE(std::string(row.what), ": seed ", seed);
  }
}

// ---- What takes more than chance: one story for each rule, with it and without it

// A follower whose part the test plays fetches: it holds everything below `offset`.
FetchRequest fetch_of(TopicPartition tp, int replica, std::int64_t broker_epoch, Offset offset) {
  FetchRequest request = test::fetch({test::from(tp, offset)}, 0);
  request.replica = NodeId{replica};
  request.replica_epoch = BrokerEpoch{broker_epoch};
  return request;
}

bool is_in_isr(const World& world, TopicPartition tp, int id) {
  const auto& isr = world.metadata().partition(tp)->isr;
  return std::find(isr.begin(), isr.end(), NodeId{id}) != isr.end();
}

TEST_CASE(
    "who holds all that a new leader knows to be exposed may lack what the old one acknowledged "
    "(KAFKA-7128)") {
  for (const bool guarded : {true, false}) {
    CAPTURE(guarded);
    World world;
    server::BrokerConfig config;
    config.history.isr_epoch_start_check = guarded;
    world.add_broker(1, config);
    world.add_broker(2, config);
    world.add_puppet(3);
    TopicConfig topic;
    topic.min_insync_replicas = 2;
    const TopicPartition tp = world.create_topic("orders", {1, 2, 3}, topic);
    world.elect(tp, 1, {1, 2});
    world.run_for(50ms);
    const auto send = [&] {
      return world.ask<ProduceResponse>(1, produce(tp, batch_of(1))).partitions[0].error;
    };
    REQUIRE(send() == ErrorCode::none);
    world.run_for(2s);
    REQUIRE(send() == ErrorCode::none);
    REQUIRE(world.partition(2, tp).high_watermark() == 1);  // it has not heard of the second
    world.elect(tp, 2, {1, 2});
    world.run_for(250us);
    world.send(2, fetch_of(tp, 3, 103, 1));  // has only the first
    world.run_for(5ms);
    CHECK(is_in_isr(world, tp, 3) == !guarded);
  }
}

TEST_CASE("who lost its disk since it caught up does not join the ISR for what it was (KIP-903)") {
  for (const bool guarded : {true, false}) {
    CAPTURE(guarded);
    World world;
    world.add_broker(1);
    world.add_puppet(2);
    const TopicPartition tp = world.create_topic("orders", {1, 2});
    world.elect(tp, 1, {1});
    world.run_for(50ms);
    REQUIRE(world.ask<ProduceResponse>(1, produce(tp, batch_of(1))).partitions[0].error == ErrorCode::none);
    world.grant_isr_changes = false;
    world.send(1, fetch_of(tp, 2, guarded ? 102 : -1, 1));
    world.run_for(5ms);
    REQUIRE(world.isr_requests.size() == 1);
    world.commit(
        {RegisterBrokerRecord{NodeId{2}, 2, BrokerEpoch{300}, test::process_of(2), "", false, false}});
    world.run_for(5ms);

    SUBCASE("the request was under way all the time") {
      world.answer_isr(world.isr_requests[0]);
    }
    SUBCASE("it is sent again after an error, and says what was true when it was decided on") {
      AlterPartitionResponse response;
      response.partitions.push_back({tp, ErrorCode::request_timed_out, kNoNode, kNoLeaderEpoch, {}, {}, {}});
      world.send(1, fetch_of(tp, 2, guarded ? 300 : -1, 0));
      world.run_for(5ms);
      world.reply(world.isr_requests[0], response);
      world.run_for(5ms);
      REQUIRE(world.isr_requests.size() == 2);
      world.answer_isr(world.isr_requests[1]);
    }
    world.run_for(5ms);
    CHECK(is_in_isr(world, tp, 2) == !guarded);
  }
}

TEST_CASE("who missed two changes of the leader does not fetch on as if nothing had happened (KIP-320)") {
  for (const bool guarded : {true, false}) {
    CAPTURE(guarded);
    World world;
    server::BrokerConfig config;
    config.history = {.truncation = Truncation::epoch_search, .fetch_leader_epoch = guarded};
    for (int id = 1; id <= 3; ++id) world.add_broker(id, config);
    const TopicPartition tp = world.create_topic("orders", {1, 2, 3});
    world.run_for(50ms);
    const auto send = [&](int leader) { world.ask<ProduceResponse>(leader, produce(tp, batch_of(1), 1)); };
    world.cut(1, 2);
    world.cut(3, 0);  // hears of nothing any more
    send(1);          // reaches 3 alone
    world.run_for(100ms);
    REQUIRE(world.partition(3, tp).log_end_offset() == 1);
    world.elect(tp, 2, {2, 3});
    world.run_for(100ms);
    send(2);  // at the same offset
    world.heal();
    world.cut(3, 0);
    world.run_for(35s);  // 1 has a connection on which nothing came for so long
    REQUIRE(world.partition(1, tp).log_end_offset() == 1);
    world.elect(tp, 1, {1, 2});
    world.run_for(100ms);
    send(1);
    world.run_for(5s);
    CHECK(world.partition(3, tp).log_end_offset() == (guarded ? 1 : 2));  // one of each
    CHECK(world.partition(3, tp).high_watermark() == (guarded ? 0 : 2));
    world.heal();
    world.run_for(5s);
    const auto ours = world.partition(1, tp).log().read(0, 2, 1 << 20, true);
    const auto theirs = world.partition(3, tp).log().read(0, 2, 1 << 20, true);
    REQUIRE(ours.size() == 2);
    REQUIRE(theirs.size() == 2);
    CHECK((ours[0].data == theirs[0].data) == guarded);
    CHECK(ours[1].data == theirs[1].data);
  }
}

}  // namespace
}  // namespace sim
