#include "server/controller_channel.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/overloaded.h"
#include "protocol/admin_requests.h"

namespace sim::server {

namespace {

constexpr std::uint16_t kNetworkTimer = 0;
constexpr std::uint16_t kExpiryTimer = 1;

// NodeToControllerChannelManagerImpl.buildNetworkClient
node::NetworkClientConfig client_config(Duration retry_timeout) {
  node::NetworkClientConfig config;
  const Duration socket_timeout = std::chrono::seconds(30);  // controller.socket.timeout.ms
  config.request_timeout = std::min(socket_timeout, retry_timeout);
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
  if (const auto* answer = std::get_if<BrokerRegistrationResponse>(&message)) return answer->error == kIt;
  if (const auto* answer = std::get_if<BrokerHeartbeatResponse>(&message)) return answer->error == kIt;
  if (const auto* answer = std::get_if<ControllerRegistrationResponse>(&message)) return answer->error == kIt;
  if (const auto* answer = std::get_if<AllocateProducerIdsResponse>(&message)) return answer->error == kIt;
  if (const auto* answer = std::get_if<AssignReplicasToDirsResponse>(&message)) return answer->error == kIt;
  return admin_response_says(message, kIt);
}

}  // namespace

ControllerChannel::ControllerChannel(ProcessId self, Lane lane, Duration retry_timeout)
    : client_(self, lane, client_config(retry_timeout), node::TimerId{node::client_of(lane), kNetworkTimer}),
      expiry_timer_{node::client_of(lane), kExpiryTimer},
      retry_timeout_(retry_timeout) {}

void ControllerChannel::set_controller(ProcessId controller, node::Env env, node::Effects& out,
                                       Answers& answers) {
  known_ = controller;
  if (active_ == kNoProcess) maybe_send(env, out, answers);
}

ControllerChannel::Ticket ControllerChannel::send(Message request, node::Env env, node::Effects& out,
                                                  Answers& answers) {
  const Ticket ticket = next_ticket_++;
  queue_.push_back(Item{ticket, env.now, std::move(request)});
  maybe_send(env, out, answers);
  return ticket;
}

void ControllerChannel::close(node::Env env, node::Effects& out) {
  closed_ = true;
  queue_.clear();
  in_flight_ = false;
  node::NetworkClient::Events nobody_cares;
  if (active_ != kNoProcess) client_.close(active_, env, out, nobody_cares);
  active_ = kNoProcess;
}

void ControllerChannel::maybe_send(node::Env env, node::Effects& out, Answers& answers) {
  if (in_flight_ || closed_) return;
  give_up_expired(env, answers);
  if (active_ == kNoProcess) active_ = known_;  // doWork: also while there is nothing to ask
  if (queue_.empty()) return;
  if (active_ == kNoProcess || !client_.ready(active_, env, out)) return await_expiry(out);
  client_.send(active_, Message(queue_.front().request), env, out);
  in_flight_ = true;
}

// What waited in vain for a connection (InterBrokerSendThread.failExpiredRequests) leaves its controller,
// too.
void ControllerChannel::give_up_expired(node::Env env, Answers& answers) {
  while (!queue_.empty() && env.now - queue_.front().created >= retry_timeout_) {
    active_ = kNoProcess;
    answers.push_back(Answer{queue_.front().ticket, std::nullopt});
    queue_.pop_front();
  }
}

void ControllerChannel::await_expiry(node::Effects& out) {
  if (retry_timeout_ == kForever) return;
  const LocalTime expires = queue_.front().created + retry_timeout_;
  if (armed_for_ <= expires) return;
  armed_for_ = expires;
  out.emplace_back(node::SetTimer{expiry_timer_, expires});
}

void ControllerChannel::step(node::Input& input, node::Env env, node::Effects& out, Answers& answers) {
  const auto* fired = std::get_if<node::TimerFired>(&input);
  if (fired != nullptr && fired->timer == expiry_timer_) {
    armed_for_ = LocalTime::max();
    return maybe_send(env, out, answers);
  }
  node::NetworkClient::Events events = std::move(events_);  // its memory is used again
  client_.step(input, env, out, events);
  for (std::size_t i = 0; i < events.size(); ++i) handle(events[i], env, out, answers);
  events.clear();
  events_ = std::move(events);
}

void ControllerChannel::handle(node::NetworkClient::Event& event, node::Env env, node::Effects& out,
                               Answers& answers) {
  using node::NetworkClient;
  std::visit(Overloaded{
                 [&](NetworkClient::Response& response) {
                   if (closed_) return;
                   SIM_CHECK(in_flight_, "only what was sent is answered");
                   in_flight_ = false;
                   if (says_not_controller(response.message)) {
                     NetworkClient::Events closed;  // nothing else is in flight
                     client_.close(response.server, env, out, closed);
                     active_ = kNoProcess;
                     return;
                   }
                   answers.push_back(Answer{queue_.front().ticket, std::move(response.message)});
                   queue_.pop_front();
                 },
                 [&](NetworkClient::Failure& failure) {
                   in_flight_ = false;
                   if (failure.server == active_) active_ = kNoProcess;
                 },
                 [](NetworkClient::Ready&) {},
                 [&](NetworkClient::Unavailable& lost) {
                   // Only a request that waited for the connection hears of its end.
                   if (lost.server == active_ && !in_flight_ && !queue_.empty()) active_ = kNoProcess;
                 },
                 [](NetworkClient::MayRetry&) {},
             },
             event);
  maybe_send(env, out, answers);
}

}  // namespace sim::server
