#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "client/config.h"
#include "node/network_client.h"

// One lane of a consumer's connections, with requests that may be made before their connection stands
// (ConsumerNetworkClient in Kafka).
//
// A request waits until its server is ready and fails if the connection cannot be made or is lost. Every
// request made ends in exactly one Completion.
namespace sim::client {

class ConsumerNetwork {
 public:
  using RequestId = std::uint64_t;  // 0 = none
  struct Completion {
    Completion(RequestId of, ProcessId from, std::optional<Message>&& what)
        : id(of), server(from), response(std::move(what)) {}

    RequestId id = 0;
    ProcessId server = kNoProcess;
    std::optional<Message> response;  // none: disconnected (a request timeout disconnects as well)
  };

  ConsumerNetwork(ProcessId self, Lane lane, const ConsumerConfig& config, node::TimerId timer);

  node::NetworkClient& client() { return client_; }
  const node::NetworkClient& client() const { return client_; }

  RequestId send(ProcessId server, Message message, node::Env env, node::Effects& out,
                 Duration timeout = Duration{0});
  // The connection is lost and may not be tried again yet.
  bool is_unavailable(ProcessId server, LocalTime now) const { return client_.is_backing_off(server, now); }
  void disconnect(ProcessId server, node::Env env, node::Effects& out);
  void disconnect_all(node::Env env, node::Effects& out);
  bool idle() const { return unsent_.empty() && in_flight_.empty(); }

  void digest(node::NetworkClient::Event& event, node::Env env, node::Effects& out);
  // In the place of what was in `out`.
  void take_completions(std::vector<Completion>& out) {
    out.clear();
    out.swap(done_);
  }
  bool has_completions() const { return !done_.empty(); }

 private:
  struct Unsent {
    RequestId id;
    ProcessId server;
    Message message;
    Duration timeout;
  };
  struct InFlight {
    RequestId id;
    ProcessId server;
    CorrelationId correlation;
  };

  void send_waiting(ProcessId server, node::Env env, node::Effects& out);
  void complete(ProcessId server, CorrelationId correlation, Message* response);

  node::NetworkClient client_;
  std::deque<Unsent> unsent_;        // oldest first
  std::vector<InFlight> in_flight_;  // few
  std::vector<Completion> done_;
  RequestId last_ = 0;
};

}  // namespace sim::client
