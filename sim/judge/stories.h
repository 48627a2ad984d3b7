#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "judge/fault_report.h"
#include "judge/measured_run.h"
#include "judge/order_tale.h"
#include "metrics/order_ledger.h"

// The orders that one wants to see of a run, each with what happened to it and around it, in order of time.
namespace sim::judge {

struct OrderStory {
  enum class Why : std::uint8_t { slowest, lost, failed, handled_again, open };
  Why why = Why::slowest;
  std::string flow;
  std::int64_t order = 0;
  metrics::Outcome outcome = metrics::Outcome::open;
  std::int64_t intended_ns = 0;
  std::int64_t latency_ns = 0;  // end to end; its age if it never ended
  std::vector<TaleLine> steps;
};
const char* name(OrderStory::Why why);

// At most three of each kind, no order twice: the slowest fulfilled ones of those after the warm-up, slowest
// first; the first lost, failed, handled again and still open.
std::vector<OrderStory> stories_of(const MeasuredRun& run, const std::vector<FaultReport>& faults);

}  // namespace sim::judge
