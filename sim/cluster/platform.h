#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "base/time.h"
#include "cluster/clock.h"
#include "cluster/event.h"
#include "kernel/kernel.h"
#include "net/interference.h"
#include "observe/observation.h"
#include "protocol/ids.h"

// What every part of a world stands on: the clock with all that is to come, the machines with their power and
// clocks, which process runs on which machine and in which of its lives, and who watches.
namespace sim::cluster {

struct Machine {  // its operating system answers for it while it has power
  bool is_off = false;
  std::int32_t held_off = 0;  // by so many faults
  Clock clock{};
  bool has_power() const { return !is_off && held_off == 0; }
};

// Who is told what happens. Not part of a world: a copy has nobody.
class Audience {
 public:
  Audience() = default;
  Audience(const Audience&) {}
  Audience(Audience&&) = default;
  Audience& operator=(const Audience&) { return *this; }
  Audience& operator=(Audience&&) = default;
  ~Audience() = default;

  // Observers are called in the order in which they were added; they must outlive this or its use.
  void add(observe::Observer& observer) {
    observers_.push_back(&observer);
    wants_messages_ = wants_messages_ || observer.wants_messages();
  }
  bool empty() const { return observers_.empty(); }
  bool wants_messages() const { return wants_messages_; }
  void tell(const observe::Observation& observation) const {
    for (observe::Observer* observer : observers_) observer->on(observation);
  }

 private:
  std::vector<observe::Observer*> observers_;
  bool wants_messages_ = false;
};

class Platform {
 public:
  Platform(std::size_t machines, std::vector<net::Endpoint> machine_of)
      : machines_(machines), machine_of_(std::move(machine_of)), incarnations_(machine_of_.size()) {}

  // ---- The clock and what is to come
  Instant now() const { return kernel_.now(); }
  kernel::Kernel<Event>& kernel() { return kernel_; }
  const kernel::Kernel<Event>& kernel() const { return kernel_; }
  // Moves the clock to the next event. False: there is none; see kernel().stop_reason().
  bool next(Event& out) {
    kernel::Kernel<Event>::Fired fired;
    if (!kernel_.next(fired)) return false;
    out = fired.event;
    return true;
  }
  void begin(const Event& event) {
    event_number_ = kernel_.events_fired();
    cause_ = event.cause;
  }
  void schedule(Instant at, EventKind kind, ProcessId process, std::uint32_t index, std::uint64_t life) {
    kernel_.schedule(at, event(kind, process, index, life));
  }
  // It means nothing any more once this life of the process is over.
  void schedule_in_life(Instant at, EventKind kind, ProcessId process, std::uint32_t index = 0) {
    schedule(at, kind, process, index, incarnation(process).value());
  }
  Event event(EventKind kind, ProcessId process, std::uint32_t index, std::uint64_t life) const {
    return Event{kind, static_cast<std::uint16_t>(process.value()), index, life, event_number_};
  }
  // The number of the event being handled, and of the one that scheduled it.
  std::uint64_t event_number() const { return event_number_; }
  std::uint64_t cause() const { return cause_; }
  void set_cause(std::uint64_t number) { cause_ = number; }
  // Into the fingerprint of what happens.
  void fold(std::uint64_t word) { kernel_.fingerprint().add(word); }

  // ---- Machines
  std::size_t machines() const { return machines_.size(); }
  Machine& machine(net::Endpoint at) { return machines_[static_cast<std::size_t>(at)]; }
  const Machine& machine(net::Endpoint at) const { return machines_[static_cast<std::size_t>(at)]; }
  net::Endpoint machine_of(ProcessId process) const {
    return machine_of_[static_cast<std::size_t>(process.value())];
  }
  bool has_power(ProcessId process) const { return machine(machine_of(process)).has_power(); }
  const Clock& clock_of(ProcessId process) const { return machine(machine_of(process)).clock; }

  // ---- Lives
  std::size_t processes() const { return machine_of_.size(); }
  Incarnation incarnation(ProcessId process) const {
    return incarnations_[static_cast<std::size_t>(process.value())];
  }
  void begin_next_life(ProcessId process) {
    Incarnation& life = incarnations_[static_cast<std::size_t>(process.value())];
    life = life.next();
  }

  // ---- Who watches
  Audience& audience() { return audience_; }
  bool is_watched() const { return !audience_.empty(); }
  bool wants_messages() const { return audience_.wants_messages(); }
  void tell(ProcessId process, const observe::Fact& fact) const {
    if (!audience_.empty()) audience_.tell(observation(now(), process, fact));
  }
  observe::Observation observation(Instant at, ProcessId process, const observe::Fact& fact) const {
    const Incarnation life = process == kNoProcess ? Incarnation{} : incarnation(process);
    return {at, event_number_, cause_, process, life, fact};
  }

 private:
  kernel::Kernel<Event> kernel_;
  std::uint64_t event_number_ = 0;
  std::uint64_t cause_ = 0;
  std::vector<Machine> machines_;          // by net::Endpoint
  std::vector<net::Endpoint> machine_of_;  // by ProcessId
  std::vector<Incarnation> incarnations_;  // likewise
  Audience audience_;
};

}  // namespace sim::cluster
