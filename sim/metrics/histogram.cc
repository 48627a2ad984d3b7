#include "metrics/histogram.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/check.h"
#include "base/int128.h"
#include "metrics/percentile.h"

namespace sim::metrics {

std::size_t Histogram::index_of(std::int64_t value) {
  const auto bits = static_cast<std::uint64_t>(value);
  const int bucket = std::max(0, static_cast<int>(std::bit_width(bits)) - kSubBucketBits);
  const auto sub_bucket = static_cast<std::int64_t>(bits >> bucket);
  return static_cast<std::size_t>(bucket * kHalf +
                                  sub_bucket);  // the lower half of a bucket is the one before it
}

std::int64_t Histogram::lowest_at(std::size_t index) {
  const auto position = static_cast<std::int64_t>(index);
  if (position < kSubBuckets) return position;
  const std::int64_t bucket = position / kHalf - 1;
  return (position - bucket * kHalf) << bucket;
}

std::int64_t Histogram::highest_at(std::size_t index) {
  const auto position = static_cast<std::int64_t>(index);
  const std::int64_t bucket = position < kSubBuckets ? 0 : position / kHalf - 1;
  return lowest_at(index) + ((std::int64_t{1} << bucket) - 1);
}

void Histogram::add(std::int64_t value, std::uint64_t times) {
  if (times == 0) return;
  value = std::max<std::int64_t>(value, 0);
  const std::size_t index = index_of(value);
  if (index >= counts_.size()) counts_.resize(index + 1);
  counts_[index] += times;
  min_ = count_ == 0 ? value : std::min(min_, value);
  max_ = std::max(max_, value);
  count_ += times;
}

void Histogram::merge(const Histogram& other) {
  if (other.count_ == 0) return;
  if (other.counts_.size() > counts_.size()) counts_.resize(other.counts_.size());
  for (std::size_t i = 0; i < other.counts_.size(); ++i) counts_[i] += other.counts_[i];
  min_ = count_ == 0 ? other.min_ : std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
  count_ += other.count_;
}

std::int64_t Histogram::percentile(std::int64_t share) const {
  SIM_CHECK(count_ > 0, "there is no percentile of nothing");
  const std::uint64_t rank = rank_of(share, count_);
  std::uint64_t seen = 0;
  std::size_t index = 0;
  while ((seen += counts_[index]) < rank) ++index;
  return std::min(highest_at(index), max_);
}

namespace {

std::string padded(std::string text, std::size_t width) {
  return text.size() < width ? std::string(width - text.size(), ' ') + text : text;
}

// printf's "%<width>.<digits>f" of an exact fraction, rounded half up.
std::string decimal(uint128 numerator, uint128 denominator, std::size_t digits, std::size_t width) {
  uint128 unit = 1;
  for (std::size_t i = 0; i < digits; ++i) unit *= 10;
  uint128 value = (numerator * unit * 2 + denominator) / (denominator * 2);
  std::string text;
  for (std::size_t i = 0; i <= digits || value > 0; ++i) {
    if (i == digits) text += '.';
    text += static_cast<char>('0' + static_cast<int>(value % 10));
    value /= 10;
  }
  std::reverse(text.begin(), text.end());
  return padded(std::move(text), width);
}

std::string whole(std::uint64_t value, std::size_t width) {
  return padded(std::to_string(value), width);
}

constexpr std::uint64_t kNanosPerMilli = 1'000'000;

uint128 square_root(uint128 x) {
  uint128 root = 0;
  for (uint128 bit = uint128{1} << 62; bit != 0; bit >>= 1) {
    const uint128 candidate = root | bit;
    if (candidate * candidate <= x) root = candidate;
  }
  return root;
}

// A percentile level as HdrHistogram steps through it: `parts` of 5 * 2^halvings. Each halving of the
// distance to 100 % takes five steps.
struct Level {
  std::uint64_t parts = 0;
  int halvings = 1;

  uint128 whole() const { return uint128{5} << halvings; }
  uint128 missing() const { return whole() - parts; }
  bool reached_by(std::uint64_t count, std::uint64_t total) const {
    return uint128{count} * whole() >= uint128{parts} * total;
  }
  void step() {
    // Steps of a fifth of what was missing when the level last halved it: 10 % each to 50 %, 5 % each to 75
    // %, ...
    int wanted = 1;
    while ((missing() << wanted) <= whole()) ++wanted;
    parts <<= wanted - halvings;
    halvings = wanted;
    ++parts;
  }
};

}  // namespace

std::string Histogram::percentile_text() const {
  std::string text = "       Value     Percentile TotalCount 1/(1-Percentile)\n\n";
  Level level;
  std::uint64_t seen = 0;
  for (std::size_t index = 0; index < counts_.size() && count_ > 0; ++index) {
    if (counts_[index] == 0) continue;
    seen += counts_[index];
    const auto value = static_cast<std::uint64_t>(highest_at(index));
    while (level.reached_by(seen, count_)) {
      text += decimal(value, kNanosPerMilli, 3, 12) + ' ' + decimal(level.parts, level.whole(), 12, 14) +
              ' ' + whole(seen, 10) + ' ' + decimal(level.whole(), level.missing(), 2, 14) + '\n';
      level.step();
      if (seen == count_) break;
    }
    if (seen == count_) {
      text +=
          decimal(value, kNanosPerMilli, 3, 12) + ' ' + decimal(1, 1, 12, 14) + ' ' + whole(seen, 10) + '\n';
    }
  }
  return text + summary_lines();
}

std::string Histogram::summary_lines() const {
  uint128 sum = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    const auto middle = static_cast<std::uint64_t>(lowest_at(i) + (highest_at(i) - lowest_at(i) + 1) / 2);
    sum += uint128{middle} * counts_[i];
  }
  const std::uint64_t total = count_ == 0 ? 1 : count_;
  const uint128 mean = sum / total;
  uint128 squares = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    const auto middle = static_cast<std::uint64_t>(lowest_at(i) + (highest_at(i) - lowest_at(i) + 1) / 2);
    const uint128 off = middle > mean ? middle - mean : mean - middle;
    squares += off * off / total * counts_[i] + off * off % total * counts_[i] / total;
  }
  std::size_t buckets = 1;
  while (counts_.size() > static_cast<std::size_t>(kHalf) * (buckets + 1)) ++buckets;
  return "#[Mean    = " + decimal(sum, uint128{total} * kNanosPerMilli, 3, 12) +
         ", StdDeviation   = " + decimal(square_root(squares), kNanosPerMilli, 3, 12) + "]\n#[Max     = " +
         decimal(count_ == 0 ? 0 : static_cast<std::uint64_t>(highest_at(index_of(max_))), kNanosPerMilli, 3,
                 12) +
         ", Total count    = " + whole(count_, 12) + "]\n#[Buckets = " + whole(buckets, 12) +
         ", SubBuckets     = " + whole(static_cast<std::uint64_t>(kSubBuckets), 12) + "]\n";
}

}  // namespace sim::metrics
