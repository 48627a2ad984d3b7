#include "broker/controller_channel.h"

#include <utility>

#include "base/check.h"
#include "base/overloaded.h"

namespace sim::broker {

namespace {

// NodeToControllerChannelManagerImpl.buildNetworkClient
node::NetworkClientConfig client_config() {
  node::NetworkClientConfig config;
  config.request_timeout = std::chrono::seconds(30);  // controller.socket.timeout.ms
  config.reconnect_backoff = std::chrono::milliseconds(50);
  config.reconnect_backoff_max = std::chrono::milliseconds(50);
  config.max_in_flight = 1;
  return config;
}

bool says_not_controller(const Message& message) {
  constexpr ErrorCode kIt = ErrorCode::not_controller;
  if (const auto* answer = std::get_if<AlterPartitionResponse>(&message)) {
    if (answer->error == kIt) return true;
    for (const auto& partition : answer->partitions) {
      if (partition.error == kIt) return true;
    }
    return false;
  }
  if (const auto* answer = std::get_if<AllocateProducerIdsResponse>(&message)) return answer->error == kIt;
  if (const auto* answer = std::get_if<CreateTopicsResponse>(&message)) {
    for (const auto& topic : answer->topics) {
      if (topic.error == kIt) return true;
    }
  }
  return false;
}

}  // namespace

ControllerChannel::ControllerChannel(ProcessId self, Lane lane, node::TimerId timer, Duration retry_timeout)
    : client_(self, lane, client_config(), timer), retry_timeout_(retry_timeout) {}

void ControllerChannel::set_controller(ProcessId controller, node::Env env, node::Effects& out,
                                       Answers& answers) {
  if (controller == controller_) return;
  controller_ = controller;
  maybe_send(env, out, answers);
}

ControllerChannel::Ticket ControllerChannel::send(Message request, node::Env env, node::Effects& out,
                                                  Answers& answers) {
  const Ticket ticket = next_ticket_++;
  queue_.push_back(Item{ticket, env.now, std::move(request)});
  maybe_send(env, out, answers);
  return ticket;
}

void ControllerChannel::maybe_send(node::Env env, node::Effects& out, Answers& answers) {
  if (in_flight_) return;
  while (!queue_.empty() && env.now - queue_.front().created >= retry_timeout_) {
    answers.push_back(Answer{queue_.front().ticket, std::nullopt});
    queue_.pop_front();
  }
  if (queue_.empty() || controller_ == kNoProcess || !client_.ready(controller_, env, out)) return;
  client_.send(controller_, queue_.front().request, env, out);
  in_flight_ = true;
}

void ControllerChannel::step(node::Input& input, node::Env env, node::Effects& out, Answers& answers) {
  node::NetworkClient::Events events;
  client_.step(input, env, out, events);
  for (std::size_t i = 0; i < events.size(); ++i) handle(events[i], env, out, answers);
}

void ControllerChannel::handle(node::NetworkClient::Event& event, node::Env env, node::Effects& out,
                               Answers& answers) {
  using node::NetworkClient;
  std::visit(Overloaded{
                 [&](NetworkClient::Response& response) {
                   SIM_CHECK(in_flight_, "only what was sent is answered");
                   in_flight_ = false;
                   if (says_not_controller(response.message)) {
                     NetworkClient::Events closed;  // nothing else is in flight
                     client_.close(response.server, env, out, closed);
                     return;
                   }
                   answers.push_back(Answer{queue_.front().ticket, std::move(response.message)});
                   queue_.pop_front();
                 },
                 [&](NetworkClient::Failure&) { in_flight_ = false; },
                 [](NetworkClient::Ready&) {},
                 [](NetworkClient::Unavailable&) {},
                 [](NetworkClient::MayRetry&) {},
             },
             event);
  maybe_send(env, out, answers);
}

}  // namespace sim::broker
