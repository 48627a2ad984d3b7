#pragma once

#include <cstdint>
#include <limits>

// A topic's settings, resolved (topic override, else broker synonym, else Kafka's default).
// Field names are Kafka's with dots replaced; units are Kafka's.
namespace sim {

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
  // Not Kafka's: how far a producer's compression shrinks the records section, in percent of
  // the uncompressed size (100 = uncompressed).
  std::int32_t compression_percent = 100;
  bool operator==(const TopicConfig&) const = default;
};

}  // namespace sim
