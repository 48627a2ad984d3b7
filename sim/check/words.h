#pragma once

#include <string>

#include "protocol/ids.h"

// How violations speak of brokers.
namespace sim::check {

inline std::string broker_name(NodeId id) {
  return "broker-" + std::to_string(id.value());
}

}  // namespace sim::check
