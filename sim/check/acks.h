#pragma once

#include <cstddef>
#include <vector>

#include "protocol/ids.h"

namespace sim::check {

// Whether the producer of a record waits for all in-sync replicas, by its flow or, of what a service sends
// on, by its hop - 1. What is not known does not.
inline bool has_acks_all(RecordId record, const std::vector<bool>& of_flow, const std::vector<bool>& of_hop) {
  const std::int32_t hop = hop_of(record);
  const auto index = static_cast<std::size_t>(hop == 0 ? flow_of(record).value() : hop - 1);
  const std::vector<bool>& known = hop == 0 ? of_flow : of_hop;
  return index < known.size() && known[index];
}

}  // namespace sim::check
