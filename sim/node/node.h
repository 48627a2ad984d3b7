#pragma once

#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "base/rng.h"
#include "base/time.h"
#include "log/log_write.h"
#include "node/part.h"
#include "observe/fact.h"
#include "protocol/envelope.h"

// The contract of a process: a state machine, an input in, effects out, at one instant, to
// completion. It cannot reach the queue, a clock, a file, a socket or another process.
//
// CPU time is the host's affair: it delays the input. A step itself takes no time.
namespace sim::node {

struct DurableImage;

// All that a process may know of the world. A process that needs randomness of its own for a
// purpose (arrivals, keys, service times) keeps an Rng of its own, given to it when it was made.
struct Env {
  LocalTime now;  // of the monotonic clock: deadlines, intervals
  Rng& rng;
  Duration wall_ahead{};  // how far the wall clock is ahead of it
  // Work of a process that it times itself takes so many times as long (fault slow-cpu).
  std::int64_t cpu_factor = 1;

  // The wall clock: time stamps of records, and the age of what bears them.
  std::int64_t wall_ms() const { return millis(now.time_since_epoch() + wall_ahead); }
};

enum class Safety : std::uint8_t {
  written,  // in the page cache: survives a killed process
  flushed,  // fsynced: survives power loss
};

// Whose thread is blocked until a write is done.
enum class Waits : std::uint8_t {
  handler,     // the I/O thread on whose request handler it was asked for, for the last such write; if any
  own_thread,  // one that the process has for it
};

// ---- Effects, performed in this order

// Leaves once `after`, if given, is safe. A message on a channel that is not open is dropped.
struct Send {
  explicit Send(Envelope&& what, std::optional<PersistId> after_write = {})
      : envelope(std::move(what)), after(after_write) {}
  template <class M>
  Send(const Channel& channel, CorrelationId correlation, bool response, M&& message,
       std::optional<PersistId> after_write = {})
      : envelope{channel, correlation, response, std::forward<M>(message)}, after(after_write) {}

  Envelope envelope;
  std::optional<PersistId> after{};
};
// Writes in this order; answered by Persisted{id} when all have reached `safety`. All writes of one process
// to one log directory are performed in the order in which they were asked for.
//
// What has been asked for is not yet in the log: a process lets a batch take effect (its log end offset,
// readers, replies) when Persisted tells it that the write was performed, as Kafka's threads do,
// which block in write().
struct Persist {
  PersistId id;
  std::vector<log::LogWrite> writes;
  Safety safety = Safety::written;
  Waits waits = Waits::handler;
};
// Reads logs of one log directory from end to end, as many at a time as there are threads; answered by
// Persisted{id} when all are read (LogManager.loadLogs).
struct Scan {
  PersistId id;
  std::vector<std::int64_t> bytes;  // of each log
  std::int32_t threads = 1;
  std::int32_t directory = 0;
};
// Replaces an earlier setting of the same timer.
struct SetTimer {
  TimerId timer;
  LocalTime deadline;
};
struct CancelTimer {
  TimerId timer;
};
// Opens a connection; answered by Connected or Disconnected. Only its client may.
struct Connect {
  Channel channel;
};
// Closes it; either side may. The closing side hears nothing more of it, the other Disconnected.
struct Disconnect {
  Channel channel;
};
struct Report {
  template <class F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, Report>) explicit Report(F&& what)
      : fact(std::forward<F>(what)) {}

  observe::Fact fact;
};
// The process ends: nothing of it happens any more, its connections are closed. What it wrote is in the page
// cache.
struct Exit {};
using Effect = std::variant<Send, Persist, Scan, SetTimer, CancelTimer, Connect, Disconnect, Report, Exit>;
using Effects = std::vector<Effect>;

// ---- Inputs

struct Started {};
struct Received {
  explicit Received(Envelope&& what) : envelope(std::move(what)) {}
  explicit Received(const Envelope& what) : envelope(what) {}

  Envelope envelope;  // the process may move from it
};
struct TimerFired {
  TimerId timer;
};
struct Persisted {
  PersistId id;
  // Bit N: writes to the log directory numbered N failed and were not performed, those after the first that
  // did included.
  std::uint32_t failed_directories = 0;
};
struct Connected {
  Channel channel;
};
enum class DisconnectReason : std::uint8_t { refused, reset, closed };
struct Disconnected {
  Channel channel;
  DisconnectReason reason = DisconnectReason::closed;
};
// SIGTERM: the process winds up (a controlled shutdown, close() of a client) and ends with Exit. It goes on
// receiving until then.
struct StopRequested {};
using Input = std::variant<Started, Received, TimerFired, Persisted, Connected, Disconnected, StopRequested>;

// Hands an input to the part that it is for, by `take(Part)`. If both ends of a connection are in this
// process, its end concerns both, first the one that was asked. REQUIRES: neither Started nor StopRequested
template <class Take>
void for_each_part(const Input& input, ProcessId self, Take take) {
  if (const auto* received = std::get_if<Received>(&input)) {
    const Lane lane = received->envelope.channel.lane;
    take(received->envelope.response ? client_of(lane) : server_of(lane));
  } else if (const auto* fired = std::get_if<TimerFired>(&input)) {
    take(fired->timer.part);
  } else if (const auto* persisted = std::get_if<Persisted>(&input)) {
    take(persisted->id.part);
  } else if (const auto* connected = std::get_if<Connected>(&input)) {
    take(client_of(connected->channel.lane));
  } else {
    const Channel& channel = std::get<Disconnected>(input).channel;
    const Part asked = server_of(channel.lane);
    const Part asks = client_of(channel.lane);
    if (channel.server == self) take(asked);
    if (channel.client == self && !(channel.server == self && asks == asked)) take(asks);
  }
}

class Node {
 public:
  virtual ~Node() = default;
  // The world is a value: a copy that plays on exactly as the original would.
  virtual std::unique_ptr<Node> clone() const = 0;
  virtual void step(Input& input, Env env, Effects& out) = 0;
  // It dies, and has not heard that these writes were performed: reports what became true by them, and is on
  // the disk still.
  virtual void report_performed(const std::vector<PersistId>&, const DurableImage&, Effects&) const {}
};

// A node as a value: a copy of it owns a copy of the node. REQUIRES: not moved from, but to be assigned to
class AnyNode {
 public:
  AnyNode(std::unique_ptr<Node> node) : node_(std::move(node)) {}
  AnyNode(const AnyNode& other) : node_(other.node_->clone()) {}
  AnyNode(AnyNode&&) noexcept = default;
  AnyNode& operator=(const AnyNode& other) {
    if (this != &other) node_ = other.node_->clone();
    return *this;
  }
  AnyNode& operator=(AnyNode&&) noexcept = default;
  ~AnyNode() = default;
  Node* operator->() const { return node_.get(); }

 private:
  std::unique_ptr<Node> node_;
};

template <class F>
void report(Effects& out, F&& fact) {
  out.emplace_back(std::in_place_type<Report>, std::forward<F>(fact));
}

// Answers a request on the connection it came by.
template <class M>
void reply(Effects& out, const Envelope& request, M&& message, std::optional<PersistId> after = {}) {
  out.emplace_back(std::in_place_type<Send>, request.channel, request.correlation, true,
                   std::forward<M>(message), after);
}

}  // namespace sim::node
