#include "cluster/cluster.h"

// Clocks that are put wrong. They are their machine's: all processes on it read the same ones.
namespace sim::cluster {

void Cluster::strike(FaultId id, const fault::TimeOffset& offset, Strike& strike) {
  announce(id, strike, resolve(offset.targets, id));
  strike.clocks = machines_of(strike.touched);
  for (const net::Endpoint machine : strike.clocks) {
    ++strike.effects;
    machines_[static_cast<std::size_t>(machine)].clock.step_wall(kernel_.now(), offset.by);
  }
}

void Cluster::strike(FaultId id, const fault::Drift& drift, Strike& strike) {
  announce(id, strike, resolve(drift.targets, id));
  strike.clocks = machines_of(strike.touched);
  for (const net::Endpoint machine : strike.clocks) {
    ++strike.effects;
    machines_[static_cast<std::size_t>(machine)].clock.change_rate(kernel_.now(), drift.ppm);
    set_timers_anew(machine);
  }
}

void Cluster::undo_clocks(FaultId id, Strike& strike) {
  const auto* offset = std::get_if<fault::TimeOffset>(&fault_of(id).kind);
  const auto* drift = std::get_if<fault::Drift>(&fault_of(id).kind);
  for (const net::Endpoint machine : strike.clocks) {
    Clock& clock = machines_[static_cast<std::size_t>(machine)].clock;
    if (offset != nullptr) clock.step_wall(kernel_.now(), -offset->by);
    if (drift == nullptr) continue;
    clock.change_rate(kernel_.now(), -drift->ppm);
    set_timers_anew(machine);
  }
}

// A timer is due when its machine's clock shows its deadline, which is at another instant now.
void Cluster::set_timers_anew(net::Endpoint machine) {
  for (const Slot& slot : slots_) {
    if (slot.machine != machine) continue;
    for (const Timer& timer : slot.timers) {
      if (!timer.exists || !kernel_.is_armed(timer.handle)) continue;
      kernel_.arm(timer.handle, std::max(kernel_.now(), instant_of(slot, timer.deadline)));
    }
  }
}

}  // namespace sim::cluster
