#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/distribution.h"
#include "base/rng.h"
#include "base/time.h"

// The cores of a machine: threads that are ready wait for one in a queue, first come, first served.
//
// Each piece of a thread's work occupies one core from its begin to its end, which are known when the thread
// is ready: work is short (microseconds), so nobody is preempted. A thread that is ready finds the core that
// has been idle for the shortest time; if all are busy it waits for the first that will be free. That is how
// p99 follows from load: the more there is to do, the longer the queue.
//
// What other programs on the machine do (a build, a neighbour) is work like any other: bursts that come
// independently and take a share of the cores. What has not been asked for costs nothing: bursts are made up
// to the instant at which somebody looks.
namespace sim::cluster {

// Of each server; `shared`: of one machine that all servers and applications run on.
struct CpuSpec {
  std::int32_t cores = 0;  // 0: no thread ever waits for one
  bool shared = false;
  // ns of any thread but those of requests each time it wakes up: a replica fetcher or the channel to the
  // controller with an answer, a timer, a thread whose write has been done. Only with cores.
  Distribution per_wakeup{};
  std::int64_t others_millionths =
      0;  // the share of all cores' time that other programs take, below 1 000 000
  Distribution others_burst = Distribution::constant(1'000'000);  // ns at a time
  // All threads of a server process stand still at once (a garbage collector's pause): for how long, and how
  // long after one pause the next begins. ns; a length of constant 0: never.
  Distribution pause_interval = Distribution::constant(1'000'000'000);
  Distribution pause_length{};

  bool has_cores() const { return cores > 0; }
  bool has_pauses() const { return pause_length.quantile(1, 1) > 0; }
};

class Processors {
 public:
  // REQUIRES: spec.has_cores()
  Processors(const CpuSpec& spec, const Rng& others);

  // A thread is ready then and needs a core for so long; from when it has one. REQUIRES: takes >= 0
  Instant begin(Instant ready, Duration takes);

 private:
  void run_others(Instant until);
  Instant occupy(Instant ready, Duration takes);

  std::vector<Instant> free_at_;  // each core
  bool has_others_;
  Distribution others_gap_;  // from one burst of other programs to the next
  Distribution others_burst_;
  Rng others_;
  Instant next_other_{};
};

// The pauses of one process, each drawn when the one before it is over.
class StopTheWorld {
 public:
  StopTheWorld(const CpuSpec& spec, const Rng& rng);

  // The work of a thread that has its core at `begin`, and of which nothing may happen during a pause: when
  // it is done. `now` is the instant at which this is asked. REQUIRES: begin >= now
  Instant end(Instant now, Instant begin, Duration takes);

 private:
  void draw(Instant after);

  Distribution interval_;
  Distribution length_;
  Rng rng_;
  Instant begins_{};
  Instant ends_{};
};

// How the work of a process's threads gets its time. Without cores and pauses: at once.
struct ThreadTime {
  Processors* processors = nullptr;
  StopTheWorld* pauses = nullptr;

  // When work that a thread is ready for at `ready` will be done. REQUIRES: ready >= now
  Instant done(Instant now, Instant ready, Duration takes) const {
    const Instant begin = processors == nullptr ? ready : processors->begin(ready, takes);
    return pauses == nullptr ? later(begin, takes) : pauses->end(now, begin, takes);
  }
};

}  // namespace sim::cluster
