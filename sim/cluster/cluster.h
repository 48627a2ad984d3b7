#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/rng.h"
#include "base/time.h"
#include "cluster/connection.h"
#include "cluster/process.h"
#include "cluster/request_path.h"
#include "cluster/spec.h"
#include "disk/device.h"
#include "kernel/kernel.h"
#include "kernel/streams.h"
#include "net/network.h"
#include "node/durable_image.h"
#include "node/node.h"
#include "observe/observation.h"

// The host: owns every process of a world with its disk image, plays events, performs effects.
//
// A step takes an event from the kernel, makes it an input of one process, and performs the effects in their order:
// messages travel over connections and a server's request path, writes go through a device, timers
// into the kernel. What was meant for an earlier life of a process or connection is dropped here. A
// process that is down has no Node: what must survive is in its DurableImage.
//
// A Cluster is a value: a copy plays on exactly as the original would (observers are not part of it).
namespace sim::cluster {

enum class CrashMode : std::uint8_t {
  kill,        // the process alone: the operating system keeps its page cache and resets its connections
  power_loss,  // what was not flushed is gone, and nobody is told
};

class Cluster {
 public:
  explicit Cluster(const ClusterSpec& spec);
  Cluster(Processes processes, const NetworkSpec& network, kernel::Streams streams);
  Cluster(const Cluster& other);
  Cluster(Cluster&&) = default;
  Cluster& operator=(const Cluster&) = delete;
  Cluster& operator=(Cluster&&) = default;

  // Plays the next event. False: there is none; see stop_reason().
  bool step();
  kernel::StopReason stop_reason() const { return kernel_.stop_reason(); }
  void set_time_limit(Instant at) { kernel_.set_time_limit(at); }
  void set_event_budget(std::uint64_t events) { kernel_.set_event_budget(events); }

  Instant now() const { return kernel_.now(); }
  std::uint64_t events_fired() const { return kernel_.events_fired(); }
  std::uint64_t fingerprint() const { return kernel_.fingerprint().value(); }

  // Observers are called in the order in which they were added; they must outlive the cluster or its use.
  void observe(observe::Observer& observer);

  const observe::Names& names() const { return processes_->names; }
  const node::DurableImage& image(ProcessId process) const { return slot(process).image; }
  bool is_up(ProcessId process) const { return slot(process).node != nullptr; }

  // REQUIRES: is_up(process)
  void crash(ProcessId process, CrashMode mode);
  // SIGTERM; it is up until it has wound up. REQUIRES: is_up(process)
  void stop(ProcessId process);
  // REQUIRES: !is_up(process)
  void restart(ProcessId process);

 private:
  enum class EventKind : std::uint16_t {
    start,
    timer,
    persisted,
    connect_arrives,   // at the server
    connect_answered,  // at the client: accepted or refused
    close_arrives,     // at the other end
    message_arrives,
    network_work_done,
    handler_done,
  };
  struct Event {
    EventKind kind;
    std::uint16_t process;
    std::uint32_t index;  // timer id, ticket, connection or pending write
    std::uint64_t life;   // the incarnation or connection generation it was meant for
    std::uint64_t cause;
  };

  struct Timer {
    kernel::TimerHandle handle;
    std::uint64_t cause = 0;
    bool exists = false;
  };
  struct HeldSend {
    node::PersistId after;
    Envelope envelope;
  };
  struct PendingWrite {
    node::PersistId id;
    std::vector<log::LogWrite> writes;
    node::Safety safety = node::Safety::written;
    bool occupies_io_thread = false;
    bool pending = false;
    bool performed = false;  // in the page cache
    std::vector<std::pair<TopicPartition, Offset>> flushes;  // what the flush under way makes safe
  };
  struct Slot {
    Slot(const net::Endpoint machine_, const DiskSpec& disk_spec, const Rng& rng_, const Rng& disk_rng)
        : machine(machine_), rng(rng_), disk(disk_spec, disk_rng) {}
    Slot(const Slot& other);
    Slot(Slot&&) = default;

    std::unique_ptr<node::Node> node;  // null while down
    node::DurableImage image;
    Incarnation incarnation{0};
    bool powered = true;  // its operating system answers for it
    net::Endpoint machine;
    Rng rng;
    disk::Device disk;
    std::optional<RequestPath> path;  // of a server
    std::vector<Timer> timers;        // by TimerId
    std::vector<PendingWrite> writes;
    std::vector<std::uint32_t> free_writes;
    std::vector<HeldSend> held;  // responses and requests that wait for a write
    ConnectionTable opened;      // by this process as client
  };
  // A message between its sending and its handling; a ticket of the server's request path.
  struct Message {
    Envelope envelope;
    std::int64_t bytes = 0;
    std::uint32_t connection = 0;
    std::uint32_t generation = 0;
    bool is_written = false;  // network work: a response being written, not a request being read
    bool tracked = false;     // its progress is reported
  };

  Slot& slot(ProcessId id) { return slots_[static_cast<std::size_t>(id.value())]; }
  const Slot& slot(ProcessId id) const { return slots_[static_cast<std::size_t>(id.value())]; }
  LocalTime local_now(const Slot&) const { return local_at(nanos(kernel_.now())); }
  static Instant instant_of(const Slot&, LocalTime at) { return instant_at(nanos(at)); }

  void schedule(Instant at, EventKind kind, ProcessId process, std::uint32_t index, std::uint64_t life);
  void handle(const Event& event);
  void start(ProcessId id);
  void step(ProcessId id, node::Input input);
  void perform(ProcessId id, node::Effects& effects);
  void perform(ProcessId id, node::Send& send);
  void perform(ProcessId id, node::Persist& persist);
  void perform(ProcessId id, const node::SetTimer& set);
  void perform(ProcessId id, const node::CancelTimer& cancel);
  void perform(ProcessId id, const node::Connect& connect);
  void perform(ProcessId id, const node::Disconnect& disconnect);
  void perform(ProcessId id, const node::Report& report);
  void perform(ProcessId id, node::Exit);

  // Connections (connections.cc)
  Connection* find_connection(const Channel& channel, std::uint32_t& index);
  void connect_arrives(std::uint32_t index, std::uint64_t generation);
  void connect_answered(std::uint32_t index, std::uint64_t generation);
  void close(std::uint32_t index, ProcessId by, bool tell_other);
  void close_for_client(std::uint32_t index);
  void close_arrives(std::uint32_t index, std::uint64_t generation, ProcessId at);
  void forget_server_end(Connection& connection);
  void drop_connections(ProcessId of, bool tell_others);

  // Messages (messages.cc)
  std::uint32_t new_message(Envelope envelope, const Connection& connection, std::uint32_t index);
  void free_message(std::uint32_t ticket);
  void send(Envelope envelope);
  void transmit(std::uint32_t ticket);
  void message_arrives(std::uint32_t ticket, ProcessId at);
  void begin_reading(Connection& connection);
  void begin_network_work(ProcessId server, const Connection& connection, std::uint32_t ticket);
  void network_work_done(ProcessId server, std::uint32_t ticket);
  void begin_handling(ProcessId server, std::uint32_t ticket);
  void handler_done(ProcessId server, std::uint32_t ticket);
  void io_thread_free(ProcessId server);
  void respond(Envelope response, Connection& connection, std::uint32_t index);
  void response_written(std::uint32_t ticket);
  void request_answered(Connection& connection);

  // Writes
  std::optional<RequestPath> new_request_path(const ProcessSpec& process) const;
  void persisted(ProcessId id, std::uint32_t index);
  void release_held(Slot& slot, node::PersistId id);
  std::optional<std::uint32_t> find_write(const Slot& slot, node::PersistId id) const;

  // Seeing
  void tell(ProcessId process, const observe::Fact& fact);
  void progress(observe::RequestStage stage, const Message& message, bool with_envelope);

  std::shared_ptr<const Processes> processes_;
  kernel::Streams streams_;
  kernel::Kernel<Event> kernel_;
  net::Network network_;
  std::vector<Slot> slots_;  // by ProcessId
  std::vector<Connection> connections_;
  std::deque<Message> messages_;  // by ticket
  std::vector<std::uint32_t> free_messages_;
  node::Effects effects_;  // of the step being performed; empty between events
  ProcessId handling_at_ = kNoProcess;          // whose I/O thread the present step runs on ...
  std::optional<std::uint32_t> handler_write_;  // ... and the write it will wait for
  ProcessId exits_ = kNoProcess;                // asked for in the step being performed
  std::uint64_t event_number_ = 0;              // of the event being handled
  std::uint64_t cause_ = 0;                     // number of the event that scheduled it
  std::vector<observe::Observer*> observers_;
  bool messages_wanted_ = false;
};

}  // namespace sim::cluster
