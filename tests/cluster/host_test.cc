// The host: what it does with effects, shown on two small processes, a client that asks and a server that
// answers.
#include <doctest/doctest.h>

#include <memory>
#include <vector>

#include "cluster/cluster.h"
#include "cluster/small_world.h"

namespace sim::cluster {
namespace {

using namespace test;

const Channel kAskingChannel{kClient, kServer, Lane::data};
const TopicPartition kServerLog{TopicId{1}, 0};

// Answers each request at once, or when a write of its own is safe.
class AnsweringServer final : public node::Node {
 public:
  explicit AnsweringServer(std::optional<node::Safety> writes) : writes_(writes) {}
  std::unique_ptr<node::Node> clone() const override { return std::make_unique<AnsweringServer>(*this); }
  void step(node::Input& input, node::Env env, node::Effects& out) override {
    const auto* received = std::get_if<node::Received>(&input);
    if (received == nullptr) return;
    std::optional<node::PersistId> after;
    if (writes_) {
      after = node::PersistId{node::Part::application, next_write_++};
      const Batch batch{nanos(env.now), LeaderEpoch{0}, 1,
                        one_record()};  // offsets that rise, over restarts too
      out.emplace_back(node::Persist{*after, {log::AppendBatch{kServerLog, batch}}, *writes_});
    }
    node::reply(out, received->envelope, HeartbeatResponse{}, after);
  }

 private:
  static BatchDataPtr one_record() {
    BatchData data;
    data.records = std::vector<Record>(1);
    data.size_bytes = 1'000;
    return std::make_shared<const BatchData>(std::move(data));
  }
  std::optional<node::Safety> writes_;
  std::uint64_t next_write_ = 1;
};

// Connects, sends `count` requests at once and one more for each answer.
class AskingClient final : public node::Node {
 public:
  explicit AskingClient(int count) : count_(count) {}
  std::unique_ptr<node::Node> clone() const override { return std::make_unique<AskingClient>(*this); }
  void step(node::Input& input, node::Env env, node::Effects& out) override {
    if (std::holds_alternative<node::Started>(input)) out.emplace_back(node::Connect{kAskingChannel});
    if (std::holds_alternative<node::Connected>(input)) {
      for (int i = 0; i < count_; ++i) ask(out);
    }
    if (std::holds_alternative<node::Received>(input)) ask(out);
    if (std::holds_alternative<node::Disconnected>(input)) {
      out.emplace_back(node::SetTimer{node::TimerId{node::Part::application, 0}, env.now + from_millis(50)});
    }
    if (std::holds_alternative<node::TimerFired>(input)) out.emplace_back(node::Connect{kAskingChannel});
  }

 private:
  void ask(node::Effects& out) {
    out.emplace_back(node::Send{Envelope{kAskingChannel, next_++, false, HeartbeatRequest{}}});
  }
  int count_;
  CorrelationId next_ = 0;
};

struct PassedFact {
  std::int64_t at_ns;
  std::string what;
  std::uint64_t seq, cause;
};

// Notes what passes.
class PassedFacts final : public observe::Observer {
 public:
  void on(const observe::Observation& seen) override {
    std::string what = observe::name(seen.fact);
    if (const auto* progress = std::get_if<observe::RequestProgress>(&seen.fact)) {
      static const char* const kStages[] = {"received", "queued", "dequeued", "completed", "sent"};
      what = kStages[static_cast<int>(progress->stage)];
    }
    lines.push_back({nanos(seen.at), what, seen.seq, seen.cause});
  }
  bool wants_messages() const override { return true; }

  std::vector<std::int64_t> times(const std::string& what) const {
    std::vector<std::int64_t> found;
    for (const PassedFact& seen : lines) {
      if (seen.what == what) found.push_back(seen.at_ns);
    }
    return found;
  }

  std::vector<PassedFact> lines;
};

Processes asking_processes(int requests, std::optional<node::Safety> writes, ServerThreads threads = {}) {
  Processes made;
  made.machines = {{"", false}, {"", true}};
  made.names.processes = {"server", "client"};
  ProcessSpec server;
  server.name = "server";
  server.boot = Prototype(std::make_shared<AnsweringServer>(writes));
  server.serves = true;
  server.threads = threads;
  server.machine_spec = {Distribution::constant(10 * kMicros), 0, Distribution::constant(30 * kMicros), 0};
  server.disk = {Distribution::constant(50 * kMicros), Distribution::constant(2'000 * kMicros), 0};
  ProcessSpec client;
  client.name = "client";
  client.boot = Prototype(std::make_shared<AskingClient>(requests));
  client.machine = 1;
  made.specs = {server, client};
  return made;
}

NetworkSpec even_network() {
  NetworkSpec spec;
  spec.between = {Distribution::constant(kTravel), 0};
  spec.clients = spec.between;
  return spec;
}

Cluster asking_pair(int requests, std::optional<node::Safety> writes = {}, ServerThreads threads = {}) {
  return Cluster(asking_processes(requests, writes, threads), even_network(), kernel::Streams(1));
}

TEST_CASE("a request passes wire, network thread, I/O thread and back, each for its time") {
  Cluster cluster = asking_pair(1);
  PassedFacts log;
  cluster.observe(log);
  play_until(cluster, Duration{600 * kMicros});
  // The connection stands after a round trip at 200 us.
  CHECK(log.times("ConnectionOpened") == std::vector<std::int64_t>{200 * kMicros});
  CHECK(log.times("received").at(0) == 300 * kMicros);
  CHECK(log.times("queued").at(0) == 310 * kMicros);
  CHECK(log.times("dequeued").at(0) == 310 * kMicros);
  CHECK(log.times("completed").at(0) == 340 * kMicros);
  CHECK(log.times("sent").at(0) == 350 * kMicros);
  CHECK(log.times("MessageDelivered").at(1) == 450 * kMicros);
}

TEST_CASE("one request of a connection at a time: the rest waits in the socket") {
  Cluster cluster = asking_pair(3);
  PassedFacts log;
  cluster.observe(log);
  play_until(cluster, Duration{440 * kMicros});
  CHECK(log.times("received") == std::vector<std::int64_t>{300 * kMicros, 300 * kMicros, 300 * kMicros});
  CHECK(log.times("queued") == std::vector<std::int64_t>{310 * kMicros, 360 * kMicros, 410 * kMicros});
}

TEST_CASE("an answer that rests on a write leaves when the write is as safe as was asked") {
  struct Row {
    node::Safety safety;
    std::int64_t completed_micros;
  };
  for (const Row& row : {Row{node::Safety::written, 390}, Row{node::Safety::flushed, 2'390}}) {
    Cluster cluster = asking_pair(1, row.safety);
    PassedFacts log;
    cluster.observe(log);
    play_until(cluster, Duration{2'400 * kMicros});
    CHECK(log.times("completed").at(0) == row.completed_micros * kMicros);
  }
}

TEST_CASE("an I/O thread stays with its request until what it wrote is written") {
  // One I/O thread, two clients' worth of requests is not needed: the thread is the only one, the second
  // request is read while the first one's write is under way, and must wait for the thread.
  Processes made = asking_processes(1, node::Safety::written, {3, 1, 500});
  ProcessSpec second = made.specs[1];
  second.name = "second";
  made.specs.push_back(second);
  made.names.processes.push_back("second");
  class OtherClient final : public node::Node {
   public:
    std::unique_ptr<node::Node> clone() const override { return std::make_unique<OtherClient>(*this); }
    void step(node::Input& input, node::Env, node::Effects& out) override {
      const Channel channel{ProcessId{2}, kServer, Lane::data};
      if (std::holds_alternative<node::Started>(input)) out.emplace_back(node::Connect{channel});
      if (std::holds_alternative<node::Connected>(input)) {
        out.emplace_back(node::Send{Envelope{channel, 0, false, HeartbeatRequest{}}});
      }
    }
  };
  made.specs[2].boot = Prototype(std::make_shared<OtherClient>());
  Cluster cluster(made, even_network(), kernel::Streams(1));
  PassedFacts log;
  cluster.observe(log);
  play_until(cluster, Duration{480 * kMicros});
  CHECK(log.times("dequeued") == std::vector<std::int64_t>{310 * kMicros, 390 * kMicros});
}

TEST_CASE(
    "a killed server resets its connections; started again it is found again, and its page cache with it") {
  Cluster cluster = asking_pair(1, node::Safety::written);
  PassedFacts log;
  cluster.observe(log);
  play_until(cluster, Duration{10'000 * kMicros});
  const Offset written = cluster.image(kServer).logs.at(kServerLog).end_offset();
  CHECK(written > 0);
  cluster.crash(kServer, CrashMode::kill);
  CHECK(cluster.image(kServer).logs.at(kServerLog).end_offset() == written);
  play_until(cluster, Duration{40'000 * kMicros});
  const std::size_t before = log.times("completed").size();
  cluster.restart(kServer);
  play_until(cluster, Duration{80'000 * kMicros});
  CHECK(log.times("ConnectionOpened").size() == 2);
  CHECK(log.times("completed").size() > before);
}

TEST_CASE("power loss takes what was not flushed, and tells nobody") {
  Cluster cluster = asking_pair(1, node::Safety::written);
  play_until(cluster, Duration{10'000 * kMicros});
  CHECK(cluster.image(kServer).logs.at(kServerLog).end_offset() > 0);
  PassedFacts log;
  cluster.observe(log);
  cluster.crash(kServer, CrashMode::power_loss);
  CHECK(cluster.image(kServer).logs.at(kServerLog).end_offset() == 0);
  play_until(cluster, Duration{500'000 * kMicros});
  CHECK(log.times("ConnectionOpened").empty());  // the client still thinks it is connected
}

TEST_CASE("every event knows the event that caused it") {
  Cluster cluster = asking_pair(2, node::Safety::written);
  PassedFacts log;
  cluster.observe(log);
  play_until(cluster, Duration{5'000 * kMicros});
  for (const PassedFact& seen : log.lines) CHECK(seen.cause < seen.seq);
}

TEST_CASE("a copy made in mid-run plays on exactly as the original") {
  Cluster original = asking_pair(5, node::Safety::flushed, {2, 2, 1});
  for (int i = 0; i < 500; ++i) REQUIRE(original.step());
  Cluster copy = original;
  play_until(original, Duration{200'000 * kMicros});
  play_until(copy, Duration{200'000 * kMicros});
  CHECK(original.events_fired() == copy.events_fired());
  CHECK(original.fingerprint() == copy.fingerprint());
  CHECK(original.events_fired() > 600);
}

}  // namespace
}  // namespace sim::cluster
