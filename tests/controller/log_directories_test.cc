// Log directories at the controller (KIP-858): where replicas lie, and what the failure of a directory does.
#include <doctest/doctest.h>

#include <vector>

#include "controller/cluster_control.h"
#include "controller/replication_control.h"

namespace sim::controller {
namespace log_directories_test {

constexpr DirectoryId dir(std::uint64_t broker, std::uint64_t number) {
  return DirectoryId{broker * 10 + number};
}

// Brokers 1 to 3, unfenced, with two directories each; orders-0 and orders-1 on all of them.
struct World {
  metadata::MetadataImage image;
  ReplicationControl replication{ControllerConfig{}};

  World() {
    for (std::int32_t id = 1; id <= 3; ++id) {
      RegisterBrokerRecord record;
      record.broker = NodeId{id};
      record.incarnation = 1;
      record.broker_epoch = BrokerEpoch{100 + id};
      record.fenced = false;
      record.directories = {dir(static_cast<std::uint64_t>(id), 0), dir(static_cast<std::uint64_t>(id), 1)};
      replay(record);
    }
    replay(TopicRecord{"orders", TopicId{1}});
    for (std::int32_t i = 0; i < 2; ++i) {
      PartitionRecord record;
      record.tp = {TopicId{1}, i};
      record.replicas = record.isr = {NodeId{1}, NodeId{2}, NodeId{3}};
      record.leader = NodeId{1};
      replay(record);
    }
  }
  void replay(const MetadataRecord& record) {
    image.replay(record);
    replication.replayed(image, record);
  }
  ErrorCode assign(std::int32_t broker, std::int32_t partition, DirectoryId directory) {
    AssignReplicasToDirsRequest request;
    request.broker = NodeId{broker};
    request.partitions = {{{TopicId{1}, partition}, directory}};
    auto decision = replication.assign_replicas_to_dirs(image, request);
    for (const MetadataRecord& record : decision.records) replay(record);
    return decision.answer.partitions.at(0).error;
  }
  std::size_t fail(std::int32_t broker, std::vector<DirectoryId> directories) {
    ReplicationControl::Records records;
    replication.directories_offline(image, NodeId{broker}, directories, records);
    for (const MetadataRecord& record : records) replay(record);
    return records.size();
  }
  const metadata::PartitionRegistration& partition(std::int32_t index) const {
    return *image.partition({TopicId{1}, index});
  }
};

TEST_CASE("an assignment is recorded beside those of the other replicas, and is a version of the partition") {
  World world;
  CHECK(world.partition(0).directories.empty());
  CHECK(world.assign(2, 0, dir(2, 1)) == ErrorCode::none);
  CHECK(world.partition(0).directories == std::vector<DirectoryId>{kNoDirectory, dir(2, 1), kNoDirectory});
  CHECK(world.partition(0).partition_epoch == PartitionEpoch{1});
  CHECK(world.partition(0).leader_epoch == LeaderEpoch{0});
  CHECK(world.assign(2, 0, dir(2, 1)) == ErrorCode::none);  // again: nothing new
  CHECK(world.partition(0).partition_epoch == PartitionEpoch{1});
  CHECK(world.assign(1, 0, dir(1, 0)) == ErrorCode::none);
  CHECK(world.partition(0).directory(NodeId{1}) == dir(1, 0));
  CHECK(world.partition(0).directory(NodeId{2}) == dir(2, 1));
}

TEST_CASE("an assignment of what is not there is refused") {
  World world;
  CHECK(world.assign(1, 7, dir(1, 0)) == ErrorCode::unknown_topic_or_partition);
  RegisterBrokerRecord stranger;
  stranger.broker = NodeId{4};
  world.replay(stranger);
  CHECK(world.assign(4, 0, dir(4, 0)) == ErrorCode::not_leader_or_follower);
}

TEST_CASE("a directory goes offline: only what lies there leaves the ISR, and leads no more") {
  World world;
  world.assign(1, 0, dir(1, 0));
  world.assign(1, 1, dir(1, 1));
  CHECK(world.fail(1, {dir(1, 1)}) == 2);  // the partition, the registration
  CHECK(world.partition(0).leader == NodeId{1});
  CHECK(world.partition(0).isr.size() == 3);
  CHECK(world.partition(1).leader == NodeId{2});
  CHECK(world.partition(1).isr == std::vector<NodeId>{NodeId{2}, NodeId{3}});
  CHECK(world.image.broker(NodeId{1})->directories == std::vector<DirectoryId>{dir(1, 0)});
  CHECK(world.fail(1, {dir(1, 1)}) == 0);  // every heartbeat says so again

  // It does not come back to lead, though the broker lives.
  ReplicationControl::Records records;
  world.replication.broker_fenced(world.image, NodeId{2}, records);
  for (const MetadataRecord& record : records) world.replay(record);
  records.clear();
  world.replication.broker_fenced(world.image, NodeId{3}, records);
  for (const MetadataRecord& record : records) world.replay(record);
  CHECK(world.partition(0).leader == NodeId{1});
  CHECK(world.partition(1).leader == kNoNode);
}

TEST_CASE("a replica that is found to lie in a directory that is offline leaves as well") {
  World world;
  world.fail(1, {dir(1, 1)});
  CHECK(world.partition(0).leader == NodeId{1});  // nobody knew where it lies
  CHECK(world.assign(1, 0, dir(1, 1)) == ErrorCode::none);
  CHECK(world.partition(0).leader == NodeId{2});
  CHECK(world.partition(0).isr == std::vector<NodeId>{NodeId{2}, NodeId{3}});
}

TEST_CASE("an image with directories can be made from its records") {
  World world;
  world.assign(1, 0, dir(1, 0));
  world.fail(2, {dir(2, 0)});
  metadata::MetadataImage copy;
  for (const MetadataRecord& record : world.image.records()) copy.replay(record);
  CHECK(copy.digest() == world.image.digest());
  CHECK(copy.brokers() == world.image.brokers());
  CHECK(*copy.partition({TopicId{1}, 0}) == world.partition(0));
}

}  // namespace log_directories_test
}  // namespace sim::controller
