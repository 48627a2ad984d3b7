#include "base/distribution.h"

#include <algorithm>

#include "base/check.h"
#include "base/int128.h"

namespace sim {
namespace {

std::uint64_t sum_of(const std::vector<std::uint64_t>& weights) {
  uint128 total = 0;
  for (const std::uint64_t weight : weights) total += weight;
  SIM_CHECK(total > 0 && high_word(total << 1) == 0, "weights sum up to a positive number below 2^63");
  return low_word(total);
}

std::vector<std::uint64_t> weights_of(const std::vector<WeightedValue>& values) {
  std::vector<std::uint64_t> weights;
  weights.reserve(values.size());
  for (const WeightedValue& value : values) weights.push_back(value.weight);
  return weights;
}

}  // namespace

// Each column holds total / n of probability. In units of 1 / n: weight * n has to be spread over columns
// of `total` each; a column filled only in part by a light index is topped up by a heavy one.
AliasTable::AliasTable(const std::vector<std::uint64_t>& weights) {
  SIM_CHECK(weights.size() < (std::size_t{1} << 31), "indices fit 32 bits");
  const std::uint64_t total = sum_of(weights);
  const auto n = static_cast<std::uint32_t>(weights.size());
  std::vector<uint128> left(n);
  std::vector<std::uint32_t> light;
  std::vector<std::uint32_t> heavy;
  for (std::uint32_t i = 0; i < n; ++i) {
    left[i] = uint128{weights[i]} * n;
    (left[i] < total ? light : heavy).push_back(i);
  }
  columns_.resize(n);
  while (!light.empty()) {
    SIM_CHECK(!heavy.empty(), "what light indices lack, heavy ones have");
    const std::uint32_t poor = light.back();
    const std::uint32_t rich = heavy.back();
    light.pop_back();
    columns_[poor] = {low_word((left[poor] << 64) / total), poor, rich};
    left[rich] -= total - left[poor];
    if (left[rich] < total) {
      heavy.pop_back();
      light.push_back(rich);
    }
  }
  for (const std::uint32_t i : heavy) columns_[i] = {~std::uint64_t{0}, i, i};
}

// ---- uniform

std::int64_t Distribution::Uniform::at(std::uint64_t u) const {
  const std::uint64_t width = static_cast<std::uint64_t>(hi) - static_cast<std::uint64_t>(lo);
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(lo) + high_word(uint128{u} * width));
}

std::int64_t Distribution::Uniform::mean() const {
  return static_cast<std::int64_t>((int128{lo} + hi - 1) / 2);
}

// ---- lognormal: p50 * 2^(sigma * z)

std::int64_t Distribution::Lognormal::at(std::uint64_t u) const {
  return std::min(kMost, scale_exp2(p50, sigma_log2 * normal_quantile(u)));
}

std::int64_t Distribution::Lognormal::mean() const {
  // exp(sigma^2 / 2) with the natural sigma = sigma_log2 * ln 2, as a power of two.
  return std::min(kMost, scale_exp2(p50, sigma_log2 * sigma_log2 * kLn2 * Q32::ratio(1, 2)));
}

// ---- Zipf

namespace {

std::uint64_t zipf_weight(std::uint32_t rank, std::uint32_t heavier_rank, std::int32_t s_hundredths) {
  const std::int64_t octaves_q56 =
      log2_q56(std::uint64_t{rank} + 1) - log2_q56(std::uint64_t{heavier_rank} + 1);
  const int128 exponent =
      int128{std::max<std::int64_t>(0, octaves_q56)} * s_hundredths;  // hundredths, * 2^56
  return exp2_fraction(Q32{static_cast<std::int64_t>((exponent / 100) >> 24)});
}

template <class Buckets>
Buckets zipf_buckets(std::uint32_t n, std::int32_t s_hundredths) {
  Buckets buckets;
  for (std::uint32_t first = 0; first < n;) {
    const std::uint32_t size = std::min(n - first, std::max<std::uint32_t>(1, (first + 1) / 16));
    buckets.push_back({first, size, zipf_weight(first + size - 1, first, s_hundredths)});
    first += size;
  }
  return buckets;
}

template <class Buckets>
std::vector<std::uint64_t> envelope(const Buckets& buckets, std::int32_t s_hundredths) {
  std::vector<uint128> masses;
  uint128 total = 0;
  for (const auto& bucket : buckets) {
    masses.push_back(uint128{zipf_weight(bucket.first, 0, s_hundredths)} * bucket.size);
    total += masses.back();
  }
  int shift = 0;
  while (high_word(total >> shift << 1) != 0) ++shift;
  std::vector<std::uint64_t> weights;
  for (const uint128 mass : masses) weights.push_back(low_word(mass >> shift));
  return weights;
}

}  // namespace

Distribution::ZipfBuckets::ZipfBuckets(std::uint32_t count, std::int32_t s)
    : n(count),
      s_hundredths(s),
      buckets(zipf_buckets<std::vector<Bucket>>(count, s)),
      alias(envelope(buckets, s)) {}

std::uint64_t Distribution::ZipfBuckets::weight_against(std::uint32_t rank,
                                                        std::uint32_t heavier_rank) const {
  return zipf_weight(rank, heavier_rank, s_hundredths);
}

std::int64_t Distribution::Zipf::sample(Rng& rng) const {
  while (true) {
    const ZipfBuckets::Bucket& bucket = shared->buckets[shared->alias.pick(rng.next())];
    if (bucket.size == 1) return bucket.first;
    const auto rank = static_cast<std::uint32_t>(bucket.first + rng.below(bucket.size));
    const std::uint64_t chance = rng.next();
    if (chance < bucket.surely || chance < shared->weight_against(rank, bucket.first)) return rank;
  }
}

std::int64_t Distribution::Zipf::at(std::uint64_t u) const {
  uint128 total = 0;
  for (std::uint32_t rank = 0; rank < shared->n; ++rank) total += shared->weight_against(rank, 0);
  const uint128 wanted = uint128{high_word(total)} * u + high_word(uint128{low_word(total)} * u);
  uint128 sum = 0;
  for (std::uint32_t rank = 0; rank < shared->n; ++rank) {
    sum += shared->weight_against(rank, 0);
    if (sum > wanted) return rank;
  }
  return std::int64_t{shared->n} - 1;
}

std::int64_t Distribution::Zipf::mean() const {
  uint128 total = 0;
  uint128 weighted = 0;
  for (std::uint32_t rank = 0; rank < shared->n; ++rank) {
    const std::uint64_t weight = shared->weight_against(rank, 0);
    total += weight;
    weighted += uint128{weight} * rank;
  }
  return static_cast<std::int64_t>((weighted + total / 2) / total);
}

// ---- empirical

Distribution::EmpiricalValues::EmpiricalValues(std::vector<WeightedValue> sorted)
    : values(std::move(sorted)), total_weight(sum_of(weights_of(values))), alias(weights_of(values)) {}

std::int64_t Distribution::Empirical::sample(Rng& rng) const {
  return shared->values[shared->alias.pick(rng.next())].value;
}

std::int64_t Distribution::Empirical::at(std::uint64_t u) const {
  const std::uint64_t wanted = high_word(uint128{u} * shared->total_weight);
  std::uint64_t sum = 0;
  for (const WeightedValue& value : shared->values) {
    sum += value.weight;
    if (sum > wanted) return value.value;
  }
  return shared->values.back().value;
}

std::int64_t Distribution::Empirical::mean() const {
  // Whole parts and remainders apart, so that no product of value and weight has to fit.
  int128 weighted = 0;
  for (const WeightedValue& value : shared->values)
    weighted += int128{value.value} * static_cast<int128>(value.weight);
  const int128 total = static_cast<int128>(shared->total_weight);
  const int128 half = total / 2;
  return static_cast<std::int64_t>((weighted + (weighted < 0 ? -half : half)) / total);
}

// ---- the value itself

Distribution Distribution::constant(std::int64_t value) {
  return Distribution(Constant{value});
}

Distribution Distribution::uniform(std::int64_t lo, std::int64_t hi) {
  SIM_CHECK(lo < hi, "a uniform distribution has at least one value");
  return Distribution(Uniform{lo, hi});
}

Distribution Distribution::exponential(std::int64_t mean) {
  SIM_CHECK(mean >= 0, "the mean of an exponential distribution is not negative");
  return Distribution(Exponential{mean});
}

Distribution Distribution::lognormal(std::int64_t p50, std::int64_t p99) {
  SIM_CHECK(0 < p50 && p50 <= p99, "percentiles are positive and rising");
  const std::int64_t ratio_log2 =
      log2_q56(static_cast<std::uint64_t>(p99)) - log2_q56(static_cast<std::uint64_t>(p50));
  return Distribution(Lognormal{p50, Q32{(ratio_log2 + (1 << 23)) >> 24} / kNormalP99});
}

Distribution Distribution::zipf(std::int64_t n, std::int32_t s_hundredths) {
  SIM_CHECK(0 < n && n <= (std::int64_t{1} << 31), "Zipf ranks fit 32 bits");
  SIM_CHECK(0 <= s_hundredths && s_hundredths <= 1000, "a Zipf exponent lies between 0 and 10");
  return Distribution(Zipf{std::make_shared<const ZipfBuckets>(static_cast<std::uint32_t>(n), s_hundredths)});
}

Distribution Distribution::empirical(std::vector<WeightedValue> values) {
  std::erase_if(values, [](const WeightedValue& value) { return value.weight == 0; });
  SIM_CHECK(!values.empty(), "an empirical distribution has a value to give");
  std::stable_sort(values.begin(), values.end(),
                   [](const WeightedValue& a, const WeightedValue& b) { return a.value < b.value; });
  return Distribution(Empirical{std::make_shared<const EmpiricalValues>(std::move(values))});
}

std::int64_t Distribution::sample_other(Rng& rng) const {
  return std::visit([&rng](const auto& kind) { return kind.sample(rng); }, kind_);
}

std::int64_t Distribution::quantile(std::uint32_t num, std::uint32_t den) const {
  SIM_CHECK(den > 0 && num <= den, "a quantile lies between 0 and 1");
  // The last draw that belongs to num/den of all draws.
  const uint128 draws = (uint128{num} << 64) / den;
  const std::uint64_t u = draws == 0 ? 0 : low_word(draws - 1);
  return std::visit([u](const auto& kind) { return kind.at(u); }, kind_);
}

std::int64_t Distribution::mean() const {
  return std::visit([](const auto& kind) { return kind.mean(); }, kind_);
}

}  // namespace sim
