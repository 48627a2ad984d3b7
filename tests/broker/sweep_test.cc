#include "broker/harness.h"

// Many small histories of three brokers under cuts, crashes and elections: what was acknowledged by acks=all
// with two in sync is never lost, replicas agree below their high watermarks, and after all is healed
// everything goes on.
namespace sim {
namespace {

using test::batch_of;
using test::produce;
using test::World;

constexpr int kPartitions = 3;
constexpr int kSteps = 60;

struct Rare {
  int truncations = 0, isr_changes = 0, crashes = 0, refused = 0;
};

struct SweptRun {
  explicit SweptRun(std::uint64_t seed) : rng(seed, "history") {
    for (int id = 1; id <= 3; ++id) world.add_broker(id);
    TopicConfig config;
    config.min_insync_replicas = 2;
    first = world.create_topic("orders", {1, 2, 3}, config, kPartitions);
    world.run_for(50ms);
  }

  TopicPartition tp(int index) const { return {first.topic, index}; }
  int draw(int below) { return static_cast<int>(rng.below(static_cast<std::uint64_t>(below))); }

  void send(int index) {
    const metadata::PartitionRegistration* registration = world.metadata().partition(tp(index));
    const int leader = registration->leader.value();
    if (!up[leader]) return;
    const int sequence = sequences[index]++;
    ProduceRequest request =
        produce(tp(index), batch_of(1, ProducerId{100 + 1000 * index + sequence}, 0), -1);
    request.timeout_ms = 20'000;
    sent.push_back({index, sequence, world.send(leader, request)});
  }

  // A clean election: of a member of the ISR.
  void elect(int index) {
    const metadata::PartitionRegistration* registration = world.metadata().partition(tp(index));
    const std::vector<NodeId> isr = registration->isr;
    const int leader = isr[static_cast<std::size_t>(draw(static_cast<int>(isr.size())))].value();
    if (!up[leader]) return;
    std::vector<int> members;
    for (const NodeId id : isr) members.push_back(id.value());
    world.elect(tp(index), leader, members);
  }

  // As the controller does with a broker whose session ends: out of every ISR, unless it is the last one.
  void crash(int id) {
    if (!up[id] || up[1] + up[2] + up[3] < 3) return;
    up[id] = false;
    world.crash(id);
    world.commit({BrokerRegistrationChangeRecord{NodeId{id}, BrokerEpoch{100 + id}, 1, 0}});
    for (int index = 0; index < kPartitions; ++index) {
      const metadata::PartitionRegistration* registration = world.metadata().partition(tp(index));
      std::vector<int> left;
      for (const NodeId member : registration->isr) {
        if (member != NodeId{id}) left.push_back(member.value());
      }
      const bool led = registration->leader == NodeId{id};
      if (left.empty())
        world.elect(tp(index), -1, {id});
      else if (std::cmp_less(left.size(), registration->isr.size()))
        world.elect(tp(index), led ? left[0] : registration->leader.value(), left);
    }
  }
  void restart(int id) {
    if (up[id]) return;
    up[id] = true;
    world.boot(id);
    world.commit({BrokerRegistrationChangeRecord{NodeId{id}, BrokerEpoch{100 + id}, -1, 0}});
    for (int index = 0; index < kPartitions; ++index) {
      if (world.metadata().partition(tp(index))->leader == kNoNode) world.elect(tp(index), id, {id});
    }
  }

  void check_agreement() {
    for (int index = 0; index < kPartitions; ++index) {
      for (int a = 1; a <= 3; ++a) {
        for (int b = a + 1; b <= 3; ++b) {
          if (!up[a] || !up[b]) continue;
          const partition::Partition* left = world.broker(a).replicas().partition(tp(index));
          const partition::Partition* right = world.broker(b).replicas().partition(tp(index));
          if (left == nullptr || right == nullptr) continue;
          const Offset common = std::min(left->high_watermark(), right->high_watermark());
          const auto x = left->log().read(0, common, 1 << 30, true);
          const auto y = right->log().read(0, common, 1 << 30, true);
          REQUIRE(x.size() == y.size());
          for (std::size_t i = 0; i < x.size(); ++i) {
            REQUIRE(x[i].base_offset == y[i].base_offset);
            REQUIRE(x[i].leader_epoch == y[i].leader_epoch);
            REQUIRE(x[i].data == y[i].data);
          }
        }
      }
    }
  }

  bool holds(int broker, int index, int sequence) {
    const partition::Partition& partition = world.partition(broker, tp(index));
    for (const Batch& batch : partition.log().read(0, partition.high_watermark(), 1 << 30, true)) {
      if (batch.data->producer_id == ProducerId{100 + 1000 * index + sequence}) return true;
    }
    return false;
  }

  struct Sent {
    int index, sequence;
    CorrelationId correlation;
  };
  World world;
  Rng rng;
  TopicPartition first;
  std::map<int, int> sequences;
  std::map<int, bool> up{{1, true}, {2, true}, {3, true}};
  std::vector<Sent> sent;
};

void play(std::uint64_t seed, Rare& rare) {
  CAPTURE(seed);
  SweptRun run(seed);
  for (int i = 0; i < kSteps; ++i) {
    const int what = run.draw(20);
    const int index = run.draw(kPartitions);
    const int id = 1 + run.draw(3);
    if (what < 12)
      run.send(index);
    else if (what < 14)
      run.elect(index);
    else if (what < 16)
      run.world.cut(id, id % 3 + 1);
    else if (what < 17)
      run.world.heal();
    else if (what < 18)
      run.crash(id);
    else
      run.restart(id);
    const int pause = run.draw(6);
    run.world.run_for(pause == 0 ? 7s : pause == 1 ? 300ms : std::chrono::microseconds(run.draw(2000)));
    run.check_agreement();
  }
  run.world.heal();
  for (int id = 1; id <= 3; ++id) {
    rare.crashes += !run.up[id];
    run.restart(id);
  }
  run.world.run_for(60s);
  for (int index = 0; index < kPartitions; ++index) {
    CHECK(run.world.metadata().partition(run.tp(index))->isr.size() == 3);
    const auto size = run.sent.size();
    run.send(index);
    REQUIRE(run.sent.size() == size + 1);
  }
  run.world.run_for(1s);
  run.check_agreement();
  for (std::size_t i = 0; i < run.sent.size(); ++i) {
    const SweptRun::Sent& one = run.sent[i];
    const auto answer = run.world.answer<ProduceResponse>(one.correlation);
    const bool acknowledged = answer && answer->partitions[0].error == ErrorCode::none;
    if (answer && !acknowledged) ++rare.refused;
    if (std::cmp_greater_equal(i + kPartitions, run.sent.size()))
      CHECK(acknowledged);  // after all was healed
    if (!acknowledged) continue;
    const int leader = run.world.metadata().partition(run.tp(one.index))->leader.value();
    CHECK(run.holds(leader, one.index, one.sequence));
  }
  for (int id = 1; id <= 3; ++id) {
    rare.truncations += static_cast<int>(run.world.facts<observe::LogTruncated>(id).size());
  }
  rare.isr_changes += static_cast<int>(run.world.isr_requests.size());
}

TEST_CASE("what was acknowledged stays, whatever is cut, crashed and elected") {
  Rare rare;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) play(seed, rare);
  // A sweep in which nothing goes wrong proves nothing.
  MESSAGE(rare.truncations, " truncations, ", rare.isr_changes, " ISR changes, ", rare.refused, " refused");
  CHECK(rare.truncations > 10);
  CHECK(rare.isr_changes > 50);
  CHECK(rare.refused > 50);
  CHECK(rare.crashes > 5);
}

}  // namespace
}  // namespace sim
