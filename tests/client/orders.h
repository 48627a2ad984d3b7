#pragma once

#include <cstdint>

#include "protocol/ids.h"

// The topic that the clients of these tests write and read.
namespace sim::client::test {

inline constexpr TopicId kOrders{5};
inline constexpr TopicPartition orders(std::int32_t partition) {
  return {kOrders, partition};
}

}  // namespace sim::client::test
