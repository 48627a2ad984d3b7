#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <variant>
#include <vector>

#include "base/fixed_math.h"
#include "base/rng.h"

// Distributions over int64 (nanoseconds, bytes, keys), sampled in integer arithmetic only.
//
// A Distribution is a small value; what is big (empirical values, Zipf's buckets) is shared and
// never changes. Every kind but Zipf is sampled by its quantile function, one draw per sample in
// nearly all cases. Parameters are checked with SIM_CHECK: whoever reads them from a file validates
// them first. Results saturate at kMost.
namespace sim {

// Picks index i with probability weight[i] / sum of weights, in constant time and one draw, by Walker's
// alias method (Vose 1991) in integers; off by at most 2^-60 for any index.
class AliasTable {
 public:
  // REQUIRES: fewer than 2^31 weights, their sum > 0 and < 2^63
  explicit AliasTable(const std::vector<std::uint64_t>& weights);

  std::size_t pick(std::uint64_t draw) const {
    const uint128 scaled = uint128{draw} * columns_.size();
    const Column& column = columns_[high_word(scaled)];
    return low_word(scaled) < column.own ? column.index : column.alias;
  }

 private:
  struct Column {
    std::uint64_t own;  // share of the column that is its index's own, of 2^64
    std::uint32_t index;
    std::uint32_t alias;
  };
  std::vector<Column> columns_;
};

struct WeightedValue {
  std::int64_t value = 0;
  std::uint64_t weight = 1;
};

class Distribution {
 public:
  // The most that a distribution without an end of its own gives: as a time it is kEndless, so that what is
  // drawn may be added up.
  static constexpr std::int64_t kMost = std::int64_t{1} << 60;

  // Always 0; assign one of those below.
  Distribution() : Distribution(Constant{0}) {}

  static Distribution constant(std::int64_t value);
  // Every integer of [lo, hi). REQUIRES: lo < hi
  static Distribution uniform(std::int64_t lo, std::int64_t hi);
  // The gaps of a Poisson process. REQUIRES: mean >= 0
  static Distribution exponential(std::int64_t mean);
  // The lognormal with this median and 99th percentile. REQUIRES: 0 < p50 <= p99
  static Distribution lognormal(std::int64_t p50, std::int64_t p99);
  // Rank r of [0, n) with probability proportional to (r + 1)^-(s_hundredths / 100); rank 0 is the most
  // popular. REQUIRES: 0 < n <= 2^31, 0 <= s_hundredths <= 1000
  static Distribution zipf(std::int64_t n, std::int32_t s_hundredths);
  // One of the values given, by weight. REQUIRES: at least one weight > 0, sum of weights < 2^63
  static Distribution empirical(std::vector<WeightedValue> values);

  std::int64_t sample(Rng& rng) const {
    // The gaps between arrivals are drawn most, so their kind is asked for first and needs no call.
    const auto* const gaps = std::get_if<Exponential>(&kind_);
    return gaps != nullptr ? gaps->at(rng.next()) : sample_other(rng);
  }

  // The smallest value that at least num/den of all samples do not exceed (for continuous kinds, to
  // the nearest integer). For Zipf it walks the ranks. REQUIRES: num <= den, den > 0
  std::int64_t quantile(std::uint32_t num, std::uint32_t den) const;

  // Rounded to nearest. For Zipf it walks all ranks.
  std::int64_t mean() const;

 private:
  struct Constant {
    std::int64_t value;
    std::int64_t sample(Rng&) const { return value; }
    std::int64_t at(std::uint64_t) const { return value; }
    std::int64_t mean() const { return value; }
  };
  struct Uniform {
    std::int64_t lo;
    std::int64_t hi;
    std::int64_t sample(Rng& rng) const { return rng.between(lo, hi); }
    std::int64_t at(std::uint64_t u) const;
    std::int64_t mean() const;
  };
  struct Exponential {
    std::int64_t mean_value;
    std::int64_t sample(Rng& rng) const { return at(rng.next()); }
    std::int64_t at(std::uint64_t u) const {  // -ln(1 - u) * mean, to nearest
      const std::uint64_t survival = ~u | 1;  // of 2^64, never zero
      const uint128 product = uint128{static_cast<std::uint64_t>(mean_value)} * neg_ln_q58(survival);
      const uint128 rounded = product + (uint128{1} << 57);
      return static_cast<std::int64_t>(std::min(rounded >> 58, static_cast<uint128>(kMost)));
    }
    std::int64_t mean() const { return mean_value; }
  };
  struct Lognormal {
    std::int64_t p50;
    Q32 sigma_log2;  // standard deviation of log2 of the value
    std::int64_t sample(Rng& rng) const { return at(rng.next()); }
    std::int64_t at(std::uint64_t u) const;
    std::int64_t mean() const;
  };
  // Ranks in buckets whose ends differ by at most one sixteenth. A bucket is picked as if all its ranks were
  // as likely as its first, a rank of it at random, and what was promised too much is refused.
  struct ZipfBuckets {
    struct Bucket {
      std::uint32_t first = 0;  // rank
      std::uint32_t size = 0;
      std::uint64_t surely = 0;  // acceptance of its last rank, of 2^64: below it nothing is computed
    };
    ZipfBuckets(std::uint32_t n, std::int32_t s_hundredths);
    std::uint64_t weight_against(std::uint32_t rank, std::uint32_t heavier_rank) const;  // of 2^64

    std::uint32_t n;
    std::int32_t s_hundredths;
    std::vector<Bucket> buckets;
    AliasTable alias;
  };
  struct Zipf {
    std::shared_ptr<const ZipfBuckets> shared;
    std::int64_t sample(Rng& rng) const;
    std::int64_t at(std::uint64_t u) const;
    std::int64_t mean() const;
  };
  struct EmpiricalValues {
    explicit EmpiricalValues(std::vector<WeightedValue> sorted);
    std::vector<WeightedValue> values;  // by value
    std::uint64_t total_weight;
    AliasTable alias;
  };
  struct Empirical {
    std::shared_ptr<const EmpiricalValues> shared;
    std::int64_t sample(Rng& rng) const;
    std::int64_t at(std::uint64_t u) const;
    std::int64_t mean() const;
  };

  using Kind = std::variant<Constant, Uniform, Exponential, Lognormal, Zipf, Empirical>;
  explicit Distribution(Kind kind) : kind_(std::move(kind)) {}

  [[gnu::noinline]] std::int64_t sample_other(Rng& rng) const;

  Kind kind_;
};

}  // namespace sim
