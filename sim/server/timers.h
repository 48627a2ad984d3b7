#pragma once

#include <optional>
#include <utility>

#include "base/rng.h"
#include "node/node.h"

// The timers of a broker, and a clock rhythm that costs nothing while it has nothing to do.
//
// They are even: the odd ones belong to whatever else lives in the broker's process (see
// cluster::SharedServer).
namespace sim::server {

inline constexpr node::TimerId kPurgatoryTimer{0};
inline constexpr node::TimerId kIsrTimer{2};
inline constexpr node::TimerId kCheckpointTimer{4};
inline constexpr node::TimerId kGroupTimer{6};
inline constexpr node::TimerId kAlterPartitionRetryTimer{8};
inline constexpr node::TimerId kAlterPartitionNetworkTimer{10};
inline constexpr node::TimerId kAlterPartitionExpiryTimer{12};
inline constexpr node::TimerId kForwardingNetworkTimer{14};
inline constexpr node::TimerId kForwardingExpiryTimer{16};
inline constexpr node::TimerId kHeartbeatNetworkTimer{18};
inline constexpr node::TimerId kHeartbeatExpiryTimer{20};
inline constexpr node::TimerId kCommunicationTimer{22};
inline constexpr node::TimerId kRegistrationTimer{24};
inline constexpr node::TimerId kShutdownTimer{26};
inline constexpr node::TimerId kRetentionTimer{28};
inline constexpr node::TimerId kCleanerTimer{30};
inline constexpr node::TimerId kFlushTimer{32};
inline constexpr node::TimerId kRecoveryPointTimer{34};
inline constexpr node::TimerId kLogDirFailureTimer{36};
inline constexpr node::TimerId kAssignmentsTimer{38};
inline constexpr node::TimerId kAssignmentsNetworkTimer{40};
inline constexpr node::TimerId kAssignmentsExpiryTimer{42};
inline constexpr node::TimerId kOpenLogsTimer{44};
// Two for each replica fetcher, from here on: its back-off, then its network client.
inline constexpr std::uint32_t kFirstFetcherTimer = 48;
inline constexpr std::uint32_t kTimerStep = 2;

constexpr bool is_broker_timer(node::TimerId timer) {
  return timer.value() % kTimerStep == 0;
}
// Writes of a broker are numbered from 1, those of whatever else lives there from far above.
constexpr bool is_broker_write(node::PersistId id) {
  return id.value() < (std::uint64_t{1} << 62);
}

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
