#include "kernel/radix_keys.h"

#include <algorithm>

namespace sim::kernel {

void RadixKeys::sort() {
  if (sorted_.size() > 2 * kChunk) {
    std::sort(sorted_.begin(), sorted_.end());
    return;
  }
  EventKey* const keys = sorted_.data();
  const std::size_t n = sorted_.size();
  for (std::size_t i = 1; i < n; ++i) {
    const EventKey key = keys[i];
    std::size_t j = i;
    for (; j > 0 && key < keys[j - 1]; --j) keys[j] = keys[j - 1];
    keys[j] = key;
  }
}

void RadixKeys::insert_sorted(EventKey key) {
  const std::size_t dropped = head_;
  if (dropped >= 2 * kSplitAbove && dropped >= sorted_.size() - dropped) [[unlikely]] {
    sorted_.erase(sorted_.begin(), sorted_.begin() + static_cast<std::ptrdiff_t>(dropped));
    head_ = 0;
  }
  sorted_.push_back(key);
  EventKey* const keys = sorted_.data();
  std::size_t i = sorted_.size() - 1;
  for (; i > head_ && key < keys[i - 1]; --i) keys[i] = keys[i - 1];
  keys[i] = key;
  if (sorted_.size() - head_ > kSplitAbove) split();
}

// The array has grown long because much is scheduled for very soon. Its later half returns to the buckets,
// unless it all belongs to one instant; then new keys come last and cost nothing.
void RadixKeys::split() {
  const std::uint64_t first = sorted_[head_].time();
  if (sorted_.back().time() == first) return;
  if (first < base_) return start_over();
  const auto begin = sorted_.begin() + static_cast<std::ptrdiff_t>(head_);
  const auto is_before = [](EventKey key, std::uint64_t time) { return key.time() < time; };
  const std::uint64_t middle = sorted_[head_ + (sorted_.size() - head_) / 2].time();
  limit_ = middle > first ? middle : first + 1;
  const auto keep_end = std::lower_bound(begin, sorted_.end(), limit_, is_before);
  for (auto key = keep_end; key != sorted_.end(); ++key) put_in_bucket(*key);
  sorted_.erase(keep_end, sorted_.end());
}

// Someone looked at the first key, which moved base_ up to it, and then pushed a great many before it. Buckets
// are only in order above base_, so all keys are dealt out anew from the beginning of time. Rare, and linear.
void RadixKeys::start_over() {
  std::vector<EventKey> keys(sorted_.begin() + static_cast<std::ptrdiff_t>(head_), sorted_.end());
  while (levels_ != 0) {
    const std::size_t level = first_level();
    consume(level, first_digit(level), [&keys](EventKey key) { keys.push_back(key); });
  }
  restart(0);
  for (const EventKey key : keys) put_in_bucket(key);
}

}  // namespace sim::kernel
