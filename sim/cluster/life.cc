#include <algorithm>
#include <utility>
#include <vector>

#include "base/check.h"
#include "cluster/cluster.h"

// The life of a process: it starts when it is wanted and nothing holds it down, ends by its own will, by a
// kill or with its machine, and may stand still in between.
namespace sim::cluster {

void Cluster::try_start(ProcessId id) {
  Slot& slot = this->slot(id);
  if (slot.node || !slot.is_wanted || slot.held_down != 0 || !has_power(id)) return;
  slot.is_stopping = false;
  note_failed_directories(slot);
  slot.node = boot(processes_->specs[static_cast<std::size_t>(id.value())], slot.image, slot.incarnation);
  tell(id, observe::ProcessStarted{});
  started_again(id);
  step(id, node::Started{});
}

// What its disk has appended, and a broker dies without having heard of: it will find it when it opens its
// logs.
void Cluster::tell_appends_unheard_of(ProcessId id) {
  const Slot& slot = this->slot(id);
  const NodeId broker = processes_->specs[static_cast<std::size_t>(id.value())].broker;
  if (broker == kNoNode || observers_.empty()) return;
  std::vector<const log::AppendBatch*> appends;
  for (const PendingWrite& pending : slot.writes) {
    if (!pending.pending || pending.stage == PendingWrite::Stage::writing) continue;
    for (const log::LogWrite& write : pending.writes) {
      const auto* append = std::get_if<log::AppendBatch>(&write);
      if (append == nullptr || append->tp == kClusterMetadata) continue;
      const auto log = slot.image.logs.find(append->tp);
      const bool failed =
          log == slot.image.logs.end() || log->second.end_offset() < append->batch.end_offset();
      if (!failed) appends.push_back(append);
    }
  }
  std::sort(appends.begin(), appends.end(), [](const log::AppendBatch* a, const log::AppendBatch* b) {
    return std::pair(a->tp, a->batch.base_offset) < std::pair(b->tp, b->batch.base_offset);
  });
  for (const log::AppendBatch* append : appends) {
    const Batch& batch = append->batch;
    if (roles_.took_over(broker, append->tp, batch.leader_epoch)) {
      tell(id, observe::BatchAppended{append->tp, batch, broker});
    } else {
      tell(id, observe::ReplicaAppended{append->tp, broker, batch.end_offset(), batch});
    }
  }
}

// Everything that dies with a process. Its connections are its caller's business.
void Cluster::end_life(ProcessId id) {
  Slot& slot = this->slot(id);
  SIM_CHECK(slot.node != nullptr, "only a process that is up can end");
  tell_appends_unheard_of(id);
  tell(id, observe::ProcessStopped{});
  slot.node.reset();
  slot.incarnation = slot.incarnation.next();
  slot.paused = 0;
  drop_missed(slot);
  for (Timer& timer : slot.timers) {
    if (timer.exists) kernel_.destroy_timer(timer.handle);
  }
  slot.timers.clear();
  slot.writes.clear();
  slot.free_writes.clear();
  slot.held.clear();
  if (!slot.path) return;
  for (const RequestPath::Ticket ticket : slot.path->start_over()) free_message(ticket);
}

void Cluster::take_down(ProcessId id, CrashMode mode) {
  if (mode == CrashMode::power_loss) return power_off(slot(id).machine);
  end_life(id);
  close_connections(id);
}

// By its own will, if nobody has told it to: then nobody starts it again.
void Cluster::exited(ProcessId id) {
  Slot& slot = this->slot(id);
  if (!slot.is_stopping) slot.is_wanted = false;
  take_down(id, CrashMode::kill);
  if (processes_->specs[static_cast<std::size_t>(id.value())].acts_for) return operator_left(id);
  schedule_start(id);
}

void Cluster::power_off(net::Endpoint machine, Rng* tail) {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].machine != machine) continue;
    if (slots_[i].node) end_life(ProcessId{static_cast<std::int32_t>(i)});
    lose_unflushed(ProcessId{static_cast<std::int32_t>(i)}, tail);
  }
  lose_connections(machine);
}

void Cluster::lose_unflushed(ProcessId id, Rng* tail) {
  lose_from_disk(id, observe::LossOfLog::power_loss,
                 [&](node::DurableImage& image) { image.lose_power(kernel_.now(), tail); });
}

void Cluster::wipe(ProcessId id) {
  lose_from_disk(id, observe::LossOfLog::wiped, [](node::DurableImage& image) { image.wipe(); });
}

template <class F>
void Cluster::lose_from_disk(ProcessId id, observe::LossOfLog cause, F lose) {
  node::DurableImage& image = slot(id).image;
  const ProcessSpec& spec = processes_->specs[static_cast<std::size_t>(id.value())];
  std::vector<std::pair<TopicPartition, Offset>> ends;
  for (const auto& [tp, log] : image.logs) ends.emplace_back(tp, log.end_offset());
  lose(image);
  for (const auto& [tp, end] : ends) {
    // What a power loss takes of the metadata log is the quorum's affair: nobody was told that it was safe.
    const bool is_metadata = tp == kClusterMetadata;
    if (is_metadata && cause == observe::LossOfLog::power_loss) continue;
    const NodeId node = is_metadata && spec.controller != kNoNode ? spec.controller : spec.broker;
    const auto log = image.logs.find(tp);
    const Offset left = log == image.logs.end() ? 0 : log->second.end_offset();
    // With an empty metadata log its quorum state is lost, too.
    if (left < end || is_metadata) tell(id, observe::LogLost{tp, node, end, left, cause});
  }
}

void Cluster::schedule_start(ProcessId id) {
  if (!slot(id).is_wanted) return;
  schedule(kernel_.now(), EventKind::start_again, id, 0, slot(id).incarnation.value());
}

// ---- Standing still

// What must wait until the process goes on. The operating system goes on: it accepts connections and takes
// requests off the wire; threads of a server have a clock of their own (RequestPath).
bool Cluster::misses(const Event& event) {
  switch (event.kind) {
    case EventKind::timer:
    case EventKind::stop:
    case EventKind::connect_answered:
    case EventKind::close_reaches_client:
    case EventKind::close_reaches_server:
    case EventKind::reset_reaches_server: return true;
    case EventKind::message_arrives: return messages_[event.index].envelope.response;
    case EventKind::persisted:  // of which the process's part waits
    case EventKind::start:
    case EventKind::start_again:
    case EventKind::connect_arrives:
    case EventKind::connect_again:
    case EventKind::retransmit_to_server:
    case EventKind::retransmit_to_client:
    case EventKind::throttle_ends:
    case EventKind::network_work_done:
    case EventKind::handler_done:
    case EventKind::fault_strikes:
    case EventKind::fault_ends: return false;
  }
  return false;
}

void Cluster::pause(ProcessId id) {
  Slot& slot = this->slot(id);
  if (slot.paused++ == 0 && slot.path) slot.path->pause(kernel_.now());
}

// All that has waited happens now, in the order in which it came. A timer is armed anew, so that what
// happens before it can still cancel it.
void Cluster::resume(ProcessId id) {
  Slot& slot = this->slot(id);
  SIM_CHECK(slot.paused > 0, "only a paused process is resumed");
  if (--slot.paused != 0) return;
  for (const Event& event : std::exchange(slot.missed, {})) {
    if (event.kind == EventKind::timer) {
      kernel_.arm(slot.timers[event.index].handle, kernel_.now());
    } else {
      kernel_.schedule(kernel_.now(), event);
    }
  }
  if (!slot.path) return;
  slot.path->resume(kernel_.now());
  schedule_released(id);
}

void Cluster::drop_missed(Slot& slot) {
  for (const Event& event : std::exchange(slot.missed, {})) {
    if (event.kind == EventKind::message_arrives) free_message(event.index);
  }
}

// ---- From outside

void Cluster::crash(ProcessId id, CrashMode mode) {
  SIM_CHECK(is_up(id), "only a process that is up can crash");
  if (mode == CrashMode::power_loss) {
    switch_off(slot(id).machine);
  } else {
    slot(id).is_wanted = false;
  }
  take_down(id, mode);
}

void Cluster::stop(ProcessId id) {
  SIM_CHECK(is_up(id), "only a process that is up can be told to stop");
  slot(id).is_wanted = false;
  request_stop(id);
}

void Cluster::request_stop(ProcessId id) {
  Slot& slot = this->slot(id);
  if (std::exchange(slot.is_stopping, true)) return;
  schedule(kernel_.now(), EventKind::stop, id, 0, slot.incarnation.value());
}

void Cluster::restart(ProcessId id) {
  SIM_CHECK(!is_up(id), "only a process that is down can be started");
  switch_on(slot(id).machine);
  slot(id).is_wanted = true;
  SIM_CHECK(slot(id).held_down == 0 && has_power(id), "no fault holds it down");
  try_start(id);
}

void Cluster::switch_off(net::Endpoint machine) {
  Machine& switched = machines_[static_cast<std::size_t>(machine)];
  if (!std::exchange(switched.is_off, true)) ++troubles_;
  for (Slot& slot : slots_) {
    if (slot.machine == machine) slot.is_wanted = false;
  }
}

void Cluster::switch_on(net::Endpoint machine) {
  if (std::exchange(machines_[static_cast<std::size_t>(machine)].is_off, false)) --troubles_;
}

}  // namespace sim::cluster
