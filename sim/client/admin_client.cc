#include "client/admin_client.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/overloaded.h"
#include "node/backoff.h"
#include "protocol/admin_requests.h"

namespace sim::client {

using node::NetworkClient;

namespace {

constexpr node::TimerId kAdminTimer{node::Part::client, 0};
constexpr node::TimerId kAdminNetworkTimer{node::Part::client, 1};

// What a coordinator says of the request as a whole stands with each of its partitions.
ErrorCode coordinator_error(const Message& response) {
  const auto* commit = std::get_if<OffsetCommitResponse>(&response);
  if (commit == nullptr || commit->partitions.empty()) return ErrorCode::none;
  return commit->partitions.front().error;
}

bool is_no_coordinator(ErrorCode error) {
  return error == ErrorCode::coordinator_load_in_progress || error == ErrorCode::coordinator_not_available ||
         error == ErrorCode::not_coordinator;
}

}  // namespace

AdminClient::AdminClient(AdminConfig config, ProcessId self, std::vector<ProcessId> bootstrap)
    : config_(std::move(config)),
      metadata_(std::move(bootstrap), MetadataClient::config_of(config_, false)),
      network_(self, Lane::data, network_config(config_), kAdminNetworkTimer) {}

void AdminClient::call(Message request, Whom whom, node::Env env, node::Effects& out, Duration wait) {
  SIM_CHECK(!call_ && !outcome_, "one call at a time");
  const LocalTime begins = env.now + wait;
  call_ =
      Call{std::move(request), std::move(whom), begins + from_millis(config_.default_api_timeout_ms), begins};
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
    answered(response->message, env);
  } else if (const auto* failure = std::get_if<NetworkClient::Failure>(&event);
             failure != nullptr && is_ours(failure->correlation)) {
    call_->coordinator = kNoProcess;
    try_again(env);
  }
}

void AdminClient::answered(Message& response, node::Env env) {
  if (const auto* found = std::get_if<FindCoordinatorResponse>(&response); found && looks_for_coordinator()) {
    if (is_no_coordinator(found->error)) return try_again(env);
    if (found->error == ErrorCode::none) {
      call_->coordinator = found->endpoint;
      call_->in_flight.reset();
      return;
    }
  }
  if (is_no_coordinator(coordinator_error(response))) {
    call_->coordinator = kNoProcess;
    return try_again(env);
  }
  if (admin_response_says(response, ErrorCode::not_controller)) {
    metadata_.request_update();
    return try_again(env);
  }
  outcome_ = std::move(response);
  call_.reset();
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
  Message request = call_->request;
  if (looks_for_coordinator())
    request = FindCoordinatorRequest{std::get<GroupCoordinator>(call_->whom).group, CoordinatorType::group};
  call_->in_flight = network_.send(to, std::move(request), env, out,
                                   std::min(left, from_millis(config_.request_timeout_ms)));
}

ProcessId AdminClient::server(node::Env env) const {
  return std::visit(Overloaded{
                        [&](const Controller&) { return metadata_.endpoint(metadata_.controller()); },
                        [&](const LeastLoaded&) { return metadata_.least_loaded(network_, env); },
                        [&](const NodeId& node) { return metadata_.endpoint(node); },
                        [&](const GroupCoordinator&) {
                          return looks_for_coordinator() ? metadata_.least_loaded(network_, env)
                                                         : call_->coordinator;
                        },
                    },
                    call_->whom);
}

}  // namespace sim::client
