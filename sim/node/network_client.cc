#include "node/network_client.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace sim::node {

namespace {

bool has_expired_request(const auto& in_flight, LocalTime now) {
  return std::any_of(in_flight.begin(), in_flight.end(),
                     [now](const auto& request) { return request.deadline <= now; });
}

}  // namespace

NetworkClient::NetworkClient(ProcessId self, Lane lane, NetworkClientConfig config, TimerId timer)
    : self_(self), lane_(lane), config_(config), timer_(timer) {}

const NetworkClient::Connection* NetworkClient::find(ProcessId server) const {
  const auto it = connections_.find(server);
  return it == connections_.end() ? nullptr : &it->second;
}

NetworkClient::Connection* NetworkClient::find(const Channel& channel) {
  const auto it = connections_.find(channel.server);
  return it == connections_.end() ? nullptr : &it->second;
}

bool NetworkClient::is_ready(ProcessId server) const {
  const Connection* connection = find(server);
  return connection != nullptr && connection->state == State::ready && !connection->throttled &&
         std::cmp_less(connection->in_flight.size(), config_.max_in_flight);
}

bool NetworkClient::is_connected(ProcessId server) const {
  const Connection* connection = find(server);
  return connection != nullptr && connection->state == State::ready;
}

bool NetworkClient::is_preparing(ProcessId server) const {
  const Connection* connection = find(server);
  return connection != nullptr &&
         (connection->state == State::connecting || connection->state == State::checking_api_versions);
}

bool NetworkClient::is_connecting(ProcessId server) const {
  const Connection* connection = find(server);
  return connection != nullptr && connection->state == State::connecting;
}

bool NetworkClient::can_connect(ProcessId server, LocalTime now) const {
  const Connection* connection = find(server);
  return connection == nullptr ||
         (connection->state == State::disconnected && now >= connection->may_connect_at);
}

bool NetworkClient::is_backing_off(ProcessId server, LocalTime now) const {
  const Connection* connection = find(server);
  return connection != nullptr && connection->state == State::disconnected &&
         now < connection->may_connect_at;
}

LocalTime NetworkClient::last_attempt(ProcessId server) const {
  const Connection* connection = find(server);
  return connection == nullptr ? LocalTime::min() : connection->last_attempt;
}

std::int32_t NetworkClient::in_flight(ProcessId server) const {
  const Connection* connection = find(server);
  if (connection == nullptr || connection->state != State::ready) return 0;
  return static_cast<std::int32_t>(connection->in_flight.size());
}

std::int32_t NetworkClient::in_flight() const {
  std::int32_t sum = 0;
  for (const auto& [server, connection] : connections_) sum += in_flight(server);
  return sum;
}

std::vector<ProcessId> NetworkClient::connected() const {
  std::vector<ProcessId> servers;
  for (const auto& [server, connection] : connections_) {
    if (connection.state == State::ready) servers.push_back(server);
  }
  return servers;
}

bool NetworkClient::ready(ProcessId server, Env env, Effects& out) {
  Connection& connection = connections_[server];
  if (connection.state == State::ready) return is_ready(server);
  if (connection.state == State::disconnected && env.now >= connection.may_connect_at)
    connect(server, connection, env, out);
  return false;
}

void NetworkClient::connect(ProcessId server, Connection& connection, Env env, Effects& out) {
  const Duration timeout = exponential_backoff(config_.setup_timeout, config_.setup_timeout_max,
                                               connection.setup_attempts, env.rng);
  connection.state = State::connecting;
  connection.last_attempt = env.now;
  connection.setup_deadline = env.now + timeout;
  connection.retry_announced = true;
  out.emplace_back(Connect{channel_to(server)});
  need_wakeup(connection.setup_deadline, out);
}

CorrelationId NetworkClient::send(ProcessId server, Message&& message, Env env, Effects& out,
                                  Duration timeout, bool expect_response) {
  const auto it = connections_.find(server);
  SIM_CHECK(it != connections_.end() && it->second.state == State::ready,
            "requests go to servers that are ready");
  Connection& connection = it->second;
  if (!expect_response) {
    const CorrelationId correlation = next_correlation_++;
    out.emplace_back(std::in_place_type<Send>, channel_to(server), correlation, false, std::move(message));
    return correlation;
  }
  SIM_CHECK(std::cmp_less(connection.in_flight.size(), config_.max_in_flight), "there is room in flight");
  const LocalTime deadline = env.now + (timeout == Duration{0} ? config_.request_timeout : timeout);
  return transmit(server, connection, std::move(message), InFlight{0, deadline, false}, out);
}

CorrelationId NetworkClient::transmit(ProcessId server, Connection& connection, Message&& message,
                                      InFlight request, Effects& out) {
  request.correlation = next_correlation_++;
  connection.in_flight.push_back(request);
  out.emplace_back(std::in_place_type<Send>, channel_to(server), request.correlation, false,
                   std::move(message));
  need_wakeup(request.deadline, out);
  return request.correlation;
}

void NetworkClient::close(ProcessId server, Env env, Effects& out, Events& events) {
  const auto it = connections_.find(server);
  if (it == connections_.end() || it->second.state == State::disconnected) return;
  out.emplace_back(Disconnect{channel_to(server)});
  lost(server, it->second, FailureReason::disconnected, env, out, events);
}

bool NetworkClient::is_for_us(const Input& input) const {
  const auto mine = [this](const Channel& channel) {
    return channel.client == self_ && channel.lane == lane_;
  };
  if (const auto* received = std::get_if<Received>(&input))
    return received->envelope.response && mine(received->envelope.channel);
  if (const auto* fired = std::get_if<TimerFired>(&input)) return fired->timer == timer_;
  if (const auto* connected = std::get_if<Connected>(&input)) return mine(connected->channel);
  if (const auto* disconnected = std::get_if<Disconnected>(&input)) return mine(disconnected->channel);
  return false;
}

void NetworkClient::step(Input& input, Env env, Effects& out, Events& events) {
  SIM_CHECK(is_for_us(input), "a client is fed its own inputs");
  if (auto* received = std::get_if<Received>(&input)) {
    on_response(received->envelope, env, out, events);
  } else if (const auto* connected = std::get_if<Connected>(&input)) {
    on_connected(connected->channel, env, out);
  } else if (const auto* disconnected = std::get_if<Disconnected>(&input)) {
    Connection* connection = find(disconnected->channel);
    if (connection == nullptr || connection->state == State::disconnected) return;
    lost(disconnected->channel.server, *connection, FailureReason::disconnected, env, out, events);
  } else {
    on_timer(env, out, events);
  }
}

void NetworkClient::on_connected(const Channel& channel, Env env, Effects& out) {
  Connection* connection = find(channel);
  if (connection == nullptr || connection->state != State::connecting) return;  // given up before
  connection->state = State::checking_api_versions;
  connection->setup_attempts = 0;
  transmit(channel.server, *connection, ApiVersionsRequest{},
           InFlight{0, env.now + config_.request_timeout, true}, out);
}

void NetworkClient::on_response(Envelope& envelope, Env env, Effects& out, Events& events) {
  const ProcessId server = envelope.channel.server;
  Connection* connection = find(envelope.channel);
  if (connection == nullptr || connection->in_flight.empty()) return;
  if (connection->in_flight.front().correlation != envelope.correlation)
    return;  // to an earlier connection: too late
  const bool internal = connection->in_flight.front().internal;
  connection->in_flight.erase(connection->in_flight.begin());
  if (envelope.throttle_ms > 0) throttle(*connection, from_millis(envelope.throttle_ms), env, out);
  if (!internal) {
    events.emplace_back(std::in_place_type<Response>, server, envelope.correlation,
                        std::move(envelope.message));
    return;
  }
  const auto* versions = std::get_if<ApiVersionsResponse>(&envelope.message);
  SIM_CHECK(versions != nullptr, "ApiVersions is answered in kind");
  if (versions->error != ErrorCode::none) return close(server, env, out, events);
  transaction_version_ = versions->transaction_version;
  connection->state = State::ready;
  connection->failed_attempts = 0;
  events.emplace_back(Ready{server});
}

// NetworkClient.maybeThrottle (KIP-219)
void NetworkClient::throttle(Connection& connection, Duration by, Env env, Effects& out) {
  connection.throttled = true;
  connection.throttled_until = env.now + by;
  need_wakeup(connection.throttled_until, out);
}

void NetworkClient::on_timer(Env env, Effects& out, Events& events) {
  armed_for_ = LocalTime::max();
  LocalTime next = LocalTime::max();
  for (auto& [server, connection] : connections_) {
    const bool setup_expired = connection.state == State::connecting && connection.setup_deadline <= env.now;
    if (setup_expired || has_expired_request(connection.in_flight, env.now)) {
      out.emplace_back(Disconnect{channel_to(server)});
      lost(server, connection, FailureReason::timed_out, env, out, events);
    } else if (!connection.retry_announced && connection.may_connect_at <= env.now) {
      connection.retry_announced = true;
      events.emplace_back(MayRetry{server});
    }
    if (connection.throttled && connection.throttled_until <= env.now) {
      connection.throttled = false;
      events.emplace_back(Ready{server});
    }
    if (connection.throttled) next = std::min(next, connection.throttled_until);
    if (connection.state == State::connecting) next = std::min(next, connection.setup_deadline);
    if (!connection.retry_announced) next = std::min(next, connection.may_connect_at);
    for (const InFlight& request : connection.in_flight) next = std::min(next, request.deadline);
  }
  if (next != LocalTime::max()) need_wakeup(next, out);
}

// ClusterConnectionStates.disconnected: the back-off runs from the loss, not from the attempt.
void NetworkClient::lost(ProcessId server, Connection& connection, FailureReason reason, Env env,
                         Effects& out, Events& events) {
  const Duration backoff = exponential_backoff(config_.reconnect_backoff, config_.reconnect_backoff_max,
                                               connection.failed_attempts, env.rng);
  ++connection.failed_attempts;
  connection.setup_attempts = connection.state == State::connecting ? connection.setup_attempts + 1 : 0;
  connection.state = State::disconnected;
  connection.throttled = false;
  connection.last_attempt = env.now;
  connection.may_connect_at = env.now + backoff;
  connection.retry_announced = false;
  for (const InFlight& request : connection.in_flight) {
    if (!request.internal) events.emplace_back(Failure{server, request.correlation, reason});
  }
  connection.in_flight.clear();
  events.emplace_back(Unavailable{server});
  need_wakeup(connection.may_connect_at, out);
}

void NetworkClient::need_wakeup(LocalTime deadline, Effects& out) {
  if (deadline >= armed_for_) return;
  armed_for_ = deadline;
  out.emplace_back(SetTimer{timer_, deadline});
}

}  // namespace sim::node
