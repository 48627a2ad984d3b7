#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "base/rng.h"
#include "controller/config.h"
#include "controller/decision.h"
#include "controller/partition_change_builder.h"
#include "controller/striped_replica_placer.h"
#include "metadata/metadata_image.h"
#include "protocol/messages.h"

// Topics, partitions, leaders and ISRs: what to record about them (ReplicationControlManager in Kafka).
//
// Every decision is made from the image alone. Kept beside it are only two indexes of it: which partitions
// have no leader, and which have another than their first replica. Partitions are gone through in order of
// topic id and number (Kafka: in that of a hash map).
namespace sim::controller {

class ReplicationControl {
 public:
  explicit ReplicationControl(const ControllerConfig& config) : config_(config) {}
  ReplicationControl(const ControllerConfig& config, const metadata::MetadataImage& image);

  // After each record that `image` has replayed.
  void replayed(const metadata::MetadataImage& image, const MetadataRecord& record);

  Decision<CreateTopicsResponse> create_topics(const metadata::MetadataImage& image,
                                               const CreateTopicsRequest& request,
                                               const std::vector<UsableBroker>& brokers, Rng& rng) const;
  // REQUIRES: the sender's broker epoch was checked
  Decision<AlterPartitionResponse> alter_partition(const metadata::MetadataImage& image,
                                                   const AlterPartitionRequest& request) const;

  // ---- What an administrator asks for. Each partition or topic has its own result.
  Decision<ElectLeadersResponse> elect_leaders(const metadata::MetadataImage& image,
                                               const ElectLeadersRequest& request) const;
  Decision<AlterPartitionReassignmentsResponse> alter_partition_reassignments(
      const metadata::MetadataImage& image, const AlterPartitionReassignmentsRequest& request) const;
  Decision<DeleteTopicsResponse> delete_topics(const metadata::MetadataImage& image,
                                               const DeleteTopicsRequest& request) const;
  Decision<IncrementalAlterConfigsResponse> incremental_alter_configs(
      const metadata::MetadataImage& image, const IncrementalAlterConfigsRequest& request) const;
  Decision<CreatePartitionsResponse> create_partitions(const metadata::MetadataImage& image,
                                                       const CreatePartitionsRequest& request,
                                                       const std::vector<UsableBroker>& brokers,
                                                       Rng& rng) const;

  // What a broker's change of state means for partitions, and the record of its registration.
  using Records = std::vector<MetadataRecord>;
  void broker_fenced(const metadata::MetadataImage& image, NodeId broker, Records& records) const;
  void broker_unfenced(const metadata::MetadataImage& image, NodeId broker, Records& records) const;
  void broker_in_controlled_shutdown(const metadata::MetadataImage& image, NodeId broker,
                                     Records& records) const;
  // A new incarnation of it registers: what the last one held is as good as after fencing if it was shut down
  // cleanly, else (with ELR on) it leaves the ELRs too (KAFKA-18106).
  void broker_restarted(const metadata::MetadataImage& image, NodeId broker, bool clean_shutdown,
                        Records& records) const;

  // Log directories (log_directories.cc). The broker says which are cordoned, and has not said so before.
  static void directories_cordoned(const metadata::MetadataImage& image, NodeId broker, Records& records);
  // Those it names that were online are no longer.
  void directories_offline(const metadata::MetadataImage& image, NodeId broker,
                           const std::vector<DirectoryId>& offline, Records& records) const;
  // REQUIRES: the sender's broker epoch was checked
  Decision<AssignReplicasToDirsResponse> assign_replicas_to_dirs(
      const metadata::MetadataImage& image, const AssignReplicasToDirsRequest& request) const;

  bool leads_any(const metadata::MetadataImage& image, NodeId broker) const;

  // At most 1000 at a time: then there may be more to do.
  static constexpr std::size_t kMaxElections = 1'000;
  bool any_imbalanced() const { return !imbalanced_.empty(); }
  Records balance_leaders(const metadata::MetadataImage& image) const;
  bool any_leaderless() const { return !leaderless_.empty(); }
  // For topics with unclean.leader.election.enable only.
  Records elect_unclean_leaders(const metadata::MetadataImage& image) const;

 private:
  void index(const metadata::MetadataImage& image, TopicPartition tp);

  struct Effect {                       // of a broker's change of state on who may lead and who is in sync
    NodeId removed = kNoNode;           // leaves ISRs, may not lead
    NodeId added = kNoNode;             // may lead, though the image still has it fenced
    NodeId unclean_shutdown = kNoNode;  // leaves ISRs and ELRs, may not lead
  };
  enum class Where : std::uint8_t { in_isr, in_elr };

  std::vector<TopicPartition> partitions_with(const metadata::MetadataImage& image, NodeId broker,
                                              Where where) const;
  void change_partitions(const metadata::MetadataImage& image, const std::vector<TopicPartition>& partitions,
                         const Effect& effect, Records& records) const;
  PartitionChangeBuilder builder_for(const metadata::MetadataImage& image, TopicPartition tp,
                                     const Effect& effect) const;

  ErrorCode check_new_topic(const metadata::MetadataImage& image,
                            const CreateTopicsRequest::Topic& topic) const;
  ErrorCode create_topic(const CreateTopicsRequest::Topic& topic, TopicId id,
                         const std::vector<UsableBroker>& brokers, Rng& rng, Records& records) const;
  ErrorCode check_alter_partition(const metadata::MetadataImage& image, NodeId sender,
                                  const AlterPartitionRequest::Partition& wanted) const;
  AlterPartitionResponse::Partition alter_one(const metadata::MetadataImage& image, NodeId sender,
                                              const AlterPartitionRequest::Partition& wanted,
                                              Records& records) const;

  // ---- elect_leaders.cc, reassignment.cc, topic_administration.cc
  ErrorCode elect_leader(const metadata::MetadataImage& image, TopicPartition tp, ElectionType type,
                         Records& records) const;
  ErrorCode change_reassignment(const metadata::MetadataImage& image, TopicPartition tp,
                                const std::vector<NodeId>& target, Records& records) const;
  ErrorCode cancel_reassignment(const metadata::MetadataImage& image, TopicPartition tp,
                                Records& records) const;
  ErrorCode alter_config(const metadata::MetadataImage& image,
                         const IncrementalAlterConfigsRequest::Topic& wanted, Records& records) const;
  ErrorCode add_partitions(const metadata::MetadataImage& image, const CreatePartitionsRequest::Topic& wanted,
                           const std::vector<UsableBroker>& brokers, Rng& rng, Records& records) const;

  ControllerConfig config_;
  std::set<TopicPartition> leaderless_;
  std::set<TopicPartition> imbalanced_;
};

// The records of a new topic. REQUIRES: each list of replicas has a member that is not fenced
std::vector<MetadataRecord> new_topic_records(const std::string& name, TopicId id, const TopicConfig& config,
                                              const ReplicaLists& replicas,
                                              const std::vector<UsableBroker>& brokers);

}  // namespace sim::controller
