#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "broker/context.h"
#include "node/network_client.h"

// Requests of a broker to the active controller, one at a time and in order (NodeToControllerChannelManager).
//
// A request is sent again, before all others, when its connection was lost or its receiver said
// NOT_CONTROLLER. It is given up once it is older than the retry timeout, which is looked at only when it
// could be sent.
namespace sim::broker {

class ControllerChannel {
 public:
  using Ticket = std::uint64_t;
  struct Answer {
    Ticket ticket = 0;
    std::optional<Message> response;  // nullopt: given up
  };
  using Answers = std::vector<Answer>;

  ControllerChannel(ProcessId self, Lane lane, node::TimerId timer, Duration retry_timeout);

  // Who is active now; kNoProcess while nobody is known.
  void set_controller(ProcessId controller, node::Env env, node::Effects& out, Answers& answers);
  Ticket send(Message request, node::Env env, node::Effects& out, Answers& answers);

  bool owns(const node::Input& input) const { return client_.owns(input); }
  void step(node::Input& input, node::Env env, node::Effects& out, Answers& answers);

 private:
  struct Item {
    Ticket ticket = 0;
    LocalTime created{};
    Message request;
  };

  void maybe_send(node::Env env, node::Effects& out, Answers& answers);
  void handle(node::NetworkClient::Event& event, node::Env env, node::Effects& out, Answers& answers);

  node::NetworkClient client_;
  Duration retry_timeout_;
  ProcessId controller_ = kNoProcess;
  std::deque<Item> queue_;
  bool in_flight_ = false;  // the first of the queue is
  Ticket next_ticket_ = 1;
};

}  // namespace sim::broker
