#include "cluster/faults.h"

#include <utility>

#include "cluster/injector.h"

namespace sim::cluster {
namespace {

// What an event of a fault's strike is: its time, another look at what it waits for, or the news that it has
// come.
constexpr std::uint64_t kItsTime = 0, kLookAgain = 1, kHasCome = 2;
// How often one looks whether something has grown above its limit.
constexpr Duration kLookEvery = 100ms;

// Of a stop that stays down for a time of its own, when the last has exited tells the end.
bool ends_after_exit(const fault::Fault& fault) {
  const auto* stop = std::get_if<fault::Stop>(&fault.kind);
  return stop != nullptr && stop->down;
}

}  // namespace

Faults::Faults(fault::Schedule schedule, std::vector<fault::Fixed> fixed, Instant load_ends_at,
               const kernel::Streams& streams)
    : schedule_(std::make_shared<const fault::Schedule>(std::move(schedule))),
      awaited_(*schedule_),
      load_ends_at_(load_ends_at) {
  for (const fault::Fault& one : *schedule_) states_.push_back(FaultState{streams.get("fault/" + one.name)});
  for (const fault::Fixed& one : fixed) fixed_.rngs.push_back(streams.get("let/" + one.name));
  fixed_.all = std::move(fixed);
}

// Targets that are fixed at an instant come before the faults of that instant.
void Faults::schedule_all(Platform& platform) const {
  for (std::size_t i = 0; i < fixed_.all.size(); ++i) {
    platform.schedule(fixed_.all[i].at, EventKind::target_fixed, ProcessId{0}, static_cast<std::uint32_t>(i),
                      0);
  }
  for (std::size_t i = 0; i < schedule_->size(); ++i) {
    platform.schedule((*schedule_)[i].at, EventKind::fault_strikes, ProcessId{0},
                      static_cast<std::uint32_t>(i), kItsTime);
  }
}

void Faults::due(FaultId id, std::uint64_t occasion, World& world) {
  const fault::Fault& fault = this->fault(id);
  if (!fault.when) return strikes(id, world);
  FaultState& state = this->state(id);
  if (occasion == kItsTime) {
    state.is_waiting = true;
    state.waits_until = fault.waits ? world.now() + *fault.waits : Instant::max();
  }
  if (occasion == kHasCome) return strikes(id, world);
  if (still_waits(state, world.now()) && std::holds_alternative<fault::Threshold>(*fault.when))
    look(id, world);
}

void Faults::look(FaultId id, World& world) {
  const auto& threshold = std::get<fault::Threshold>(*fault(id).when);
  if (awaited_.is_above(threshold, world.now(), world.processes->names)) {
    state(id).is_waiting = false;
    return strikes(id, world);
  }
  if (world.now() + kLookEvery >= load_ends_at_) return;
  world.platform.schedule(world.now() + kLookEvery, EventKind::fault_strikes, ProcessId{0},
                          static_cast<std::uint32_t>(id.value()), kLookAgain);
}

Resolution Faults::resolve(const fault::Targets& targets, const World& world, Rng& rng) const {
  std::vector<bool> up;
  for (const Slot& slot : world.slots) up.push_back(slot.life.has_value());
  return cluster::resolve(targets, Situation{*world.processes, roles_, up, fixed_processes_}, rng);
}

// Whoever has the role is meant, even if it is down: it is called by name from now on.
void Faults::fix_target(std::size_t index, const World& world) {
  const fault::Fixed& fixed = fixed_.all[index];
  Resolution meant = resolve({fixed.target}, world, fixed_.rngs[index]);
  for (const Miss& miss : meant.missed) {
    if (miss.player != kNoProcess) meant.processes.push_back(miss.player);
  }
  fixed_processes_[fixed.name] = std::move(meant.processes);
}

void Faults::schedule_end(FaultId id, Duration from_now, World& world) {
  world.platform.schedule(world.now() + from_now, EventKind::fault_ends, ProcessId{0},
                          static_cast<std::uint32_t>(id.value()), state(id).strikes);
}

void Faults::strikes(FaultId id, World& world) {
  const fault::Fault& fault = this->fault(id);
  FaultState& state = this->state(id);
  const auto index = static_cast<std::uint32_t>(id.value());
  if (fault.every && world.now() + *fault.every < load_ends_at_) {
    world.platform.schedule(world.now() + *fault.every, EventKind::fault_strikes, ProcessId{0}, index,
                            kItsTime);
  }
  const bool restarts =
      std::holds_alternative<fault::Restart>(fault.kind) || std::holds_alternative<fault::Deploy>(fault.kind);
  const bool has_end = fault.lasts && !restarts;
  const bool ends_by_itself = std::holds_alternative<fault::Admin>(fault.kind);
  if (state.lasting && (has_end || ends_by_itself || ends_after_exit(fault))) return;
  if (state.lasting) report_end(id, world);
  ++state.strikes;
  if (has_end) schedule_end(id, *fault.lasts, world);
  if (state.is_disarmed) return;
  state.lasting = Strike{.number = state.strikes};
  if (Injector(*this, world, id).strike() == Injector::Lasts::no) report_end(id, world);
}

void Faults::ends(FaultId id, std::uint64_t strike, World& world) {
  const std::optional<Strike>& lasting = state(id).lasting;
  if (!lasting || lasting->number != strike) return;
  Injector(*this, world, id).undo();
  report_end(id, world);
}

void Faults::report_end(FaultId id, World& world) {
  Strike strike = *std::exchange(state(id).lasting, std::nullopt);
  Injector injector(*this, world, id);
  const std::int64_t effects = injector.effects(strike);
  world.platform.fold(static_cast<std::uint64_t>(effects));
  world.platform.tell(kNoProcess, observe::FaultEnded{id, effects});
  if (strike.is_undone) injector.lift(strike);
}

void Faults::heal(World& world) {
  for (std::size_t i = 0; i < states_.size(); ++i) {
    const FaultId id{static_cast<std::int32_t>(i)};
    FaultState& state = states_[i];
    state.is_disarmed = true;
    state.is_waiting = false;
    const fault::Kind& kind = fault(id).kind;
    const bool ends_by_itself = std::holds_alternative<fault::Admin>(kind) ||
                                std::holds_alternative<fault::Restart>(kind) ||
                                std::holds_alternative<fault::Deploy>(kind);
    if (!state.lasting || ends_by_itself) continue;
    const std::vector<ProcessId> touched = state.lasting->touched;
    Injector(*this, world, id).undo();
    report_end(id, world);
    for (const ProcessId process : touched) world.want_again(process);
  }
}

void Faults::end_all(World& world) {
  for (std::size_t i = 0; i < states_.size(); ++i) {
    if (states_[i].lasting) report_end(FaultId{static_cast<std::int32_t>(i)}, world);
  }
}

// ---- Meanwhile

void Faults::on(const observe::Observation& seen, World& world) {
  const observe::Fact& fact = seen.fact;
  roles_.on(seen);
  if (awaited_.is_needed()) {
    awaited_.on(fact, world.now());
    for (std::size_t i = 0; i < states_.size(); ++i) {
      const auto& when = (*schedule_)[i].when;
      const auto* moment = when ? std::get_if<fault::Moment>(&*when) : nullptr;
      if (moment == nullptr || !still_waits(states_[i], world.now()) ||
          !awaited_.is_moment(*moment, fact, roles_))
        continue;
      // The step in which it came about is finished first.
      states_[i].is_waiting = false;
      world.platform.schedule(world.now(), EventKind::fault_strikes, ProcessId{0},
                              static_cast<std::uint32_t>(i), kHasCome);
    }
  }
  const auto* answered = std::get_if<observe::AdminAnswered>(&fact);
  if (answered == nullptr || answered->error != ErrorCode::none) return;
  if (std::optional<Strike>& lasting = state(answered->fault).lasting) ++lasting->effects;
}

// A restart is over when all that it touched have started again.
void Faults::process_started(ProcessId process, World& world) {
  for (std::size_t i = 0; i < states_.size(); ++i) {
    if (!states_[i].lasting) continue;
    std::vector<ProcessLife>& restarting = states_[i].lasting->restarting;
    const auto is_back = [process](const ProcessLife& life) { return life.process == process; };
    if (std::erase_if(restarting, is_back) != 0 && restarting.empty())
      report_end(FaultId{static_cast<std::int32_t>(i)}, world);
  }
}

// A stop that counts from there begins to count when the last that it touched has exited.
void Faults::process_ended(ProcessId process, World& world) {
  for (std::size_t i = 0; i < states_.size(); ++i) {
    if (!states_[i].lasting) continue;
    std::vector<ProcessLife>& stopping = states_[i].lasting->stopping;
    const auto has_exited = [process](const ProcessLife& life) { return life.process == process; };
    if (std::erase_if(stopping, has_exited) == 0 || !stopping.empty()) continue;
    const FaultId id{static_cast<std::int32_t>(i)};
    schedule_end(id, *std::get<fault::Stop>(fault(id).kind).down, world);
  }
}

void Faults::operator_left(FaultId id, World& world) {
  if (state(id).lasting) report_end(id, world);
}

void Faults::writes_failed(ProcessId writer, const std::vector<std::int32_t>& directories) {
  for (std::size_t i = 0; i < states_.size() && !directories.empty(); ++i) {
    if (!states_[i].lasting) continue;
    const fault::Kind& kind = (*schedule_)[i].kind;
    const auto* error = std::get_if<fault::IoError>(&kind);
    const auto* full = std::get_if<fault::DiskFull>(&kind);
    if (error == nullptr && full == nullptr) continue;
    const std::optional<std::int32_t> of = error != nullptr ? error->directory : full->directory;
    for (const ProcessId process : states_[i].lasting->touched) {
      if (process != writer) continue;
      for (const std::int32_t directory : directories) {
        if (!of || *of == directory) ++states_[i].lasting->effects;
      }
    }
  }
}

}  // namespace sim::cluster
