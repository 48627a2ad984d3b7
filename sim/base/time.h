#pragma once

#include <chrono>
#include <cstdint>

// Simulated time. All durations are integer nanoseconds; nothing here can read a wall clock.
//
// `Instant` is the kernel's time. `LocalTime` is what a process reads from its own clock, which
// may be off or drift. They are different types on purpose and do not convert by accident: only
// the host, which owns each process's clock, maps one to the other.
namespace sim {

using Duration = std::chrono::nanoseconds;

using namespace std::chrono_literals;

namespace internal {
// Clocks without now(): there is no way to ask for the time but to be told it.
struct KernelClock {
  using rep = std::int64_t;
  using period = std::nano;
  using duration = Duration;
  using time_point = std::chrono::time_point<KernelClock, Duration>;
  static constexpr bool is_steady = true;
};
struct NodeClock {
  using rep = std::int64_t;
  using period = std::nano;
  using duration = Duration;
  using time_point = std::chrono::time_point<NodeClock, Duration>;
  static constexpr bool is_steady = false;
};
}  // namespace internal

using Instant = internal::KernelClock::time_point;  // 0 = start of the run
using LocalTime = internal::NodeClock::time_point;  // 0 = start of the run on an exact clock

inline constexpr Duration kForever = Duration::max();

constexpr std::int64_t nanos(Duration d) {
  return d.count();
}
constexpr std::int64_t nanos(Instant t) {
  return t.time_since_epoch().count();
}
constexpr std::int64_t nanos(LocalTime t) {
  return t.time_since_epoch().count();
}
constexpr std::int64_t millis(Duration d) {
  return d.count() / 1'000'000;
}
constexpr Duration from_millis(std::int64_t ms) {
  return Duration{ms * 1'000'000};
}
constexpr Instant instant_at(std::int64_t ns) {
  return Instant{Duration{ns}};
}
constexpr LocalTime local_at(std::int64_t ns) {
  return LocalTime{Duration{ns}};
}

}  // namespace sim
