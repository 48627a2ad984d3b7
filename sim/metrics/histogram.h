#pragma once

#include <cstdint>
#include <string>
#include <vector>

// A histogram of nanoseconds with three significant digits over the whole int64 range, laid out as
// HdrHistogram lays its counts out (Tene): linear within a power of two, so a value is off by at most one
// part in a thousand. Integers only; the same samples in any order give the same bytes.
namespace sim::metrics {

class Histogram {
 public:
  // Negative values count as 0.
  void add(std::int64_t value, std::uint64_t times = 1);
  void merge(const Histogram& other);

  std::uint64_t count() const { return count_; }
  std::int64_t max() const { return max_; }  // exact
  std::int64_t min() const { return min_; }  // exact
  // The highest value that counts as equal to the one at the rank of `share` (percentile.h), at most max().
  // REQUIRES: count() > 0
  std::int64_t percentile(std::int64_t share) const;

  // HdrHistogram's outputPercentileDistribution, five ticks per half distance, values in milliseconds: what
  // its public plotter reads.
  std::string percentile_text() const;

 private:
  static constexpr int kSubBucketBits = 11;  // 2048 sub-buckets: three significant digits
  static constexpr std::int64_t kSubBuckets = std::int64_t{1} << kSubBucketBits;
  static constexpr std::int64_t kHalf = kSubBuckets / 2;

  static std::size_t index_of(std::int64_t value);
  static std::int64_t lowest_at(std::size_t index);
  static std::int64_t highest_at(std::size_t index);
  std::string summary_lines() const;

  std::vector<std::uint64_t> counts_;
  std::uint64_t count_ = 0;
  std::int64_t min_ = 0;
  std::int64_t max_ = 0;
};

}  // namespace sim::metrics
