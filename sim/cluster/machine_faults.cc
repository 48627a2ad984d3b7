#include <algorithm>
#include <optional>
#include <vector>

#include "base/overloaded.h"
#include "cluster/cluster.h"

// Faults of what a process runs on: devices that are slow, broken or full, and slow processors. They are of
// the machine, so they outlast the process; one that starts while a directory is broken finds that it cannot
// open it.
namespace sim::cluster {

// Of those that have a disk which counts: servers.
template <class F>
void Cluster::for_each_device(const std::vector<ProcessId>& of, std::optional<std::int32_t> directory, F f) {
  for (const ProcessId process : of) {
    Slot& slot = this->slot(process);
    if (!slot.path) continue;
    const auto directories = static_cast<std::int32_t>(slot.more_disks.size()) + 1;
    for (std::int32_t d = 0; d < directories; ++d) {
      if (!directory || *directory == d) f(slot, device(slot, d));
    }
  }
}

void Cluster::strike(FaultId id, const fault::IoDelay& delay, Strike& strike) {
  announce(id, strike, resolve(delay.targets, id));
  const Rng rng = rule_rng(id);
  const auto reason = static_cast<std::uint32_t>(id.value());
  std::int32_t number = 0;
  for_each_device(strike.touched, delay.directory, [&](Slot&, disk::Device& device) {
    device.slow_down(reason, delay.factor, delay.by, rng.child("device " + std::to_string(number++)));
  });
}

void Cluster::strike(FaultId id, const fault::IoError& error, Strike& strike) {
  announce(id, strike, resolve(error.targets, id));
  for_each_device(strike.touched, error.directory, [](Slot& slot, disk::Device& device) {
    slot.disk_trouble = true;
    device.break_down();
  });
}

void Cluster::strike(FaultId id, const fault::DiskFull& full, Strike& strike) {
  announce(id, strike, resolve(full.targets, id));
  for_each_device(strike.touched, full.directory, [](Slot& slot, disk::Device& device) {
    slot.disk_trouble = true;
    device.fill_up();
  });
}

void Cluster::strike(FaultId id, const fault::SlowCpu& slow, Strike& strike) {
  announce(id, strike, resolve(slow.targets, id));
  for (const ProcessId process : strike.touched) {
    if (is_up(process)) ++strike.effects;
    std::vector<SlowedBy>& slowed_by = slot(process).slowed_by;
    std::erase_if(slowed_by, [id](const SlowedBy& one) { return one.fault == id; });
    slowed_by.push_back({id, slow.factor});
    set_cpu_factor(process);
  }
}

// Several at once multiply, up to a million.
void Cluster::set_cpu_factor(ProcessId id) {
  constexpr std::int64_t kMost = 1'000'000;
  Slot& slot = this->slot(id);
  slot.cpu_factor = 1;
  for (const SlowedBy& one : slot.slowed_by) slot.cpu_factor = std::min(kMost, slot.cpu_factor * one.factor);
  if (slot.path) slot.path->set_cpu_factor(slot.cpu_factor);
}

void Cluster::undo_machine_faults(FaultId id, const Strike& strike) {
  const fault::Kind& kind = fault_of(id).kind;
  if (const auto* delay = std::get_if<fault::IoDelay>(&kind)) {
    const auto reason = static_cast<std::uint32_t>(id.value());
    for_each_device(strike.touched, delay->directory,
                    [reason](Slot&, disk::Device& device) { device.lift(reason); });
  } else if (const auto* error = std::get_if<fault::IoError>(&kind)) {
    for_each_device(strike.touched, error->directory, [](Slot&, disk::Device& device) { device.repair(); });
  } else if (const auto* full = std::get_if<fault::DiskFull>(&kind)) {
    for_each_device(strike.touched, full->directory, [](Slot&, disk::Device& device) { device.clear(); });
  } else if (std::holds_alternative<fault::SlowCpu>(kind)) {
    for (const ProcessId process : strike.touched) {
      std::erase_if(slot(process).slowed_by, [id](const SlowedBy& one) { return one.fault == id; });
      set_cpu_factor(process);
    }
  }
}

// ---- What they did

std::int64_t Cluster::writes_slowed(FaultId id, const Strike& strike) {
  const auto* delay = std::get_if<fault::IoDelay>(&fault_of(id).kind);
  if (delay == nullptr) return 0;
  std::int64_t slowed = 0;
  for_each_device(strike.touched, delay->directory, [&](Slot&, const disk::Device& device) {
    slowed += device.slowed_by(static_cast<std::uint32_t>(id.value()));
  });
  return slowed;
}

void Cluster::count_failed_write(const Slot& writer, std::int32_t directory) {
  for (std::size_t i = 0; i < faults_.size(); ++i) {
    if (!faults_[i].lasting) continue;
    const fault::Kind& kind = (*schedule_)[i].kind;
    const auto* error = std::get_if<fault::IoError>(&kind);
    const auto* full = std::get_if<fault::DiskFull>(&kind);
    if (error == nullptr && full == nullptr) continue;
    const std::optional<std::int32_t> of = error != nullptr ? error->directory : full->directory;
    if (of && *of != directory) continue;
    for (const ProcessId process : faults_[i].lasting->touched) {
      if (&slot(process) == &writer) ++faults_[i].lasting->effects;
    }
  }
}

void Cluster::note_failed_directories(Slot& slot) {
  if (!slot.disk_trouble) return;
  slot.image.failed_directories = 0;
  for (std::size_t d = 0; d <= slot.more_disks.size(); ++d) {
    if (!device(slot, static_cast<std::int32_t>(d)).is_broken()) continue;
    slot.image.failed_directories |= std::uint32_t{1} << d;
  }
}

}  // namespace sim::cluster
