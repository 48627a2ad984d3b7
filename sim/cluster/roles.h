#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "observe/fact.h"
#include "observe/partition_map.h"
#include "protocol/ids.h"

// Who plays which role at present, as the processes have told it: a fold over their facts. It is as much as
// one who watches the whole cluster can know; the processes themselves may not know it yet, or know it no
// more.
namespace sim::cluster {

class Roles {
 public:
  void on(const observe::Fact& fact);

  // The leader of the highest quorum epoch; none once it has resigned. It may be dead.
  NodeId active_controller() const { return active_; }
  NodeId leader(TopicPartition tp) const;
  // The replicas other than the leader, in the order of the assignment.
  std::vector<NodeId> followers(TopicPartition tp) const;
  // The partition of __consumer_offsets on whose leader the group lives (GroupMetadataManager.partitionFor).
  std::optional<TopicPartition> coordinator_partition(std::string_view group) const;
  // The topic last created under the name.
  std::optional<TopicId> topic(std::string_view name) const;

 private:
  struct Partition {
    NodeId leader = kNoNode;
    LeaderEpoch leader_epoch = kNoLeaderEpoch;
    std::vector<NodeId> replicas;  // as assigned, or who was seen to take part
    bool assigned = false;
  };
  struct Topic {
    std::string name;
    std::int32_t partitions = 0;
  };

  void on(const observe::QuorumRoleChanged& fact);
  void on(const observe::ControllerChanged& fact);
  void on(const observe::TopicCreated& fact);
  void on(const observe::TopicDeleted& fact);
  void on(const observe::BecameLeader& fact);
  void on(const observe::BecameFollower& fact);
  void on(const observe::PartitionChanged& fact);
  void controller(NodeId node, QuorumEpoch quorum_epoch, bool leads);
  static void seen(Partition& partition, NodeId replica);

  NodeId active_ = kNoNode;
  QuorumEpoch quorum_epoch_{-1};
  std::vector<Topic> topics_;  // by TopicId
  observe::PartitionMap<Partition> partitions_;
};

}  // namespace sim::cluster
