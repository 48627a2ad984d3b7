#pragma once

#include <cstdint>
#include <utility>

#include "node/node.h"
#include "protocol/envelope.h"

// Where the answer of a request goes that is not answered at once.
namespace sim::server {

struct ReplyTo {
  Channel channel;
  CorrelationId correlation = 0;
  // Of a client's request, if there are quotas: the time it has taken of a thread, and its size.
  std::int32_t thread_nanos = 0;
  std::int32_t request_bytes = 0;
  bool operator==(const ReplyTo&) const = default;
};

inline void send(const ReplyTo& to, Message message, node::Effects& out) {
  out.emplace_back(node::Send{Envelope{to.channel, to.correlation, true, std::move(message)}});
}

}  // namespace sim::server
