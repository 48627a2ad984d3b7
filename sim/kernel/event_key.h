#pragma once

#include <cstdint>

#include "base/int128.h"
#include "base/time.h"

// What the queues order: 16 bytes that hold an event's place, (time, sequence), and where it lies.
//
// time * 2^64 + sequence * 2^24 + slot. Sequences are unique, so the slot never decides; it rides along
// so that a comparison, the one thing done most, is one 128-bit comparison and moving an event never
// touches its payload. The split bounds a run to 2^40 sequence numbers (about 10^12 events) and 2^24
// events pending at once; the queue checks both.
namespace sim::kernel {

class EventKey {
 public:
  static constexpr int kSlotBits = 24;
  static constexpr std::uint64_t kMaxSlots = std::uint64_t{1} << kSlotBits;
  static constexpr std::uint64_t kMaxSequence = std::uint64_t{1} << (64 - kSlotBits);

  constexpr EventKey() = default;
  // REQUIRES: at >= 0, seq < kMaxSequence, slot < kMaxSlots
  constexpr EventKey(Instant at, std::uint64_t seq, std::uint32_t slot)
      : low_(seq << kSlotBits | slot), time_(static_cast<std::uint64_t>(nanos(at))) {}

  // Comes before every event at this time or later.
  static constexpr EventKey before_all_at(std::uint64_t time) {
    EventKey key;
    key.time_ = time;
    return key;
  }

  constexpr std::uint64_t time() const { return time_; }
  constexpr Instant at() const { return instant_at(static_cast<std::int64_t>(time())); }
  constexpr std::uint64_t seq() const { return low_ >> kSlotBits; }
  constexpr std::uint32_t slot() const { return static_cast<std::uint32_t>(low_ & (kMaxSlots - 1)); }

  constexpr bool operator<(EventKey other) const { return word() < other.word(); }

  // The earlier one, found without a branch: whether a new key is early is not to be guessed.
  friend constexpr EventKey earlier(EventKey a, EventKey b) {
    const std::uint64_t take_b = b < a ? ~std::uint64_t{0} : 0;
    a.low_ ^= (a.low_ ^ b.low_) & take_b;
    a.time_ ^= (a.time_ ^ b.time_) & take_b;
    return a;
  }

 private:
  constexpr uint128 word() const { return uint128{time_} << 64 | low_; }

  std::uint64_t low_ = 0;
  std::uint64_t time_ = 0;
};

}  // namespace sim::kernel
