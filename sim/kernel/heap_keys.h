#pragma once

#include <cstddef>
#include <vector>

#include "base/check.h"
#include "kernel/event_key.h"

// Keys in a binary heap: the plain way to the same order, kept as the yardstick of the radix heap, in tests
// for what it fires and in benchmarks for how fast.
//
// A fired event mostly schedules another one. So taking the root leaves a hole, and the next push drops
// into it and sinks: one walk down where a plain heap needs one down and one up.
namespace sim::kernel {

class HeapKeys {
 public:
  void push(EventKey key) {
    if (hole_) {
      hole_ = false;
      sink(key);
      return;
    }
    keys_.push_back(key);
    std::size_t i = keys_.size() - 1;
    while (i > kRoot && key < keys_[i / 2]) {
      keys_[i] = keys_[i / 2];
      i /= 2;
    }
    keys_[i] = key;
  }

  // The first key, good until the next call that changes anything; null if there is none.
  template <class Prefetch>
  const EventKey* first(const Prefetch&) {
    fill_hole();
    return keys_.size() > kRoot ? &keys_[kRoot] : nullptr;
  }

  // REQUIRES: first() was called since the last change and found one
  void drop_first() { hole_ = true; }

  // REQUIRES: empty
  void restart(std::uint64_t) {}

 private:
  static constexpr std::size_t kRoot = 1;  // children of i are 2i and 2i + 1

  void fill_hole() {
    if (!hole_) return;
    hole_ = false;
    const EventKey last = keys_.back();
    keys_.pop_back();
    if (keys_.size() > kRoot) sink(last);
  }

  // Puts `key` in the place of the root and restores the order.
  void sink(EventKey key) {
    EventKey* const keys = keys_.data();
    const std::size_t end = keys_.size();
    std::size_t i = kRoot;
    std::size_t child = 2 * kRoot;
    while (child + 1 < end) {
      child += keys[child + 1] < keys[child] ? 1 : 0;
      if (key < keys[child]) break;
      keys[i] = keys[child];
      i = child;
      child *= 2;
    }
    if (child + 1 == end && keys[child] < key) {
      keys[i] = keys[child];
      i = child;
    }
    keys[i] = key;
  }

  std::vector<EventKey> keys_ = std::vector<EventKey>(kRoot);
  bool hole_ = false;  // the root was taken and not yet replaced
};

}  // namespace sim::kernel
