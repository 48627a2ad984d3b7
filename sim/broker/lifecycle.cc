#include "broker/lifecycle.h"

#include <utility>

#include "base/check.h"

namespace sim::broker {

namespace {

constexpr node::TimerId lifecycle_timer(std::uint16_t number) {
  return {node::Part::lifecycle, static_cast<std::uint16_t>(ControllerChannel::kTimers + number)};
}
constexpr node::TimerId kCommunicationTimer = lifecycle_timer(0);
constexpr node::TimerId kRegistrationTimer = lifecycle_timer(1);
constexpr node::TimerId kLogDirFailureTimer = lifecycle_timer(2);

constexpr Duration kWhileStarting = std::chrono::milliseconds(10);
constexpr Duration kFirstWhileShuttingDown = std::chrono::milliseconds(50);

}  // namespace

// A request to the controller is given up after half a session (KAFKA-14392).
Lifecycle::Lifecycle(Identity identity, const BrokerConfig& config)
    : identity_(std::move(identity)),
      channel_(identity_.process, Lane::heartbeat, from_millis(config.broker_session_timeout_ms / 2)),
      ready_to_unfence_(is_first_life()) {}

void Lifecycle::start(const Context& context) {
  state_ = BrokerState::starting;
  const Duration timeout = from_millis(context.config.initial_broker_registration_timeout_ms);
  context.out.emplace_back(node::SetTimer{kRegistrationTimer, context.now() + timeout});
  communicate(context);
}

void Lifecycle::set_controller(ProcessId controller, const Context& context) {
  ControllerChannel::Answers answers;
  channel_.set_controller(controller, context.env, context.out, answers);
  handle(answers, context);
}

void Lifecycle::set_ready_to_unfence(const Context& context) {
  ready_to_unfence_ = true;
  schedule(Duration{0}, context);
}

// A broker that is not running has nothing to hand over.
void Lifecycle::begin_controlled_shutdown(const Context& context) {
  if (state_ == BrokerState::pending_controlled_shutdown) return;
  if (state_ != BrokerState::running) return begin_shutdown(context);
  state_ = BrokerState::pending_controlled_shutdown;
  schedule(Duration{0}, context);
}

void Lifecycle::begin_shutdown(const Context& context) {
  if (state_ == BrokerState::shutting_down) return;
  state_ = BrokerState::shutting_down;
  channel_.close(context.env, context.out);
  context.out.emplace_back(node::CancelTimer{kCommunicationTimer});
  context.out.emplace_back(node::CancelTimer{kRegistrationTimer});
}

// ---- Log directories (propagateDirectoryFailure)

void Lifecycle::directory_failed(DirectoryId directory, const Context& context) {
  if (state_ == BrokerState::shutting_down) return;
  const Duration timeout = from_millis(context.config.log_dir_failure_timeout_ms);
  offline_directories_.push_back({directory, context.now() + timeout, false});
  await_news_told(context);
  if (registered_) schedule(Duration{0}, context);
}

void Lifecycle::await_news_told(const Context& context) {
  for (const OfflineDirectory& one : offline_directories_) {
    if (one.is_told) continue;
    if (one.tell_until <= context.now()) return begin_shutdown(context);
    context.out.emplace_back(node::SetTimer{kLogDirFailureTimer, one.tell_until});
    return;
  }
}

// ---- Requests

void Lifecycle::step(node::Input& input, const Context& context) {
  if (state_ == BrokerState::shutting_down) return;
  const auto* fired = std::get_if<node::TimerFired>(&input);
  if (fired != nullptr && !ControllerChannel::is_own_timer(fired->timer)) {
    if (fired->timer == kCommunicationTimer) return communicate(context);
    if (fired->timer == kLogDirFailureTimer) return await_news_told(context);
    if (!registered_) begin_shutdown(context);
    return;
  }
  ControllerChannel::Answers answers;
  channel_.step(input, context.env, context.out, answers);
  handle(answers, context);
}

void Lifecycle::communicate(const Context& context) {
  if (communication_in_flight_) {
    next_is_immediate_ = true;
  } else if (registered_) {
    BrokerHeartbeatRequest request;
    request.broker = identity_.id;
    request.broker_epoch = broker_epoch_;
    request.current_metadata_offset = context.image.end_offset() - 1;
    request.want_fence = !ready_to_unfence_;
    request.want_shut_down = state_ == BrokerState::pending_controlled_shutdown;
    for (const OfflineDirectory& one : offline_directories_) request.offline_log_dirs.push_back(one.id);
    offline_directories_sent_ = offline_directories_.size();
    request.tells_cordoned_log_dirs =
        context.config.history.cordoned_log_directories && state_ != BrokerState::starting;
    send(std::move(request), context);
  } else {
    BrokerRegistrationRequest request;
    request.broker = identity_.id;
    request.incarnation = identity_.incarnation.value();
    request.endpoint = identity_.process;
    request.rack = identity_.rack;
    request.previous_broker_epoch = identity_.previous_broker_epoch;
    request.log_dirs = identity_.log_dirs;
    send(std::move(request), context);
  }
}

void Lifecycle::send(Message request, const Context& context) {
  communication_in_flight_ = true;
  ControllerChannel::Answers answers;
  channel_.send(std::move(request), context.env, context.out, answers);
  handle(answers, context);
}

void Lifecycle::handle(const ControllerChannel::Answers& answers, const Context& context) {
  for (const ControllerChannel::Answer& answer : answers) {
    communication_in_flight_ = false;
    if (!answer.response) {
      schedule_after_failure(context);
    } else if (const auto* registration = std::get_if<BrokerRegistrationResponse>(&*answer.response)) {
      on(*registration, context);
    } else {
      on(std::get<BrokerHeartbeatResponse>(*answer.response), context);
    }
  }
}

void Lifecycle::on(const BrokerRegistrationResponse& response, const Context& context) {
  if (response.error != ErrorCode::none) return schedule_after_failure(context);
  broker_epoch_ = response.broker_epoch;
  registered_ = true;
  context.out.emplace_back(node::CancelTimer{kRegistrationTimer});
  schedule(Duration{0}, context);
}

void Lifecycle::on(const BrokerHeartbeatResponse& response, const Context& context) {
  if (response.error != ErrorCode::none) return schedule_after_failure(context);
  for (std::size_t i = 0; i < offline_directories_sent_; ++i) offline_directories_[i].is_told = true;
  switch (state_) {
    case BrokerState::starting:
      if (response.is_caught_up) state_ = BrokerState::recovery;
      return schedule(kWhileStarting, context);
    case BrokerState::recovery:
      if (!response.is_fenced) state_ = BrokerState::running;
      return schedule_in_an_interval(context);
    case BrokerState::running: return schedule_in_an_interval(context);
    case BrokerState::pending_controlled_shutdown:
      if (response.should_shut_down) return begin_shutdown(context);
      if (std::exchange(got_controlled_shutdown_response_, true)) return schedule_in_an_interval(context);
      return schedule(kFirstWhileShuttingDown, context);
    case BrokerState::not_running:
    case BrokerState::shutting_down: SIM_CHECK(false, "who is not up sends no heartbeats");
  }
}

// ---- When

// At once is at once, unless a request is under way: then it is when that was answered.
void Lifecycle::schedule(Duration delay, const Context& context) {
  if (std::exchange(next_is_immediate_, false)) delay = Duration{0};
  if (delay > Duration{0}) {
    context.out.emplace_back(node::SetTimer{kCommunicationTimer, context.now() + delay});
  } else {
    context.out.emplace_back(node::CancelTimer{kCommunicationTimer});
    communicate(context);
  }
}

void Lifecycle::schedule_in_an_interval(const Context& context) {
  const Duration interval = from_millis(context.config.broker_heartbeat_interval_ms);
  const Duration first = std::exchange(identity_.first_interval, Duration{});
  schedule(first > Duration{} ? first : interval, context);
}

void Lifecycle::schedule_after_failure(const Context& context) {
  next_is_immediate_ = false;  // not after a failure
  schedule_in_an_interval(context);
}

}  // namespace sim::broker
