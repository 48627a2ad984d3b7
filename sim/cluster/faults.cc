#include <algorithm>
#include <utility>

#include "cluster/cluster.h"
#include "cluster/targets.h"

// Faults of the schedule: when they strike, what they do, how it is undone. What wires do to bytes is in
// flows.cc, what becomes of processes in life.cc, partitions and other wires are laid out in
// network_faults.cc, disks and processors in machine_faults.cc.
namespace sim::cluster {

void Cluster::schedule_faults() {
  for (std::size_t i = 0; i < schedule_->size(); ++i) {
    const fault::Fault& fault = (*schedule_)[i];
    faults_.push_back(FaultState{streams_.get("fault/" + fault.name)});
    schedule(fault.at, EventKind::fault_strikes, ProcessId{0}, static_cast<std::uint32_t>(i), 0);
  }
}

void Cluster::strike(FaultId id) {
  const fault::Fault& fault = fault_of(id);
  FaultState& state = state_of(id);
  const auto index = static_cast<std::uint32_t>(id.value());
  if (fault.every && kernel_.now() + *fault.every < load_ends_at_) {
    schedule(kernel_.now() + *fault.every, EventKind::fault_strikes, ProcessId{0}, index, 0);
  }
  const bool has_end = fault.lasts && !std::holds_alternative<fault::Restart>(fault.kind);
  const bool ends_by_itself = std::holds_alternative<fault::Admin>(fault.kind);
  if (state.lasting && (has_end || ends_by_itself)) return;
  if (state.lasting) report_end(id);
  state.lasting = Strike{};
  ++state.strikes;
  if (has_end)
    schedule(kernel_.now() + *fault.lasts, EventKind::fault_ends, ProcessId{0}, index, state.strikes);
  std::visit([&](const auto& kind) { strike(id, kind, *state.lasting); }, fault.kind);
}

void Cluster::announce(FaultId id, Strike& strike, std::vector<ProcessId> touched) {
  for (const ProcessId process : touched)
    kernel_.fingerprint().add(static_cast<std::uint64_t>(process.value()));
  strike.touched = std::move(touched);
  tell(kNoProcess, observe::FaultStruck{id, strike.touched});
}

void Cluster::end_strike(FaultId id) {
  FaultState& state = state_of(id);
  if (!state.lasting) return;
  undo(id, *state.lasting);
  report_end(id);
}

void Cluster::report_end(FaultId id) {
  const Strike strike = *std::exchange(state_of(id).lasting, std::nullopt);
  const std::int64_t effects = strike.effects +
                               (strike.rule ? network_.interference().touched(*strike.rule) : 0) +
                               writes_slowed(id, strike);
  kernel_.fingerprint().add(static_cast<std::uint64_t>(effects));
  tell(kNoProcess, observe::FaultEnded{id, effects});
  if (strike.is_undone) undo_machine_faults(id, strike);
  if (strike.rule && strike.is_undone) network_.interference().lift(*strike.rule);
}

void Cluster::end_faults() {
  for (std::size_t i = 0; i < faults_.size(); ++i) {
    if (faults_[i].lasting) report_end(FaultId{static_cast<std::int32_t>(i)});
  }
}

// ---- Processes

// While it lasts. Without an end: until something starts it.
void Cluster::hold_down(FaultId id, ProcessId process, Strike& strike) {
  if (!fault_of(id).lasts) {
    slot(process).is_wanted = false;
    return;
  }
  ++slot(process).held_down;
  strike.held_down.push_back(process);
}

void Cluster::strike(FaultId id, const fault::Kill& kill, Strike& strike) {
  announce(id, strike, resolve(kill.targets, id));
  for (const ProcessId process : strike.touched) {
    hold_down(id, process, strike);
    if (!is_up(process)) continue;
    ++strike.effects;
    take_down(process, CrashMode::kill);
  }
}

void Cluster::strike(FaultId id, const fault::PowerLoss& loss, Strike& strike) {
  const std::vector<net::Endpoint> machines = machines_of(resolve(loss.targets, id));
  announce(id, strike, processes_on(machines));
  strike.effects = std::count_if(strike.touched.begin(), strike.touched.end(),
                                 [this](ProcessId one) { return is_up(one); });
  for (const net::Endpoint machine : machines) {
    if (fault_of(id).lasts) {
      ++machines_[static_cast<std::size_t>(machine)].held_off;
      ++troubles_;
      strike.powered_off.push_back(machine);
    } else {
      switch_off(machine);
    }
    power_off(machine, loss.tail == fault::Tail::torn ? &state_of(id).rng : nullptr);
  }
}

// Clients on the machines of a rack have nothing to lose.
void Cluster::strike(FaultId id, const fault::Wipe& wipe, Strike& strike) {
  std::vector<ProcessId> servers = resolve(wipe.targets, id);
  std::erase_if(servers, [this](ProcessId one) { return !slot(one).path; });
  announce(id, strike, std::move(servers));
  for (const ProcessId process : strike.touched) {
    hold_down(id, process, strike);
    ++strike.effects;
    if (is_up(process)) take_down(process, CrashMode::kill);
    this->wipe(process);
  }
}

void Cluster::strike(FaultId id, const fault::Stop& stop, Strike& strike) {
  announce(id, strike, resolve(stop.targets, id));
  for (const ProcessId process : strike.touched) {
    hold_down(id, process, strike);
    if (!is_up(process)) continue;
    ++strike.effects;
    request_stop(process);
  }
}

// One that is down, and that no other fault holds down, is only started.
void Cluster::strike(FaultId id, const fault::Restart& restart, Strike& strike) {
  announce(id, strike, resolve(restart.targets, id));
  for (const ProcessId process : strike.touched) {
    Slot& slot = this->slot(process);
    if (!slot.node) switch_on(slot.machine);
    slot.is_wanted = true;
    if (!slot.node && (slot.held_down != 0 || !has_power(process))) continue;
    ++strike.effects;
    strike.restarting.push_back({process, slot.incarnation});
    if (slot.node) {
      request_stop(process);
    } else {
      schedule_start(process);
    }
  }
  if (strike.restarting.empty()) report_end(id);
}

void Cluster::strike(FaultId id, const fault::Pause& pause, Strike& strike) {
  announce(id, strike, resolve(pause.targets, id));
  for (const ProcessId process : strike.touched) {
    if (!is_up(process)) continue;
    ++strike.effects;
    this->pause(process);
    strike.paused.push_back({process, slot(process).incarnation});
  }
}

void Cluster::undo(FaultId id, Strike& strike) {
  strike.is_undone = true;
  for (const ProcessId process : strike.held_down) {
    --slot(process).held_down;
    schedule_start(process);
  }
  for (const net::Endpoint machine : strike.powered_off) {
    --machines_[static_cast<std::size_t>(machine)].held_off;
    --troubles_;
  }
  for (const ProcessId process : processes_on(strike.powered_off)) schedule_start(process);
  for (const Life& life : strike.paused) {
    const bool is_same = is_up(life.process) && slot(life.process).incarnation == life.incarnation;
    if (is_same) resume(life.process);
  }
  undo_clocks(id, strike);
  if (strike.rule) --troubles_;
  if (std::erase_if(holds_, [id](const HoldRule& hold) { return hold.fault == id; }) == 0) return;
  --troubles_;
  release_held_flows(id);
}

// A restart is over when all that it touched have started again.
void Cluster::started_again(ProcessId process) {
  for (std::size_t i = 0; i < faults_.size(); ++i) {
    if (!faults_[i].lasting) continue;
    std::vector<Life>& restarting = faults_[i].lasting->restarting;
    const auto is_back = [process](const Life& life) { return life.process == process; };
    if (std::erase_if(restarting, is_back) != 0 && restarting.empty())
      report_end(FaultId{static_cast<std::int32_t>(i)});
  }
}

// ---- An operator: its process lives as long as the strike lasts.

void Cluster::strike(FaultId id, const fault::Admin&, Strike& strike) {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (processes_->specs[i].acts_for != id) continue;
    const ProcessId process{static_cast<std::int32_t>(i)};
    announce(id, strike, {process});
    slot(process).is_wanted = true;
    schedule_start(process);
  }
}

void Cluster::operator_heard(const observe::AdminAnswered& answer) {
  FaultState& state = state_of(answer.fault);
  if (state.lasting && answer.error == ErrorCode::none) ++state.lasting->effects;
}

void Cluster::operator_left(ProcessId process) {
  const FaultId id = *processes_->specs[static_cast<std::size_t>(process.value())].acts_for;
  if (state_of(id).lasting) report_end(id);
}

// ---- Whom

std::vector<ProcessId> Cluster::resolve(const fault::Targets& targets, FaultId id) {
  std::vector<bool> up;
  for (const Slot& slot : slots_) up.push_back(slot.node != nullptr);
  return cluster::resolve(targets, Situation{*processes_, roles_, up}, state_of(id).rng);
}

std::vector<net::Endpoint> Cluster::machines_of(const std::vector<ProcessId>& processes) const {
  std::vector<net::Endpoint> machines;
  for (const ProcessId process : processes) {
    const net::Endpoint machine = machine_of(process);
    if (std::find(machines.begin(), machines.end(), machine) == machines.end()) machines.push_back(machine);
  }
  return machines;
}

std::vector<ProcessId> Cluster::processes_on(const std::vector<net::Endpoint>& machines) const {
  std::vector<ProcessId> processes;
  for (const net::Endpoint machine : machines) {
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      if (slots_[i].machine == machine) processes.push_back(ProcessId{static_cast<std::int32_t>(i)});
    }
  }
  return processes;
}

}  // namespace sim::cluster
