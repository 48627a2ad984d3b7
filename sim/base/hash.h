#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

// Stable hashes: the same number on every machine, compiler and run. Not for secrets.
//
// A Fingerprint is what two runs are compared by: it folds 64-bit words in order. Each step is a
// bijection of the state for a given word and of the word for a given state, so two histories
// that differ in a single word never meet again by that word alone.
namespace sim {

// A bijection of 64-bit words in which every input bit reaches every output bit: the finaliser
// of SplitMix64 (Steele, Lea, Flood 2014; constants of Stafford's variant 13).
constexpr std::uint64_t mix64(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBull;
  return x ^ (x >> 31);
}

// FNV-1a, mixed at the end because its high bits alone are weak for short texts.
constexpr std::uint64_t hash_string(std::string_view text) {
  std::uint64_t hash = 0xCBF29CE484222325ull;
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x00000100000001B3ull;
  }
  return mix64(hash);
}

class Fingerprint {
 public:
  constexpr Fingerprint() = default;

  constexpr void add(std::uint64_t word) {
    state_ = (state_ ^ word) * 0x9FB21C651E98DF25ull;
    state_ ^= state_ >> 32;
  }

  // Several words of one record in one step: they meet in parallel before they touch the state, so
  // the chain that every later step waits for stays one multiplication long. Each word is spread in a way of
  // its own; for given others the sum is still a bijection of it. The turns keep apart what differs in high
  // bits alone, which a multiplication leaves where it is.
  constexpr void add(std::uint64_t a, std::uint64_t b, std::uint64_t c, std::uint64_t d,
                     std::uint64_t e = 0) {
    add(a * 0x9E3779B97F4A7C15ull + std::rotl(b * 0xC2B2AE3D27D4EB4Full, 13) +
        std::rotl(c * 0x165667B19E3779F9ull, 26) + std::rotl(d * 0xD6E8FEB86659FD93ull, 39) +
        std::rotl(e * 0x94D049BB133111EBull, 52));
  }

  // Bytes and their number, so that "ab","c" is not "a","bc".
  constexpr void add_bytes(std::string_view bytes) {
    std::uint64_t word = 0;
    int filled = 0;
    for (const char c : bytes) {
      word |= std::uint64_t{static_cast<unsigned char>(c)} << filled;
      filled += 8;
      if (filled == 64) {
        add(word);
        word = 0;
        filled = 0;
      }
    }
    if (filled != 0) add(word);
    add(bytes.size());
  }

  constexpr std::uint64_t value() const { return mix64(state_); }

  constexpr bool operator==(const Fingerprint&) const = default;

 private:
  std::uint64_t state_ = 0x6A09E667F3BCC908ull;
};

}  // namespace sim
