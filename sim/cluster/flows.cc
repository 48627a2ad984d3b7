#include <algorithm>
#include <string_view>
#include <utility>

#include "cluster/wires.h"
#include "net/retransmission.h"
#include "protocol/message_contents.h"

// What becomes of bytes while something is wrong: a machine without power, wires that are cut, slow or lossy,
// a kind of request that is held. TCP keeps what did not arrive and sends it again later and later, in order;
// a machine that is back finds out at the next of these times. A process that closes its end leaves that to
// its operating system.
//
// Left out: acknowledgements. A wire that is cut in one direction stops what is sent in that direction, and
// connections from being set up; it does not make the other direction send again what has arrived. What was
// on the wire when it was cut arrives.
namespace sim::cluster {

bool Wires::is_blocked(const Platform& platform, net::Endpoint from, net::Endpoint to) const {
  return !platform.machine(to).has_power() || network_.interference().cuts(from, to);
}

// Travel time of a packet without contents: SYN, FIN, RST.
Duration Wires::signal_time(Platform& platform, ProcessId from, ProcessId to, Duration first_timeout) {
  const Duration travel = network_.travel_time(platform.machine_of(from), platform.machine_of(to));
  if (troubles_ == 0) return travel;
  constexpr std::int64_t kSignalBytes = 60;
  return travel + network_.interference().hindrance({platform.machine_of(from), platform.machine_of(to),
                                                     kSignalBytes, platform.now(), first_timeout});
}

void Wires::send_end_of_stream(Platform& platform, std::uint32_t index, bool to_server) {
  if (troubles_ != 0 && !passes(platform, index, to_server, kEndOfStream)) return;
  const Connection& connection = connections_[index];
  const auto [client, server, lane] = connection.channel;
  const ProcessId from = to_server ? client : server;
  const ProcessId to = to_server ? server : client;
  const Instant at =
      std::max(flow(index, to_server).last_arrival,
               platform.now() + signal_time(platform, from, to, first_retransmission(connection)));
  const EventKind kind = to_server ? EventKind::close_reaches_server : EventKind::close_reaches_client;
  platform.schedule(at, kind, to, index, connection.generation);
}

// False: it waits in the sender's socket.
bool Wires::passes(Platform& platform, std::uint32_t index, bool to_server, Ticket ticket) {
  Flow& flow = this->flow(index, to_server);
  const auto [client, server, lane] = connections_[index].channel;
  const net::Endpoint from = platform.machine_of(to_server ? client : server);
  const net::Endpoint to = platform.machine_of(to_server ? server : client);
  if (!holds_.empty() && ticket != kEndOfStream) hold_if_meant(flow, to_server, ticket, from, to);
  if (!flow.unsent.empty() || flow.held_by) {
    keep_unsent(platform, index, to_server, ticket);
    return false;
  }
  if (!is_blocked(platform, from, to)) return true;
  stall(platform, index, to_server, ticket);
  return false;
}

// What is meant counts although it only follows another that is held; what waits for other reasons does not.
void Wires::hold_if_meant(Flow& flow, bool to_server, Ticket ticket, net::Endpoint from, net::Endpoint to) {
  if (!flow.unsent.empty() && !flow.held_by) return;
  const Message& message = messages_[ticket].envelope.message;
  for (HoldRule& hold : holds_) {
    HoldSpec& what = hold.what;
    if (what.replies == to_server || what.message != name(message) || !hold.pairs.contains(from, to))
      continue;
    if (what.partition && !names_partition(message, *what.partition)) continue;
    const bool is_first_there = !flow.held_by;
    if (flow.held_by && *flow.held_by != hold.fault) continue;
    if (what.count == 0 || (is_first_there && what.connections == 0)) continue;
    if (what.count > 0) --what.count;
    if (is_first_there && what.connections > 0) --what.connections;
    flow.held_by = hold.fault;
    return;
  }
}

void Wires::stall(Platform& platform, std::uint32_t index, bool to_server, Ticket ticket) {
  Flow& flow = this->flow(index, to_server);
  const bool is_first = flow.unsent.empty();
  keep_unsent(platform, index, to_server, ticket);
  if (!is_first) return;
  flow.retransmissions = 0;
  schedule_retransmission(platform, index, to_server);
}

void Wires::keep_unsent(Platform& platform, std::uint32_t index, bool to_server, Ticket ticket) {
  Flow& flow = this->flow(index, to_server);
  if (flow.unsent.empty()) ++troubles_;
  flow.unsent.push_back(ticket);
  if (ticket == kEndOfStream) return;
  if (flow.held_by) {
    const auto holds = [&](const HoldRule& rule) { return rule.fault == *flow.held_by; };
    ++std::find_if(holds_.rbegin(), holds_.rend(), holds)->held;  // of its last strike
    return;
  }
  const auto [client, server, lane] = connections_[index].channel;
  const net::Endpoint from = platform.machine_of(to_server ? client : server);
  network_.interference().count_stopped(from, platform.machine_of(to_server ? server : client));
}

void Wires::schedule_retransmission(Platform& platform, std::uint32_t index, bool to_server) {
  const Connection& connection = connections_[index];
  const Instant at = platform.now() + net::retransmission_timeout(flow(index, to_server).retransmissions,
                                                                  first_retransmission(connection));
  if (to_server) {
    platform.schedule(at, EventKind::retransmit_to_server, connection.channel.client, index,
                      connection.generation);
  } else {
    platform.schedule(at, EventKind::retransmit_to_client, connection.channel.server, index,
                      connection.generation);
  }
}

void Wires::retransmit(Platform& platform, std::uint32_t index, std::uint64_t generation, bool to_server) {
  if (!is_of(index, generation)) return;
  Flow& flow = this->flow(index, to_server);
  if (flow.unsent.empty() || flow.held_by) return;
  const Connection& connection = connections_[index];
  const auto [client, server, lane] = connection.channel;
  const net::Endpoint from = platform.machine_of(to_server ? client : server);
  if (!is_blocked(platform, from, platform.machine_of(to_server ? server : client)))
    return send_unsent(platform, index, to_server);
  const bool is_orphan = to_server ? connection.state == Connection::State::closed : !connection.accepted;
  const int limit = is_orphan ? net::kOrphanRetransmissions : net::kRetransmissions;
  if (++flow.retransmissions > limit) return give_up(platform, index, to_server);
  schedule_retransmission(platform, index, to_server);
}

// The sender's end breaks (ETIMEDOUT), and its process, if it still has the socket, is told.
void Wires::give_up(Platform& platform, std::uint32_t index, bool to_server) {
  drop_unsent(platform, flow(index, to_server));
  const Connection& connection = connections_[index];
  if (to_server) {
    platform.schedule(platform.now(), EventKind::close_reaches_client, connection.channel.client, index,
                      connection.generation);
  } else {
    platform.schedule(platform.now(), EventKind::reset_reaches_server, connection.channel.server, index,
                      connection.generation);
  }
}

void Wires::send_unsent(Platform& platform, std::uint32_t index, bool to_server) {
  Flow& flow = this->flow(index, to_server);
  flow.held_by.reset();
  if (flow.unsent.empty()) return;
  --troubles_;
  for (const Ticket ticket : std::exchange(flow.unsent, {})) {
    if (ticket == kEndOfStream) {
      send_end_of_stream(platform, index, to_server);
    } else {
      put_on_wire_again(platform, ticket);
    }
  }
}

void Wires::drop_unsent(Platform& platform, Flow& flow) {
  if (flow.unsent.empty()) return;
  --troubles_;
  for (const Ticket ticket : flow.unsent) {
    if (ticket != kEndOfStream) free_message(platform, ticket);
  }
  flow.unsent.clear();
  flow.held_by.reset();
}

// ---- Holding

void Wires::hold(FaultId fault, net::Pairs pairs, HoldSpec what) {
  holds_.push_back(HoldRule{fault, std::move(pairs), std::move(what)});
  trouble_began();
}

void Wires::release(Platform& platform, FaultId fault) {
  const auto released = std::erase_if(holds_, [fault](const HoldRule& rule) { return rule.fault == fault; });
  troubles_ -= static_cast<std::int32_t>(released);
  if (released == 0) return;
  for (std::uint32_t index = 0; index < connections_.size(); ++index) {
    if (connections_[index].to_server.held_by == fault) send_unsent(platform, index, true);
    if (connections_[index].to_client.held_by == fault) send_unsent(platform, index, false);
  }
}

std::int64_t Wires::held_by(FaultId fault) const {
  const auto rule = std::find_if(holds_.rbegin(), holds_.rend(),
                                 [fault](const HoldRule& one) { return one.fault == fault; });
  return rule == holds_.rend() ? 0 : rule->held;
}

}  // namespace sim::cluster
