#include "cluster/cluster.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "base/check.h"

// Events, steps and effects.
namespace sim::cluster {
namespace {

std::shared_ptr<const Processes> with_names(Processes processes, const fault::Schedule& faults) {
  for (const fault::Fault& fault : faults) processes.names.faults.push_back(fault.name);
  return std::make_shared<const Processes>(std::move(processes));
}

}  // namespace

Cluster::Cluster(const ClusterSpec& spec)
    : Cluster(processes_of(spec, kernel::Streams(spec.seed)), spec.network, kernel::Streams(spec.seed),
              spec.faults, Instant{} + spec.load_ends_at, spec.fixed_targets) {
  if (!spec.heals_when_load_ends) return;
  world_.platform.schedule(Instant{} + spec.load_ends_at, EventKind::healed, ProcessId{0}, 0, 0);
}

Cluster::Cluster(Processes processes, const NetworkSpec& network, const kernel::Streams& streams,
                 fault::Schedule faults, Instant load_ends_at, std::vector<fault::Fixed> fixed_targets)
    : world_(with_names(std::move(processes), faults), network, streams),
      faults_(std::move(faults), std::move(fixed_targets), load_ends_at, streams) {
  for (std::size_t i = 0; i < world_.slots.size(); ++i) {
    const ProcessId id{static_cast<std::int32_t>(i)};
    const ProcessSpec& process = world_.spec(id);
    if (!process.acts_for) world_.platform.schedule(process.starts_at, EventKind::start, id, 0, 0);
  }
  faults_.schedule_all(world_.platform);
}

// ---- Events

bool Cluster::step() {
  Event event;
  if (!world_.platform.next(event)) return false;
  world_.platform.begin(event);
  handle(event);
  return true;
}

void Cluster::handle(const Event& event) {
  Platform& platform = world_.platform;
  Wires& wires = world_.wires;
  const ProcessId process{event.process};
  const bool same_life = event.life == platform.incarnation(process).value();
  if (world_.is_missed(event)) return world_.life(process).missed.push_back(event);
  switch (event.kind) {
    case EventKind::start:
      if (!same_life) return;
      world_.slot(process).is_wanted = true;
      return start(process);
    case EventKind::start_again:
      if (same_life && world_.now() >= world_.slot(process).starts_at) start(process);
      return;
    case EventKind::timer:
      if (world_.timer_waits(process, Timers::id_of(event.index))) return;
      platform.set_cause(world_.life(process).timers.at(Timers::id_of(event.index)).cause);
      return step(process, node::TimerFired{Timers::id_of(event.index)});
    case EventKind::persisted:
      if (same_life) persisted(process, event.index);
      return;
    case EventKind::persisted_told:
      if (same_life) tell_persisted(process, event.index);
      return;
    case EventKind::stop:
      if (same_life) step(process, node::StopRequested{});
      return;
    case EventKind::sockets_close:
      if (same_life) world_.close_sockets(process);
      return;
    case EventKind::connect_arrives:
      if (!wires.connect_arrives(platform, event.index, event.life)) return;
      // The operating system accepts for a process that is paused, and refuses for one that is down.
      if (!world_.is_up(process)) {
        const bool is_listening = world_.slot(process).has_open_sockets;
        return is_listening ? wires.accept(platform, event.index, 0) : wires.refuse(platform, event.index);
      }
      SIM_CHECK(world_.spec(process).serves, "only brokers and controllers are connected to");
      return wires.accept(platform, event.index, world_.life(process).path->accept());
    case EventKind::connect_answered: return hear(wires.connect_answered(platform, event.index, event.life));
    case EventKind::connect_again: return wires.connect_again(platform, event.index, event.life);
    case EventKind::close_reaches_client:
      return hear(wires.close_reaches_client(platform, event.index, event.life));
    case EventKind::close_reaches_server:
      return hear(wires.close_reaches_server(platform, event.index, event.life));
    case EventKind::reset_reaches_server:
      return hear(wires.reset_reaches_server(platform, event.index, event.life));
    case EventKind::retransmit_to_server: return wires.retransmit(platform, event.index, event.life, true);
    case EventKind::retransmit_to_client: return wires.retransmit(platform, event.index, event.life, false);
    case EventKind::throttle_ends:
      if (wires.throttle_ends(event.index, event.life)) world_.read_next(event.index);
      return;
    case EventKind::message: return message_goes_on(event.index);
    case EventKind::target_fixed: return faults_.fix_target(event.index, world_);
    case EventKind::healed: return heal();
    case EventKind::fault_strikes:
      return faults_.due(FaultId{static_cast<std::int32_t>(event.index)}, event.life, world_);
    case EventKind::fault_ends:
      return faults_.ends(FaultId{static_cast<std::int32_t>(event.index)}, event.life, world_);
  }
}

void Cluster::start(ProcessId id) {
  if (!world_.boot(id)) return;
  faults_.process_started(id, world_);
  step(id, node::Started{});
}

void Cluster::hear(std::optional<Heard> heard) {
  if (heard && world_.is_up(heard->process)) step(heard->process, std::move(heard->input));
}

void Cluster::message_goes_on(Ticket ticket) {
  using Stage = MessageInFlight::Stage;
  Wires& wires = world_.wires;
  const MessageInFlight& message = wires.message(ticket);
  const ProcessId server = message.envelope.channel.server;
  world_.platform.set_cause(message.cause);
  switch (message.stage) {
    case Stage::to_server:
    case Stage::to_client:
    case Stage::has_core: return deliver(ticket);
    case Stage::read:
    case Stage::written:
      if (message.life != world_.platform.incarnation(server))
        return wires.free_message(world_.platform, ticket);
      return world_.network_work_done(server, ticket);
    case Stage::handled:
      if (message.life != world_.platform.incarnation(server))
        return wires.free_message(world_.platform, ticket);
      return handle_request(server, ticket);
    case Stage::none:
    case Stage::in_socket:
    case Stage::queued: SIM_CHECK(false, "nothing is due of a message that waits");
  }
}

void Cluster::deliver(Ticket ticket) {
  Wires& wires = world_.wires;
  MessageInFlight& message = wires.message(ticket);
  const ProcessId at = message.envelope.to();
  if (message.envelope.response && world_.is_up(at) && world_.life(at).paused != 0) {
    world_.life(at).missed.push_back(world_.platform.event(EventKind::message, ProcessId{0}, ticket, 0));
    return;
  }
  if (message.envelope.response && world_.is_up(at) && world_.response_waits(at, ticket)) return;
  const std::uint32_t connection = message.connection;
  switch (wires.message_arrives(world_.platform, ticket)) {
    case Wires::Arrival::nowhere: return;
    case Wires::Arrival::at_client: {
      node::Input input(std::in_place_type<node::Received>, std::move(message.envelope));
      wires.free_message(world_.platform, ticket);
      if (!world_.is_up(at)) return;  // it was killed, its connection is not closed yet
      return step(at, std::move(input));
    }
    case Wires::Arrival::at_server: return world_.read_next(connection);
  }
}

void Cluster::handle_request(ProcessId server, Ticket ticket) {
  if (!world_.handler_done(server, ticket)) return;
  MessageInFlight& message = world_.wires.message(ticket);
  message.envelope.correlation = message.served_as;
  node::Input input(std::in_place_type<node::Received>, std::move(message.envelope));
  world_.wires.free_message(world_.platform, ticket);
  const Incarnation incarnation = world_.platform.incarnation(server);
  handling_at_ = server;
  handler_write_.reset();
  step(server, std::move(input));
  handling_at_ = kNoProcess;
  if (!handler_write_ && world_.platform.incarnation(server) == incarnation) world_.io_thread_free(server);
}

// Writing and flushing are the machine's work, and go on while the process is paused; asking for the flush
// and learning that all is done are the process's.
void Cluster::persisted(ProcessId id, std::uint32_t write) {
  Platform& platform = world_.platform;
  Slot& writer = world_.slot(id);
  PendingWrites& writes = writer.life->writes;
  std::vector<std::int32_t> failed;
  writes.perform(write, writer.disks, writer.image, platform.now(), failed);
  faults_.writes_failed(id, failed);
  if (writer.life->paused != 0) {
    return writer.life->missed.push_back(
        platform.event(EventKind::persisted, id, write, platform.incarnation(id).value()));
  }
  if (!world_.takes_thread_time(id)) return tell_persisted(id, write);
  Instant& last = writer.life->last_write_told;
  last = std::max(last, world_.wakeup_done(id, platform.now()));
  platform.schedule_in_life(last, EventKind::persisted_told, id, write);
}

void Cluster::tell_persisted(ProcessId id, std::uint32_t write) {
  Platform& platform = world_.platform;
  Slot& writer = world_.slot(id);
  PendingWrites& writes = writer.life->writes;
  if (writes.progress(write) == PendingWrites::Progress::must_be_flushed) {
    const Instant done = writes.flush(write, writer.disks, writer.image, platform.now());
    return platform.schedule_in_life(done, EventKind::persisted, id, write);
  }
  const Incarnation incarnation = platform.incarnation(id);
  const PendingWrites::Done done = writes.finish(write);
  if (done.failed_directories == 0) {
    release_held(id, done.id);
  } else {
    drop_held(id, done.id);
  }
  step(id, node::Persisted{done.id, done.failed_directories});
  if (done.frees_io_thread && platform.incarnation(id) == incarnation) world_.io_thread_free(id);
}

// ---- Steps

void Cluster::step(ProcessId id, node::Input&& input) {
  SIM_CHECK(world_.is_up(id), "inputs of a process that is down are dropped before");
  Slot& stepped = world_.slot(id);
  const Clock& clock = world_.platform.clock_of(id);
  const Instant now = world_.now();
  const node::Env env{.now = clock.local(now),
                      .rng = stepped.rng,
                      .wall_ahead = clock.wall_ahead(now),
                      .cpu_factor = stepped.cpu_factor};
  stepped.life->node->step(input, env, effects_);
  perform(id, effects_);
  effects_.clear();
  if (std::exchange(exits_, kNoProcess) == id) exited(id);
}

// By its own will, if nobody has told it to: then nobody starts it again.
void Cluster::exited(ProcessId id) {
  if (!world_.life(id).is_stopping) world_.slot(id).is_wanted = false;
  world_.take_down(id, CrashMode::exit);
  faults_.process_ended(id, world_);
  if (const std::optional<FaultId> fault = world_.spec(id).acts_for)
    return faults_.operator_left(*fault, world_);
  world_.schedule_start(id);
}

// ---- Effects, each folded into the fingerprint

void Cluster::perform(ProcessId id, node::Effects& effects) {
  for (node::Effect& effect : effects) {
    std::visit([&](auto& one) { perform(id, one); }, effect);
  }
}

void Cluster::perform(ProcessId id, node::Send& sent) {
  Life& sender = world_.life(id);
  if (!sent.after || !sender.writes.has(*sent.after)) return world_.send(std::move(sent.envelope));
  const std::uint32_t index =
      sent.envelope.response ? Connection::kNoConnection : world_.wires.last_opened(sent.envelope.channel);
  const std::uint32_t generation =
      index == Connection::kNoConnection ? 0 : world_.wires.connection(index).generation;
  sender.held.push_back(HeldSend{*sent.after, std::move(sent.envelope), index, generation});
}

void Cluster::perform(ProcessId id, const node::Scan& scan) {
  Slot& reader = world_.slot(id);
  const PendingWrites::Begun begun = reader.life->writes.begin(scan, reader.disks, world_.now());
  world_.platform.fold(static_cast<std::uint64_t>(nanos(begun.done)));
  world_.platform.schedule_in_life(begun.done, EventKind::persisted, id, begun.index);
}

void Cluster::perform(ProcessId id, node::Persist& persist) {
  Slot& writer = world_.slot(id);
  const PendingWrites::Begun begun =
      writer.life->writes.begin(persist, writer.disks, writer.image, world_.now());
  if (handling_at_ == id && persist.waits == node::Waits::handler) {
    writer.life->writes.wait_for(begun.index, handler_write_);
    handler_write_ = begun.index;
  }
  world_.platform.fold(static_cast<std::uint64_t>(begun.bytes) << 16 |
                       static_cast<std::uint64_t>(id.value()));
  world_.platform.schedule_in_life(begun.done, EventKind::persisted, id, begun.index);
}

void Cluster::perform(ProcessId id, const node::SetTimer& set) {
  world_.set_timer(id, set);
}

void Cluster::perform(ProcessId id, const node::CancelTimer& cancel) {
  world_.cancel_timer(id, cancel.timer);
}

void Cluster::perform(ProcessId id, const node::Connect& connect) {
  SIM_CHECK(connect.channel.client == id, "only its client opens a connection");
  world_.wires.connect(world_.platform, connect.channel);
}

void Cluster::perform(ProcessId id, const node::Disconnect& disconnect) {
  world_.wires.disconnect(world_.platform, id, disconnect.channel);
}

void Cluster::reseed(std::uint64_t number) {
  const std::string name = "future " + std::to_string(number);
  world_.wires.reseed(name);
  for (Slot& slot : world_.slots) {
    slot.rng = slot.rng.child(name);
    slot.threads_rng = slot.threads_rng.child(name);
    slot.start_rng = slot.start_rng.child(name);
    slot.disks.reseed(name);
    if (slot.life && slot.life->path) slot.life->path->reseed(name);
  }
  faults_.reseed(name);
}

void Cluster::perform(ProcessId id, node::Report& report) {
  world_.platform.fold(report.fact.index());
  faults_.on(world_.platform.observation(world_.now(), id, report.fact), world_);
  const Clock& clock = world_.platform.clock_of(id);
  if (!clock.is_exact()) {
    observe::to_true_time(
        report.fact, [&clock](std::int64_t local_ns) { return nanos(clock.instant_of(local_at(local_ns))); });
  }
  world_.platform.tell(id, report.fact);
}

// Servers that have halted by themselves come back, too, and one with a directory that had failed starts
// anew, as an operator would have it: only then does it look at its disks again.
void Cluster::heal() {
  faults_.heal(world_);
  for (std::size_t i = 0; i < world_.slots.size(); ++i) {
    const ProcessId id{static_cast<std::int32_t>(i)};
    if (!world_.spec(id).serves || world_.spec(id).starts_at > world_.now()) continue;
    world_.want_again(id);
    if (is_up(id) && world_.slot(id).disks.had_trouble()) world_.request_stop(id);
  }
}

void Cluster::perform(ProcessId id, node::Exit) {
  exits_ = id;
}

// What was to say that something is safe which is not.
void Cluster::drop_held(ProcessId id, node::PersistId write) {
  std::erase_if(world_.life(id).held, [write](const HeldSend& held) { return held.after == write; });
}

void Cluster::release_held(ProcessId id, node::PersistId write) {
  std::vector<HeldSend>& all = world_.life(id).held;
  if (all.empty()) return;
  const auto is_released = [write](const HeldSend& held) { return held.after == write; };
  std::vector<HeldSend> released;
  for (HeldSend& held : all) {
    if (is_released(held)) released.push_back(std::move(held));
  }
  std::erase_if(all, is_released);
  for (HeldSend& held : released) {
    // A request is meant for the connection it was sent on, not for one that has taken its place.
    const bool is_meant =
        held.envelope.response || (held.connection != Connection::kNoConnection &&
                                   world_.wires.last_opened(held.envelope.channel) == held.connection &&
                                   world_.wires.is_of(held.connection, held.generation));
    if (is_meant) world_.send(std::move(held.envelope));
  }
}

// ---- From outside

void Cluster::crash(ProcessId id, CrashMode mode) {
  SIM_CHECK(is_up(id), "only a process that is up can crash");
  if (mode == CrashMode::power_loss) {
    world_.switch_off(world_.platform.machine_of(id));
  } else {
    world_.slot(id).is_wanted = false;
  }
  world_.take_down(id, mode);
}

void Cluster::stop(ProcessId id) {
  SIM_CHECK(is_up(id), "only a process that is up can be told to stop");
  world_.slot(id).is_wanted = false;
  world_.request_stop(id);
}

void Cluster::restart(ProcessId id) {
  SIM_CHECK(!is_up(id), "only a process that is down can be started");
  world_.switch_on(world_.platform.machine_of(id));
  world_.slot(id).is_wanted = true;
  SIM_CHECK(world_.slot(id).held_down == 0 && world_.platform.has_power(id), "no fault holds it down");
  start(id);
}

}  // namespace sim::cluster
