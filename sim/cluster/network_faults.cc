#include <algorithm>
#include <utility>

#include "base/contains.h"
#include "cluster/injector.h"

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

Injector::Lasts Injector::strike(const fault::Partition& partition) {
  std::visit([&](const auto& shape) { cut(shape, partition.direction); }, partition.shape);
  return Lasts::yes;
}

void Injector::add_cut(net::Pairs pairs) {
  if (pairs.empty()) return;
  struck().rule = world_.wires.cut(std::move(pairs));
}

net::Pairs Injector::isolate(const std::vector<net::Endpoint>& machines, fault::Direction direction) const {
  net::Pairs pairs = no_pairs();
  for (const net::Endpoint inside : machines) {
    for (std::size_t i = 0; i < world_.platform.machines(); ++i) {
      const auto outside = static_cast<net::Endpoint>(i);
      if (!contains(machines, outside)) add_ways(pairs, inside, outside, direction);
    }
  }
  return pairs;
}

void Injector::cut(const fault::Isolate& shape, fault::Direction direction) {
  announce(resolve(shape.targets));
  if (shape.peers.empty()) return add_cut(isolate(world_.machines_of(struck().touched), direction));
  add_cut(pairs_of({shape.targets, shape.peers, direction}, struck().touched));
}

// Who is in two groups hears both.
void Injector::cut(const fault::Groups& shape, fault::Direction) {
  std::vector<std::vector<net::Endpoint>> groups;
  std::vector<ProcessId> touched;
  for (const fault::Targets& targets : shape.groups) {
    const std::vector<ProcessId> members = resolve(targets);
    groups.push_back(world_.machines_of(members));
    for (const ProcessId member : members) {
      if (std::find(touched.begin(), touched.end(), member) == touched.end()) touched.push_back(member);
    }
  }
  announce(std::move(touched));
  const auto share_a_group = [&](net::Endpoint a, net::Endpoint b) {
    return std::any_of(groups.begin(), groups.end(),
                       [&](const auto& group) { return contains(group, a) && contains(group, b); });
  };
  net::Pairs pairs = no_pairs();
  const std::vector<net::Endpoint> machines = world_.machines_of(struck().touched);
  for (const net::Endpoint a : machines) {
    for (const net::Endpoint b : machines) {
      if (!share_a_group(a, b)) pairs.add(a, b);
    }
  }
  add_cut(std::move(pairs));
}

// Touched is the half that the clients do not hear; it is never the larger one.
void Injector::cut(const fault::Halves&, fault::Direction) {
  const std::vector<net::Endpoint> servers = shuffled_servers();
  const auto middle = servers.begin() + static_cast<std::ptrdiff_t>((servers.size() + 1) / 2);
  const std::vector<net::Endpoint> cut_off(middle, servers.end());
  announce(world_.processes_on(cut_off));
  add_cut(isolate(cut_off, fault::Direction::both));
}

// Of a ring of all servers, each hears the majority in whose middle it stands.
void Injector::cut(const fault::MajoritiesRing&, fault::Direction) {
  const std::vector<net::Endpoint> ring = shuffled_servers();
  announce(world_.processes_on(ring));
  const std::size_t size = ring.size();
  const std::size_t majority = size / 2 + 1;
  const std::size_t before = (majority - 1) / 2;
  net::Pairs pairs = no_pairs();
  for (std::size_t at = 0; at < size; ++at) {
    const std::size_t first = (at + size - before) % size;
    for (std::size_t next = majority; next < size; ++next) pairs.add(ring[(first + next) % size], ring[at]);
  }
  add_cut(std::move(pairs));
}

// One server stays with both halves; the clients with it and the half that is not smaller.
void Injector::cut(const fault::Bridge&, fault::Direction) {
  const std::vector<net::Endpoint> servers = shuffled_servers();
  if (servers.empty()) return announce({});
  const auto middle = servers.begin() + 1 + static_cast<std::ptrdiff_t>(servers.size() / 2);
  const std::vector<net::Endpoint> cut_off(middle, servers.end());
  announce(world_.processes_on(cut_off));
  net::Pairs pairs = no_pairs();
  for (const net::Endpoint inside : cut_off) {
    for (std::size_t i = 0; i < world_.platform.machines(); ++i) {
      const auto outside = static_cast<net::Endpoint>(i);
      const bool is_bridge = outside == servers.front();
      if (!is_bridge && !contains(cut_off, outside)) add_ways(pairs, inside, outside, fault::Direction::both);
    }
  }
  add_cut(std::move(pairs));
}

std::vector<net::Endpoint> Injector::shuffled_servers() {
  std::vector<ProcessId> serving;
  for (std::size_t i = 0; i < world_.processes->specs.size(); ++i) {
    if (world_.processes->specs[i].serves) serving.push_back(ProcessId{static_cast<std::int32_t>(i)});
  }
  std::vector<net::Endpoint> machines = world_.machines_of(serving);
  for (std::size_t left = machines.size(); left > 1; --left) {
    const std::size_t drawn = state_.rng.below(left);
    std::swap(machines[left - 1], machines[drawn]);
  }
  return machines;
}

// ---- Delay, loss, hold, bandwidth, reset

net::Pairs Injector::pairs_of(const fault::Wires& wires, const std::vector<ProcessId>& targets) {
  const std::vector<net::Endpoint> peers = world_.machines_of(resolve(wires.peers));
  net::Pairs pairs = no_pairs();
  for (const net::Endpoint target : world_.machines_of(targets)) {
    for (std::size_t i = 0; i < world_.platform.machines(); ++i) {
      const auto peer = static_cast<net::Endpoint>(i);
      if (wires.peers.empty() || contains(peers, peer)) add_ways(pairs, target, peer, wires.direction);
    }
  }
  return pairs;
}

Injector::Lasts Injector::strike(const fault::Delay& delay) {
  announce(resolve(delay.wires.targets));
  net::Pairs pairs = pairs_of(delay.wires, struck().touched);
  if (pairs.empty()) return Lasts::yes;
  const net::DelaySpec by{delay.by, delay.jitter, delay.correlation_per_million};
  struck().rule = world_.wires.delay(std::move(pairs), by, rule_rng());
  return Lasts::yes;
}

Injector::Lasts Injector::strike(const fault::Loss& loss) {
  announce(resolve(loss.wires.targets));
  net::Pairs pairs = pairs_of(loss.wires, struck().touched);
  if (pairs.empty()) return Lasts::yes;
  const net::LossSpec how{loss.per_million, loss.mean_burst};
  struck().rule = world_.wires.lose(std::move(pairs), how, rule_rng());
  return Lasts::yes;
}

Injector::Lasts Injector::strike(const fault::Hold& hold) {
  announce(resolve(hold.wires.targets));
  net::Pairs pairs = pairs_of(hold.wires, struck().touched);
  if (pairs.empty()) return Lasts::yes;
  const bool replies = hold.side == fault::HeldSide::replies;
  HoldSpec what{.message = hold.request + (replies ? "Response" : "Request"),
                .replies = replies,
                .count = hold.count,
                .connections = hold.connections};
  if (hold.partition) {
    const std::optional<TopicId> topic = faults_.roles_.topic(hold.partition->topic);
    what.partition = TopicPartition{topic.value_or(kNoTopic), hold.partition->partition};
  }
  world_.wires.hold(id_, std::move(pairs), std::move(what));
  return Lasts::yes;
}

Injector::Lasts Injector::strike(const fault::Bandwidth& limit) {
  announce(resolve(limit.wires.targets));
  const std::vector<net::Endpoint> targets = world_.machines_of(struck().touched);
  const net::Pairs pairs = pairs_of(limit.wires, struck().touched);
  if (pairs.empty()) return Lasts::yes;
  net::Pairs out = no_pairs();
  net::Pairs in = no_pairs();
  for (const net::Endpoint target : targets) {
    for (std::size_t i = 0; i < world_.platform.machines(); ++i) {
      const auto peer = static_cast<net::Endpoint>(i);
      if (pairs.contains(target, peer)) out.add(target, peer);
      if (pairs.contains(peer, target)) in.add(peer, target);
    }
  }
  struck().rule = world_.wires.limit(std::move(out), std::move(in), limit.bits_per_second);
  return Lasts::yes;
}

// It is over at once.
Injector::Lasts Injector::strike(const fault::Reset& reset) {
  announce(resolve(reset.wires.targets));
  struck().effects +=
      world_.wires.reset_connections(world_.platform, pairs_of(reset.wires, struck().touched));
  return Lasts::no;
}

}  // namespace sim::cluster
