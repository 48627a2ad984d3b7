#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cluster/faults.h"

// Carries out one strike of a fault, and takes it back: processes in process_faults.cc, wires in
// network_faults.cc, disks and processors in machine_faults.cc, clocks in clock_faults.cc.
namespace sim::cluster {

class Injector {
 public:
  Injector(Faults& faults, World& world, FaultId id)
      : faults_(faults), world_(world), id_(id), fault_(faults.fault(id)), state_(faults.state(id)) {}

  // Whether there is anything left of it that goes on.
  enum class Lasts : std::uint8_t { yes, no };
  // REQUIRES: its state has a strike that lasts
  Lasts strike();
  void undo();
  // So many things has it done by now.
  std::int64_t effects(const Strike& strike);
  // What goes on working until its end has been reported.
  void lift(const Strike& strike);

 private:
  Strike& struck() { return *state_.lasting; }
  void announce(std::vector<ProcessId> touched);
  // Roles that are missed are told once the strike has been.
  std::vector<ProcessId> resolve(const fault::Targets& targets);
  void tell_missed();

  // ---- process_faults.cc
  void hold_down(ProcessId process);
  Lasts strike(const fault::Kill& kill);
  Lasts strike(const fault::PowerLoss& loss);
  Lasts strike(const fault::Wipe& wipe);
  Lasts strike(const fault::Stop& stop);
  Lasts strike(const fault::Restart& restart);
  Lasts strike(const fault::Deploy& deploy);
  Lasts restart_all();
  Lasts strike(const fault::Pause& pause);
  Lasts strike(const fault::Admin& admin);

  // ---- network_faults.cc
  Lasts strike(const fault::Partition& partition);
  Lasts strike(const fault::Delay& delay);
  Lasts strike(const fault::Loss& loss);
  Lasts strike(const fault::Hold& hold);
  Lasts strike(const fault::Bandwidth& limit);
  Lasts strike(const fault::Reset& reset);
  void cut(const fault::Isolate& shape, fault::Direction direction);
  void cut(const fault::Groups& shape, fault::Direction direction);
  void cut(const fault::Halves& shape, fault::Direction direction);
  void cut(const fault::MajoritiesRing& shape, fault::Direction direction);
  void cut(const fault::Bridge& shape, fault::Direction direction);
  void add_cut(net::Pairs pairs);
  net::Pairs no_pairs() const { return net::Pairs(world_.platform.machines()); }
  net::Pairs isolate(const std::vector<net::Endpoint>& machines, fault::Direction direction) const;
  net::Pairs pairs_of(const fault::Wires& wires, const std::vector<ProcessId>& targets);
  std::vector<net::Endpoint> shuffled_servers();
  Rng rule_rng() const { return state_.rng.child("strike " + std::to_string(state_.strikes)); }

  // ---- machine_faults.cc
  Lasts strike(const fault::IoDelay& delay);
  Lasts strike(const fault::IoError& error);
  Lasts strike(const fault::DiskFull& full);
  Lasts strike(const fault::SlowCpu& slow);
  void lift_from_machines(const Strike& strike);
  std::int64_t writes_slowed(const Strike& strike);
  template <class F>
  void for_each_device(const std::vector<ProcessId>& of, std::optional<std::int32_t> directory, F f);

  // ---- clock_faults.cc
  Lasts strike(const fault::TimeOffset& offset);
  Lasts strike(const fault::Drift& drift);
  void undo_clocks();

  Faults& faults_;
  World& world_;
  FaultId id_;
  const fault::Fault& fault_;
  FaultState& state_;
  bool is_announced_ = false;
  std::vector<Miss> missed_;
};

}  // namespace sim::cluster
