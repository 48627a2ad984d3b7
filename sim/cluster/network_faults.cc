#include <algorithm>
#include <utility>

#include "base/contains.h"
#include "cluster/cluster.h"
#include "cluster/targets.h"

// Which wires a fault of the network means. End points are machines: processes that share one are hit
// together, and what they say to each other passes.
namespace sim::cluster {
namespace {

// Two ways between two machines, as seen from the first.
void add_ways(net::Pairs& pairs, net::Endpoint target, net::Endpoint peer, fault::Direction direction) {
  if (direction != fault::Direction::to) pairs.add(target, peer);
  if (direction != fault::Direction::from) pairs.add(peer, target);
}

}  // namespace

void Cluster::strike(FaultId id, const fault::Partition& partition, Strike& strike) {
  std::visit([&](const auto& shape) { cut(id, strike, shape, partition.direction); }, partition.shape);
}

void Cluster::add_cut(Strike& strike, net::Pairs pairs) {
  if (pairs.empty()) return;
  strike.rule = network_.interference().cut(std::move(pairs));
  ++troubles_;
}

net::Pairs Cluster::isolate(const std::vector<net::Endpoint>& machines, fault::Direction direction) const {
  net::Pairs pairs(machines_.size());
  for (const net::Endpoint inside : machines) {
    for (std::size_t i = 0; i < machines_.size(); ++i) {
      const auto outside = static_cast<net::Endpoint>(i);
      if (!contains(machines, outside)) add_ways(pairs, inside, outside, direction);
    }
  }
  return pairs;
}

void Cluster::cut(FaultId id, Strike& strike, const fault::Isolate& shape, fault::Direction direction) {
  announce(id, strike, resolve(shape.targets, id));
  if (shape.peers.empty()) return add_cut(strike, isolate(machines_of(strike.touched), direction));
  add_cut(strike, pairs_of({shape.targets, shape.peers, direction}, strike.touched, id));
}

// Who is in two groups hears both.
void Cluster::cut(FaultId id, Strike& strike, const fault::Groups& shape, fault::Direction) {
  std::vector<std::vector<net::Endpoint>> groups;
  std::vector<ProcessId> touched;
  for (const fault::Targets& targets : shape.groups) {
    const std::vector<ProcessId> members = resolve(targets, id);
    groups.push_back(machines_of(members));
    for (const ProcessId member : members) {
      if (std::find(touched.begin(), touched.end(), member) == touched.end()) touched.push_back(member);
    }
  }
  announce(id, strike, std::move(touched));
  const auto share_a_group = [&](net::Endpoint a, net::Endpoint b) {
    return std::any_of(groups.begin(), groups.end(),
                       [&](const auto& group) { return contains(group, a) && contains(group, b); });
  };
  net::Pairs pairs(machines_.size());
  const std::vector<net::Endpoint> machines = machines_of(strike.touched);
  for (const net::Endpoint a : machines) {
    for (const net::Endpoint b : machines) {
      if (!share_a_group(a, b)) pairs.add(a, b);
    }
  }
  add_cut(strike, std::move(pairs));
}

// Touched is the half that the clients do not hear; it is never the larger one.
void Cluster::cut(FaultId id, Strike& strike, const fault::Halves&, fault::Direction) {
  const std::vector<net::Endpoint> servers = shuffled_servers(id);
  const auto middle = servers.begin() + static_cast<std::ptrdiff_t>((servers.size() + 1) / 2);
  const std::vector<net::Endpoint> cut_off(middle, servers.end());
  announce(id, strike, processes_on(cut_off));
  add_cut(strike, isolate(cut_off, fault::Direction::both));
}

// Of a ring of all servers, each hears the majority in whose middle it stands.
void Cluster::cut(FaultId id, Strike& strike, const fault::MajoritiesRing&, fault::Direction) {
  const std::vector<net::Endpoint> ring = shuffled_servers(id);
  announce(id, strike, processes_on(ring));
  const std::size_t size = ring.size();
  const std::size_t majority = size / 2 + 1;
  const std::size_t before = (majority - 1) / 2;
  net::Pairs pairs(machines_.size());
  for (std::size_t at = 0; at < size; ++at) {
    const std::size_t first = (at + size - before) % size;
    for (std::size_t next = majority; next < size; ++next) pairs.add(ring[(first + next) % size], ring[at]);
  }
  add_cut(strike, std::move(pairs));
}

// One server stays with both halves; the clients with it and the half that is not smaller.
void Cluster::cut(FaultId id, Strike& strike, const fault::Bridge&, fault::Direction) {
  const std::vector<net::Endpoint> servers = shuffled_servers(id);
  if (servers.empty()) return announce(id, strike, {});
  const auto middle = servers.begin() + 1 + static_cast<std::ptrdiff_t>(servers.size() / 2);
  const std::vector<net::Endpoint> cut_off(middle, servers.end());
  announce(id, strike, processes_on(cut_off));
  net::Pairs pairs(machines_.size());
  for (const net::Endpoint inside : cut_off) {
    for (std::size_t i = 0; i < machines_.size(); ++i) {
      const auto outside = static_cast<net::Endpoint>(i);
      const bool is_bridge = outside == servers.front();
      if (!is_bridge && !contains(cut_off, outside)) add_ways(pairs, inside, outside, fault::Direction::both);
    }
  }
  add_cut(strike, std::move(pairs));
}

std::vector<net::Endpoint> Cluster::shuffled_servers(FaultId id) {
  std::vector<ProcessId> serving;
  for (std::size_t i = 0; i < processes_->specs.size(); ++i) {
    if (processes_->specs[i].serves) serving.push_back(ProcessId{static_cast<std::int32_t>(i)});
  }
  std::vector<net::Endpoint> machines = machines_of(serving);
  for (std::size_t left = machines.size(); left > 1; --left) {
    const std::size_t drawn = state_of(id).rng.below(left);
    std::swap(machines[left - 1], machines[drawn]);
  }
  return machines;
}

// ---- Delay, loss, hold, bandwidth, reset

net::Pairs Cluster::pairs_of(const fault::Wires& wires, const std::vector<ProcessId>& targets, FaultId id) {
  const std::vector<net::Endpoint> peers = machines_of(resolve(wires.peers, id));
  net::Pairs pairs(machines_.size());
  for (const net::Endpoint target : machines_of(targets)) {
    for (std::size_t i = 0; i < machines_.size(); ++i) {
      const auto peer = static_cast<net::Endpoint>(i);
      if (wires.peers.empty() || contains(peers, peer)) add_ways(pairs, target, peer, wires.direction);
    }
  }
  return pairs;
}

void Cluster::strike(FaultId id, const fault::Delay& delay, Strike& strike) {
  announce(id, strike, resolve(delay.wires.targets, id));
  net::Pairs pairs = pairs_of(delay.wires, strike.touched, id);
  if (pairs.empty()) return;
  const net::DelaySpec by{delay.by, delay.jitter, delay.correlation_per_million};
  strike.rule = network_.interference().delay(std::move(pairs), by, rule_rng(id));
  ++troubles_;
}

void Cluster::strike(FaultId id, const fault::Loss& loss, Strike& strike) {
  announce(id, strike, resolve(loss.wires.targets, id));
  net::Pairs pairs = pairs_of(loss.wires, strike.touched, id);
  if (pairs.empty()) return;
  const net::LossSpec how{loss.per_million, loss.mean_burst};
  strike.rule = network_.interference().lose(std::move(pairs), how, rule_rng(id));
  ++troubles_;
}

void Cluster::strike(FaultId id, const fault::Hold& hold, Strike& strike) {
  announce(id, strike, resolve(hold.wires.targets, id));
  net::Pairs pairs = pairs_of(hold.wires, strike.touched, id);
  if (pairs.empty()) return;
  holds_.push_back(HoldRule{id, std::move(pairs), hold.request + "Request"});
  ++troubles_;
}

void Cluster::strike(FaultId id, const fault::Bandwidth& limit, Strike& strike) {
  announce(id, strike, resolve(limit.wires.targets, id));
  const std::vector<net::Endpoint> targets = machines_of(strike.touched);
  const net::Pairs pairs = pairs_of(limit.wires, strike.touched, id);
  if (pairs.empty()) return;
  net::Pairs out(machines_.size());
  net::Pairs in(machines_.size());
  for (const net::Endpoint target : targets) {
    for (std::size_t i = 0; i < machines_.size(); ++i) {
      const auto peer = static_cast<net::Endpoint>(i);
      if (pairs.contains(target, peer)) out.add(target, peer);
      if (pairs.contains(peer, target)) in.add(peer, target);
    }
  }
  strike.rule = network_.interference().limit(std::move(out), std::move(in), limit.bits_per_second);
  ++troubles_;
}

// It is over at once.
void Cluster::strike(FaultId id, const fault::Reset& reset, Strike& strike) {
  announce(id, strike, resolve(reset.wires.targets, id));
  const net::Pairs pairs = pairs_of(reset.wires, strike.touched, id);
  for (std::uint32_t index = 0; index < connections_.size(); ++index) {
    const Connection& connection = connections_[index];
    const bool is_there = connection.state != Connection::State::closed || connection.accepted;
    const net::Endpoint client = machine_of(connection.channel.client);
    const net::Endpoint server = machine_of(connection.channel.server);
    if (!is_there || pairs.empty() || !(pairs.contains(client, server) || pairs.contains(server, client)))
      continue;
    ++strike.effects;
    reset_connection(index);
  }
  report_end(id);
}

}  // namespace sim::cluster
