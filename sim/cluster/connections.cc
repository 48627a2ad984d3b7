#include <algorithm>
#include <utility>

#include "base/check.h"
#include "cluster/cluster.h"
#include "net/retransmission.h"

// Connections: opened by a client's Connect, closed by either side, reset by a machine that does not know
// them.
namespace sim::cluster {

std::uint32_t Cluster::new_connection(const Channel& channel) {
  if (free_connections_.empty()) {
    free_connections_.push_back(static_cast<std::uint32_t>(connections_.size()));
    connections_.emplace_back();
  }
  const std::uint32_t index = free_connections_.back();
  free_connections_.pop_back();
  std::uint32_t& last = slot(channel.client).opened.at(channel.server, channel.lane);
  Connection fresh;
  fresh.channel = channel;
  fresh.generation = connections_[index].generation + 1;
  fresh.older = std::exchange(last, index);
  fresh.to_server.last_arrival = kernel_.now();
  fresh.to_client.last_arrival = kernel_.now();
  connections_[index] = std::move(fresh);
  return index;
}

// What is still on its way to an end that is gone finds another generation.
void Cluster::free_if_gone(std::uint32_t index) {
  Connection& connection = connections_[index];
  if (connection.state != Connection::State::closed || connection.accepted) return;
  std::uint32_t* place =
      &slot(connection.channel.client).opened.at(connection.channel.server, connection.channel.lane);
  while (*place != index) place = &connections_[*place].older;
  *place = connection.older;
  drop_unsent(connection.to_server);
  drop_unsent(connection.to_client);
  ++connection.generation;
  free_connections_.push_back(index);
}

// ---- Opening

void Cluster::perform(ProcessId id, const node::Connect& connect) {
  SIM_CHECK(connect.channel.client == id, "only its client opens a connection");
  const std::uint32_t last = last_opened(connect.channel);
  if (last != Connection::kNoConnection && connections_[last].state != Connection::State::closed)
    close_by_client(last);
  const std::uint32_t index = new_connection(connect.channel);
  connections_[index].state = Connection::State::opening;
  send_syn(index);
}

void Cluster::send_syn(std::uint32_t index) {
  Connection& connection = connections_[index];
  const auto [client, server, lane] = connection.channel;
  connection.syn_sent = kernel_.now();
  if (troubles_ != 0 && is_blocked(machine_of(client), machine_of(server)))
    return send_syn_again(index, true);
  const Duration travel = signal_time(client, server, net::kFirstSynRetransmission);
  schedule(kernel_.now() + travel, EventKind::connect_arrives, server, index, connection.generation);
}

// A SYN, or the answer to it, was lost. Its client sends another one, unless it has given up by then.
void Cluster::send_syn_again(std::uint32_t index, bool to_server) {
  Connection& connection = connections_[index];
  const auto [client, server, lane] = connection.channel;
  if (connection.syn_retransmissions == 0) {
    const net::Endpoint from = machine_of(to_server ? client : server);
    network_.interference().count_stopped(from, machine_of(to_server ? server : client));
  }
  const Duration timeout =
      net::retransmission_timeout(connection.syn_retransmissions++, net::kFirstSynRetransmission);
  const Instant at = std::max(kernel_.now(), connection.syn_sent + timeout);
  schedule(at, EventKind::connect_again, client, index, connection.generation);
}

void Cluster::connect_again(std::uint32_t index, std::uint64_t generation) {
  Connection& connection = connections_[index];
  if (!is_of(index, generation) || connection.state != Connection::State::opening) return;
  if (connection.syn_retransmissions <= net::kSynRetransmissions) return send_syn(index);
  schedule(kernel_.now(), EventKind::connect_answered, connection.channel.client, index, generation);
}

// The operating system accepts for a process that is paused, and refuses for one that is down.
void Cluster::connect_arrives(std::uint32_t index, std::uint64_t generation) {
  Connection& connection = connections_[index];
  if (!is_of(index, generation) || connection.state != Connection::State::opening) return;
  const auto [client, id, lane] = connection.channel;
  if (troubles_ != 0) {
    const bool is_heard = has_power(id) && !is_blocked(machine_of(id), machine_of(client));
    if (!is_heard) return send_syn_again(index, false);
  }
  Slot& server = slot(id);
  if (server.node) {
    SIM_CHECK(server.path.has_value(), "only brokers and controllers are connected to");
    connection.accepted = true;
    connection.network_thread = server.path->accept();
  }
  const Duration travel = signal_time(id, client, net::kFirstSynRetransmission);
  schedule(kernel_.now() + travel, EventKind::connect_answered, client, index, generation);
}

void Cluster::connect_answered(std::uint32_t index, std::uint64_t generation) {
  Connection& connection = connections_[index];
  if (!is_of(index, generation) || connection.state != Connection::State::opening) return;
  const Channel channel = connection.channel;
  if (!connection.accepted) {
    connection.state = Connection::State::closed;
    free_if_gone(index);
    return step(channel.client, node::Disconnected{channel, node::DisconnectReason::refused});
  }
  connection.state = Connection::State::open;
  if (messages_wanted_) tell(channel.client, observe::ConnectionOpened{channel});
  step(channel.client, node::Connected{channel});
}

// ---- Closing

void Cluster::perform(ProcessId id, const node::Disconnect& disconnect) {
  const std::uint32_t last = last_opened(disconnect.channel);
  if (last == Connection::kNoConnection) return;
  const bool is_clients = id == disconnect.channel.client;
  if (is_clients && connections_[last].state != Connection::State::closed) return close_by_client(last);
  if (id == disconnect.channel.server && connections_[last].accepted) close_by_server(last);
}

// Who closes hears nothing more of it; the other end learns it when the news has travelled, behind what was
// sent before.
void Cluster::close_by_client(std::uint32_t index) {
  Connection& connection = connections_[index];
  connection.state = Connection::State::closed;
  if (messages_wanted_) tell(connection.channel.client, observe::ConnectionClosed{connection.channel});
  if (connection.accepted) send_end_of_stream(index, true);
  free_if_gone(index);
}

void Cluster::close_by_server(std::uint32_t index) {
  Connection& connection = connections_[index];
  forget_server_end(connection);
  if (messages_wanted_) tell(connection.channel.server, observe::ConnectionClosed{connection.channel});
  if (connection.state != Connection::State::closed) send_end_of_stream(index, false);
  free_if_gone(index);
}

void Cluster::close_reaches_client(std::uint32_t index, std::uint64_t generation) {
  Connection& connection = connections_[index];
  if (!is_of(index, generation) || connection.state == Connection::State::closed) return;
  const Channel channel = connection.channel;
  connection.state = Connection::State::closed;
  free_if_gone(index);
  step(channel.client, node::Disconnected{channel, node::DisconnectReason::closed});
}

// A server finds the end of the stream when it has read all before it, one request after the other.
void Cluster::close_reaches_server(std::uint32_t index, std::uint64_t generation) {
  Connection& connection = connections_[index];
  if (!is_of(index, generation) || !connection.accepted) return;
  connection.end_of_stream = true;
  const bool has_read_all = !connection.muted && connection.socket.empty();
  if (has_read_all) end_at_server(index, node::DisconnectReason::closed);
}

void Cluster::reset_reaches_server(std::uint32_t index, std::uint64_t generation) {
  if (!is_of(index, generation) || !connections_[index].accepted) return;
  end_at_server(index, node::DisconnectReason::reset);
}

// Its process knows connections by their channels: of an older one it is not told when there is another by
// now, nor of the other end of its own.
void Cluster::end_at_server(std::uint32_t index, node::DisconnectReason reason) {
  Connection& connection = connections_[index];
  const Channel channel = connection.channel;
  forget_server_end(connection);
  const std::uint32_t last = last_opened(channel);
  const bool is_superseded = last != index && connections_[last].accepted;
  free_if_gone(index);
  if (is_superseded || channel.client == channel.server) return;
  step(channel.server, node::Disconnected{channel, reason});
}

// What the server has not begun to read is lost; what its threads hold is handled, and the answer goes
// nowhere.
void Cluster::forget_server_end(Connection& connection) {
  connection.accepted = false;
  connection.muted = false;
  for (const std::uint32_t ticket : connection.socket) free_message(ticket);
  connection.socket.clear();
}

// A machine that gets bytes of a connection it does not know says so. Nobody sends that again if it is lost.
void Cluster::reset_client(std::uint32_t index) {
  const Connection& connection = connections_[index];
  const auto [client, server, lane] = connection.channel;
  if (troubles_ != 0 && is_blocked(machine_of(server), machine_of(client))) return;
  const Duration travel = signal_time(server, client, net::kFirstRetransmission);
  schedule(kernel_.now() + travel, EventKind::close_reaches_client, client, index, connection.generation);
}

void Cluster::reset_server(std::uint32_t index) {
  const Connection& connection = connections_[index];
  const auto [client, server, lane] = connection.channel;
  if (!connection.accepted || (troubles_ != 0 && is_blocked(machine_of(client), machine_of(server)))) return;
  const Duration travel = signal_time(client, server, net::kFirstRetransmission);
  schedule(kernel_.now() + travel, EventKind::reset_reaches_server, server, index, connection.generation);
}

// Both ends are told, each where it is; what they had not sent yet is lost.
void Cluster::reset_connection(std::uint32_t index) {
  const Connection& connection = connections_[index];
  const auto [client, server, lane] = connection.channel;
  drop_unsent(flow(index, true));
  drop_unsent(flow(index, false));
  if (connection.state != Connection::State::closed)
    schedule(kernel_.now(), EventKind::close_reaches_client, client, index, connection.generation);
  if (connection.accepted)
    schedule(kernel_.now(), EventKind::reset_reaches_server, server, index, connection.generation);
}

// The process is gone; its operating system closes what it had open.
void Cluster::close_connections(ProcessId of) {
  for (std::uint32_t index = 0; index < connections_.size(); ++index) {
    Connection& connection = connections_[index];
    const bool has_client_end =
        connection.channel.client == of && connection.state != Connection::State::closed;
    const bool has_server_end = connection.channel.server == of && connection.accepted;
    if (has_client_end && has_server_end) {
      connection.state = Connection::State::closed;
      close_by_server(index);
    } else if (has_client_end) {
      close_by_client(index);
    } else if (has_server_end) {
      close_by_server(index);
    }
  }
}

// The machine is gone, and what it knew of connections with it. The other ends know nothing of that.
void Cluster::lose_connections(net::Endpoint machine) {
  for (std::uint32_t index = 0; index < connections_.size(); ++index) {
    Connection& connection = connections_[index];
    const bool is_client = machine_of(connection.channel.client) == machine;
    const bool is_server = machine_of(connection.channel.server) == machine;
    const bool is_free = connection.state == Connection::State::closed && !connection.accepted;
    if (is_free || (!is_client && !is_server)) continue;
    if (is_client) {
      connection.state = Connection::State::closed;
      drop_unsent(connection.to_server);
    }
    if (is_server) {
      forget_server_end(connection);
      drop_unsent(connection.to_client);
    }
    free_if_gone(index);
  }
}

}  // namespace sim::cluster
