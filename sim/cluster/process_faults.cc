#include <algorithm>
#include <utility>

#include "cluster/injector.h"
#include "cluster/targets.h"

// Faults of processes and of the machines under them, and what all faults have in common.
namespace sim::cluster {

Injector::Lasts Injector::strike() {
  return std::visit([this](const auto& kind) { return strike(kind); }, fault_.kind);
}

void Injector::announce(std::vector<ProcessId> touched) {
  for (const ProcessId process : touched) world_.platform.fold(static_cast<std::uint64_t>(process.value()));
  struck().touched = std::move(touched);
  world_.platform.tell(kNoProcess, observe::FaultStruck{id_, struck().touched});
  is_announced_ = true;
  tell_missed();
}

std::vector<ProcessId> Injector::resolve(const fault::Targets& targets) {
  Resolution meant = faults_.resolve(targets, world_, state_.rng);
  for (Miss& miss : meant.missed) missed_.push_back(std::move(miss));
  if (is_announced_) tell_missed();
  return std::move(meant.processes);
}

void Injector::tell_missed() {
  for (Miss& miss : std::exchange(missed_, {}))
    world_.platform.tell(kNoProcess, observe::RoleMissed{id_, std::move(miss.role), miss.player});
}

void Injector::undo() {
  Strike& strike = struck();
  strike.is_undone = true;
  for (const ProcessId process : strike.held_down) {
    --world_.slot(process).held_down;
    world_.schedule_start(process);
  }
  for (const net::Endpoint machine : strike.powered_off) world_.hold_off_no_more(machine);
  for (const ProcessId process : world_.processes_on(strike.powered_off)) world_.schedule_start(process);
  for (const ProcessLife& life : strike.paused) {
    const bool is_same =
        world_.is_up(life.process) && world_.platform.incarnation(life.process) == life.incarnation;
    if (is_same) world_.resume(life.process);
  }
  undo_clocks();
  strike.effects += world_.wires.held_by(id_);
  world_.wires.release(world_.platform, id_);
}

std::int64_t Injector::effects(const Strike& strike) {
  const std::int64_t by_rule = strike.rule ? world_.wires.touched(*strike.rule) : 0;
  return strike.effects + by_rule + world_.wires.held_by(id_) + writes_slowed(strike);
}

void Injector::lift(const Strike& strike) {
  lift_from_machines(strike);
  if (strike.rule) world_.wires.lift(*strike.rule);
}

// ---- Processes

// While it lasts. Without an end: until something starts it.
void Injector::hold_down(ProcessId process) {
  const auto* stop = std::get_if<fault::Stop>(&fault_.kind);
  if (!fault_.lasts && (stop == nullptr || !stop->down)) {
    world_.slot(process).is_wanted = false;
    return;
  }
  ++world_.slot(process).held_down;
  struck().held_down.push_back(process);
}

Injector::Lasts Injector::strike(const fault::Kill& kill) {
  announce(resolve(kill.targets));
  for (const ProcessId process : struck().touched) {
    hold_down(process);
    if (!world_.is_up(process)) continue;
    ++struck().effects;
    world_.take_down(process, CrashMode::kill);
    faults_.process_ended(process, world_);
  }
  return Lasts::yes;
}

Injector::Lasts Injector::strike(const fault::PowerLoss& loss) {
  const std::vector<net::Endpoint> machines = world_.machines_of(resolve(loss.targets));
  announce(world_.processes_on(machines));
  struck().effects = std::count_if(struck().touched.begin(), struck().touched.end(),
                                   [this](ProcessId one) { return world_.is_up(one); });
  for (const net::Endpoint machine : machines) {
    if (fault_.lasts) {
      world_.hold_off(machine);
      struck().powered_off.push_back(machine);
    } else {
      world_.switch_off(machine);
    }
    world_.power_off(machine, loss.tail == fault::Tail::torn ? &state_.rng : nullptr);
  }
  for (const ProcessId process : struck().touched) faults_.process_ended(process, world_);
  return Lasts::yes;
}

// Clients on the machines of a rack have nothing to lose.
Injector::Lasts Injector::strike(const fault::Wipe& wipe) {
  std::vector<ProcessId> servers = resolve(wipe.targets);
  std::erase_if(servers, [this](ProcessId one) { return !world_.spec(one).serves; });
  announce(std::move(servers));
  for (const ProcessId process : struck().touched) {
    hold_down(process);
    ++struck().effects;
    if (world_.is_up(process)) world_.take_down(process, CrashMode::kill);
    faults_.process_ended(process, world_);
    world_.wipe(process);
  }
  return Lasts::yes;
}

Injector::Lasts Injector::strike(const fault::Stop& stop) {
  announce(resolve(stop.targets));
  for (const ProcessId process : struck().touched) {
    hold_down(process);
    if (!world_.is_up(process)) continue;
    ++struck().effects;
    if (stop.down) struck().stopping.push_back({process, world_.platform.incarnation(process)});
    world_.request_stop(process);
  }
  if (stop.down && struck().stopping.empty()) faults_.schedule_end(id_, *stop.down, world_);
  return Lasts::yes;
}

// One that is down, and that no other fault holds down, is only started.
Injector::Lasts Injector::strike(const fault::Restart& restart) {
  announce(resolve(restart.targets));
  return restart_all();
}

Injector::Lasts Injector::strike(const fault::Deploy& deploy) {
  announce(resolve(deploy.targets));
  for (const ProcessId process : struck().touched) world_.slot(process).deployed = id_;
  return restart_all();
}

Injector::Lasts Injector::restart_all() {
  for (const ProcessId process : struck().touched) {
    Slot& slot = world_.slot(process);
    if (!slot.life) world_.switch_on(world_.platform.machine_of(process));
    slot.is_wanted = true;
    if (!slot.life && (slot.held_down != 0 || !world_.platform.has_power(process))) continue;
    ++struck().effects;
    struck().restarting.push_back({process, world_.platform.incarnation(process)});
    if (slot.life) {
      world_.request_stop(process);
    } else {
      world_.schedule_start(process);
    }
  }
  return struck().restarting.empty() ? Lasts::no : Lasts::yes;
}

Injector::Lasts Injector::strike(const fault::Pause& pause) {
  announce(resolve(pause.targets));
  for (const ProcessId process : struck().touched) {
    if (!world_.is_up(process)) continue;
    ++struck().effects;
    world_.pause(process);
    struck().paused.push_back({process, world_.platform.incarnation(process)});
  }
  return Lasts::yes;
}

// ---- An operator: its process lives as long as the strike lasts.

Injector::Lasts Injector::strike(const fault::Admin&) {
  for (std::size_t i = 0; i < world_.slots.size(); ++i) {
    const ProcessId process{static_cast<std::int32_t>(i)};
    if (world_.spec(process).acts_for != id_) continue;
    announce({process});
    world_.slot(process).is_wanted = true;
    world_.schedule_start(process);
  }
  return Lasts::yes;
}

}  // namespace sim::cluster
