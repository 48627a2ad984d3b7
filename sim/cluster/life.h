#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "cluster/connection.h"
#include "cluster/disks.h"
#include "cluster/event.h"
#include "cluster/processors.h"
#include "cluster/request_path.h"
#include "kernel/kernel.h"
#include "node/durable_image.h"
#include "node/node.h"

// A process as the host holds it: what stays when it dies, and what dies with it.
namespace sim::cluster {

struct Timer {
  kernel::TimerHandle handle;
  std::uint64_t cause = 0;
  LocalTime deadline{};  // as it was set
  bool exists = false;
  bool has_core = false;  // it was due, and its thread has waited for a core
};

// Those of a process, found by their id or by the number under which their events know them.
class Timers {
 public:
  static std::uint32_t number_of(node::TimerId id) {
    return static_cast<std::uint32_t>(id.part) << 16 | std::uint32_t{id.number};
  }
  static node::TimerId id_of(std::uint32_t number) {
    return {static_cast<node::Part>(number >> 16), static_cast<std::uint16_t>(number)};
  }

  // At rest if it was never set.
  Timer& at(node::TimerId id) {
    const auto part = static_cast<std::size_t>(id.part);
    if (part >= of_part_.size()) of_part_.resize(part + 1);
    std::vector<Timer>& timers = of_part_[part];
    if (id.number >= timers.size()) timers.resize(id.number + std::size_t{1});
    return timers[id.number];
  }
  // In the order of their ids, those that exist.
  template <class Visit>
  void for_each(Visit visit) const {
    for (const std::vector<Timer>& timers : of_part_) {
      for (const Timer& timer : timers) {
        if (timer.exists) visit(timer);
      }
    }
  }

 private:
  std::vector<std::vector<Timer>> of_part_;  // by part and number
};

// Waits for a write.
struct HeldSend {
  node::PersistId after;
  Envelope envelope;
  std::uint32_t connection = Connection::kNoConnection;  // of a request
  std::uint32_t generation = 0;
};

// Everything that dies with a process. What the kernel and the wires keep for it is given back before.
struct Life {
  node::AnyNode node;
  bool is_stopping = false;     // was told to
  std::int32_t paused = 0;      // by so many faults
  std::vector<Event> missed{};  // while paused
  Timers timers{};
  PendingWrites writes{};
  Instant last_write_told{};          // writes are told of in order, whichever core their threads get
  std::vector<HeldSend> held{};       // responses and requests that wait for a write
  std::optional<RequestPath> path{};  // of a server
};

struct SlowedBy {  // a process's threads
  FaultId fault;
  std::int64_t factor = 1;
};

struct Slot {
  Slot(Disks of, const Rng& of_steps, const Rng& of_threads, const Rng& of_wakeups, const Rng& of_starts,
       const Rng& of_exits)
      : disks(std::move(of)),
        rng(of_steps),
        threads_rng(of_threads),
        wakeups_rng(of_wakeups),
        start_rng(of_starts),
        exit_rng(of_exits) {}

  node::DurableImage image;
  Disks disks;
  Rng rng;                     // of its steps
  Rng threads_rng;             // of a server's threads on the way of a request
  Rng wakeups_rng;             // of its other threads
  Rng start_rng;               // of how long its starts take, and of which thread comes first after a pause
  bool is_wanted = false;      // it starts as soon as nothing holds it down
  std::int32_t held_down = 0;  // by so many faults
  Rng exit_rng;                // of how long it takes until the connections of a killed process are closed
  bool has_open_sockets = false;  // it was killed, and they are not closed yet
  Instant starts_at{};            // the last start that was asked for; those before it are forgotten
  std::int64_t cpu_factor = 1;    // its threads take so many times as long
  std::optional<StopTheWorld> pauses{};
  std::vector<SlowedBy> slowed_by{};
  std::optional<FaultId> deployed{};  // the last deployment that struck it: whose settings it starts with
  std::optional<Life> life{};         // none while it is down
};

}  // namespace sim::cluster
