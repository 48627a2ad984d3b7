#pragma once

#include <cstdint>
#include <optional>

#include "cluster/faults.h"
#include "cluster/spec.h"
#include "cluster/world.h"

// The host: plays events, hands each to the process that it concerns as an input, and performs the effects in
// their order: messages travel over connections and a server's request path, writes go through a device,
// timers into the kernel. What was meant for an earlier life of a process or connection is dropped here.
//
// It keeps nothing itself. What there is lies in a World: the platform (clock, events to come, machines, who
// watches), the wires, and a slot for each process, which is up while its slot has a Life. Faults have their
// schedule and strikes beside it.
//
// Faults may overlap on a target. A process stays down until the last fault that holds it down has ended, and
// stands still until the last one that pauses it has; a wire is cut while any fault cuts it. One without an
// end holds nothing: it takes a process down, and so it stays until something starts it. A fault that comes
// again before it has ended is left out that time.
//
// A Cluster is a value: a copy plays on exactly as the original would (observers are not part of it).
// REQUIRES of copying: between two steps
namespace sim::cluster {

class Cluster {
 public:
  explicit Cluster(const ClusterSpec& spec);
  // Faults that strike repeatedly strike for the last time before `load_ends_at`.
  Cluster(Processes processes, const NetworkSpec& network, const kernel::Streams& streams,
          fault::Schedule faults = {}, Instant load_ends_at = Instant::max(),
          std::vector<fault::Fixed> fixed_targets = {});

  // Plays the next event. False: there is none; see stop_reason().
  bool step();
  kernel::StopReason stop_reason() const { return kernel().stop_reason(); }
  void set_time_limit(Instant at) { world_.platform.kernel().set_time_limit(at); }
  void set_event_budget(std::uint64_t events) { world_.platform.kernel().set_event_budget(events); }

  Instant now() const { return world_.now(); }
  std::uint64_t events_fired() const { return kernel().events_fired(); }
  std::uint64_t fingerprint() const { return kernel().fingerprint().value(); }

  // Observers are called in the order in which they were added; they must outlive the cluster or its use.
  void observe(observe::Observer& observer) { world_.platform.audience().add(observer); }

  const observe::Names& names() const { return world_.processes->names; }
  const node::DurableImage& image(ProcessId process) const { return world_.slot(process).image; }
  bool is_up(ProcessId process) const { return world_.is_up(process); }

  // REQUIRES: is_up(process)
  void crash(ProcessId process, CrashMode mode);
  // SIGTERM; it is up until it has wound up. REQUIRES: is_up(process)
  void stop(ProcessId process);
  // Its machine is switched on if it was off. REQUIRES: !is_up(process), and no fault holds it down
  void restart(ProcessId process);

  // What would happen without the fault: it strikes no more, and nothing else is shifted by that, neither an
  // id nor a draw. What it does at present ends as it would have. Copy the cluster before to have both.
  void disarm(FaultId fault) { faults_.disarm(fault); }

  // What the host draws from here on (wires, disks, threads, starts, faults, and what processes draw in their
  // steps) it draws anew: another future of the same present. Customers and services go on as they were
  // drawn.
  void reseed(std::uint64_t number);

  // The run is over: faults that still last are reported with what they did, and are not undone.
  void end_faults() { faults_.end_all(world_); }

 private:
  const kernel::Kernel<Event>& kernel() const { return world_.platform.kernel(); }

  // ---- Events
  void handle(const Event& event);
  void heal();
  void start(ProcessId id);
  void persisted(ProcessId id, std::uint32_t write);
  void tell_persisted(ProcessId id, std::uint32_t write);
  void message_goes_on(Ticket ticket);
  void deliver(Ticket ticket);
  void handle_request(ProcessId server, Ticket ticket);
  void hear(std::optional<Heard> heard);

  // ---- A step of a process, and its effects
  void step(ProcessId id, node::Input&& input);
  void exited(ProcessId id);
  void perform(ProcessId id, node::Effects& effects);
  void perform(ProcessId id, node::Send& send);
  void perform(ProcessId id, node::Persist& persist);
  void perform(ProcessId id, const node::Scan& scan);
  void perform(ProcessId id, const node::SetTimer& set);
  void perform(ProcessId id, const node::CancelTimer& cancel);
  void perform(ProcessId id, const node::Connect& connect);
  void perform(ProcessId id, const node::Disconnect& disconnect);
  void perform(ProcessId id, node::Report& report);
  void perform(ProcessId id, node::Exit);
  void release_held(ProcessId id, node::PersistId write);
  void drop_held(ProcessId id, node::PersistId write);

  World world_;
  Faults faults_;
  node::Effects effects_;                       // of the step being performed; empty between events
  ProcessId handling_at_ = kNoProcess;          // whose I/O thread the present step runs on ...
  std::optional<std::uint32_t> handler_write_;  // ... and the write it will wait for
  ProcessId exits_ = kNoProcess;                // asked for in the step being performed
};

}  // namespace sim::cluster
