#include "quota/quota_rate.h"

#include <algorithm>

#include "base/int128.h"

namespace sim::quota {

void QuotaRate::record(std::int64_t value, std::int64_t now_ms) {
  if (samples_.empty()) samples_.push_back({now_ms, now_ms, 0});
  if (now_ms - samples_[current_].start_ms >= window_ms_) {
    current_ = (current_ + 1) % (static_cast<std::size_t>(count_) + 1);
    if (current_ == samples_.size()) samples_.emplace_back();
    samples_[current_] = {now_ms, now_ms, 0};
  }
  samples_[current_].sum += value;
  samples_[current_].last_ms = now_ms;
}

QuotaRate::Measured QuotaRate::measure(std::int64_t now_ms) {
  if (samples_.empty()) samples_.push_back({now_ms, now_ms, 0});
  Measured result;
  std::int64_t oldest_ms = now_ms;
  for (Sample& sample : samples_) {
    if (now_ms - sample.last_ms >= count_ * window_ms_) sample = {now_ms, now_ms, 0};
    result.sum += sample.sum;
    oldest_ms = std::min(oldest_ms, sample.start_ms);
  }
  const std::int64_t elapsed_ms = now_ms - oldest_ms;
  if (span_ == Span::elapsed) {
    result.span_ms = std::max(elapsed_ms, window_ms_);
  } else {
    const std::int64_t missing = count_ - 1 - elapsed_ms / window_ms_;
    result.span_ms = std::max<std::int64_t>(1, elapsed_ms + std::max<std::int64_t>(0, missing) * window_ms_);
  }
  return result;
}

bool QuotaRate::exceeds(std::int64_t limit, std::int64_t now_ms) {
  const Measured measured = measure(now_ms);
  return int128{measured.sum} * 1'000 > int128{limit} * measured.span_ms;
}

std::int64_t QuotaRate::throttle_ms(std::int64_t limit, std::int64_t now_ms) {
  const Measured measured = measure(now_ms);
  const int128 sum = int128{measured.sum} * 1'000;
  if (sum <= int128{limit} * measured.span_ms) return 0;
  const int128 needed = (2 * sum + limit) / (int128{2} * limit);
  return std::max<std::int64_t>(0, static_cast<std::int64_t>(needed - measured.span_ms));
}

}  // namespace sim::quota
