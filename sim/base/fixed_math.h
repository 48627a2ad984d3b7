#pragma once

#include <array>
#include <bit>
#include <compare>
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "base/int128.h"

// Logarithms, powers and the normal quantile in integer arithmetic: the same bits on every machine.
//
// libm is allowed to differ between versions and processors in the last bit, and one bit in a
// sampled latency is another run. So whatever decides a value here uses none of it. A Q32 is a
// signed fixed-point number with 32 fractional bits. Accuracy (each bound is tested): log2, ln and
// exp2's exponent part are good to the last of the 32 bits give or take one; exp2 to a relative
// 2^-40; the normal quantile to 2^-14 absolute, which is a relative error below 1e-4 in a latency.
//
// Not for general numerics: no NaN, no infinities; results that do not fit saturate.
namespace sim {

struct Q32 {
  std::int64_t raw = 0;  // value * 2^32

  static constexpr Q32 of(std::int64_t whole) { return Q32{whole * (std::int64_t{1} << 32)}; }
  // num / den, rounded to nearest. REQUIRES: den > 0, |num| < 2^31 * den
  static Q32 ratio(std::int64_t num, std::int64_t den);

  constexpr Q32 operator+(Q32 other) const { return Q32{raw + other.raw}; }
  constexpr Q32 operator-(Q32 other) const { return Q32{raw - other.raw}; }
  constexpr Q32 operator-() const { return Q32{-raw}; }
  constexpr auto operator<=>(const Q32&) const = default;
};

Q32 operator*(Q32 a, Q32 b);  // rounded to nearest
Q32 operator/(Q32 a, Q32 b);  // rounded toward zero. REQUIRES: b.raw != 0

// log2(x) with 56 fractional bits, good to 2^-54. REQUIRES: x > 0
std::int64_t log2_q56(std::uint64_t x);

namespace internal {
inline constexpr int kChordBits = 8;
extern const std::array<std::uint64_t, (1u << kChordBits) + 1> kLnChords;  // ln(1 + i / 256) * 2^58
}  // namespace internal

// -ln(x / 2^64) with 58 fractional bits, too large by at most 2^-19 or too small by 2^-52: chords between 257
// points, made to be drawn from in a few nanoseconds. Never decreasing as x falls. REQUIRES: x > 0
inline std::uint64_t neg_ln_q58(std::uint64_t x) {
  SIM_CHECK(x > 0, "zero has no logarithm");
  const int zeros = std::countl_zero(x);
  const std::uint64_t fraction = x << zeros << 1;  // of the mantissa, * 2^64
  const std::uint64_t* const chord = &internal::kLnChords[fraction >> (64 - internal::kChordBits)];
  const std::uint64_t rise = chord[1] - chord[0];
  const std::uint64_t ln_mantissa = chord[0] + high_word(uint128{rise} * (fraction << internal::kChordBits));
  return (static_cast<std::uint64_t>(zeros) + 1) * internal::kLnChords.back() - ln_mantissa;
}

Q32 log2(Q32 x);                  // REQUIRES: x > 0
Q32 ln(Q32 x);                    // REQUIRES: x > 0
Q32 exp2(Q32 x);                  // saturates at the largest Q32
Q32 pow(Q32 base, Q32 exponent);  // REQUIRES: base > 0

// whole * 2^exponent, rounded to nearest, saturating at the largest int64. REQUIRES: whole >= 0
std::int64_t scale_exp2(std::int64_t whole, Q32 exponent);

// 2^-exponent as a fraction of 2^64 (1 itself becomes 2^64 - 1). REQUIRES: exponent >= 0
std::uint64_t exp2_fraction(Q32 exponent);

// z with P(Z < z) = u / 2^64 for a standard normal Z. Never decreasing in u; the tails reach to
// +-9.1, where 2^-64 lies.
Q32 normal_quantile(std::uint64_t u);

inline constexpr Q32 kNormalP99{9991588038};  // normal quantile of 0.99: 2.3263478740
inline constexpr Q32 kLn2{2977044472};        // 0.6931471806
inline constexpr Q32 kLog2E{6196328019};      // 1.4426950409

}  // namespace sim
