#include "client/admin_client.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "node/backoff.h"
#include "protocol/admin_requests.h"

namespace sim::client {

using node::NetworkClient;

namespace {

constexpr node::TimerId kAdminTimer{node::Part::client, 0};
constexpr node::TimerId kAdminNetworkTimer{node::Part::client, 1};

}  // namespace

AdminClient::AdminClient(AdminConfig config, ProcessId self, std::vector<ProcessId> bootstrap)
    : config_(std::move(config)),
      metadata_(std::move(bootstrap), MetadataClient::config_of(config_, false)),
      network_(self, Lane::data, network_config(config_), kAdminNetworkTimer) {}

void AdminClient::call(Message request, Whom whom, node::Env env, node::Effects& out) {
  SIM_CHECK(!call_ && !outcome_, "one call at a time");
  call_ = Call{std::move(request), whom, env.now + from_millis(config_.default_api_timeout_ms)};
  progress(env, out);
}

void AdminClient::step(node::Input& input, node::Env env, node::Effects& out) {
  const auto* fired = std::get_if<node::TimerFired>(&input);
  if (fired == nullptr || fired->timer == kAdminNetworkTimer) {
    NetworkClient::Events events;
    network_.step(input, env, out, events);
    for (NetworkClient::Event& event : events) {
      if (!metadata_.digest(event, env)) handle(event, env);
    }
  }
  progress(env, out);
}

void AdminClient::handle(NetworkClient::Event& event, node::Env env) {
  const auto is_ours = [this](CorrelationId correlation) { return call_ && call_->in_flight == correlation; };
  if (auto* response = std::get_if<NetworkClient::Response>(&event);
      response != nullptr && is_ours(response->correlation)) {
    if (admin_response_says(response->message, ErrorCode::not_controller)) {
      metadata_.request_update();
      return try_again(env);
    }
    outcome_ = std::move(response->message);
    call_.reset();
  } else if (const auto* failure = std::get_if<NetworkClient::Failure>(&event);
             failure != nullptr && is_ours(failure->correlation)) {
    try_again(env);
  }
}

void AdminClient::try_again(node::Env env) {
  call_->in_flight.reset();
  call_->next_try =
      env.now + node::exponential_backoff(from_millis(config_.retry_backoff_ms),
                                          from_millis(config_.retry_backoff_max_ms), call_->tries++, env.rng);
}

void AdminClient::progress(node::Env env, node::Effects& out) {
  if (call_ && env.now >= call_->deadline) {
    outcome_ = ErrorCode::request_timed_out;
    call_.reset();
  }
  if (!call_) return;
  if (!call_->in_flight && env.now >= call_->next_try) send(env, out);
  metadata_.maybe_update(network_, env, out);
  LocalTime next = std::min(call_->deadline, metadata_.next_update_at());
  if (!call_->in_flight && call_->next_try > env.now) next = std::min(next, call_->next_try);
  if (next > env.now) out.emplace_back(node::SetTimer{kAdminTimer, next});
}

// Whatever it lacks ends in an event of the network, or in metadata.
void AdminClient::send(node::Env env, node::Effects& out) {
  if (!metadata_.is_settled()) return;
  const ProcessId to = server(env);
  if (to == kNoProcess) return metadata_.request_update();
  if (!network_.ready(to, env, out)) return;
  const Duration left = call_->deadline - env.now;
  call_->in_flight = network_.send(to, Message(call_->request), env, out,
                                   std::min(left, from_millis(config_.request_timeout_ms)));
}

ProcessId AdminClient::server(node::Env env) {
  return call_->whom == Whom::controller ? metadata_.endpoint(metadata_.controller())
                                         : metadata_.least_loaded(network_, env);
}

}  // namespace sim::client
