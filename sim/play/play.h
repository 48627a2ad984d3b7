#pragma once

#include <cstdint>
#include <optional>

#include "base/time.h"
#include "cluster/cluster.h"
#include "judge/summary.h"
#include "record/run_record.h"
#include "scenario/scenario.h"

// Plays one scenario from beginning to end: the loop around Cluster::step.
//
// `play_to_end` is for who has made the world and watches it with more than a record; Run (play/run.h) is for
// everybody else.
namespace sim::play {

// How far a run has come; told now and then, for people to see.
struct Progress {
  Instant now{};
  Instant end{};  // of the load; what is under way may take longer
  std::uint64_t events = 0;
};

class ProgressListener {
 public:
  virtual ~ProgressListener() = default;
  virtual void on(const Progress& progress) = 0;
};

class Twin;

struct PlayOptions {
  std::optional<Duration> until;         // stop there, settled or not
  ProgressListener* progress = nullptr;  // null: nobody looks
  bool (*is_interrupted)() = nullptr;    // asked after each event; null: nobody interrupts
  Twin* twin = nullptr;  // plays along; once it differs the run is interrupted. Null: none does
};

// No event lies beyond it: the end of the drain, or `until`.
Instant last_instant(const scenario::Scenario& scenario, std::optional<Duration> until);

// Plays until everything is settled, the drain is over, the budget is spent or somebody interrupts.
// `record` is what the world tells of itself, by which it is known to be settled.
judge::RunEnd play_to_end(const scenario::Scenario& scenario, cluster::Cluster& world,
                          const record::RunRecord& record, const PlayOptions& options);

}  // namespace sim::play
