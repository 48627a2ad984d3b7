#include "scenario/distribution.h"

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "scenario/files.h"
#include "scenario/read_values.h"

namespace sim::scenario {

namespace {

constexpr std::size_t kMaxValuesFileBytes = std::size_t{64} << 20;

}  // namespace

std::vector<WeightedValue> read_values_file(const std::string& path, UnitKind unit, const Place& place,
                                            const std::string& where, Report& report) {
  std::string text, why_not;
  if (!read_file(path, kMaxValuesFileBytes, text, why_not)) {
    report.error(place, where + ": " + path + " " + why_not);
    return {};
  }
  std::vector<WeightedValue> values;
  int line_number = 0;
  int source = -1;
  bool good = true;
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = trimmed(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    ++line_number;
    if (line.empty() || line.front() == '#') continue;
    const std::size_t comma = line.find(',');
    const Scalar value = read_scalar(trimmed(line.substr(0, comma)), unit);
    const Scalar weight = comma == std::string_view::npos
                              ? Scalar{1, {}, {}}
                              : read_scalar(trimmed(line.substr(comma + 1)), UnitKind::none);
    const bool in_range = value.value && *value.value >= 0 && weight.value && *weight.value >= 0 &&
                          *weight.value <= 1'000'000'000;
    if (!in_range) {
      if (source < 0) source = report.add_source(path, text);
      const std::string problem = !value.value    ? value.problem
                                  : !weight.value ? "has a weight that " + weight.problem
                                                  : "is out of range";
      report.error(Place{source, line_number, 1, static_cast<int>(line.size())},
                   "\"" + std::string(line.substr(0, 40)) + "\" " + problem,
                   "a line holds " + std::string(describe(unit)) +
                       ", and if it counts more than once, a comma and a whole number");
      good = false;
      continue;
    }
    values.push_back(WeightedValue{*value.value, static_cast<std::uint64_t>(*weight.value)});
  }
  const bool weighty =
      std::any_of(values.begin(), values.end(), [](const WeightedValue& value) { return value.weight > 0; });
  if (good && !weighty) report.error(place, where + ": " + path + " holds no values");
  return good && weighty ? values : std::vector<WeightedValue>{};
}

Distribution make_distribution(const Value& value, UnitKind unit, std::int64_t divide_by, Report& report) {
  if (value.is_scalar()) return Distribution::constant(number_of(value, unit) / divide_by);
  if (const Value* p50 = value.find("p50")) {
    const std::int64_t median = std::max<std::int64_t>(1, number_of(*p50, unit) / divide_by);
    return Distribution::lognormal(median, std::max(median, number_of(value.at("p99"), unit) / divide_by));
  }
  if (const Value* mean = value.find("exponential"))
    return Distribution::exponential(number_of(*mean, unit) / divide_by);
  if (const Value* uniform = value.find("uniform")) {
    return Distribution::uniform(number_of(uniform->at("min"), unit) / divide_by,
                                 number_of(uniform->at("max"), unit) / divide_by + 1);
  }
  const Value& file = value.at("values");
  std::vector<WeightedValue> values = read_values_file(file.text, unit, file.place, "values", report);
  if (values.empty()) return Distribution::constant(0);  // it was readable a moment ago
  for (WeightedValue& one : values) one.value /= divide_by;
  return Distribution::empirical(std::move(values));
}

}  // namespace sim::scenario
