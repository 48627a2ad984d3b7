#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "node/network_client.h"
#include "protocol/messages.h"

// Requests of one broker to others, over connections of their own, each with one request in flight
// (InterBrokerSendThread in Kafka). A request waits for its connection; if that fails, or breaks, so does the
// request, and its sender decides anew where to send.
//
// Differs from Kafka: a request that comes while its broker is in the back-off after a failed connection
// waits for the end of it (there it fails at once, and its sender comes again and again), unless the channel
// is made to fail it.
namespace sim::transaction {

enum class DuringBackoff : std::uint8_t { wait, fail };

class BrokerChannel {
 public:
  using Ticket = std::uint64_t;
  struct Completion {
    Ticket ticket = 0;
    std::optional<Message> response;  // nullopt: disconnected, or timed out
  };
  using Completions = std::vector<Completion>;

  BrokerChannel(ProcessId self, Lane lane, Duration request_timeout, DuringBackoff during_backoff);

  // What has failed at once is added to `completions`.
  Ticket send(ProcessId to, Message request, node::Env env, node::Effects& out, Completions& completions);
  // What comes back on its lane, and its timer.
  void step(node::Input& input, node::Env env, node::Effects& out, Completions& completions);
  std::int32_t in_flight(ProcessId server) const { return client_.in_flight(server); }

 private:
  struct Unsent {
    ProcessId server;
    Ticket ticket = 0;
    Message request;
  };
  struct Sent {
    ProcessId server;
    CorrelationId correlation = 0;
    Ticket ticket = 0;
  };
  void send_what_can_be(node::Env env, node::Effects& out);
  void fail_unsent(ProcessId server, Completions& completions);
  std::optional<Ticket> take_sent(ProcessId server, CorrelationId correlation);

  node::NetworkClient client_;
  DuringBackoff during_backoff_;
  std::vector<Unsent> unsent_;
  std::vector<Sent> sent_;
  Ticket next_ticket_ = 1;
};

}  // namespace sim::transaction
