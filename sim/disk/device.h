#pragma once

#include <cstdint>

#include "base/distribution.h"
#include "base/rng.h"
#include "base/time.h"

// A log directory's device: how long writes and flushes take, one after the other.
//
// A write goes into the page cache: a drawn latency and the bytes at the device's rate, since what is written
// for long at more than that rate is held back by the operating system. A flush (fsync) waits for the
// writes before it and for its predecessor. Which bytes are safe is the host's business.
namespace sim::disk {

struct DiskSpec {
  Distribution append = Distribution::constant(50'000);    // ns, one write into the page cache
  Distribution flush = Distribution::constant(2'000'000);  // ns, one fsync
  std::int64_t bytes_per_second = 500'000'000;             // on top, for the bytes; 0 = unlimited
};

class Device {
 public:
  Device(const DiskSpec& spec, const Rng& rng) : spec_(spec), rng_(rng) {}

  // When a write asked for now has been performed. REQUIRES: calls in order of `now`
  Instant write(Instant now, std::int64_t bytes);
  // When all writes asked for before are on the platter.
  Instant flush(Instant now);

 private:
  DiskSpec spec_;
  Rng rng_;
  Instant written_at_{};  // when the last write is performed
  Instant flushed_at_{};
};

}  // namespace sim::disk
