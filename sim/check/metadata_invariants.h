#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "check/violation.h"
#include "observe/observation.h"
#include "observe/partition_map.h"

// What must hold of the cluster's metadata: of what the controllers decide and of what every server makes of
// it.
//
//   images-agree                 images of the same offset are equal, on every server and in every life
//   partition-epochs             a partition's epochs never fall: the leader epoch rises when its leader
//                                changes, the partition epoch with every change
//   partition-leader             a partition's leader is in its ISR or it has none; the ISR is among its
//                                replicas and has nobody in common with the ELR
//   maximal-isr                  the leader's maximal ISR contains the controller's ISR (KIP-497)
//   one-active-controller        in one quorum epoch only one controller is active
//   fenced-leads-nothing         a broker that was fenced leads no partition
//
// It is told what changed; nothing is scanned but what a fenced broker may still lead.
namespace sim::check {

class MetadataInvariants final : public observe::Observer {
 public:
  void on(const observe::Observation& observation) override;

  // What is told from here on happened in this observation.
  void at(const observe::Observation& seen) { violations_.at(seen); }
  void on(const observe::TopicCreated& fact) { topics_.on(fact); }
  void on(const observe::TopicDeleted& fact);
  void on(const observe::MetadataReplayed& fact);
  void on(const observe::ControllerChanged& fact);
  void on(const observe::BrokerStateChanged& fact);
  void on(const observe::PartitionChanged& fact);
  void on(const observe::BecameLeader& fact);
  void on(const observe::IsrChanged& fact);
  void on(const observe::IsrProposed& fact);

  // From here on the quorum has forgotten what it had decided (RaftInvariants::has_forgotten): it decides
  // anew, in epochs and at offsets that were used before, and some may yet tell what was decided then. Only
  // the shape of a decision is looked at.
  void quorum_forgot();

  const std::vector<Violation>& violations() const { return violations_.all(); }

 private:
  struct Partition {  // as the active controller has it committed
    bool known = false;
    observe::PartitionChanged last{};
  };
  struct Leadership {  // as the leader itself has it
    NodeId broker = kNoNode;
    LeaderEpoch leader_epoch = kNoLeaderEpoch;
    PartitionEpoch partition_epoch{-1};
    std::vector<NodeId> maximal_isr{};
  };
  struct Image {
    Offset end_offset = 0;
    std::uint64_t digest = 0;
    NodeId first;  // to have it
  };
  struct Active {
    QuorumEpoch quorum_epoch;
    NodeId node;
  };

  bool is_repeated(Offset offset);
  void check_shape(const observe::PartitionChanged& fact);
  void check_maximal_isr(TopicPartition tp);

  observe::TopicNames topics_;
  observe::PartitionMap<Partition> partitions_;
  observe::PartitionMap<Leadership> leaderships_;
  std::vector<Image> images_;   // by end offset
  std::vector<Active> active_;  // by quorum epoch
  Offset told_end_ = 0;         // of the decisions told
  bool is_forgotten_ = false;   // what the quorum once decided
  Violations violations_;
};

}  // namespace sim::check
