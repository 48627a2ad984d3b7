#pragma once

#include <cstdint>

#include "node/part.h"

// What the replica manager does by time, each with a timer of its own: one thread of Kafka's scheduler runs
// them one after the other. Those of its fetchers are apart from them (fetcher::ReplicaFetcher).
namespace sim::replica {

enum class Task : std::uint16_t {
  expire_requests,             // produce and fetch requests that wait (the purgatories' reaper)
  shrink_isrs,                 // isr-expiration
  checkpoint_high_watermarks,  // highwatermark-checkpoint
  delete_old_segments,         // kafka-log-retention
  clean,                       // the log cleaner's thread
  flush_logs,                  // kafka-log-flusher
  checkpoint_recovery_points,  // kafka-recovery-point-checkpoint
  expire_producers,            // PeriodicProducerExpirationCheck
  retry_verification,          // retry-add-partitions-to-txn
};

constexpr node::TimerId timer_of(Task task) {
  return {node::Part::replica_manager, static_cast<std::uint16_t>(task)};
}

constexpr Task task_of(node::TimerId timer) {
  return static_cast<Task>(timer.number);
}

}  // namespace sim::replica
