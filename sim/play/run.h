#pragma once

#include <memory>

#include "cluster/cluster.h"
#include "judge/summary.h"
#include "play/play.h"
#include "record/run_record.h"
#include "scenario/scenario.h"

// A run under way: its world and all that was seen of it. A value: a copy made in mid-run plays on exactly as
// the original would, so that one can ask what would have become of it without a fault. It writes no file.
namespace sim::play {

class Run {
 public:
  explicit Run(std::shared_ptr<const scenario::Scenario> scenario);
  explicit Run(const scenario::Scenario& scenario)
      : Run(std::make_shared<const scenario::Scenario>(scenario)) {}
  Run(const Run& other);
  Run& operator=(const Run&) = delete;

  // Plays all events up to and including `at`, or to the last one there is.
  void play_until(Instant at);
  // Plays to its end, and judges. Once; then there is nothing more to play.
  judge::Summary finish(const PlayOptions& options = {});

  cluster::Cluster& world() { return world_; }
  const cluster::Cluster& world() const { return world_; }
  const record::RunRecord& record() const { return record_; }
  const scenario::Scenario& scenario() const { return *scenario_; }

 private:
  std::shared_ptr<const scenario::Scenario> scenario_;
  cluster::Cluster world_;
  record::RunRecord record_;
};

}  // namespace sim::play
