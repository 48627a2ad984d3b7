#include "disk/device.h"

#include <algorithm>

namespace sim::disk {

Instant Device::write(Instant now, std::int64_t bytes) {
  Duration takes{spec_.append.sample(rng_)};
  if (spec_.bytes_per_second != 0) takes += Duration{bytes * 1'000'000'000 / spec_.bytes_per_second};
  written_at_ = std::max(now, written_at_) + takes;
  return written_at_;
}

Instant Device::flush(Instant now) {
  flushed_at_ = std::max({now, written_at_, flushed_at_}) + Duration{spec_.flush.sample(rng_)};
  return flushed_at_;
}

}  // namespace sim::disk
