#pragma once

#include <cstdint>
#include <map>
#include <variant>
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
// timer of its process and keeps all its deadlines behind it; the timer is set again only for a
// deadline earlier than what it is set for, so a request costs no effect but its own.
//
// Left out: connections.max.idle.ms (a connection stays until someone closes it), several addresses
// behind one name, and the socket's send buffer (a request counts as written once sent).
namespace sim::node {

struct NetworkClientConfig {
  Duration request_timeout = std::chrono::seconds(30);         // request.timeout.ms
  Duration reconnect_backoff = std::chrono::milliseconds(50);  // reconnect.backoff.ms
  Duration reconnect_backoff_max = std::chrono::seconds(1);    // reconnect.backoff.max.ms
  Duration setup_timeout = std::chrono::seconds(10);           // socket.connection.setup.timeout.ms
  Duration setup_timeout_max = std::chrono::seconds(30);       // socket.connection.setup.timeout.max.ms
  std::int32_t max_in_flight = 5;                              // max.in.flight.requests.per.connection
};

class NetworkClient {
 public:
  // What a step brought for the owner, in order. When a connection is lost, its requests fail in the order
  // in which they were sent, then the server is Unavailable.
  struct Response {
    Response(ProcessId from, CorrelationId to, Message&& what)
        : server(from), correlation(to), message(std::move(what)) {}

    ProcessId server;
    CorrelationId correlation;
    Message message;
  };
  // A request timeout fails every request in flight on its connection as timed_out.
  enum class FailureReason : std::uint8_t { disconnected, timed_out };
  struct Failure {  // of one request in flight
    ProcessId server;
    CorrelationId correlation;
    FailureReason reason;
  };
  struct Ready {  // requests may be sent to this server now: it is connected, or a throttle is over
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
  bool is_ready(ProcessId server) const;       // connected, ApiVersions done, room in flight; begins nothing
  bool is_connected(ProcessId server) const;   // connected, ApiVersions done, whatever is in flight
  bool is_preparing(ProcessId server) const;   // connecting, or waiting for ApiVersions
  bool is_connecting(ProcessId server) const;  // not connected yet
  bool is_backing_off(ProcessId server, LocalTime now) const;
  bool can_connect(ProcessId server,
                   LocalTime now) const;           // neither connected nor on the way nor backing off
  std::int32_t in_flight(ProcessId server) const;  // the owner's requests; ApiVersions does not count
  std::int32_t in_flight() const;
  std::vector<ProcessId> connected() const;
  // Of the last attempt to connect, or of its end; the earliest time there is if there was none.
  LocalTime last_attempt(ProcessId server) const;

  // The level of the feature transaction.version that the servers have told last (ApiVersions).
  TransactionVersion transaction_version() const { return transaction_version_; }

  // REQUIRES: is_ready(server). `timeout` 0 = the configured request timeout. With
  // `expect_response` false (acks=0) the request is never in flight.
  CorrelationId send(ProcessId server, Message&& message, Env env, Effects& out,
                     Duration timeout = Duration{0}, bool expect_response = true);
  // Drops the connection; its requests in flight fail as disconnected.
  void close(ProcessId server, Env env, Effects& out, Events& events);

  // Feed every input that concerns this client: its timer, and what comes back on its lane; what follows is
  // added to `events`.
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
    std::vector<InFlight> in_flight;  // oldest first; few
    LocalTime setup_deadline{};
    LocalTime last_attempt = LocalTime::min();
    LocalTime may_connect_at = LocalTime::min();
    std::int32_t failed_attempts = 0;  // since it was last ready; drives the reconnect back-off
    std::int32_t setup_attempts = 0;   // that never got connected; drives the set-up timeout
    bool retry_announced = true;
    bool throttled = false;  // an answer asked for silence
    LocalTime throttled_until{};
  };

  bool is_for_us(const Input& input) const;
  Channel channel_to(ProcessId server) const { return Channel{self_, server, lane_}; }
  const Connection* find(ProcessId server) const;
  Connection* find(const Channel& channel);
  void connect(ProcessId server, Connection& connection, Env env, Effects& out);
  CorrelationId transmit(ProcessId server, Connection& connection, Message&& message, InFlight request,
                         Effects& out);
  void on_connected(const Channel& channel, Env env, Effects& out);
  void on_response(Envelope& envelope, Env env, Effects& out, Events& events);
  void throttle(Connection& connection, Duration by, Env env, Effects& out);
  void on_timer(Env env, Effects& out, Events& events);
  void lost(ProcessId server, Connection& connection, FailureReason reason, Env env, Effects& out,
            Events& events);
  void need_wakeup(LocalTime deadline, Effects& out);

  ProcessId self_;
  Lane lane_;
  NetworkClientConfig config_;
  TimerId timer_;
  std::map<ProcessId, Connection> connections_;
  CorrelationId next_correlation_ = 0;
  TransactionVersion transaction_version_ = kTransactionVersion0;
  LocalTime armed_for_ = LocalTime::max();
};

}  // namespace sim::node
