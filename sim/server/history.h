#pragma once

#include <cstdint>

// What Kafka's replication of partitions did not always have, each part to be switched back; the defaults are
// 4.1's. Here the mechanisms of the time are at work, not an outcome: a follower that truncates by its
// high watermark really does so, and whether that loses anything is the run's affair.
namespace sim::server {

// How a replica that begins to follow finds out which end of its log the leader does not have.
enum class Truncation : std::uint8_t {
  fetch,         // KIP-595 (2.7): each fetch says in which epoch the log ends, and is told where it diverges
  epoch_search,  // KIP-279 (2.0): asks for the end of its last epoch, and on until both know the epoch
  epoch,         // KIP-101 (0.11): asks once, and is told an offset but not of which epoch
  high_watermark,  // before: cuts all that it does not know to be committed
};

struct History {
  Truncation truncation = Truncation::fetch;
  bool fetch_leader_epoch = true;  // KIP-320 (2.1): fetches of replicas name the epoch they are of
  bool isr_epoch_start_check =
      true;                 // KAFKA-7128 (2.1): who joins the ISR has reached the start of this epoch
  bool isr_maximal = true;  // KIP-497 (2.7): a pending change of the ISR counts only to be on the safe side
  bool isr_unfenced_only = true;  // KIP-841 (3.3): no one fenced or shutting down joins the ISR
  bool isr_broker_epoch = true;   // KIP-903 (3.5): who joins the ISR still is who it was when it fetched
  bool high_watermark_min_isr =
      true;  // KAFKA-15583 (3.7): below min.insync.replicas the high watermark stands still
  bool preferred_replica_only_isr =
      true;  // KAFKA-14372 (3.4): a consumer is sent only to replicas that are in sync
};

}  // namespace sim::server
