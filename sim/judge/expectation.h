#pragma once

#include <cstdint>
#include <string>

// What a scenario expects of a run: one measured value against one limit. A value; who evaluates it knows
// the metrics.
namespace sim::judge {

// The metric of `recovery`: time from the end of a fault until a condition holds again.
inline constexpr const char* kRecovery = "recovery";

enum class Unit : std::uint8_t {
  nanoseconds,  // latencies, lag
  count,        // orders, effects
  milli_per_s,  // rates, in thousandths of an order per second
};

enum class Comparison : std::uint8_t { less, less_equal, equal, greater_equal, greater, within };

enum class Window : std::uint8_t {
  steady,  // outside warm-up and outside every fault
  faults,  // while a fault lasts
  during,  // while the fault `after_fault` lasts
  all,     // everything after the warm-up
  after,   // from the end of the fault `after_fault` on
  between  // from `from_ns` until before `to_ns`, whatever happens then
};

// What must have become true again for a system to have recovered: "lag(payment) < 1s".
struct Condition {
  std::string metric;
  std::string of;
  std::string statistic = "value";
  Comparison comparison = Comparison::less;
  std::int64_t limit = 0;
  std::int64_t upper_limit = 0;  // of `within`
  std::string text;              // as written
};

struct Expectation {
  std::string id;
  std::string metric;  // e2e_latency, produce_latency, lag, lost_orders, ...; kRecovery has `until`
  std::string of;      // a client, partition, topic or broker; empty = all
  std::string fault;   // whose strikes count, of metrics that count from them; empty = all
  Window window = Window::all;
  std::string after_fault;   // of `after` and `during`
  std::int64_t from_ns = 0;  // of `between`
  std::int64_t to_ns = 0;
  std::string window_text;  // of `between`, as written: "30 s to 45 s"
  std::string statistic;    // p50, p90, p99, p99.9, min, max, mean, or value for counts and rates
  Comparison comparison = Comparison::less;
  std::int64_t limit = 0;
  std::int64_t upper_limit = 0;  // of `within`, which includes both ends
  Unit unit = Unit::count;
  std::string limit_text;  // as written: "< 500 ms", "= 0", "9 s to 11.1 s"
  Condition until{};
  std::string source;  // file:line
};

}  // namespace sim::judge
