#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "protocol/messages.h"
#include "server/context.h"

// What a leader knows of its followers, and the in-sync replicas: what the controller has committed, and the
// one change that may be pending (PartitionState in Kafka; KIP-497).
//
//   CommittedIsr --proposed--> PendingExpandIsr | PendingShrinkIsr --answered, or overtaken by the
//   metadata--> CommittedIsr
//
// The maximal ISR, which the high watermark waits for, is the committed one and whoever is about to join it.
namespace sim::partition {

using server::Context;
using server::kLongAgo;
using server::PlantedDefect;

// A follower's progress, as its leader knows it (ReplicaState).
struct FollowerProgress {
  explicit FollowerProgress(NodeId id) : broker(id) {}

  NodeId broker;
  Offset log_end_offset = kNoOffset;  // -1: has not fetched in this epoch
  Offset log_start_offset = kNoOffset;
  Offset leader_end_at_last_fetch = 0;
  LocalTime last_fetch = kLongAgo;
  LocalTime last_caught_up = kLongAgo;
  std::optional<BrokerEpoch> broker_epoch;  // of its last fetch
  bool in_maximal_isr = false;              // who the high watermark waits for

  bool is_caught_up(Offset leader_end, LocalTime now, Duration max_lag) const {
    return log_end_offset == leader_end || now - last_caught_up <= max_lag;
  }
};

struct CommittedIsr {
  std::vector<NodeId> isr;
};
struct PendingExpandIsr {
  CommittedIsr last_committed;
  NodeId joining;
  std::uint64_t change = 0;
};
struct PendingShrinkIsr {
  CommittedIsr last_committed;
  std::vector<NodeId> leaving;
  std::uint64_t change = 0;
};
using IsrState = std::variant<CommittedIsr, PendingExpandIsr, PendingShrinkIsr>;

// What a leader asks of the controller. `change` names it until it is answered.
struct IsrChange {
  AlterPartitionRequest::Partition request;
  std::uint64_t change = 0;
};

}  // namespace sim::partition
