// Cores: who waits for one, what other programs take of them, pauses; and what that does to a whole cluster.
#include "cluster/processors.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <vector>

#include "cluster/cluster.h"
#include "cluster/shop.h"
#include "cluster/small_world.h"

namespace sim::cluster {
namespace processors_test {

using namespace std::chrono_literals;

CpuSpec cores(std::int32_t number) {
  CpuSpec spec;
  spec.cores = number;
  return spec;
}

Processors machine(const CpuSpec& spec) {
  return {spec, Rng(1, "others")};
}

TEST_CASE("threads that are ready at once have as many cores as there are; the next waits for the first") {
  Processors two = machine(cores(2));
  CHECK(nanos(two.begin(instant_at(100), 10us)) == 100);
  CHECK(nanos(two.begin(instant_at(100), 4us)) == 100);
  CHECK(nanos(two.begin(instant_at(100), 1us)) == 4'100);
  CHECK(nanos(two.begin(instant_at(100), 1us)) == 5'100);
  CHECK(nanos(two.begin(instant_at(20'000), 1us)) == 20'000);
}

TEST_CASE("one thread's pieces of work, known in advance, stay on one core") {
  Processors two = machine(cores(2));
  CHECK(nanos(two.begin(instant_at(0), 10us)) == 0);
  CHECK(nanos(two.begin(instant_at(10'000), 10us)) == 10'000);  // the same thread, as soon as it is free
  CHECK(nanos(two.begin(instant_at(0), 5us)) == 0);             // another: the second core was idle
}

// Mean wait for a core, in ns, of work of 100 us that comes at random and keeps one core busy for `percent`.
std::int64_t mean_wait(std::int64_t percent) {
  Processors one = machine(cores(1));
  const Distribution gap = Distribution::exponential(100'000 * 100 / percent);
  Rng rng(1, "arrivals");
  Instant ready{};
  std::int64_t waited = 0;
  constexpr int kPieces = 50'000;
  for (int i = 0; i < kPieces; ++i) {
    ready += Duration{gap.sample(rng)};
    waited += nanos(one.begin(ready, 100us) - ready);
  }
  return waited / kPieces;
}

TEST_CASE(
    "the wait grows with the load as it does in a queue: half of it, load by idle time, of a service time") {
  struct Row {
    std::int64_t percent, expected_ns;
  };
  for (const Row& row : {Row{20, 12'500}, Row{50, 50'000}, Row{80, 200'000}}) {  // Pollaczek and Khinchine
    CAPTURE(row.percent);
    const std::int64_t wait = mean_wait(row.percent);
    CHECK(wait > row.expected_ns * 9 / 10);
    CHECK(wait < row.expected_ns * 11 / 10);
  }
}

TEST_CASE("other programs take their share of all cores") {
  CpuSpec spec = cores(4);
  spec.others_millionths = 500'000;
  spec.others_burst = Distribution::lognormal(1'000'000, 4'000'000);
  Processors four = machine(spec);
  // Whatever looks at an instant finds all cores busy about as often as Erlang says for 2 of 4: 17.4 %.
  int waits = 0;
  constexpr int kLooks = 20'000;
  for (int i = 0; i < kLooks; ++i) {
    const Instant ready = instant_at(std::int64_t{i} * 7'000'000);
    if (four.begin(ready, 0ns) > ready) ++waits;
  }
  CHECK(waits > kLooks * 15 / 100);
  CHECK(waits < kLooks * 20 / 100);
}

TEST_CASE("what other programs did is made up only as far back as it matters") {
  CpuSpec spec = cores(1);
  spec.others_millionths = 900'000;
  Processors one = machine(spec);
  const Instant years_later =
      Instant{} + std::chrono::hours(24 * 3'650);  // at once, or this test does not end
  CHECK(one.begin(years_later, 1us) >= years_later);
}

TEST_CASE("nothing of a process happens during a pause, and what it interrupts is longer by it") {
  CpuSpec spec;
  spec.pause_interval = Distribution::constant(100'000'000);
  spec.pause_length = Distribution::constant(20'000'000);
  StopTheWorld pauses(spec, Rng(1, "pauses"));  // 100..120 ms, 220..240 ms, ...
  const auto end = [&](Duration begin, Duration takes) {
    return pauses.end(Instant{} + begin, Instant{} + begin, takes) - Instant{};
  };
  CHECK(end(50ms, 1ms) == 51ms);
  CHECK(end(95ms, 5ms) == 100ms);
  CHECK(end(99ms, 2ms) == 121ms);
  CHECK(end(110ms, 2ms) == 122ms);
  CHECK(end(120ms, 2ms) == 122ms);
  CHECK(end(230ms, 2ms) == 242ms);
  CHECK(end(1'000ms, 2ms) == 1'002ms);
}

// ---- Whole clusters

ClusterSpec shop_on(const CpuSpec& cpu, std::int64_t milli_per_s) {
  ClusterSpec spec;
  spec.seed = 3;
  spec.cpu = cpu;
  spec.controllers = {ControllerSpec{NodeId{100}, "", {}, {}, {}}};
  for (std::int32_t id = 1; id <= 3; ++id) spec.brokers.push_back(BrokerSpec{NodeId{id}, "", {}, {}, {}});
  test::connect(spec);
  spec.topics = {test::orders_topic(6)};
  spec.flows = {test::order_service(milli_per_s, 2s)};
  workload::ServiceSpec payment = test::service("payment");
  payment.members = 2;
  spec.services = {payment};
  spec.load_ends_at = 12s;
  return spec;
}

class AckLatencies final : public observe::Observer {
 public:
  void on(const observe::Observation& seen) override {
    if (const auto* order = std::get_if<observe::OrderPlaced>(&seen.fact)) {
      intended_[order->record] = order->intended_ns;
    } else if (const auto* acked = std::get_if<observe::BatchAcknowledged>(&seen.fact)) {
      if (acked->error != ErrorCode::none) return;
      for (const Record& record : acked->batch->application_records())
        latencies_.push_back(nanos(seen.at) - intended_.at(record.id));
    }
  }
  std::int64_t percentile(std::size_t percent) {
    std::sort(latencies_.begin(), latencies_.end());
    return latencies_.at(latencies_.size() * percent / 100);
  }
  std::size_t count() const { return latencies_.size(); }

 private:
  std::map<RecordId, std::int64_t> intended_;
  std::vector<std::int64_t> latencies_;
};

AckLatencies latencies_on(const CpuSpec& cpu, std::int64_t milli_per_s = 200'000) {
  Cluster cluster(shop_on(cpu, milli_per_s));
  AckLatencies latencies;
  cluster.observe(latencies);
  test::play_until(cluster, 16s);
  return latencies;
}

CpuSpec slow_core() {
  CpuSpec cpu = cores(1);
  cpu.per_wakeup = Distribution::constant(100'000);
  return cpu;
}

// More than the same load takes where no thread waits for a core: linger and batches weigh otherwise at each
// load.
TEST_CASE("with cores, p99 follows from load") {
  CpuSpec slow = slow_core();
  slow.per_wakeup = Distribution::constant(800'000);
  const auto waited = [&slow](std::int64_t milli_per_s) {
    AckLatencies without = latencies_on({}, milli_per_s);
    AckLatencies with = latencies_on(slow, milli_per_s);
    CHECK(with.count() > without.count() * 9 / 10);
    return with.percentile(99) - without.percentile(99);
  };
  const std::int64_t calm = waited(200'000);
  const std::int64_t busy = waited(6'000'000);
  CHECK(calm > 0);
  CHECK(busy > 2 * calm);
}

TEST_CASE("if all share one machine, each waits for the others' threads") {
  CpuSpec own = slow_core();
  CpuSpec shared = own;
  shared.shared = true;
  CHECK(latencies_on(own).percentile(50) < latencies_on(shared).percentile(50));
}

TEST_CASE("pauses are in the tail and nowhere else") {
  CpuSpec pauses;
  pauses.pause_interval = Distribution::constant(2'000'000'000);
  pauses.pause_length = Distribution::constant(60'000'000);
  AckLatencies without = latencies_on({}), with = latencies_on(pauses);
  CHECK(with.percentile(50) < without.percentile(50) * 11 / 10);
  CHECK(with.percentile(99) > without.percentile(99) + 20'000'000);
}

TEST_CASE("a world with cores is a value: a copy in mid-run plays on exactly as the original") {
  CpuSpec cpu = slow_core();
  cpu.shared = true;
  cpu.others_millionths = 300'000;
  cpu.pause_length = Distribution::lognormal(5'000'000, 30'000'000);
  Cluster original(shop_on(cpu, 200'000));
  test::play_until(original, 6s);
  Cluster copy = original;
  test::play_until(original, 16s);
  test::play_until(copy, 16s);
  CHECK(original.events_fired() == copy.events_fired());
  CHECK(original.fingerprint() == copy.fingerprint());
}

TEST_CASE("without cores and pauses nothing takes thread time, and no event is added") {
  CpuSpec idle;
  idle.per_wakeup = Distribution::constant(1'000'000);  // means nothing without cores
  Cluster cluster(shop_on({}, 200'000)), other(shop_on(idle, 200'000));
  test::play_until(cluster, 14s);
  test::play_until(other, 14s);
  CHECK(cluster.fingerprint() == other.fingerprint());
}

// ---- A killed process

TEST_CASE(
    "a killed server's connections are closed when its memory is free, and it reads nothing meanwhile") {
  test::SmallWorld world = test::server_and_client();
  world.processes().specs[0].exit_time = Distribution::constant(219'000'000);
  world.strike("killed", fault::Kill{test::broker(1)}, 1s);
  const test::Transcript seen = world.play(2s);
  CHECK(seen.times("lost", test::kClient) == test::Times{1'219});
  CHECK(seen.times("asked", test::kServer).back() < 1'000);
}

TEST_CASE("a server that is started again before that has no connections of its former life") {
  test::SmallWorld world = test::server_and_client();
  world.processes().specs[0].exit_time = Distribution::constant(500'000'000);
  world.strike("killed", fault::Kill{test::broker(1)}, 1s, 100ms);
  const test::Transcript seen = world.play(2s);
  CHECK(seen.times("lost", test::kClient) == test::Times{1'100});
  CHECK(seen.times("asked", test::kServer).back() > 1'900);
}

}  // namespace processors_test
}  // namespace sim::cluster
