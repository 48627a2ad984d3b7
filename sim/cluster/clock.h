#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include "base/int128.h"
#include "base/time.h"

// The clocks of one machine, as faults have made them: the monotonic one, which all processes on it read and
// set their timers by, and the wall clock, which stamps records.
//
// A step of the wall clock (NTP, an administrator) leaves the monotonic one alone. An oscillator that runs
// fast or slow takes both with it; when it runs right again the wall clock is set right, and the monotonic
// one keeps what it has gained or lost.
//
// Without a fault both show the kernel's time, and nothing is computed.
namespace sim::cluster {

class Clock {
 public:
  bool is_exact() const { return exact_; }

  LocalTime local(Instant now) const {
    if (exact_) return local_at(nanos(now));
    const std::int64_t passed = nanos(now - since_);
    return local_since_ + Duration{passed + gain(passed)};
  }

  // The first instant at which it shows `at` or later.
  Instant instant_of(LocalTime at) const {
    if (exact_) return instant_at(nanos(at));
    if (at <= local_since_) return since_;
    const int128 left = static_cast<int128>(nanos(at)) - nanos(local_since_);
    const int128 passed = (left * kMillion + kMillion + ppm_ - 1) / (kMillion + ppm_);
    const int128 instant = passed + nanos(since_);
    return instant_at(
        static_cast<std::int64_t>(std::min<int128>(instant, std::numeric_limits<std::int64_t>::max())));
  }

  // How far the wall clock is ahead of the monotonic one.
  Duration wall_ahead(Instant now) const {
    if (exact_) return Duration{};
    const std::int64_t passed = nanos(now - since_);
    return Duration{nanos(now) + wall_off_ + gain(passed)} - local(now).time_since_epoch();
  }

  void step_wall(Instant now, Duration by) {
    rebase(now);
    wall_steps_ += nanos(by);
    wall_off_ += nanos(by);
    forget_if_exact();
  }

  // Millionths by which it runs fast, in addition to what makes it so already.
  void change_rate(Instant now, std::int64_t by_ppm) {
    rebase(now);
    wanted_ppm_ += by_ppm;
    ppm_ = std::clamp(wanted_ppm_, -kMillion / 2, 10 * kMillion);
    if (ppm_ == 0) wall_off_ = wall_steps_;
    forget_if_exact();
  }

 private:
  static constexpr std::int64_t kMillion = 1'000'000;

  // Rounded down.
  std::int64_t gain(std::int64_t passed) const {
    const int128 millionths = static_cast<int128>(passed) * ppm_;
    return static_cast<std::int64_t>((millionths - (millionths < 0 ? kMillion - 1 : 0)) / kMillion);
  }

  void rebase(Instant now) {
    const LocalTime at = local(now);
    if (!exact_) wall_off_ += gain(nanos(now - since_));
    exact_ = false;
    since_ = now;
    local_since_ = at;
  }

  void forget_if_exact() { exact_ = ppm_ == 0 && wall_off_ == 0 && nanos(local_since_) == nanos(since_); }

  bool exact_ = true;
  Instant since_{};
  LocalTime local_since_{};
  std::int64_t ppm_ = 0;         // never slower than half, nor more than eleven times as fast
  std::int64_t wanted_ppm_ = 0;  // the sum of what was asked for
  std::int64_t wall_off_ = 0;    // at since_, from the true time
  std::int64_t wall_steps_ = 0;  // of it, by steps that still last
};

}  // namespace sim::cluster
