#include "transaction/broker_channel.h"

#include <algorithm>
#include <utility>

#include "base/overloaded.h"

namespace sim::transaction {

namespace {

using node::NetworkClient;

constexpr std::uint16_t kChannelTimer = 0;

// NetworkUtils.buildNetworkClient, TransactionMarkerChannelManager
node::NetworkClientConfig channel_config(Duration request_timeout) {
  node::NetworkClientConfig config;
  config.request_timeout = request_timeout;
  config.reconnect_backoff = config.reconnect_backoff_max = std::chrono::milliseconds(50);
  config.max_in_flight = 1;
  return config;
}

}  // namespace

BrokerChannel::BrokerChannel(ProcessId self, Lane lane, Duration request_timeout,
                             DuringBackoff during_backoff)
    : client_(self, lane, channel_config(request_timeout),
              node::TimerId{node::client_of(lane), kChannelTimer}),
      during_backoff_(during_backoff) {}

BrokerChannel::Ticket BrokerChannel::send(ProcessId to, Message request, node::Env env, node::Effects& out,
                                          Completions& completions) {
  const Ticket ticket = next_ticket_++;
  if (during_backoff_ == DuringBackoff::fail && client_.is_backing_off(to, env.now)) {
    completions.push_back({ticket, std::nullopt});
    return ticket;
  }
  unsent_.push_back(Unsent{to, ticket, std::move(request)});
  send_what_can_be(env, out);
  return ticket;
}

void BrokerChannel::send_what_can_be(node::Env env, node::Effects& out) {
  std::erase_if(unsent_, [&](Unsent& one) {
    if (!client_.ready(one.server, env, out)) return false;
    const CorrelationId correlation = client_.send(one.server, std::move(one.request), env, out);
    sent_.push_back(Sent{one.server, correlation, one.ticket});
    return true;
  });
}

void BrokerChannel::fail_unsent(ProcessId server, Completions& completions) {
  for (const Unsent& one : unsent_) {
    if (one.server == server) completions.push_back({one.ticket, std::nullopt});
  }
  std::erase_if(unsent_, [server](const Unsent& one) { return one.server == server; });
}

std::optional<BrokerChannel::Ticket> BrokerChannel::take_sent(ProcessId server, CorrelationId correlation) {
  const auto it = std::find_if(sent_.begin(), sent_.end(), [&](const Sent& one) {
    return one.server == server && one.correlation == correlation;
  });
  if (it == sent_.end()) return std::nullopt;
  const Ticket ticket = it->ticket;
  sent_.erase(it);
  return ticket;
}

void BrokerChannel::step(node::Input& input, node::Env env, node::Effects& out, Completions& completions) {
  NetworkClient::Events events;
  client_.step(input, env, out, events);
  for (NetworkClient::Event& event : events) {
    std::visit(Overloaded{
                   [&](NetworkClient::Response& response) {
                     if (const auto ticket = take_sent(response.server, response.correlation))
                       completions.push_back({*ticket, std::move(response.message)});
                   },
                   [&](const NetworkClient::Failure& failure) {
                     if (const auto ticket = take_sent(failure.server, failure.correlation))
                       completions.push_back({*ticket, std::nullopt});
                   },
                   [&](const NetworkClient::Unavailable& lost) { fail_unsent(lost.server, completions); },
                   [](const NetworkClient::Ready&) {},
                   [](const NetworkClient::MayRetry&) {},
               },
               event);
  }
  send_what_can_be(env, out);
}

}  // namespace sim::transaction
