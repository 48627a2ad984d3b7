// Disks that are slow, full or broken, and slow processors: what a process notices, and what a cluster makes
// of it.
#include <doctest/doctest.h>

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "cluster/quorum_worlds.h"
#include "cluster/shop.h"
#include "cluster/small_world.h"

namespace sim::cluster {
namespace {

using namespace std::chrono_literals;
using test::broker;
using test::SmallWorld;
using test::Transcript;

// A server that writes before it answers, asked every 10 ms.
SmallWorld writing_pair() {
  SmallWorld world;
  world.add_server({.writes = node::Safety::written});
  world.add_client({{test::kServer}});
  return world;
}

TEST_CASE("io-delay: each write takes so many times as long and so much longer, and is counted") {
  struct Row {
    std::int64_t factor;
    Duration by;
  };
  for (const Row row : {Row{20, 0ms}, Row{1, 3ms}, Row{2, 2ms}}) {
    SmallWorld world = writing_pair();
    const fault::IoDelay delay{broker(1), row.factor, Distribution::constant(nanos(Instant{} + row.by)), {}};
    world.strike("slow", delay, 100ms, 100ms);
    const Transcript record = world.play(300ms);
    const auto asked = record.all("asked");
    const auto persisted = record.all("persisted");
    REQUIRE(persisted.size() >= 25);
    std::int64_t slowed = 0;
    for (std::size_t i = 0; i < persisted.size(); ++i) {
      const std::int64_t takes = persisted[i].at_micros - asked[i].at_micros;
      const bool during = asked[i].at_micros >= 100'000 && asked[i].at_micros < 200'000;
      CHECK(takes == (during ? 50 * row.factor + row.by / 1us : 50));
      slowed += during ? 1 : 0;
    }
    CHECK(record.all("FaultEnded")[0].number == slowed);
  }
}

TEST_CASE("slow-cpu: a server's threads take longer, over a restart too") {
  SmallWorld world = writing_pair();
  world.strike("slow", fault::SlowCpu{broker(1), 10}, 100ms, 200ms);
  world.strike("bounce", fault::Kill{broker(1)}, 195ms, 5ms);
  const Transcript record = world.play(400ms);
  const auto asked = record.all("asked", test::kServer);
  // 100 us on the way, 10 us of a network thread, 30 us of an I/O thread; the client asks at whole 10 ms.
  for (const Transcript::Line& one : asked) {
    const bool slow = one.at_micros >= 100'000 && one.at_micros < 300'000;
    CHECK(one.at_micros % 10'000 == (slow ? 500 : 140));
  }
  CHECK(record.count("asked", 210, 300) >= 8);
  CHECK(record.count("asked", 310, 400) >= 8);
}

TEST_CASE("slow-cpu: faults that overlap multiply, up to a million, and each takes its own part back") {
  SmallWorld world = writing_pair();
  world.strike("slow", fault::SlowCpu{broker(1), 2}, 100ms, 200ms);
  world.strike("slower", fault::SlowCpu{broker(1), 5}, 200ms, 200ms);
  world.strike("standstill", fault::SlowCpu{broker(1), 1'000'000}, 500ms, 100ms);
  world.strike("more of it", fault::SlowCpu{broker(1), 1'000'000}, 500ms, 100ms);
  const Transcript record = world.play(700ms);
  std::int64_t looked_at = 0;
  for (const Transcript::Line& one : record.all("asked", test::kServer)) {
    if (one.at_micros >= 500'000) continue;
    const std::int64_t factor = (one.at_micros >= 100'000 && one.at_micros < 300'000 ? 2 : 1) *
                                (one.at_micros >= 200'000 && one.at_micros < 400'000 ? 5 : 1);
    CHECK(one.at_micros % 10'000 == 100 + 40 * factor);
    ++looked_at;
  }
  CHECK(looked_at >= 45);
  CHECK(record.count("asked", 510, 600) == 0);
}

TEST_CASE("io-error: what is under way fails, and what waits for it is never sent") {
  SmallWorld world = writing_pair();
  world.strike("broken", fault::IoError{broker(1), {}}, 105ms, 50ms);
  const Transcript record = world.play(300ms);
  CHECK(record.count("answered", 106, 155) == 0);
  CHECK(record.all("FaultEnded")[0].number == 1);  // its client waits for the answer to this day
  Cluster cluster = world.build();
  test::play_until(cluster, 150ms);
  const Offset end = cluster.image(test::kServer).logs.at({TopicId{1}, 0}).end_offset();
  CHECK(end < 105'000'000);  // offsets are nanoseconds here
}

// ---- Log directories

ClusterSpec two_directories(std::uint64_t seed, std::int32_t directories = 2) {
  ClusterSpec spec = test::idle_cluster(seed, 3);
  spec.topics[0].partitions = 6;
  spec.topics[0].config.min_insync_replicas = 2;
  for (BrokerSpec& one : spec.brokers) one.config.log_dirs = directories;
  spec.flows = {test::order_service(100'000, 2s)};
  spec.load_ends_at = 30s;
  return spec;
}

class DirectoriesWatch final : public observe::Observer {
 public:
  void on(const observe::Observation& seen) override {
    if (const auto* changed = std::get_if<observe::PartitionChanged>(&seen.fact)) {
      partitions[changed->tp] = *changed;
      if (changed->tp.topic == TopicId{1}) changed_at = seen.at;
    }
    if (std::holds_alternative<observe::ProcessStopped>(seen.fact)) stopped.push_back(seen.process);
    if (const auto* acked = std::get_if<observe::BatchAcknowledged>(&seen.fact)) {
      if (acked->error == ErrorCode::none) {
        acknowledged += static_cast<std::int64_t>(acked->batch->application_records().size());
        last_acknowledged[acked->tp] = seen.at;
      }
    }
  }
  std::vector<TopicPartition> led_by(NodeId broker) const {
    std::vector<TopicPartition> result;
    for (const auto& [tp, partition] : partitions) {
      if (tp.topic == TopicId{1} && partition.leader == broker) result.push_back(tp);
    }
    return result;
  }
  std::map<TopicPartition, observe::PartitionChanged> partitions;
  std::map<TopicPartition, Instant> last_acknowledged;
  std::vector<ProcessId> stopped;
  std::int64_t acknowledged = 0;
  Instant changed_at{};
};

const ProcessId kBroker1{3};  // after three controllers

TEST_CASE("replicas are dealt out to a broker's directories, and found where they are") {
  ClusterSpec spec = two_directories(1);
  test::strike(spec, fault::Restart{broker(1)}, 10s);
  Cluster cluster(spec);
  test::play_until(cluster, 40s);
  std::map<std::int32_t, int> logs;
  for (const auto& [tp, image] : cluster.image(kBroker1).logs) {
    if (tp.topic == TopicId{1}) ++logs[image.directory];
  }
  CHECK(logs[0] == 3);
  CHECK(logs[1] == 3);
}

TEST_CASE(
    "a directory fails: its leaders move at once, the rest of the broker goes on; a restart brings it back") {
  for (std::uint64_t seed = 1; seed <= 2; ++seed) {
    CAPTURE(seed);
    ClusterSpec spec = two_directories(seed);
    test::strike(spec, fault::IoError{broker(1), 1}, 10s, 10s);
    test::strike(spec, fault::Restart{broker(1)}, 22s);
    Cluster cluster(spec);
    DirectoriesWatch story;
    cluster.observe(story);
    test::play_until(cluster, 9s);
    REQUIRE(story.led_by(NodeId{1}).size() == 2);
    test::play_until(cluster, 14s);
    CHECK(story.led_by(NodeId{1}).size() == 1);
    CHECK(story.stopped.empty());
    int without = 0;
    for (const auto& [tp, partition] : story.partitions) {
      if (tp.topic != TopicId{1}) continue;
      const bool in_sync =
          std::find(partition.isr.begin(), partition.isr.end(), NodeId{1}) != partition.isr.end();
      const bool there = cluster.image(kBroker1).logs.at(tp).directory == 0;
      // Followers of others there are dropped with the leaders: the controller knows where they lie.
      CHECK(in_sync == there);
      without += in_sync ? 0 : 1;
    }
    CHECK(without == 3);
    CHECK(story.changed_at < Instant{} + 11s);
    test::play_until(cluster, 60s);
    for (const auto& [tp, partition] : story.partitions) CHECK(partition.isr.size() == 3);
    CHECK(story.acknowledged > 2'000);
  }
}

TEST_CASE(
    "a broker that starts with a broken directory does without it; without its first it does not start") {
  for (const std::int32_t directory : {1, 0}) {
    CAPTURE(directory);
    ClusterSpec spec = two_directories(1);
    test::strike(spec, fault::Stop{broker(1)}, 8s, 4s);
    test::strike(spec, fault::IoError{broker(1), directory}, 9s, 20s);
    test::strike(spec, fault::Restart{broker(1)}, 32s);
    spec.load_ends_at = 50s;
    Cluster cluster(spec);
    DirectoriesWatch story;
    cluster.observe(story);
    test::play_until(cluster, 28s);
    CHECK(cluster.is_up(kBroker1) == (directory == 1));
    for (const auto& [tp, partition] : story.partitions) {
      if (tp.topic != TopicId{1}) continue;
      const bool in_sync =
          std::find(partition.isr.begin(), partition.isr.end(), NodeId{1}) != partition.isr.end();
      CHECK(in_sync == (directory == 1 && cluster.image(kBroker1).logs.at(tp).directory == 0));
    }
    test::play_until(cluster, 70s);
    for (const auto& [tp, partition] : story.partitions) CHECK(partition.isr.size() == 3);
  }
}

TEST_CASE("before KIP-858 a broker keeps the leaders it cannot serve") {
  ClusterSpec spec = two_directories(1);
  for (BrokerSpec& one : spec.brokers) one.config.history.failed_log_directories = false;
  test::strike(spec, fault::IoError{broker(1), 1}, 10s);
  Cluster cluster(spec);
  DirectoriesWatch story;
  cluster.observe(story);
  test::play_until(cluster, 29s);
  CHECK(story.led_by(NodeId{1}).size() == 2);
  int stuck = 0;
  for (const TopicPartition tp : story.led_by(NodeId{1})) {
    if (story.last_acknowledged[tp] < Instant{} + 11s) ++stuck;
  }
  CHECK(stuck == 1);
}

TEST_CASE("a broker whose only directory fails or is full halts, and the others go on") {
  for (const bool full : {false, true}) {
    CAPTURE(full);
    ClusterSpec spec = two_directories(1, 1);
    if (full) {
      test::strike(spec, fault::DiskFull{broker(1), {}}, 10s);
    } else {
      test::strike(spec, fault::IoError{broker(1), {}}, 10s);
    }
    Cluster cluster(spec);
    DirectoriesWatch story;
    cluster.observe(story);
    test::play_until(cluster, 29s);
    CHECK((story.stopped == std::vector<ProcessId>{kBroker1}));
    CHECK(!cluster.is_up(kBroker1));
    CHECK(story.led_by(NodeId{1}).empty());
    for (const auto& [tp, at] : story.last_acknowledged) CHECK(at > Instant{} + 25s);
  }
}

TEST_CASE("a broker that cannot tell the controller of a failed directory shuts down") {
  ClusterSpec spec = two_directories(1);
  for (BrokerSpec& one : spec.brokers) one.config.log_dir_failure_timeout_ms = 5'000;
  test::strike(spec, fault::Hold{{broker(1), {}, fault::Direction::from}, "BrokerHeartbeat"}, 9s);
  test::strike(spec, fault::IoError{broker(1), 1}, 10s);
  Cluster cluster(spec);
  DirectoriesWatch story;
  cluster.observe(story);
  test::play_until(cluster, 14s);
  CHECK(cluster.is_up(kBroker1));
  test::play_until(cluster, 29s);
  CHECK(!cluster.is_up(kBroker1));
}

TEST_CASE("a copy in mid-failure plays on as the original does") {
  ClusterSpec spec = two_directories(3);
  test::strike(spec, fault::IoDelay{broker(2), 5, Distribution::constant(0), {}}, 8s, 10s);
  test::strike(spec, fault::IoError{broker(1), 1}, 10s, 10s);
  Cluster original(spec);
  test::play_until(original, 12s);
  Cluster copy(original);
  test::play_until(original, 25s);
  test::play_until(copy, 25s);
  CHECK(original.fingerprint() == copy.fingerprint());
  CHECK(original.events_fired() == copy.events_fired());
}

}  // namespace
}  // namespace sim::cluster
