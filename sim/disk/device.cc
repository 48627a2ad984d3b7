#include "disk/device.h"

#include <algorithm>

namespace sim::disk {
namespace {

Duration time_for(std::int64_t bytes, std::int64_t bytes_per_second) {
  return at_most_endless(int128{bytes} * 1'000'000'000 / bytes_per_second);
}

}  // namespace

Instant Device::write(Instant now, std::int64_t bytes) {
  Duration takes{spec_.append.sample(rng_)};
  if (spec_.bytes_per_second != 0) takes += time_for(bytes, spec_.bytes_per_second);
  written_at_ = later(std::max(now, written_at_), slow_.empty() ? takes : hindered(takes));
  return written_at_;
}

Instant Device::flush(Instant now) {
  const Duration takes{spec_.flush.sample(rng_)};
  flushed_at_ = later(std::max({now, written_at_, flushed_at_}), slow_.empty() ? takes : hindered(takes));
  return flushed_at_;
}

Instant Device::scan(Instant now, const std::vector<std::int64_t>& bytes, std::int32_t threads) {
  if (spec_.read_bytes_per_second == 0) return now;
  std::vector<Duration> busy(static_cast<std::size_t>(threads));
  for (const std::int64_t one : bytes) {
    Duration& first_free = *std::min_element(busy.begin(), busy.end());
    first_free = scaled(first_free, 1, time_for(one, spec_.read_bytes_per_second));
  }
  const Duration takes = *std::max_element(busy.begin(), busy.end());
  return later(now, slow_.empty() ? takes : hindered(takes));
}

Duration Device::hindered(Duration takes) {
  for (Slowness& one : slow_) {
    takes = scaled(takes, one.factor, Duration{one.by.sample(one.rng)});
    ++one.slowed;
  }
  return takes;
}

void Device::slow_down(std::uint32_t reason, std::int64_t factor, const Distribution& by, const Rng& rng) {
  lift(reason);  // which strikes again
  slow_.push_back(Slowness{reason, factor, by, rng, 0});
}

void Device::lift(std::uint32_t reason) {
  std::erase_if(slow_, [reason](const Slowness& one) { return one.reason == reason; });
}

std::int64_t Device::slowed_by(std::uint32_t reason) const {
  for (const Slowness& one : slow_) {
    if (one.reason == reason) return one.slowed;
  }
  return 0;
}

}  // namespace sim::disk
