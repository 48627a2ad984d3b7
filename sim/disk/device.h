#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/distribution.h"
#include "base/rng.h"
#include "base/time.h"

// A log directory's device: how long writes and flushes take, one after the other, and whether they are
// performed at all.
//
// A write goes into the page cache: a drawn latency and the bytes at the device's rate, since what is written
// for long at more than that rate is held back by the operating system. A flush (fsync) waits for the
// writes before it and for its predecessor. Which bytes are safe is the host's business.
//
// What ails it comes and goes: it may be slower for several reasons at once, broken (nothing can be written,
// flushed or opened) and full (nothing can be appended), each as long as one reason is left.
namespace sim::disk {

struct DiskSpec {
  Distribution append = Distribution::constant(50'000);    // ns, one write into the page cache
  Distribution flush = Distribution::constant(2'000'000);  // ns, one fsync
  std::int64_t bytes_per_second = 500'000'000;             // on top, for the bytes; 0 = unlimited
  // What one thread reads and checks of logs after an unclean shutdown; 0 = unlimited.
  std::int64_t read_bytes_per_second = 500'000'000;
};

class Device {
 public:
  Device(const DiskSpec& spec, const Rng& rng) : spec_(spec), rng_(rng) {}

  // When a write asked for now has been performed. REQUIRES: calls in order of `now`
  Instant write(Instant now, std::int64_t bytes);
  // When all writes asked for before are on the platter.
  Instant flush(Instant now);
  // When logs of these sizes have been read from end to end, each by the first of `threads` that is free. It
  // does not stand in the way of writes. REQUIRES: threads > 0
  Instant scan(Instant now, const std::vector<std::int64_t>& bytes, std::int32_t threads);

  // The next write begins no earlier: a writer that holds its logs has something to do elsewhere until then.
  void wait_until(Instant at) { written_at_ = std::max(written_at_, at); }

  // Whatever is asked for from now on takes `factor` times as long, and a draw of `by` on top of that.
  // Reasons add up, but one that comes again takes its own place.
  void slow_down(std::uint32_t reason, std::int64_t factor, const Distribution& by, const Rng& rng);
  void lift(std::uint32_t reason);
  std::int64_t slowed_by(std::uint32_t reason) const;  // writes and flushes

  // What is drawn from here on is drawn anew.
  void reseed(std::string_view name) { rng_ = rng_.child(name); }

  void break_down() { ++broken_; }
  void repair() { --broken_; }
  bool is_broken() const { return broken_ > 0; }

  void fill_up() { ++full_; }
  void clear() { --full_; }
  bool is_full() const { return full_ > 0; }

 private:
  struct Slowness {
    std::uint32_t reason = 0;
    std::int64_t factor = 1;
    Distribution by;
    Rng rng;
    std::int64_t slowed = 0;
  };
  Duration hindered(Duration takes);

  DiskSpec spec_;
  Rng rng_;
  Instant written_at_{};  // when the last write is performed
  Instant flushed_at_{};
  std::vector<Slowness> slow_;
  std::int32_t broken_ = 0;  // for so many reasons
  std::int32_t full_ = 0;
};

}  // namespace sim::disk
