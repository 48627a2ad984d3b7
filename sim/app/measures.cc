#include "app/measures.h"

#include <algorithm>
#include <numeric>
#include <optional>

#include "app/cluster_measures.h"
#include "base/int128.h"
#include "check/metric_names.h"
#include "metrics/percentile.h"

namespace sim::app {
namespace {

using check::Expectation;
using check::Measured;
using check::Window;
using metrics::OrderLedger;

bool in_a_fault(const MeasuredRun& run, std::int64_t at) {
  return std::any_of(run.faults.begin(), run.faults.end(), [at](const FaultWindow& fault) {
    return nanos(fault.from) <= at && at < nanos(fault.to);
  });
}

// Index of the service or flow of that name; nullopt if `of` is empty or names something else.
std::optional<std::size_t> named(const std::vector<std::string>& names, const std::string& of) {
  const auto found = std::find(names.begin(), names.end(), of);
  if (of.empty() || found == names.end()) return std::nullopt;
  return static_cast<std::size_t>(found - names.begin());
}

// Calls visit(index) for each order of the expectation's flow (if it names one) and window.
template <class Visit>
void for_each_order(const MeasuredRun& run, const Expectation& expectation, bool warmup_too, Visit visit) {
  const auto flow = named(run.names.flows, expectation.of);
  for (std::size_t i = 0; i < run.ledger.size(); ++i) {
    const auto index = static_cast<OrderLedger::Index>(i);
    const OrderLedger::Order& order = run.ledger.order(index);
    if (flow && flow_of(order.id).value() != static_cast<std::int32_t>(*flow)) continue;
    if (lies_in(run, expectation, order.intended, warmup_too)) visit(index, order);
  }
}

Measured statistic_of(const Expectation& expectation, std::vector<std::int64_t>& samples) {
  if (samples.empty()) return Measured{};
  Measured measured;
  measured.samples = samples.size();
  if (const auto share = check::percentile_share(expectation.statistic)) {
    const auto nth =
        samples.begin() + static_cast<std::ptrdiff_t>(metrics::rank_of(*share, samples.size()) - 1);
    std::nth_element(samples.begin(), nth, samples.end());
    measured.value = *nth;
  } else if (expectation.statistic == "max") {
    measured.value = *std::max_element(samples.begin(), samples.end());
  } else if (expectation.statistic == "min") {
    measured.value = *std::min_element(samples.begin(), samples.end());
  } else if (expectation.statistic == "mean") {
    const int128 sum = std::accumulate(samples.begin(), samples.end(), int128{0});
    measured.value = static_cast<std::int64_t>(sum / static_cast<std::int64_t>(samples.size()));
  } else if (expectation.statistic == "value") {
    measured.value = samples.back();  // the last one: where it ended
  }
  return measured;
}

Measured latency(const MeasuredRun& run, const Expectation& expectation) {
  std::vector<std::int64_t> samples;
  for_each_order(run, expectation, false, [&](OrderLedger::Index index, const OrderLedger::Order&) {
    if (const auto latency = latency_of(run, expectation, index)) samples.push_back(*latency);
  });
  return statistic_of(expectation, samples);
}

Measured lag(const MeasuredRun& run, const Expectation& expectation) {
  const auto service = named(run.names.services, expectation.of);
  const bool in_offsets = expectation.metric == "lag_offsets";
  std::vector<std::int64_t> samples;
  for (std::size_t row = 0; row < run.series.rows().size(); ++row) {
    if (!lies_in(run, expectation, run.series.end_of(row), false)) continue;
    std::int64_t worst = 0;
    for (std::size_t s = 0; s < run.series.rows()[row].lag.size(); ++s) {
      const metrics::Series::Lag& one = run.series.rows()[row].lag[s];
      if (!service || *service == s) worst = std::max(worst, in_offsets ? one.offsets : one.ns);
    }
    samples.push_back(worst);
  }
  return statistic_of(expectation, samples);
}

std::int64_t count_of(const MeasuredRun& run, const Expectation& expectation, OrderLedger::Index index) {
  const OrderLedger& ledger = run.ledger;
  const OrderLedger::Order& order = ledger.order(index);
  const auto service = named(run.names.services, expectation.of);
  const auto any_service = [&](auto test) {
    for (std::size_t s = 0; s < ledger.services(); ++s) {
      if ((!service || *service == s) && ledger.wants(order, s) && test(s)) return true;
    }
    return false;
  };
  const std::string& metric = expectation.metric;
  const metrics::Outcome outcome = ledger.outcome(index);
  if (metric == "failed_orders") return outcome == metrics::Outcome::failed;
  if (metric == "fulfilled_orders") return outcome == metrics::Outcome::fulfilled;
  if (metric == "open_orders") return outcome == metrics::Outcome::open;
  if (metric == "retried_orders") return ledger.batch_of(order).attempts > 1;
  if (metric == "lost_acked") return ledger.lost_acked(index);
  if (metric == "lost_for_group")
    return any_service([&](std::size_t s) { return ledger.lost_for_group(index, s); });
  if (metric == "lost_orders") {
    return service ? ledger.lost_for(index, *service)
                   : any_service([&](std::size_t s) { return ledger.lost_for(index, s); });
  }
  if (metric == "unhandled_orders") {
    return outcome != metrics::Outcome::failed &&
           any_service([&](std::size_t s) { return ledger.service(index, s).done == metrics::kNever; });
  }
  std::int64_t again = 0;  // duplicate_effects
  for (std::size_t s = 0; s < ledger.services(); ++s) {
    if (!service || *service == s) again += std::max(0, ledger.service(index, s).times - 1);
  }
  return again;
}

Measured duplicate_records(const MeasuredRun& run, const Expectation& expectation) {
  const auto flow = named(run.names.flows, expectation.of);
  Measured measured{0, run.ledger.size()};
  for (const OrderLedger::Duplicate& one : run.ledger.duplicates()) {
    const OrderLedger::Order& order = run.ledger.order(one.order);
    if (flow && flow_of(order.id).value() != static_cast<std::int32_t>(*flow)) continue;
    if (lies_in(run, expectation, order.intended, true)) ++*measured.value;
  }
  return measured;
}

Measured reordered_keys(const MeasuredRun& run, const Expectation& expectation) {
  const auto service = named(run.names.services, expectation.of);
  Measured measured{0, run.ledger.size()};
  for (std::size_t s = 0; s < run.ledger.services(); ++s) {
    if (service && *service != s) continue;
    for (const OrderLedger::Index index : run.ledger.reordered(s)) {
      if (lies_in(run, expectation, run.ledger.order(index).intended, true)) ++*measured.value;
    }
  }
  return measured;
}

Measured throughput(const MeasuredRun& run, const Expectation& expectation) {
  std::int64_t fulfilled = 0;
  std::int64_t ns = 0;
  for (std::size_t row = 0; row < run.series.rows().size(); ++row) {
    const std::int64_t from = row == 0 ? 0 : run.series.end_of(row - 1);
    const std::int64_t end = run.series.end_of(row);
    if (!lies_in(run, expectation, from, false) || end > nanos(run.load)) continue;
    fulfilled += run.series.rows()[row].fulfilled;
    ns += end - from;
  }
  if (ns == 0) return Measured{};
  return Measured{static_cast<std::int64_t>(int128{fulfilled} * 1'000 * 1'000'000'000 / ns),
                  static_cast<std::uint64_t>(fulfilled)};
}

}  // namespace

MeasuredRun::MeasuredRun(const record::RunRecord& record_, Duration warmup_, Duration load_,
                         std::int64_t end_ns_)
    : record(record_), warmup(warmup_), load(load_), end_ns(end_ns_) {
  for (std::size_t fault = 0; fault < names.faults.size(); ++fault) {
    for (const metrics::ClusterTimeline::Strike& strike : timeline.strikes()) {
      if (strike.fault.value() != static_cast<std::int32_t>(fault)) continue;
      const std::int64_t to = strike.to == metrics::kStillLasts ? end_ns : strike.to;
      faults.push_back(FaultWindow{names.faults[fault], instant_at(strike.from), instant_at(to)});
    }
  }
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
  }
  return false;
}

std::optional<std::int64_t> latency_of(const MeasuredRun& run, const Expectation& expectation,
                                       OrderLedger::Index index) {
  const OrderLedger::Order& order = run.ledger.order(index);
  const auto flow = named(run.names.flows, expectation.of);
  if (flow && flow_of(order.id).value() != static_cast<std::int32_t>(*flow)) return std::nullopt;
  const auto service = named(run.names.services, expectation.of);
  if (service && !run.ledger.wants(order, *service)) return std::nullopt;
  const std::int64_t end = expectation.metric == "produce_latency" ? run.ledger.answered(index)
                           : service                               ? run.ledger.ended(index, *service)
                                                                   : run.ledger.ended(index);
  return end - order.intended;
}

Measured measure(const MeasuredRun& run, const Expectation& expectation) {
  if (expectation.metric == check::kRecovery) return measure_recovery(run, expectation);
  if (is_cluster_metric(expectation.metric)) return measure_cluster(run, expectation);
  const check::MetricInfo* metric = check::find_metric(expectation.metric);
  if (metric == nullptr) return Measured{};
  if (expectation.metric == "throughput") return throughput(run, expectation);
  if (expectation.metric == "duplicate_records") return duplicate_records(run, expectation);
  if (expectation.metric == "reordered_keys") return reordered_keys(run, expectation);
  if (expectation.metric == "lag" || expectation.metric == "lag_offsets") return lag(run, expectation);
  if (metric->distribution) return latency(run, expectation);
  Measured measured;
  measured.value = 0;
  for_each_order(run, expectation, true, [&](OrderLedger::Index index, const OrderLedger::Order&) {
    *measured.value += count_of(run, expectation, index);
    ++measured.samples;
  });
  return measured;
}

Distribution distribution_of(std::vector<std::int64_t>& samples) {
  Distribution distribution;
  distribution.count = samples.size();
  if (samples.empty()) return distribution;
  const int128 sum = std::accumulate(samples.begin(), samples.end(), int128{0});
  distribution.mean = static_cast<std::int64_t>(sum / static_cast<std::int64_t>(samples.size()));
  const std::pair<std::int64_t, std::int64_t*> wanted[] = {{50'000, &distribution.p50},
                                                           {90'000, &distribution.p90},
                                                           {99'000, &distribution.p99},
                                                           {99'900, &distribution.p999}};
  auto from = samples.begin();  // what lies before is smaller than all that is still asked for
  for (const auto& [share, value] : wanted) {
    if (!metrics::enough_samples(share, samples.size())) break;
    const auto nth =
        samples.begin() + static_cast<std::ptrdiff_t>(metrics::rank_of(share, samples.size()) - 1);
    std::nth_element(from, nth, samples.end());
    *value = *nth;
    from = nth;
  }
  distribution.max = *std::max_element(from, samples.end());
  return distribution;
}

}  // namespace sim::app
