#include "kernel/radix_keys.h"

#include <algorithm>
#include <cstring>

namespace sim::kernel {
namespace {

// Four vectors of eight 16-bit numbers are ranked in one walk: what fits the registers of every x86-64 and
// ARM.
using Lanes = std::int16_t __attribute__((vector_size(16)));
constexpr std::size_t kLanes = 8;
constexpr std::size_t kWalk = 4 * kLanes;
constexpr std::size_t kMostRanked = 64;
constexpr int kPlaceBits = 6;
constexpr int kTimeBits = 15 - kPlaceBits;

using Codes = std::array<std::int16_t, kMostRanked + kWalk>;

// How many of the first n codes come before each.
void count_ranks(const Codes& codes, std::size_t n, Codes& ranks) {
  for (std::size_t first = 0; first < n; first += kWalk) {
    Lanes code[4];
    std::memcpy(code, codes.data() + first, sizeof(code));
    Lanes rank0{};
    Lanes rank1{};
    Lanes rank2{};
    Lanes rank3{};
    for (std::size_t j = 0; j < n; ++j) {
      const std::int16_t c = codes[j];
      const Lanes other = {c, c, c, c, c, c, c, c};
      rank0 -= other < code[0];
      rank1 -= other < code[1];
      rank2 -= other < code[2];
      rank3 -= other < code[3];
    }
    const Lanes rank[4] = {rank0, rank1, rank2, rank3};
    std::memcpy(ranks.data() + first, rank, sizeof(rank));
  }
}

// Sorts by counting for each key how many others come before it, which takes no branch that depends on a key.
// Compared are 16 bits of each: the top of its time, as far as times differ, and its place among them; so
// keys of nearly the same time come out in the order in which they stood.
void sort_roughly(const EventKey* from, std::size_t n, EventKey* to) {
  std::uint64_t differing = 0;
  for (std::size_t i = 0; i < n; ++i) differing |= from[i].time() ^ from[0].time();
  const auto width = static_cast<int>(std::bit_width(differing));
  const std::uint64_t mask = (std::uint64_t{1} << width) - 1;  // times have 63 bits
  const int down = std::max(0, width - kTimeBits);
  Codes codes;
  Codes ranks;
  for (std::size_t i = 0; i < n; ++i) {
    codes[i] = static_cast<std::int16_t>((from[i].time() & mask) >> down << kPlaceBits | i);
  }
  std::fill_n(codes.begin() + static_cast<std::ptrdiff_t>(n), kWalk, std::int16_t{0});  // ranked for nothing
  count_ranks(codes, n, ranks);
  for (std::size_t i = 0; i < n; ++i) to[ranks[i]] = from[i];
}

void sort_nearly_sorted(EventKey* keys, std::size_t n) {
  for (std::size_t i = 1; i < n; ++i) {
    if (!(keys[i] < keys[i - 1])) [[likely]]
      continue;
    const EventKey key = keys[i];
    std::size_t j = i;
    for (; j > 0 && key < keys[j - 1]; --j) keys[j] = keys[j - 1];
    keys[j] = key;
  }
}

}  // namespace

RadixKeys::RadixKeys() : sorted_(4 * kRun), pool_(kChunk) {
  ends_[kNear] = kNoneNear;
  restart(0);
}

void RadixKeys::restart(std::uint64_t time) {
  base_ = time;
  set_limit(time);
  set_array(0, 0);
}

// Takes the first buckets for the array, once the first of all is small. REQUIRES: the array is empty, there
// is no near key, and some bucket is taken
void RadixKeys::refill_array() {
  std::size_t level = first_level();
  std::size_t digit = first_digit(level);
  for (; level != 0 && size_if_small(level, digit) >= kRun; digit = first_digit(level)) {
    move_base_to(level, digit);
    --level;
    consume(level + 1, digit, [this, level](Position begin, Position end) {
      for (Position i = begin; i != end; ++i) append(level, pool_[i].key);
    });
  }
  head_ = kRun;  // with room before it for as many keys, sorted
  tail_ = kRun;
  take_for_array(level, digit);
  while (array_size() < kEnough && taken_[level] != 0) {
    digit = first_digit(level);
    if (array_size() + size_if_small(level, digit) > kRun) break;
    take_for_array(level, digit);
  }
  set_limit(base_ + (std::uint64_t{1} << (kDigitBits * static_cast<int>(level))));
  sort_array();
  merged_ = 0;
}

void RadixKeys::take_for_array(std::size_t level, std::size_t digit) {
  move_base_to(level, digit);
  consume(level, digit, [this](Position begin, Position end) {
    while (sorted_.size() - tail_ <= kChunk) make_room();
    EventKey* const to = sorted_.data() + tail_;
    const Cell* const from = pool_.data() + begin;
    const std::size_t n = end - begin;
    tail_ += n;
    // Three whether there are as many or not: most neighbours hold few, and a loop would guess wrong how
    // many.
    for (std::size_t i = 0; i < 3; ++i) to[i] = from[i].key;
    for (std::size_t i = 3; i < n; ++i) to[i] = from[i].key;
  });
}

void RadixKeys::move_base_to(std::size_t level, std::size_t digit) {
  const int shift = kDigitBits * static_cast<int>(level);
  const std::uint64_t above = level + 1 < kLevels ? base_ >> (shift + kDigitBits) << (shift + kDigitBits) : 0;
  base_ = above | std::uint64_t{digit} << shift;
}

void RadixKeys::sort_array() {
  const std::size_t n = array_size();
  EventKey* const keys = sorted_.data();
  if (n > kRun) {  // so many of a single instant
    std::sort(keys + head_, keys + tail_);
    return set_array(head_, tail_);
  }
  if (n <= 3) {
    sort_nearly_sorted(keys + head_, n);
    return set_array(head_, tail_);
  }
  sort_roughly(keys + head_, n, keys);
  sort_nearly_sorted(keys, n);
  set_array(0, n);
}

// The rare end of push(): the chunk that `key` belongs into is full, or there is none.
void RadixKeys::push_to_new_chunk(EventKey key) {
  const bool is_near = key.time() < limit_;
  const bool needs_no_bucket = levels_ == 0 && array_size() < kFew;
  if (ends_[kNear] != kNoneNear && (is_near || needs_no_bucket)) {
    merge_near();  // which may change all that was asked
    return push(key);
  }
  if (!needs_no_bucket) return append_to_new_chunk(level_of(key.time()), key);
  set_limit(key.time() + 1);
  insert_sorted(key);
  set_array(head_, tail_);
}

void RadixKeys::append_to_new_chunk(std::size_t level, EventKey key) {
  Position chunk = free_chunks_;
  if (chunk != 0) {
    free_chunks_ = pool_[chunk].link;
  } else {
    chunk = static_cast<Position>(pool_.size());
    pool_.resize(pool_.size() + kChunk);
  }
  Position& end = end_of(level, key.time());
  pool_[chunk].link = end;
  pool_[chunk + 1].key = key;
  end = chunk + 2;
  taken_[level] |= std::uint64_t{1} << digit_of(key.time(), level);
  levels_ |= 1u << level;
}

// Leaves it to the caller to set_array().
void RadixKeys::insert_sorted(EventKey key) {
  // What is scheduled for very soon goes to the front, where room is left by what was dropped.
  if (head_ > 0 && head_ < tail_ && key < sorted_[head_ + (tail_ - head_) / 2]) {
    EventKey* const place = sorted_.data();
    std::size_t at = --head_;
    for (; place[at + 1] < key; ++at) place[at] = place[at + 1];
    place[at] = key;
    return;
  }
  if (tail_ + 1 == sorted_.size()) make_room();
  EventKey* const keys = sorted_.data();
  std::size_t i = tail_++;
  for (; i > head_ && key < keys[i - 1]; --i) keys[i] = keys[i - 1];
  keys[i] = key;
}

void RadixKeys::merge_near() {
  const Position end = ends_[kNear];
  for (Position i = kNoneNear; i != end; ++i) insert_sorted(pool_[i].key);
  ends_[kNear] = kNoneNear;
  set_limit(limit_);
  set_array(head_, tail_);
  merged_ += end - kNoneNear;
  if (merged_ > kPatience) split();
}

// Much is scheduled for very soon, all of which is inserted into the array. Its later half returns to the
// buckets, unless it all belongs to one instant; then new keys come last and cost nothing.
void RadixKeys::split() {
  merged_ = 0;
  const auto begin = sorted_.begin() + static_cast<std::ptrdiff_t>(head_);
  const auto end = sorted_.begin() + static_cast<std::ptrdiff_t>(tail_);
  if (array_size() <= kEnough || begin->time() == (end - 1)->time()) return;
  const std::uint64_t first = begin->time();
  if (first < base_) {
    if (array_size() > kLong) start_over();
    return;
  }
  const auto is_before = [](EventKey key, std::uint64_t time) { return key.time() < time; };
  const std::uint64_t middle = (begin + (end - begin) / 2)->time();
  set_limit(middle > first ? middle : first + 1);
  const auto keep_end = std::lower_bound(begin, end, limit_, is_before);
  for (auto key = keep_end; key != end; ++key) append(level_of(key->time()), *key);
  set_array(head_, static_cast<std::size_t>(keep_end - sorted_.begin()));
}

// Someone looked at the first key, which moved base_ up to it, and then pushed a great many before it.
// Buckets are only in order above base_, so all keys are dealt out anew from the beginning of time. Rare, and
// linear.
void RadixKeys::start_over() {
  std::vector<EventKey> keys(sorted_.begin() + static_cast<std::ptrdiff_t>(head_),
                             sorted_.begin() + static_cast<std::ptrdiff_t>(tail_));
  while (levels_ != 0) {
    const std::size_t level = first_level();
    consume(level, first_digit(level), [this, &keys](Position begin, Position end) {
      for (Position i = begin; i != end; ++i) keys.push_back(pool_[i].key);
    });
  }
  restart(0);
  for (const EventKey key : keys) append(level_of(key.time()), key);
}

// For the array to grow at its tail: back to the front if that is mostly free, or else into more memory.
void RadixKeys::make_room() {
  const std::size_t n = array_size();
  if (head_ <= n) return sorted_.resize(2 * sorted_.size());
  const auto begin = sorted_.begin();
  std::copy(begin + static_cast<std::ptrdiff_t>(head_), begin + static_cast<std::ptrdiff_t>(tail_), begin);
  head_ = 0;
  tail_ = n;
}

void RadixKeys::set_array(std::size_t head, std::size_t tail) {
  head_ = head;
  tail_ = tail;
  sorted_[tail] = EventKey::before_all_at(~std::uint64_t{0});
}

// REQUIRES: there is no near key
void RadixKeys::set_limit(std::uint64_t limit) {
  limit_ = limit;
  near_first_ = EventKey::before_all_at(limit);
}

}  // namespace sim::kernel
