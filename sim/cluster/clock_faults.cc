#include "cluster/injector.h"

// Clocks that are put wrong. They are their machine's: all processes on it read the same ones.
namespace sim::cluster {

Injector::Lasts Injector::strike(const fault::TimeOffset& offset) {
  announce(resolve(offset.targets));
  struck().clocks = world_.machines_of(struck().touched);
  for (const net::Endpoint machine : struck().clocks) {
    ++struck().effects;
    world_.platform.machine(machine).clock.step_wall(world_.now(), offset.by);
  }
  return Lasts::yes;
}

Injector::Lasts Injector::strike(const fault::Drift& drift) {
  announce(resolve(drift.targets));
  struck().clocks = world_.machines_of(struck().touched);
  for (const net::Endpoint machine : struck().clocks) {
    ++struck().effects;
    world_.platform.machine(machine).clock.change_rate(world_.now(), drift.ppm);
    world_.set_timers_anew(machine);
  }
  return Lasts::yes;
}

void Injector::undo_clocks() {
  const auto* offset = std::get_if<fault::TimeOffset>(&fault_.kind);
  const auto* drift = std::get_if<fault::Drift>(&fault_.kind);
  for (const net::Endpoint machine : struck().clocks) {
    Clock& clock = world_.platform.machine(machine).clock;
    if (offset != nullptr) clock.step_wall(world_.now(), -offset->by);
    if (drift == nullptr) continue;
    clock.change_rate(world_.now(), -drift->ppm);
    world_.set_timers_anew(machine);
  }
}

}  // namespace sim::cluster
