#pragma once

#include <cstdint>
#include <map>
#include <deque>
#include <vector>

#include "base/time.h"
#include "node/backoff.h"
#include "node/node.h"

// The client side of connections, as Kafka's NetworkClient keeps it: connection states with
// reconnect back-off and set-up timeout, the ApiVersions exchange before first use, at most
// max.in.flight.requests.per.connection requests in flight per connection, answers matched by
// correlation id in order, and the request timeout, which closes the whole connection.
//
// It owns every connection of one process on one lane (see Lane). It is a value. It needs one
// timer of its process and keeps all its deadlines behind it.
namespace sim::node {

struct NetworkClientConfig {
  Duration request_timeout = std::chrono::seconds(30);            // request.timeout.ms
  Duration reconnect_backoff = std::chrono::milliseconds(50);     // reconnect.backoff.ms
  Duration reconnect_backoff_max = std::chrono::seconds(1);       // reconnect.backoff.max.ms
  Duration setup_timeout = std::chrono::seconds(10);              // socket.connection.setup.timeout.ms
  Duration setup_timeout_max = std::chrono::seconds(30);          // socket.connection.setup.timeout.max.ms
  std::int32_t max_in_flight = 5;                                 // max.in.flight.requests.per.connection
};

class NetworkClient {
 public:
  // What a step brought for the owner, in order.
  struct Response {
    ProcessId server;
    CorrelationId correlation;
    Message message;
  };
  enum class FailureReason : std::uint8_t { disconnected, timed_out };
  struct Failure {  // of one request in flight
    ProcessId server;
    CorrelationId correlation;
    FailureReason reason;
  };
  struct Ready {  // requests may be sent to this server now
    ProcessId server;
  };
  struct Unavailable {  // a connection attempt failed, or the connection was lost
    ProcessId server;
  };
  struct MayRetry {  // the reconnect back-off of this server is over: ready() would try again
    ProcessId server;
  };
  using Event = std::variant<Response, Failure, Ready, Unavailable, MayRetry>;
  using Events = std::vector<Event>;

  NetworkClient(ProcessId self, Lane lane, NetworkClientConfig config, TimerId timer);

  // True if a request could be sent now. Otherwise begins to connect, unless the back-off forbids
  // it or it is already under way; Ready or Unavailable follows.
  bool ready(ProcessId server, Env env, Effects& out);
  bool is_ready(ProcessId server) const;           // connected, ApiVersions done, room in flight; begins nothing
  bool is_backing_off(ProcessId server, LocalTime now) const;
  std::int32_t in_flight(ProcessId server) const;
  std::int32_t in_flight() const;
  std::vector<ProcessId> connected() const;

  // REQUIRES: is_ready(server). `timeout` 0 = the configured request timeout. With
  // `expect_response` false (acks=0) the request is never in flight.
  CorrelationId send(ProcessId server, Message message, Env env, Effects& out, Duration timeout = Duration{0},
                     bool expect_response = true);
  // Drops the connection; its requests in flight fail as disconnected.
  void close(ProcessId server, Env env, Effects& out, Events& events);

  // Feed every input that concerns this client (`owns` tells); what follows is added to `events`.
  bool owns(const Input& input) const;
  void step(Input& input, Env env, Effects& out, Events& events);

 private:
  enum class State : std::uint8_t { disconnected, connecting, checking_api_versions, ready };
  struct InFlight {
    CorrelationId correlation;
    LocalTime deadline;
    bool internal = false;  // ApiVersions
  };
  struct Connection {
    State state = State::disconnected;
    std::deque<InFlight> in_flight;
    LocalTime setup_deadline{};
    LocalTime may_connect_at{};
    std::int32_t failed_attempts = 0;   // since the last success; drives both back-offs
    std::int32_t setup_attempts = 0;
    bool retry_announced = true;
  };

  Channel channel_to(ProcessId server) const { return Channel{self_, server, lane_}; }
  void lost(ProcessId server, Connection& connection, FailureReason reason, Env env, Events& events);
  void arm(Effects& out);

  ProcessId self_;
  Lane lane_;
  NetworkClientConfig config_;
  TimerId timer_;
  std::map<ProcessId, Connection> connections_;
  CorrelationId next_correlation_ = 0;
  LocalTime armed_for_{kForever};
};

}  // namespace sim::node
