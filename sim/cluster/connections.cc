#include <utility>

#include "base/check.h"
#include "cluster/cluster.h"

// Connections: opened by a client's Connect, closed by either side, reset when a process dies.
namespace sim::cluster {

Connection* Cluster::find_connection(const Channel& channel, std::uint32_t& index) {
  const auto found = slot(channel.client).opened.find(channel.server, channel.lane);
  if (!found) return nullptr;
  index = *found;
  return &connections_[index];
}

void Cluster::perform(ProcessId id, const node::Connect& connect) {
  SIM_CHECK(connect.channel.client == id, "only its client opens a connection");
  std::uint32_t index = 0;
  Connection* connection = find_connection(connect.channel, index);
  if (connection == nullptr) {
    index = static_cast<std::uint32_t>(connections_.size());
    connections_.emplace_back();
    connection = &connections_.back();
    connection->channel = connect.channel;
    slot(id).opened.add(connect.channel.server, connect.channel.lane, index);
  }
  if (connection->state != Connection::State::closed) close(index, id, true);
  connection->state = Connection::State::opening;
  ++connection->generation;
  connection->accepted = false;
  connection->last_arrival_at_server = kernel_.now();
  connection->last_arrival_at_client = kernel_.now();
  const Duration travel = network_.travel_time(slot(id).machine, slot(connect.channel.server).machine);
  schedule(kernel_.now() + travel, EventKind::connect_arrives, connect.channel.server, index, connection->generation);
}

void Cluster::perform(ProcessId id, const node::Disconnect& disconnect) {
  std::uint32_t index = 0;
  const Connection* connection = find_connection(disconnect.channel, index);
  if (connection != nullptr && connection->state != Connection::State::closed) close(index, id, true);
}

void Cluster::connect_arrives(std::uint32_t index, std::uint64_t generation) {
  Connection& connection = connections_[index];
  if (connection.generation != generation || connection.state != Connection::State::opening) return;
  Slot& server = slot(connection.channel.server);
  if (!server.powered) return;  // nobody answers: the client gives up when its set-up time is over
  if (server.node) {
    SIM_CHECK(server.path.has_value(), "only brokers and controllers are connected to");
    connection.accepted = true;
    connection.network_thread = server.path->accept();
  }
  const Duration travel = network_.travel_time(server.machine, slot(connection.channel.client).machine);
  schedule(kernel_.now() + travel, EventKind::connect_answered, connection.channel.client, index, generation);
}

void Cluster::connect_answered(std::uint32_t index, std::uint64_t generation) {
  Connection& connection = connections_[index];
  if (connection.generation != generation || connection.state != Connection::State::opening) return;
  const Channel channel = connection.channel;
  if (!connection.accepted) {
    connection.state = Connection::State::closed;
    return step(channel.client, node::Disconnected{channel, node::DisconnectReason::refused});
  }
  connection.state = Connection::State::open;
  if (messages_wanted_) tell(channel.client, observe::ConnectionOpened{channel});
  step(channel.client, node::Connected{channel});
}

// `by` hears nothing more of it; the other end learns it when the news has travelled, behind what was sent before.
void Cluster::close(std::uint32_t index, ProcessId by, bool tell_other) {
  Connection& connection = connections_[index];
  const bool by_client = by == connection.channel.client;
  const ProcessId other = by_client ? connection.channel.server : connection.channel.client;
  if (tell_other) {
    const Instant last = by_client ? connection.last_arrival_at_server : connection.last_arrival_at_client;
    const Instant at = std::max(last, kernel_.now() + network_.travel_time(slot(by).machine, slot(other).machine));
    schedule(at, EventKind::close_arrives, other, index, connection.generation);
  }
  if (messages_wanted_) tell(by, observe::ConnectionClosed{connection.channel});
  if (by_client) {
    connection.state = Connection::State::closed;
  } else {
    forget_server_end(connection);
  }
}

// A server that does not know the connection answers with a reset.
void Cluster::close_for_client(std::uint32_t index) {
  const Connection& connection = connections_[index];
  const Duration travel =
      network_.travel_time(slot(connection.channel.server).machine, slot(connection.channel.client).machine);
  schedule(kernel_.now() + travel, EventKind::close_arrives, connection.channel.client, index, connection.generation);
}

void Cluster::close_arrives(std::uint32_t index, std::uint64_t generation, ProcessId at) {
  Connection& connection = connections_[index];
  if (connection.generation != generation) return;
  const Channel channel = connection.channel;
  if (at == channel.client) {
    if (connection.state == Connection::State::closed) return;
    connection.state = Connection::State::closed;
  } else {
    if (!connection.accepted) return;
    forget_server_end(connection);
  }
  if (slot(at).node) step(at, node::Disconnected{channel, node::DisconnectReason::closed});
}

// What the server has not begun to read is lost; what its threads hold is handled, and the answer goes nowhere.
void Cluster::forget_server_end(Connection& connection) {
  connection.accepted = false;
  connection.muted = false;
  for (const std::uint32_t ticket : connection.socket) free_message(ticket);
  connection.socket.clear();
}

void Cluster::drop_connections(ProcessId of, bool tell_others) {
  for (std::size_t i = 0; i < connections_.size(); ++i) {
    Connection& connection = connections_[i];
    const bool is_client = connection.channel.client == of && connection.state != Connection::State::closed;
    const bool is_server = connection.channel.server == of && connection.accepted;
    if (is_client || is_server) close(static_cast<std::uint32_t>(i), of, tell_others);
  }
}

}  // namespace sim::cluster
