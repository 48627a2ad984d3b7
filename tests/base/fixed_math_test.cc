// The integer functions keep the bounds that their header states, measured against long double libm; and give
// the same bits everywhere.
#include "base/fixed_math.h"

#include <doctest/doctest.h>

#include <cfloat>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "base/rng.h"

namespace sim {
namespace fixed_math_test {

using Real = long double;

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();

Real real(Q32 x) {
  return static_cast<Real>(x.raw) * 0x1p-32L;
}
Real ulps_q32(Q32 got, Real want) {
  return std::fabs(real(got) - want) * 0x1p32L;
}

// Numbers of every size: the edges of each octave, and some from within it.
std::vector<std::uint64_t> sizes(int bits) {
  std::vector<std::uint64_t> all;
  Rng rng(1, "sizes");
  for (int bit = 0; bit < bits; ++bit) {
    const std::uint64_t power = std::uint64_t{1} << bit;
    all.push_back(power);
    all.push_back(power | (power >> 1));
    all.push_back(power | (power - 1));
    for (int i = 0; i < 300; ++i) all.push_back(power | (rng.next() & (power - 1)));
  }
  return all;
}

TEST_CASE("log2_q56 is good to 2^-54") {
  static_assert(LDBL_MANT_DIG >= 64, "the yardstick must be finer than what it measures");
  for (const std::uint64_t x : sizes(64)) {
    CAPTURE(x);
    const Real error = static_cast<Real>(log2_q56(x)) * 0x1p-56L - std::log2(static_cast<Real>(x));
    REQUIRE(std::fabs(error) <= 0x1p-54L);
  }
  CHECK_THROWS_AS(log2_q56(0), InternalError);
}

TEST_CASE("neg_ln_q58 is too large by at most 2^-19 or too small by 2^-52, and never decreasing as x falls") {
  for (const std::uint64_t x : sizes(64)) {
    CAPTURE(x);
    const Real exact = 64 * std::log(2.0L) - std::log(static_cast<Real>(x));
    const Real error = static_cast<Real>(neg_ln_q58(x)) * 0x1p-58L - exact;
    REQUIRE(error <= 0x1p-19L);
    REQUIRE(error >= -0x1p-52L);
  }
  // Across every knot and every octave.
  for (int bit = 8; bit < 64; ++bit) {
    const std::uint64_t knot = std::uint64_t{1} << (bit - 8);
    for (std::uint64_t i = 256; i < 512; ++i) {
      const std::uint64_t x = i * knot;
      REQUIRE(neg_ln_q58(x - 1) >= neg_ln_q58(x));
      REQUIRE(neg_ln_q58(x) >= neg_ln_q58(x + 1));
    }
  }
  CHECK_THROWS_AS(neg_ln_q58(0), InternalError);
}

TEST_CASE("log2 and ln are good to the last bit give or take one") {
  for (const std::uint64_t raw : sizes(63)) {
    CAPTURE(raw);
    const Q32 x{static_cast<std::int64_t>(raw)};
    REQUIRE(ulps_q32(log2(x), std::log2(real(x))) <= 1);
    REQUIRE(ulps_q32(ln(x), std::log(real(x))) <= 1);
  }
  CHECK(log2(Q32::of(8)) == Q32::of(3));
  CHECK(ln(Q32::of(1)) == Q32{});
  CHECK_THROWS_AS(log2(Q32{}), InternalError);
  CHECK_THROWS_AS(ln(Q32{-1}), InternalError);
}

TEST_CASE("exp2 is good to a relative 2^-40") {
  Rng rng(2, "exponents");
  for (int i = 0; i < 20'000; ++i) {
    const Q32 x{rng.between(Q32::of(-70).raw, Q32::of(62).raw)};
    CAPTURE(x.raw);
    const Real exact = std::exp2(real(x));
    const Real scaled = static_cast<Real>(scale_exp2(1'000'003, x));
    const Real wanted = 1'000'003 * exact;
    if (wanted < 0x1p62L) REQUIRE(std::fabs(scaled - wanted) <= wanted * 0x1p-40L + 0.5L);
    if (x < Q32::of(30)) REQUIRE(ulps_q32(exp2(x), exact) <= exact * 0x1p-8L + 0.5L);
    if (x < Q32{}) {
      const Real fraction = static_cast<Real>(exp2_fraction(-x));
      const Real inverse = std::exp2(64 + real(x));
      REQUIRE(std::fabs(fraction - inverse) <= inverse * 0x1p-40L + 1);
    }
  }
}

TEST_CASE("powers of two are exact, and what does not fit saturates") {
  for (int i = 0; i < 31; ++i) CHECK(exp2(Q32::of(i)) == Q32::of(std::int64_t{1} << i));
  CHECK(exp2(Q32::of(-32)).raw == 1);
  CHECK(exp2(Q32::of(31)).raw == kMax);
  CHECK(exp2(Q32::of(1'000'000)).raw == kMax);
  CHECK(exp2(Q32::of(-1'000'000)).raw == 0);
  CHECK(scale_exp2(0, Q32::of(100)) == 0);
  CHECK(scale_exp2(3, Q32::of(10)) == 3072);
  CHECK(scale_exp2(3072, Q32::of(-10)) == 3);
  CHECK(scale_exp2(3, Q32::of(-1)) == 2);  // one and a half, to nearest
  CHECK(scale_exp2(kMax, Q32{}) == kMax);
  CHECK(scale_exp2(kMax, Q32{1}) == kMax);
  CHECK(scale_exp2(1, Q32::of(62)) == std::int64_t{1} << 62);
  CHECK(scale_exp2(1, Q32::of(63)) == kMax);
  CHECK(scale_exp2(kMax, Q32::of(-63)) == 1);
  CHECK(scale_exp2(kMax, Q32::of(-65)) == 0);
  CHECK_THROWS_AS(scale_exp2(-1, Q32{}), InternalError);
  CHECK(exp2_fraction(Q32{}) == ~std::uint64_t{0});
  CHECK(exp2_fraction(Q32::of(1)) == std::uint64_t{1} << 63);
  CHECK(exp2_fraction(Q32::of(64)) == 1);
  CHECK(exp2_fraction(Q32::of(65)) == 0);
  CHECK_THROWS_AS(exp2_fraction(Q32{-1}), InternalError);
}

TEST_CASE("pow is good to what the last bit of its exponent's logarithm is worth") {
  Rng rng(3, "powers");
  for (int i = 0; i < 5000; ++i) {
    const Q32 base{rng.between(1 << 20, std::int64_t{1} << 45)};
    const Q32 exponent{rng.between(Q32::of(-2).raw, Q32::of(2).raw)};
    const Real exact = std::pow(real(base), real(exponent));
    if (exact >= 0x1p31L) continue;
    CAPTURE(base.raw);
    CAPTURE(exponent.raw);
    REQUIRE(ulps_q32(pow(base, exponent), exact) <= exact + 1);
  }
  CHECK(pow(Q32::of(2), Q32::of(10)) == Q32::of(1024));
  CHECK(pow(Q32::of(4), Q32::ratio(1, 2)) == Q32::of(2));
  CHECK_THROWS_AS(pow(Q32{}, Q32::of(1)), InternalError);
}

// P(Z > z)
Real tail(Real z) {
  return std::erfc(z / std::sqrt(2.0L)) / 2;
}

TEST_CASE("the normal quantile is good to 2^-14") {
  for (const std::uint64_t x : sizes(63)) {
    CAPTURE(x);
    const Real wanted = (static_cast<Real>(x) + 0.5L) * 0x1p-64L;  // the middle of what u stands for
    const Real z = -real(normal_quantile(x));
    REQUIRE(tail(z + 0x1p-14L) < wanted);
    REQUIRE(tail(z - 0x1p-14L) > wanted);
    REQUIRE(normal_quantile(~x) == -normal_quantile(x));
  }
}

TEST_CASE("the normal quantile never decreases, from one end to the other") {
  Q32 last = normal_quantile(0);
  CHECK(last < Q32::of(-9));
  CHECK(last > Q32::ratio(-92, 10));
  for (std::uint64_t u = 1; u < 128; ++u) {
    REQUIRE(normal_quantile(u) >= last);
    last = normal_quantile(u);
  }
  for (int bit = 1; bit < 57; ++bit) {  // every knot of every octave below a half, and its neighbours
    for (std::uint64_t i = 64; i < 128; ++i) {
      const std::uint64_t knot = i << bit;
      for (const std::uint64_t u : {knot - 1, knot, knot + 1}) {
        const Q32 z = normal_quantile(u);
        REQUIRE(z >= last);
        last = z;
      }
    }
  }
  CHECK(normal_quantile((std::uint64_t{1} << 63) - 1) <= Q32{});
  CHECK(normal_quantile(std::uint64_t{1} << 63) >= Q32{});
  CHECK(normal_quantile(~std::uint64_t{0}) > Q32::of(9));
}

TEST_CASE("the constants are what they are called") {
  CHECK(ulps_q32(kLn2, std::log(2.0L)) <= 0.5L);
  CHECK(ulps_q32(kLog2E, 1 / std::log(2.0L)) <= 0.5L);
  CHECK(std::fabs(tail(real(kNormalP99)) - 0.01L) < 1e-11L);
}

TEST_CASE("Q32 arithmetic rounds as it says, and saturates") {
  CHECK(Q32::ratio(1, 2).raw == std::int64_t{1} << 31);
  CHECK(Q32::ratio(1, 3).raw == 1431655765);
  CHECK(Q32::ratio(2, 3).raw == 2863311531);
  CHECK(Q32::ratio(-2, 3).raw == -2863311531);
  CHECK(Q32::ratio(0, 3).raw == 0);
  CHECK_THROWS_AS(Q32::ratio(1, 0), InternalError);
  CHECK(Q32::of(3) * Q32::ratio(1, 2) == Q32::ratio(3, 2));
  CHECK(Q32{3} * Q32::ratio(1, 2) == Q32{2});  // a half of the last bit rounds up
  CHECK(Q32{-3} * Q32::ratio(1, 2) == Q32{-1});
  CHECK(Q32::of(1'000'000) * Q32::of(1'000'000) == Q32{kMax});
  CHECK(Q32::of(-1'000'000) * Q32::of(1'000'000) == Q32{-kMax});
  CHECK(Q32::of(7) / Q32::of(2) == Q32::ratio(7, 2));
  CHECK(Q32{1} / Q32::of(2) == Q32{0});
  CHECK(Q32{-1} / Q32::of(2) == Q32{0});
  CHECK(Q32::of(1) / Q32{1} == Q32{kMax});
  CHECK_THROWS_AS(Q32::of(1) / Q32{}, InternalError);
  CHECK(Q32::of(1) + Q32::of(2) - Q32::of(4) == -Q32::of(1));
}

TEST_CASE("the same bits on every machine and compiler") {
  CHECK(log2_q56(3) == 114208584442304136);
  CHECK(log2_q56(1'000'000'007) == 2154331315488928104);
  CHECK(log2_q56(~std::uint64_t{0}) == std::int64_t{1} << 62);
  CHECK(neg_ln_q58(1) == 12786308645202655616u);
  CHECK(neg_ln_q58(0x123456789abcdef0) == 761940701205279086);
  CHECK(neg_ln_q58(~std::uint64_t{0}) == 1);
  CHECK(ln(Q32::of(10)).raw == 9889527671);
  CHECK(exp2(Q32::ratio(1, 3)).raw == 5411319705);
  CHECK(exp2_fraction(Q32::ratio(7, 5)) == 6990008898125915809u);
  CHECK(scale_exp2(123'456'789, Q32::ratio(-5, 7)) == 75247756);
  CHECK(pow(Q32::of(10), Q32::ratio(-1, 3)).raw == 1993547225);
  CHECK(normal_quantile(0).raw == -39321687339);
  CHECK(normal_quantile(0x0123456789abcdef).raw == -11236933730);
  CHECK(normal_quantile(0xfedcba9876543210).raw == 11236933730);
}

}  // namespace fixed_math_test
}  // namespace sim
