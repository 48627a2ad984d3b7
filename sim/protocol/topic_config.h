#pragma once

#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

// A topic's settings, resolved (topic override, else broker synonym, else Kafka's default).
// Field names are Kafka's with dots replaced; units are Kafka's.
namespace sim {

// leader.replication.throttled.replicas, follower.replication.throttled.replicas: `*`, or partition:broker
// pairs.
struct ThrottledReplicas {
  bool all = false;
  std::vector<std::pair<std::int32_t, std::int32_t>> replicas{};
  bool empty() const { return !all && replicas.empty(); }
  bool contains(std::int32_t partition, std::int32_t broker) const {
    for (const auto& replica : replicas) {
      if (replica == std::pair(partition, broker)) return true;
    }
    return all;
  }
  bool operator==(const ThrottledReplicas&) const = default;
};

struct TopicConfig {
  bool cleanup_compact = false;  // cleanup.policy
  bool cleanup_delete = true;
  std::int64_t retention_ms = 604'800'000;
  std::int64_t retention_bytes = -1;
  std::int64_t segment_bytes = 1'073'741'824;
  std::int64_t segment_ms = 604'800'000;
  std::int32_t max_message_bytes = 1'048'588;
  std::int32_t min_insync_replicas = 1;
  bool unclean_leader_election_enable = false;
  std::int64_t flush_messages = std::numeric_limits<std::int64_t>::max();
  std::int64_t flush_ms = std::numeric_limits<std::int64_t>::max();
  // Compaction
  std::int32_t min_cleanable_dirty_per_million = 500'000;  // min.cleanable.dirty.ratio
  std::int64_t min_compaction_lag_ms = 0;
  std::int64_t max_compaction_lag_ms = std::numeric_limits<std::int64_t>::max();
  std::int64_t delete_retention_ms = 86'400'000;
  // Whose time a record bears, and how far a producer's may be off
  bool log_append_time = false;  // message.timestamp.type
  std::int64_t message_timestamp_before_max_ms = std::numeric_limits<std::int64_t>::max();
  std::int64_t message_timestamp_after_max_ms = 3'600'000;
  // Not Kafka's: how far a producer's compression shrinks the records section, in percent of
  // the uncompressed size (100 = uncompressed).
  std::int32_t compression_percent = 100;
  ThrottledReplicas leader_throttled{};    // leader.replication.throttled.replicas
  ThrottledReplicas follower_throttled{};  // follower.replication.throttled.replicas
  bool operator==(const TopicConfig&) const = default;
};

}  // namespace sim
