#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/distribution.h"
#include "scenario/tree.h"
#include "scenario/units.h"

// From a checked value to the distribution it stands for.
namespace sim::scenario {

// Reads a file of values, one to a line with its unit, and optionally a comma and a weight; lines that start
// with # are comments. Empty if there was a problem, which has been reported.
std::vector<WeightedValue> read_values_file(const std::string& path, UnitKind unit, const Place& place,
                                            const std::string& where, Report& report);

// Each value is divided by `divide_by`: 2 makes one direction of a round trip. REQUIRES: value has been
// walked
Distribution make_distribution(const Value& value, UnitKind unit, std::int64_t divide_by, Report& report);

}  // namespace sim::scenario
