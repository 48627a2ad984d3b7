#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "node/node.h"
#include "partition/placed_batch.h"
#include "replica/purgatory.h"

// What a broker has asked its disk to write and has not yet heard of.
namespace sim::replica {

using partition::PlacedBatch;

// What a produce request, or the group coordinator, waits for. Its answer is all but the waiting.
struct ProducedAppend {
  std::int16_t acks = -1;
  LocalTime deadline{};
  ProducePurgatory::Operation operation;
};
struct FetchedAppend {
  std::uint32_t fetcher = 0;
};

struct PendingAppend {
  node::PersistId id;
  std::vector<PlacedBatch> batches;
  std::variant<ProducedAppend, FetchedAppend> then;
  bool flushes = false;  // and waits for it
  bool written = false;  // but not yet performed: one before it is not, of the same log

  // Whose batches it has, or repeats.
  std::vector<TopicPartition> logs() const {
    std::vector<TopicPartition> result;
    for (const PlacedBatch& placed : batches) result.push_back(placed.tp);
    const auto* produced = std::get_if<ProducedAppend>(&then);
    if (produced == nullptr) return result;
    for (std::size_t i = 0; i < produced->operation.required.size(); ++i) {
      if (produced->operation.required[i] != kNoOffset)
        result.push_back(produced->operation.outcome.partitions[i].tp);
    }
    return result;
  }
};

}  // namespace sim::replica
