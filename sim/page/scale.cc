#include "page/scale.h"

#include <algorithm>

#include "base/check.h"
#include "base/fixed_math.h"
#include "base/int128.h"

namespace sim::page {

Scale Scale::linear(std::int64_t low, std::int64_t high, std::int64_t from, std::int64_t to) {
  SIM_CHECK(low < high, "a scale needs room");
  Scale scale;
  scale.low_ = low;
  scale.high_ = high;
  scale.from_ = from;
  scale.to_ = to;
  return scale;
}

Scale Scale::logarithmic(std::int64_t low, std::int64_t high, std::int64_t from, std::int64_t to) {
  SIM_CHECK(low > 0, "nothing but what is positive has a logarithm");
  Scale scale = linear(low, high, from, to);
  scale.is_logarithmic_ = true;
  return scale;
}

std::int64_t Scale::at(std::int64_t value) const {
  const std::int64_t within = std::clamp(value, low_, high_);
  int128 part = int128{within} - low_;
  int128 whole = int128{high_} - low_;
  if (is_logarithmic_) {
    const auto log = [](std::int64_t of) { return log2_q56(static_cast<std::uint64_t>(of)); };
    part = log(within) - log(low_);
    whole = log(high_) - log(low_);
  }
  const int128 twice = 2 * int128{to_ - from_} * part;  // to the nearest
  return from_ + static_cast<std::int64_t>((twice + (to_ < from_ ? -whole : whole)) / (2 * whole));
}

std::int64_t round_below(std::int64_t value) {
  std::int64_t round = 1;
  while (round <= value / 10) round *= 10;
  return value / round >= 5 ? round * 5 : value / round >= 2 ? round * 2 : round;
}

std::int64_t round_above(std::int64_t value) {
  const std::int64_t below = round_below(value);
  if (below == value) return value;
  std::int64_t power = 1;
  while (power <= below / 10) power *= 10;
  return below / power == 2 ? power * 5 : below * 2;
}

std::vector<std::int64_t> round_values(std::int64_t low, std::int64_t high, int most) {
  std::int64_t step = 1;
  for (int i = 0; (high - low) / step >= most; ++i) step = step * (i % 3 == 1 ? 5 : 4) / 2;
  std::vector<std::int64_t> values;
  for (std::int64_t value = (low + step - 1) / step * step; value <= high; value += step)
    values.push_back(value);
  return values;
}

std::vector<std::int64_t> log_values(std::int64_t low, std::int64_t high) {
  const bool is_short = high / low < 100;
  std::vector<std::int64_t> values;
  for (std::int64_t power = 1;; power *= 10) {
    for (const std::int64_t factor : {1, 2, 5}) {
      if (power > high / factor) return values;
      if (power * factor >= low && (factor == 1 || is_short)) values.push_back(power * factor);
    }
  }
}

std::vector<std::int64_t> round_times(std::int64_t end_ns, int most) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  constexpr std::int64_t kSteps[] = {1,   2,   5,    10,   15,   30,    60,    120,   300,
                                     600, 900, 1800, 3600, 7200, 21600, 43200, 86400, 604800};
  if (end_ns < 2 * kSecond) return round_values(0, end_ns, most);
  std::int64_t step = kSteps[0] * kSecond;
  for (const std::int64_t one : kSteps) {
    step = one * kSecond;
    if (end_ns / step < most) break;
  }
  while (end_ns / step >= most) step *= 2;
  std::vector<std::int64_t> times;
  for (std::int64_t at = 0; at <= end_ns; at += step) times.push_back(at);
  return times;
}

}  // namespace sim::page
