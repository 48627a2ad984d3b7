#pragma once

#include <cstdint>

#include "history/history.h"
#include "protocol/topic_config.h"

// Controller settings under Kafka's names (dots replaced), units and defaults (4.1: KafkaConfig,
// KRaftConfigs, QuorumConfig, ReplicationConfigs).
namespace sim::controller {

struct ControllerConfig {
  std::int32_t broker_session_timeout_ms = 9'000;
  std::int32_t broker_heartbeat_interval_ms = 2'000;
  std::int32_t num_partitions = 1;
  std::int16_t default_replication_factor = 1;
  TopicConfig log;  // the broker-level synonyms of topic settings
  bool auto_leader_rebalance_enable = true;
  std::int64_t leader_imbalance_check_interval_seconds = 300;
  std::int64_t unclean_leader_election_interval_ms = 300'000;
  std::int64_t metadata_max_idle_interval_ms = 500;
  History history;
};

}  // namespace sim::controller
