// What a crash of machines leaves: by what was flushed, by what the platter got all the same, by whose disk
// it was.
#include <doctest/doctest.h>

#include <limits>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "cluster/cluster.h"
#include "cluster/quorum_worlds.h"
#include "cluster/shop.h"
#include "cluster/small_world.h"
#include "log/test_batches.h"

namespace sim::cluster {
namespace {

using namespace std::chrono_literals;

const fault::Targets kAllBrokers = {fault::AllOf{fault::Pool::brokers}};

ClusterSpec flow_of_three(std::uint64_t seed) {
  ClusterSpec spec = test::idle_cluster(seed, 3);
  spec.topics[0].config.min_insync_replicas = 2;
  spec.flows = {test::order_service(100'000, 2s)};
  spec.load_ends_at = 12s;
  return spec;
}

struct Durability {
  std::size_t acknowledged = 0;
  std::size_t lost = 0;  // acknowledged, and in no log of orders
};

Durability played_durability(const ClusterSpec& spec, Duration until) {
  Cluster cluster(spec);
  test::OrdersWatch orders;
  cluster.observe(orders);
  test::play_until(cluster, until);
  std::set<RecordId> left = orders.acknowledged;
  for (std::int32_t process = 3; process < 6; ++process) {
    for (const auto& [tp, image] : cluster.image(ProcessId{process}).logs) {
      if (tp == kClusterMetadata) continue;
      for (const Batch& batch :
           image.batches.read(0, image.end_offset(), std::numeric_limits<std::int64_t>::max(), false)) {
        for (const Record& record : batch.data->application_records()) left.erase(record.id);
      }
    }
  }
  return {orders.acknowledged.size(), left.size()};
}

TEST_CASE("what a broker has on disk when it is killed, and has not heard of, its host tells") {
  struct LogEnds final : observe::Observer {
    void on(const observe::Observation& seen) override {
      if (const auto* appended = std::get_if<observe::BatchAppended>(&seen.fact)) {
        ends[{appended->tp, appended->broker}] = appended->batch.end_offset();
      } else if (const auto* copied = std::get_if<observe::ReplicaAppended>(&seen.fact)) {
        ends[{copied->tp, copied->broker}] = copied->batch.end_offset();
        if (seen.at == Instant{5s}) ++copies_at_death;
      }
    }
    std::map<std::pair<TopicPartition, NodeId>, Offset> ends;
    std::int64_t copies_at_death = 0;
  };
  ClusterSpec spec = flow_of_three(1);
  spec.topics[0].config.flush_messages = 1;
  for (BrokerSpec& broker : spec.brokers) broker.disk.flush = Distribution::constant(20'000'000);
  test::strike(spec, fault::Kill{kAllBrokers}, 5s, 1s);
  Cluster cluster(spec);
  LogEnds told;
  cluster.observe(told);
  test::play_until(cluster, 5s + 1ms);
  std::size_t logs = 0;
  for (std::int32_t process = 3; process < 6; ++process) {
    for (const auto& [tp, image] : cluster.image(ProcessId{process}).logs) {
      if (tp == kClusterMetadata) continue;
      ++logs;
      CHECK(told.ends[{tp, NodeId{process - 2}}] == image.end_offset());
    }
  }
  CHECK(logs >= 3);
  CHECK(told.copies_at_death > 0);
}

TEST_CASE(
    "a flush makes safe what it was asked for: not what has taken its place since, nor logs it does not "
    "name") {
  static const TopicPartition kCut{TopicId{1}, 0};
  static const TopicPartition kNamed{TopicId{1}, 1};
  class Writer final : public node::Node {
   public:
    std::unique_ptr<node::Node> clone() const override { return std::make_unique<Writer>(*this); }
    void step(node::Input& input, node::Env, node::Effects& out) override {
      if (!std::holds_alternative<node::Started>(input)) return;
      const auto batch = [](TopicPartition tp, std::int32_t epoch) {
        return log::AppendBatch{tp, log::test::batch_of(0, LeaderEpoch{epoch}, 5, 10)};
      };
      out.emplace_back(node::Persist{
          node::PersistId{node::Part::application, 1}, {batch(kCut, 0)}, node::Safety::flushed});
      out.emplace_back(node::Persist{node::PersistId{node::Part::application, 2},
                                     {log::TruncateLog{kCut, 0}, batch(kCut, 1)},
                                     node::Safety::written});
      out.emplace_back(
          node::Persist{node::PersistId{node::Part::application, 3},
                        {batch(TopicPartition{TopicId{1}, 2}, 0), batch(kNamed, 0), log::FlushLog{kNamed}},
                        node::Safety::flushed});
    }
  };
  test::SmallWorld world;
  ProcessSpec process;
  process.name = process.application = "writer";
  process.boot = Prototype(std::make_shared<Writer>());
  world.add(process, true);
  Cluster cluster = world.build();
  test::play_until(cluster, 1ms);  // all is written, and being flushed
  const auto& logs = cluster.image(ProcessId{0}).logs;
  CHECK(logs.at(kCut).end_offset() == 5);
  test::play_until(cluster, 20ms);
  CHECK(logs.at(kCut).flushed_end_offset == 0);
  CHECK(logs.at(kNamed).flushed_end_offset == 5);
  CHECK(logs.at(TopicPartition{TopicId{1}, 2}).flushed_end_offset == 0);
}

TEST_CASE(
    "all lose power at once: what flush.messages=1 has acknowledged is kept, what nobody flushed is not") {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    CAPTURE(seed);
    ClusterSpec spec = flow_of_three(seed);
    test::strike(spec, fault::PowerLoss{kAllBrokers}, 8s, 3s);
    const Durability written = played_durability(spec, 40s);
    CHECK(written.acknowledged > 500);
    CHECK(written.lost > 300);  // six seconds' worth

    spec.faults[0].kind = fault::PowerLoss{kAllBrokers, fault::Tail::torn};
    const Durability torn = played_durability(spec, 40s);
    CHECK(torn.lost > 0);
    CHECK(torn.lost < written.lost);

    spec.topics[0].config.flush_messages = 1;
    const Durability flushed = played_durability(spec, 40s);
    CHECK(flushed.acknowledged > 500);
    CHECK(flushed.lost == 0);

    spec = flow_of_three(seed);
    test::strike(spec, fault::Kill{kAllBrokers}, 8s, 3s);
    CHECK(played_durability(spec, 40s).lost == 0);  // the page cache is the operating system's
  }
}

TEST_CASE(
    "a broker whose logs take long to read stays fenced until they are read; after a clean stop it does "
    "not") {
  const auto back_after = [](fault::Kind kind, std::int64_t read_rate, std::int32_t threads) {
    ClusterSpec spec = flow_of_three(1);
    spec.brokers[0].disk.read_bytes_per_second = read_rate;
    spec.brokers[0].config.num_recovery_threads_per_data_dir = threads;
    test::strike(spec, std::move(kind), 12s, 15s);
    class Unfenced final : public observe::Observer {
     public:
      void on(const observe::Observation& seen) override {
        const auto* state = std::get_if<observe::BrokerStateChanged>(&seen.fact);
        if (state != nullptr && state->broker == NodeId{1} && !state->fenced) at = seen.at;
      }
      Instant at{};
    } unfenced;
    Cluster cluster(spec);
    cluster.observe(unfenced);
    cluster.set_time_limit(Instant{} + 120s);
    while (cluster.step()) {
    }
    REQUIRE(unfenced.at > Instant{} + 12s);
    return unfenced.at - (Instant{} + 27s);
  };
  const fault::Targets one = {fault::BrokerTarget{NodeId{1}}};
  const Duration fast = back_after(fault::Kill{one}, 500'000'000, 2);
  const Duration slow = back_after(fault::Kill{one}, 20'000, 1);  // a little over 1 MB
  const Duration shared = back_after(fault::Kill{one}, 20'000, 3);
  const Duration clean = back_after(fault::Stop{one}, 20'000, 1);
  CHECK(fast < 3s);
  CHECK(clean < 3s);
  CHECK(slow > 40s);
  CHECK(shared < slow / 2);
  CHECK(shared > 10s);
}

TEST_CASE("a copy taken while logs are read plays on as the original does") {
  ClusterSpec spec = flow_of_three(2);
  for (BrokerSpec& broker : spec.brokers) broker.disk.read_bytes_per_second = 20'000;
  spec.topics[0].config.flush_messages = 3;
  test::strike(spec, fault::PowerLoss{kAllBrokers, fault::Tail::torn}, 8s, 2s);
  Cluster original(spec);
  original.set_time_limit(Instant{} + 20s);
  while (original.step()) {
  }
  Cluster copy = original;
  for (Cluster* one : {&original, &copy}) {
    one->set_time_limit(Instant{} + 90s);
    while (one->step()) {
    }
  }
  CHECK(original.fingerprint() == copy.fingerprint());
  CHECK(original.events_fired() == copy.events_fired());
}

TEST_CASE("a wiped broker comes back with nothing, and gets it all again") {
  ClusterSpec spec = flow_of_three(1);
  test::strike(spec, fault::Wipe{{fault::BrokerTarget{NodeId{1}}}}, 6s, 2s);
  Cluster cluster(spec);
  cluster.set_time_limit(Instant{} + 7s);
  while (cluster.step()) {
  }
  CHECK(cluster.image(ProcessId{3}).logs.empty());
  CHECK(cluster.image(ProcessId{3}).replaced == 1);
  Cluster copy = cluster;
  copy.set_time_limit(Instant{} + 40s);
  while (copy.step()) {
  }
  bool found = false;
  for (const auto& [tp_of, image] : copy.image(ProcessId{4}).logs) {
    if (tp_of == kClusterMetadata || image.end_offset() == 0) continue;
    found = true;
    CHECK(copy.image(ProcessId{3}).logs.at(tp_of).end_offset() == image.end_offset());
  }
  CHECK(found);
}

TEST_CASE("a wiped voter is a stranger to those who know it by its directory, and hurts nobody") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    CAPTURE(seed);
    ClusterSpec spec = test::idle_cluster(seed, 3);
    spec.load_ends_at = 30s;
    test::strike(spec, fault::Wipe{{fault::ActiveController{}}}, 5s, 3s);
    test::QuorumWorld world(spec);
    world.play_until(30s);
    for (const std::string& violation : world.violations()) FAIL_CHECK(violation);
  }
}

}  // namespace
}  // namespace sim::cluster
