#include "judge/fault_effects.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace sim::judge {
namespace {

using metrics::ClusterTimeline;
using metrics::kStillLasts;
using metrics::Series;

// How much of it there is from each instant on.
class Steps {
 public:
  void add(std::int64_t at, std::int64_t by) {
    if (by != 0) changes_[at] += by;
  }
  void close() {
    std::int64_t value = 0;
    for (const auto& [at, by] : changes_) values_.emplace_back(at, value += by);
  }
  std::int64_t before(std::int64_t at) const {
    const auto next = std::lower_bound(values_.begin(), values_.end(), at,
                                       [](const auto& step, std::int64_t t) { return step.first < t; });
    return next == values_.begin() ? 0 : std::prev(next)->second;
  }
  // Since when, within [from, to), it has been no more than `limit` without a break; `to` if it is more then.
  std::int64_t settled_since(std::int64_t limit, std::int64_t from, std::int64_t to) const {
    if (before(to) > limit) return to;
    std::int64_t since = from;
    auto step = std::upper_bound(values_.begin(), values_.end(), from,
                                 [](std::int64_t t, const auto& one) { return t < one.first; });
    if (step != values_.begin()) --step;
    for (; step != values_.end() && step->first < to; ++step) {
      const auto next = std::next(step);
      if (step->second > limit && next != values_.end()) since = std::max(since, next->first);
    }
    return since;
  }

 private:
  std::map<std::int64_t, std::int64_t> changes_;
  std::vector<std::pair<std::int64_t, std::int64_t>> values_;
};

Steps fenced_brokers(const ClusterTimeline& timeline) {
  Steps steps;
  for (const ClusterTimeline::BrokerChange& change : timeline.brokers())
    steps.add(change.at, change.fenced ? 1 : -1);
  steps.close();
  return steps;
}

Steps under_replicated_partitions(const ClusterTimeline& timeline) {
  Steps steps;
  std::map<TopicPartition, bool> was_missing;
  for (const ClusterTimeline::PartitionChange& change : timeline.partitions()) {
    const bool is_missing = change.under_replicated && !change.gone;
    steps.add(change.at, (is_missing ? 1 : 0) - (was_missing[change.tp] ? 1 : 0));
    was_missing[change.tp] = is_missing;
  }
  steps.close();
  return steps;
}

Steps partitions_without_leader(const ClusterTimeline& timeline) {
  Steps steps;
  for (const ClusterTimeline::Gap& gap : timeline.gaps()) {
    steps.add(gap.from, 1);
    if (gap.to != kStillLasts) steps.add(gap.to, -1);
  }
  steps.close();
  return steps;
}

// How many orders were under way at the end of each row, those apart of which nothing ever came: lost ones
// would stay under way for ever.
std::vector<std::int64_t> orders_under_way(const MeasuredRun& run) {
  const std::vector<Series::Row>& rows = run.series.rows();
  std::vector<std::int64_t> lost(rows.size(), 0);
  for (metrics::OrderLedger::Index i = 0; i < run.ledger.size(); ++i) {
    if (run.ledger.outcome(i) != metrics::Outcome::lost) continue;
    const std::size_t row = Series::row_of(run.ledger.order(i).intended);
    if (row < rows.size()) ++lost[row];
  }
  std::vector<std::int64_t> under_way;
  std::int64_t lost_so_far = 0;
  for (std::size_t row = 0; row < rows.size(); ++row)
    under_way.push_back(rows[row].in_flight - (lost_so_far += lost[row]));
  return under_way;
}

// What was usual before a strike, by the rows outside of windows and of the warm-up. Strikes are looked at in
// the order of time.
class Usual {
 public:
  explicit Usual(const MeasuredRun& run)
      : run_(run), under_way_(orders_under_way(run)), lag_ns_(run.ledger.services(), 0) {}

  void look_up_to(std::int64_t strike) {
    const std::vector<Series::Row>& rows = run_.series.rows();
    for (; next_ < rows.size() && run_.series.end_of(next_) <= strike; ++next_) {
      const std::int64_t at = run_.series.end_of(next_);
      if (at < nanos(run_.warmup) || at < covered_until_) continue;
      most_under_way_ = std::max(most_under_way_, under_way_[next_]);
      for (std::size_t s = 0; s < lag_ns_.size(); ++s)
        lag_ns_[s] = std::max(lag_ns_[s], rows[next_].lag[s].ns);
    }
  }
  void cover_until(std::int64_t at) { covered_until_ = std::max(covered_until_, at); }

  bool is_exceeded_in(std::size_t row) const {
    constexpr std::int64_t kHardlyAnyOrders = 10;
    constexpr std::int64_t kHardlyAnyLag = 500'000'000;  // ns
    if (under_way_[row] > 2 * most_under_way_ + kHardlyAnyOrders) return true;
    for (std::size_t s = 0; s < lag_ns_.size(); ++s) {
      if (run_.series.rows()[row].lag[s].ns > 2 * lag_ns_[s] + kHardlyAnyLag) return true;
    }
    return false;
  }

 private:
  const MeasuredRun& run_;
  std::vector<std::int64_t> under_way_;  // by row
  std::size_t next_ = 0;                 // row to be looked at
  std::int64_t covered_until_ = 0;
  std::int64_t most_under_way_ = 0;
  std::vector<std::int64_t> lag_ns_;  // by service: the most
};

// The end of the first row from which on, up to `limit`, nothing is unusual; nullopt if there is none. The
// window ends with it: a row that was found well does not lie in the window, all that is worse does.
std::optional<std::int64_t> well_since(const MeasuredRun& run, const Usual& usual, std::int64_t from,
                                       std::int64_t limit) {
  std::optional<std::int64_t> since;
  for (std::size_t row = Series::row_of(from); row < run.series.rows().size(); ++row) {
    const std::int64_t at = run.series.end_of(row);
    if (at > limit) break;
    if (at < from) continue;
    if (usual.is_exceeded_in(row)) {
      since.reset();
    } else if (!since) {
      since = at;
    }
  }
  return since;
}

}  // namespace

void find_fault_effects(MeasuredRun& run) {
  const Steps gauges[] = {fenced_brokers(run.timeline), under_replicated_partitions(run.timeline),
                          partitions_without_leader(run.timeline)};
  std::vector<FaultWindow*> in_order;
  for (FaultWindow& fault : run.faults) in_order.push_back(&fault);
  std::stable_sort(in_order.begin(), in_order.end(),
                   [](const FaultWindow* a, const FaultWindow* b) { return a->from < b->from; });
  Usual usual(run);
  for (FaultWindow* fault : in_order) {
    const std::int64_t from = nanos(fault->from);
    const std::int64_t to = nanos(fault->to);
    usual.look_up_to(from);
    std::int64_t limit = to + kEffectGrace;
    fault->ends_by = EffectEnd::grace;
    if (run.end_ns <= limit) {
      limit = run.end_ns;
      fault->ends_by = EffectEnd::end_of_run;
    }
    const auto next = std::upper_bound(in_order.begin(), in_order.end(), fault->to,
                                       [](Instant at, const FaultWindow* one) { return at < one->from; });
    if (next != in_order.end() && nanos((*next)->from) < limit) {
      limit = nanos((*next)->from);
      fault->ends_by = EffectEnd::next_strike;
    }
    std::int64_t settled = to;
    for (const Steps& steps : gauges)
      settled = std::max(settled, steps.settled_since(steps.before(from), to, limit));
    std::optional<std::int64_t> well;
    if (settled < limit) well = well_since(run, usual, settled, limit);
    if (well) fault->ends_by = EffectEnd::recovered;
    fault->effect_to = Instant{} + Duration{std::max(to, well.value_or(limit))};
    usual.cover_until(nanos(fault->effect_to));
  }
}

}  // namespace sim::judge
