#include <optional>
#include <string>
#include <vector>

#include "cluster/injector.h"

// Faults of what a process runs on: devices that are slow, broken or full, and slow processors. They are of
// the machine, so they outlast the process; one that starts while a directory is broken finds that it cannot
// open it.
namespace sim::cluster {

// Of those that have a disk which counts: servers.
template <class F>
void Injector::for_each_device(const std::vector<ProcessId>& of, std::optional<std::int32_t> directory, F f) {
  for (const ProcessId process : of) {
    if (!world_.spec(process).serves) continue;
    Disks& disks = world_.slot(process).disks;
    for (std::int32_t d = 0; d < disks.count(); ++d) {
      if (!directory || *directory == d) f(disks, disks.device(d));
    }
  }
}

Injector::Lasts Injector::strike(const fault::IoDelay& delay) {
  announce(resolve(delay.targets));
  const Rng rng = rule_rng();
  const auto reason = static_cast<std::uint32_t>(id_.value());
  std::int32_t number = 0;
  for_each_device(struck().touched, delay.directory, [&](Disks&, disk::Device& device) {
    device.slow_down(reason, delay.factor, delay.by, rng.child("device " + std::to_string(number++)));
  });
  return Lasts::yes;
}

Injector::Lasts Injector::strike(const fault::IoError& error) {
  announce(resolve(error.targets));
  for_each_device(struck().touched, error.directory, [](Disks& disks, disk::Device& device) {
    disks.note_trouble();
    device.break_down();
  });
  return Lasts::yes;
}

Injector::Lasts Injector::strike(const fault::DiskFull& full) {
  announce(resolve(full.targets));
  for_each_device(struck().touched, full.directory, [](Disks& disks, disk::Device& device) {
    disks.note_trouble();
    device.fill_up();
  });
  return Lasts::yes;
}

Injector::Lasts Injector::strike(const fault::SlowCpu& slow) {
  announce(resolve(slow.targets));
  for (const ProcessId process : struck().touched) {
    if (world_.is_up(process)) ++struck().effects;
    std::vector<SlowedBy>& slowed_by = world_.slot(process).slowed_by;
    std::erase_if(slowed_by, [this](const SlowedBy& one) { return one.fault == id_; });
    slowed_by.push_back({id_, slow.factor});
    world_.set_cpu_factor(process);
  }
  return Lasts::yes;
}

void Injector::lift_from_machines(const Strike& strike) {
  const fault::Kind& kind = fault_.kind;
  if (const auto* delay = std::get_if<fault::IoDelay>(&kind)) {
    const auto reason = static_cast<std::uint32_t>(id_.value());
    for_each_device(strike.touched, delay->directory,
                    [reason](Disks&, disk::Device& device) { device.lift(reason); });
  } else if (const auto* error = std::get_if<fault::IoError>(&kind)) {
    for_each_device(strike.touched, error->directory, [](Disks&, disk::Device& device) { device.repair(); });
  } else if (const auto* full = std::get_if<fault::DiskFull>(&kind)) {
    for_each_device(strike.touched, full->directory, [](Disks&, disk::Device& device) { device.clear(); });
  } else if (std::holds_alternative<fault::SlowCpu>(kind)) {
    for (const ProcessId process : strike.touched) {
      std::erase_if(world_.slot(process).slowed_by, [this](const SlowedBy& one) { return one.fault == id_; });
      world_.set_cpu_factor(process);
    }
  }
}

std::int64_t Injector::writes_slowed(const Strike& strike) {
  const auto* delay = std::get_if<fault::IoDelay>(&fault_.kind);
  if (delay == nullptr) return 0;
  std::int64_t slowed = 0;
  for_each_device(strike.touched, delay->directory, [&](Disks&, const disk::Device& device) {
    slowed += device.slowed_by(static_cast<std::uint32_t>(id_.value()));
  });
  return slowed;
}

}  // namespace sim::cluster
