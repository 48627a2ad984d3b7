#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "check/evaluate.h"
#include "check/expectation.h"
#include "record/run_record.h"

// What expectations are held against: a metric in a window of simulated time, from the ledger and the series.
//
// An order belongs to the window that holds its intended time, whenever it ended. Counts over the window
// `all` include the warm-up: an order lost while warming up is lost.
namespace sim::app {

struct FaultWindow {  // one strike
  std::string name;
  Instant from;
  Instant to;
};

// A record that is finished, and how its scenario divides the time.
struct MeasuredRun {
  MeasuredRun(const record::RunRecord& record_, Duration warmup_, Duration load_, std::int64_t end_ns_);

  const record::RunRecord& record;
  const metrics::OrderLedger& ledger = record.ledger();
  const metrics::Series& series = record.series();
  const metrics::ClusterTimeline& timeline = record.timeline();
  const observe::Names& names = record.names();
  Duration warmup;
  Duration load;  // orders are placed until then
  std::int64_t end_ns;
  std::vector<FaultWindow> faults;  // each strike, by fault, in order of time
};

check::Measured measure(const MeasuredRun& run, const check::Expectation& expectation);

// Whether `at` lies in the expectation's window; `all` begins with the run or after the warm-up.
bool lies_in(const MeasuredRun& run, const check::Expectation& expectation, std::int64_t at, bool warmup_too);

// Of one order, end to end or to its producer; nullopt if it is none of the flow or service asked for.
std::optional<std::int64_t> latency_of(const MeasuredRun& run, const check::Expectation& expectation,
                                       metrics::OrderLedger::Index index);

// Count, mean and percentiles of a sample set; percentiles only where enough samples lie beyond them.
struct Distribution {
  std::uint64_t count = 0;
  std::int64_t mean = 0;
  std::int64_t p50 = kUnknown;
  std::int64_t p90 = kUnknown;
  std::int64_t p99 = kUnknown;
  std::int64_t p999 = kUnknown;
  std::int64_t max = 0;

  static constexpr std::int64_t kUnknown = -1;
};
// Reorders `samples`.
Distribution distribution_of(std::vector<std::int64_t>& samples);

}  // namespace sim::app
