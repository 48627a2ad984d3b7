#include "net/network.h"

namespace sim::net {
namespace {

// Two processes of one machine talk over its loopback device.
constexpr std::int64_t kLoopbackNanos = 15'000;

std::string stream_name(std::size_t from, std::size_t to) {
  return "net/" + std::to_string(from) + "->" + std::to_string(to);
}

}  // namespace

Network::Network(const NetworkSpec& spec, const std::vector<MachinePlace>& machines, std::uint64_t seed)
    : machines_(machines.size()) {
  enum : std::int32_t { kBetween, kClients, kLoopback };
  links_ = {spec.between.one_way, spec.clients.one_way, Distribution::constant(kLoopbackNanos)};
  std::map<std::pair<std::string, std::string>, std::pair<std::int32_t, std::int32_t>> rack_links;
  for (const auto& [racks, link] : spec.rack_pairs) {
    rack_links[racks] = {static_cast<std::int32_t>(links_.size()), static_cast<std::int32_t>(pipes_.size())};
    links_.push_back(link.one_way);
    pipes_.emplace_back(link.bits_per_second);
  }
  for (const MachinePlace& machine : machines) {
    cards_.emplace_back(machine.is_client ? spec.clients.bits_per_second : spec.between.bits_per_second);
  }
  wires_.reserve(machines_ * machines_);
  for (std::size_t from = 0; from < machines_; ++from) {
    for (std::size_t to = 0; to < machines_; ++to) {
      Wire wire{Rng(seed, stream_name(from, to)), kBetween, -1};
      const auto racks = rack_links.find({machines[from].rack, machines[to].rack});
      if (from == to) {
        wire.link = kLoopback;
      } else if (racks != rack_links.end()) {
        wire.link = racks->second.first;
        wire.shared_pipe = racks->second.second;
      } else if (machines[from].is_client || machines[to].is_client) {
        wire.link = kClients;
      }
      wires_.push_back(wire);
    }
  }
}

Instant Network::arrival(Endpoint from, Endpoint to, std::int64_t bytes, Instant now) {
  Wire& wire = this->wire(from, to);
  if (from == to) return now + latency(wire);
  Instant left = cards_[static_cast<std::size_t>(from)].pass(now, bytes);
  if (wire.shared_pipe >= 0) left = pipes_[static_cast<std::size_t>(wire.shared_pipe)].pass(left, bytes);
  return left + latency(wire);
}

}  // namespace sim::net
