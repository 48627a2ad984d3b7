#pragma once

#include <cstdint>

#include "protocol/topic_config.h"

// Broker settings under Kafka's names (dots replaced), units and defaults (4.1: KafkaConfig,
// ReplicationConfigs, GroupCoordinatorConfig, SocketServerConfigs).
namespace sim::broker {

struct BrokerConfig {
  // Request path
  std::int32_t num_network_threads = 3;
  std::int32_t num_io_threads = 8;
  std::int32_t queued_max_requests = 500;
  std::int64_t connections_max_idle_ms = 600'000;
  std::int32_t request_timeout_ms = 30'000;
  // Replication
  std::int32_t num_replica_fetchers = 1;
  std::int64_t replica_lag_time_max_ms = 30'000;
  std::int32_t replica_fetch_wait_max_ms = 500;
  std::int32_t replica_fetch_min_bytes = 1;
  std::int32_t replica_fetch_max_bytes = 1'048'576;
  std::int32_t replica_fetch_response_max_bytes = 10'485'760;
  std::int32_t replica_fetch_backoff_ms = 1'000;
  std::int32_t replica_socket_timeout_ms = 30'000;
  std::int64_t replica_high_watermark_checkpoint_interval_ms = 5'000;
  // Fetch
  std::int32_t fetch_max_bytes = 57'671'680;
  std::int32_t max_incremental_fetch_session_cache_slots = 1'000;
  // Topics
  bool auto_create_topics_enable = true;
  std::int32_t num_partitions = 1;
  std::int16_t default_replication_factor = 1;
  TopicConfig log;  // the broker-level synonyms of topic settings
  // Offsets topic and classic groups
  std::int32_t offsets_topic_num_partitions = 50;
  std::int16_t offsets_topic_replication_factor = 3;
  std::int64_t offsets_topic_segment_bytes = 104'857'600;
  std::int64_t offsets_retention_minutes = 10'080;
  std::int64_t offsets_retention_check_interval_ms = 600'000;
  std::int32_t offsets_commit_timeout_ms = 5'000;
  std::int32_t offsets_load_buffer_size = 5'242'880;
  std::int32_t offset_metadata_max_bytes = 4'096;
  std::int32_t group_min_session_timeout_ms = 6'000;
  std::int32_t group_max_session_timeout_ms = 1'800'000;
  std::int32_t group_initial_rebalance_delay_ms = 3'000;
  std::int32_t group_max_size = 2'147'483'647;
  std::int32_t group_coordinator_append_linger_ms = 5;
  std::int32_t group_coordinator_threads = 4;
  // Liveness
  std::int32_t broker_heartbeat_interval_ms = 2'000;
  std::int32_t broker_session_timeout_ms = 9'000;
  std::int32_t initial_broker_registration_timeout_ms = 60'000;
  bool controlled_shutdown_enable = true;
};

}  // namespace sim::broker
