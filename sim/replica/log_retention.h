#pragma once

#include "log/retention.h"
#include "partition/partition.h"
#include "replica/tasks.h"
#include "server/context.h"
#include "server/timers.h"

// When a broker looks for old segments (LogManager.cleanupLogs): log.initial.task.delay.ms after its start
// and every log.retention.check.interval.ms from then on, by its own clock; but only at those instants at
// which it may find something, so that a log that is kept for a week costs nothing until then.
namespace sim::replica {

using partition::Partition;
using server::BrokerConfig;
using server::Context;
using server::PeriodicTimer;
using server::TaskPhases;

class LogRetention {
 public:
  explicit LogRetention(const BrokerConfig& config)
      : first_(from_millis(config.log_initial_task_delay_ms)),
        interval_(period_of_millis(config.log_retention_check_interval_ms)) {}

  void start(LocalTime now, TaskPhases& phases) {
    started_ = now;
    first_ = phases.first_turn(interval_, first_);
  }

  static log::RetentionLimits limits_of(const TopicConfig& config) {
    return {config.retention_ms, config.retention_bytes};
  }

  // The partition's oldest segment, its size or its limits are not what they were.
  void note(const Partition& partition, const Context& context) {
    const TopicConfig& config = partition.config();
    if (!config.cleanup_delete) return;
    const auto at_ms = log::may_expire_at_ms(partition.log(), limits_of(config), context.now_ms());
    if (at_ms && *at_ms < kNever) look_at(LocalTime{from_millis(*at_ms) - context.env.wall_ahead}, context);
  }
  // Appending makes a log larger and its segments younger: only these can be noticed the sooner for it.
  static bool concerns(const Partition& partition, bool was_empty) {
    return was_empty || partition.config().retention_bytes >= 0;
  }

  void fired() { armed_for_ = LocalTime::max(); }

 private:
  static constexpr std::int64_t kNever = std::int64_t{1} << 42;  // ms: more than a century

  // At the first turn that is not before `earliest`, and after now.
  void look_at(LocalTime earliest, const Context& context) {
    LocalTime turn = started_ + first_;
    const LocalTime after = std::max(earliest, context.now() + Duration{1});
    if (after > turn) turn += interval_ * ((after - turn + interval_ - Duration{1}) / interval_);
    if (turn >= armed_for_) return;
    armed_for_ = turn;
    context.out.emplace_back(node::SetTimer{timer_of(Task::delete_old_segments), turn});
  }

  Duration first_;
  Duration interval_;
  LocalTime started_{};
  LocalTime armed_for_ = LocalTime::max();
};

}  // namespace sim::replica
