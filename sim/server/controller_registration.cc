#include "server/controller_registration.h"

#include <algorithm>

namespace sim::server {
namespace {

constexpr node::TimerId kRetryTimer{node::Part::controller_registration, ControllerChannel::kTimers};
constexpr Duration kChannelRetryTimeout =
    std::chrono::seconds(5);  // ControllerServer, channel "registration"

// ExponentialBackoff(100, 2, 120000, 0.02)
Duration resend_backoff_after(std::int32_t failures, Rng& rng) {
  const std::int64_t term_ms = std::min<std::int64_t>(120'000, std::int64_t{100} << std::min(failures, 20));
  const std::int64_t factor_millionths = rng.between(980'000, 1'020'000);
  return from_millis(std::min<std::int64_t>(120'000, term_ms * factor_millionths / 1'000'000));
}

}  // namespace

ControllerRegistration::ControllerRegistration(const Identity& identity)
    : identity_(identity), channel_(identity.process, Lane::controller_registration, kChannelRetryTimeout) {}

void ControllerRegistration::set_controller(ProcessId controller, node::Env env, node::Effects& out) {
  ControllerChannel::Answers answers;
  channel_.set_controller(controller, env, out, answers);
  handle(answers, env, out);
}

void ControllerRegistration::replayed(const metadata::MetadataImage& committed, node::Env env,
                                      node::Effects& out) {
  has_metadata_ = !committed.feature_levels().empty();
  const metadata::ControllerRegistration* known = committed.controller(identity_.id);
  is_registered_ = known != nullptr && known->incarnation == identity_.incarnation;
  maybe_register(env, out);
}

void ControllerRegistration::maybe_register(node::Env env, node::Effects& out) {
  if (is_registered_ || is_asking_ || is_closed_ || !has_metadata_) return;
  is_asking_ = true;
  ControllerChannel::Answers answers;
  channel_.send(ControllerRegistrationRequest{identity_.id, identity_.incarnation, identity_.process}, env,
                out, answers);
  handle(answers, env, out);
}

void ControllerRegistration::handle(const ControllerChannel::Answers& answers, node::Env env,
                                    node::Effects& out) {
  for (const ControllerChannel::Answer& answer : answers) {
    is_asking_ = false;
    const auto* response =
        answer.response ? std::get_if<ControllerRegistrationResponse>(&*answer.response) : nullptr;
    if (response != nullptr && response->error == ErrorCode::none) {
      failures_ = 0;
      continue;
    }
    const Duration backoff = resend_backoff_after(failures_, env.rng);
    ++failures_;
    out.emplace_back(node::SetTimer{kRetryTimer, env.now + backoff});
  }
}

void ControllerRegistration::close(node::Env env, node::Effects& out) {
  is_closed_ = true;
  channel_.close(env, out);
}

void ControllerRegistration::step(node::Input& input, node::Env env, node::Effects& out) {
  const auto* fired = std::get_if<node::TimerFired>(&input);
  if (fired != nullptr && fired->timer == kRetryTimer) return maybe_register(env, out);
  ControllerChannel::Answers answers;
  channel_.step(input, env, out, answers);
  handle(answers, env, out);
}

}  // namespace sim::server
