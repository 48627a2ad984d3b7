#pragma once

#include <optional>
#include <utility>

#include "base/rng.h"
#include "node/node.h"

// Periodic tasks of a broker, and a rhythm that costs nothing while there is nothing to do.
namespace sim::server {

// Where periodic tasks stand when a broker starts. One that goes on from before the run may be anywhere in
// each task's period, which is drawn; one that starts anew waits as long as Kafka makes each task wait first.
class TaskPhases {
 public:
  TaskPhases() = default;
  explicit TaskPhases(std::optional<Rng> drawn) : drawn_(std::move(drawn)) {}

  // How long until a task's first turn.
  Duration first_turn(Duration period, Duration initial_delay) {
    constexpr Duration kNever = std::chrono::hours(24 * 365 * 100);
    if (!drawn_ || period <= Duration{} || period > kNever) return initial_delay;
    return Duration{drawn_->between(1, period.count() + 1)};
  }
  Duration first_turn(Duration period) { return first_turn(period, period); }

 private:
  std::optional<Rng> drawn_;
};

// A periodic task of Kafka's scheduler that is armed only while there is work for it: it fires when the
// period's next turn comes, counted from the broker's start, as if it had run all the time. A task without a
// period runs once, when the broker starts and there is nothing to do yet (KafkaScheduler.schedule), and
// never again.
class PeriodicTimer {
 public:
  // REQUIRES: period >= 0
  PeriodicTimer(node::TimerId timer, Duration period) : timer_(timer), period_(period) {}

  void start(LocalTime now, TaskPhases& phases) { first_ = now + phases.first_turn(period_); }
  void start(LocalTime now, Duration initial_delay, TaskPhases& phases) {
    first_ = now + phases.first_turn(period_, initial_delay);
  }

  void arm(LocalTime now, node::Effects& out) {
    if (armed_ || period_ == Duration{0}) return;
    armed_ = true;
    const std::int64_t turns = now < first_ ? 0 : (now - first_) / period_ + 1;
    out.emplace_back(node::SetTimer{timer_, first_ + turns * period_});
  }
  void fired() { armed_ = false; }

 private:
  node::TimerId timer_;
  Duration period_;
  LocalTime first_{};
  bool armed_ = false;
};

}  // namespace sim::server
