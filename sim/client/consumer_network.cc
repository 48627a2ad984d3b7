#include "client/consumer_network.h"

#include <algorithm>

#include "base/overloaded.h"
#include "client/client_metadata.h"

namespace sim::client {

using node::NetworkClient;

namespace {

node::NetworkClientConfig consumer_network_config(const ConsumerConfig& config) {
  node::NetworkClientConfig out = network_config(config);
  out.max_in_flight = 100;  // CONSUMER_MAX_INFLIGHT_REQUESTS_PER_CONNECTION
  return out;
}

}  // namespace

ConsumerNetwork::ConsumerNetwork(ProcessId self, Lane lane, const ConsumerConfig& config, node::TimerId timer)
    : client_(self, lane, consumer_network_config(config), timer) {}

ConsumerNetwork::RequestId ConsumerNetwork::send(ProcessId server, Message message, node::Env env,
                                                 node::Effects& out, Duration timeout) {
  const RequestId id = ++last_;
  if (client_.ready(server, env, out)) {
    const CorrelationId correlation = client_.send(server, std::move(message), env, out, timeout);
    in_flight_.push_back(InFlight{id, server, correlation});
  } else if (client_.is_backing_off(server, env.now)) {
    done_.push_back(Completion{id, server, std::nullopt});
  } else {
    unsent_.push_back(Unsent{id, server, std::move(message), timeout});
  }
  return id;
}

void ConsumerNetwork::disconnect(ProcessId server, node::Env env, node::Effects& out) {
  NetworkClient::Events events;
  client_.close(server, env, out, events);
  for (NetworkClient::Event& event : events) digest(event, env, out);
}

void ConsumerNetwork::disconnect_all(node::Env env, node::Effects& out) {
  for (const ProcessId server : client_.connected()) disconnect(server, env, out);
}

void ConsumerNetwork::digest(NetworkClient::Event& event, node::Env env, node::Effects& out) {
  std::visit(Overloaded{
                 [&](NetworkClient::Response& response) {
                   complete(response.server, response.correlation, &response.message);
                   if (!unsent_.empty()) send_waiting(response.server, env, out);
                 },
                 [&](const NetworkClient::Failure& failure) {
                   complete(failure.server, failure.correlation, nullptr);
                 },
                 [&](const NetworkClient::Ready& ready) { send_waiting(ready.server, env, out); },
                 [&](const NetworkClient::Unavailable& lost) {
                   const auto gone = std::stable_partition(
                       unsent_.begin(), unsent_.end(),
                       [&](const Unsent& request) { return request.server != lost.server; });
                   for (auto request = gone; request != unsent_.end(); ++request) {
                     done_.push_back(Completion{request->id, request->server, std::nullopt});
                   }
                   unsent_.erase(gone, unsent_.end());
                 },
                 [](const NetworkClient::MayRetry&) {},
             },
             event);
}

void ConsumerNetwork::send_waiting(ProcessId server, node::Env env, node::Effects& out) {
  for (auto request = unsent_.begin(); request != unsent_.end();) {
    if (request->server != server) {
      ++request;
      continue;
    }
    if (!client_.is_ready(server)) return;
    const CorrelationId correlation =
        client_.send(server, std::move(request->message), env, out, request->timeout);
    in_flight_.push_back(InFlight{request->id, server, correlation});
    request = unsent_.erase(request);
  }
}

void ConsumerNetwork::complete(ProcessId server, CorrelationId correlation, Message* response) {
  const auto request = std::find_if(in_flight_.begin(), in_flight_.end(), [&](const InFlight& flying) {
    return flying.correlation == correlation && flying.server == server;
  });
  if (request == in_flight_.end()) return;
  Completion& done = done_.emplace_back(request->id, server, std::nullopt);
  if (response != nullptr) done.response.emplace(std::move(*response));
  in_flight_.erase(request);
}

}  // namespace sim::client
