#include "play/play.h"

#include <algorithm>

#include "play/twin.h"

namespace sim::play {
namespace {

// Events between two looks at the clock on the wall: often enough for people.
constexpr std::uint64_t kLookEvery = 2'048;

judge::StopReason stop_reason(kernel::StopReason reason) {
  switch (reason) {
    case kernel::StopReason::none:
    case kernel::StopReason::idle:  // nothing will ever happen again
    case kernel::StopReason::time_limit: return judge::StopReason::time_limit;
    case kernel::StopReason::event_budget: return judge::StopReason::event_budget;
  }
  return judge::StopReason::time_limit;
}

}  // namespace

Instant last_instant(const scenario::Scenario& scenario, std::optional<Duration> until) {
  return until ? Instant{} + *until : Instant{} + scenario.duration + scenario.drain;
}

judge::RunEnd play_to_end(const scenario::Scenario& scenario, cluster::Cluster& world,
                          const record::RunRecord& record, const PlayOptions& options) {
  const Instant load_ends = Instant{} + scenario.duration;
  const Instant last = last_instant(scenario, options.until);
  world.set_time_limit(last);
  if (scenario.event_budget != 0) world.set_event_budget(scenario.event_budget);
  judge::StopReason reason = judge::StopReason::time_limit;
  while (true) {
    const bool has_stepped = world.step();
    if (options.twin != nullptr && !options.twin->keeps_step(has_stepped)) {
      reason = judge::StopReason::interrupted;
      break;
    }
    if (!has_stepped) {
      reason = stop_reason(world.stop_reason());
      const bool is_early = options.until && last < load_ends + scenario.drain;
      if (reason == judge::StopReason::time_limit && is_early) reason = judge::StopReason::until;
      break;
    }
    const bool is_done = scenario.converges ? record.converged() : record.settled();
    if (world.now() >= load_ends && is_done) {
      reason = judge::StopReason::settled;
      break;
    }
    if (options.is_interrupted != nullptr && options.is_interrupted()) {
      reason = judge::StopReason::interrupted;
      break;
    }
    if (world.events_fired() % kLookEvery != 0) continue;
    if (options.progress != nullptr) {
      options.progress->on(Progress{world.now(), std::min(last, load_ends), world.events_fired()});
    }
  }
  world.end_faults();
  judge::RunEnd end;
  end.end = world.now();
  end.reason = reason;
  end.events = world.events_fired();
  end.fingerprint = world.fingerprint();
  return end;
}

}  // namespace sim::play
