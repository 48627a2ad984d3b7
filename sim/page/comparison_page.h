#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "page/documents.h"

// The page of two runs, or of two sweeps seed by seed, held against each other.
namespace sim::page {

struct ComparedMetric {  // as sweep::Change has them
  std::string name;
  std::int64_t pairs = 0;
  std::int64_t median_a = 0;
  std::int64_t median_b = 0;
  std::int64_t mean_a = 0;
  std::int64_t mean_difference = 0;  // b - a
  std::int64_t half_width = 0;       // of its 95 % interval; of a single pair there is none: 0
  std::int64_t more = 0;             // pairs in which b is more
  std::int64_t less = 0;
  bool is_certain = false;  // the interval does not hold zero

  bool is_time() const { return name.ends_with("_ns"); }
  bool differs() const { return mean_difference != 0 || more != 0 || less != 0; }
};

struct ComparedSides {
  std::string name_a;
  std::string name_b;
  std::string command;  // that compares them again
  std::int64_t pairs = 0;
  std::int64_t only_a_failed = 0;
  std::int64_t only_b_failed = 0;
  std::int64_t both_failed = 0;
  std::int64_t chance_per_million = 1'000'000;  // of so lopsided a number of failures
  std::vector<ComparedMetric> metrics;
  std::vector<std::string> beyond_tolerance;  // in words
  std::vector<Documents> runs;                // those of A and B, if they are single runs
};

std::string page_of_comparison(const ComparedSides& sides);

}  // namespace sim::page
