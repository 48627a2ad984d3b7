#include "judge/summary.h"

#include <algorithm>
#include <utility>

#include "judge/metric.h"

namespace sim::judge {

using metrics::OrderLedger;
using metrics::Outcome;

const char* name(StopReason reason) {
  switch (reason) {
    case StopReason::settled: return "settled";
    case StopReason::time_limit: return "time_limit";
    case StopReason::until: return "until";
    case StopReason::event_budget: return "event_budget";
    case StopReason::interrupted: return "interrupted";
  }
  return "?";
}

bool is_cut(StopReason reason) {
  return reason == StopReason::until || reason == StopReason::event_budget ||
         reason == StopReason::interrupted;
}

namespace {

bool after_warmup(const MeasuredRun& run, const OrderLedger::Order& order) {
  return order.intended >= nanos(run.warmup);
}

OrderCounts count_orders(const OrderLedger& ledger) {
  OrderCounts counts;
  counts.placed = ledger.totals().placed;
  counts.acknowledged = ledger.totals().acknowledged;
  counts.retried = ledger.totals().retried;
  for (OrderLedger::Index i = 0; i < ledger.size(); ++i) {
    switch (ledger.outcome(i)) {
      case Outcome::fulfilled: ++counts.fulfilled; break;
      case Outcome::lost: ++counts.lost; break;
      case Outcome::open: ++counts.open; break;
      case Outcome::failed:
        ++counts.failed;
        if (ledger.last_service(i) != ledger.services()) ++counts.failed_yet_handled;
        break;
    }
  }
  return counts;
}

template <class Latency>
Distribution latencies(const MeasuredRun& run, Latency latency) {
  std::vector<std::int64_t> samples;
  samples.reserve(run.ledger.size());
  for (OrderLedger::Index i = 0; i < run.ledger.size(); ++i) {
    const OrderLedger::Order& order = run.ledger.order(i);
    if (!after_warmup(run, order)) continue;
    if (const std::optional<std::int64_t> end = latency(i, order)) samples.push_back(*end - order.intended);
  }
  return distribution_of(samples);
}

ServiceSummary summarize_service(const MeasuredRun& run, std::size_t s) {
  ServiceSummary summary;
  summary.name = run.names.services[s];
  for (OrderLedger::Index i = 0; i < run.ledger.size(); ++i) {
    const OrderLedger::Service& row = run.ledger.service(i, s);
    if (row.times > 0) ++summary.done;
    if (row.times > 1) ++summary.done_again;
    if (row.times > 1) summary.duplicate_effects += row.times - std::uint64_t{1};
    if (run.ledger.lost_for(i, s)) ++summary.lost;
  }
  summary.latency = latencies(run, [&](OrderLedger::Index i, const OrderLedger::Order& order) {
    return run.ledger.wants(order, s) ? std::optional(run.ledger.ended(i, s)) : std::nullopt;
  });
  return summary;
}

std::array<StageShare, metrics::kStages> share_stages(const MeasuredRun& run) {
  std::array<int128, metrics::kStages> sums{};
  std::int64_t count = 0;
  for (OrderLedger::Index i = 0; i < run.ledger.size(); ++i) {
    const std::size_t last = run.ledger.last_service(i);
    if (!after_warmup(run, run.ledger.order(i)) || last == run.ledger.services() ||
        run.ledger.outcome(i) != Outcome::fulfilled) {
      continue;
    }
    const auto stages = run.ledger.stages(i, last);
    for (std::size_t stage = 0; stage < metrics::kStages; ++stage) sums[stage] += stages[stage];
    ++count;
  }
  std::array<StageShare, metrics::kStages> shares{};
  int128 whole = 0;
  for (const int128 sum : sums) whole += sum;
  for (std::size_t stage = 0; stage < metrics::kStages && whole > 0; ++stage) {
    shares[stage].mean = static_cast<std::int64_t>(sums[stage] / count);
    shares[stage].share_milli_percent =
        static_cast<std::int64_t>((sums[stage] * 100'000 + whole / 2) / whole);
  }
  return shares;
}

// On whose way an order was slowest: that of the first service that has not done it, or of the last that has.
std::size_t telling_service(const OrderLedger& ledger, OrderLedger::Index index) {
  for (std::size_t s = 0; s < ledger.services(); ++s) {
    if (ledger.wants(ledger.order(index), s) && ledger.service(index, s).done == metrics::kNever) return s;
  }
  return ledger.last_service(index);
}

// For how long, between two instants, nobody led the partition.
std::int64_t without_leader(const MeasuredRun& run, TopicPartition tp, std::int64_t from, std::int64_t to) {
  std::int64_t sum = 0;
  for (const metrics::ClusterTimeline::Gap& gap : run.timeline.gaps()) {
    const std::int64_t end = gap.to == metrics::kStillLasts ? run.end_ns : gap.to;
    if (gap.tp == tp) sum += std::max<std::int64_t>(0, std::min(end, to) - std::max(gap.from, from));
  }
  return sum;
}

// What a long time in the accumulator was spent on: linger.ms is seldom all of it.
void explain_linger(const MeasuredRun& run, const RunPlan& plan, const OrderLedger::Order& order,
                    Slowest& slowest) {
  const OrderLedger::Batch& batch = run.ledger.batch_of(order);
  const std::int64_t from = order.accepted;
  const std::int64_t to = from + slowest.in_stage;
  const auto flow = static_cast<std::size_t>(flow_of(order.id).value());
  const std::int64_t linger =
      flow < plan.linger_of_flow.size() ? nanos(plan.linger_of_flow[flow]) : slowest.in_stage;
  slowest.beyond_linger = slowest.in_stage > 2 * linger;
  slowest.without_leader = slowest.beyond_linger && batch.record_count > 0 &&
                           without_leader(run, batch.tp, from, to) * 2 > slowest.in_stage;
}

// Of services that send an order on to each other, the one before which it spent most of its time in a stage.
std::size_t mostly_before(const OrderLedger& ledger, OrderLedger::Index index, std::size_t service,
                          metrics::Stage stage) {
  const auto in_stage = [&](std::size_t s) {
    return ledger.stages(index, s)[static_cast<std::size_t>(stage)];
  };
  std::size_t where = service;
  std::int64_t longest = -1;
  for (std::size_t s = service; s != ledger.services(); s = ledger.upstream(index, s)) {
    const std::size_t sender = ledger.upstream(index, s);
    const std::int64_t here = in_stage(s) - (sender == ledger.services() ? 0 : in_stage(sender));
    if (here > longest) where = s;
    longest = std::max(longest, here);
  }
  return where;
}

std::optional<Slowest> find_slowest(const MeasuredRun& run, const RunPlan& plan) {
  const OrderLedger& ledger = run.ledger;
  OrderLedger::Index slowest = OrderLedger::kNone;
  std::int64_t longest = -1;
  for (OrderLedger::Index i = 0; i < ledger.size(); ++i) {
    if (!after_warmup(run, ledger.order(i))) continue;
    const std::int64_t latency = ledger.ended(i) - ledger.order(i).intended;
    if (latency <= longest) continue;
    longest = latency;
    slowest = i;
  }
  if (slowest == OrderLedger::kNone) return std::nullopt;
  const OrderLedger::Order& order = ledger.order(slowest);
  Slowest found;
  found.flow = run.names.flows[static_cast<std::size_t>(flow_of(order.id).value())];
  found.order = number_of(order.id);
  found.latency = longest;
  found.outcome = ledger.outcome(slowest);
  const std::size_t service = telling_service(ledger, slowest);
  if (service == ledger.services()) return found;
  const auto stages = ledger.stages(slowest, service);
  const auto most = std::max_element(stages.begin(), stages.end());
  found.stage = static_cast<metrics::Stage>(most - stages.begin());
  found.in_stage = *most;
  const std::size_t where = mostly_before(ledger, slowest, service, found.stage);
  found.service = run.names.services[where];
  const bool is_first = ledger.upstream(slowest, where) == ledger.services();
  if (found.stage == metrics::Stage::linger && is_first) explain_linger(run, plan, order, found);
  return found;
}

Verdict overall(const Summary& summary) {
  bool inconclusive = is_cut(summary.end.reason);
  for (const FaultReport& fault : summary.faults)
    inconclusive = inconclusive || (fault.effects() == 0 && !fault.may_miss);
  for (const JudgedExpectation& judged : summary.expectations) {
    if (judged.verdict == Verdict::failed) return Verdict::failed;
    inconclusive = inconclusive || judged.verdict == Verdict::inconclusive;
  }
  if (!summary.violations.empty()) return Verdict::failed;
  inconclusive = inconclusive || lost_and_expected_nothing(summary);
  return inconclusive ? Verdict::inconclusive : Verdict::ok;
}

}  // namespace

Summary summarize(const RunPlan& plan, const record::RunRecord& record, const RunEnd& end) {
  MeasuredRun run(record, plan.warmup, plan.duration, nanos(end.end));
  run.is_cut = is_cut(end.reason);
  Summary summary;
  summary.scenario = plan.scenario;
  summary.scenario_file = plan.scenario_file;
  summary.about = plan.about;
  summary.seed = plan.seed;
  summary.duration = plan.duration;
  summary.warmup = plan.warmup;
  summary.end = end;
  for (const Expectation& expectation : plan.expectations) {
    const Measured measured = measure(run, expectation);
    summary.expectations.push_back(JudgedExpectation{expectation, measured, judge(expectation, measured)});
  }
  const bool asks_for_convergence =
      std::any_of(plan.expectations.begin(), plan.expectations.end(),
                  [](const Expectation& one) { return one.metric == "unconverged"; });
  if (asks_for_convergence && !run.is_cut) summary.unconverged = unconverged_of(run);
  summary.violations = record.checkers().violations();
  summary.invariants_off = plan.invariants_off;
  summary.outcomes = find_verdicts(run);
  summary.faults = report_faults(plan.faults, run);
  summary.orders = count_orders(run.ledger);
  summary.e2e = latencies(run, [&](OrderLedger::Index i, const OrderLedger::Order&) {
    return std::optional(run.ledger.ended(i));
  });
  summary.produce = latencies(run, [&](OrderLedger::Index i, const OrderLedger::Order&) {
    return std::optional(run.ledger.answered(i));
  });
  for (std::size_t s = 0; s < run.ledger.services(); ++s)
    summary.services.push_back(summarize_service(run, s));
  summary.groups = summarize_groups(run);
  summary.stages = share_stages(run);
  summary.slowest = find_slowest(run, plan);
  summary.verdict = overall(summary);
  return summary;
}

bool lost_and_expected_nothing(const Summary& summary) {
  const bool lost = summary.orders.lost > 0 ||
                    std::any_of(summary.outcomes.begin(), summary.outcomes.end(),
                                [](const OutcomeVerdict& one) { return one.word.starts_with("LOST"); });
  return lost && summary.expectations.empty();
}

int exit_code(const Summary& summary) {
  switch (summary.verdict) {
    case Verdict::ok: return 0;
    case Verdict::failed: return 1;
    case Verdict::inconclusive: return 3;
  }
  return 3;
}

std::string fingerprint_text(std::uint64_t fingerprint) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  for (int shift = 60; shift >= 0; shift -= 4) text += kHex[fingerprint >> shift & 15];
  return text;
}

}  // namespace sim::judge
