#include "base/fixed_math.h"

#include <array>
#include <bit>
#include <limits>

#include "base/check.h"
#include "base/int128.h"

namespace sim {
namespace {

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();

constexpr std::int64_t saturate(int128 x) {
  if (x > kMax) return kMax;
  if (x < -int128{kMax}) return -kMax;
  return static_cast<std::int64_t>(x);
}

// (a * b) >> shift, rounded down.
constexpr std::int64_t mul_shift(std::int64_t a, std::int64_t b, int shift) {
  return static_cast<std::int64_t>((int128{a} * b) >> shift);
}

// ---- log2: a table of reciprocals brings the mantissa to 1 + r with |r| < 2^-9, a polynomial does the rest.

constexpr int kLogBits = 8;

struct LogEntry {
  std::uint64_t reciprocal;  // of the middle of the interval, * 2^64
  std::int64_t log2_q62;     // of 1 / reciprocal, as rounded
};

// Fraction of log2 of a number in [1, 2) given * 2^63: squaring doubles the logarithm, so whether the
// square reaches 2 is its next binary digit.
constexpr std::int64_t log2_digits_q62(std::uint64_t mantissa_q63) {
  std::int64_t digits = 0;
  for (int i = 0; i < 62; ++i) {
    const uint128 square = uint128{mantissa_q63} * mantissa_q63;  // in [1, 4) * 2^126
    const bool reaches_two = (square >> 127) != 0;
    mantissa_q63 = static_cast<std::uint64_t>(square >> (reaches_two ? 64 : 63));
    digits = digits * 2 + (reaches_two ? 1 : 0);
  }
  return digits;
}

constexpr auto make_log_table() {
  std::array<LogEntry, 1u << kLogBits> table{};
  for (std::size_t i = 0; i < table.size(); ++i) {
    const uint128 twice_middle =
        (uint128{1} << (kLogBits + 1)) + 2 * i + 1;  // (1 + (i + 1/2) / 2^bits) * 2^(bits + 1)
    const auto reciprocal = static_cast<std::uint64_t>((uint128{1} << (64 + kLogBits + 1)) / twice_middle);
    table[i] = {reciprocal, (std::int64_t{1} << 62) - log2_digits_q62(reciprocal)};
  }
  return table;
}

constexpr auto kLogTable = make_log_table();

// log2(1 + r) = sum of (-1)^(k+1) r^k / (k ln 2); the constants are 1 / (k ln 2) * 2^62.
constexpr std::int64_t log2_of_one_plus_q62(std::int64_t r_q63) {
  std::int64_t sum = 1330651309784432249;
  sum = 1663314137230540311 - mul_shift(r_q63, sum, 63);
  sum = 2217752182974053749 - mul_shift(r_q63, sum, 63);
  sum = 3326628274461080623 - mul_shift(r_q63, sum, 63);
  sum = 6653256548922161246 - mul_shift(r_q63, sum, 63);
  return mul_shift(r_q63, sum, 63);
}

// ---- -ln of a random fraction: the points between which neg_ln_q58() draws its chords.

constexpr auto make_ln_chords() {
  constexpr std::uint64_t kLn2Q64 = 12786308645202655660ull;
  std::array<std::uint64_t, (1u << internal::kChordBits) + 1> table{};
  for (std::size_t i = 0; i + 1 < table.size(); ++i) {
    const std::uint64_t mantissa_q63 =
        (std::uint64_t{1} << 63) + (std::uint64_t{i} << (63 - internal::kChordBits));
    table[i] = high_word(uint128{static_cast<std::uint64_t>(log2_digits_q62(mantissa_q63))} * kLn2Q64) >> 4;
  }
  table.back() = kLn2Q64 >> 6;
  return table;
}

// ---- exp2: a table of 2^(i/128) and the exponential series for the rest, below 2^-7.

constexpr int kExpBits = 7;

constexpr uint128 floor_sqrt(uint128 x) {
  uint128 root = 0;
  for (uint128 bit = uint128{1} << 63; bit != 0; bit >>= 1) {
    const uint128 larger = root | bit;
    if (larger * larger <= x) root = larger;
  }
  return root;
}

constexpr auto make_exp_table() {
  std::array<std::uint64_t, 1u << kExpBits> table{};
  table[0] = std::uint64_t{1} << 63;
  uint128 root = uint128{1} << 64;  // 2^(1/1), * 2^63
  for (std::size_t step = table.size() / 2; step != 0; step /= 2) {
    root = floor_sqrt(root << 63);  // 2^(step/128)
    for (std::size_t i = 0; i < table.size(); i += 2 * step) {
      table[i + step] = static_cast<std::uint64_t>((table[i] * root) >> 63);
    }
  }
  return table;
}

constexpr auto kExpTable = make_exp_table();

// 2^(fraction / 2^32) * 2^63
constexpr std::uint64_t exp2_mantissa(std::uint32_t fraction) {
  constexpr std::uint64_t kLn2Q64 = 12786308645202655660ull;
  constexpr int kRest = 32 - kExpBits;
  const std::uint64_t rest_q63 = std::uint64_t{fraction & ((1u << kRest) - 1)} << 31;
  const std::uint64_t t = high_word(uint128{rest_q63} * kLn2Q64);  // rest * ln 2, * 2^63
  const std::uint64_t t2 = static_cast<std::uint64_t>((uint128{t} * t) >> 63);
  const std::uint64_t t3 = static_cast<std::uint64_t>((uint128{t2} * t) >> 63);
  const std::uint64_t t4 = static_cast<std::uint64_t>((uint128{t2} * t2) >> 63);
  const std::uint64_t series = t + t2 / 2 + t3 / 6 + t4 / 24;
  const std::uint64_t base = kExpTable[fraction >> kRest];
  return base + static_cast<std::uint64_t>((uint128{base} * series) >> 63);
}

// ---- The normal quantile: knots at 64 tail probabilities per octave, straight lines between them.
//
// The knots come from Mills' ratio R(z) = P(Z > z) / density(z). It is computed at 9.5 by its continued
// fraction (Laplace) and carried down to 0 by Taylor steps of R' = z R - 1, the direction in which
// errors shrink. Then -log2 P(Z > z) = z^2 log2(e) / 2 + log2(sqrt(2 pi)) - log2 R(z), whose derivative
// is log2(e) / R(z), is solved for z by Newton's method. All in integers with 56 fractional bits.
class NormalTable {
 public:
  NormalTable() {
    carry_mills_ratio_down();
    std::size_t cell = 0;
    for (std::size_t i = kKnots; i-- > 0;) {  // from the middle of the bell outward
      const std::size_t octave = i / kPerOctave;
      const std::int64_t log2_mantissa = log2_q56(kPerOctave + i % kPerOctave) - log2_q56(kPerOctave);
      const std::int64_t target = (65 - static_cast<std::int64_t>(octave)) * kOne - log2_mantissa;
      while (cell < kCells && neg_log2_tail(cell + 1, 0) <= target) ++cell;
      knots_[i] = (solve(cell, target) + (std::int64_t{1} << 23)) >> 24;
    }
    knots_[kKnots - 1] = 0;
  }

  // Tail probability odd / 2^65, at most one half. REQUIRES: odd is odd
  std::int64_t at(std::uint64_t odd) const {
    const int zeros = std::countl_zero(odd);
    const std::uint64_t mantissa = odd << zeros;
    const std::size_t i =
        static_cast<std::size_t>(63 - zeros) * kPerOctave + ((mantissa >> 57) & (kPerOctave - 1));
    const auto within =
        static_cast<std::int64_t>((mantissa << 7) >> 39);  // 25 bits of the way to the next knot
    return knots_[i] + (((knots_[i + 1] - knots_[i]) * within) >> 25);
  }

 private:
  static constexpr std::size_t kPerOctave = 64;
  static constexpr std::size_t kKnots = 64 * kPerOctave + 1;  // tails from 2^-65 to 1/2
  static constexpr int kCellShift = 8;
  static constexpr std::size_t kCells = 19 << (kCellShift - 1);  // z from 0 to 9.5
  static constexpr std::int64_t kOne = std::int64_t{1} << 56;

  static constexpr std::int64_t z_at(std::size_t cell) {
    return static_cast<std::int64_t>(cell) * (kOne >> kCellShift);
  }
  static constexpr std::int64_t mul(std::int64_t a, std::int64_t b) { return mul_shift(a, b, 56); }

  void carry_mills_ratio_down() {
    std::int64_t ratio = z_at(kCells);
    for (std::int64_t k = 80; k > 0; --k) {  // z + k / (z + (k+1) / (z + ...)), innermost first
      ratio = z_at(kCells) + static_cast<std::int64_t>((int128{k} << 112) / ratio);
    }
    mills_[kCells] = static_cast<std::int64_t>((int128{1} << 112) / ratio);
    for (std::size_t cell = kCells; cell > 0; --cell) mills_[cell - 1] = mills(cell, -(kOne >> kCellShift));
  }

  // R(z_at(cell) + step), from its Taylor series there: (n + 1) c[n+1] = z c[n] + c[n-1].
  std::int64_t mills(std::size_t cell, std::int64_t step) const {
    const std::int64_t z = z_at(cell);
    std::array<std::int64_t, 8> c{};
    c[0] = mills_[cell];
    c[1] = mul(z, c[0]) - kOne;
    for (std::size_t n = 1; n + 1 < c.size(); ++n) {
      c[n + 1] = (mul(z, c[n]) + c[n - 1]) / static_cast<std::int64_t>(n + 1);
    }
    std::int64_t sum = 0;
    for (std::size_t n = c.size(); n-- > 0;) sum = c[n] + mul(sum, step);
    return sum;
  }

  std::int64_t neg_log2_tail(std::size_t cell, std::int64_t step) const {
    constexpr std::int64_t kHalfLog2E = 51978566788454385;  // log2(e) / 2
    constexpr std::int64_t kLog2Sqrt2Pi = 95530215845326779;
    const std::int64_t z = z_at(cell) + step;
    const std::int64_t log2_mills = log2_q56(static_cast<std::uint64_t>(mills(cell, step))) - 56 * kOne;
    return mul(mul(z, z), kHalfLog2E) + kLog2Sqrt2Pi - log2_mills;
  }

  std::int64_t solve(std::size_t cell, std::int64_t target) const {
    constexpr std::int64_t kLn2Q56 = 49946518145322874;
    std::int64_t step = 0;
    for (int i = 0; i < 4; ++i) {
      const std::int64_t missing = target - neg_log2_tail(cell, step);
      step += mul(mul(missing, kLn2Q56), mills(cell, step));
    }
    return z_at(cell) + step;
  }

  std::array<std::int64_t, kCells + 1> mills_{};
  std::array<std::int64_t, kKnots> knots_{};  // z * 2^32, falling
};

}  // namespace

constexpr decltype(internal::kLnChords) internal::kLnChords = make_ln_chords();

Q32 Q32::ratio(std::int64_t num, std::int64_t den) {
  SIM_CHECK(den > 0, "a ratio has a positive denominator");
  const int128 scaled = (int128{num} << 33) / den;  // one bit more, to round by
  return Q32{saturate((scaled + (scaled < 0 ? -1 : 1)) / 2)};
}

Q32 operator*(Q32 a, Q32 b) {
  return Q32{saturate((int128{a.raw} * b.raw + (std::int64_t{1} << 31)) >> 32)};
}

Q32 operator/(Q32 a, Q32 b) {
  SIM_CHECK(b.raw != 0, "division by zero");
  return Q32{saturate((int128{a.raw} << 32) / b.raw)};
}

std::int64_t log2_q56(std::uint64_t x) {
  SIM_CHECK(x > 0, "zero has no logarithm");
  const int zeros = std::countl_zero(x);
  const std::uint64_t mantissa = x << zeros;
  const LogEntry& entry = kLogTable[(mantissa >> (63 - kLogBits)) & ((1u << kLogBits) - 1)];
  const std::uint64_t near_one = high_word(uint128{mantissa} * entry.reciprocal);  // * 2^63
  const auto r_q63 = static_cast<std::int64_t>(near_one - (std::uint64_t{1} << 63));
  const std::int64_t fraction_q62 = entry.log2_q62 + log2_of_one_plus_q62(r_q63);
  return (std::int64_t{63 - zeros} << 56) + ((fraction_q62 + 32) >> 6);
}

Q32 log2(Q32 x) {
  SIM_CHECK(x.raw > 0, "only positive numbers have logarithms");
  const std::int64_t of_raw = log2_q56(static_cast<std::uint64_t>(x.raw));
  return Q32{((of_raw + (1 << 23)) >> 24) - Q32::of(32).raw};
}

Q32 ln(Q32 x) {
  SIM_CHECK(x.raw > 0, "only positive numbers have logarithms");
  constexpr std::int64_t kLn2Q62 = 3196577161300663915;
  const std::int64_t log2_of = log2_q56(static_cast<std::uint64_t>(x.raw)) - (std::int64_t{32} << 56);
  return Q32{static_cast<std::int64_t>((int128{log2_of} * kLn2Q62 + (int128{1} << 85)) >> 86)};
}

std::int64_t scale_exp2(std::int64_t whole, Q32 exponent) {
  SIM_CHECK(whole >= 0, "only sizes and durations are scaled");
  if (whole == 0) return 0;
  const std::int64_t octaves = exponent.raw >> 32;
  if (octaves >= 63) return kMax;
  if (octaves < -64) return 0;
  const uint128 product =
      uint128{static_cast<std::uint64_t>(whole)} * exp2_mantissa(static_cast<std::uint32_t>(exponent.raw));
  const auto shift = static_cast<int>(63 - octaves);  // 1..127
  const uint128 rounded = (product + (uint128{1} << (shift - 1))) >> shift;
  return rounded > static_cast<uint128>(kMax) ? kMax : static_cast<std::int64_t>(rounded);
}

Q32 exp2(Q32 x) {
  return Q32{scale_exp2(std::int64_t{1} << 32, x)};
}

Q32 pow(Q32 base, Q32 exponent) {
  SIM_CHECK(base.raw > 0, "only positive numbers are raised to fractions");
  const std::int64_t log2_base = log2_q56(static_cast<std::uint64_t>(base.raw)) - (std::int64_t{32} << 56);
  return exp2(Q32{saturate((int128{log2_base} * exponent.raw + (int128{1} << 55)) >> 56)});
}

std::uint64_t exp2_fraction(Q32 exponent) {
  SIM_CHECK(exponent.raw >= 0, "a fraction is at most one");
  if (exponent.raw == 0) return ~std::uint64_t{0};
  const std::int64_t negated = -exponent.raw;
  const std::int64_t shift = -(negated >> 32) - 1;
  if (shift >= 64) return 0;
  return exp2_mantissa(static_cast<std::uint32_t>(negated)) >> shift;
}

Q32 normal_quantile(std::uint64_t u) {
  static const NormalTable table;
  const bool upper = (u >> 63) != 0;
  const std::uint64_t tail = upper ? ~u : u;
  const std::int64_t distance = table.at(2 * tail + 1);
  return Q32{upper ? distance : -distance};
}

}  // namespace sim
