#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "base/check.h"
#include "check/raft_invariants.h"
#include "kernel/kernel.h"
#include "raft/replica.h"

// A quorum and its observers on a small world of their own: connections with delays (so messages of different
// connections overtake each other), resets, partitions; disks that flush; crashes. As in Kafka's
// RaftEventSimulationTest every node that believes it leads appends every 2 to 5 ms. Every fact goes to the
// invariants at once.
namespace sim::raft::test {

struct WorldSpec {
  std::uint64_t seed = 1;
  int voters = 3;
  int observers = 0;
  RaftConfig config{};
  History history{};
  PlantedDefect defect = PlantedDefect::none;
  Duration append_pause = std::chrono::milliseconds(2);  // at least; at most 3 ms more
  Duration delay_max = std::chrono::microseconds(1500);
  int resets_per_10000 = 5;   // messages that tear their connection down instead of arriving
  Offset snapshot_every = 0;  // records; 0 = never
  // Kafka's test wipes a disk and keeps its directory id, as a node without directory ids would.
  bool new_disks_are_known = false;
  bool all_are_bootstrap_servers = false;  // not only the first voters
};

enum class Crash : std::uint8_t { kill, power_loss, wipe };

class World {
 public:
  explicit World(const WorldSpec& spec)
      : spec_(spec), rng_(spec.seed, "world"), n_(static_cast<std::size_t>(spec.voters + spec.observers)) {
    for (int i = 0; i < spec.voters; ++i) voters_.push_back(QuorumVoter{key_of(i, 0), ProcessId{i}});
    for (std::size_t i = 0; i < n_; ++i) {
      slots_.push_back(Slot(Rng(spec.seed, "node-" + std::to_string(i))));
    }
    connections_.resize(n_ * n_);
    blocked_.assign(n_ * n_, false);
    for (std::size_t i = 0; i < n_; ++i) start(i);
  }

  // ---- Driving it
  // False: the condition did not come true within the budget, or an invariant broke.
  template <class Condition>
  bool run_until(Condition condition, std::uint64_t events = 500'000) {
    for (std::uint64_t i = 0; i < events; ++i) {
      if (invariants.broken()) return false;
      if (condition()) return true;
      if (!step()) return false;
    }
    return false;
  }
  bool run_for(Duration time) {
    const Instant end = kernel_.now() + time;
    schedule(end, kNothing, 0, 0, 0);  // time passes even while everyone is down
    return run_until([&] { return kernel_.now() >= end; }, 20'000'000);
  }
  Instant now() const { return kernel_.now(); }
  std::uint64_t events_fired() const { return kernel_.events_fired(); }
  std::uint64_t fingerprint() const { return kernel_.fingerprint().value(); }

  // ---- Looking at it
  std::size_t size() const { return n_; }
  bool is_up(std::size_t i) const { return slots_[i].replica.has_value(); }
  ReplicaKey key(std::size_t i) const {
    return key_of(static_cast<int>(i), spec_.new_disks_are_known ? slots_[i].disk : 0);
  }
  QuorumVoter as_voter(std::size_t i) const { return QuorumVoter{key(i), process(i)}; }
  const Replica& replica(std::size_t i) const { return *slots_[i].replica; }
  Offset high_watermark(std::size_t i) const { return is_up(i) ? replica(i).high_watermark() : 0; }
  // The leader of the highest epoch, of those that are up.
  std::optional<std::size_t> leader() const {
    std::optional<std::size_t> best;
    for (std::size_t i = 0; i < n_; ++i) {
      if (is_up(i) && replica(i).is_leader() && (!best || replica(i).epoch() > replica(*best).epoch()))
        best = i;
    }
    return best;
  }
  bool all_reached(Offset offset, std::optional<std::size_t> except = {}) const {
    for (std::size_t i = 0; i < n_; ++i) {
      if (is_up(i) && i != except && high_watermark(i) < offset) return false;
    }
    return true;
  }
  Offset highest() const {
    Offset best = 0;
    for (std::size_t i = 0; i < n_; ++i) best = std::max(best, high_watermark(i));
    return best;
  }
  std::int64_t asked_to_resign() const { return asked_to_resign_; }  // leaders
  std::int64_t resets() const { return resets_; }
  std::int64_t failures() const { return failures_; }
  std::int64_t shut_downs() const { return shut_downs_; }
  // Roles, as their place in `Role`, in which a replica had nothing to wait for after a step: no write, no
  // connection or request under way, no time at which it would go on.
  const std::set<std::size_t>& sleeping_roles() const { return sleeping_roles_; }
  const std::set<std::size_t>& roles_seen() const { return roles_seen_; }
  Rng& rng() { return rng_; }

  // ---- Doing things to it
  void crash(std::size_t i, Crash how) {
    Slot& slot = slots_[i];
    SIM_CHECK(slot.replica.has_value(), "only what is up crashes");
    slot.replica.reset();
    ++slot.incarnation;
    for (Write& write : slot.writes) {
      if (write.pending && how == Crash::kill)
        perform(slot, write);  // the page cache is the operating system's
    }
    slot.writes.clear();
    slot.held.clear();
    if (how != Crash::kill) {
      if (slot.image) {
        slot.image->lose_unflushed();
        slot.image->recover();
      }
      slot.is_dark = true;
    }
    if (how == Crash::wipe) {
      slot.image.reset();
      ++slot.disk;
      invariants.forget(NodeId{static_cast<std::int32_t>(i)});
    }
    for (std::size_t other = 0; other < n_; ++other) {
      connection(other, i).server_has = false;
      drop(other, i, how == Crash::kill ? other : n_);
      drop(i, other, how == Crash::kill ? other : n_);
    }
  }
  void restart(std::size_t i) {
    slots_[i].is_dark = false;
    start(i);
  }
  void shut_down(std::size_t i) {
    with(i, [&](Slot& slot, node::Env env) { slot.replica->shut_down(env, effects_); });
  }
  void resign(std::size_t i) {
    if (replica(i).is_leader()) ++asked_to_resign_;
    with(i, [&](Slot& slot, node::Env env) { slot.replica->resign(env, effects_); });
  }
  void cut(std::size_t from, std::size_t to) { blocked_[from * n_ + to] = true; }
  void isolate(std::size_t i) {
    for (std::size_t other = 0; other < n_; ++other) {
      if (other == i) continue;
      cut(i, other);
      cut(other, i);
    }
  }
  void heal() { blocked_.assign(n_ * n_, false); }
  void heal(std::size_t i) {
    for (std::size_t other = 0; other < n_; ++other)
      blocked_[i * n_ + other] = blocked_[other * n_ + i] = false;
  }
  void ask(std::size_t i, Message message) {  // as an administrator, whose answer is kept
    const Channel channel{ProcessId{kAdministrator}, process(i), Lane::raft};
    input(i, node::Received{Envelope{channel, 0, false, std::move(message)}});
  }
  std::vector<Message> answers;

  check::RaftInvariants invariants;

 private:
  static constexpr std::int32_t kAdministrator = 1000;
  enum Kind : std::uint32_t {
    kTimer,
    kPersisted,
    kConnect,
    kConnected,
    kMessage,
    kClosed,
    kAppend,
    kNothing
  };
  struct Event {
    std::uint32_t kind;
    std::uint32_t target;
    std::uint64_t a;
    std::uint64_t b;
  };
  struct Write {
    node::PersistId id;
    std::vector<log::LogWrite> writes;
    node::Safety safety = node::Safety::written;
    bool pending = false;
  };
  struct Held {  // until its write is done, or its connection is gone
    node::PersistId after;
    Envelope envelope;
    std::uint64_t generation = 0;
  };
  struct Slot {
    explicit Slot(const Rng& own) : rng(own) {}
    std::optional<Replica> replica;
    std::optional<log::LogImage> image;
    std::uint64_t incarnation = 0;
    std::uint64_t disk = 0;
    bool is_dark = false;
    Rng rng;
    std::vector<std::optional<kernel::TimerHandle>> timers{2};
    std::vector<bool> armed = {false, false};
    std::vector<Write> writes;
    std::vector<Held> held;
    Instant disk_free_at{};
    Offset applied = kNoOffset;
    Offset snapshot_end = 0;
    LeaderEpoch applied_epoch;
    std::uint64_t leads = 0;  // counts wins; 0 = does not lead
  };
  struct Connection {
    enum class State : std::uint8_t { closed, connecting, open } state = State::closed;
    std::uint64_t generation = 0;
    bool accepted = false;    // the server's end
    bool server_has = false;  // it has not been told of the end of this one, or of the one before
    bool torn = false;        // something was lost on it
    Instant last_arrival[2] = {};
  };
  struct Flying {
    Envelope envelope;
    std::uint64_t generation = 0;
  };

  static ProcessId process(std::size_t i) { return ProcessId{static_cast<std::int32_t>(i)}; }
  static std::size_t index(ProcessId id) { return static_cast<std::size_t>(id.value()); }
  static ReplicaKey key_of(int i, std::uint64_t disk) {
    return ReplicaKey{NodeId{i}, DirectoryId{static_cast<std::uint64_t>(i) + 1 + 1000 * disk}};
  }

  void start(std::size_t i) {
    Slot& slot = slots_[i];
    ReplicaSpec spec;
    spec.self = key(i);
    spec.process = process(i);
    spec.voters = voters_;
    for (std::size_t any = 0; spec_.all_are_bootstrap_servers && any < n_; ++any)
      spec.bootstrap_servers.push_back(process(any));
    spec.config = spec_.config;
    spec.history = spec_.history;
    spec.defect = spec_.defect;
    slot.applied = kNoOffset;
    slot.leads = 0;
    slot.disk_free_at = kernel_.now();
    for (auto& timer : slot.timers) {
      if (timer) kernel_.cancel(*timer);
    }
    slot.armed = {false, false};
    slot.replica.emplace(spec, slot.image ? &*slot.image : nullptr);
    with(i, [&](Slot& at, node::Env env) { happened(i, at.replica->start(env, effects_)); });
  }

  bool step() {
    kernel::Kernel<Event>::Fired fired;
    if (!kernel_.next(fired)) return false;
    const Event event = fired.event;
    switch (static_cast<Kind>(event.kind)) {
      case kTimer:
        slots_[event.target].armed[event.a] = false;
        if (is_up(event.target))
          input(event.target,
                node::TimerFired{node::TimerId{node::Part::raft, static_cast<std::uint16_t>(event.a)}});
        break;
      case kPersisted: persisted(event); break;
      case kConnect: connect_arrives(event); break;
      case kConnected: connected(event); break;
      case kMessage: message_arrives(event); break;
      case kClosed: closed(event); break;
      case kAppend: append(event); break;
      case kNothing: break;
    }
    return true;
  }

  template <class Call>
  void with(std::size_t i, Call call) {
    Slot& slot = slots_[i];
    call(slot, node::Env{local_at(nanos(kernel_.now())), slot.rng});
    node::Effects effects = std::exchange(effects_, {});
    for (node::Effect& effect : effects) {
      std::visit([&](auto& one) { perform(i, one); }, effect);
    }
    effects.clear();
    if (effects_.empty()) effects_ = std::move(effects);
    if (slot.replica) look_for_sleep(slot);
  }
  // A voter always waits for a time, as KafkaRaftClient.poll does, but for one that is its quorum's only one.
  void look_for_sleep(const Slot& slot) {
    const Replica& replica = *slot.replica;
    roles_seen_.insert(replica.role().index());
    const bool writes =
        std::any_of(slot.writes.begin(), slot.writes.end(), [](const Write& write) { return write.pending; });
    const bool sole = replica.is_voter() && replica.voters().size() == 1;
    const bool waits = slot.armed[0] || (!replica.is_voter() && slot.armed[1]);
    if (!writes && !sole && !waits && !fatal_) sleeping_roles_.insert(replica.role().index());
  }
  void input(std::size_t i, node::Input what) {
    with(i, [&](Slot& slot, node::Env env) { happened(i, slot.replica->step(what, env, effects_)); });
    if (fatal_) {
      fatal_ = false;
      if (is_up(i)) crash(i, Crash::kill);
    }
  }

  // ---- What replicas tell
  void happened(std::size_t i, Replica::Events events) {
    for (Replica::Event& event : events) {
      std::visit([&](auto& one) { tell(i, one); }, event);
    }
  }
  void tell(std::size_t i, Replica::Committed& committed) {
    Slot& slot = slots_[i];
    for (const Batch& batch : committed.batches) {
      SIM_CHECK(slot.applied == kNoOffset || batch.base_offset == slot.applied,
                "what is committed comes without gaps");
      slot.applied = batch.end_offset();
      slot.applied_epoch = batch.leader_epoch;
    }
    if (spec_.snapshot_every == 0 || slot.applied - slot.snapshot_end < spec_.snapshot_every) return;
    slot.snapshot_end = slot.applied;
    auto snapshot = std::make_shared<MetadataSnapshot>();
    snapshot->id = SnapshotId{slot.applied, slot.applied_epoch};
    snapshot->records.emplace_back(ProducerIdsRecord{NodeId{0}, BrokerEpoch{0}, ProducerId{slot.applied}});
    snapshot->timestamp_ms = millis(kernel_.now().time_since_epoch());
    snapshot->size_bytes = 20 << 20;
    if (slot.replica->log().voters_offset() > 0)
      snapshot->voters = VotersRecord{slot.replica->voters().all()};
    slot.replica->take_snapshot(std::move(snapshot), node::Env{local_at(nanos(kernel_.now())), slot.rng},
                                effects_);
  }
  void tell(std::size_t i, Replica::SnapshotLoaded& loaded) {
    slots_[i].applied = slots_[i].snapshot_end = loaded.snapshot->id.end_offset;
  }
  void tell(std::size_t, Replica::LeaderChanged&) {}
  void tell(std::size_t i, Replica::LeadershipWon&) {
    slots_[i].leads = ++wins_;
    schedule_append(i);
  }
  void tell(std::size_t i, Replica::LeadershipLost&) { slots_[i].leads = 0; }
  void tell(std::size_t, Replica::ShutDown&) {
    ++shut_downs_;
    fatal_ = true;
  }
  void tell(std::size_t, Replica::Failed&) {
    ++failures_;
    fatal_ = true;
  }
  void schedule_append(std::size_t i) {
    const Duration wait{nanos(spec_.append_pause) + rng_.between(0, 3'000'000)};
    schedule(kernel_.now() + wait, kAppend, i, slots_[i].leads, 0);
  }
  void append(const Event& event) {
    Slot& slot = slots_[event.target];
    if (!slot.replica || slot.leads != event.a) return;
    with(event.target, [&](Slot& at, node::Env env) {
      std::vector<MetadataRecord> records;
      records.emplace_back(ProducerIdsRecord{NodeId{0}, BrokerEpoch{0}, ProducerId{++value_}});
      at.replica->append(std::move(records), env, effects_);
    });
    schedule_append(event.target);
  }

  // ---- Effects
  void schedule(Instant at, Kind kind, std::size_t target, std::uint64_t a, std::uint64_t b) {
    kernel_.schedule(at, Event{kind, static_cast<std::uint32_t>(target), a, b});
  }
  void perform(std::size_t i, node::Report& report) {
    invariants.on(observe::Observation{kernel_.now(), 0, 0, process(i), Incarnation{0}, report.fact});
  }
  void perform(std::size_t i, const node::SetTimer& set) {
    auto& timer = slots_[i].timers[set.timer.number];
    if (!timer)
      timer = kernel_.create_timer(Event{kTimer, static_cast<std::uint32_t>(i), set.timer.number, 0});
    slots_[i].armed[set.timer.number] = true;
    kernel_.arm(*timer, std::max(kernel_.now(), instant_at(nanos(set.deadline))));
  }
  void perform(std::size_t i, const node::CancelTimer& cancel) {
    slots_[i].armed[cancel.timer.number] = false;
    if (auto& timer = slots_[i].timers[cancel.timer.number]) kernel_.cancel(*timer);
  }
  void perform(std::size_t i, node::Persist& persist) {
    Slot& slot = slots_[i];
    const std::int64_t takes =
        persist.safety == node::Safety::written ? 50'000 : slot.rng.between(500'000, 3'000'000);
    slot.disk_free_at = std::max(slot.disk_free_at, kernel_.now()) + Duration{takes};
    schedule(slot.disk_free_at, kPersisted, i, persist.id.number, slot.incarnation);
    std::erase_if(slot.writes, [](const Write& one) { return !one.pending; });
    slot.writes.push_back(Write{persist.id, std::move(persist.writes), persist.safety, true});
  }
  void perform(Slot& slot, Write& write) {
    if (!slot.image) slot.image.emplace();
    for (const log::LogWrite& one : write.writes) slot.image->perform(one);
    write.pending = false;
  }
  void persisted(const Event& event) {
    Slot& slot = slots_[event.target];
    if (slot.incarnation != event.b || !slot.replica) return;
    const node::PersistId id{node::Part::raft, event.a};
    for (Write& write : slot.writes) {
      if (write.id != id || !write.pending) continue;
      perform(slot, write);
      if (write.safety == node::Safety::flushed) slot.image->flush();
    }
    std::vector<Held> leave;
    for (Held& one : slot.held) {
      if (one.after == id) leave.push_back(std::move(one));
    }
    std::erase_if(slot.held, [id](const Held& one) { return one.after == id; });
    for (Held& one : leave) {
      if (generation_of(one.envelope.channel) == one.generation) send(std::move(one.envelope));
    }
    input(event.target, node::Persisted{id});
  }
  void perform(std::size_t i, node::Send& send_effect) {
    if (send_effect.after) {
      const std::uint64_t generation = generation_of(send_effect.envelope.channel);
      slots_[i].held.push_back(Held{*send_effect.after, std::move(send_effect.envelope), generation});
    } else {
      send(std::move(send_effect.envelope));
    }
  }

  // ---- Connections
  std::uint64_t generation_of(const Channel& channel) {  // an administrator's is always the same
    return channel.client.value() >= kAdministrator ? 0 : connection(channel).generation;
  }
  Connection& connection(const Channel& channel) {
    return connections_[index(channel.client) * n_ + index(channel.server)];
  }
  Connection& connection(std::size_t client, std::size_t server) {
    return connections_[client * n_ + server];
  }
  Duration delay() { return Duration{rng_.between(200'000, nanos(spec_.delay_max))}; }
  bool is_cut(std::size_t from, std::size_t to) const {
    return blocked_[from * n_ + to] || slots_[to].is_dark;
  }

  void perform(std::size_t i, const node::Connect& connect) {
    Connection& one = connection(connect.channel);
    const bool server_has = one.server_has;
    one = Connection{};
    one.server_has = server_has;
    one.state = Connection::State::connecting;
    one.generation = ++generations_;
    const std::size_t server = index(connect.channel.server);
    if (!is_cut(i, server)) schedule(kernel_.now() + delay(), kConnect, server, i, one.generation);
  }
  void connect_arrives(const Event& event) {  // target = server, a = client
    Connection& one = connection(event.a, event.target);
    if (one.generation != event.b || one.state != Connection::State::connecting) return;
    if (is_cut(event.target, event.a)) return;
    if (std::exchange(one.server_has, false) && is_up(event.target)) {  // the news of its end was overtaken
      const Channel channel{process(event.a), process(event.target), Lane::raft};
      input(event.target, node::Disconnected{channel, node::DisconnectReason::reset});
    }
    one.accepted = one.server_has = is_up(event.target);
    schedule(kernel_.now() + delay(), kConnected, event.a, event.target, one.generation);
  }
  void connected(const Event& event) {  // target = client, a = server
    Connection& one = connection(event.target, event.a);
    if (one.generation != event.b || one.state != Connection::State::connecting || !is_up(event.target))
      return;
    const Channel channel{process(event.target), process(event.a), Lane::raft};
    if (!one.accepted) {
      one.state = Connection::State::closed;
      return input(event.target, node::Disconnected{channel, node::DisconnectReason::refused});
    }
    one.state = Connection::State::open;
    input(event.target, node::Connected{channel});
  }
  void perform(std::size_t, const node::Scan&) { SIM_CHECK(false, "a replica does not recover its log"); }
  void perform(std::size_t, const node::Exit&) { SIM_CHECK(false, "a replica does not end its process"); }
  void perform(std::size_t i, const node::Disconnect& disconnect) {
    const std::size_t client = index(disconnect.channel.client);
    const std::size_t server = index(disconnect.channel.server);
    drop(client, server, client == i ? server : client);
  }
  // Ends it and tells one end of it (n_: nobody).
  void drop(std::size_t client, std::size_t server, std::size_t told) {
    Connection& one = connection(client, server);
    if (one.state == Connection::State::closed) return;
    const bool knows = told == client || one.accepted;
    one.state = Connection::State::closed;
    if (told == n_ || !knows) return;
    const std::size_t other = told == client ? server : client;
    if (!is_cut(other, told))
      schedule(kernel_.now() + delay(), kClosed, told, client * n_ + server, one.generation);
  }
  void closed(const Event& event) {
    const std::size_t client = event.a / n_;
    const std::size_t server = event.a % n_;
    if (!is_up(event.target)) return;
    Connection& one = connection(client, server);
    if (one.generation != event.b) return;
    if (event.target == server) one.server_has = false;
    const Channel channel{process(client), process(server), Lane::raft};
    input(event.target, node::Disconnected{channel, node::DisconnectReason::reset});
  }
  void send(Envelope envelope) {
    if (envelope.channel.client.value() >= kAdministrator) {
      answers.push_back(std::move(envelope.message));
      return;
    }
    Connection& one = connection(envelope.channel);
    const std::size_t from = index(envelope.from());
    const std::size_t to = index(envelope.to());
    if (one.state != Connection::State::open) {  // the other end is gone, and says so if it can
      const std::size_t ends = index(envelope.channel.client) * n_ + index(envelope.channel.server);
      if (!is_cut(from, to)) schedule(kernel_.now() + delay(), kClosed, from, ends, one.generation);
      return;
    }
    if (is_cut(from, to)) {
      one.torn = true;
      return;
    }
    if (one.torn || rng_.bernoulli(static_cast<std::uint64_t>(spec_.resets_per_10000), 10'000)) {
      const std::size_t client = index(envelope.channel.client);
      const std::size_t server = index(envelope.channel.server);
      const std::uint64_t generation = one.generation;
      ++resets_;
      one.state = Connection::State::closed;
      schedule(kernel_.now() + delay(), kClosed, client, client * n_ + server, generation);
      schedule(kernel_.now() + delay(), kClosed, server, client * n_ + server, generation);
      return;
    }
    Instant& last = one.last_arrival[envelope.response ? 1 : 0];
    last = std::max(last, kernel_.now() + delay());
    std::uint64_t ticket = flying_.size();
    if (free_.empty()) {
      flying_.emplace_back();
    } else {
      ticket = free_.back();
      free_.pop_back();
    }
    flying_[ticket] = Flying{std::move(envelope), one.generation};
    schedule(last, kMessage, to, ticket, 0);
  }
  void message_arrives(const Event& event) {
    Flying flying = std::move(flying_[event.a]);
    free_.push_back(event.a);
    Connection& one = connection(flying.envelope.channel);
    if (one.generation != flying.generation || one.state != Connection::State::open || !is_up(event.target))
      return;
    input(event.target, node::Received{std::move(flying.envelope)});
  }

  WorldSpec spec_;
  Rng rng_;
  std::size_t n_;
  std::vector<QuorumVoter> voters_;
  kernel::Kernel<Event> kernel_;
  std::vector<Slot> slots_;
  std::vector<Connection> connections_;
  std::vector<bool> blocked_;
  std::vector<Flying> flying_;
  std::vector<std::uint64_t> free_;
  std::uint64_t generations_ = 0;
  std::uint64_t wins_ = 0;
  std::int64_t value_ = 0;
  std::int64_t asked_to_resign_ = 0;
  std::int64_t resets_ = 0;
  std::int64_t failures_ = 0;
  std::int64_t shut_downs_ = 0;
  bool fatal_ = false;
  std::set<std::size_t> sleeping_roles_, roles_seen_;
  node::Effects effects_;
};

}  // namespace sim::raft::test
