#pragma once

#include <cstdint>
#include <string>
#include <vector>

// From values to places in a drawing, in integers alone.
namespace sim::page {

class Scale {
 public:
  // `low` lies at `from`, `high` at `to`. REQUIRES: low < high; 0 < low if logarithmic
  static Scale linear(std::int64_t low, std::int64_t high, std::int64_t from, std::int64_t to);
  static Scale logarithmic(std::int64_t low, std::int64_t high, std::int64_t from, std::int64_t to);

  // Values outside lie at the nearer end.
  std::int64_t at(std::int64_t value) const;
  std::int64_t low() const { return low_; }
  std::int64_t high() const { return high_; }

 private:
  bool is_logarithmic_ = false;
  std::int64_t low_ = 0, high_ = 1;
  std::int64_t from_ = 0, to_ = 1;
};

// Round values of a linear scale: one, two or five times a power of ten apart, at most `most` of them.
std::vector<std::int64_t> round_values(std::int64_t low, std::int64_t high, int most);
// One, two or five times a power of ten: the next at or below, at or above. REQUIRES: value > 0
std::int64_t round_below(std::int64_t value);
std::int64_t round_above(std::int64_t value);
// Powers of ten; over less than two of them also their doubles and fivefolds.
std::vector<std::int64_t> log_values(std::int64_t low, std::int64_t high);
// Round instants: whole seconds, minutes and hours as clocks have them.
std::vector<std::int64_t> round_times(std::int64_t end_ns, int most);

}  // namespace sim::page
