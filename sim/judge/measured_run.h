#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "judge/expectation.h"
#include "record/run_record.h"

// A record that is finished, and how its scenario divides the time: what every metric is computed from.
//
// An order belongs to the window that holds its intended time, whenever it ended. Counts over the window
// `all` include the warm-up: an order lost while warming up is lost.
namespace sim::judge {

struct FaultWindow {  // one strike
  std::string name;
  Instant from;
  Instant to;
};

struct MeasuredRun {
  // REQUIRES: `record` is finished, and outlives this
  MeasuredRun(const record::RunRecord& record_, Duration warmup_, Duration load_, std::int64_t end_ns_);

  const record::RunRecord& record;
  const metrics::OrderLedger& ledger = record.ledger();
  const metrics::Series& series = record.series();
  const metrics::ClusterTimeline& timeline = record.timeline();
  const observe::Names& names = record.names();
  Duration warmup;
  Duration load;  // orders are placed until then
  std::int64_t end_ns;
  bool is_cut = false;              // before its own end: what is open then might still have come right
  std::vector<FaultWindow> faults;  // each strike, by fault, in order of time
};

// Whether `at` lies in the expectation's window; `all` begins with the run or after the warm-up.
bool lies_in(const MeasuredRun& run, const Expectation& expectation, std::int64_t at, bool warmup_too);

// The place of a name among flows, services, ...; nullopt if it is empty or not among them.
std::optional<std::size_t> place_of(const std::vector<std::string>& names, const std::string& name);

}  // namespace sim::judge
