#include "cluster/processors.h"

#include <algorithm>

#include "base/check.h"

namespace sim::cluster {
namespace {

// What other programs did longer ago than this no longer matters: their share is below one.
constexpr Duration kOthersMemory = std::chrono::seconds(1);

// So many bursts of this mean length that they take their share of all cores.
Distribution gap_between_bursts(const CpuSpec& spec) {
  const int128 mean = int128{spec.others_burst.mean()} * 1'000'000;
  return Distribution::exponential(
      nanos(at_most_endless(mean / (int128{spec.others_millionths} * spec.cores) + 1)));
}

}  // namespace

Processors::Processors(const CpuSpec& spec, const Rng& others)
    : free_at_(static_cast<std::size_t>(spec.cores)),
      has_others_(spec.others_millionths > 0),
      others_burst_(spec.others_burst),
      others_(others) {
  SIM_CHECK(spec.has_cores(), "a machine has at least one core");
  if (!has_others_) return;
  others_gap_ = gap_between_bursts(spec);
  next_other_ += Duration{others_gap_.sample(others_)};
}

Instant Processors::begin(Instant ready, Duration takes) {
  if (has_others_) run_others(ready);
  return occupy(ready, takes);
}

void Processors::run_others(Instant until) {
  if (next_other_ < until - kOthersMemory) next_other_ = until - kOthersMemory;
  while (next_other_ <= until) {
    const Duration takes{others_burst_.sample(others_)};
    occupy(next_other_, takes);
    next_other_ = later(next_other_, Duration{others_gap_.sample(others_)});
  }
}

Instant Processors::occupy(Instant ready, Duration takes) {
  Instant* chosen = nullptr;
  for (Instant& free_at : free_at_) {
    if (free_at <= ready && (chosen == nullptr || free_at > *chosen)) chosen = &free_at;
  }
  if (chosen == nullptr) chosen = &*std::min_element(free_at_.begin(), free_at_.end());
  const Instant begin = std::max(ready, *chosen);
  *chosen = later(begin, takes);
  return begin;
}

// ---- Pauses

StopTheWorld::StopTheWorld(const CpuSpec& spec, const Rng& rng)
    : interval_(spec.pause_interval), length_(spec.pause_length), rng_(rng) {
  draw(Instant{});
}

void StopTheWorld::draw(Instant after) {
  constexpr std::int64_t kLeastInterval = 1'000'000;
  begins_ = later(after, Duration{std::max(kLeastInterval, interval_.sample(rng_))});
  ends_ = later(begins_, Duration{length_.sample(rng_)});
}

Instant StopTheWorld::end(Instant now, Instant begin, Duration takes) {
  while (ends_ <= now) draw(ends_);
  const Instant undisturbed = later(begin, takes);
  if (undisturbed <= begins_ || begin >= ends_) return undisturbed;
  return begin >= begins_ ? later(ends_, takes) : later(undisturbed, ends_ - begins_);
}

}  // namespace sim::cluster
