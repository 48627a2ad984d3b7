// What an administrator may ask of the controller: elections, reassignments, topics and their settings.
#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "controller/nodes.h"
#include "controller/reassignment.h"
#include "controller/replication_control.h"

namespace sim::controller {
namespace {

using test::Nodes;
using test::nodes;
using enum ErrorCode;
constexpr TopicPartition kTp{TopicId{1}, 0};
const NamedPartition kOrders{"orders", 0};

// Brokers 1 to 6, unfenced, in broker epoch 100 + id; orders-0 on 1, 2, 3, led by 1.
struct World {
  metadata::MetadataImage image;
  ReplicationControl replication{ControllerConfig{}};
  Rng rng{1, "world"};

  explicit World(const TopicConfig& config = {}) {
    for (std::int32_t id = 1; id <= 6; ++id) {
      RegisterBrokerRecord record;
      record.broker = NodeId{id};
      record.incarnation = 1;
      record.broker_epoch = BrokerEpoch{100 + id};
      record.fenced = false;
      replay({record});
    }
    replay({TopicRecord{"orders", TopicId{1}}, TopicConfigRecord{TopicId{1}, config}});
    set(nodes({1, 2, 3}), nodes({1, 2, 3}), 1);
  }
  void replay(const std::vector<MetadataRecord>& records) {
    for (const MetadataRecord& record : records) {
      image.replay(record);
      replication.replayed(image, record);
    }
  }
  void set(Nodes replicas, Nodes isr, std::int32_t leader, Nodes removing = {}, Nodes adding = {}) {
    PartitionRecord record;
    record.tp = kTp;
    record.replicas = std::move(replicas);
    record.isr = std::move(isr);
    record.removing = std::move(removing);
    record.adding = std::move(adding);
    record.leader = NodeId{leader};
    record.leader_epoch = LeaderEpoch{3};
    record.partition_epoch = PartitionEpoch{30};
    replay({record});
  }
  void fence(std::int32_t id) {
    replay({BrokerRegistrationChangeRecord{NodeId{id}, BrokerEpoch{100 + id}, 1, 0}});
  }
  const metadata::PartitionRegistration& partition() const { return *image.partition(kTp); }

  ErrorCode elect(ElectionType type, const NamedPartition& partition = kOrders) {
    auto decision = replication.elect_leaders(image, {type, false, {partition}});
    replay(decision.records);
    return decision.answer.partitions.front().error;
  }
  ErrorCode reassign(Nodes target, const NamedPartition& partition = kOrders) {
    auto decision =
        replication.alter_partition_reassignments(image, {{{partition, std::move(target), false}}});
    replay(decision.records);
    return decision.answer.partitions.front().error;
  }
  ErrorCode cancel() {
    auto decision = replication.alter_partition_reassignments(image, {{{kOrders, {}, true}}});
    replay(decision.records);
    return decision.answer.partitions.front().error;
  }
  // The leader reports its ISR.
  ErrorCode alter_isr(const Nodes& isr) {
    AlterPartitionRequest::Partition wanted;
    wanted.tp = kTp;
    wanted.leader_epoch = partition().leader_epoch;
    wanted.partition_epoch = partition().partition_epoch;
    for (const NodeId node : isr) wanted.new_isr.push_back({node, kNoBrokerEpoch});
    auto decision = replication.alter_partition(image, {partition().leader, BrokerEpoch{100}, {wanted}});
    replay(decision.records);
    return decision.answer.partitions.front().error;
  }
  ErrorCode alter_config(const std::string& name, const std::string& value, bool deletes = false) {
    auto decision = replication.incremental_alter_configs(image, {{{"orders", {{name, value, deletes}}}}});
    replay(decision.records);
    return decision.answer.topics.front().error;
  }
};

TEST_CASE("what an election is refused for, and whom it brings") {
  struct Row {
    const char* what;
    ElectionType type;
    Nodes isr;
    std::int32_t leader;
    Nodes fenced;
    ErrorCode want;
    std::int32_t leads;
  };
  const auto preferred = ElectionType::preferred;
  const auto unclean = ElectionType::unclean;
  const Row rows[] = {
      {"the first replica leads already", preferred, nodes({1, 2}), 1, {}, election_not_needed, 1},
      {"it is in sync and takes over", preferred, nodes({1, 2}), 2, {}, none, 1},
      {"it is not in sync", preferred, nodes({2, 3}), 2, {}, preferred_leader_not_available, 2},
      {"it is down", preferred, nodes({1, 2}), 2, nodes({1}), preferred_leader_not_available, 2},
      {"nobody leads, and another is in sync", preferred, nodes({3}), -1, {}, none, 3},
      {"somebody leads", unclean, nodes({2}), 2, {}, election_not_needed, 2},
      {"nobody leads, anyone will do", unclean, nodes({1}), -1, nodes({1}), none, 2},
      {"all are down", unclean, nodes({1}), -1, nodes({1, 2, 3}), eligible_leaders_not_available, -1},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    World world;
    world.set(nodes({1, 2, 3}), row.isr, row.leader);
    for (const NodeId node : row.fenced) world.fence(node.value());
    CHECK(world.elect(row.type) == row.want);
    CHECK(world.partition().leader == NodeId{row.leads});
    CHECK(world.partition().leader_epoch == LeaderEpoch{row.leads == row.leader ? 3 : 4});
  }
}

TEST_CASE("an unclean election leaves the ISR to whom it elects, recovering") {
  World world;
  world.set(nodes({1, 2, 3}), nodes({1}), -1);
  world.fence(1);
  CHECK(world.elect(ElectionType::unclean) == none);
  CHECK(world.partition().isr == nodes({2}));
  CHECK(world.partition().recovery == LeaderRecoveryState::recovering);
}

TEST_CASE("an election of all partitions speaks only of those that need one") {
  World world;
  CHECK(world.elect(ElectionType::preferred, {"orders", 7}) == unknown_topic_or_partition);
  CHECK(world.elect(ElectionType::preferred, {"bills", 0}) == unknown_topic_or_partition);
  CHECK(world.replication.elect_leaders(world.image, {ElectionType::preferred, true, {}})
            .answer.partitions.empty());
  world.set(nodes({1, 2, 3}), nodes({1, 2, 3}), 3);
  const auto decision = world.replication.elect_leaders(world.image, {ElectionType::preferred, true, {}});
  REQUIRE(decision.answer.partitions.size() == 1);
  CHECK(decision.answer.partitions.front().partition == kOrders);
  CHECK(decision.records.size() == 1);
}

TEST_CASE("replicas of a reassignment under way: the target first, then those that leave") {
  struct Row {
    Nodes present, target, replicas, removing, adding;
  };
  const Row rows[] = {
      {nodes({1, 2, 3}), nodes({1, 2, 3}), nodes({1, 2, 3}), {}, {}},
      {nodes({1, 2, 3}), nodes({3, 2, 1}), nodes({3, 2, 1}), {}, {}},
      {nodes({1, 2, 3}), nodes({4, 2, 3}), nodes({4, 2, 3, 1}), nodes({1}), nodes({4})},
      {nodes({3, 2, 1}), nodes({6, 5, 4}), nodes({6, 5, 4, 1, 2, 3}), nodes({1, 2, 3}), nodes({4, 5, 6})},
      {nodes({1, 2, 3}), nodes({2}), nodes({2, 1, 3}), nodes({1, 3}), {}},
      {nodes({1}), nodes({1, 2}), nodes({1, 2}), {}, nodes({2})},
  };
  for (const Row& row : rows) {
    const Reassignment reassignment = Reassignment::to(row.target, row.present);
    CHECK(reassignment.replicas == row.replicas);
    CHECK(reassignment.removing == row.removing);
    CHECK(reassignment.adding == row.adding);
  }
}

TEST_CASE("a reassignment begins, waits for those who join, and is completed by the leader's report") {
  World world;
  CHECK(world.reassign(nodes({4, 5, 3})) == none);
  CHECK(world.partition().replicas == nodes({4, 5, 3, 1, 2}));
  CHECK(world.partition().removing == nodes({1, 2}));
  CHECK(world.partition().adding == nodes({4, 5}));
  CHECK(world.partition().isr == nodes({1, 2, 3}));
  CHECK(world.partition().leader == NodeId{1});
  CHECK(world.partition().leader_epoch == LeaderEpoch{3});  // nobody has left
  CHECK(world.partition().partition_epoch == PartitionEpoch{31});

  CHECK(world.alter_isr(nodes({1, 2, 3, 4})) == none);
  CHECK(is_reassigning(world.partition()));
  CHECK(world.alter_isr(nodes({1, 2, 3, 4, 5})) ==
        new_leader_elected);  // the sender is among those that leave
  CHECK_FALSE(is_reassigning(world.partition()));
  CHECK(world.partition().replicas == nodes({4, 5, 3}));
  CHECK(world.partition().isr == nodes({3, 4, 5}));
  CHECK(world.partition().leader == NodeId{4});
  CHECK(world.partition().leader_epoch == LeaderEpoch{4});
}

TEST_CASE("a leader that stays begins an epoch when replicas leave, so that they hear of it") {
  World world;
  world.set(nodes({1, 2, 3}), nodes({1, 2}), 1);
  CHECK(world.reassign(nodes({1, 2, 4})) == none);
  CHECK(world.alter_isr(nodes({1, 2, 4})) == none);
  CHECK(world.partition().replicas == nodes({1, 2, 4}));
  CHECK(world.partition().leader == NodeId{1});
  CHECK(world.partition().leader_epoch == LeaderEpoch{4});
}

TEST_CASE("what needs nobody new is done at once") {
  World world;
  CHECK(world.reassign(nodes({3, 2, 1})) == none);  // another order
  CHECK(world.partition().replicas == nodes({3, 2, 1}));
  CHECK(world.partition().leader == NodeId{1});
  CHECK_FALSE(is_reassigning(world.partition()));
  CHECK(world.reassign(nodes({2, 1})) == none);  // one fewer
  CHECK(world.partition().replicas == nodes({2, 1}));
  CHECK(world.partition().isr == nodes({1, 2}));
  CHECK_FALSE(is_reassigning(world.partition()));
}

TEST_CASE("one that would leave nobody in sync waits") {
  World world;
  world.set(nodes({1, 2, 3}), nodes({1}), 1);
  CHECK(world.reassign(nodes({2, 3})) == none);
  CHECK(world.partition().removing == nodes({1}));
  CHECK(world.partition().leader == NodeId{1});
  CHECK(world.alter_isr(nodes({1, 2})) == none);
  CHECK(is_reassigning(world.partition()));  // 3 is not in sync
  CHECK(world.alter_isr(nodes({1, 2, 3})) == new_leader_elected);
  CHECK(world.partition().replicas == nodes({2, 3}));
}

TEST_CASE("a new reassignment takes the place of one under way") {
  World world;
  CHECK(world.reassign(nodes({4, 5, 6})) == none);
  CHECK(world.reassign(nodes({1, 2, 4})) == none);
  CHECK(world.partition().replicas == nodes({1, 2, 4, 3, 5, 6}));
  CHECK(world.partition().removing == nodes({3, 5, 6}));
  CHECK(world.alter_isr(nodes({1, 2, 3, 4})) == none);
  CHECK(world.partition().replicas == nodes({1, 2, 4}));
  CHECK(world.partition().isr == nodes({1, 2, 4}));
}

TEST_CASE("cancelled, it is as it was before") {
  World world;
  CHECK(world.cancel() == no_reassignment_in_progress);
  CHECK(world.reassign(nodes({4, 5, 3})) == none);
  CHECK(world.alter_isr(nodes({1, 2, 3, 4})) == none);
  CHECK(world.cancel() == none);
  CHECK(world.partition().replicas == nodes({3, 1, 2}));
  CHECK(world.partition().isr == nodes({1, 2, 3}));
  CHECK_FALSE(is_reassigning(world.partition()));
  CHECK(world.partition().leader_epoch == LeaderEpoch{4});  // 4 and 5 must hear of it
}

TEST_CASE("to cancel at the price of data needs unclean elections to be allowed") {
  for (const bool allowed : {false, true}) {
    CAPTURE(allowed);
    TopicConfig config;
    config.unclean_leader_election_enable = allowed;
    World world(config);
    world.set(nodes({4, 1, 2}), nodes({4}), 4, nodes({2}), nodes({4}));
    CHECK(world.cancel() == (allowed ? none : invalid_replica_assignment));
    CHECK(world.partition().replicas == (allowed ? nodes({1, 2}) : nodes({4, 1, 2})));
    CHECK(world.partition().leader == NodeId{allowed ? 1 : 4});
  }
}

TEST_CASE("whoever is no replica any more stays in the ELR (PartitionChangeBuilder.maybePopulateTargetElr)") {
  TopicConfig config;
  config.min_insync_replicas = 2;
  World world(config);
  CHECK(world.reassign(nodes({1})) == none);  // fewer than min.insync.replicas was by the old replicas
  CHECK(world.partition().isr == nodes({1}));
  CHECK(world.partition().elr == nodes({2, 3}));
}

TEST_CASE("what a reassignment is refused for") {
  World world;
  CHECK(world.reassign({}) == invalid_replica_assignment);
  CHECK(world.reassign(nodes({1, 1})) == invalid_replica_assignment);
  CHECK(world.reassign(nodes({1, 9})) == invalid_replica_assignment);
  CHECK(world.reassign(nodes({1, 2}), {"orders", 5}) == unknown_topic_or_partition);
  CHECK(world.reassign(nodes({1, 2}), {"bills", 0}) == unknown_topic_or_partition);
  world.fence(5);
  CHECK(world.reassign(nodes({1, 5})) == none);  // it may come back
}

TEST_CASE("topics are deleted by name, each named once") {
  World world;
  const auto decision = world.replication.delete_topics(world.image, {{"orders", "bills", "bills"}});
  CHECK(decision.answer.topics[0].error == none);
  CHECK(decision.answer.topics[1].error == invalid_request);
  CHECK(world.replication.delete_topics(world.image, {{"bills"}}).answer.topics[0].error ==
        unknown_topic_or_partition);
  world.replay(decision.records);
  CHECK(world.image.topic("orders") == nullptr);
  CHECK_FALSE(world.replication.any_imbalanced());
}

TEST_CASE("settings change one by one, and go back to the broker's") {
  World world;
  CHECK(world.alter_config("retention.ms", "60000") == none);
  CHECK(world.image.topic("orders")->config.retention_ms == 60'000);
  CHECK(world.alter_config("min.insync.replicas", "2") == none);
  CHECK(world.image.topic("orders")->config.retention_ms == 60'000);
  CHECK(world.alter_config("retention.ms", "", true) == none);
  CHECK(world.image.topic("orders")->config.retention_ms == TopicConfig{}.retention_ms);
  CHECK(world.alter_config("cleanup.policy", "compact,delete") == none);
  CHECK(world.image.topic("orders")->config.cleanup_compact);
  CHECK(world.alter_config("min.insync.replicas", "0") == invalid_config);
  CHECK(world.alter_config("min.insync.replicas", "many") == invalid_config);
  CHECK(world.alter_config("colour", "red") == invalid_config);
  CHECK(world.alter_config("message.timestamp.type", "LogAppendTime") == none);
  CHECK(world.image.topic("orders")->config.log_append_time);
  CHECK(world.alter_config("message.timestamp.before.max.ms", "5") == none);
  CHECK(world.image.topic("orders")->config.message_timestamp_before_max_ms == 5);
  CHECK(world.alter_config("message.timestamp.after.max.ms", "6") == none);
  CHECK(world.image.topic("orders")->config.message_timestamp_after_max_ms == 6);
  CHECK(world.alter_config("min.cleanable.dirty.ratio", "0.25") == none);
  CHECK(world.image.topic("orders")->config.min_cleanable_dirty_per_million == 250'000);
  CHECK(world.alter_config("min.cleanable.dirty.ratio", "1.5") == invalid_config);
  CHECK(world.alter_config("preallocate", "true") == none);  // Kafka's, without effect here
  CHECK(world.alter_config("preallocate", "perhaps") == invalid_config);
  CHECK(world.alter_config("max.compaction.lag.ms", "7") == none);
  CHECK(world.alter_config("min.compaction.lag.ms", "8") == invalid_config);  // above the other
  CHECK(world.image.topic("orders")->config.min_insync_replicas == 2);
  const auto unknown = world.replication.incremental_alter_configs(world.image, {{{"bills", {}}}});
  CHECK(unknown.answer.topics.front().error == unknown_topic_or_partition);
  // Kafka looks at the values first (ConfigurationControlManager.validateAlterConfig).
  const auto both =
      world.replication.incremental_alter_configs(world.image, {{{"bills", {{"colour", "red", false}}}}});
  CHECK(both.answer.topics.front().error == invalid_config);
  const auto twice = world.replication.incremental_alter_configs(
      world.image, {{{"orders", {{"flush.ms", "1", false}, {"flush.ms", "2", false}}}}});
  CHECK(twice.answer.topics.front().error == invalid_request);
}

TEST_CASE("another min.insync.replicas makes nobody eligible who was so by the old one") {
  TopicConfig config;
  config.min_insync_replicas = 2;
  World world(config);
  world.set(nodes({1, 2, 3}), nodes({1, 2}), 1);
  CHECK(world.alter_isr(nodes({1})) == none);
  CHECK(world.partition().elr == nodes({2}));
  CHECK(world.alter_config("retention.ms", "60000") == none);
  CHECK(world.partition().elr == nodes({2}));
  CHECK(world.alter_config("min.insync.replicas", "1") == none);
  CHECK(world.partition().elr.empty());
}

TEST_CASE("partitions are added behind those that are there, with as many replicas") {
  World world;
  std::vector<UsableBroker> brokers;
  for (std::int32_t id = 1; id <= 6; ++id) brokers.push_back({NodeId{id}, "", false});
  const auto create = [&](std::int32_t count, const std::string& topic = "orders") {
    return world.replication.create_partitions(world.image, {{{topic, count}}}, brokers, world.rng);
  };
  CHECK(create(1).answer.topics[0].error == invalid_partitions);
  CHECK(create(0).answer.topics[0].error == invalid_partitions);
  CHECK(create(4, "bills").answer.topics[0].error == unknown_topic_or_partition);
  const auto decision = create(4);
  CHECK(decision.answer.topics[0].error == none);
  world.replay(decision.records);
  const auto& partitions = world.image.topic("orders")->partitions;
  REQUIRE(partitions.size() == 4);
  for (std::size_t i = 1; i < 4; ++i) {
    CHECK(partitions[i].replicas.size() == 3);
    CHECK(partitions[i].leader == partitions[i].replicas.front());
  }
}

}  // namespace
}  // namespace sim::controller
