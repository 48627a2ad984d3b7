#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "node/network_client.h"
#include "server/context.h"

// Requests of a broker to the active controller, one at a time and in order (NodeToControllerChannelManager).
//
// It keeps to the controller that it has turned to, whatever the quorum does, until it cannot be reached, is
// silent for the request timeout, or says NOT_CONTROLLER; then it turns to the one known to lead, and the
// request is sent again before all others. It turns to one also while it has nothing to ask
// (NodeToControllerRequestThread.doWork), so that the next request may go to one that leads no more. A
// request is given up once it is older than the retry timeout; one that is in flight, when it comes back.
//
// Other than Kafka, which looks every 100 ms while it knows no controller, it is told of the next one.
namespace sim::server {

class ControllerChannel {
 public:
  using Ticket = std::uint64_t;
  struct Answer {
    Ticket ticket = 0;
    std::optional<Message> response;  // nullopt: given up
  };
  using Answers = std::vector<Answer>;

  // Timers of the lane's part that are the channel's, from 0 on; the part's own come after them.
  static constexpr std::uint16_t kTimers = 2;
  static constexpr bool is_own_timer(node::TimerId timer) { return timer.number < kTimers; }

  ControllerChannel(ProcessId self, Lane lane, Duration retry_timeout);

  // Who leads the quorum, as far as this server knows; kNoProcess while nobody is known.
  void set_controller(ProcessId controller, node::Env env, node::Effects& out, Answers& answers);
  Ticket send(Message request, node::Env env, node::Effects& out, Answers& answers);
  // Drops all requests and the connection. For good.
  void close(node::Env env, node::Effects& out);

  // What comes back on its lane, and its timers.
  void step(node::Input& input, node::Env env, node::Effects& out, Answers& answers);

 private:
  struct Item {
    Ticket ticket = 0;
    LocalTime created{};
    Message request;
  };

  void maybe_send(node::Env env, node::Effects& out, Answers& answers);
  void give_up_expired(node::Env env, Answers& answers);
  void await_expiry(node::Effects& out);
  void handle(node::NetworkClient::Event& event, node::Env env, node::Effects& out, Answers& answers);

  node::NetworkClient client_;
  node::NetworkClient::Events events_;  // empty between steps
  node::TimerId expiry_timer_;
  Duration retry_timeout_;
  ProcessId known_ = kNoProcess;   // to lead
  ProcessId active_ = kNoProcess;  // whom it has turned to
  std::deque<Item> queue_;
  bool in_flight_ = false;  // the first of the queue is
  LocalTime armed_for_ = LocalTime::max();
  Ticket next_ticket_ = 1;
  bool closed_ = false;
};

}  // namespace sim::server
