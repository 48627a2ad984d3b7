#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "client/key_hash.h"

// Client settings under Kafka's names (dots replaced), units and defaults (4.1:
// ProducerConfig, ConsumerConfig).
namespace sim::client {

struct CommonClientConfig {
  std::int64_t metadata_max_age_ms = 300'000;
  std::int64_t metadata_max_idle_ms = 300'000;
  std::int64_t retry_backoff_ms = 100;
  std::int64_t retry_backoff_max_ms = 1'000;
  std::int64_t reconnect_backoff_ms = 50;
  std::int64_t reconnect_backoff_max_ms = 1'000;
  std::int64_t socket_connection_setup_timeout_ms = 10'000;
  std::int64_t socket_connection_setup_timeout_max_ms = 30'000;
  std::int64_t connections_max_idle_ms = 540'000;
  std::int32_t request_timeout_ms = 30'000;
  std::string client_id;
  // Not Kafka's: when its metadata is refreshed for the first time, for a client that goes on from before the
  // run; 0: after metadata.max.age.ms, as ever after.
  std::int64_t first_metadata_age_ms = 0;
};

struct ProducerConfig : CommonClientConfig {
  std::int16_t acks = -1;  // all
  std::int64_t linger_ms = 5;
  std::int32_t batch_size = 16'384;
  std::int64_t buffer_memory = 33'554'432;
  std::int64_t max_block_ms = 60'000;
  std::int32_t max_request_size = 1'048'576;
  std::int32_t retries = std::numeric_limits<std::int32_t>::max();
  std::int64_t delivery_timeout_ms = 120'000;
  std::int32_t max_in_flight_requests_per_connection = 5;
  bool enable_idempotence = true;
  std::string transactional_id;  // empty: no transactions
  std::int32_t transaction_timeout_ms = 60'000;
  bool partitioner_ignore_keys = false;
  bool partitioner_adaptive_partitioning_enable = true;
  std::int64_t partitioner_availability_timeout_ms = 0;
  // librdkafka's `partitioner` and `sticky.partitioning.linger.ms`; the defaults are Kafka's own client.
  KeyHash key_hash = KeyHash::murmur2;
  bool hashes_missing_keys = false;                 // a record without a key goes where an empty key would
  std::int64_t sticky_partitioning_linger_ms = -1;  // -1: batch.size ends a partition's turn, not time
};

enum class AutoOffsetReset : std::uint8_t { latest, earliest, none, by_duration };
enum class Assignor : std::uint8_t { range, roundrobin, sticky, cooperative_sticky };
enum class GroupProtocol : std::uint8_t { classic, consumer };
enum class IsolationLevel : std::uint8_t { read_uncommitted, read_committed };

struct ConsumerConfig : CommonClientConfig {
  std::string group_id;
  std::string group_instance_id;  // empty = dynamic member
  GroupProtocol group_protocol = GroupProtocol::classic;
  std::string group_remote_assignor;  // empty: the group coordinator's choice (consumer protocol)
  std::vector<Assignor> partition_assignment_strategy{Assignor::range, Assignor::cooperative_sticky};
  std::int32_t session_timeout_ms = 45'000;
  std::int32_t heartbeat_interval_ms = 3'000;
  std::int32_t max_poll_interval_ms = 300'000;
  std::int32_t max_poll_records = 500;
  bool enable_auto_commit = true;
  std::int32_t auto_commit_interval_ms = 5'000;
  std::int32_t first_auto_commit_ms = 0;  // not Kafka's: after its first assignment; 0: the interval
  AutoOffsetReset auto_offset_reset = AutoOffsetReset::latest;
  std::int64_t auto_offset_reset_duration_ms = 0;  // with by_duration (KIP-1106): how far back
  IsolationLevel isolation_level = IsolationLevel::read_uncommitted;
  std::int32_t fetch_min_bytes = 1;
  std::int32_t fetch_max_wait_ms = 500;
  std::int32_t fetch_max_bytes = 52'428'800;
  std::int32_t max_partition_fetch_bytes = 1'048'576;
  std::string client_rack;
  std::int32_t default_api_timeout_ms = 60'000;
  bool allow_auto_create_topics = true;
};

}  // namespace sim::client
