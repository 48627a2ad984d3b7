#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/rng.h"
#include "workload/spec.h"

// When orders come, as nanoseconds after the flow's start, never decreasing.
//
// Constant arrivals are exact to the nanosecond for any number of orders. All random kinds are Poisson
// processes, with a rate that changes in time for ramps, bursts and daily curves. They are drawn by thinning
// (Lewis and Shedler 1979), stretch by stretch: candidates come at the stretch's highest rate, and one is
// taken with the probability that its rate bears to that. A stretch can be begun anew at its start because
// what comes next in a Poisson process does not depend on what was before. Rates are thousandths of an order
// per second; no floating point is involved.
namespace sim::workload {

class ArrivalProcess {
 public:
  // REQUIRES: no rate is negative; a burst's `every` and a curve's `day` are positive; a trace was read
  ArrivalProcess(Arrivals arrivals, Rng rng);

  // The next one; none if there is none any more.
  std::optional<std::int64_t> next();

 private:
  std::optional<std::int64_t> next_constant(MilliRate rate);
  std::optional<std::int64_t> next_recorded(const TraceArrivals& trace);
  template <class Kind>
  std::optional<std::int64_t> next_random(const Kind& kind);

  Arrivals arrivals_;
  Rng rng_;
  std::int64_t now_ = 0;
  std::int64_t count_ = 0;
};

// The rate at `at_ns` after the start.
MilliRate rate_at(const PoissonArrivals& arrivals, std::int64_t at_ns);
MilliRate rate_at(const RampArrivals& arrivals, std::int64_t at_ns);
MilliRate rate_at(const BurstArrivals& arrivals, std::int64_t at_ns);
// From `low` to `high` along 3x^2 - 2x^3, x being the share of the half day to the peak: flat at both ends,
// and the day's mean is halfway between them.
MilliRate rate_at(const DailyArrivals& arrivals, std::int64_t at_ns);

}  // namespace sim::workload
