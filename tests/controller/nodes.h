#pragma once

#include <cstdint>
#include <initializer_list>
#include <vector>

#include "protocol/ids.h"

// Replicas, ISRs and the like by their numbers.
namespace sim::controller::test {

using Nodes = std::vector<NodeId>;

inline Nodes nodes(std::initializer_list<std::int32_t> ids) {
  Nodes result;
  for (const std::int32_t id : ids) result.emplace_back(id);
  return result;
}

}  // namespace sim::controller::test
