#pragma once

#include <chrono>
#include <cstdint>

#include "base/int128.h"

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

inline constexpr Duration kForever = Duration::max();  // a mark, never added to anything

// "For ever" as a length of time that may be added to others: some 36 years, many times longer than any run
// lasts, and short enough that a sum of seven of them is still a number. What people and Kafka's properties
// ask for is cut to it (Long.MAX_VALUE milliseconds is their usual word for "never"), so no sum of times
// overflows.
inline constexpr Duration kEndless{std::int64_t{1} << 60};

constexpr Duration at_most_endless(int128 ns) {
  if (ns > kEndless.count()) return kEndless;
  if (ns < -kEndless.count()) return -kEndless;
  return Duration{static_cast<std::int64_t>(ns)};
}

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
// These saturate at kEndless, forward and back.
constexpr Duration from_millis(std::int64_t ms) {
  return at_most_endless(int128{ms} * 1'000'000);
}
constexpr Duration from_seconds(std::int64_t seconds) {
  return at_most_endless(int128{seconds} * 1'000'000'000);
}
constexpr Duration from_minutes(std::int64_t minutes) {
  return at_most_endless(int128{minutes} * 60'000'000'000);
}
// The period of something that is done again and again: never zero, by which nothing can be divided and after
// which nothing would ever come.
constexpr Duration period_of_millis(std::int64_t ms) {
  return from_millis(ms < 1 ? 1 : ms);
}
// `a` * `factor` + `b`. REQUIRES: none is negative
constexpr Duration scaled(Duration a, std::int64_t factor, Duration b = {}) {
  return at_most_endless(int128{a.count()} * factor + b.count());
}
// A moment never lies beyond kEndless: what is late by more is late for ever.
constexpr Instant later(Instant at, Duration by) {
  return Instant{at_most_endless(int128{at.time_since_epoch().count()} + by.count())};
}
constexpr Instant instant_at(std::int64_t ns) {
  return Instant{Duration{ns}};
}
constexpr LocalTime local_at(std::int64_t ns) {
  return LocalTime{Duration{ns}};
}

}  // namespace sim
