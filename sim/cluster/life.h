#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "cluster/connection.h"
#include "cluster/disks.h"
#include "cluster/event.h"
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
  std::vector<Timer> timers{};  // by TimerId
  PendingWrites writes{};
  std::vector<HeldSend> held{};       // responses and requests that wait for a write
  std::optional<RequestPath> path{};  // of a server
  std::vector<std::uint32_t>
      planned{};  // tickets of requests that it will have handled when their time comes
};

struct SlowedBy {  // a process's threads
  FaultId fault;
  std::int64_t factor = 1;
};

struct Slot {
  Slot(Disks of, const Rng& of_steps, const Rng& of_threads, const Rng& of_starts)
      : disks(std::move(of)), rng(of_steps), threads_rng(of_threads), start_rng(of_starts) {}

  node::DurableImage image;
  Disks disks;
  Rng rng;                      // of its steps
  Rng threads_rng;              // of a server's threads
  Rng start_rng;                // of how long its starts take, and of which thread comes first after a pause
  bool is_wanted = false;       // it starts as soon as nothing holds it down
  std::int32_t held_down = 0;   // by so many faults
  Instant starts_at{};          // the last start that was asked for; those before it are forgotten
  std::int64_t cpu_factor = 1;  // its threads take so many times as long
  std::vector<SlowedBy> slowed_by{};
  std::optional<FaultId> deployed{};  // the last deployment that struck it: whose settings it starts with
  std::optional<Life> life{};         // none while it is down
};

}  // namespace sim::cluster
