#include <algorithm>
#include <utility>

#include "base/check.h"
#include "cluster/wires.h"
#include "net/retransmission.h"

// Connections: opened by a client, closed by either side, reset by a machine that does not know them.
namespace sim::cluster {

std::uint32_t Wires::new_connection(const Channel& channel, Instant now) {
  if (free_connections_.empty()) {
    free_connections_.push_back(static_cast<std::uint32_t>(connections_.size()));
    connections_.emplace_back();
  }
  const std::uint32_t index = free_connections_.back();
  free_connections_.pop_back();
  std::uint32_t& last =
      opened_[static_cast<std::size_t>(channel.client.value())].at(channel.server, channel.lane);
  Connection fresh;
  fresh.channel = channel;
  fresh.generation = connections_[index].generation + 1;
  fresh.older = std::exchange(last, index);
  fresh.to_server.last_arrival = now;
  fresh.to_client.last_arrival = now;
  connections_[index] = std::move(fresh);
  return index;
}

// What is still on its way to an end that is gone finds another generation.
void Wires::free_if_gone(Platform& platform, std::uint32_t index) {
  Connection& connection = connections_[index];
  if (connection.state != Connection::State::closed || connection.accepted) return;
  const Channel& channel = connection.channel;
  std::uint32_t* place =
      &opened_[static_cast<std::size_t>(channel.client.value())].at(channel.server, channel.lane);
  while (*place != index) place = &connections_[*place].older;
  *place = connection.older;
  drop_unsent(platform, connection.to_server);
  drop_unsent(platform, connection.to_client);
  ++connection.generation;
  free_connections_.push_back(index);
}

// ---- Opening

void Wires::connect(Platform& platform, const Channel& channel) {
  const std::uint32_t last = last_opened(channel);
  if (last != Connection::kNoConnection && connections_[last].state != Connection::State::closed)
    close_by_client(platform, last);
  const std::uint32_t index = new_connection(channel, platform.now());
  connections_[index].state = Connection::State::opening;
  send_syn(platform, index);
}

void Wires::send_syn(Platform& platform, std::uint32_t index) {
  Connection& connection = connections_[index];
  const auto [client, server, lane] = connection.channel;
  connection.syn_sent = platform.now();
  if (troubles_ != 0 && is_blocked(platform, platform.machine_of(client), platform.machine_of(server)))
    return send_syn_again(platform, index, true);
  const Duration travel = signal_time(platform, client, server, net::kFirstSynRetransmission);
  platform.schedule(platform.now() + travel, EventKind::connect_arrives, server, index,
                    connection.generation);
}

// A SYN, or the answer to it, was lost. Its client sends another one, unless it has given up by then.
void Wires::send_syn_again(Platform& platform, std::uint32_t index, bool to_server) {
  Connection& connection = connections_[index];
  const auto [client, server, lane] = connection.channel;
  if (connection.syn_retransmissions == 0) {
    const net::Endpoint from = platform.machine_of(to_server ? client : server);
    network_.interference().count_stopped(from, platform.machine_of(to_server ? server : client));
  }
  const Duration timeout =
      net::retransmission_timeout(connection.syn_retransmissions++, net::kFirstSynRetransmission);
  const Instant at = std::max(platform.now(), connection.syn_sent + timeout);
  platform.schedule(at, EventKind::connect_again, client, index, connection.generation);
}

void Wires::connect_again(Platform& platform, std::uint32_t index, std::uint64_t generation) {
  Connection& connection = connections_[index];
  if (!is_of(index, generation) || connection.state != Connection::State::opening) return;
  if (connection.syn_retransmissions <= net::kSynRetransmissions) return send_syn(platform, index);
  platform.schedule(platform.now(), EventKind::connect_answered, connection.channel.client, index,
                    generation);
}

bool Wires::connect_arrives(Platform& platform, std::uint32_t index, std::uint64_t generation) {
  const Connection& connection = connections_[index];
  if (!is_of(index, generation) || connection.state != Connection::State::opening) return false;
  const auto [client, server, lane] = connection.channel;
  const bool is_heard =
      troubles_ == 0 || (platform.has_power(server) &&
                         !is_blocked(platform, platform.machine_of(server), platform.machine_of(client)));
  if (!is_heard) send_syn_again(platform, index, false);
  return is_heard;
}

void Wires::accept(Platform& platform, std::uint32_t index, std::int32_t network_thread) {
  connections_[index].accepted = true;
  connections_[index].network_thread = network_thread;
  answer_syn(platform, index);
}

void Wires::refuse(Platform& platform, std::uint32_t index) {
  answer_syn(platform, index);
}

void Wires::answer_syn(Platform& platform, std::uint32_t index) {
  Connection& connection = connections_[index];
  const auto [client, server, lane] = connection.channel;
  const Duration travel = signal_time(platform, server, client, net::kFirstSynRetransmission);
  if (connection.syn_retransmissions == 0)
    connection.round_trip = platform.now() + travel - connection.syn_sent;
  platform.schedule(platform.now() + travel, EventKind::connect_answered, client, index,
                    connection.generation);
}

std::optional<Heard> Wires::connect_answered(Platform& platform, std::uint32_t index,
                                             std::uint64_t generation) {
  Connection& connection = connections_[index];
  if (!is_of(index, generation) || connection.state != Connection::State::opening) return {};
  const Channel channel = connection.channel;
  if (!connection.accepted) {
    connection.state = Connection::State::closed;
    free_if_gone(platform, index);
    return Heard{channel.client, node::Disconnected{channel, node::DisconnectReason::refused}};
  }
  connection.state = Connection::State::open;
  if (platform.wants_messages()) platform.tell(channel.client, observe::ConnectionOpened{channel});
  return Heard{channel.client, node::Connected{channel}};
}

// ---- Closing

void Wires::disconnect(Platform& platform, ProcessId by, const Channel& channel) {
  const std::uint32_t last = last_opened(channel);
  if (last == Connection::kNoConnection) return;
  const bool is_clients = by == channel.client;
  if (is_clients && connections_[last].state != Connection::State::closed)
    return close_by_client(platform, last);
  if (by == channel.server && connections_[last].accepted) close_by_server(platform, last);
}

// Who closes hears nothing more of it; the other end learns it when the news has travelled, behind what was
// sent before.
void Wires::close_by_client(Platform& platform, std::uint32_t index) {
  Connection& connection = connections_[index];
  connection.state = Connection::State::closed;
  if (platform.wants_messages())
    platform.tell(connection.channel.client, observe::ConnectionClosed{connection.channel});
  if (connection.accepted) send_end_of_stream(platform, index, true);
  free_if_gone(platform, index);
}

void Wires::close_by_server(Platform& platform, std::uint32_t index) {
  Connection& connection = connections_[index];
  forget_server_end(platform, connection);
  if (platform.wants_messages())
    platform.tell(connection.channel.server, observe::ConnectionClosed{connection.channel});
  if (connection.state != Connection::State::closed) send_end_of_stream(platform, index, false);
  free_if_gone(platform, index);
}

std::optional<Heard> Wires::close_reaches_client(Platform& platform, std::uint32_t index,
                                                 std::uint64_t generation) {
  Connection& connection = connections_[index];
  if (!is_of(index, generation) || connection.state == Connection::State::closed) return {};
  const Channel channel = connection.channel;
  connection.state = Connection::State::closed;
  free_if_gone(platform, index);
  return Heard{channel.client, node::Disconnected{channel, node::DisconnectReason::closed}};
}

// A server finds the end of the stream when it has read all before it, one request after the other.
std::optional<Heard> Wires::close_reaches_server(Platform& platform, std::uint32_t index,
                                                 std::uint64_t generation) {
  Connection& connection = connections_[index];
  if (!is_of(index, generation) || !connection.accepted) return {};
  connection.end_of_stream = true;
  // What was sent before may come at the same instant, and comes first.
  const bool has_read_all =
      !connection.muted && connection.socket.empty() && connection.requests_on_the_way == 0;
  if (!has_read_all) return {};
  return end_at_server(platform, index, node::DisconnectReason::closed);
}

std::optional<Heard> Wires::reset_reaches_server(Platform& platform, std::uint32_t index,
                                                 std::uint64_t generation) {
  if (!is_of(index, generation) || !connections_[index].accepted) return {};
  return end_at_server(platform, index, node::DisconnectReason::reset);
}

// Its process knows connections by their channels: of an older one it is not told when there is another by
// now, nor of the other end of its own.
std::optional<Heard> Wires::end_at_server(Platform& platform, std::uint32_t index,
                                          node::DisconnectReason reason) {
  Connection& connection = connections_[index];
  const Channel channel = connection.channel;
  forget_server_end(platform, connection);
  const std::uint32_t last = last_opened(channel);
  const bool is_superseded = last != index && connections_[last].accepted;
  free_if_gone(platform, index);
  if (is_superseded || channel.client == channel.server) return {};
  return Heard{channel.server, node::Disconnected{channel, reason}};
}

// What the server has not begun to read is lost; what its threads hold is handled, and the answer goes
// nowhere.
void Wires::forget_server_end(Platform& platform, Connection& connection) {
  connection.accepted = false;
  connection.muted = false;
  for (const std::uint32_t ticket : connection.socket) free_message(platform, ticket);
  connection.socket.clear();
}

// A machine that gets bytes of a connection it does not know says so. Nobody sends that again if it is lost.
void Wires::reset_client(Platform& platform, std::uint32_t index) {
  const Connection& connection = connections_[index];
  const auto [client, server, lane] = connection.channel;
  if (troubles_ != 0 && is_blocked(platform, platform.machine_of(server), platform.machine_of(client)))
    return;
  const Duration travel = signal_time(platform, server, client, first_retransmission(connection));
  platform.schedule(platform.now() + travel, EventKind::close_reaches_client, client, index,
                    connection.generation);
}

void Wires::reset_server(Platform& platform, std::uint32_t index) {
  const Connection& connection = connections_[index];
  const auto [client, server, lane] = connection.channel;
  if (!connection.accepted ||
      (troubles_ != 0 && is_blocked(platform, platform.machine_of(client), platform.machine_of(server))))
    return;
  const Duration travel = signal_time(platform, client, server, first_retransmission(connection));
  platform.schedule(platform.now() + travel, EventKind::reset_reaches_server, server, index,
                    connection.generation);
}

// Both ends are told, each where it is; what they had not sent yet is lost.
void Wires::reset_connection(Platform& platform, std::uint32_t index) {
  const Connection& connection = connections_[index];
  const auto [client, server, lane] = connection.channel;
  drop_unsent(platform, flow(index, true));
  drop_unsent(platform, flow(index, false));
  if (connection.state != Connection::State::closed)
    platform.schedule(platform.now(), EventKind::close_reaches_client, client, index, connection.generation);
  if (connection.accepted)
    platform.schedule(platform.now(), EventKind::reset_reaches_server, server, index, connection.generation);
}

std::int64_t Wires::reset_connections(Platform& platform, const net::Pairs& pairs) {
  std::int64_t reset = 0;
  for (std::uint32_t index = 0; index < connections_.size(); ++index) {
    const Connection& connection = connections_[index];
    const bool is_there = connection.state != Connection::State::closed || connection.accepted;
    const net::Endpoint client = platform.machine_of(connection.channel.client);
    const net::Endpoint server = platform.machine_of(connection.channel.server);
    if (!is_there || pairs.empty() || !(pairs.contains(client, server) || pairs.contains(server, client)))
      continue;
    ++reset;
    reset_connection(platform, index);
  }
  return reset;
}

void Wires::close_connections(Platform& platform, ProcessId of) {
  for (std::uint32_t index = 0; index < connections_.size(); ++index) {
    Connection& connection = connections_[index];
    const bool has_client_end =
        connection.channel.client == of && connection.state != Connection::State::closed;
    const bool has_server_end = connection.channel.server == of && connection.accepted;
    if (has_client_end && has_server_end) {
      connection.state = Connection::State::closed;
      close_by_server(platform, index);
    } else if (has_client_end) {
      close_by_client(platform, index);
    } else if (has_server_end) {
      close_by_server(platform, index);
    }
  }
}

void Wires::lose_connections(Platform& platform, net::Endpoint machine) {
  for (std::uint32_t index = 0; index < connections_.size(); ++index) {
    Connection& connection = connections_[index];
    const bool is_client = platform.machine_of(connection.channel.client) == machine;
    const bool is_server = platform.machine_of(connection.channel.server) == machine;
    const bool is_free = connection.state == Connection::State::closed && !connection.accepted;
    if (is_free || (!is_client && !is_server)) continue;
    if (is_client) {
      connection.state = Connection::State::closed;
      drop_unsent(platform, connection.to_server);
    }
    if (is_server) {
      forget_server_end(platform, connection);
      drop_unsent(platform, connection.to_client);
    }
    free_if_gone(platform, index);
  }
}

}  // namespace sim::cluster
