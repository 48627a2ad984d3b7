#pragma once

#include <cstdint>

#include "partition/partition_table.h"

namespace sim::partition {

// A batch with a place in a log, to be appended when its write was performed, unless that place is gone: the
// log was cut meanwhile, or the partition left.
struct PlacedBatch {
  LocalIndex local = kNotLocal;
  TopicPartition tp;
  std::uint32_t truncations = 0;
  bool as_leader = true;
  Batch batch;
};

}  // namespace sim::partition
