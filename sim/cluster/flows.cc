#include <algorithm>
#include <string_view>
#include <utility>

#include "cluster/cluster.h"
#include "net/retransmission.h"

// What becomes of bytes while something is wrong: a machine without power, wires that are cut, slow or lossy,
// a kind of request that is held. TCP keeps what did not arrive and sends it again later and later, in order;
// a machine that is back finds out at the next of these times. A process that closes its end leaves that to
// its operating system.
//
// Left out: acknowledgements. A wire that is cut in one direction stops what is sent in that direction, and
// connections from being set up; it does not make the other direction send again what has arrived. What was
// on the wire when it was cut arrives.
namespace sim::cluster {

bool Cluster::is_blocked(net::Endpoint from, net::Endpoint to) const {
  return !machines_[static_cast<std::size_t>(to)].has_power() || network_.interference().cuts(from, to);
}

// Travel time of a packet without contents: SYN, FIN, RST.
Duration Cluster::signal_time(ProcessId from, ProcessId to, Duration first_timeout) {
  const Duration travel = network_.travel_time(machine_of(from), machine_of(to));
  if (troubles_ == 0) return travel;
  constexpr std::int64_t kSignalBytes = 60;
  return travel + network_.interference().hindrance(
                      {machine_of(from), machine_of(to), kSignalBytes, kernel_.now(), first_timeout});
}

void Cluster::send_end_of_stream(std::uint32_t index, bool to_server) {
  if (troubles_ != 0 && !passes(index, to_server, kEndOfStream)) return;
  const Connection& connection = connections_[index];
  const auto [client, server, lane] = connection.channel;
  const ProcessId from = to_server ? client : server;
  const ProcessId to = to_server ? server : client;
  const Instant at = std::max(flow(index, to_server).last_arrival,
                              kernel_.now() + signal_time(from, to, net::kFirstRetransmission));
  const EventKind kind = to_server ? EventKind::close_reaches_server : EventKind::close_reaches_client;
  schedule(at, kind, to, index, connection.generation);
}

// False: it waits in the sender's socket.
bool Cluster::passes(std::uint32_t index, bool to_server, std::uint32_t ticket) {
  Flow& flow = this->flow(index, to_server);
  const auto [client, server, lane] = connections_[index].channel;
  const net::Endpoint from = machine_of(to_server ? client : server);
  const net::Endpoint to = machine_of(to_server ? server : client);
  if (flow.unsent.empty() && to_server && ticket != kEndOfStream) {
    const std::string_view message = name(messages_[ticket].envelope.message);
    for (const HoldRule& hold : holds_) {
      if (flow.held_by || hold.message != message || !hold.pairs.contains(from, to)) continue;
      flow.held_by = hold.fault;
    }
  }
  if (!flow.unsent.empty() || flow.held_by) {
    keep_unsent(index, to_server, ticket);
    return false;
  }
  if (!is_blocked(from, to)) return true;
  stall(index, to_server, ticket);
  return false;
}

void Cluster::stall(std::uint32_t index, bool to_server, std::uint32_t ticket) {
  Flow& flow = this->flow(index, to_server);
  const bool is_first = flow.unsent.empty();
  keep_unsent(index, to_server, ticket);
  if (!is_first) return;
  flow.retransmissions = 0;
  schedule_retransmission(index, to_server);
}

void Cluster::keep_unsent(std::uint32_t index, bool to_server, std::uint32_t ticket) {
  Flow& flow = this->flow(index, to_server);
  if (flow.unsent.empty()) ++troubles_;
  flow.unsent.push_back(ticket);
  if (ticket == kEndOfStream) return;
  if (flow.held_by) {
    ++state_of(*flow.held_by).lasting->effects;
    return;
  }
  const auto [client, server, lane] = connections_[index].channel;
  const net::Endpoint from = machine_of(to_server ? client : server);
  network_.interference().count_stopped(from, machine_of(to_server ? server : client));
}

void Cluster::schedule_retransmission(std::uint32_t index, bool to_server) {
  const Connection& connection = connections_[index];
  const Instant at = kernel_.now() + net::retransmission_timeout(flow(index, to_server).retransmissions);
  if (to_server) {
    schedule(at, EventKind::retransmit_to_server, connection.channel.client, index, connection.generation);
  } else {
    schedule(at, EventKind::retransmit_to_client, connection.channel.server, index, connection.generation);
  }
}

void Cluster::retransmit(std::uint32_t index, std::uint64_t generation, bool to_server) {
  if (!is_of(index, generation)) return;
  Flow& flow = this->flow(index, to_server);
  if (flow.unsent.empty() || flow.held_by) return;
  const Connection& connection = connections_[index];
  const auto [client, server, lane] = connection.channel;
  const net::Endpoint from = machine_of(to_server ? client : server);
  if (!is_blocked(from, machine_of(to_server ? server : client))) return send_unsent(index, to_server);
  const bool is_orphan = to_server ? connection.state == Connection::State::closed : !connection.accepted;
  const int limit = is_orphan ? net::kOrphanRetransmissions : net::kRetransmissions;
  if (++flow.retransmissions > limit) return give_up(index, to_server);
  schedule_retransmission(index, to_server);
}

// The sender's end breaks (ETIMEDOUT), and its process, if it still has the socket, is told.
void Cluster::give_up(std::uint32_t index, bool to_server) {
  drop_unsent(flow(index, to_server));
  const Connection& connection = connections_[index];
  if (to_server) {
    schedule(kernel_.now(), EventKind::close_reaches_client, connection.channel.client, index,
             connection.generation);
  } else {
    schedule(kernel_.now(), EventKind::reset_reaches_server, connection.channel.server, index,
             connection.generation);
  }
}

void Cluster::send_unsent(std::uint32_t index, bool to_server) {
  Flow& flow = this->flow(index, to_server);
  flow.held_by.reset();
  if (flow.unsent.empty()) return;
  --troubles_;
  for (const std::uint32_t ticket : std::exchange(flow.unsent, {})) {
    if (ticket == kEndOfStream) {
      send_end_of_stream(index, to_server);
    } else {
      put_on_wire(ticket);
    }
  }
}

void Cluster::drop_unsent(Flow& flow) {
  if (flow.unsent.empty()) return;
  --troubles_;
  for (const std::uint32_t ticket : flow.unsent) {
    if (ticket != kEndOfStream) free_message(ticket);
  }
  flow.unsent.clear();
  flow.held_by.reset();
}

void Cluster::release_held_flows(FaultId fault) {
  for (std::uint32_t index = 0; index < connections_.size(); ++index) {
    if (connections_[index].to_server.held_by == fault) send_unsent(index, true);
  }
}

}  // namespace sim::cluster
