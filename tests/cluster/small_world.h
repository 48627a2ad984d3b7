#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cluster/cluster.h"
#include "cluster/shop.h"

template <>
struct doctest::StringMaker<std::vector<std::int64_t>> {
  static String convert(const std::vector<std::int64_t>& values) {
    std::string text = "{";
    for (const std::int64_t value : values) text += " " + std::to_string(value);
    return (text + " }").c_str();
  }
};

// A world of small processes to try faults on: servers that answer at once, clients that ask every ten
// milliseconds, and a record of what they saw.
namespace sim::cluster::test {

constexpr std::int64_t kMicros = 1'000;
constexpr std::int64_t kMillis = 1'000'000;
constexpr std::int64_t kTravel = 100 * kMicros;  // one way

// Of a server and its client.
constexpr ProcessId kServer{0};
constexpr ProcessId kClient{1};

using Times = std::vector<std::int64_t>;

// What a process has to tell, in the shape of a fact with room for a word and a number.
inline void note(node::Effects& out, std::string word, std::int64_t number = 0) {
  node::report(out, observe::OffsetsStored{std::move(word), {}, number});
}

struct ServerHabits {
  std::optional<node::Safety> writes{};  // before it answers
  Duration winding_up{};                 // from SIGTERM to its exit
  std::vector<observe::Fact> tells{};    // when it starts
};

class Server : public node::Node {
 public:
  explicit Server(ServerHabits habits) : habits_(std::move(habits)) {}
  std::unique_ptr<node::Node> clone() const override { return std::make_unique<Server>(*this); }
  void step(node::Input& input, node::Env env, node::Effects& out) override {
    if (std::holds_alternative<node::Started>(input)) {
      for (const observe::Fact& fact : habits_.tells) node::report(out, fact);
    }
    if (const auto* received = std::get_if<node::Received>(&input)) answer(received->envelope, env, out);
    if (std::holds_alternative<node::StopRequested>(input)) {
      note(out, "told to stop");
      if (habits_.winding_up == Duration{0}) return void(out.emplace_back(node::Exit{}));
      out.emplace_back(
          node::SetTimer{node::TimerId{node::Part::application, 0}, env.now + habits_.winding_up});
    }
    if (std::holds_alternative<node::TimerFired>(input)) out.emplace_back(node::Exit{});
    if (const auto* lost = std::get_if<node::Disconnected>(&input))
      note(out, "lost", lost->channel.client.value());
    if (std::holds_alternative<node::Persisted>(input)) note(out, "persisted");
  }

 private:
  void answer(const Envelope& request, node::Env env, node::Effects& out) {
    note(out, "asked", request.channel.client.value());
    std::optional<node::PersistId> after;
    if (habits_.writes) {
      after = node::PersistId{node::Part::application, next_write_++};
      BatchData data;
      data.records = std::vector<Record>(1);
      data.size_bytes = 1'000;
      next_offset_ = std::max(next_offset_, nanos(env.now));  // rising, over restarts too
      const Batch batch{next_offset_++, LeaderEpoch{0}, 1,
                        std::make_shared<const BatchData>(std::move(data))};
      out.emplace_back(node::Persist{*after, {log::AppendBatch{{TopicId{1}, 0}, batch}}, *habits_.writes});
    }
    if (std::holds_alternative<FetchRequest>(request.message))
      return node::reply(out, request, FetchResponse{}, after);
    node::reply(out, request, HeartbeatResponse{}, after);
  }
  ServerHabits habits_;
  std::uint64_t next_write_ = 1;
  Offset next_offset_ = 0;
};

struct ClientHabits {
  std::vector<ProcessId> servers;
  std::vector<Lane> lanes{Lane::data};
  Duration every = from_millis(10);      // between requests
  Duration patience = kForever;          // with an answer, before it closes and connects anew
  Duration reconnects = from_millis(1);  // after a connection was lost
  bool fetches_on_coordinator = false;   // lane coordinator carries Fetch instead of Heartbeat
};

class Client final : public node::Node {
 public:
  Client(ProcessId self, ClientHabits habits) : habits_(std::move(habits)) {
    for (const ProcessId server : habits_.servers) {
      for (const Lane lane : habits_.lanes) links_.push_back({{self, server, lane}});
    }
  }
  std::unique_ptr<node::Node> clone() const override { return std::make_unique<Client>(*this); }
  void step(node::Input& input, node::Env env, node::Effects& out) override {
    if (std::holds_alternative<node::Started>(input)) {
      for (Link& link : links_) connect(link, out);
      wake(env, out);
    } else if (const auto* connected = std::get_if<node::Connected>(&input)) {
      find(connected->channel).open = true;
      find(connected->channel).answered = env.now;
      note(out, "connected", connected->channel.server.value());
    } else if (const auto* lost = std::get_if<node::Disconnected>(&input)) {
      note(out, lost->reason == node::DisconnectReason::refused ? "refused" : "lost",
           lost->channel.server.value());
      find(lost->channel).open = false;
      find(lost->channel).retry_at = env.now + habits_.reconnects;
    } else if (const auto* received = std::get_if<node::Received>(&input)) {
      note(out, "answered", received->envelope.correlation);
      find(received->envelope.channel).answered = env.now;
    } else if (std::holds_alternative<node::TimerFired>(input)) {
      note(out, "tick");
      for (Link& link : links_) tick(link, env, out);
      wake(env, out);
    } else if (std::holds_alternative<node::StopRequested>(input)) {
      out.emplace_back(node::Exit{});
    }
  }

 private:
  struct Link {
    Channel channel;
    bool open = false;
    bool connecting = false;
    LocalTime retry_at = LocalTime::max();
    LocalTime answered{};
  };
  Link& find(const Channel& channel) {
    return *std::find_if(links_.begin(), links_.end(),
                         [&](const Link& link) { return link.channel == channel; });
  }
  void connect(Link& link, node::Effects& out) {
    link.retry_at = LocalTime::max();
    out.emplace_back(node::Connect{link.channel});
  }
  void tick(Link& link, node::Env env, node::Effects& out) {
    if (link.open && habits_.patience != kForever && env.now >= link.answered + habits_.patience) {
      note(out, "gave up", link.channel.server.value());
      out.emplace_back(node::Disconnect{link.channel});
      link.open = false;
      link.retry_at = env.now;
    }
    if (!link.open && env.now >= link.retry_at) connect(link, out);
    if (!link.open) return;
    Message message = HeartbeatRequest{};
    if (habits_.fetches_on_coordinator && link.channel.lane == Lane::coordinator) message = FetchRequest{};
    out.emplace_back(node::Send{Envelope{link.channel, next_++, false, std::move(message)}});
  }
  void wake(node::Env env, node::Effects& out) {
    out.emplace_back(node::SetTimer{node::TimerId{node::Part::application, 0}, env.now + habits_.every});
  }

  ClientHabits habits_;
  std::vector<Link> links_;
  CorrelationId next_ = 0;
};

// Who said what, when.
class Transcript final : public observe::Observer {
 public:
  struct Line {
    std::int64_t at_micros;
    ProcessId process;
    std::string word;
    std::int64_t number;
    std::vector<ProcessId> touched;
  };
  void on(const observe::Observation& seen) override {
    Line line{nanos(seen.at) / kMicros, seen.process, observe::name(seen.fact), 0, {}};
    if (const auto* noted = std::get_if<observe::OffsetsStored>(&seen.fact)) {
      line.word = noted->group;
      line.number = noted->offset;
    } else if (const auto* struck = std::get_if<observe::FaultStruck>(&seen.fact)) {
      line.number = struck->fault.value();
      line.touched = struck->touched;
    } else if (const auto* missed = std::get_if<observe::RoleMissed>(&seen.fact)) {
      line.number = missed->player.value();
    } else if (const auto* ended = std::get_if<observe::FaultEnded>(&seen.fact)) {
      line.number = ended->effects;
    }
    lines.push_back(std::move(line));
  }

  std::vector<Line> all(const std::string& word, ProcessId process = kNoProcess) const {
    std::vector<Line> found;
    for (const Line& line : lines) {
      if (line.word == word && (process == kNoProcess || line.process == process)) found.push_back(line);
    }
    return found;
  }
  // In milliseconds, rounded down.
  std::vector<std::int64_t> times(const std::string& word, ProcessId process = kNoProcess) const {
    std::vector<std::int64_t> found;
    for (const Line& line : all(word, process)) found.push_back(line.at_micros / 1'000);
    return found;
  }
  // How often from `from` until before `to`, in milliseconds.
  std::int64_t count(const std::string& word, std::int64_t from, std::int64_t to,
                     ProcessId process = kNoProcess) const {
    const std::vector<std::int64_t> at = times(word, process);
    return std::count_if(at.begin(), at.end(), [&](std::int64_t one) { return one >= from && one < to; });
  }

  std::vector<Line> lines;
};

// Servers broker-1 ... first, each on a machine of its own, then clients.
class SmallWorld {
 public:
  ProcessId add_server(ServerHabits habits = {}) {
    ProcessSpec server;
    server.name = "broker-" + std::to_string(processes_.specs.size() + 1);
    server.broker = NodeId{static_cast<std::int32_t>(processes_.specs.size()) + 1};
    server.boot = Prototype(std::make_shared<Server>(std::move(habits)));
    server.serves = true;
    server.machine_spec = {Distribution::constant(10 * kMicros), 0, Distribution::constant(30 * kMicros), 0};
    server.disk = {Distribution::constant(50 * kMicros), Distribution::constant(2'000 * kMicros), 0};
    return add(std::move(server), false);
  }
  ProcessId add_client(ClientHabits habits) {
    ProcessSpec client;
    const auto id = static_cast<std::int32_t>(processes_.specs.size());
    client.name = "client-" + std::to_string(id);
    client.application = client.name;
    client.boot = Prototype(std::make_shared<Client>(ProcessId{id}, std::move(habits)));
    return add(std::move(client), true);
  }
  ProcessId add(ProcessSpec process, bool is_client) {
    process.machine = static_cast<net::Endpoint>(processes_.machines.size());
    processes_.machines.push_back({"", is_client});
    return add_to_last_machine(std::move(process), process.machine);
  }
  ProcessId add_to_last_machine(ProcessSpec process, net::Endpoint machine) {
    process.machine = machine;
    processes_.names.processes.push_back(process.name);
    processes_.specs.push_back(std::move(process));
    return ProcessId{static_cast<std::int32_t>(processes_.specs.size() - 1)};
  }
  void strike(std::string name, fault::Kind kind, Duration at, std::optional<Duration> lasts = {},
              std::optional<Duration> every = {}) {
    faults_.push_back(fault::Fault{std::move(name), std::move(kind), Instant{} + at, every, lasts});
  }
  void fix(std::string name, fault::Target target, Duration at) {
    fixed_.push_back(fault::Fixed{std::move(name), std::move(target), Instant{} + at});
  }
  Processes& processes() { return processes_; }

  Cluster build(std::uint64_t seed = 1, Instant load_ends_at = Instant::max()) const {
    NetworkSpec network;
    network.between = {Distribution::constant(kTravel), 0};
    network.clients = network.between;
    return Cluster(processes_, network, kernel::Streams(seed), faults_, load_ends_at, fixed_);
  }
  // Plays from the start.
  Transcript play(Duration until) const {
    Cluster cluster = build();
    Transcript record;
    cluster.observe(record);
    play_until(cluster, until);
    cluster.end_faults();
    return record;
  }

 private:
  Processes processes_;
  fault::Schedule faults_;
  std::vector<fault::Fixed> fixed_;
};

inline fault::Targets broker(std::int32_t id) {
  return {fault::BrokerTarget{NodeId{id}}};
}

// A server and a client that asks it every 10 ms.
inline SmallWorld server_and_client(ClientHabits client = {{kServer}}, ServerHabits server = {}) {
  SmallWorld world;
  world.add_server(std::move(server));
  world.add_client(std::move(client));
  return world;
}

}  // namespace sim::cluster::test
