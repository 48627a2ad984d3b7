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
// A fault's window lasts until its effect is over, which may be long after the fault itself has ended.
// An order belongs to the window that holds its intended time, whenever it ended. Counts over the window
// `all` include the warm-up: an order lost while warming up is lost.
namespace sim::judge {

// What ended the effect of a strike; see judge/fault_effects.h.
enum class EffectEnd : std::uint8_t { recovered, next_strike, grace, end_of_run };

struct FaultWindow {  // one strike
  std::string name;
  Instant from;
  Instant to;
  Instant effect_to{};  // not before `to`
  EffectEnd ends_by = EffectEnd::end_of_run;
};

struct MeasuredRun {
  // REQUIRES: `record` is finished, and outlives this
  MeasuredRun(const record::RunRecord& record_, Duration warmup_, Duration load_, std::int64_t end_ns_);

  const record::RunRecord& record;
  const metrics::OrderLedger& ledger = record.ledger();
  const metrics::Series& series = record.series();
  const metrics::ClusterTimeline& timeline = record.timeline();
  const metrics::GroupTimeline& groups = record.groups();
  const observe::Names& names = record.names();
  Duration warmup;
  Duration load;  // orders are placed until then
  std::int64_t end_ns;
  bool is_cut = false;              // before its own end: what is open then might still have come right
  std::vector<FaultWindow> faults;  // each strike, by fault, then in order of time
};

// Whether it lies between a strike and the end of its effect.
bool in_a_fault(const MeasuredRun& run, std::int64_t at);

// Whether `at` lies in the expectation's window; `all` begins with the run or after the warm-up.
bool lies_in(const MeasuredRun& run, const Expectation& expectation, std::int64_t at, bool warmup_too);

// The place of a name among flows, services, ...; nullopt if it is empty or not among them.
std::optional<std::size_t> place_of(const std::vector<std::string>& names, const std::string& name);

}  // namespace sim::judge
