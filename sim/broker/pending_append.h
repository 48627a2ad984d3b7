#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "broker/partition_table.h"
#include "broker/purgatory.h"
#include "node/node.h"

// What a broker has asked its disk to write and has not yet heard of.
namespace sim::broker {

// A batch with a place in a log, to be appended when its write was performed, unless that place is gone: the
// log was cut meanwhile, or the partition left.
struct PlacedBatch {
  LocalIndex local = kNotLocal;
  TopicPartition tp;
  std::uint32_t truncations = 0;
  bool as_leader = true;
  Batch batch;
};

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
};

}  // namespace sim::broker
