#include "judge/order_metrics.h"

#include <algorithm>
#include <optional>

#include "base/int128.h"
#include "judge/statistic.h"

namespace sim::judge {
namespace {

using metrics::kNever;
using metrics::OrderLedger;
using metrics::Outcome;
using metrics::Series;

bool is_of_flow(std::optional<std::size_t> flow, const OrderLedger::Order& order) {
  return !flow || flow_of(order.id).value() == static_cast<std::int32_t>(*flow);
}

// Calls visit(index, order) for each order of the expectation's flow (if it names one) and window.
template <class Visit>
void for_each_order(const MeasuredRun& run, const Expectation& expectation, bool warmup_too, Visit visit) {
  const auto flow = place_of(run.names.flows, expectation.of);
  for (OrderLedger::Index index = 0; index < run.ledger.size(); ++index) {
    const OrderLedger::Order& order = run.ledger.order(index);
    if (is_of_flow(flow, order) && lies_in(run, expectation, order.intended, warmup_too)) visit(index, order);
  }
}

// ---- Latencies

enum class Until : std::uint8_t { handled, answered };

// Of one order, end to end or to its producer; nullopt if it is none of the flow or service that `of` names.
class LatencyOf {
 public:
  LatencyOf(const MeasuredRun& run, Until until, const std::string& of)
      : ledger_(run.ledger),
        until_(until),
        flow_(place_of(run.names.flows, of)),
        service_(place_of(run.names.services, of)) {}

  std::optional<std::int64_t> operator()(OrderLedger::Index index) const {
    const OrderLedger::Order& order = ledger_.order(index);
    if (!is_of_flow(flow_, order) || (service_ && !ledger_.wants(order, *service_))) return std::nullopt;
    const std::int64_t end = until_ == Until::answered ? ledger_.answered(index)
                             : service_                ? ledger_.ended(index, *service_)
                                                       : ledger_.ended(index);
    return end - order.intended;
  }

 private:
  const OrderLedger& ledger_;
  Until until_;
  std::optional<std::size_t> flow_;
  std::optional<std::size_t> service_;
};

Measured latency(const MeasuredRun& run, const Expectation& expectation, Until until) {
  const LatencyOf latency_of(run, until, expectation.of);
  std::vector<std::int64_t> samples;
  bool may_grow = false;
  for_each_order(run, expectation, false, [&](OrderLedger::Index index, const OrderLedger::Order&) {
    const auto latency = latency_of(index);
    if (!latency) return;
    samples.push_back(*latency);
    may_grow = may_grow || (run.is_cut && run.ledger.outcome(index) == Outcome::open);
  });
  Measured measured = statistic_of(expectation.statistic, samples);
  measured.at_least = measured.value && may_grow;
  return measured;
}

// Of the orders intended in each second of the load; seconds with too few for the statistic are left out.
Course latency_course(const MeasuredRun& run, const Condition& condition, Until until) {
  const LatencyOf latency_of(run, until, condition.of);
  std::vector<std::vector<Sample>> latencies(run.series.rows().size());
  for (OrderLedger::Index i = 0; i < run.ledger.size(); ++i) {
    const std::size_t row = Series::row_of(run.ledger.order(i).intended);
    const std::optional<std::int64_t> latency = latency_of(i);
    if (latency && row < latencies.size()) latencies[row].push_back(Sample{*latency});
  }
  Expectation asked;
  asked.statistic = condition.statistic;
  Course course;
  for (std::size_t row = 0; row < latencies.size(); ++row) {
    if (run.series.end_of(row) > nanos(run.load)) continue;
    const Measured measured = statistic_of(condition.statistic, std::move(latencies[row]));
    if (judge(asked, measured) != Verdict::inconclusive)
      course.emplace_back(run.series.end_of(row), *measured.value);
  }
  return course;
}

// ---- Lag

using LagField = std::int64_t Series::Lag::*;

// Of the service, or of the one that lags most.
std::int64_t worst_lag(const Series::Row& row, std::optional<std::size_t> service, LagField field) {
  std::int64_t worst = 0;
  for (std::size_t s = 0; s < row.lag.size(); ++s) {
    if (!service || *service == s) worst = std::max(worst, row.lag[s].*field);
  }
  return worst;
}

Measured lag_of(const MeasuredRun& run, const Expectation& expectation, LagField field) {
  const auto service = place_of(run.names.services, expectation.of);
  std::vector<std::int64_t> samples;
  for (std::size_t row = 0; row < run.series.rows().size(); ++row) {
    if (lies_in(run, expectation, run.series.end_of(row), false))
      samples.push_back(worst_lag(run.series.rows()[row], service, field));
  }
  return statistic_of(expectation.statistic, samples);
}

Course lag_course_of(const MeasuredRun& run, const Condition& condition, LagField field) {
  const auto service = place_of(run.names.services, condition.of);
  Course course;
  for (std::size_t row = 0; row < run.series.rows().size(); ++row)
    course.emplace_back(run.series.end_of(row), worst_lag(run.series.rows()[row], service, field));
  return course;
}

// ---- Counts of orders

// The sum of count(index, order) over the orders asked for.
template <class Count>
Measured count_orders(const MeasuredRun& run, const Expectation& expectation, Count count) {
  Measured measured{0, 0};
  for_each_order(run, expectation, true, [&](OrderLedger::Index index, const OrderLedger::Order& order) {
    *measured.value += static_cast<std::int64_t>(count(index, order));
    ++measured.samples;
  });
  return measured;
}

// Whether test(index, service) holds of the service asked for, or of any, that is to do the order.
template <class Test>
Measured count_by_service(const MeasuredRun& run, const Expectation& expectation, Test test) {
  const auto service = place_of(run.names.services, expectation.of);
  return count_orders(run, expectation, [&](OrderLedger::Index index, const OrderLedger::Order& order) {
    for (std::size_t s = 0; s < run.ledger.services(); ++s) {
      if ((!service || *service == s) && run.ledger.wants(order, s) && test(index, s)) return true;
    }
    return false;
  });
}

Measured count_outcome(const MeasuredRun& run, const Expectation& expectation, Outcome outcome) {
  return count_orders(run, expectation, [&](OrderLedger::Index index, const OrderLedger::Order&) {
    return run.ledger.outcome(index) == outcome;
  });
}

}  // namespace

Measured e2e_latency(const MeasuredRun& run, const Expectation& expectation) {
  return latency(run, expectation, Until::handled);
}
Measured produce_latency(const MeasuredRun& run, const Expectation& expectation) {
  return latency(run, expectation, Until::answered);
}
Course e2e_latency_course(const MeasuredRun& run, const Condition& condition) {
  return latency_course(run, condition, Until::handled);
}
Course produce_latency_course(const MeasuredRun& run, const Condition& condition) {
  return latency_course(run, condition, Until::answered);
}

Measured lag(const MeasuredRun& run, const Expectation& expectation) {
  return lag_of(run, expectation, &Series::Lag::ns);
}
Measured lag_offsets(const MeasuredRun& run, const Expectation& expectation) {
  return lag_of(run, expectation, &Series::Lag::offsets);
}
Course lag_course(const MeasuredRun& run, const Condition& condition) {
  return lag_course_of(run, condition, &Series::Lag::ns);
}
Course lag_offsets_course(const MeasuredRun& run, const Condition& condition) {
  return lag_course_of(run, condition, &Series::Lag::offsets);
}

// ---- Throughput

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

Course throughput_course(const MeasuredRun& run, const Condition&) {
  Course course;
  std::int64_t from = 0;
  for (std::size_t row = 0; row < run.series.rows().size(); ++row) {
    const std::int64_t end = run.series.end_of(row);
    if (end > nanos(run.load)) break;
    const int128 fulfilled = run.series.rows()[row].fulfilled;
    course.emplace_back(end, static_cast<std::int64_t>(fulfilled * 1'000 * 1'000'000'000 / (end - from)));
    from = end;
  }
  return course;
}

// ---- What went wrong, and what went well

Measured lost_orders(const MeasuredRun& run, const Expectation& expectation) {
  return count_by_service(run, expectation, [&](OrderLedger::Index index, std::size_t s) {
    return run.ledger.lost_for(index, s);
  });
}

Measured lost_acked(const MeasuredRun& run, const Expectation& expectation) {
  return count_orders(run, expectation, [&](OrderLedger::Index index, const OrderLedger::Order&) {
    return run.ledger.lost_acked(index);
  });
}

Measured lost_for_group(const MeasuredRun& run, const Expectation& expectation) {
  return count_by_service(run, expectation, [&](OrderLedger::Index index, std::size_t s) {
    return run.ledger.lost_for_group(index, s);
  });
}

Measured duplicate_records(const MeasuredRun& run, const Expectation& expectation) {
  const auto flow = place_of(run.names.flows, expectation.of);
  Measured measured{0, run.ledger.size()};
  for (const OrderLedger::Duplicate& one : run.ledger.duplicates()) {
    const OrderLedger::Order& order = run.ledger.order(one.order);
    if (is_of_flow(flow, order) && lies_in(run, expectation, order.intended, true)) ++*measured.value;
  }
  return measured;
}

Measured reordered_keys(const MeasuredRun& run, const Expectation& expectation) {
  const auto service = place_of(run.names.services, expectation.of);
  Measured measured{0, run.ledger.size()};
  for (std::size_t s = 0; s < run.ledger.services(); ++s) {
    if (service && *service != s) continue;
    for (const OrderLedger::Index index : run.ledger.reordered(s)) {
      if (lies_in(run, expectation, run.ledger.order(index).intended, true)) ++*measured.value;
    }
  }
  return measured;
}

Measured failed_orders(const MeasuredRun& run, const Expectation& expectation) {
  return count_outcome(run, expectation, Outcome::failed);
}
Measured fulfilled_orders(const MeasuredRun& run, const Expectation& expectation) {
  return count_outcome(run, expectation, Outcome::fulfilled);
}
Measured open_orders(const MeasuredRun& run, const Expectation& expectation) {
  return count_outcome(run, expectation, Outcome::open);
}

Measured unhandled_orders(const MeasuredRun& run, const Expectation& expectation) {
  bool may_grow = false;
  Measured measured = count_by_service(run, expectation, [&](OrderLedger::Index index, std::size_t s) {
    const Outcome outcome = run.ledger.outcome(index);
    if (outcome == Outcome::failed || run.ledger.service(index, s).done != kNever) return false;
    if (!run.is_cut || outcome != Outcome::open) return true;
    may_grow = true;  // it was under way when the run was cut
    return false;
  });
  measured.at_least = may_grow;
  return measured;
}

Measured retried_orders(const MeasuredRun& run, const Expectation& expectation) {
  return count_orders(run, expectation, [&](OrderLedger::Index, const OrderLedger::Order& order) {
    return run.ledger.batch_of(order).attempts > 1;
  });
}

Measured duplicate_effects(const MeasuredRun& run, const Expectation& expectation) {
  const auto service = place_of(run.names.services, expectation.of);
  return count_orders(run, expectation, [&](OrderLedger::Index index, const OrderLedger::Order&) {
    std::int64_t again = 0;
    for (std::size_t s = 0; s < run.ledger.services(); ++s) {
      if (!service || *service == s) again += std::max(0, run.ledger.service(index, s).times - 1);
    }
    return again;
  });
}

Measured aborted_reads(const MeasuredRun& run, const Expectation& expectation) {
  const auto service = place_of(run.names.services, expectation.of);
  Measured measured{0, run.ledger.size()};
  for (const OrderLedger::AbortedRead& read : run.ledger.aborted_reads()) {
    if (service && *service != read.service) continue;
    if (lies_in(run, expectation, read.at, true)) ++*measured.value;
  }
  return measured;
}

Measured torn_transactions(const MeasuredRun& run, const Expectation& expectation) {
  Measured measured{0, 1};
  for (const check::TornTransaction& torn : run.record.checkers().transactions().torn()) {
    if (lies_in(run, expectation, nanos(torn.at), true)) ++*measured.value;
  }
  return measured;
}

}  // namespace sim::judge
