#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

// Latencies that somebody has measured, from a file in one of these forms:
//
//   what kafka-producer-perf-test prints   its last line with percentiles counts: "... 12 ms 50th, 40 ms
//   95th, ..." CSV with a column of latencies         the column is named, or called latency, latency_ms,
//   ack_ms, ... CSV with two columns of times          intended_ns and acknowledged_ns (orders.csv of a run
//   of kraftsim), or
//                                          intended_us and done_us: the latency is their difference
//   CSV with the columns percentile and latency   p50 or 50, and its value
//
// A column's unit is the end of its name (_ns, _us, _ms, _s), else the one that is given, else ms.
namespace sim::app {

struct LatencyFileFormat {
  std::string column{};  // empty: the first of those above that there is
  std::string unit{};    // ns, us, ms or s, for columns whose name does not say it; empty: ms
};

struct MeasuredPercentile {
  std::string name;  // p50, p99.9
  std::int64_t ns = 0;
};

struct MeasuredLatencies {
  std::uint64_t count = 0;                      // 0: only percentiles are known
  std::vector<MeasuredPercentile> percentiles;  // p50, p90 or p95, p99; in this order
  // What kafka-producer-perf-test says besides.
  std::optional<std::int64_t> orders_per_second;
  std::optional<std::int64_t> record_bytes;      // to within the two decimals of its MB/sec
  std::vector<MeasuredPercentile> not_fitted{};  // mean, p99.9, max: what there is of them
};

// `name` stands for the file in problems.
Result<MeasuredLatencies> parse_latencies(std::string_view text, const std::string& name,
                                          const LatencyFileFormat& format);

}  // namespace sim::app
