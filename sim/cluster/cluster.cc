#include "cluster/cluster.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

// Events, effects, writes and timers. What happens to messages on their way is in messages.cc, connections
// are in connections.cc, what TCP does in trouble in flows.cc, the life of processes in life.cc, faults in
// faults.cc.
namespace sim::cluster {
namespace {

std::int64_t size_of(const log::LogWrite& write) {
  constexpr std::int64_t kSmallWriteBytes = 64;  // a truncation, a checkpoint's entry
  if (const auto* append = std::get_if<log::AppendBatch>(&write)) return append->batch.size_bytes();
  if (const auto* whole = std::get_if<log::WriteSnapshot>(&write)) return whole->snapshot->size_bytes;
  if (const auto* cleaned = std::get_if<log::ReplaceSegments>(&write)) {
    std::int64_t bytes = kSmallWriteBytes;
    for (const Batch& batch : *cleaned->batches) bytes += batch.size_bytes();
    return bytes;
  }
  return kSmallWriteBytes;
}

std::optional<RequestPath> new_request_path(const ProcessSpec& process, const kernel::Streams& streams) {
  if (!process.serves) return std::nullopt;
  return RequestPath(process.threads.network_threads, process.threads.io_threads,
                     process.threads.queued_max_requests, process.machine_spec,
                     streams.get("threads/" + process.name));
}

Processes with_names(Processes processes, const fault::Schedule& faults) {
  for (const fault::Fault& fault : faults) processes.names.faults.push_back(fault.name);
  return processes;
}

}  // namespace

Cluster::Slot::Slot(const Slot& other)
    : node(other.node ? other.node->clone() : nullptr),
      image(other.image),
      incarnation(other.incarnation),
      is_wanted(other.is_wanted),
      is_stopping(other.is_stopping),
      held_down(other.held_down),
      paused(other.paused),
      missed(other.missed),
      machine(other.machine),
      rng(other.rng),
      disk(other.disk),
      more_disks(other.more_disks),
      disk_trouble(other.disk_trouble),
      cpu_factor(other.cpu_factor),
      slowed_by(other.slowed_by),
      path(other.path),
      timers(other.timers),
      writes(other.writes),
      free_writes(other.free_writes),
      held(other.held),
      opened(other.opened) {}

Cluster::Cluster(const ClusterSpec& spec)
    : Cluster(processes_of(spec, kernel::Streams(spec.seed)), spec.network, kernel::Streams(spec.seed),
              spec.faults, Instant{} + spec.load_ends_at) {}

Cluster::Cluster(Processes processes, const NetworkSpec& network, kernel::Streams streams,
                 fault::Schedule faults, Instant load_ends_at)
    : processes_(std::make_shared<const Processes>(with_names(std::move(processes), faults))),
      streams_(streams),
      network_(network, processes_->machines, streams.seed()),
      machines_(processes_->machines.size()),
      schedule_(std::make_shared<const fault::Schedule>(std::move(faults))),
      load_ends_at_(load_ends_at) {
  slots_.reserve(processes_->specs.size());
  for (std::size_t i = 0; i < processes_->specs.size(); ++i) {
    const ProcessSpec& process = processes_->specs[i];
    slots_.emplace_back(process.machine, process.disk, streams_.get("process/" + process.name),
                        streams_.get("disk/" + process.name));
    for (std::int32_t d = 1; d < process.log_dirs; ++d) {
      const std::string name = "disk/" + process.name + "/" + std::to_string(d);
      slots_.back().more_disks.emplace_back(process.disk, streams_.get(name));
    }
    slots_.back().path = new_request_path(process, streams_);
    if (process.acts_for) continue;
    schedule(process.starts_at, EventKind::start, ProcessId{static_cast<std::int32_t>(i)}, 0, 0);
  }
  schedule_faults();
}

Cluster::Cluster(const Cluster& other)
    : processes_(other.processes_),
      streams_(other.streams_),
      kernel_(other.kernel_),
      network_(other.network_),
      slots_(other.slots_),
      machines_(other.machines_),
      connections_(other.connections_),
      free_connections_(other.free_connections_),
      troubles_(other.troubles_),
      messages_(other.messages_),
      free_messages_(other.free_messages_),
      requests_served_(other.requests_served_),
      roles_(other.roles_),
      schedule_(other.schedule_),
      faults_(other.faults_),
      holds_(other.holds_),
      load_ends_at_(other.load_ends_at_),
      event_number_(other.event_number_),
      cause_(other.cause_) {}

void Cluster::observe(observe::Observer& observer) {
  observers_.push_back(&observer);
  messages_wanted_ = messages_wanted_ || observer.wants_messages();
}

// ---- Events

void Cluster::schedule(Instant at, EventKind kind, ProcessId process, std::uint32_t index,
                       std::uint64_t life) {
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
  if (slot(process).paused != 0 && misses(event)) return slot(process).missed.push_back(event);
  switch (event.kind) {
    case EventKind::start:
      if (!same_life) return;
      slot(process).is_wanted = true;
      return try_start(process);
    case EventKind::start_again:
      if (same_life) try_start(process);
      return;
    case EventKind::timer:
      cause_ = slot(process).timers[event.index].cause;
      return step(process, node::TimerFired{node::TimerId{event.index}});
    case EventKind::persisted:
      if (same_life) persisted(process, event.index);
      return;
    case EventKind::stop:
      if (same_life) step(process, node::StopRequested{});
      return;
    case EventKind::connect_arrives: return connect_arrives(event.index, event.life);
    case EventKind::connect_answered: return connect_answered(event.index, event.life);
    case EventKind::connect_again: return connect_again(event.index, event.life);
    case EventKind::close_reaches_client: return close_reaches_client(event.index, event.life);
    case EventKind::close_reaches_server: return close_reaches_server(event.index, event.life);
    case EventKind::reset_reaches_server: return reset_reaches_server(event.index, event.life);
    case EventKind::retransmit_to_server: return retransmit(event.index, event.life, true);
    case EventKind::retransmit_to_client: return retransmit(event.index, event.life, false);
    case EventKind::throttle_ends: return throttle_ends(event.index, event.life);
    case EventKind::message_arrives: return message_arrives(event.index, process);
    case EventKind::network_work_done:
      return same_life ? network_work_done(process, event.index) : free_message(event.index);
    case EventKind::handler_done:
      return same_life ? handler_done(process, event.index) : free_message(event.index);
    case EventKind::fault_strikes: return strike(FaultId{static_cast<std::int32_t>(event.index)});
    case EventKind::fault_ends: return end_strike(FaultId{static_cast<std::int32_t>(event.index)});
  }
}

void Cluster::step(ProcessId id, node::Input input) {
  Slot& stepped = slot(id);
  SIM_CHECK(stepped.node != nullptr, "inputs of a process that is down are dropped before");
  stepped.node->step(input, env_of(stepped), effects_);
  perform(id, effects_);
  effects_.clear();
  if (std::exchange(exits_, kNoProcess) == id) exited(id);
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
      const std::uint32_t index =
          sent.envelope.response ? Connection::kNoConnection : last_opened(sent.envelope.channel);
      const std::uint32_t generation =
          index == Connection::kNoConnection ? 0 : connections_[index].generation;
      sender.held.push_back(HeldSend{*sent.after, std::move(sent.envelope), index, generation});
      return;
    }
  }
  send(std::move(sent.envelope));
}

std::uint32_t Cluster::new_write(Slot& writer) {
  if (writer.free_writes.empty()) {
    writer.free_writes.push_back(static_cast<std::uint32_t>(writer.writes.size()));
    writer.writes.emplace_back();
  }
  const std::uint32_t index = writer.free_writes.back();
  writer.free_writes.pop_back();
  return index;
}

// Ends as a write does, of nothing.
void Cluster::perform(ProcessId id, const node::Scan& scan) {
  Slot& reader = slot(id);
  const std::uint32_t index = new_write(reader);
  PendingWrite& pending = reader.writes[index];
  pending = PendingWrite{};
  pending.id = scan.id;
  pending.pending = true;
  const Instant done = device(reader, scan.directory).scan(kernel_.now(), scan.bytes, scan.threads);
  kernel_.fingerprint().add(static_cast<std::uint64_t>(nanos(done)));
  schedule(done, EventKind::persisted, id, index, reader.incarnation.value());
}

void Cluster::perform(ProcessId id, node::Persist& persist) {
  Slot& writer = slot(id);
  const std::uint32_t index = new_write(writer);
  Instant done = kernel_.now();
  std::int64_t bytes_in_all = 0;
  std::uint32_t directories = 0;
  for (const log::LogWrite& write : persist.writes) {
    const std::int64_t bytes = size_of(write);
    const std::int32_t directory = writer.more_disks.empty() ? 0 : place(writer, write);
    done = std::max(done, device(writer, directory).write(kernel_.now(), bytes));
    bytes_in_all += bytes;
    directories |= std::uint32_t{1} << directory;
  }
  if ((directories & (directories - 1)) != 0) wait_for_each_other(writer, directories, done);
  PendingWrite& pending = writer.writes[index];
  pending = PendingWrite{};
  pending.id = persist.id;
  pending.writes = std::move(persist.writes);
  pending.safety = persist.safety;
  pending.pending = true;
  // The handler's thread is blocked until its last write is done; the raft thread writes by itself.
  if (handling_at_ == id && !raft::Replica::owns(persist.id)) {
    if (handler_write_) writer.writes[*handler_write_].occupies_io_thread = false;
    handler_write_ = index;
    pending.occupies_io_thread = true;
  }
  kernel_.fingerprint().add(static_cast<std::uint64_t>(bytes_in_all) << 16 |
                            static_cast<std::uint64_t>(id.value()));
  schedule(done, EventKind::persisted, id, index, writer.incarnation.value());
}

void Cluster::perform(ProcessId id, const node::SetTimer& set) {
  Slot& owner = slot(id);
  const std::size_t index = set.timer.value();
  if (index >= owner.timers.size()) owner.timers.resize(index + 1);
  Timer& timer = owner.timers[index];
  if (!timer.exists) {
    timer.exists = true;
    timer.handle = kernel_.create_timer(Event{EventKind::timer, static_cast<std::uint16_t>(id.value()),
                                              set.timer.value(), owner.incarnation.value(), 0});
  }
  timer.cause = event_number_;
  timer.deadline = set.deadline;
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
  if (const auto* answered = std::get_if<observe::AdminAnswered>(&report.fact)) operator_heard(*answered);
  roles_.on(report.fact);
  const auto* placed = std::get_if<observe::OrderPlaced>(&report.fact);
  if (placed != nullptr && !clock_of(slot(id)).is_exact()) {  // the customer's time is the true one
    observe::OrderPlaced order = *placed;
    order.intended_ns = nanos(instant_of(slot(id), local_at(placed->intended_ns)));
    return tell(id, order);
  }
  tell(id, report.fact);
}

void Cluster::perform(ProcessId id, node::Exit) {
  exits_ = id;
}

void Cluster::tell(ProcessId process, const observe::Fact& fact) {
  if (observers_.empty()) return;
  const Incarnation incarnation = process == kNoProcess ? Incarnation{} : slot(process).incarnation;
  const observe::Observation observation{kernel_.now(), event_number_, cause_, process, incarnation, fact};
  for (observe::Observer* observer : observers_) observer->on(observation);
}

// ---- Writes

std::optional<std::uint32_t> Cluster::find_write(const Slot& slot, node::PersistId id) const {
  for (std::size_t i = 0; i < slot.writes.size(); ++i) {
    if (slot.writes[i].pending && slot.writes[i].id == id) return static_cast<std::uint32_t>(i);
  }
  return std::nullopt;
}

// Writing and flushing are the machine's work, and go on while the process is paused; asking for the flush
// and learning that all is done are the process's.
void Cluster::persisted(ProcessId id, std::uint32_t index) {
  using Stage = PendingWrite::Stage;
  Slot& writer = slot(id);
  PendingWrite& pending = writer.writes[index];
  if (pending.stage == Stage::writing || pending.stage == Stage::flushing) perform_writes(writer, pending);
  if (writer.paused != 0) {
    return writer.missed.push_back(Event{EventKind::persisted, static_cast<std::uint16_t>(id.value()), index,
                                         writer.incarnation.value(), event_number_});
  }
  if (pending.stage == Stage::written && pending.safety == node::Safety::flushed) {
    pending.stage = Stage::flushing;
    return schedule(flush(writer, pending), EventKind::persisted, id, index, writer.incarnation.value());
  }
  const Incarnation incarnation = writer.incarnation;
  const node::PersistId persist_id = pending.id;
  const bool frees_io_thread = pending.occupies_io_thread;
  const std::uint32_t failed = pending.failed_directories;
  pending.pending = false;
  writer.free_writes.push_back(index);
  if (failed == 0) {
    release_held(writer, persist_id);
  } else {
    drop_held(writer, persist_id);
  }
  step(id, node::Persisted{persist_id, failed});
  if (frees_io_thread && writer.incarnation == incarnation) io_thread_free(id);
}

void Cluster::perform_writes(Slot& writer, PendingWrite& pending) {
  if (pending.stage == PendingWrite::Stage::writing) {
    pending.stage = PendingWrite::Stage::written;
    for (const log::LogWrite& write : pending.writes) {
      if (fails(writer, pending, write)) continue;
      writer.image.perform(write, kernel_.now());
      forget_flushes(writer, write);
    }
    if (pending.safety == node::Safety::flushed) note_flushes(writer, pending);
    return;
  }
  pending.stage = PendingWrite::Stage::done;
  for (const auto& [tp, end] : pending.flushes) {
    if (!fails(writer, pending, writer.image.directory_of(tp), false)) writer.image.flushed(tp, end);
  }
}

// Where the write goes. A log begins where it is asked for.
std::int32_t Cluster::place(Slot& writer, const log::LogWrite& write) {
  if (const auto* created = std::get_if<log::CreateLog>(&write)) {
    return writer.image.logs[created->tp].directory = created->directory;
  }
  return writer.image.directory_of(std::visit([](const auto& one) { return one.tp; }, write));
}

// All of it takes effect together, and nothing that was asked for later does before.
void Cluster::wait_for_each_other(Slot& writer, std::uint32_t directories, Instant done) {
  for (std::int32_t d = 0; directories >> d != 0; ++d) {
    if ((directories >> d & 1U) != 0) device(writer, d).wait_until(done);
  }
}

// On a broken device everything fails, on a full one what takes place; and what was to follow there.
bool Cluster::fails(Slot& writer, PendingWrite& pending, const log::LogWrite& write) {
  if (!writer.disk_trouble) return false;
  const std::int32_t directory = place(writer, write);
  return fails(writer, pending, directory, std::holds_alternative<log::AppendBatch>(write));
}

bool Cluster::fails(Slot& writer, PendingWrite& pending, std::int32_t directory, bool appends) {
  if (!writer.disk_trouble) return false;
  const std::uint32_t bit = std::uint32_t{1} << directory;
  const disk::Device& on = device(writer, directory);
  if (on.is_broken() || (appends && on.is_full())) {
    pending.failed_directories |= bit;
    count_failed_write(writer, directory);
  }
  return (pending.failed_directories & bit) != 0;
}

// fsync of one file after the other, where it is said which; else one of everything.
Instant Cluster::flush(Slot& writer, PendingWrite& pending) {
  Instant done = kernel_.now();
  bool names_logs = false;
  for (const log::LogWrite& write : pending.writes) {
    const auto* named = std::get_if<log::FlushLog>(&write);
    if (named == nullptr) continue;
    names_logs = true;
    const std::int32_t directory = writer.more_disks.empty() ? 0 : writer.image.directory_of(named->tp);
    done = std::max(done, device(writer, directory).flush(kernel_.now()));
  }
  if (names_logs) return done;
  std::uint32_t flushed = 0;
  for (const log::LogWrite& write : pending.writes) {
    const std::int32_t directory = writer.more_disks.empty() ? 0 : place(writer, write);
    const std::uint32_t bit = std::uint32_t{1} << directory;
    if ((flushed & bit) == 0) done = std::max(done, device(writer, directory).flush(kernel_.now()));
    flushed |= bit;
  }
  return done;
}

// What the fsync that is about to be asked for makes safe: the logs that FlushLog names, else all that were
// written to, and of a segment that is finished what lies below its end.
void Cluster::note_flushes(const Slot& writer, PendingWrite& pending) {
  const bool names_logs = std::any_of(pending.writes.begin(), pending.writes.end(), [](const auto& write) {
    return std::holds_alternative<log::FlushLog>(write);
  });
  for (const log::LogWrite& write : pending.writes) {
    if (names_logs && !std::holds_alternative<log::FlushLog>(write)) continue;
    const TopicPartition tp = std::visit([](const auto& one) { return one.tp; }, write);
    const auto image = writer.image.logs.find(tp);
    if (image == writer.image.logs.end()) continue;
    const auto* roll = std::get_if<log::RollSegment>(&write);
    const auto* cleaned = std::get_if<log::ReplaceSegments>(&write);
    const Offset whole = cleaned != nullptr ? cleaned->end : image->second.end_offset();
    pending.flushes.emplace_back(tp, roll != nullptr ? roll->base_offset : whole);
  }
}

// What is cut off, and written anew, is not what a flush under way was asked for.
void Cluster::forget_flushes(Slot& writer, const log::LogWrite& write) {
  const auto* cut = std::get_if<log::TruncateLog>(&write);
  const auto* reset = std::get_if<log::ResetLog>(&write);
  const auto* deleted = std::get_if<log::DeleteLog>(&write);
  if (cut == nullptr && reset == nullptr && deleted == nullptr) return;
  for (PendingWrite& pending : writer.writes) {
    for (auto& [tp, end] : pending.flushes) {
      if (cut != nullptr && tp == cut->tp) end = std::min(end, cut->end);
      if ((reset != nullptr && tp == reset->tp) || (deleted != nullptr && tp == deleted->tp)) end = 0;
    }
  }
}

// What was to say that something is safe which is not.
void Cluster::drop_held(Slot& slot, node::PersistId id) {
  std::erase_if(slot.held, [id](const HeldSend& held) { return held.after == id; });
}

void Cluster::release_held(Slot& slot, node::PersistId id) {
  if (slot.held.empty()) return;
  std::vector<HeldSend> released;
  const auto is_released = [id](const HeldSend& held) { return held.after == id; };
  for (HeldSend& held : slot.held) {
    if (is_released(held)) released.push_back(std::move(held));
  }
  std::erase_if(slot.held, is_released);
  for (HeldSend& held : released) {
    // A request is meant for the connection it was sent on, not for one that has taken its place.
    if (!held.envelope.response && (last_opened(held.envelope.channel) != held.connection ||
                                    held.connection == Connection::kNoConnection ||
                                    connections_[held.connection].generation != held.generation))
      continue;
    send(std::move(held.envelope));
  }
}

}  // namespace sim::cluster
