#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/rng.h"
#include "base/time.h"
#include "cluster/clock.h"
#include "cluster/connection.h"
#include "cluster/fault_state.h"
#include "cluster/process.h"
#include "cluster/request_path.h"
#include "cluster/roles.h"
#include "cluster/spec.h"
#include "disk/device.h"
#include "kernel/kernel.h"
#include "kernel/streams.h"
#include "net/network.h"
#include "node/durable_image.h"
#include "node/node.h"
#include "observe/observation.h"

// The host: owns every process of a world with its disk image, plays events, performs effects, carries out
// faults.
//
// A step takes an event from the kernel, makes it an input of one process, and performs the effects in their
// order: messages travel over connections and a server's request path, writes go through a device, timers
// into the kernel. What was meant for an earlier life of a process or connection is dropped here. A
// process that is down has no Node: what must survive is in its DurableImage.
//
// Faults may overlap on a target. A process stays down until the last fault that holds it down has ended, and
// stands still until the last one that pauses it has; a wire is cut while any fault cuts it. One without an
// end holds nothing: it takes a process down, and so it stays until something starts it. A fault that comes
// again before it has ended is left out that time.
//
// A Cluster is a value: a copy plays on exactly as the original would (observers are not part of it).
namespace sim::cluster {

enum class CrashMode : std::uint8_t {
  kill,        // the process alone: the operating system keeps its page cache and closes its connections
  power_loss,  // of its machine and all on it: what was not flushed is gone, and nobody is told
};

class Cluster {
 public:
  explicit Cluster(const ClusterSpec& spec);
  // Faults that strike repeatedly strike for the last time before `load_ends_at`.
  Cluster(Processes processes, const NetworkSpec& network, kernel::Streams streams,
          fault::Schedule faults = {}, Instant load_ends_at = Instant::max());
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
  // Its machine is switched on if it was off. REQUIRES: !is_up(process), and no fault holds it down
  void restart(ProcessId process);

  // The run is over: faults that still last are reported with what they did, and are not undone.
  void end_faults();

 private:
  enum class EventKind : std::uint16_t {
    start,
    start_again,
    timer,
    persisted,
    stop,
    connect_arrives,   // at the server
    connect_answered,  // at the client: accepted or refused
    connect_again,     // the client sends another SYN
    close_reaches_client,
    close_reaches_server,
    reset_reaches_server,
    retransmit_to_server,
    retransmit_to_client,
    message_arrives,
    network_work_done,
    handler_done,
    fault_strikes,
    fault_ends,
    throttle_ends,
  };
  struct Event {
    EventKind kind;
    std::uint16_t process;
    std::uint32_t index;  // timer id, ticket, connection, pending write or fault
    std::uint64_t life;   // the incarnation, connection generation or strike it was meant for
    std::uint64_t cause;
  };

  struct Timer {
    kernel::TimerHandle handle;
    std::uint64_t cause = 0;
    LocalTime deadline{};  // as it was set
    bool exists = false;
  };
  struct HeldSend {
    node::PersistId after;
    Envelope envelope;
    std::uint32_t connection = Connection::kNoConnection;  // of a request
    std::uint32_t generation = 0;
  };
  struct PendingWrite {
    enum class Stage : std::uint8_t { writing, written, flushing, done };
    node::PersistId id;
    std::vector<log::LogWrite> writes;
    node::Safety safety = node::Safety::written;
    bool occupies_io_thread = false;
    bool pending = false;
    Stage stage = Stage::writing;
    std::uint32_t failed_directories = 0;                    // bit N: that numbered N
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
    bool is_wanted = false;      // it starts as soon as nothing holds it down
    bool is_stopping = false;    // was told to
    std::int32_t held_down = 0;  // by so many faults
    std::int32_t paused = 0;     // by so many faults
    std::vector<Event> missed;   // while paused
    net::Endpoint machine;
    Rng rng;
    disk::Device disk;                     // of the first log directory
    std::vector<disk::Device> more_disks;  // of the others
    bool disk_trouble = false;             // one of them has been broken or full
    std::int64_t cpu_factor = 1;           // its threads take so many times as long
    std::vector<SlowedBy> slowed_by{};
    std::optional<RequestPath> path;  // of a server
    std::vector<Timer> timers;        // by TimerId
    std::vector<PendingWrite> writes;
    std::vector<std::uint32_t> free_writes;
    std::vector<HeldSend> held;  // responses and requests that wait for a write
    ConnectionTable opened;      // by this process as client
  };
  struct Machine {  // its operating system answers for it while it has power
    bool is_off = false;
    std::int32_t held_off = 0;  // by so many faults
    Clock clock{};
    bool has_power() const { return !is_off && held_off == 0; }
  };
  // A message between its sending and its handling; a ticket of the server's request path.
  struct Message {
    Envelope envelope;
    std::int64_t bytes = 0;
    std::uint32_t connection = 0;
    std::uint32_t generation = 0;
    CorrelationId served_as = 0;  // a request's, for the server: connections of one channel do not share them
    bool is_written = false;      // network work: a response being written, not a request being read
    bool tracked = false;         // its progress is reported
  };

  Slot& slot(ProcessId id) { return slots_[static_cast<std::size_t>(id.value())]; }
  const Slot& slot(ProcessId id) const { return slots_[static_cast<std::size_t>(id.value())]; }
  const Clock& clock_of(const Slot& slot) const {
    return machines_[static_cast<std::size_t>(slot.machine)].clock;
  }
  node::Env env_of(Slot& slot) const {
    return {.now = local_now(slot),
            .rng = slot.rng,
            .wall_ahead = clock_of(slot).wall_ahead(kernel_.now()),
            .cpu_factor = slot.cpu_factor};
  }
  LocalTime local_now(const Slot& slot) const { return clock_of(slot).local(kernel_.now()); }
  Instant instant_of(const Slot& slot, LocalTime at) const { return clock_of(slot).instant_of(at); }

  void schedule(Instant at, EventKind kind, ProcessId process, std::uint32_t index, std::uint64_t life);
  void handle(const Event& event);
  void step(ProcessId id, node::Input input);
  void perform(ProcessId id, node::Effects& effects);
  void perform(ProcessId id, node::Send& send);
  void perform(ProcessId id, node::Persist& persist);
  void perform(ProcessId id, const node::Scan& scan);
  void perform(ProcessId id, const node::SetTimer& set);
  void perform(ProcessId id, const node::CancelTimer& cancel);
  void perform(ProcessId id, const node::Connect& connect);
  void perform(ProcessId id, const node::Disconnect& disconnect);
  void perform(ProcessId id, const node::Report& report);
  void perform(ProcessId id, node::Exit);

  // Life and death (life.cc)
  void try_start(ProcessId id);
  static void note_failed_directories(Slot& slot);
  void end_life(ProcessId id);
  void tell_appends_unheard_of(ProcessId id);
  void take_down(ProcessId id, CrashMode mode);
  void exited(ProcessId id);
  void power_off(net::Endpoint machine, Rng* tail = nullptr);
  // Of a process whose machine has lost its power; the observers hear what of its logs is gone.
  void lose_unflushed(ProcessId id, Rng* tail);
  void wipe(ProcessId id);
  template <class F>
  void lose_from_disk(ProcessId id, observe::LossOfLog cause, F lose);
  void switch_off(net::Endpoint machine);
  void switch_on(net::Endpoint machine);
  void schedule_start(ProcessId id);
  void request_stop(ProcessId id);
  void pause(ProcessId id);
  void resume(ProcessId id);
  void drop_missed(Slot& slot);
  bool misses(const Event& event);
  bool has_power(ProcessId id) const {
    return machines_[static_cast<std::size_t>(slot(id).machine)].has_power();
  }

  // Connections (connections.cc)
  std::uint32_t new_connection(const Channel& channel);
  void free_if_gone(std::uint32_t index);
  std::uint32_t last_opened(const Channel& channel) const {
    return slot(channel.client).opened.find(channel.server, channel.lane);
  }
  bool is_of(std::uint32_t index, std::uint64_t generation) const {
    return connections_[index].generation == generation;
  }
  void send_syn(std::uint32_t index);
  void send_syn_again(std::uint32_t index, bool to_server);
  void connect_arrives(std::uint32_t index, std::uint64_t generation);
  void connect_answered(std::uint32_t index, std::uint64_t generation);
  void connect_again(std::uint32_t index, std::uint64_t generation);
  void close_by_client(std::uint32_t index);
  void close_by_server(std::uint32_t index);
  void close_reaches_client(std::uint32_t index, std::uint64_t generation);
  void close_reaches_server(std::uint32_t index, std::uint64_t generation);
  void reset_reaches_server(std::uint32_t index, std::uint64_t generation);
  void end_at_server(std::uint32_t index, node::DisconnectReason reason);
  void forget_server_end(Connection& connection);
  void reset_client(std::uint32_t index);
  void reset_server(std::uint32_t index);
  void close_connections(ProcessId of);
  void lose_connections(net::Endpoint machine);

  // Flows, when something is wrong with the wires (flows.cc)
  Flow& flow(std::uint32_t index, bool to_server) {
    return to_server ? connections_[index].to_server : connections_[index].to_client;
  }
  net::Endpoint machine_of(ProcessId id) const { return slot(id).machine; }
  bool is_blocked(net::Endpoint from, net::Endpoint to) const;
  Duration signal_time(ProcessId from, ProcessId to, Duration first_timeout);
  void send_end_of_stream(std::uint32_t index, bool to_server);
  bool passes(std::uint32_t index, bool to_server, std::uint32_t ticket);
  void stall(std::uint32_t index, bool to_server, std::uint32_t ticket);
  void keep_unsent(std::uint32_t index, bool to_server, std::uint32_t ticket);
  void schedule_retransmission(std::uint32_t index, bool to_server);
  void retransmit(std::uint32_t index, std::uint64_t generation, bool to_server);
  void give_up(std::uint32_t index, bool to_server);
  void send_unsent(std::uint32_t index, bool to_server);
  void drop_unsent(Flow& flow);
  void release_held_flows(FaultId fault);

  // Messages (messages.cc)
  std::uint32_t new_message(Envelope envelope, const Connection& connection, std::uint32_t index);
  void free_message(std::uint32_t ticket);
  void send(Envelope envelope);
  void transmit(std::uint32_t ticket);
  void put_on_wire(std::uint32_t ticket);
  void message_arrives(std::uint32_t ticket, ProcessId at);
  void begin_reading(std::uint32_t index);
  void begin_network_work(ProcessId server, const Connection& connection, std::uint32_t ticket);
  void network_work_done(ProcessId server, std::uint32_t ticket);
  void begin_handling(ProcessId server, std::uint32_t ticket);
  void handler_done(ProcessId server, std::uint32_t ticket);
  void io_thread_free(ProcessId server);
  void schedule_released(ProcessId server);
  void respond(Envelope response);
  void response_written(std::uint32_t ticket);
  void request_answered(std::uint32_t index);
  void throttle_ends(std::uint32_t index, std::uint64_t generation);

  // Faults (faults.cc)
  void schedule_faults();
  void strike(FaultId id);
  void announce(FaultId id, Strike& strike, std::vector<ProcessId> touched);
  void end_strike(FaultId id);
  void undo(FaultId id, Strike& strike);
  void report_end(FaultId id);
  void strike(FaultId id, const fault::Kill& kill, Strike& strike);
  void strike(FaultId id, const fault::PowerLoss& loss, Strike& strike);
  void strike(FaultId id, const fault::Wipe& wipe, Strike& strike);
  void strike(FaultId id, const fault::Stop& stop, Strike& strike);
  void strike(FaultId id, const fault::Restart& restart, Strike& strike);
  void strike(FaultId id, const fault::Pause& pause, Strike& strike);
  void strike(FaultId id, const fault::Partition& partition, Strike& strike);
  void strike(FaultId id, const fault::Delay& delay, Strike& strike);
  void strike(FaultId id, const fault::Loss& loss, Strike& strike);
  void strike(FaultId id, const fault::Hold& hold, Strike& strike);
  void strike(FaultId id, const fault::Admin& admin, Strike& strike);
  void operator_heard(const observe::AdminAnswered& answer);
  void operator_left(ProcessId process);
  // Disks and processors (machine_faults.cc)
  void strike(FaultId id, const fault::IoDelay& delay, Strike& strike);
  void strike(FaultId id, const fault::IoError& error, Strike& strike);
  void strike(FaultId id, const fault::DiskFull& full, Strike& strike);
  void strike(FaultId id, const fault::SlowCpu& slow, Strike& strike);
  void undo_machine_faults(FaultId id, const Strike& strike);
  std::int64_t writes_slowed(FaultId id, const Strike& strike);
  template <class F>
  void for_each_device(const std::vector<ProcessId>& of, std::optional<std::int32_t> directory, F f);
  void set_cpu_factor(ProcessId id);
  void count_failed_write(const Slot& writer, std::int32_t directory);

  void strike(FaultId id, const fault::Bandwidth& limit, Strike& strike);
  void strike(FaultId id, const fault::Reset& reset, Strike& strike);
  void strike(FaultId id, const fault::TimeOffset& offset, Strike& strike);
  void strike(FaultId id, const fault::Drift& drift, Strike& strike);
  void undo_clocks(FaultId id, Strike& strike);
  void set_timers_anew(net::Endpoint machine);
  void hold_down(FaultId id, ProcessId process, Strike& strike);
  void started_again(ProcessId process);
  std::vector<ProcessId> resolve(const fault::Targets& targets, FaultId id);
  std::vector<net::Endpoint> machines_of(const std::vector<ProcessId>& processes) const;
  std::vector<ProcessId> processes_on(const std::vector<net::Endpoint>& machines) const;
  net::Pairs pairs_of(const fault::Wires& wires, const std::vector<ProcessId>& targets, FaultId id);
  net::Pairs isolate(const std::vector<net::Endpoint>& machines, fault::Direction direction) const;
  void reset_connection(std::uint32_t index);
  std::vector<net::Endpoint> shuffled_servers(FaultId id);
  Rng rule_rng(FaultId id) {
    return state_of(id).rng.child("strike " + std::to_string(state_of(id).strikes));
  }
  void cut(FaultId id, Strike& strike, const fault::Isolate& shape, fault::Direction direction);
  void cut(FaultId id, Strike& strike, const fault::Groups& shape, fault::Direction direction);
  void cut(FaultId id, Strike& strike, const fault::Halves& shape, fault::Direction direction);
  void cut(FaultId id, Strike& strike, const fault::MajoritiesRing& shape, fault::Direction direction);
  void cut(FaultId id, Strike& strike, const fault::Bridge& shape, fault::Direction direction);
  void add_cut(Strike& strike, net::Pairs pairs);
  const fault::Fault& fault_of(FaultId id) const {
    return (*schedule_)[static_cast<std::size_t>(id.value())];
  }
  FaultState& state_of(FaultId id) { return faults_[static_cast<std::size_t>(id.value())]; }

  // Writes
  void persisted(ProcessId id, std::uint32_t index);
  static std::uint32_t new_write(Slot& writer);
  void perform_writes(Slot& writer, PendingWrite& pending);
  static disk::Device& device(Slot& slot, std::int32_t directory) {
    return directory == 0 ? slot.disk : slot.more_disks[static_cast<std::size_t>(directory) - 1];
  }
  static std::int32_t place(Slot& writer, const log::LogWrite& write);
  bool fails(Slot& writer, PendingWrite& pending, const log::LogWrite& write);
  bool fails(Slot& writer, PendingWrite& pending, std::int32_t directory, bool appends);
  Instant flush(Slot& writer, PendingWrite& pending);
  static void wait_for_each_other(Slot& writer, std::uint32_t directories, Instant done);
  void drop_held(Slot& slot, node::PersistId id);
  void note_flushes(const Slot& writer, PendingWrite& pending);
  static void forget_flushes(Slot& writer, const log::LogWrite& write);
  void release_held(Slot& slot, node::PersistId id);
  std::optional<std::uint32_t> find_write(const Slot& slot, node::PersistId id) const;

  // Seeing
  void tell(ProcessId process, const observe::Fact& fact);
  void progress(observe::RequestStage stage, const Message& message, bool with_envelope);

  std::shared_ptr<const Processes> processes_;
  kernel::Streams streams_;
  kernel::Kernel<Event> kernel_;
  net::Network network_;
  std::vector<Slot> slots_;        // by ProcessId
  std::vector<Machine> machines_;  // by net::Endpoint
  std::vector<Connection> connections_;
  std::vector<std::uint32_t> free_connections_;
  // Of rules, machines without power and flows with something unsent. With none of them, whatever is sent
  // arrives.
  std::int32_t troubles_ = 0;
  std::deque<Message> messages_;  // by ticket
  std::vector<std::uint32_t> free_messages_;
  std::uint32_t requests_served_ = 0;
  Roles roles_;
  std::shared_ptr<const fault::Schedule> schedule_;
  std::vector<FaultState> faults_;  // by FaultId
  std::vector<HoldRule> holds_;
  Instant load_ends_at_;
  node::Effects effects_;                       // of the step being performed; empty between events
  ProcessId handling_at_ = kNoProcess;          // whose I/O thread the present step runs on ...
  std::optional<std::uint32_t> handler_write_;  // ... and the write it will wait for
  ProcessId exits_ = kNoProcess;                // asked for in the step being performed
  std::uint64_t event_number_ = 0;              // of the event being handled
  std::uint64_t cause_ = 0;                     // number of the event that scheduled it
  std::vector<observe::Observer*> observers_;
  bool messages_wanted_ = false;
};

}  // namespace sim::cluster
