#include "judge/measured_run.h"

#include <algorithm>

#include "judge/fault_effects.h"

namespace sim::judge {
MeasuredRun::MeasuredRun(const record::RunRecord& record_, Duration warmup_, Duration load_,
                         std::int64_t end_ns_)
    : record(record_), warmup(warmup_), load(load_), end_ns(end_ns_) {
  for (std::size_t fault = 0; fault < names.faults.size(); ++fault) {
    for (const metrics::ClusterTimeline::Strike& strike : timeline.strikes()) {
      if (strike.fault.value() != static_cast<std::int32_t>(fault)) continue;
      const std::int64_t to = strike.to == metrics::kStillLasts ? end_ns : strike.to;
      faults.push_back(
          FaultWindow{names.faults[fault], instant_at(strike.from), instant_at(to), instant_at(to)});
    }
  }
  find_fault_effects(*this);
}

bool in_a_fault(const MeasuredRun& run, std::int64_t at) {
  return std::any_of(run.faults.begin(), run.faults.end(), [at](const FaultWindow& fault) {
    return nanos(fault.from) <= at && at < nanos(fault.effect_to);
  });
}

bool lies_in(const MeasuredRun& run, const Expectation& expectation, std::int64_t at, bool warmup_too) {
  switch (expectation.window) {
    case Window::all: return warmup_too || at >= nanos(run.warmup);
    case Window::steady: return at >= nanos(run.warmup) && !in_a_fault(run, at);
    case Window::faults: return in_a_fault(run, at);
    case Window::after: {  // the last of its strikes
      std::optional<std::int64_t> from;
      for (const FaultWindow& fault : run.faults) {
        if (fault.name == expectation.after_fault) from = nanos(fault.to);
      }
      return from && at >= *from;
    }
    case Window::during:
      return std::any_of(run.faults.begin(), run.faults.end(), [&](const FaultWindow& fault) {
        return fault.name == expectation.after_fault && nanos(fault.from) <= at && at < nanos(fault.to);
      });
    case Window::between: return expectation.from_ns <= at && at < expectation.to_ns;
  }
  return false;
}

std::optional<std::size_t> place_of(const std::vector<std::string>& names, const std::string& name) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (name.empty() || found == names.end()) return std::nullopt;
  return static_cast<std::size_t>(found - names.begin());
}

}  // namespace sim::judge
