#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernel/event_key.h"

// Keys in a monotone radix heap of base 64, with a small sorted array before it (Ahuja, Mehlhorn, Orlin,
// Tarjan 1990, adapted to a simulation's clock).
//
// Time never runs backward, so no order is needed among keys that lie far ahead. A key goes into the
// bucket named by the highest base-64 digit in which its time differs from `base_`, and by that digit.
// When the sorted array has run empty the first bucket is taken: a small one is sorted and becomes the
// array, together with its next neighbours while there are few; a large one is spread over the 64 buckets
// one level down. So a key moves at most a few times, always from one run of memory to the end of another,
// and is compared with few others.
//
// What costs at this scale is a branch that depends on a time just drawn: a processor guesses it wrong, and
// learns so late. So a push has none. A key that belongs into the array is only appended to the near keys, a
// bucket like any other, and sorted in when the first of them has its turn; and the array is sorted
// by counting ranks.
//
// Invariants: every key in the array and every near key has time < limit_, every key in a bucket has time >=
// limit_; limit_ >= base_; in each level, only digits above base_'s digit are taken (and that digit itself
// where time equals base_).
//
// Buckets are chains of fixed chunks out of one pool: a bucket that has been emptied hands its memory to the
// next one that fills, so the whole takes the memory of what is pending, not of every bucket's record.
namespace sim::kernel {

class RadixKeys {
 public:
  RadixKeys();

  // REQUIRES: key is not before the last one dropped
  void push(EventKey key) {
    const std::size_t level = level_of(key.time());
    const std::size_t bucket = level * kDigits + digit_of(key.time(), level);
    const std::size_t all_if_near = key.time() < limit_ ? ~std::size_t{0} : 0;
    Position& end = ends_[bucket ^ ((bucket ^ kNear) & all_if_near)];
    if (end % kChunk == 0) [[unlikely]]
      return push_to_new_chunk(key);
    near_first_ = earlier(near_first_, key);
    pool_[end++].key = key;
  }

  // The first key, good until the next call that changes anything; null if there is none. `prefetch(slot)`
  // is told of events that will soon be wanted.
  template <class Prefetch>
  const EventKey* first(const Prefetch& prefetch) {
    while (!(sorted_[head_] < near_first_)) [[unlikely]] {
        if (ends_[kNear] != kNoneNear) {
          merge_near();
        } else if (levels_ != 0) {
          refill(prefetch);
        } else {
          return nullptr;
        }
      }
    return &sorted_[head_];
  }

  // REQUIRES: first() was called since the last change and found one
  void drop_first() { ++head_; }

  // Allows keys from `time` on, which may lie before the last one dropped. REQUIRES: empty
  void restart(std::uint64_t time);

 private:
  static constexpr int kDigitBits = 6;
  static constexpr std::size_t kDigits = std::size_t{1} << kDigitBits;
  static constexpr std::size_t kLevels = 63 / kDigitBits + 1;
  static constexpr std::uint32_t kChunk = 64;     // cells of a chunk, the first of which is its link
  static constexpr std::size_t kRun = kChunk;     // a bucket with fewer keys is sorted, not spread
  static constexpr std::size_t kEnough = 16;      // neighbours are taken along until there are so many
  static constexpr std::size_t kPatience = 32;    // near keys after which a long array is split
  static constexpr std::size_t kLong = 2 * kRun;  // an array for which even starting over pays
  static constexpr std::size_t kFew = 8;          // keys that need no bucket at all

  using Position = std::uint32_t;                          // an index into pool_
  static constexpr std::size_t kNear = kLevels * kDigits;  // the near keys' place in ends_
  static constexpr Position kNoneNear = 1;  // chunk 0 is theirs; to a bucket, position 0 means "nothing"

  union Cell {
    EventKey key;
    Position link;
    Cell() : key() {}
  };

  std::size_t level_of(std::uint64_t time) const {
    const auto highest_bit = static_cast<unsigned>(63 - std::countl_zero((time ^ base_) | 1));
    return highest_bit * 43 >> 8;  // highest_bit / 6
  }
  static constexpr std::size_t digit_of(std::uint64_t time, std::size_t level) {
    return (time >> (kDigitBits * static_cast<int>(level))) & (kDigits - 1);
  }
  Position& end_of(std::size_t level, std::uint64_t time) {
    return ends_[level * kDigits + digit_of(time, level)];
  }
  std::size_t first_level() const { return static_cast<std::size_t>(std::countr_zero(levels_)); }
  std::size_t first_digit(std::size_t level) const {
    return static_cast<std::size_t>(std::countr_zero(taken_[level]));
  }
  std::size_t array_size() const { return tail_ - head_; }

  void append(std::size_t level, EventKey key) {
    Position& end = end_of(level, key.time());
    if (end % kChunk == 0) [[unlikely]]
      return append_to_new_chunk(level, key);
    pool_[end++].key = key;
  }

  // How many keys a bucket holds, if it is a single chunk; otherwise more than that.
  std::size_t size_if_small(std::size_t level, std::size_t digit) const {
    const Position last = ends_[level * kDigits + digit] - 1;
    const bool is_small = pool_[last / kChunk * kChunk].link == 0;
    return is_small ? last % kChunk : kChunk;
  }

  // Empties the first bucket of a level into `take`, chunk by chunk, giving the chunks back.
  template <class Take>
  void consume(std::size_t level, std::size_t digit, const Take& take) {
    Position end = ends_[level * kDigits + digit];
    ends_[level * kDigits + digit] = 0;
    taken_[level] &= taken_[level] - 1;
    if (taken_[level] == 0) levels_ &= levels_ - 1;
    while (end != 0) {
      const Position chunk = (end - 1) / kChunk * kChunk;
      const Position previous_end = pool_[chunk].link;
      take(chunk + 1, end);
      pool_[chunk].link = free_chunks_;
      free_chunks_ = chunk;
      end = previous_end;
    }
  }

  template <class Prefetch>
  [[gnu::noinline]] void refill(const Prefetch& prefetch) {
    refill_array();
    for (std::size_t i = head_; i < tail_; ++i) prefetch(sorted_[i].slot());
  }

  void refill_array();
  void take_for_array(std::size_t level, std::size_t digit);
  void move_base_to(std::size_t level, std::size_t digit);
  void sort_array();
  void push_to_new_chunk(EventKey key);
  void append_to_new_chunk(std::size_t level, EventKey key);
  void insert_sorted(EventKey key);
  void merge_near();
  void split();
  void start_over();
  void make_room();
  void set_array(std::size_t head, std::size_t tail);
  void set_limit(std::uint64_t limit);

  std::uint64_t base_ = 0;
  std::uint64_t limit_ = 0;
  EventKey near_first_;  // the first near key; if there is none, before all at limit_
  std::size_t head_ = 0;
  std::size_t tail_ = 0;
  std::vector<EventKey> sorted_;  // rising from head_ to tail_, where a key after all others stands
  std::uint32_t levels_ = 0;      // bit l: level l has a bucket in use
  std::array<std::uint64_t, kLevels> taken_{};  // bit d of level l: that bucket is in use
  std::array<Position, kNear + 1> ends_{};      // one past a bucket's last key; 0: empty
  std::vector<Cell> pool_;
  Position free_chunks_ = 0;
  std::size_t merged_ = 0;  // near keys since the array was filled or split
};

}  // namespace sim::kernel
