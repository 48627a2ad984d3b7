#pragma once

#include <variant>

#include "protocol/messages.h"

// What one must know of a message without looking into it.
namespace sim {

// Whether the stages of its way through a server are told to whoever watches (observe::RequestProgress): an
// order's way leads through produce requests.
inline bool reports_progress(const Message& message) {
  return std::holds_alternative<ProduceRequest>(message) || std::holds_alternative<ProduceResponse>(message);
}

}  // namespace sim
