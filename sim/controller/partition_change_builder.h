#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "metadata/metadata_image.h"
#include "protocol/ids.h"
#include "protocol/metadata_records.h"

// From what is wanted of a partition to the record that brings it about (PartitionChangeBuilder in Kafka):
// finishes a reassignment, keeps the eligible leader replicas (KIP-966), elects a leader.
//
// `acceptable` are the replicas that may lead at this moment: registered, unfenced, not shutting down.
// A replica is a valid leader if it is acceptable and in the target ISR, or, with an empty target ISR, in the
// ELR. Order of trying, first hit wins:
//
//   preferred   the first replica if valid, the present leader if valid, then as online
//   online      the present leader if valid, the first valid replica, the last known leader (ELR on), none
//   unclean     as online, but before none: the first acceptable replica
//
// The last known leader is tried only when ISR and ELR are both empty, and must be acceptable (KAFKA-19522,
// 4.1). It and an unclean leader are elected at the price of data: the ISR becomes just them, RECOVERING.
namespace sim::controller {

enum class Election : std::uint8_t { preferred, online, unclean };

class PartitionChangeBuilder {
 public:
  // Starts with the partition as it is. `min_isr` is the effective one: not above the replication factor.
  PartitionChangeBuilder(TopicPartition tp, const metadata::PartitionRegistration& partition,
                         std::vector<NodeId> acceptable, std::int32_t min_isr)
      : tp_(tp),
        partition_(partition),
        target_(partition),
        acceptable_(std::move(acceptable)),
        min_isr_(min_isr) {}

  PartitionChangeBuilder& set_election(Election election);
  PartitionChangeBuilder& set_elr_enabled(bool enabled);
  PartitionChangeBuilder& set_target_isr(std::vector<NodeId> isr);
  PartitionChangeBuilder& set_target_replicas(std::vector<NodeId> replicas, std::vector<NodeId> removing,
                                              std::vector<NodeId> adding);
  PartitionChangeBuilder& set_target_recovery(LeaderRecoveryState recovery);
  // Went down without saying so: what it had flushed is not known, so it is no eligible leader.
  PartitionChangeBuilder& set_unclean_shutdown(NodeId replica);
  // The log directory in which the replica lies (KIP-858).
  PartitionChangeBuilder& set_directory(NodeId replica, DirectoryId directory);

  // nullopt: nothing would change.
  std::optional<PartitionChangeRecord> build();

 private:
  struct Elected {
    NodeId leader = kNoNode;
    bool unclean = false;
  };

  bool is_acceptable(NodeId replica) const;
  bool is_valid_leader(NodeId replica) const;
  bool can_elect_last_known_leader() const;
  Elected elect() const;

  void complete_reassignment();
  void choose_target_elr();
  void apply_election(PartitionChangeRecord& record);
  void bump_leader_epoch_if_replicas_left(PartitionChangeRecord& record) const;
  void settle_elr(const PartitionChangeRecord& record);
  void settle_directories(PartitionChangeRecord& record) const;
  void settle_last_known_leader(const PartitionChangeRecord& record);
  bool changes_nothing(const PartitionChangeRecord& record) const;

  TopicPartition tp_;
  const metadata::PartitionRegistration& partition_;
  metadata::PartitionRegistration target_;
  std::vector<NodeId> acceptable_;
  std::int32_t min_isr_;
  Election election_ = Election::online;
  bool elr_enabled_ = false;
  NodeId unclean_shutdown_ = kNoNode;
  NodeId placed_ = kNoNode;  // lies in ...
  DirectoryId directory_ = kNoDirectory;
};

}  // namespace sim::controller
