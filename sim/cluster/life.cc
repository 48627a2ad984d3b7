#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "cluster/world.h"

// The life of a process: it starts when it is wanted and nothing holds it down, ends by its own will, by a
// kill or with its machine, and may stand still in between.
namespace sim::cluster {
namespace {

// After a pause: about as long as a request takes from the socket to its handler, so that either may be
// first.
constexpr Duration kThreadsWakeWithin = std::chrono::microseconds(250);

std::vector<net::Endpoint> machines_by_process(const Processes& processes) {
  std::vector<net::Endpoint> result;
  for (const ProcessSpec& spec : processes.specs) result.push_back(spec.machine);
  return result;
}

Disks disks_of(const ProcessSpec& process, const kernel::Streams& streams) {
  std::vector<disk::Device> devices{{process.disk, streams.get("disk/" + process.name)}};
  for (std::int32_t d = 1; d < process.log_dirs; ++d)
    devices.emplace_back(process.disk, streams.get("disk/" + process.name + "/" + std::to_string(d)));
  return Disks(std::move(devices));
}

}  // namespace

World::World(std::shared_ptr<const Processes> all, const NetworkSpec& network, const kernel::Streams& streams)
    : processes(std::move(all)),
      platform(processes->machines.size(), machines_by_process(*processes)),
      wires(network, processes->machines, processes->specs.size(), streams.seed()) {
  slots.reserve(processes->specs.size());
  for (const ProcessSpec& process : processes->specs) {
    slots.emplace_back(disks_of(process, streams), streams.get("process/" + process.name),
                       streams.get("threads/" + process.name), streams.get("wakeups/" + process.name),
                       streams.get("start/" + process.name), streams.get("exit/" + process.name));
    if (process.has_pauses)
      slots.back().pauses.emplace(processes->cpu, streams.get("pauses/" + process.name));
  }
  for (const std::string& machine : processes->processors)
    processors.emplace_back(processes->cpu, streams.get(machine + "/others"));
}

// ---- Beginning and end

bool World::boot(ProcessId id) {
  Slot& slot = this->slot(id);
  if (slot.life || !slot.is_wanted || slot.held_down != 0 || !platform.has_power(id)) return false;
  close_sockets(id);
  const ProcessSpec& spec = this->spec(id);
  if (slot.disks.had_trouble()) slot.image.failed_directories = slot.disks.broken();
  slot.life.emplace(Life{.node = cluster::boot(spec, slot.deployed, slot.image, platform.incarnation(id))});
  if (spec.serves) {
    slot.life->path.emplace(spec.threads.network_threads, spec.threads.io_threads,
                            spec.threads.queued_max_requests, spec.machine_spec, slot.threads_rng);
    slot.life->path->set_cpu_factor(slot.cpu_factor);
  }
  platform.tell(id, observe::ProcessStarted{});
  return true;
}

// Its connections are its caller's business.
void World::end_life(ProcessId id) {
  Slot& slot = this->slot(id);
  SIM_CHECK(slot.life.has_value(), "only a process that is up can end");
  Life& ended = *slot.life;
  if (platform.is_watched()) {
    node::Effects last;
    ended.node->report_performed(ended.writes.performed(), slot.image, last);
    for (const node::Effect& effect : last) platform.tell(id, std::get<node::Report>(effect).fact);
  }
  platform.tell(id, observe::ProcessStopped{});
  for (const Event& event : ended.missed) {
    if (event.kind == EventKind::message) wires.free_message(platform, event.index);
  }
  ended.timers.for_each([this](const Timer& timer) { platform.kernel().destroy_timer(timer.handle); });
  if (ended.path) {
    for (const Ticket ticket : ended.path->waiting()) wires.free_message(platform, ticket);
    slot.threads_rng = ended.path->rng();
  }
  slot.life.reset();
  platform.begin_next_life(id);
}

void World::take_down(ProcessId id, CrashMode mode) {
  if (mode == CrashMode::power_loss) return power_off(platform.machine_of(id));
  end_life(id);
  slot(id).has_open_sockets = true;
  const Duration takes{mode == CrashMode::kill ? spec(id).exit_time.sample(slot(id).exit_rng) : 0};
  if (takes == Duration{}) return close_sockets(id);
  platform.schedule_in_life(now() + takes, EventKind::sockets_close, id);
}

void World::close_sockets(ProcessId id) {
  if (std::exchange(slot(id).has_open_sockets, false)) wires.close_connections(platform, id);
}

void World::power_off(net::Endpoint machine, Rng* tail) {
  for (const ProcessId id : processes_on({machine})) {
    if (is_up(id)) end_life(id);
    slot(id).has_open_sockets = false;
    lose_unflushed(id, tail);
  }
  wires.lose_connections(platform, machine);
}

void World::lose_unflushed(ProcessId id, Rng* tail) {
  tell_lost(id, slot(id).image.lose_power(now(), tail), observe::LossOfLog::power_loss);
}

void World::wipe(ProcessId id) {
  tell_lost(id, slot(id).image.wipe(), observe::LossOfLog::wiped);
}

void World::tell_lost(ProcessId id, const std::vector<node::LostEnd>& lost, observe::LossOfLog cause) {
  for (const node::LostEnd& one : lost)
    platform.tell(id, observe::LogLost{one.tp, spec(id).replica_of(one.tp), one.from, one.to, cause});
}

// A process that is started runs some time later.
void World::schedule_start(ProcessId id) {
  Slot& slot = this->slot(id);
  if (!slot.is_wanted) return;
  slot.starts_at = now() + Duration{spec(id).start_time.sample(slot.start_rng)};
  platform.schedule_in_life(slot.starts_at, EventKind::start_again, id);
}

void World::want_again(ProcessId id) {
  Slot& slot = this->slot(id);
  const bool was_wanted = std::exchange(slot.is_wanted, true);
  if (slot.life || was_wanted) return;
  switch_on(platform.machine_of(id));
  schedule_start(id);
}

void World::request_stop(ProcessId id) {
  if (!std::exchange(life(id).is_stopping, true)) platform.schedule_in_life(now(), EventKind::stop, id);
}

// ---- Standing still

// The operating system goes on: it accepts connections and takes requests off the wire; threads of a server
// have a clock of their own (RequestPath).
bool World::is_missed(const Event& event) const {
  const Slot& slot = this->slot(ProcessId{event.process});
  if (!slot.life || slot.life->paused == 0) return false;
  switch (event.kind) {
    case EventKind::timer:
    case EventKind::persisted_told:
    case EventKind::stop:
    case EventKind::connect_answered:
    case EventKind::close_reaches_client:
    case EventKind::close_reaches_server:
    case EventKind::reset_reaches_server: return true;
    case EventKind::message:    // of which a response waits
    case EventKind::persisted:  // of which the process's part waits
    case EventKind::start:
    case EventKind::start_again:
    case EventKind::sockets_close:
    case EventKind::connect_arrives:
    case EventKind::connect_again:
    case EventKind::retransmit_to_server:
    case EventKind::retransmit_to_client:
    case EventKind::throttle_ends:
    case EventKind::target_fixed:
    case EventKind::healed:
    case EventKind::fault_strikes:
    case EventKind::fault_ends: return false;
  }
  return false;
}

void World::pause(ProcessId id) {
  Life& life = this->life(id);
  if (life.paused++ == 0 && life.path) life.path->pause(now());
}

// All that has waited happens now, in the order in which it came. A timer is armed anew, so that what
// happens before it can still cancel it.
void World::resume(ProcessId id) {
  Life& life = this->life(id);
  SIM_CHECK(life.paused > 0, "only a paused process is resumed");
  if (--life.paused != 0) return;
  for (const Event& event : std::exchange(life.missed, {})) {
    if (event.kind == EventKind::timer) {
      const Duration late{slot(id).start_rng.between(0, kThreadsWakeWithin.count())};
      platform.kernel().arm(life.timers.at(Timers::id_of(event.index)).handle, now() + late);
    } else if (event.kind == EventKind::message) {
      wires.arm(platform, event.index, now());
    } else {
      platform.kernel().schedule(now(), event);
    }
  }
  if (!life.path) return;
  life.path->resume(now());
  schedule_released(id);
}

// ---- Machines

void World::switch_off(net::Endpoint machine) {
  if (!std::exchange(platform.machine(machine).is_off, true)) wires.trouble_began();
  for (const ProcessId id : processes_on({machine})) slot(id).is_wanted = false;
}

void World::switch_on(net::Endpoint machine) {
  if (std::exchange(platform.machine(machine).is_off, false)) wires.trouble_ended();
}

void World::hold_off(net::Endpoint machine) {
  ++platform.machine(machine).held_off;
  wires.trouble_began();
}

void World::hold_off_no_more(net::Endpoint machine) {
  --platform.machine(machine).held_off;
  wires.trouble_ended();
}

// Several at once multiply, up to a million.
void World::set_cpu_factor(ProcessId id) {
  constexpr std::int64_t kMost = 1'000'000;
  Slot& slot = this->slot(id);
  slot.cpu_factor = 1;
  for (const SlowedBy& one : slot.slowed_by) slot.cpu_factor = std::min(kMost, slot.cpu_factor * one.factor);
  if (slot.life && slot.life->path) slot.life->path->set_cpu_factor(slot.cpu_factor);
}

std::vector<net::Endpoint> World::machines_of(const std::vector<ProcessId>& of) const {
  std::vector<net::Endpoint> machines;
  for (const ProcessId process : of) {
    const net::Endpoint machine = platform.machine_of(process);
    if (std::find(machines.begin(), machines.end(), machine) == machines.end()) machines.push_back(machine);
  }
  return machines;
}

std::vector<ProcessId> World::processes_on(const std::vector<net::Endpoint>& machines) const {
  std::vector<ProcessId> result;
  for (const net::Endpoint machine : machines) {
    for (std::size_t i = 0; i < slots.size(); ++i) {
      const ProcessId id{static_cast<std::int32_t>(i)};
      if (platform.machine_of(id) == machine) result.push_back(id);
    }
  }
  return result;
}

// ---- Timers

void World::set_timer(ProcessId id, const node::SetTimer& set) {
  Timer& timer = life(id).timers.at(set.timer);
  if (!timer.exists) {
    timer.exists = true;
    Event event =
        platform.event(EventKind::timer, id, Timers::number_of(set.timer), platform.incarnation(id).value());
    event.cause = 0;  // the timer knows who set it last
    timer.handle = platform.kernel().create_timer(event);
  }
  timer.cause = platform.event_number();
  timer.deadline = set.deadline;
  timer.has_core = false;
  const Instant due = std::max(now(), platform.clock_of(id).instant_of(set.deadline));
  platform.fold(static_cast<std::uint64_t>(nanos(due)));
  platform.kernel().arm(timer.handle, due);
}

void World::cancel_timer(ProcessId id, node::TimerId timer) {
  Timer& set = life(id).timers.at(timer);
  if (!set.exists) return;
  set.has_core = false;
  platform.kernel().cancel(set.handle);
}

void World::set_timers_anew(net::Endpoint machine) {
  for (const ProcessId id : processes_on({machine})) {
    if (!is_up(id)) continue;
    life(id).timers.for_each([&](const Timer& timer) {
      if (!platform.kernel().is_armed(timer.handle)) return;
      const Instant due = platform.clock_of(id).instant_of(timer.deadline);
      platform.kernel().arm(timer.handle, std::max(now(), due));
    });
  }
}

}  // namespace sim::cluster
