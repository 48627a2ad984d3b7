// Distributions: what is drawn has the shape that was asked for, quantiles and means agree with it, and the
// same seed gives the same numbers everywhere.
#include "base/distribution.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "base/check.h"

namespace sim {
namespace {

using Real = long double;

constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();

std::vector<std::int64_t> draw_sorted(const Distribution& distribution, int draws) {
  Rng rng(1, "draws");
  std::vector<std::int64_t> values;
  for (int i = 0; i < draws; ++i) values.push_back(distribution.sample(rng));
  std::sort(values.begin(), values.end());
  return values;
}

double mean_of(const std::vector<std::int64_t>& values) {
  Real sum = 0;
  for (const std::int64_t value : values) sum += static_cast<Real>(value);
  return static_cast<double>(sum / static_cast<Real>(values.size()));
}

// quantile() and the draws tell the same story: of n draws, n * p fall below it, give or take 5 standard
// deviations.
void check_quantiles_against_draws(const Distribution& distribution) {
  constexpr int kDraws = 50'000;
  const std::vector<std::int64_t> values = draw_sorted(distribution, kDraws);
  for (const std::uint32_t percent : {1u, 10u, 25u, 50u, 75u, 90u, 99u}) {
    CAPTURE(percent);
    const std::int64_t quantile = distribution.quantile(percent, 100);
    const auto below = std::lower_bound(values.begin(), values.end(), quantile) - values.begin();
    const auto not_above = std::upper_bound(values.begin(), values.end(), quantile) - values.begin();
    const double p = percent / 100.0;
    const double slack = 5 * std::sqrt(kDraws * p * (1 - p));
    CHECK(static_cast<double>(below) <= kDraws * p + slack);
    CHECK(static_cast<double>(not_above) >= kDraws * p - slack);
  }
}

// Chi-square over its degrees of freedom, in standard deviations from what pure chance gives.
double surprise(const std::vector<std::uint64_t>& counts, const std::vector<Real>& probabilities,
                std::uint64_t draws) {
  Real chi_square = 0;
  Real freedom = -1;
  Real rest_expected = 0;  // cells too rare to be judged alone
  Real rest_count = 0;
  const auto add = [&](Real expected, Real count) {
    chi_square += (count - expected) * (count - expected) / expected;
    freedom += 1;
  };
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const Real expected = probabilities[i] * static_cast<Real>(draws);
    if (expected >= 10) {
      add(expected, static_cast<Real>(counts[i]));
    } else {
      rest_expected += expected;
      rest_count += static_cast<Real>(counts[i]);
    }
  }
  if (rest_expected >= 10) add(rest_expected, rest_count);
  return static_cast<double>((chi_square - freedom) / std::sqrt(2 * freedom));
}

TEST_CASE("constant") {
  const Distribution five = Distribution::constant(5);
  Rng rng(1, "c");
  const Rng before = rng;
  CHECK(five.sample(rng) == 5);
  CHECK(rng == before);  // and nothing is drawn for it
  CHECK(five.mean() == 5);
  CHECK(five.quantile(0, 1) == 5);
  CHECK(five.quantile(1, 1) == 5);
  CHECK(Distribution().sample(rng) == 0);
  CHECK_THROWS_AS(five.quantile(2, 1), InternalError);
  CHECK_THROWS_AS(five.quantile(0, 0), InternalError);
}

TEST_CASE("uniform") {
  const Distribution die = Distribution::uniform(1, 7);
  std::vector<std::uint64_t> counts(6);
  for (const std::int64_t value : draw_sorted(die, 60'000)) {
    REQUIRE(value >= 1);
    REQUIRE(value < 7);
    ++counts[static_cast<std::size_t>(value - 1)];
  }
  CHECK(std::fabs(surprise(counts, std::vector<Real>(6, 1.0L / 6), 60'000)) < 5);
  CHECK(die.quantile(0, 1) == 1);
  CHECK(die.quantile(1, 6) == 1);
  CHECK(die.quantile(1, 2) == 3);
  CHECK(die.quantile(5, 6) == 5);
  CHECK(die.quantile(1, 1) == 6);
  check_quantiles_against_draws(Distribution::uniform(-1'000'000, 3'000'000));

  CHECK(Distribution::uniform(0, 11).mean() == 5);
  CHECK(Distribution::uniform(-10, 11).mean() == 0);
  CHECK(Distribution::uniform(7, 8).mean() == 7);
  const Distribution all = Distribution::uniform(kMin, kMax);
  CHECK(all.quantile(0, 1) == kMin);
  CHECK(all.quantile(1, 1) == kMax - 1);
  CHECK(all.mean() == -1);
  CHECK_THROWS_AS(Distribution::uniform(1, 1), InternalError);
}

TEST_CASE("exponential") {
  constexpr std::int64_t kMean = 2'000'000;
  const Distribution gaps = Distribution::exponential(kMean);
  CHECK(gaps.mean() == kMean);
  for (const std::uint32_t permille : {1u, 10u, 100u, 500u, 900u, 990u, 999u}) {
    CAPTURE(permille);
    const Real exact = -std::log(1 - permille / 1000.0L) * kMean;
    const Real off = static_cast<Real>(gaps.quantile(permille, 1000)) - exact;
    CHECK(std::fabs(off) <= kMean * 0x1p-19L + 1);
  }
  check_quantiles_against_draws(gaps);
  constexpr int kDraws = 200'000;
  const std::vector<std::int64_t> values = draw_sorted(gaps, kDraws);
  CHECK(values.front() >= 0);
  CHECK(std::fabs(mean_of(values) - kMean) < 5.0 * kMean / std::sqrt(kDraws));
  double squares = 0;
  for (const std::int64_t value : values)
    squares += static_cast<double>(value) * static_cast<double>(value) / kDraws;
  CHECK(std::fabs(squares / (2.0 * kMean * kMean) - 1) <
        5 * std::sqrt(5.0 / kDraws));  // the variance is the mean's square

  CHECK(Distribution::exponential(0).quantile(1, 1) == 0);
  CHECK(Distribution::exponential(1).quantile(1, 1) == 44);  // as far as 2^-64 reaches
  CHECK(Distribution::exponential(kMax).quantile(1, 1) == Distribution::kMost);
  CHECK(Distribution::exponential(kMax).quantile(99, 100) == Distribution::kMost);
  CHECK(Distribution::exponential(Distribution::kMost).quantile(1, 2) < Distribution::kMost);
  CHECK_THROWS_AS(Distribution::exponential(-1), InternalError);
}

TEST_CASE("lognormal meets the percentiles it is given by") {
  struct Row {
    std::int64_t p50;
    std::int64_t p99;
  };
  for (const Row& row : {Row{400'000, 2'000'000}, Row{6'000'000, 40'000'000}, Row{1'000'000, 1'000'000},
                         Row{1'000'000, 1'100'000}, Row{1'000, 1'000'000'000}, Row{1, 2}}) {
    CAPTURE(row.p50);
    CAPTURE(row.p99);
    const Distribution latency = Distribution::lognormal(row.p50, row.p99);
    const Real sigma =
        std::log(static_cast<Real>(row.p99) / static_cast<Real>(row.p50)) / 2.32634787404084110089L;
    const auto near = [](std::int64_t got, Real want) {
      return std::fabs(static_cast<Real>(got) - want) <= want * 2e-4L + 0.5L;
    };
    CHECK(near(latency.quantile(1, 2), static_cast<Real>(row.p50)));
    CHECK(near(latency.quantile(99, 100), static_cast<Real>(row.p99)));
    CHECK(near(latency.quantile(1, 100),
               static_cast<Real>(row.p50) / static_cast<Real>(row.p99) * static_cast<Real>(row.p50)));
    const Real mean = static_cast<Real>(row.p50) * std::exp(sigma * sigma / 2);
    CHECK(near(latency.mean(), mean));
    CHECK(latency.quantile(0, 1) <= latency.quantile(1, 1));
    check_quantiles_against_draws(latency);
    if (sigma < 1) {
      constexpr int kDraws = 100'000;
      const Real spread = mean * std::sqrt(std::exp(sigma * sigma) - 1);
      const Real off = static_cast<Real>(mean_of(draw_sorted(latency, kDraws))) - mean;
      CHECK(std::fabs(off) <= 5 * spread / std::sqrt(static_cast<Real>(kDraws)) + 0.5L);
    }
  }
}

TEST_CASE("a sample of a lognormal has the p50 and p99 that were written in the scenario") {
  constexpr int kDraws = 200'000;
  const std::vector<std::int64_t> values = draw_sorted(Distribution::lognormal(400'000, 2'000'000), kDraws);
  CHECK(static_cast<double>(values[kDraws / 2]) == doctest::Approx(400'000).epsilon(0.01));
  CHECK(static_cast<double>(values[kDraws / 100 * 99]) == doctest::Approx(2'000'000).epsilon(0.03));
  CHECK(static_cast<double>(values[kDraws / 100]) == doctest::Approx(80'000).epsilon(0.03));
}

TEST_CASE("lognormal refuses what is none, and saturates") {
  CHECK_THROWS_AS(Distribution::lognormal(0, 5), InternalError);
  CHECK_THROWS_AS(Distribution::lognormal(5, 4), InternalError);
  CHECK(Distribution::lognormal(1, kMax).quantile(1, 1) == Distribution::kMost);
  CHECK(Distribution::lognormal(1, kMax).quantile(0, 1) == 0);
  CHECK(Distribution::lognormal(kMax, kMax).quantile(1, 2) == Distribution::kMost);
}

TEST_CASE("Zipf draws each rank as often as its weight says") {
  struct Row {
    std::int64_t n;
    std::int32_t s_hundredths;
  };
  for (const Row& row :
       {Row{1, 100}, Row{2, 100}, Row{10, 0}, Row{100, 99}, Row{1000, 50}, Row{1000, 120}, Row{500, 1000}}) {
    CAPTURE(row.n);
    CAPTURE(row.s_hundredths);
    const Distribution keys = Distribution::zipf(row.n, row.s_hundredths);
    std::vector<Real> probabilities;
    Real total = 0;
    for (std::int64_t rank = 0; rank < row.n; ++rank) {
      probabilities.push_back(std::pow(static_cast<Real>(rank + 1), -row.s_hundredths / 100.0L));
      total += probabilities.back();
    }
    Real mean = 0;
    for (std::int64_t rank = 0; rank < row.n; ++rank) {
      probabilities[static_cast<std::size_t>(rank)] /= total;
      mean += probabilities[static_cast<std::size_t>(rank)] * static_cast<Real>(rank);
    }
    constexpr std::uint64_t kDraws = 100'000;
    std::vector<std::uint64_t> counts(static_cast<std::size_t>(row.n));
    for (const std::int64_t rank : draw_sorted(keys, kDraws)) {
      REQUIRE(rank >= 0);
      REQUIRE(rank < row.n);
      ++counts[static_cast<std::size_t>(rank)];
    }
    if (row.n > 1) CHECK(std::fabs(surprise(counts, probabilities, kDraws)) < 5);
    CHECK(std::fabs(static_cast<Real>(keys.mean()) - mean) <= 0.5L + 1e-6L);
    CHECK(keys.quantile(0, 1) == 0);
    if (row.s_hundredths < 1000)
      CHECK(keys.quantile(1, 1) == row.n - 1);  // there, the last ranks weigh nothing
    Real sum = 0;
    std::int64_t median = 0;
    while (median + 1 < row.n && (sum += probabilities[static_cast<std::size_t>(median)]) < 0.5L - 1e-9L)
      ++median;
    CHECK(keys.quantile(1, 2) == median);
  }
}

TEST_CASE("Zipf over very many ranks") {
  const Distribution keys = Distribution::zipf(std::int64_t{1} << 31, 100);
  const std::vector<std::int64_t> ranks = draw_sorted(keys, 20'000);
  CHECK(ranks.back() < std::int64_t{1} << 31);
  CHECK(ranks.back() > 1'000'000'000);
  // 1 / H(n), where H(n) = ln n + 0.5772...
  const double of_first = 1 / (std::log(2147483648.0) + 0.5772156649);
  const auto firsts = static_cast<double>(std::upper_bound(ranks.begin(), ranks.end(), 0) - ranks.begin());
  CHECK(std::fabs(firsts - 20'000 * of_first) < 5 * std::sqrt(20'000 * of_first));
  const auto below_million =
      static_cast<double>(std::lower_bound(ranks.begin(), ranks.end(), 1'000'000) - ranks.begin());
  const double share = (std::log(1e6) + 0.5772156649) * of_first;
  CHECK(std::fabs(below_million - 20'000 * share) < 5 * std::sqrt(20'000 * share * (1 - share)));
  CHECK_THROWS_AS(Distribution::zipf(0, 100), InternalError);
  CHECK_THROWS_AS(Distribution::zipf((std::int64_t{1} << 31) + 1, 100), InternalError);
  CHECK_THROWS_AS(Distribution::zipf(5, -1), InternalError);
  CHECK_THROWS_AS(Distribution::zipf(5, 1001), InternalError);
}

TEST_CASE("empirical") {
  const Distribution sizes = Distribution::empirical({{100, 1}, {-5, 3}, {7, 0}, {50, 6}});
  const std::vector<std::int64_t> values = {-5, 50, 100};
  std::vector<std::uint64_t> counts(3);
  for (const std::int64_t value : draw_sorted(sizes, 50'000)) {
    const auto at = std::find(values.begin(), values.end(), value);
    REQUIRE(at != values.end());
    ++counts[static_cast<std::size_t>(at - values.begin())];
  }
  CHECK(std::fabs(surprise(counts, {0.3L, 0.6L, 0.1L}, 50'000)) < 5);
  struct Row {
    std::uint32_t tenths;
    std::int64_t want;
  };
  for (const Row& row : {Row{0, -5}, Row{1, -5}, Row{3, -5}, Row{4, 50}, Row{9, 50}, Row{10, 100}}) {
    CAPTURE(row.tenths);
    CHECK(sizes.quantile(row.tenths, 10) == row.want);
  }
  CHECK(sizes.mean() == 39);  // 38.5
  CHECK(Distribution::empirical({{-1, 1}, {-2, 1}}).mean() == -2);
  CHECK(Distribution::empirical({{kMax, 1}, {kMax - 2, 1}}).mean() == kMax - 1);
  CHECK(Distribution::empirical({{3, 1}, {3, 2}}).quantile(1, 2) == 3);
  CHECK_THROWS_AS(Distribution::empirical({}), InternalError);
  CHECK_THROWS_AS(Distribution::empirical({{1, 0}}), InternalError);
  CHECK_THROWS_AS(Distribution::empirical({{1, std::uint64_t{1} << 63}}), InternalError);
}

TEST_CASE("a copy of a distribution shares what is big and draws the same") {
  const Distribution original = Distribution::zipf(1'000'000, 90);
  const Distribution copy = original;
  Rng a(5, "z");
  Rng b = a;
  for (int i = 0; i < 100; ++i) REQUIRE(original.sample(a) == copy.sample(b));
}

// Walks through the whole range of draws in steps that meet each column in many places.
TEST_CASE("an alias table gives every index its exact share") {
  const std::vector<std::vector<std::uint64_t>> tables = {{1},
                                                          {0, 5},
                                                          {1, 1},
                                                          {1, 2, 3, 4},
                                                          {1, 0, 0, 1'000'000},
                                                          {7, 7, 7, 7, 7, 7, 7},
                                                          {(std::uint64_t{1} << 62), 1, 1}};
  for (const std::vector<std::uint64_t>& weights : tables) {
    CAPTURE(weights.size());
    const AliasTable table(weights);
    std::uint64_t total = 0;
    for (const std::uint64_t weight : weights) total += weight;
    constexpr std::uint64_t kDraws = 100'000;
    std::vector<std::uint64_t> counts(weights.size());
    for (std::uint64_t i = 0; i < kDraws; ++i) {
      const std::size_t index = table.pick(i * (~std::uint64_t{0} / kDraws));
      REQUIRE(index < weights.size());
      ++counts[index];
    }
    for (std::size_t i = 0; i < weights.size(); ++i) {
      const Real want = static_cast<Real>(weights[i]) / static_cast<Real>(total) * kDraws;
      REQUIRE(std::fabs(static_cast<Real>(counts[i]) - want) <= 2 * static_cast<Real>(weights.size()));
      if (weights[i] == 0) REQUIRE(counts[i] == 0);
    }
    table.pick(0);
    CHECK(table.pick(~std::uint64_t{0}) < weights.size());
  }
  CHECK_THROWS_AS(AliasTable({}), InternalError);
  CHECK_THROWS_AS(AliasTable({0, 0}), InternalError);
  CHECK_THROWS_AS(AliasTable({~std::uint64_t{0}, 1}), InternalError);
}

TEST_CASE("the same numbers on every machine and compiler") {
  struct Row {
    const char* what;
    Distribution distribution;
    std::int64_t first;
    std::int64_t sum_of_thousand;
    std::int64_t p99;
  };
  const Row rows[] = {
      {"uniform", Distribution::uniform(-500, 1'000'000), 38627, 504075615, 989994},
      {"exponential", Distribution::exponential(1'000'000), 593371, 995033097, 4605171},
      {"lognormal", Distribution::lognormal(400'000, 2'000'000), 764992, 526150111, 2000003},
      {"zipf", Distribution::zipf(10'000, 99), 0, 1064272, 9109},
      {"empirical", Distribution::empirical({{100, 1}, {-5, 3}, {50, 6}}), -5, 39860, 100},
  };
  for (const Row& row : rows) {
    CAPTURE(std::string(row.what));
    Rng rng(42, row.what);
    const std::int64_t first = row.distribution.sample(rng);
    std::int64_t sum = 0;
    for (int i = 0; i < 1000; ++i) sum += row.distribution.sample(rng);
    CHECK(first == row.first);
    CHECK(sum == row.sum_of_thousand);
    CHECK(row.distribution.quantile(99, 100) == row.p99);
  }
}

}  // namespace
}  // namespace sim
