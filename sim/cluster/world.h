#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "cluster/life.h"
#include "cluster/platform.h"
#include "cluster/process.h"
#include "cluster/wires.h"
#include "kernel/streams.h"

// Everything that there is in a world, and what happens to it without a process taking a step: processes come
// and go, stand still and go on, servers' threads read and write. A value.
namespace sim::cluster {

enum class CrashMode : std::uint8_t {
  exit,  // by its own will: it has closed its connections
  kill,  // the process alone: the operating system keeps its page cache and closes its connections, once
         // it has taken back the process's memory
  power_loss,  // of its machine and all on it: what was not flushed is gone, and nobody is told
};

struct World {
  World(std::shared_ptr<const Processes> all, const NetworkSpec& network, const kernel::Streams& streams);

  std::shared_ptr<const Processes> processes;
  Platform platform;
  Wires wires;
  std::vector<Slot> slots;  // by ProcessId
  std::vector<Processors> processors;

  Instant now() const { return platform.now(); }
  Slot& slot(ProcessId id) { return slots[static_cast<std::size_t>(id.value())]; }
  const Slot& slot(ProcessId id) const { return slots[static_cast<std::size_t>(id.value())]; }
  const ProcessSpec& spec(ProcessId id) const {
    return processes->specs[static_cast<std::size_t>(id.value())];
  }
  bool is_up(ProcessId id) const { return slot(id).life.has_value(); }
  // REQUIRES: is_up(id)
  Life& life(ProcessId id) { return *slot(id).life; }
  const Life& life(ProcessId id) const { return *slot(id).life; }
  std::vector<ProcessId> processes_on(const std::vector<net::Endpoint>& machines) const;
  std::vector<net::Endpoint> machines_of(const std::vector<ProcessId>& of) const;

  // ---- Life and death (life.cc)
  // Makes it, if it is wanted and nothing holds it down. True: it is to be told that it has started.
  bool boot(ProcessId id);
  void take_down(ProcessId id, CrashMode mode);
  // With a `tail`, part of what was not flushed is there.
  void power_off(net::Endpoint machine, Rng* tail = nullptr);
  // Its operating system has taken back the memory of a process that was killed, and closes its connections.
  void close_sockets(ProcessId id);
  void wipe(ProcessId id);
  void switch_off(net::Endpoint machine);
  void switch_on(net::Endpoint machine);
  void hold_off(net::Endpoint machine);
  void hold_off_no_more(net::Endpoint machine);
  void schedule_start(ProcessId id);
  // One that is down, and stays so for nobody wants it, is started, its machine switched on; one that is
  // about to end comes back.
  void want_again(ProcessId id);
  void request_stop(ProcessId id);
  void pause(ProcessId id);
  void resume(ProcessId id);
  // A process that stands still learns of the event when it goes on.
  bool is_missed(const Event& event) const;
  void set_cpu_factor(ProcessId id);

  // ---- Cores (serving.cc)
  ThreadTime thread_time(ProcessId id);
  // Whether anything but requests takes processor time there: then its threads wait for cores or stand still.
  bool takes_thread_time(ProcessId id) const {
    return spec(id).processors >= 0 || slot(id).pauses.has_value();
  }
  // When a thread of it that wakes up at `ready`, or later, will have done what it has to.
  Instant wakeup_done(ProcessId id, Instant ready);
  // True: its thread waits for a core, and the timer comes up again.
  bool timer_waits(ProcessId id, node::TimerId timer);
  // True: the thread that takes the response waits for a core, and the response comes up again.
  bool response_waits(ProcessId id, Ticket ticket);

  // ---- Timers
  void set_timer(ProcessId id, const node::SetTimer& set);
  void cancel_timer(ProcessId id, node::TimerId timer);
  // Its clock has been put wrong or right: its timers are due at other instants.
  void set_timers_anew(net::Endpoint machine);

  // ---- Serving (serving.cc)
  void send(Envelope&& envelope);
  void read_next(std::uint32_t connection);
  void network_work_done(ProcessId server, Ticket ticket);
  // True: its handler takes its step now.
  bool handler_done(ProcessId server, Ticket ticket);
  void io_thread_free(ProcessId server);

 private:
  void end_life(ProcessId id);
  void lose_unflushed(ProcessId id, Rng* tail);
  void tell_lost(ProcessId id, const std::vector<node::LostEnd>& lost, observe::LossOfLog cause);
  void respond(Envelope&& response);
  void request_answered(std::uint32_t connection);
  void begin_network_work(Ticket ticket);
  void begin_handling(ProcessId server, Ticket ticket);
  void schedule_released(ProcessId server);
};

}  // namespace sim::cluster
