#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "protocol/ids.h"
#include "protocol/topic_config.h"

// Records of __cluster_metadata (metadata/src/main/resources/common/metadata/*.json in Kafka).
// A MetadataImage is built only by replaying them, in order.
namespace sim {

struct RegisterBrokerRecord {
  NodeId broker = kNoNode;
  std::uint64_t incarnation = 0;
  BrokerEpoch broker_epoch = kNoBrokerEpoch;
  ProcessId endpoint = kNoProcess;
  std::string rack;  // empty = none
  bool fenced = true;
  bool in_controlled_shutdown = false;
  std::vector<DirectoryId> directories{};  // KIP-858: its log directories that are online; empty: it has one
  bool tells_cordoned_log_dirs = false;    // KIP-1066: which are cordoned, here none; else that is unknown
};

struct UnregisterBrokerRecord {
  NodeId broker = kNoNode;
  BrokerEpoch broker_epoch = kNoBrokerEpoch;
};

// Changes what is given, keeps the rest: -1 = now false, 0 = unchanged, 1 = now true.
struct BrokerRegistrationChangeRecord {
  NodeId broker = kNoNode;
  BrokerEpoch broker_epoch = kNoBrokerEpoch;
  std::int8_t fenced = 0;
  std::int8_t in_controlled_shutdown = 0;
  std::vector<DirectoryId> directories{};  // that are still online; empty = unchanged
  bool tells_cordoned_log_dirs = false;    // that none is cordoned; else unchanged
};

struct TopicRecord {
  std::string name;
  TopicId id = kNoTopic;
};

struct RemoveTopicRecord {
  TopicId id = kNoTopic;
};

// Kafka has one ConfigRecord per key; here a topic's resolved settings are one record.
struct TopicConfigRecord {
  TopicId id = kNoTopic;
  TopicConfig config;
};

enum class LeaderRecoveryState : std::int8_t { recovered = 0, recovering = 1 };

struct PartitionRecord {
  TopicPartition tp;
  std::vector<NodeId> replicas;
  std::vector<NodeId> isr;
  std::vector<NodeId> removing;
  std::vector<NodeId> adding;
  NodeId leader = kNoNode;
  LeaderRecoveryState recovery = LeaderRecoveryState::recovered;
  LeaderEpoch leader_epoch{0};
  PartitionEpoch partition_epoch{0};
  std::vector<NodeId> elr;
  std::vector<NodeId> last_known_elr;
  std::vector<DirectoryId> directories{};  // of each replica; empty: of none is it known
};

inline constexpr NodeId kLeaderUnchanged{-2};

// Only changed fields are set: an empty optional-like vector flag says "unchanged".
struct PartitionChangeRecord {
  TopicPartition tp;
  NodeId leader = kLeaderUnchanged;
  bool has_isr = false;
  std::vector<NodeId> isr;
  bool has_replicas = false;
  std::vector<NodeId> replicas, removing, adding;
  std::int8_t recovery = -1;  // -1 = unchanged
  bool has_elr = false;
  std::vector<NodeId> elr, last_known_elr;
  std::vector<DirectoryId> directories{};  // empty = unchanged
};

struct ProducerIdsRecord {
  NodeId broker = kNoNode;
  BrokerEpoch broker_epoch = kNoBrokerEpoch;
  ProducerId next_producer_id{0};
};

struct NoOpRecord {};

// The level of a feature of the whole cluster: metadata.version, group.version, ... (KIP-584).
struct FeatureLevelRecord {
  std::string name;
  std::int16_t level = 0;
};

// A controller of this incarnation has started (KIP-919).
struct RegisterControllerRecord {
  NodeId controller = kNoNode;
  std::uint64_t incarnation = 0;
  ProcessId endpoint = kNoProcess;
};

using MetadataRecord =
    std::variant<RegisterBrokerRecord, UnregisterBrokerRecord, BrokerRegistrationChangeRecord, TopicRecord,
                 RemoveTopicRecord, TopicConfigRecord, PartitionRecord, PartitionChangeRecord,
                 ProducerIdsRecord, NoOpRecord, FeatureLevelRecord, RegisterControllerRecord>;

}  // namespace sim
