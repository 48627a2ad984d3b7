#include "play/run.h"

#include <utility>

#include "play/run_plan.h"

namespace sim::play {

Run::Run(std::shared_ptr<const scenario::Scenario> scenario)
    : scenario_(std::move(scenario)),
      world_(scenario_->cluster),
      record_(record_spec(*scenario_, world_.names())) {
  world_.observe(record_);
}

// Those who watch a world are no part of it: the copy is watched by its own record.
Run::Run(const Run& other) : scenario_(other.scenario_), world_(other.world_), record_(other.record_) {
  world_.observe(record_);
}

void Run::play_until(Instant at) {
  world_.set_time_limit(at);
  while (world_.step()) {
  }
}

judge::Summary Run::finish(const PlayOptions& options) {
  judge::RunEnd end = play_to_end(*scenario_, world_, record_, options);
  end.meaning = record_.meaning();
  record_.finish(end.end, end.reason == judge::StopReason::settled);
  return judge::summarize(run_plan(*scenario_), record_, end);
}

}  // namespace sim::play
