// What the kernel costs per event, beside a plain std::priority_queue doing the same work in the same run.
//
//   hold/N    the hold model: N events pending; each one fired schedules one more after an exponential delay
//   timers/N  N connections, each with one event pending; each event also moves its connection's timeout,
//             thirty mean delays away, which therefore hardly ever fires
//
// Both sides draw the same delays from the same stream (so they fire the same events), dispatch over the
// kinds of events and keep a checksum of the payloads. The kernel also folds its fingerprint and minds its
// budgets; the baseline does neither. The baseline cancels lazily, as one would: a re-armed timer pushes a
// new entry, and an entry whose generation is old is dropped when it comes up.
//
// The last lines are the ratios, from the medians of interleaved repetitions, and the number of
// allocations per event in the kernel's steady state, which is none.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <new>
#include <queue>
#include <string>
#include <vector>

#include "base/distribution.h"
#include "kernel/kernel.h"
#include "kernel/streams.h"

namespace {
std::uint64_t allocations = 0;
}

// Aligned forms fall back to these or are not used here.
void* operator new(std::size_t size) {
  ++allocations;
  if (void* const memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace sim::kernel {
namespace {

constexpr std::int64_t kMeanDelay = 1'000'000;  // 1 ms
constexpr Duration kTimeout{30 * kMeanDelay};

enum class Kind : std::uint32_t { arrival, request, response, timeout };

struct Event {
  Kind kind;
  std::uint32_t who;
  std::uint64_t a;
  std::uint64_t b;
};

// The work of an event, the same for both sides: answers which kind follows and tallies the payload.
struct Tally {
  std::uint64_t sum = 0;
  std::uint64_t timeouts = 0;

  Kind dispatch(const Event& event) {
    switch (event.kind) {
      case Kind::arrival: sum += event.a; return Kind::request;
      case Kind::request: sum ^= event.b; return Kind::response;
      case Kind::response: sum += event.a ^ event.b; return Kind::arrival;
      case Kind::timeout: ++timeouts; break;
    }
    return Kind::timeout;
  }
};

class KernelSide {
 public:
  struct Fired : Kernel<Event>::Fired {};

  KernelSide(std::size_t timers) {
    for (std::size_t i = 0; i < timers; ++i) {
      timers_.push_back(kernel_.create_timer({Kind::timeout, static_cast<std::uint32_t>(i), 0, 0}));
    }
  }
  void schedule(Instant at, const Event& event) { kernel_.schedule(at, event); }
  void arm(std::uint32_t timer, Instant due) { kernel_.arm(timers_[timer], due); }
  Instant next(Event& out) {
    Kernel<Event>::Fired fired;
    kernel_.next(fired);
    out = fired.event;
    return fired.at;
  }

 private:
  Kernel<Event> kernel_;
  std::vector<TimerHandle> timers_;
};

class PriorityQueueSide {
 public:
  PriorityQueueSide(std::size_t timers) : generations_(timers) {}
  void schedule(Instant at, const Event& event) { queue_.push(Entry{at, seq_++, event}); }
  void arm(std::uint32_t timer, Instant due) {
    const std::uint64_t generation = ++generations_[timer];
    queue_.push(Entry{due, seq_++, Event{Kind::timeout, timer, generation, 0}});
  }
  Instant next(Event& out) {
    while (true) {
      const Entry first = queue_.top();
      queue_.pop();
      if (first.event.kind == Kind::timeout && generations_[first.event.who] != first.event.a) continue;
      out = first.event;
      return first.at;
    }
  }

 private:
  struct Entry {
    Instant at;
    std::uint64_t seq;
    Event event;
  };
  struct Later {
    bool operator()(const Entry& x, const Entry& y) const {
      return x.at != y.at ? x.at > y.at : x.seq > y.seq;
    }
  };
  std::priority_queue<Entry, std::vector<Entry>, Later> queue_;
  std::vector<std::uint64_t> generations_;
  std::uint64_t seq_ = 1;
};

template <class Side, bool with_timers>
class World {
 public:
  explicit World(std::size_t pending) : side_(with_timers ? pending : 0), rng_(Streams(1).get("delays")) {
    for (std::size_t i = 0; i < pending; ++i) {
      const auto who = static_cast<std::uint32_t>(i);
      side_.schedule(instant_at(delay_.sample(rng_)), {Kind::arrival, who, i, i * i});
      if constexpr (with_timers) side_.arm(who, Instant{} + kTimeout);
    }
  }

  void step() {
    Event event;
    const Instant now = side_.next(event);
    event.kind = tally_.dispatch(event);
    if (event.kind == Kind::timeout) return;
    event.b += event.a;
    side_.schedule(now + Duration{delay_.sample(rng_)}, event);
    if constexpr (with_timers) side_.arm(event.who, now + kTimeout);
  }

  const Tally& tally() const { return tally_; }

 private:
  Side side_;
  Rng rng_;
  Distribution delay_ = Distribution::exponential(kMeanDelay);
  Tally tally_;
};

template <class Side, bool with_timers>
void run(benchmark::State& state) {
  const auto pending = static_cast<std::size_t>(state.range(0));
  World<Side, with_timers> world(pending);
  // Into the steady state: every event a few times over, and every timeout past its first due.
  const std::size_t warm_up = with_timers ? 40 * pending : std::max<std::size_t>(4 * pending, 200'000);
  for (std::size_t i = 0; i < warm_up; ++i) world.step();
  const std::uint64_t before = allocations;
  for (auto _ : state) world.step();
  state.counters["allocs"] = static_cast<double>(allocations - before);
  state.counters["timeouts"] = static_cast<double>(world.tally().timeouts);
  benchmark::DoNotOptimize(world.tally().sum);
}

// Prints the usual lines, and at the end the ratios of the medians.
class RatioReporter : public benchmark::ConsoleReporter {
 public:
  RatioReporter() : ConsoleReporter(OO_Tabular) {}

  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) {
      if (run.run_type != Run::RT_Aggregate) times_[run.benchmark_name()].push_back(run.GetAdjustedCPUTime());
    }
    for (const Run& run : runs) {
      if (run.run_type == Run::RT_Aggregate || run.repetitions <= 1) ConsoleReporter::ReportRuns({run});
    }
  }
  void Finalize() override {
    struct Row {
      const char* kernel;
      const char* baseline;
      double promised;
    };
    std::printf("\n%-16s %10s %16s %8s %9s\n", "", "kernel", "priority_queue", "ratio", "promised");
    for (const Row& row : {Row{"hold/100", "", 1.5}, Row{"hold/10000", "", 2.5}, Row{"hold/1000000", "", 2.5},
                           Row{"timers/10000", "", 5.0}}) {
      const double kernel = median("kernel/" + std::string(row.kernel));
      const double baseline = median("priority_queue/" + std::string(row.kernel));
      if (kernel == 0 || baseline == 0) continue;
      std::printf("%-16s %7.1f ns %13.1f ns %7.2fx %8.1fx%s\n", row.kernel, kernel, baseline,
                  baseline / kernel, row.promised, baseline / kernel < row.promised ? "  MISSED" : "");
    }
  }

 private:
  double median(const std::string& name) {
    for (auto& [full, values] : times_) {
      if (full.rfind(name + "/", 0) != 0 && full != name) continue;
      std::sort(values.begin(), values.end());
      return values[values.size() / 2];
    }
    return 0;
  }
  std::map<std::string, std::vector<double>> times_;
};

}  // namespace
}  // namespace sim::kernel

int main(int argc, char** argv) {
  using namespace sim::kernel;
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  const auto shape = [](benchmark::internal::Benchmark* bench, std::int64_t pending,
                        std::int64_t iterations) {
    bench->Arg(pending)->Iterations(iterations)->Repetitions(5)->ReportAggregatesOnly(false);
  };
  for (const std::int64_t pending : {100, 10'000, 1'000'000}) {
    const std::int64_t iterations = pending > 100'000 ? 2'000'000 : 4'000'000;
    shape(benchmark::RegisterBenchmark("kernel/hold", run<KernelSide, false>), pending, iterations);
    shape(benchmark::RegisterBenchmark("priority_queue/hold", run<PriorityQueueSide, false>), pending,
          iterations);
  }
  shape(benchmark::RegisterBenchmark("kernel/timers", run<KernelSide, true>), 10'000, 2'000'000);
  shape(benchmark::RegisterBenchmark("priority_queue/timers", run<PriorityQueueSide, true>), 10'000,
        2'000'000);
  RatioReporter reporter;
  benchmark::RunSpecifiedBenchmarks(&reporter);
  benchmark::Shutdown();
}
