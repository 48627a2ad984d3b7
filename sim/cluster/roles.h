#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "observe/leaders.h"
#include "observe/observation.h"
#include "observe/partition_map.h"
#include "protocol/ids.h"

// Who plays which role at present, as the processes have told it: a fold over their reports. It is as much as
// one who watches the whole cluster can know; the processes themselves may not know it yet, or know it no
// more. Who leads is what observe::Leaders says; of the end of a process nobody tells, so that a leader that
// is dead stays named until another one is elected.
namespace sim::cluster {

class Roles {
 public:
  void on(const observe::Observation& seen);

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
  struct Replicas {
    std::vector<NodeId> nodes;  // as assigned, or who was seen to take part
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
  void takes_part(TopicPartition tp, NodeId replica);

  NodeId active_ = kNoNode;
  QuorumEpoch quorum_epoch_{-1};
  std::vector<Topic> topics_;  // by TopicId
  observe::Leaders leaders_;
  observe::PartitionMap<Replicas> replicas_;
};

}  // namespace sim::cluster
