#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernel/event_key.h"

// Keys in a monotone radix heap of base 64, with a small sorted array before it: the better queue for
// thousands and millions (Ahuja, Mehlhorn, Orlin, Tarjan 1990, adapted to a simulation's clock).
//
// Time never runs backward, so no order is needed among keys that lie far ahead. A key goes into the
// bucket named by the highest base-64 digit in which its time differs from `base_`, and by that digit.
// When the sorted array has run empty the first bucket is taken: a small one is sorted and becomes the
// array, a large one is spread over the 64 buckets one level down. So a key moves at most a few times,
// always from one run of memory to the end of another, and is compared with few others.
//
// Invariants: every key in the array has time < limit_, every key in a bucket has time >= limit_ >= base_;
// in each level, only digits above base_'s digit are taken (and that digit itself where time equals base_).
//
// Buckets are chains of fixed chunks out of one pool: a bucket that has been emptied hands its memory to the
// next one that fills, so the whole takes the memory of what is pending, not of every bucket's record.
namespace sim::kernel {

class RadixKeys {
 public:
  RadixKeys() : pool_(kChunk) {}  // chunk 0 is never handed out: position 0 means "nothing"

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  // REQUIRES: key is not before the last one dropped
  void push(EventKey key) {
    ++size_;
    if (key.time() < limit_) return insert_sorted(key);
    if (levels_ == 0 && size_ <= kFew) {  // so few that buckets are not worth their while
      limit_ = key.time() + 1;
      return insert_sorted(key);
    }
    put_in_bucket(key);
  }

  // REQUIRES: !empty(). `prefetch(slot)` is told of events that will soon be wanted.
  template <class Prefetch>
  EventKey front(const Prefetch& prefetch) {
    if (head_ == sorted_.size()) refill(prefetch);
    return sorted_[head_];
  }

  // REQUIRES: front() was called since the last change
  void drop_front() {
    ++head_;
    --size_;
  }

  // Allows keys from `time` on, which may lie before the last one dropped. REQUIRES: empty()
  void restart(std::uint64_t time) {
    sorted_.clear();
    head_ = 0;
    base_ = time;
    limit_ = time;
  }

 private:
  static constexpr int kDigitBits = 6;
  static constexpr std::size_t kDigits = std::size_t{1} << kDigitBits;
  static constexpr std::size_t kLevels = 63 / kDigitBits + 1;
  static constexpr std::uint32_t kChunk = 32;   // cells of a chunk, the first of which is its link
  static constexpr std::size_t kSplitAbove = 128;
  static constexpr std::size_t kFew = 8;

  using Position = std::uint32_t;  // an index into pool_

  static constexpr std::size_t digit_of(std::uint64_t time, std::size_t level) {
    return (time >> (kDigitBits * static_cast<int>(level))) & (kDigits - 1);
  }
  std::size_t first_level() const { return static_cast<std::size_t>(std::countr_zero(levels_)); }
  std::size_t first_digit(std::size_t level) const { return static_cast<std::size_t>(std::countr_zero(taken_[level])); }

  void put_in_bucket(EventKey key) {
    const auto highest_bit = static_cast<std::size_t>(63 - std::countl_zero((key.time() ^ base_) | 1));
    const std::size_t level = highest_bit / kDigitBits;
    append(level, digit_of(key.time(), level), key);
  }

  void append(std::size_t level, std::size_t digit, EventKey key) {
    Position& end = ends_[level * kDigits + digit];
    if (end % kChunk == 0) [[unlikely]] {
      end = add_chunk(end);
      taken_[level] |= std::uint64_t{1} << digit;
      levels_ |= 1u << level;
    }
    pool_[end].key = key;
    ++end;
  }

  Position add_chunk(Position previous_end) {
    Position chunk = free_chunks_;
    if (chunk != 0) {
      free_chunks_ = pool_[chunk].link;
    } else {
      chunk = static_cast<Position>(pool_.size());
      pool_.resize(pool_.size() + kChunk);
    }
    pool_[chunk].link = previous_end;
    return chunk + 1;
  }

  // Empties a bucket into `take`, giving its chunks back.
  template <class Take>
  void consume(std::size_t level, std::size_t digit, const Take& take) {
    Position end = ends_[level * kDigits + digit];
    ends_[level * kDigits + digit] = 0;
    taken_[level] &= taken_[level] - 1;
    if (taken_[level] == 0) levels_ &= levels_ - 1;
    while (end != 0) {
      const Position chunk = (end - 1) / kChunk * kChunk;
      const Position previous_end = pool_[chunk].link;
      for (Position i = chunk + 1; i < end; ++i) take(pool_[i].key);
      pool_[chunk].link = free_chunks_;
      free_chunks_ = chunk;
      end = previous_end;
    }
  }

  bool is_small(std::size_t level, std::size_t digit) const {
    const Position end = ends_[level * kDigits + digit];
    return pool_[(end - 1) / kChunk * kChunk].link == 0;
  }

  template <class Prefetch>
  void refill(const Prefetch& prefetch) {
    sorted_.clear();
    head_ = 0;
    while (true) {
      const std::size_t level = first_level();
      const std::size_t digit = first_digit(level);
      const int shift = kDigitBits * static_cast<int>(level);
      const std::uint64_t above = level + 1 < kLevels ? base_ >> (shift + kDigitBits) << (shift + kDigitBits) : 0;
      base_ = above | std::uint64_t{digit} << shift;
      if (level == 0 || is_small(level, digit)) {
        limit_ = base_ + (std::uint64_t{1} << shift);
        consume(level, digit, [&](EventKey key) {
          prefetch(key.slot());
          sorted_.push_back(key);
        });
        sort();
        return;
      }
      consume(level, digit, [&](EventKey key) { append(level - 1, digit_of(key.time(), level - 1), key); });
    }
  }

  void sort();
  void insert_sorted(EventKey key);
  void split();
  void start_over();

  union Cell {
    EventKey key;
    Position link;
    Cell() : key() {}
  };

  std::uint64_t base_ = 0;
  std::uint64_t limit_ = 0;
  std::vector<EventKey> sorted_;  // rising from head_ on
  std::size_t head_ = 0;
  std::size_t size_ = 0;
  std::uint32_t levels_ = 0;                           // bit l: level l has a bucket in use
  std::array<std::uint64_t, kLevels> taken_{};         // bit d of level l: that bucket is in use
  std::array<Position, kLevels * kDigits> ends_{};     // one past a bucket's last key; 0: empty
  std::vector<Cell> pool_;
  Position free_chunks_ = 0;
};

}  // namespace sim::kernel
