#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include "protocol/java_hash.h"
#include "protocol/messages.h"
#include "server/config.h"

// The kinds of coordinator, a row each: which internal topic one keeps its state in, and how that is made.
// Which topics are internal, which are created at the first FindCoordinator, and where a key's coordinator
// lives all follow from the table. A new kind (share groups on __share_group_state) is an enumerator of
// CoordinatorType, a row here, and its service where a broker takes elections and writes to it
// (Broker::coordinator_elected).
namespace sim::server {

struct CoordinatorKind {
  CoordinatorType type;
  std::string_view topic;
  std::int32_t BrokerConfig::*partitions;  // of that topic, when it is created
  std::int16_t BrokerConfig::*replication_factor;
  std::int64_t BrokerConfig::*segment_bytes;
  std::int32_t BrokerConfig::*min_isr = nullptr;  // of that topic; null: as of any
};

inline constexpr std::array kCoordinators = {
    CoordinatorKind{CoordinatorType::group, "__consumer_offsets", &BrokerConfig::offsets_topic_num_partitions,
                    &BrokerConfig::offsets_topic_replication_factor,
                    &BrokerConfig::offsets_topic_segment_bytes},
    CoordinatorKind{CoordinatorType::transaction, "__transaction_state",
                    &BrokerConfig::transaction_state_log_num_partitions,
                    &BrokerConfig::transaction_state_log_replication_factor,
                    &BrokerConfig::transaction_state_log_segment_bytes,
                    &BrokerConfig::transaction_state_log_min_isr},
};

// Null if no coordinator keeps its state there.
constexpr const CoordinatorKind* coordinator_on(std::string_view topic) {
  const auto row = std::find_if(kCoordinators.begin(), kCoordinators.end(),
                                [topic](const CoordinatorKind& one) { return one.topic == topic; });
  return row == kCoordinators.end() ? nullptr : &*row;
}

constexpr const CoordinatorKind& coordinator_of(CoordinatorType type) {
  return *std::find_if(kCoordinators.begin(), kCoordinators.end(),
                       [type](const CoordinatorKind& one) { return one.type == type; });
}

// Clients read these topics and never write them (Topic.isInternal).
constexpr bool is_internal_topic(std::string_view name) {
  return coordinator_on(name) != nullptr;
}

// On which partition of its coordinator's topic a group's (or a transactional id's) state lies: its leader is
// the coordinator (GroupMetadataManager.partitionFor, TransactionStateManager.partitionFor).
inline std::int32_t coordinator_partition(std::string_view key, std::int32_t partitions) {
  return java_abs(java_string_hash(key)) % partitions;
}

}  // namespace sim::server
