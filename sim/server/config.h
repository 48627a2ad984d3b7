#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "history/history.h"
#include "protocol/topic_config.h"
#include "server/planted_defect.h"

// Broker settings under Kafka's names (dots replaced), units and defaults (4.1: KafkaConfig,
// ReplicationConfigs, GroupCoordinatorConfig, SocketServerConfigs).
namespace sim::server {

// What a client id may use of each broker (KIP-13, KIP-124); the largest value sets no limit.
struct ClientQuota {
  static constexpr std::int64_t kNoLimit = std::numeric_limits<std::int64_t>::max();
  std::int64_t producer_byte_rate = kNoLimit;
  std::int64_t consumer_byte_rate = kNoLimit;
  std::int64_t request_nanos_per_second = kNoLimit;  // request_percentage: 1 % = 10 ms of a thread a second
  bool operator==(const ClientQuota&) const = default;
};
// Who has which: processes of one client id share one.
struct ClientQuotas {
  std::vector<ClientQuota> quotas;
  std::vector<std::int32_t> of_process;  // index by ProcessId; -1, or beyond the end: no quota
};

// Which kind of group may become the other (group.consumer.migration.policy).
enum class GroupMigrationPolicy : std::uint8_t { disabled, upgrade, downgrade, bidirectional };
constexpr bool upgrades(GroupMigrationPolicy policy) {
  return policy == GroupMigrationPolicy::upgrade || policy == GroupMigrationPolicy::bidirectional;
}
constexpr bool downgrades(GroupMigrationPolicy policy) {
  return policy == GroupMigrationPolicy::downgrade || policy == GroupMigrationPolicy::bidirectional;
}

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
  bool rack_aware_replica_selector = false;  // replica.selector.class is RackAwareReplicaSelector
  // Topics
  bool auto_create_topics_enable = true;
  std::int32_t num_partitions = 1;
  std::int16_t default_replication_factor = 1;
  TopicConfig log;  // the broker-level synonyms of topic settings
  // Retention and compaction
  std::int64_t log_retention_check_interval_ms = 300'000;
  std::int64_t log_initial_task_delay_ms = 30'000;
  bool log_cleaner_enable = true;
  std::int64_t log_cleaner_backoff_ms = 15'000;
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
  // Groups of KIP-848
  bool group_consumer_protocol = true;  // among group.coordinator.rebalance.protocols
  std::int32_t group_consumer_session_timeout_ms = 45'000;
  std::int32_t group_consumer_min_session_timeout_ms = 45'000;
  std::int32_t group_consumer_max_session_timeout_ms = 60'000;
  std::int32_t group_consumer_heartbeat_interval_ms = 5'000;
  std::int32_t group_consumer_min_heartbeat_interval_ms = 5'000;
  std::int32_t group_consumer_max_heartbeat_interval_ms = 15'000;
  std::int32_t group_consumer_max_size = 2'147'483'647;
  std::vector<std::string> group_consumer_assignors{"uniform", "range"};  // the first unless members ask
  GroupMigrationPolicy group_consumer_migration_policy = GroupMigrationPolicy::bidirectional;
  std::int64_t group_consumer_regex_refresh_interval_ms = 600'000;
  std::int32_t group_coordinator_append_linger_ms = -1;
  std::int32_t group_coordinator_threads = 4;
  // Transactions (TransactionLogConfig, TransactionStateManagerConfig, AddPartitionsToTxnConfig)
  std::int32_t transaction_state_log_num_partitions = 50;
  std::int16_t transaction_state_log_replication_factor = 3;
  std::int32_t transaction_state_log_min_isr = 2;
  std::int64_t transaction_state_log_segment_bytes = 104'857'600;
  std::int32_t transaction_state_log_load_buffer_size = 5'242'880;
  std::int32_t transaction_max_timeout_ms = 900'000;
  std::int32_t transactional_id_expiration_ms = 604'800'000;
  std::int32_t transaction_abort_timed_out_transaction_cleanup_interval_ms = 10'000;
  std::int32_t transaction_remove_expired_transaction_cleanup_interval_ms = 3'600'000;
  bool transaction_partition_verification_enable = true;
  std::int32_t add_partitions_to_txn_retry_backoff_ms = 20;
  std::int32_t add_partitions_to_txn_retry_backoff_max_ms = 100;
  std::int32_t producer_id_expiration_ms = 86'400'000;
  std::int32_t producer_id_expiration_check_interval_ms = 600'000;
  // Quotas
  std::int32_t quota_window_num = 11;
  std::int32_t quota_window_size_seconds = 1;
  std::shared_ptr<const ClientQuotas> client_quotas{};  // null: nobody has one
  std::int32_t replication_quota_window_num = 11;
  std::int32_t replication_quota_window_size_seconds = 1;
  std::int64_t leader_replication_throttled_rate = std::numeric_limits<std::int64_t>::max();
  std::int64_t follower_replication_throttled_rate = std::numeric_limits<std::int64_t>::max();
  // Liveness
  std::int32_t broker_heartbeat_interval_ms = 2'000;
  std::int32_t broker_session_timeout_ms = 9'000;
  std::int32_t initial_broker_registration_timeout_ms = 60'000;
  bool controlled_shutdown_enable = true;
  // Flushing and recovery
  std::int64_t log_flush_scheduler_interval_ms = std::numeric_limits<std::int64_t>::max();
  std::int64_t log_flush_offset_checkpoint_interval_ms = 60'000;
  std::int32_t num_recovery_threads_per_data_dir = 2;
  // Log directories
  std::int32_t log_dirs = 1;  // how many log.dirs lists
  std::int64_t log_dir_failure_timeout_ms = 30'000;
  History history;
  PlantedDefect defect = PlantedDefect::none;
};

}  // namespace sim::server
