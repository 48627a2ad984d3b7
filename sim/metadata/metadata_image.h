#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/ids.h"
#include "protocol/metadata_records.h"
#include "protocol/quorum.h"
#include "protocol/record_batch.h"
#include "protocol/topic_config.h"

// The cluster's metadata at one offset of __cluster_metadata, built only by replaying its records in order
// (MetadataImage, MetadataDelta in Kafka). Every node replays with this code; equal offsets mean
// equal images.
//
// Copying is cheap (topics are shared until one changes), so that a controller can keep the image of the last
// commit to go back to. Its digest is kept up with every record.
namespace sim::metadata {

struct BrokerRegistration {
  NodeId id = kNoNode;
  std::uint64_t incarnation = 0;
  BrokerEpoch broker_epoch = kNoBrokerEpoch;
  ProcessId endpoint = kNoProcess;
  std::string rack;
  bool fenced = true;
  bool in_controlled_shutdown = false;
  std::vector<DirectoryId> directories{};  // log directories that are online; empty: it has only one
  bool tells_cordoned_log_dirs = false;    // it is known which are cordoned: none

  bool active() const { return !fenced && !in_controlled_shutdown; }
  // DirectoryId.isOnline: where a replica lies that has not been told yet counts as online.
  bool has_online(DirectoryId directory) const;
  bool operator==(const BrokerRegistration&) const = default;
};

struct ControllerRegistration {
  NodeId id = kNoNode;
  std::uint64_t incarnation = 0;
  ProcessId endpoint = kNoProcess;
  bool operator==(const ControllerRegistration&) const = default;
};

struct PartitionRegistration {
  std::vector<NodeId> replicas, isr, removing, adding, elr, last_known_elr;
  NodeId leader = kNoNode;
  LeaderRecoveryState recovery = LeaderRecoveryState::recovered;
  LeaderEpoch leader_epoch{0};
  PartitionEpoch partition_epoch{0};
  std::vector<DirectoryId> directories{};  // of each replica; empty: of none is it known

  // The log directory in which a replica lies; kNoDirectory: not known.
  DirectoryId directory(NodeId replica) const;
  // Every change counts as a version of the partition; every leader it names, the same one again included,
  // begins a leader epoch.
  void merge(const PartitionChangeRecord& record);
  bool operator==(const PartitionRegistration&) const = default;
};

struct TopicImage {
  std::string name;
  TopicId id = kNoTopic;
  TopicConfig config;
  std::vector<PartitionRegistration> partitions;
  bool operator==(const TopicImage&) const = default;
};

// What a stretch of replayed records touched.
struct MetadataDelta {
  std::set<NodeId> brokers;
  std::set<TopicId> created_topics, removed_topics;
  std::set<TopicPartition> partitions;  // new or changed
  std::set<TopicId> configs;            // topics whose settings were set or changed

  bool empty() const {
    return brokers.empty() && created_topics.empty() && removed_topics.empty() && partitions.empty() &&
           configs.empty();
  }
};

class MetadataImage {
 public:
  MetadataImage() = default;
  explicit MetadataImage(const MetadataSnapshot& snapshot);

  // The offset of the next record to replay.
  Offset end_offset() const { return end_offset_; }
  // Control records, which say nothing here, lie before `offset`. REQUIRES: offset >= end_offset()
  void skip_to(Offset offset);

  // Records of one batch lie at consecutive offsets. `delta` gathers what changed, if given: a topic that
  // comes and goes within it leaves no trace there.
  void replay(const MetadataRecord& record, MetadataDelta* delta = nullptr);
  // A whole batch of __cluster_metadata. Control batches (leader changes) take offsets and say nothing.
  // REQUIRES: batch.base_offset >= end_offset()
  void replay(const Batch& batch, MetadataDelta* delta = nullptr);

  const std::map<NodeId, BrokerRegistration>& brokers() const { return brokers_; }
  const BrokerRegistration* broker(NodeId id) const;          // null: not registered
  const ControllerRegistration* controller(NodeId id) const;  // null: not registered
  // By name; a feature that is not there has level 0.
  const std::map<std::string, std::int16_t>& feature_levels() const { return feature_levels_; }
  bool is_active(NodeId id) const;  // registered, unfenced, not shutting down

  const std::map<TopicId, std::shared_ptr<const TopicImage>>& topics() const { return topics_; }
  const TopicImage* topic(TopicId id) const;
  const TopicImage* topic(std::string_view name) const;
  const PartitionRegistration* partition(TopicPartition tp) const;

  ProducerId next_producer_id() const { return next_producer_id_; }
  TopicId next_topic_id() const { return next_topic_id_; }  // ids are dense; kClusterMetadataTopic is 0

  // Nobody has registered, nothing was created.
  bool empty() const {
    return brokers_.empty() && topics_.empty() && next_topic_id_ == TopicId{1} && feature_levels_.empty() &&
           controllers_.empty();
  }
  // The same number for equal images of one offset, however they came about; another for others, but for
  // chance.
  std::uint64_t digest() const;
  // What an equal image can be made from: the contents of a snapshot.
  std::vector<MetadataRecord> records() const;

  bool operator==(const MetadataImage& other) const;

 private:
  // A copy of the topic's own, made if another image shares it. REQUIRES: the topic exists
  TopicImage& topic_to_change(TopicId id);

  void on(const RegisterBrokerRecord& record, MetadataDelta* delta);
  void on(const UnregisterBrokerRecord& record, MetadataDelta* delta);
  void on(const BrokerRegistrationChangeRecord& record, MetadataDelta* delta);
  void on(const TopicRecord& record, MetadataDelta* delta);
  void on(const RemoveTopicRecord& record, MetadataDelta* delta);
  void on(const TopicConfigRecord& record, MetadataDelta* delta);
  void on(const PartitionRecord& record, MetadataDelta* delta);
  void on(const PartitionChangeRecord& record, MetadataDelta* delta);
  void on(const ProducerIdsRecord& record, MetadataDelta* delta);
  void on(const NoOpRecord& record, MetadataDelta* delta);
  void on(const FeatureLevelRecord& record, MetadataDelta* delta);
  void on(const RegisterControllerRecord& record, MetadataDelta* delta);

  std::map<NodeId, BrokerRegistration> brokers_;
  std::map<NodeId, ControllerRegistration> controllers_;
  std::map<std::string, std::int16_t> feature_levels_;
  std::map<TopicId, std::shared_ptr<const TopicImage>> topics_;
  std::map<std::string, TopicId, std::less<>> topic_ids_;
  ProducerId next_producer_id_{0};
  TopicId next_topic_id_{1};
  Offset end_offset_ = 0;
  std::uint64_t digest_ = 0;  // the sum of those of servers, features, topics and partitions
};

// What is to be looked at anew by who knew `before` and now knows `after`, though it may be as it was.
MetadataDelta difference(const MetadataImage& before, const MetadataImage& after);

}  // namespace sim::metadata
