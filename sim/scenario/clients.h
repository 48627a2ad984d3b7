#pragma once

#include "scenario/tree.h"

// What a client of a scenario is.
namespace sim::scenario {

// An order service: it produces and consumes nothing.
inline bool places_orders(const Value& client) {
  return client.find("produces") != nullptr && client.find("consumes") == nullptr;
}
// A service that sends on what it has handled.
inline bool sends_on(const Value& client) {
  return client.find("produces") != nullptr && client.find("consumes") != nullptr;
}

}  // namespace sim::scenario
