// The image is what the records add up to, and nothing else.
#include "metadata/metadata_image.h"

#include <doctest/doctest.h>

#include <functional>
#include <vector>

#include "metadata/snapshot_generator.h"
#include "protocol/batch_builder.h"

namespace sim::metadata {
namespace {

constexpr TopicId kOrders{1};
constexpr TopicPartition kOrders0{kOrders, 0};
const std::vector<NodeId> kAll{NodeId{1}, NodeId{2}, NodeId{3}};

RegisterBrokerRecord registration(std::int32_t id, std::int64_t broker_epoch = 10) {
  return RegisterBrokerRecord{NodeId{id}, 77,   BrokerEpoch{broker_epoch}, ProcessId{id + 100}, "rack",
                              true,       false};
}

PartitionRecord partition(TopicPartition tp) {
  PartitionRecord record;
  record.tp = tp;
  record.replicas = kAll;
  record.isr = kAll;
  record.leader = NodeId{1};
  return record;
}

MetadataImage replayed(const std::vector<MetadataRecord>& records, MetadataDelta* delta = nullptr) {
  MetadataImage image;
  for (const MetadataRecord& record : records) image.replay(record, delta);
  return image;
}

// One topic with two partitions on three unfenced brokers.
MetadataImage small_cluster() {
  MetadataImage image =
      replayed({registration(1), registration(2), registration(3), TopicRecord{"orders", kOrders},
                partition(kOrders0), partition({kOrders, 1})});
  for (const std::int32_t id : {1, 2, 3}) {
    image.replay(BrokerRegistrationChangeRecord{NodeId{id}, BrokerEpoch{10}, -1, 0});
  }
  return image;
}

TEST_CASE("a broker registers, is unfenced, shuts down, leaves") {
  MetadataDelta delta;
  MetadataImage image = replayed({registration(1)}, &delta);
  REQUIRE(image.broker(NodeId{1}) != nullptr);
  CHECK(image.broker(NodeId{1})->broker_epoch == BrokerEpoch{10});
  CHECK(image.broker(NodeId{1})->endpoint == ProcessId{101});
  CHECK(image.broker(NodeId{1})->rack == "rack");
  CHECK_FALSE(image.is_active(NodeId{1}));
  image.replay(BrokerRegistrationChangeRecord{NodeId{1}, BrokerEpoch{10}, -1, 0});
  CHECK(image.is_active(NodeId{1}));
  image.replay(BrokerRegistrationChangeRecord{NodeId{1}, BrokerEpoch{10}, 0, 1});
  CHECK_FALSE(image.is_active(NodeId{1}));
  CHECK_FALSE(image.broker(NodeId{1})->fenced);  // what a change does not name stays
  image.replay(registration(1, 20));             // its next life
  CHECK(image.broker(NodeId{1})->broker_epoch == BrokerEpoch{20});
  CHECK_FALSE(image.broker(NodeId{1})->in_controlled_shutdown);
  CHECK_THROWS(image.replay(BrokerRegistrationChangeRecord{NodeId{1}, BrokerEpoch{10}, -1, 0}));
  image.replay(UnregisterBrokerRecord{NodeId{1}, BrokerEpoch{20}});
  CHECK(image.broker(NodeId{1}) == nullptr);
  CHECK_FALSE(image.is_active(NodeId{1}));
  CHECK(image.end_offset() == 5);
  CHECK(delta.brokers == std::set<NodeId>{NodeId{1}});
}

TEST_CASE("a topic is found by id and by name until it is removed; its id is not given again") {
  MetadataImage image = small_cluster();
  REQUIRE(image.topic("orders") != nullptr);
  CHECK(image.topic("orders") == image.topic(kOrders));
  CHECK(image.topic("orders")->partitions.size() == 2);
  CHECK(image.next_topic_id() == TopicId{2});
  TopicConfig config;
  config.min_insync_replicas = 2;
  image.replay(TopicConfigRecord{kOrders, config});
  CHECK(image.topic(kOrders)->config.min_insync_replicas == 2);
  image.replay(RemoveTopicRecord{kOrders});
  CHECK(image.topic("orders") == nullptr);
  CHECK(image.topic(kOrders) == nullptr);
  CHECK(image.partition(kOrders0) == nullptr);
  CHECK(image.next_topic_id() == TopicId{2});
  CHECK_THROWS(image.replay(partition(kOrders0)));
}

TEST_CASE("what a partition change bumps") {
  struct Row {
    const char* what;
    std::function<void(PartitionChangeRecord&)> set;
    std::int32_t leader, leader_epoch;
    std::vector<NodeId> isr, replicas, elr;
  };
  const std::vector<NodeId> two{NodeId{1}, NodeId{2}};
  const Row rows[] = {
      {"nothing named", [](PartitionChangeRecord&) {}, 1, 0, kAll, kAll, {}},
      {"a smaller ISR",
       [&](PartitionChangeRecord& c) {
         c.has_isr = true;
         c.isr = two;
       },
       1,
       0,
       two,
       kAll,
       {}},
      {"an empty ISR", [](PartitionChangeRecord& c) { c.has_isr = true; }, 1, 0, {}, kAll, {}},
      {"another leader", [](PartitionChangeRecord& c) { c.leader = NodeId{2}; }, 2, 1, kAll, kAll, {}},
      {"the same leader, named again",
       [](PartitionChangeRecord& c) { c.leader = NodeId{1}; },
       1,
       1,
       kAll,
       kAll,
       {}},
      {"no leader", [](PartitionChangeRecord& c) { c.leader = kNoNode; }, -1, 1, kAll, kAll, {}},
      {"other replicas",
       [&](PartitionChangeRecord& c) {
         c.has_replicas = true;
         c.replicas = two;
       },
       1,
       0,
       kAll,
       two,
       {}},
      {"eligible replicas",
       [&](PartitionChangeRecord& c) {
         c.has_elr = true;
         c.elr = {NodeId{3}};
       },
       1,
       0,
       kAll,
       kAll,
       {NodeId{3}}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    MetadataImage image = small_cluster();
    PartitionChangeRecord change;
    change.tp = kOrders0;
    row.set(change);
    image.replay(change);
    const PartitionRegistration& now = *image.partition(kOrders0);
    CHECK(now.leader == NodeId{row.leader});
    CHECK(now.leader_epoch == LeaderEpoch{row.leader_epoch});
    CHECK(now.partition_epoch == PartitionEpoch{1});
    CHECK(now.isr == row.isr);
    CHECK(now.replicas == row.replicas);
    CHECK(now.elr == row.elr);
    CHECK(now.recovery == LeaderRecoveryState::recovered);
    CHECK(image.partition({kOrders, 1})->partition_epoch == PartitionEpoch{0});
  }
}

TEST_CASE("a recovery state is set and lifted") {
  MetadataImage image = small_cluster();
  PartitionChangeRecord change;
  change.tp = kOrders0;
  change.recovery = 1;
  image.replay(change);
  CHECK(image.partition(kOrders0)->recovery == LeaderRecoveryState::recovering);
  change.recovery = 0;
  image.replay(change);
  CHECK(image.partition(kOrders0)->recovery == LeaderRecoveryState::recovered);
}

TEST_CASE("a delta names what changed, once, and forgets what came and went") {
  MetadataDelta delta;
  MetadataImage image = small_cluster();
  PartitionChangeRecord change;
  change.tp = kOrders0;
  change.leader = NodeId{2};
  image.replay(change, &delta);
  image.replay(change, &delta);
  CHECK(delta.partitions == std::set<TopicPartition>{kOrders0});
  image.replay(TopicRecord{"brief", TopicId{2}}, &delta);
  image.replay(TopicConfigRecord{TopicId{2}, TopicConfig{}}, &delta);
  image.replay(partition({TopicId{2}, 0}), &delta);
  CHECK(delta.created_topics == std::set<TopicId>{TopicId{2}});
  CHECK(delta.partitions.size() == 2);
  CHECK(delta.configs.size() == 1);
  image.replay(RemoveTopicRecord{TopicId{2}}, &delta);
  CHECK(delta.created_topics.empty());
  CHECK(delta.removed_topics.empty());
  CHECK(delta.configs.empty());
  CHECK(delta.partitions == std::set<TopicPartition>{kOrders0});
  image.replay(RemoveTopicRecord{kOrders}, &delta);
  CHECK(delta.removed_topics == std::set<TopicId>{kOrders});
  CHECK(delta.partitions.empty());
  MetadataDelta nothing;
  image.replay(NoOpRecord{}, &nothing);
  CHECK(nothing.empty());
}

TEST_CASE("equal records make equal images; any difference tells") {
  CHECK(small_cluster() == small_cluster());
  const MetadataRecord different[] = {
      NoOpRecord{},  // another offset
      ProducerIdsRecord{NodeId{1}, BrokerEpoch{10}, ProducerId{1000}},
      TopicRecord{"other", TopicId{2}},
      BrokerRegistrationChangeRecord{NodeId{1}, BrokerEpoch{10}, 1, 0},
  };
  for (const MetadataRecord& a : different) {
    for (const MetadataRecord& b : different) {
      MetadataImage one = small_cluster();
      MetadataImage two = small_cluster();
      one.replay(a);
      two.replay(b);
      CHECK((one == two) == (&a == &b));
      CHECK((one.digest() == two.digest()) == (&a == &b));
    }
  }
}

TEST_CASE("a copy shares its topics until one side changes them") {
  MetadataImage image = small_cluster();
  const MetadataImage before = image;
  CHECK(image.topic(kOrders) == before.topic(kOrders));
  PartitionChangeRecord change;
  change.tp = kOrders0;
  change.leader = NodeId{2};
  image.replay(change);
  CHECK(image.topic(kOrders) != before.topic(kOrders));
  CHECK(before.partition(kOrders0)->leader == NodeId{1});
  CHECK(image.partition(kOrders0)->leader == NodeId{2});
}

// Everything an image can hold, made by records of every kind.
MetadataImage busy_cluster() {
  MetadataImage image = small_cluster();
  TopicConfig config;
  config.min_insync_replicas = 2;
  image.replay(TopicConfigRecord{kOrders, config});
  PartitionChangeRecord change;
  change.tp = kOrders0;
  change.leader = NodeId{2};
  change.has_isr = true;
  change.isr = {NodeId{2}};
  change.has_elr = true;
  change.elr = {NodeId{3}};
  change.last_known_elr = {NodeId{1}};
  change.recovery = 1;
  image.replay(change);
  image.replay(BrokerRegistrationChangeRecord{NodeId{1}, BrokerEpoch{10}, 0, 1});
  image.replay(ProducerIdsRecord{NodeId{1}, BrokerEpoch{10}, ProducerId{3'000}});
  image.replay(TopicRecord{"gone", TopicId{7}});
  image.replay(partition({TopicId{7}, 0}));
  image.replay(RemoveTopicRecord{TopicId{7}});
  return image;
}

TEST_CASE("features and controllers are as they were written last, and part of the image") {
  MetadataImage image;
  CHECK(image.empty());
  image.replay(FeatureLevelRecord{"group.version", 0});
  CHECK_FALSE(image.empty());
  image.replay(RegisterControllerRecord{NodeId{3001}, 4, ProcessId{0}});
  const std::uint64_t before = image.digest();
  image.replay(FeatureLevelRecord{"group.version", 1});
  image.replay(RegisterControllerRecord{NodeId{3001}, 5, ProcessId{0}});
  CHECK(image.digest() != before);
  CHECK(image.feature_levels().at("group.version") == 1);
  CHECK(image.controller(NodeId{3001})->incarnation == 5);
  CHECK(image.controller(NodeId{3002}) == nullptr);
  CHECK(image.end_offset() == 4);
  MetadataImage copy = replayed(image.records());
  copy.skip_to(image.end_offset());
  CHECK(copy == image);
  CHECK(copy.digest() == image.digest());
  copy.replay(RegisterControllerRecord{NodeId{3001}, 6, ProcessId{0}});
  CHECK_FALSE(copy == image);
}

TEST_CASE("an image written as records makes an equal image, and has its digest") {
  for (const MetadataImage& image : {MetadataImage{}, small_cluster(), busy_cluster()}) {
    MetadataSnapshot snapshot;
    snapshot.id.end_offset = image.end_offset();
    snapshot.records = image.records();
    const MetadataImage loaded(snapshot);
    CHECK(loaded == image);
    CHECK(loaded.digest() == image.digest());
    CHECK(loaded.next_topic_id() == image.next_topic_id());
  }
}

TEST_CASE("a digest tells what is there, not how it came about") {
  MetadataImage one = small_cluster();
  const std::uint64_t before = one.digest();
  one.replay(NoOpRecord{});
  CHECK(one.digest() == before);
  one.replay(BrokerRegistrationChangeRecord{NodeId{1}, BrokerEpoch{10}, 1, 0});
  CHECK(one.digest() != before);
  one.replay(BrokerRegistrationChangeRecord{NodeId{1}, BrokerEpoch{10}, -1, 0});
  CHECK(one.digest() == before);
  PartitionChangeRecord change;  // an epoch, if nothing else
  change.tp = kOrders0;
  one.replay(change);
  CHECK(one.digest() != before);
}

// images-agree compares digests: a setting that is not in them may differ between servers unseen.
TEST_CASE("a digest tells every setting of a topic") {
  using Change = void (*)(TopicConfig&);
  const Change changes[] = {
      [](TopicConfig&) {},
      [](TopicConfig& c) { c.cleanup_compact = true; },
      [](TopicConfig& c) { c.cleanup_delete = false; },
      [](TopicConfig& c) { c.retention_ms = 1; },
      [](TopicConfig& c) { c.retention_bytes = 1; },
      [](TopicConfig& c) { c.segment_bytes = 1; },
      [](TopicConfig& c) { c.segment_ms = 1; },
      [](TopicConfig& c) { c.max_message_bytes = 1; },
      [](TopicConfig& c) { c.min_insync_replicas = 2; },
      [](TopicConfig& c) { c.unclean_leader_election_enable = true; },
      [](TopicConfig& c) { c.flush_messages = 1; },
      [](TopicConfig& c) { c.flush_ms = 1; },
      [](TopicConfig& c) { c.min_cleanable_dirty_per_million = 1; },
      [](TopicConfig& c) { c.min_compaction_lag_ms = 1; },
      [](TopicConfig& c) { c.max_compaction_lag_ms = 1; },
      [](TopicConfig& c) { c.delete_retention_ms = 1; },
      [](TopicConfig& c) { c.log_append_time = true; },
      [](TopicConfig& c) { c.message_timestamp_before_max_ms = 1; },
      [](TopicConfig& c) { c.message_timestamp_after_max_ms = 1; },
      [](TopicConfig& c) { c.compression_percent = 50; },
      [](TopicConfig& c) { c.leader_throttled.all = true; },
      [](TopicConfig& c) { c.follower_throttled.all = true; },
      [](TopicConfig& c) {
        c.leader_throttled.replicas = {{0, 1}};
      },
      [](TopicConfig& c) {
        c.leader_throttled.replicas = {{1, 0}};
      },
  };
  std::set<std::uint64_t> digests;
  for (const Change change : changes) {
    TopicConfig config;
    change(config);
    MetadataImage image = small_cluster();
    image.replay(TopicConfigRecord{kOrders, config});
    CHECK(digests.insert(image.digest()).second);
  }
}

TEST_CASE("a snapshot is due by the bytes of its records or by its age, and not without news") {
  const auto batch = [](Offset base) {
    BatchDataPtr data = make_batch(std::vector<MetadataRecord>{NoOpRecord{}}, 0);
    return std::vector<Batch>{{base, LeaderEpoch{4}, 1, data}};
  };
  const auto at_ms = [](std::int64_t ms) { return LocalTime{from_millis(ms)}; };
  const std::int64_t batch_bytes = batch(0).front().size_bytes();
  SnapshotGenerator generator(SnapshotConfig{3 * batch_bytes, 1'000});
  generator.start(at_ms(0));
  MetadataImage image;
  Offset end = 0;
  const auto replay = [&] {
    generator.replayed(batch(end));
    image.replay(batch(end++).front());
  };
  CHECK_FALSE(generator.is_due(at_ms(5'000)));
  replay();
  CHECK_FALSE(generator.is_due(at_ms(999)));
  CHECK(generator.is_due(at_ms(1'000)));
  replay();
  replay();
  CHECK(generator.is_due(at_ms(1)));
  const MetadataSnapshotPtr taken = generator.take(image, {}, at_ms(1));
  CHECK(taken->id == SnapshotId{3, LeaderEpoch{4}});
  CHECK_FALSE(generator.is_due(at_ms(5'000)));
  replay();
  CHECK_FALSE(generator.is_due(at_ms(1'000)));
  CHECK(generator.is_due(at_ms(1'001)));
  generator.loaded(*taken, at_ms(2'000));
  CHECK_FALSE(generator.is_due(at_ms(9'000)));
}

TEST_CASE("batches are replayed whole; control batches only move the offset") {
  MetadataImage image;
  const auto at = [](Offset base, BatchDataPtr data) {
    return Batch{base, LeaderEpoch{1}, data->record_count(), data};
  };
  BatchData leader_change;
  leader_change.control = true;
  leader_change.records = std::vector<Record>(1);
  image.replay(at(0, std::make_shared<const BatchData>(leader_change)));
  CHECK(image.end_offset() == 1);
  image.replay(at(1, make_batch(std::vector<MetadataRecord>{registration(1), registration(2)}, 0)));
  CHECK(image.end_offset() == 3);
  CHECK(image.brokers().size() == 2);
  CHECK_THROWS(image.replay(at(2, make_batch(std::vector<MetadataRecord>{NoOpRecord{}}, 0))));
}

}  // namespace
}  // namespace sim::metadata
