#pragma once

#include <cstdint>
#include <string>

// What a scenario expects of a run: one measured value against one limit. A value; who evaluates it knows
// the metrics.
namespace sim::check {

enum class Unit : std::uint8_t {
  nanoseconds,   // latencies, lag
  count,         // orders, effects
  milli_per_s,   // rates, in thousandths of an order per second
};

enum class Comparison : std::uint8_t { less, less_equal, equal, greater_equal, greater };

enum class Window : std::uint8_t {
  steady,  // outside warm-up and outside every fault
  faults,  // while a fault lasts
  all,     // everything after the warm-up
  after,   // from the end of the fault `after_fault` on
};

struct Expectation {
  std::string id;
  std::string metric;     // e2e_latency, produce_latency, lag, lost_orders, ...
  std::string of;         // a service or flow; empty = all
  Window window = Window::all;
  std::string after_fault;
  std::string statistic;  // p50, p90, p99, p99.9, max, mean, or value for counts and rates
  Comparison comparison = Comparison::less;
  std::int64_t limit = 0;
  Unit unit = Unit::count;
  std::string limit_text;  // as written: "< 500 ms", "= 0"
  std::string source;      // file:line
};

}  // namespace sim::check
