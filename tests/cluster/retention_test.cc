// Old segments go, compacted ones shrink: what a whole cluster makes of it.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "base/overloaded.h"
#include "cluster/cluster.h"
#include "cluster/quorum_worlds.h"
#include "cluster/shop.h"

namespace sim::cluster {
namespace {

using namespace std::chrono_literals;

// Orders for 40 s; payment handles them.
ClusterSpec shop_with_retention(std::uint64_t seed, std::int32_t partitions) {
  ClusterSpec spec = test::idle_cluster(seed, partitions);
  spec.flows = {test::keyed(test::order_service(50'000, 5s), 100)};
  workload::ServiceSpec service = test::service("payment");
  service.members = 2;
  service.service_time = Distribution::constant(1'000'000);
  service.commit = workload::CommitMode::after_each;
  service.consumer.enable_auto_commit = false;
  service.consumer.auto_offset_reset = client::AutoOffsetReset::earliest;
  spec.services = {service};
  spec.load_ends_at = 45s;
  return spec;
}

struct RetentionWatch final : test::OrdersWatch {
  void on(const observe::Observation& seen) override {
    test::OrdersWatch::on(seen);
    std::visit(Overloaded{
                   [&](const observe::LogStartRaised& one) {
                     raised.emplace_back(seen.at, one);
                     starts[{one.broker, one.tp}] = one.to;
                   },
                   [&](const observe::LogCleaned& one) { cleaned.emplace_back(seen.at, one); },
                   [&](const observe::PositionReset& one) { resets.emplace_back(seen.at, one); },
                   [&](const observe::CommitAcknowledged& one) {
                     if (one.error != ErrorCode::none) return;
                     Offset& committed = commits[one.tp];
                     committed = std::max(committed, one.offset);
                   },
                   [](const auto&) {},
               },
               seen.fact);
  }
  std::vector<std::pair<Instant, observe::LogStartRaised>> raised;
  std::vector<std::pair<Instant, observe::LogCleaned>> cleaned;
  std::vector<std::pair<Instant, observe::PositionReset>> resets;
  std::map<std::pair<NodeId, TopicPartition>, Offset> starts;
  std::map<TopicPartition, Offset> commits;
};

ClusterSpec short_lived(std::uint64_t seed) {
  ClusterSpec spec = shop_with_retention(seed, 2);
  spec.topics.front().config.retention_ms = 10'000;
  spec.topics.front().config.segment_ms = 3'000;
  for (BrokerSpec& broker : spec.brokers) {
    broker.config.log_initial_task_delay_ms = 2'000;
    broker.config.log_retention_check_interval_ms = 4'000;
  }
  return spec;
}

TEST_CASE("every replica deletes what is too old, at its broker's own turns, and its disk keeps no more") {
  Cluster cluster(short_lived(1));
  RetentionWatch story;
  cluster.observe(story);
  test::play_until(cluster, 50s);
  std::set<NodeId> brokers;
  std::map<NodeId, std::set<std::int64_t>> phases;
  for (const auto& [at, one] : story.raised) {
    brokers.insert(one.broker);
    CHECK(one.from < one.to);
    phases[one.broker].insert(nanos(at) % nanos(4s));
  }
  CHECK(brokers.size() == 3);
  // A follower that hears of its leader's start raises its own with the next fetch, whenever that is.
  for (const auto& [broker, at] : phases) CHECK(at.size() < story.raised.size());
  const TopicId orders = story.raised.front().second.tp.topic;
  for (std::int32_t partition = 0; partition < 2; ++partition) {
    const TopicPartition tp{orders, partition};
    for (std::int32_t id = 1; id <= 3; ++id) {
      for (std::int32_t process = 0; std::cmp_less(process, cluster.names().processes.size()); ++process) {
        if (cluster.names().processes[static_cast<std::size_t>(process)] != "broker-" + std::to_string(id))
          continue;
        const log::LogImage& image = cluster.image(ProcessId{process}).logs.at(tp);
        CHECK(image.start_offset == (story.starts[{NodeId{id}, tp}]));
        CHECK(image.start_offset > 0);
        CHECK(image.end_offset() - image.start_offset < 1'000);  // of 2 000 there were
      }
    }
  }
  for (const RecordId order : story.placed) CHECK(story.handled[order] == 1);
}

TEST_CASE("a week of retention is not looked at in a minute: nothing happens, and nothing waits to happen") {
  Cluster kept(shop_with_retention(1, 2));
  ClusterSpec spec = shop_with_retention(1, 2);
  for (BrokerSpec& broker : spec.brokers) broker.config.log_retention_check_interval_ms = 1;
  Cluster looked_at(spec);
  test::play_until(kept, 50s);
  test::play_until(looked_at, 50s);
  CHECK(kept.events_fired() == looked_at.events_fired());
}

TEST_CASE("who asks for what is gone begins anew at the log's start, and has missed what lay before") {
  ClusterSpec spec = short_lived(2);
  spec.services[0].members = 1;
  fault::Fault pause{"pause", fault::Pause{{fault::ClientTarget{"payment"}}}};
  pause.at = Instant{15s};
  pause.lasts = 25s;
  spec.faults = {pause};
  Cluster cluster(spec);
  RetentionWatch story;
  cluster.observe(story);
  test::play_until(cluster, 60s);
  std::map<TopicPartition, Offset> late;
  for (const auto& [at, reset] : story.resets) {
    if (at > Instant{40s}) late[reset.tp] = reset.to;
  }
  CHECK(late.size() == 2);
  for (const auto& [tp, to] : late) CHECK(to > 100);
  const auto skipped = std::count_if(story.placed.begin(), story.placed.end(),
                                     [&](RecordId order) { return story.handled[order] == 0; });
  CHECK(skipped > 100);
  CHECK(std::cmp_less(skipped, story.placed.size() / 2));
}

TEST_CASE(
    "a coordinator that loads a compacted log knows the same offsets: nothing is read twice or left out") {
  ClusterSpec spec = shop_with_retention(3, 6);
  for (BrokerSpec& broker : spec.brokers) {
    broker.config.offsets_topic_num_partitions = 1;
    broker.config.log.segment_ms = 2'000;
    broker.config.log.min_cleanable_dirty_per_million = 100'000;
    broker.config.log_cleaner_backoff_ms = 1'000;
  }
  fault::Fault kill{"kill", fault::Kill{{fault::CoordinatorOf{"payment"}}}};
  kill.at = Instant{30s};
  kill.lasts = 20s;
  spec.faults = {kill};
  Cluster cluster(spec);
  RetentionWatch story;
  cluster.observe(story);
  test::play_until(cluster, 80s);
  std::set<NodeId> brokers;
  for (const auto& [at, one] : story.cleaned) {
    brokers.insert(one.broker);
    CHECK(one.bytes_after <= one.bytes_before);
  }
  CHECK(brokers.size() == 3);  // leader and followers, each by itself
  REQUIRE(story.cleaned.size() > 6);
  for (const auto& [at, reset] : story.resets) CHECK(at < Instant{15s});
  for (const RecordId order : story.placed) CHECK(story.handled[order] >= 1);
  for (std::int32_t process = 0; std::cmp_less(process, cluster.names().processes.size()); ++process) {
    for (const auto& [tp, image] : cluster.image(ProcessId{process}).logs) {
      const auto commits = story.cleaned.front().second.tp;
      if (tp == commits) CHECK(image.batches.size_bytes() < 60'000);  // of some 300 000
    }
  }
}

TEST_CASE("replicas that compact by themselves and a follower that comes late agree, copy and all") {
  ClusterSpec spec = shop_with_retention(4, 2);
  spec.topics.front().config.cleanup_compact = true;
  spec.topics.front().config.cleanup_delete = false;
  spec.topics.front().config.segment_ms = 2'000;
  spec.topics.front().config.min_cleanable_dirty_per_million = 100'000;
  for (BrokerSpec& broker : spec.brokers) broker.config.log_cleaner_backoff_ms = 1'000;
  fault::Fault kill{"kill", fault::Kill{{fault::BrokerTarget{spec.brokers[2].id}}}};
  kill.at = Instant{10s};
  kill.lasts = 20s;
  spec.faults = {kill};
  Cluster cluster(spec);
  RetentionWatch story;
  cluster.observe(story);
  test::play_until(cluster, 25s);
  Cluster copy = cluster;
  test::play_until(copy, 60s);
  test::play_until(cluster, 60s);
  CHECK(copy.fingerprint() == cluster.fingerprint());
  CHECK(story.cleaned.size() > 10);
  // Of every key the same last order, wherever one looks.
  const TopicId orders = story.cleaned.front().second.tp.topic;
  for (std::int32_t partition = 0; partition < 2; ++partition) {
    std::vector<std::map<std::int64_t, RecordId>> last;
    for (std::int32_t process = 0; std::cmp_less(process, cluster.names().processes.size()); ++process) {
      const auto& logs = cluster.image(ProcessId{process}).logs;
      const auto found = logs.find({orders, partition});
      if (found == logs.end()) continue;
      std::map<std::int64_t, RecordId>& by_key = last.emplace_back();
      for (const Batch& batch : found->second.batches.read(0, found->second.end_offset(), 1 << 30, false)) {
        for (const ::sim::Record& record : batch.data->application_records()) by_key[record.key] = record.id;
      }
    }
    REQUIRE(last.size() == 3);
    CHECK(last[0] == last[1]);
    CHECK(last[0] == last[2]);
    CHECK(last[0].size() > 10);
  }
}

}  // namespace
}  // namespace sim::cluster
