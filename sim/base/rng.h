#pragma once

#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "base/hash.h"
#include "base/int128.h"

// Random streams that are values.
//
// A stream is a key and a counter: draw number n of a stream is a pure function of both. The key
// comes from the seed and the stream's name, so a new consumer of randomness, with a name of its
// own, shifts no other stream; and a copy of a stream draws on exactly as the original would.
//
// The function is SplitMix64's (Steele, Lea, Flood 2014) with the key fed in twice, before the first
// and before the second round: with one feed, two streams are the same sequence at two places.
//
// One draw per statement: in f(rng.next(), rng.next()) compilers disagree about the order.
namespace sim {

class Rng {
 public:
  Rng(std::uint64_t seed, std::string_view stream_name) : key_(derive(seed, stream_name)) {}

  std::uint64_t next() {
    counter_ += 0x9E3779B97F4A7C15ull;
    std::uint64_t x = counter_ + key_;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull;
    x = (x ^ (x >> 27) ^ key_) * 0x94D049BB133111EBull;
    return x ^ (x >> 31);
  }

  // Uniform over [0, n), without bias (Lemire 2019). REQUIRES: n > 0
  std::uint64_t below(std::uint64_t n) {
    SIM_CHECK(n > 0, "there is no number below zero to draw");
    uint128 product = uint128{next()} * n;
    if (low_word(product) < n) [[unlikely]] {
      const std::uint64_t excess = (0 - n) % n;  // 2^64 mod n: what must be thrown away
      while (low_word(product) < excess) product = uint128{next()} * n;
    }
    return high_word(product);
  }

  // Uniform over [lo, hi). REQUIRES: lo < hi
  std::int64_t between(std::int64_t lo, std::int64_t hi) {
    SIM_CHECK(lo < hi, "a range to draw from is not empty");
    const std::uint64_t width = static_cast<std::uint64_t>(hi) - static_cast<std::uint64_t>(lo);
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(lo) + below(width));
  }

  // True with probability num / den. REQUIRES: den > 0
  bool bernoulli(std::uint64_t num, std::uint64_t den) { return below(den) < num; }

  // A stream that depends on this one's key and the name alone, not on what was drawn so far.
  Rng child(std::string_view name) const { return Rng(key_, name); }

  bool operator==(const Rng&) const = default;

 private:
  static constexpr std::uint64_t derive(std::uint64_t seed, std::string_view name) {
    return mix64(mix64(seed + 0x9E3779B97F4A7C15ull) ^ hash_string(name));
  }

  std::uint64_t key_;
  std::uint64_t counter_ = 0;
};

}  // namespace sim
