#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "base/time.h"
#include "scenario/tree.h"
#include "scenario/units.h"

// Values of a tree that has been checked, as numbers.
namespace sim::scenario {

// REQUIRES: the text is a number of this unit
inline std::int64_t number_of(const Value& value, UnitKind unit) {
  return *read_scalar(value.text, unit).value;
}
inline std::int64_t count_of(const Value& value) {
  return number_of(value, UnitKind::none);
}
inline std::int64_t nanoseconds_of(const Value& value) {
  return number_of(value, UnitKind::duration);
}
inline Duration duration_of(const Value& value) {
  return Duration{nanoseconds_of(value)};
}

// Of arrivals, in thousandths of an order per second; 0 for a trace.
inline std::int64_t highest_rate(const Value& arrivals) {
  std::int64_t highest = 0;
  const auto consider = [&highest](const Value* rate) {
    if (rate == nullptr || !rate->is_scalar() || rate->invented) return;
    highest = std::max(highest, read_scalar(rate->text, UnitKind::rate).value.value_or(0));
  };
  for (const Entry& kind : arrivals.entries) {
    if (kind.key == "constant" || kind.key == "poisson") consider(&kind.value);
    for (const std::string_view rate : {"from", "to", "base", "peak", "low", "high"})
      consider(kind.value.find(rate));
  }
  return highest;
}

// Without the blanks around it.
inline std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r";
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

}  // namespace sim::scenario
