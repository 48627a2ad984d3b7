#include "cluster/cluster.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

// Events, effects, writes, timers, and the life of processes. What happens to messages on their way is in
// messages.cc, connections are in connections.cc.
namespace sim::cluster {
namespace {

std::int64_t size_of(const log::LogWrite& write) {
  constexpr std::int64_t kSmallWriteBytes = 64;  // a truncation, a checkpoint's entry
  if (const auto* append = std::get_if<log::AppendBatch>(&write)) return append->batch.size_bytes();
  if (const auto* whole = std::get_if<log::WriteSnapshot>(&write)) return whole->snapshot->size_bytes;
  return kSmallWriteBytes;
}

}  // namespace

Cluster::Slot::Slot(const Slot& other)
    : node(other.node ? other.node->clone() : nullptr),
      image(other.image),
      incarnation(other.incarnation),
      powered(other.powered),
      machine(other.machine),
      rng(other.rng),
      disk(other.disk),
      path(other.path),
      timers(other.timers),
      writes(other.writes),
      free_writes(other.free_writes),
      held(other.held),
      opened(other.opened) {}

Cluster::Cluster(const ClusterSpec& spec)
    : Cluster(processes_of(spec, kernel::Streams(spec.seed)), spec.network, kernel::Streams(spec.seed)) {}

Cluster::Cluster(Processes processes, const NetworkSpec& network, kernel::Streams streams)
    : processes_(std::make_shared<const Processes>(std::move(processes))),
      streams_(streams),
      network_(network, processes_->machines, streams.seed()) {
  slots_.reserve(processes_->specs.size());
  for (std::size_t i = 0; i < processes_->specs.size(); ++i) {
    const ProcessSpec& process = processes_->specs[i];
    slots_.emplace_back(process.machine, process.disk, streams_.get("process/" + process.name),
                        streams_.get("disk/" + process.name));
    slots_.back().path = new_request_path(process);
    schedule(process.starts_at, EventKind::start, ProcessId{static_cast<std::int32_t>(i)}, 0, 0);
  }
}

Cluster::Cluster(const Cluster& other)
    : processes_(other.processes_),
      streams_(other.streams_),
      kernel_(other.kernel_),
      network_(other.network_),
      slots_(other.slots_),
      connections_(other.connections_),
      messages_(other.messages_),
      free_messages_(other.free_messages_),
      event_number_(other.event_number_),
      cause_(other.cause_) {}

std::optional<RequestPath> Cluster::new_request_path(const ProcessSpec& process) const {
  if (!process.serves) return std::nullopt;
  return RequestPath(process.threads.network_threads, process.threads.io_threads, process.threads.queued_max_requests,
                     process.machine_spec, streams_.get("threads/" + process.name));
}

void Cluster::observe(observe::Observer& observer) {
  observers_.push_back(&observer);
  messages_wanted_ = messages_wanted_ || observer.wants_messages();
}

// ---- Events

void Cluster::schedule(Instant at, EventKind kind, ProcessId process, std::uint32_t index, std::uint64_t life) {
  kernel_.schedule(at, Event{kind, static_cast<std::uint16_t>(process.value()), index, life, event_number_});
}

bool Cluster::step() {
  kernel::Kernel<Event>::Fired fired;
  if (!kernel_.next(fired)) return false;
  event_number_ = kernel_.events_fired();
  cause_ = fired.event.cause;
  handle(fired.event);
  return true;
}

void Cluster::handle(const Event& event) {
  const ProcessId process{event.process};
  const bool same_life = event.life == slot(process).incarnation.value();
  switch (event.kind) {
    case EventKind::start:
      if (same_life && !slot(process).node) start(process);
      return;
    case EventKind::timer:
      cause_ = slot(process).timers[event.index].cause;
      return step(process, node::TimerFired{node::TimerId{event.index}});
    case EventKind::persisted:
      if (same_life) persisted(process, event.index);
      return;
    case EventKind::connect_arrives: return connect_arrives(event.index, event.life);
    case EventKind::connect_answered: return connect_answered(event.index, event.life);
    case EventKind::close_arrives: return close_arrives(event.index, event.life, process);
    case EventKind::message_arrives: return message_arrives(event.index, process);
    case EventKind::network_work_done:
      return same_life ? network_work_done(process, event.index) : free_message(event.index);
    case EventKind::handler_done:
      return same_life ? handler_done(process, event.index) : free_message(event.index);
  }
}

void Cluster::start(ProcessId id) {
  Slot& started = slot(id);
  started.node = boot(processes_->specs[static_cast<std::size_t>(id.value())], started.image, started.incarnation);
  started.powered = true;
  tell(id, observe::ProcessStarted{});
  step(id, node::Started{});
}

void Cluster::step(ProcessId id, node::Input input) {
  Slot& stepped = slot(id);
  SIM_CHECK(stepped.node != nullptr, "inputs of a process that is down are dropped before");
  stepped.node->step(input, node::Env{local_now(stepped), stepped.rng}, effects_);
  perform(id, effects_);
  effects_.clear();
  if (std::exchange(exits_, kNoProcess) == id) crash(id, CrashMode::kill);
}

// ---- Effects, each folded into the fingerprint

void Cluster::perform(ProcessId id, node::Effects& effects) {
  for (node::Effect& effect : effects) {
    std::visit([&](auto& one) { perform(id, one); }, effect);
  }
}

void Cluster::perform(ProcessId id, node::Send& sent) {
  if (sent.after) {
    Slot& sender = slot(id);
    if (find_write(sender, *sent.after)) {
      sender.held.push_back(HeldSend{*sent.after, std::move(sent.envelope)});
      return;
    }
  }
  send(std::move(sent.envelope));
}

void Cluster::perform(ProcessId id, node::Persist& persist) {
  Slot& writer = slot(id);
  if (writer.free_writes.empty()) {
    writer.free_writes.push_back(static_cast<std::uint32_t>(writer.writes.size()));
    writer.writes.emplace_back();
  }
  const std::uint32_t index = writer.free_writes.back();
  writer.free_writes.pop_back();
  Instant done = kernel_.now();
  std::int64_t bytes_in_all = 0;
  for (const log::LogWrite& write : persist.writes) {
    const std::int64_t bytes = size_of(write);
    done = writer.disk.write(kernel_.now(), bytes);
    bytes_in_all += bytes;
  }
  PendingWrite& pending = writer.writes[index];
  pending = PendingWrite{};
  pending.id = persist.id;
  pending.writes = std::move(persist.writes);
  pending.safety = persist.safety;
  pending.pending = true;
  if (handling_at_ == id) {  // the handler's thread is blocked until its last write is done
    if (handler_write_) writer.writes[*handler_write_].occupies_io_thread = false;
    handler_write_ = index;
    pending.occupies_io_thread = true;
  }
  kernel_.fingerprint().add(static_cast<std::uint64_t>(bytes_in_all) << 16 | static_cast<std::uint64_t>(id.value()));
  schedule(done, EventKind::persisted, id, index, writer.incarnation.value());
}

void Cluster::perform(ProcessId id, const node::SetTimer& set) {
  Slot& owner = slot(id);
  const std::size_t index = set.timer.value();
  if (index >= owner.timers.size()) owner.timers.resize(index + 1);
  Timer& timer = owner.timers[index];
  if (!timer.exists) {
    timer.exists = true;
    timer.handle = kernel_.create_timer(Event{EventKind::timer, static_cast<std::uint16_t>(id.value()), set.timer.value(),
                                              owner.incarnation.value(), 0});
  }
  timer.cause = event_number_;
  const Instant due = std::max(kernel_.now(), instant_of(owner, set.deadline));
  kernel_.fingerprint().add(static_cast<std::uint64_t>(nanos(due)));
  kernel_.arm(timer.handle, due);
}

void Cluster::perform(ProcessId id, const node::CancelTimer& cancel) {
  Slot& owner = slot(id);
  if (cancel.timer.value() >= owner.timers.size() || !owner.timers[cancel.timer.value()].exists) return;
  kernel_.cancel(owner.timers[cancel.timer.value()].handle);
}

void Cluster::perform(ProcessId id, const node::Report& report) {
  kernel_.fingerprint().add(report.fact.index());
  tell(id, report.fact);
}

void Cluster::perform(ProcessId id, node::Exit) { exits_ = id; }

void Cluster::tell(ProcessId process, const observe::Fact& fact) {
  if (observers_.empty()) return;
  const observe::Observation observation{kernel_.now(), event_number_, cause_, process, slot(process).incarnation, fact};
  for (observe::Observer* observer : observers_) observer->on(observation);
}

// ---- Writes

std::optional<std::uint32_t> Cluster::find_write(const Slot& slot, node::PersistId id) const {
  for (std::size_t i = 0; i < slot.writes.size(); ++i) {
    if (slot.writes[i].pending && slot.writes[i].id == id) return static_cast<std::uint32_t>(i);
  }
  return std::nullopt;
}

void Cluster::persisted(ProcessId id, std::uint32_t index) {
  Slot& writer = slot(id);
  PendingWrite& pending = writer.writes[index];
  if (!pending.performed) {
    pending.performed = true;
    for (const log::LogWrite& write : pending.writes) {
      const TopicPartition tp = std::visit([](const auto& one) { return one.tp; }, write);
      log::LogImage& image = writer.image.logs[tp];
      image.perform(write);
      if (pending.safety != node::Safety::flushed) continue;
      const auto* roll = std::get_if<log::RollSegment>(&write);
      pending.flushes.emplace_back(tp, roll != nullptr ? roll->base_offset : image.end_offset());
    }
    if (pending.safety == node::Safety::flushed) {
      schedule(writer.disk.flush(kernel_.now()), EventKind::persisted, id, index, writer.incarnation.value());
      return;
    }
  }
  for (const auto& [tp, end] : pending.flushes) {
    log::LogImage& image = writer.image.logs[tp];
    image.flushed_end_offset = std::max(image.flushed_end_offset, std::min(end, image.end_offset()));
  }
  const node::PersistId persist_id = pending.id;
  const bool frees_io_thread = pending.occupies_io_thread;
  pending.pending = false;
  writer.free_writes.push_back(index);
  release_held(writer, persist_id);
  step(id, node::Persisted{persist_id});
  if (frees_io_thread) io_thread_free(id);
}

void Cluster::release_held(Slot& slot, node::PersistId id) {
  if (slot.held.empty()) return;
  std::vector<HeldSend> released;
  const auto is_released = [id](const HeldSend& held) { return held.after == id; };
  for (HeldSend& held : slot.held) {
    if (is_released(held)) released.push_back(std::move(held));
  }
  std::erase_if(slot.held, is_released);
  for (HeldSend& held : released) send(std::move(held.envelope));
}

// ---- The life of a process

void Cluster::crash(ProcessId id, CrashMode mode) {
  Slot& crashed = slot(id);
  SIM_CHECK(crashed.node != nullptr, "only a process that is up can crash");
  tell(id, observe::ProcessStopped{});
  crashed.node.reset();
  crashed.incarnation = crashed.incarnation.next();
  for (Timer& timer : crashed.timers) {
    if (timer.exists) kernel_.destroy_timer(timer.handle);
  }
  crashed.timers.clear();
  crashed.writes.clear();
  crashed.free_writes.clear();
  crashed.held.clear();
  if (crashed.path) {
    for (const RequestPath::Ticket ticket : crashed.path->abandon()) free_message(ticket);
    crashed.path = new_request_path(processes_->specs[static_cast<std::size_t>(id.value())]);
  }
  if (mode == CrashMode::power_loss) {
    crashed.image.lose_unflushed();
    crashed.powered = false;
  }
  drop_connections(id, mode == CrashMode::kill);
}

void Cluster::stop(ProcessId id) { step(id, node::StopRequested{}); }

void Cluster::restart(ProcessId id) {
  SIM_CHECK(slot(id).node == nullptr, "only a process that is down can be started");
  start(id);
}

}  // namespace sim::cluster
