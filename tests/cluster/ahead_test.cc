// What the host works out ahead of time (plans of requests, responses sent before they have left) against the
// same worlds played step by step: everything is told at the same instants.
//
// Two settings make a world be played step by step without changing anything else: thread times that are
// drawn, though always the same, so that no request can be planned; and a link that racks share, though
// unlimited, so that no response can be sent ahead.
#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cluster/cluster.h"

namespace sim::cluster {
namespace {

constexpr std::int64_t kMicros = 1'000;
constexpr std::int64_t kMillis = 1'000'000;

// Answers requests, some after a write, and asks other servers itself.
class Peer final : public node::Node {
 public:
  Peer(ProcessId self, std::vector<ProcessId> others, Rng rng)
      : self_(self), others_(std::move(others)), rng_(rng) {}
  std::unique_ptr<node::Node> clone() const override { return std::make_unique<Peer>(*this); }

  void step(node::Input& input, node::Env env, node::Effects& out) override {
    if (std::holds_alternative<node::Started>(input)) {
      for (const ProcessId other : others_) {
        for (const Lane lane : {Lane::data, Lane::coordinator})
          out.emplace_back(node::Connect{Channel{self_, other, lane}});
      }
      wake(env, out);
    } else if (const auto* received = std::get_if<node::Received>(&input)) {
      if (!received->envelope.response) answer(received->envelope, env, out);
    } else if (const auto* connected = std::get_if<node::Connected>(&input)) {
      open_.push_back(connected->channel);
    } else if (const auto* lost = std::get_if<node::Disconnected>(&input)) {
      if (lost->channel.client != self_) return;
      std::erase(open_, lost->channel);
      lost_.push_back(lost->channel);
    } else if (std::holds_alternative<node::TimerFired>(input)) {
      for (const Channel& channel : std::exchange(lost_, {})) out.emplace_back(node::Connect{channel});
      for (const Channel& channel : open_) {
        // Mostly one at a time; at times several at once, which wait in the server's socket.
        const std::uint64_t requests = rng_.below(8) == 0 ? 3 : 1;
        for (std::uint64_t i = 0; i < requests; ++i) ask(channel, out);
      }
      if (!open_.empty() && rng_.below(40) == 0) {
        const Channel closed = open_[rng_.below(open_.size())];
        out.emplace_back(node::Disconnect{closed});
        std::erase(open_, closed);
        lost_.push_back(closed);
      }
      wake(env, out);
    }
  }

 private:
  void ask(const Channel& channel, node::Effects& out) {
    Message message = HeartbeatRequest{};
    if (rng_.below(4) == 0) message = ProduceRequest{};
    if (rng_.below(4) == 0) {
      FetchRequest fetch;
      fetch.rack = std::string(rng_.below(2'000), 'x');
      message = std::move(fetch);
    }
    out.emplace_back(node::Send{Envelope{channel, next_++, false, std::move(message)}});
  }
  void answer(const Envelope& request, node::Env env, node::Effects& out) {
    if (rng_.below(60) == 0) return void(out.emplace_back(node::Disconnect{request.channel}));
    std::optional<node::PersistId> after;
    if (rng_.below(3) == 0) {
      after = node::PersistId{node::Part::application, next_write_++};
      BatchData data;
      data.records = std::vector<Record>(1);
      data.size_bytes = 1'000;
      next_offset_ = std::max(next_offset_, nanos(env.now));
      const Batch batch{next_offset_++, LeaderEpoch{0}, 1,
                        std::make_shared<const BatchData>(std::move(data))};
      out.emplace_back(
          node::Persist{*after, {log::AppendBatch{{TopicId{1}, 0}, batch}}, node::Safety::written});
    }
    if (std::holds_alternative<ProduceRequest>(request.message))
      return node::reply(out, request, ProduceResponse{}, after);
    node::reply(out, request, FetchResponse{}, after);
  }
  void wake(node::Env env, node::Effects& out) {
    const std::int64_t wait = rng_.between(100 * kMicros, 1'500 * kMicros);
    out.emplace_back(node::SetTimer{node::TimerId{node::Part::application, 0}, env.now + Duration{wait}});
  }

  ProcessId self_;
  std::vector<ProcessId> others_;
  Rng rng_;
  std::vector<Channel> open_;
  std::vector<Channel> lost_;
  CorrelationId next_ = 0;
  std::uint64_t next_write_ = 1;
  Offset next_offset_ = 0;
};

// What was told, in the order of time; of one instant, in that of names.
class Told final : public observe::Observer {
 public:
  explicit Told(bool messages) : messages_(messages) {}
  void on(const observe::Observation& seen) override {
    in_order_ &= lines_.empty() || lines_.back().at <= nanos(seen.at);
    std::string what = observe::name(seen.fact);
    if (const auto* progress = std::get_if<observe::RequestProgress>(&seen.fact)) {
      what += " " + std::to_string(static_cast<int>(progress->stage)) + " of " +
              std::to_string(progress->channel.client.value()) + "/" + std::to_string(progress->correlation);
    }
    if (const auto* sent = std::get_if<observe::MessageSent>(&seen.fact))
      what += " " + std::to_string(sent->envelope->correlation) + " " + std::to_string(sent->bytes);
    if (const auto* got = std::get_if<observe::MessageDelivered>(&seen.fact))
      what += " " + std::to_string(got->envelope->correlation);
    lines_.push_back({nanos(seen.at), std::to_string(seen.process.value()) + " " + what});
  }
  bool wants_messages() const override { return messages_; }

  struct Line {
    std::int64_t at;
    std::string what;
    auto operator<=>(const Line&) const = default;
  };
  std::vector<Line> sorted() const {
    std::vector<Line> lines = lines_;
    std::sort(lines.begin(), lines.end());
    return lines;
  }
  bool in_order() const { return in_order_; }

 private:
  bool messages_;
  bool in_order_ = true;
  std::vector<Line> lines_;
};

struct Manner {
  bool plans = true;
  bool writes_ahead = true;
};

constexpr std::int32_t kServers = 3;
constexpr std::int32_t kClients = 4;

Processes processes(std::uint64_t seed, const ServerThreads& threads, Manner manner) {
  const auto constant = [&](std::int64_t value) {
    return manner.plans ? Distribution::constant(value) : Distribution::uniform(value, value + 1);
  };
  Processes made;
  std::vector<ProcessId> servers;
  for (std::int32_t i = 0; i < kServers; ++i) servers.emplace_back(i);
  for (std::int32_t i = 0; i < kServers + kClients; ++i) {
    const ProcessId self{i};
    ProcessSpec process;
    process.name = "peer-" + std::to_string(i);
    process.machine = i;
    process.serves = i < kServers;
    if (process.serves) process.broker = NodeId{i + 1};
    process.threads = threads;
    process.machine_spec = {constant(40 * kMicros), 2'000, constant(60 * kMicros), 3'000};
    process.disk = {Distribution::constant(50 * kMicros), Distribution::constant(2'000 * kMicros), 0};
    std::vector<ProcessId> others = servers;
    std::erase(others, self);
    process.boot = Prototype(std::make_shared<Peer>(self, others, Rng(seed, process.name)));
    made.machines.push_back({"rack", false});
    made.names.processes.push_back(process.name);
    made.specs.push_back(std::move(process));
  }
  return made;
}

NetworkSpec network(Manner manner) {
  NetworkSpec spec;
  spec.between = {Distribution::uniform(20 * kMicros, 700 * kMicros), 200'000'000};
  spec.clients = spec.between;
  if (!manner.writes_ahead)
    spec.rack_pairs[{"rack", "rack"}] = {Distribution::uniform(20 * kMicros, 700 * kMicros), 0};
  return spec;
}

fault::Schedule faults(std::uint64_t seed) {
  Rng rng(seed, "faults");
  const auto server = [&rng]() -> fault::Targets {
    return {fault::BrokerTarget{NodeId{static_cast<std::int32_t>(rng.between(1, kServers + 1))}}};
  };
  fault::Schedule schedule;
  const auto add = [&](const char* name, fault::Kind kind) {
    const Instant at = instant_at(rng.between(5 * kMillis, 80 * kMillis));
    const Duration lasts{rng.between(kMillis, 20 * kMillis)};
    schedule.push_back(fault::Fault{name, std::move(kind), at, std::nullopt, lasts});
  };
  add("kill", fault::Kill{server()});
  add("pause", fault::Pause{server()});
  add("slow", fault::SlowCpu{server(), 5});
  add("reset", fault::Reset{fault::Wires{server(), {}, fault::Direction::both}});
  if (rng.below(2) == 0) add("power", fault::PowerLoss{server()});
  if (rng.below(2) == 0)
    add("delay", fault::Delay{fault::Wires{server(), {}, fault::Direction::both},
                              Distribution::constant(kMillis), 0, 0});
  return schedule;
}

struct Outcome {
  std::vector<Told::Line> told;
  std::uint64_t events = 0;
  bool in_order = false;
};

Outcome play(std::uint64_t seed, const ServerThreads& threads, Manner manner, bool messages = true) {
  Cluster cluster(processes(seed, threads, manner), network(manner), kernel::Streams(seed), faults(seed));
  cluster.work_ahead();
  Told told(messages);
  cluster.observe(told);
  cluster.set_time_limit(instant_at(120 * kMillis));
  while (cluster.step()) {
  }
  return {told.sorted(), cluster.events_fired(), told.in_order()};
}

const ServerThreads kPlenty{3, 8, 500};
const ServerThreads kFew{1, 1, 500};
const ServerThreads kTiny{2, 2, 2};  // the request queue is full now and then, and blocks network threads

TEST_CASE("what is known ahead happens as it would step by step, whatever comes in between") {
  std::uint64_t saved = 0;
  for (const ServerThreads& threads : {kPlenty, kFew, kTiny}) {
    for (std::uint64_t seed = 1; seed <= 12; ++seed) {
      CAPTURE(seed);
      CAPTURE(threads.io_threads);
      const Outcome step_by_step = play(seed, threads, {false, false});
      const Outcome planned = play(seed, threads, {true, false});
      REQUIRE(step_by_step.told.size() > 1'000);
      REQUIRE(planned.told == step_by_step.told);
      // Threads that were blocked go on at one instant, and so their responses leave at one: which is first
      // on the card is another matter then.
      if (threads.queued_max_requests < 10) continue;
      const Outcome written_ahead = play(seed, threads, {false, true});
      const Outcome both = play(seed, threads, {true, true});
      REQUIRE(written_ahead.told == step_by_step.told);
      REQUIRE(both.told == step_by_step.told);
      CHECK(both.in_order);
      CHECK(both.events < step_by_step.events);
      saved += step_by_step.events - both.events;
    }
  }
  CHECK(saved > 20'000);
}

TEST_CASE("who watches changes no event") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    CAPTURE(seed);
    CHECK(play(seed, kPlenty, {}, true).events == play(seed, kPlenty, {}, false).events);
    Cluster unwatched(processes(seed, kPlenty, {}), network({}), kernel::Streams(seed), faults(seed));
    unwatched.work_ahead();
    unwatched.set_time_limit(instant_at(120 * kMillis));
    while (unwatched.step()) {
    }
    CHECK(unwatched.events_fired() == play(seed, kPlenty, {}, true).events);
  }
}

}  // namespace
}  // namespace sim::cluster
