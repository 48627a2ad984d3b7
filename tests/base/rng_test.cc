// Random streams: the same numbers everywhere, without bias, and none of them shifts another.
#include "base/rng.h"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <vector>

namespace sim {
namespace {

// Chi-square over its degrees of freedom, in standard deviations from what pure chance gives.
double surprise(const std::vector<std::uint64_t>& counts, std::uint64_t draws) {
  const double expected = static_cast<double>(draws) / static_cast<double>(counts.size());
  double chi_square = 0;
  for (const std::uint64_t count : counts) {
    const double off = static_cast<double>(count) - expected;
    chi_square += off * off / expected;
  }
  const double freedom = static_cast<double>(counts.size()) - 1;
  return (chi_square - freedom) / std::sqrt(2 * freedom);
}

TEST_CASE("the same numbers on every machine and compiler") {
  Rng rng(42, "net/1->2");
  CHECK(rng.next() == 13323904897467667365ull);
  CHECK(rng.next() == 12369920311258352028ull);
  CHECK(rng.below(1'000'000) == 959582);
  CHECK(rng.between(-1000, 1000) == -775);
  CHECK_FALSE(rng.bernoulli(1, 3));
  Rng child = rng.child("loss");
  CHECK(child.next() == 15452570639811527899ull);
}

TEST_CASE("a copy draws on as the original") {
  Rng rng(1, "copy");
  for (int i = 0; i < 10; ++i) rng.next();
  Rng copy = rng;
  CHECK(copy == rng);
  for (int i = 0; i < 100; ++i) REQUIRE(copy.next() == rng.next());
  rng.next();
  CHECK_FALSE(copy == rng);
}

TEST_CASE("below() stays below and is without bias") {
  for (const std::uint64_t n : {2u, 3u, 7u, 10u, 64u, 100u, 1000u}) {
    CAPTURE(n);
    Rng rng(n, "below");
    std::vector<std::uint64_t> counts(n);
    const std::uint64_t draws = 200 * n + 20'000;
    for (std::uint64_t i = 0; i < draws; ++i) {
      const std::uint64_t x = rng.below(n);
      REQUIRE(x < n);
      ++counts[x];
    }
    CHECK(std::fabs(surprise(counts, draws)) < 5);
  }
  Rng rng(1, "one");
  for (int i = 0; i < 100; ++i) CHECK(rng.below(1) == 0);
  CHECK_THROWS_AS(rng.below(0), InternalError);
}

// Taking the high word alone would give every third number of this range twice the chance of the others.
TEST_CASE("below() is without bias where a careless one has most") {
  const std::uint64_t n = std::uint64_t{3} << 62;
  Rng rng(1, "large");
  std::vector<std::uint64_t> by_rest(3);
  std::vector<std::uint64_t> by_third(3);
  constexpr std::uint64_t kDraws = 60'000;
  for (std::uint64_t i = 0; i < kDraws; ++i) {
    const std::uint64_t x = rng.below(n);
    REQUIRE(x < n);
    ++by_rest[x % 3];
    ++by_third[x >> 62];
  }
  CHECK(std::fabs(surprise(by_rest, kDraws)) < 5);
  CHECK(std::fabs(surprise(by_third, kDraws)) < 5);
}

TEST_CASE("between() reaches both ends and nothing beyond") {
  Rng rng(1, "between");
  std::set<std::int64_t> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(rng.between(-3, 4));
  CHECK(seen == std::set<std::int64_t>{-3, -2, -1, 0, 1, 2, 3});
  constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  int negative = 0;
  for (int i = 0; i < 1000; ++i) negative += rng.between(kLeast, kMost) < 0 ? 1 : 0;
  CHECK(negative > 400);
  CHECK(negative < 600);
  CHECK_THROWS_AS(rng.between(4, 4), InternalError);
}

TEST_CASE("bernoulli() is true as often as it says") {
  struct Row {
    std::uint64_t num;
    std::uint64_t den;
  };
  for (const Row& row : {Row{0, 1}, Row{1, 1}, Row{1, 2}, Row{1, 1000}, Row{999, 1000}, Row{2, 3}}) {
    CAPTURE(row.num);
    Rng rng(row.den, "bernoulli");
    constexpr int kDraws = 100'000;
    int hits = 0;
    for (int i = 0; i < kDraws; ++i) hits += rng.bernoulli(row.num, row.den) ? 1 : 0;
    const double p = static_cast<double>(row.num) / static_cast<double>(row.den);
    CHECK(std::fabs(hits - kDraws * p) <= 5 * std::sqrt(kDraws * p * (1 - p)));
  }
}

TEST_CASE("every bit is as often one as zero, and follows no other bit of the draw before") {
  Rng rng(7, "bits");
  constexpr int kDraws = 20'000;
  std::vector<int> ones(64);
  std::vector<int> same(64 * 64);
  std::uint64_t last = rng.next();
  for (int i = 0; i < kDraws; ++i) {
    const std::uint64_t x = rng.next();
    for (unsigned b = 0; b < 64; ++b) {
      ones[b] += static_cast<int>(x >> b & 1);
      for (std::uint64_t alike = ~(x ^ std::rotl(last, static_cast<int>(b))); alike != 0;
           alike &= alike - 1) {
        ++same[b * 64 + static_cast<unsigned>(std::countr_zero(alike))];
      }
    }
    last = x;
  }
  const double limit = 5.5 * std::sqrt(kDraws) / 2;  // 4096 pairs are looked at
  for (const int count : ones) REQUIRE(std::fabs(count - kDraws / 2) < limit);
  for (const int count : same) REQUIRE(std::fabs(count - kDraws / 2) < limit);
}

TEST_CASE("streams of one seed, and of one name, have nothing in common") {
  std::set<std::uint64_t> all;
  std::size_t drawn = 0;
  std::vector<std::uint64_t> agreeing(65);
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    for (int from = 0; from < 12; ++from) {
      for (int to = 0; to < 12; ++to) {
        Rng rng(seed, "net/" + std::to_string(from) + "->" + std::to_string(to));
        Rng neighbour(seed, "net/" + std::to_string(from) + "->" + std::to_string(to + 1));
        for (int i = 0; i < 100; ++i) {
          const std::uint64_t x = rng.next();
          all.insert(x);
          ++drawn;
          ++agreeing[static_cast<std::size_t>(std::popcount(~(x ^ neighbour.next())))];
        }
      }
    }
  }
  CHECK(all.size() == drawn);
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < agreeing.size(); ++i) bits += agreeing[i] * i;
  const double total = 64.0 * static_cast<double>(drawn);
  CHECK(std::fabs(static_cast<double>(bits) - total / 2) < 5 * std::sqrt(total) / 2);
}

TEST_CASE("one stream is not another one further on") {
  Rng a(1, "a");
  std::set<std::uint64_t> differences;
  std::vector<std::uint64_t> drawn_a;
  for (int i = 0; i < 200; ++i) drawn_a.push_back(a.next());
  Rng b(1, "b");
  for (int i = 0; i < 200; ++i) {
    const std::uint64_t x = b.next();
    for (const std::uint64_t y : drawn_a) differences.insert(x ^ y);
  }
  CHECK(differences.size() == 200 * 200);
}

TEST_CASE("a child depends on the key and its name alone") {
  Rng parent(3, "broker-1");
  const Rng early = parent.child("disk");
  for (int i = 0; i < 10; ++i) parent.next();
  CHECK(parent.child("disk") == early);
  Rng disk = parent.child("disk");
  Rng net = parent.child("net");
  Rng grandchild = disk.child("disk");
  Rng again(3, "broker-1");
  std::set<std::uint64_t> all;
  for (int i = 0; i < 100; ++i) {
    all.insert(disk.next());
    all.insert(net.next());
    all.insert(grandchild.next());
    all.insert(again.next());
  }
  CHECK(all.size() == 400);
}

}  // namespace
}  // namespace sim
