#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/rng.h"
#include "cluster/awaited.h"
#include "cluster/roles.h"
#include "cluster/targets.h"
#include "cluster/world.h"
#include "fault/fault.h"

// The schedule of faults, and what each of them is doing at present. How a kind of fault is done and undone
// is the injector's business (injector.h).
namespace sim::cluster {

// A process in one of its lives.
struct ProcessLife {
  ProcessId process = kNoProcess;
  Incarnation incarnation;
};

// One strike, from when it struck until it is undone. One that is never undone lasts until the next or until
// the run's end.
struct Strike {
  std::uint32_t number = 0;            // of the fault's strikes
  std::vector<ProcessId> touched{};    // whom the targets meant
  std::vector<ProcessId> held_down{};  // must not start while it lasts
  std::vector<net::Endpoint> powered_off{};
  std::vector<net::Endpoint> clocks{};  // put wrong
  std::vector<ProcessLife> paused{};
  std::vector<ProcessLife> restarting{};  // asked to stop; they start again
  std::vector<ProcessLife> stopping{};    // asked to stop; the end is counted from when they have exited
  std::optional<net::RuleId> rule{};      // of the network
  bool is_undone = false;
  std::int64_t effects = 0;  // but for what the rule has counted
};

struct FaultState {
  Rng rng;
  std::uint32_t strikes = 0;
  std::optional<Strike> lasting{};
  bool is_disarmed = false;
  bool is_waiting = false;  // for its condition
  Instant waits_until{};
};

class Faults {
 public:
  // Faults that strike repeatedly strike for the last time before `load_ends_at`.
  Faults(fault::Schedule schedule, std::vector<fault::Fixed> fixed, Instant load_ends_at,
         const kernel::Streams& streams);

  void schedule_all(Platform& platform) const;
  // Its time has come; what waits for a condition strikes once that holds.
  void due(FaultId id, std::uint64_t occasion, World& world);
  // From now on the name of this fixed target, by its place in the list, stands for who it means now.
  void fix_target(std::size_t index, const World& world);
  // The end of its strike of that number.
  void ends(FaultId id, std::uint64_t strike, World& world);
  // From here on it does nothing when it strikes, and nobody is told. Its events stay where they are, and it
  // draws from a stream of its own: of whatever else happens nothing moves but what it would have caused.
  void disarm(FaultId id) { state(id).is_disarmed = true; }
  void reseed(std::string_view name) {
    for (FaultState& state : states_) state.rng = state.rng.child(name);
  }
  // All end now, and none strikes any more. What one without an end took down is started again; what ends by
  // itself (a restart, an operator's command) goes on.
  void heal(World& world);
  // The run is over: those that still last are reported with what they did, and are not undone.
  void end_all(World& world);

  // What happens meanwhile, as far as it is a fault's business
  void on(const observe::Observation& seen, World& world);
  void process_started(ProcessId process, World& world);
  void process_ended(ProcessId process, World& world);
  void operator_left(FaultId id, World& world);
  void writes_failed(ProcessId writer, const std::vector<std::int32_t>& directories);

 private:
  friend class Injector;

  const fault::Fault& fault(FaultId id) const { return (*schedule_)[static_cast<std::size_t>(id.value())]; }
  FaultState& state(FaultId id) { return states_[static_cast<std::size_t>(id.value())]; }
  void strikes(FaultId id, World& world);
  void look(FaultId id, World& world);
  static bool still_waits(const FaultState& state, Instant now) {
    return state.is_waiting && now <= state.waits_until;
  }
  void report_end(FaultId id, World& world);
  Resolution resolve(const fault::Targets& targets, const World& world, Rng& rng) const;
  // Its strike ends so long from now.
  void schedule_end(FaultId id, Duration from_now, World& world);

  struct FixedTargets {
    std::vector<fault::Fixed> all;
    std::vector<Rng> rngs;  // of each
  };
  std::shared_ptr<const fault::Schedule> schedule_;
  FixedTargets fixed_;
  FixedProcesses fixed_processes_;
  std::vector<FaultState> states_;  // by FaultId
  Roles roles_;
  Awaited awaited_;
  Instant load_ends_at_;
};

}  // namespace sim::cluster
