#include "judge/stuck.h"

#include <algorithm>
#include <map>

namespace sim::judge {

using metrics::ClusterTimeline;
using metrics::kStillLasts;

std::vector<ClusterTimeline::Gap> open_gaps_of(const ClusterTimeline& timeline) {
  std::map<TopicPartition, bool> is_gone;
  for (const ClusterTimeline::PartitionChange& change : timeline.partitions())
    is_gone[change.tp] = change.gone;
  std::vector<ClusterTimeline::Gap> open;
  for (const ClusterTimeline::Gap& gap : timeline.gaps()) {
    if (gap.to == kStillLasts && !is_gone[gap.tp]) open.push_back(gap);
  }
  return open;
}

std::vector<StuckPartition> stuck_partitions_of(const MeasuredRun& run) {
  using metrics::kNever;
  const metrics::OrderLedger& ledger = run.ledger;
  struct Answers {
    std::int64_t acknowledged = kNever;   // last
    std::int64_t waiting_since = kNever;  // the first order that has waited since
    std::int64_t refused = kNever;        // last
  };
  std::map<TopicPartition, Answers> answers;
  const auto each_unanswered = [&](auto visit) {
    for (metrics::OrderLedger::Index i = 0; i < ledger.size(); ++i) {
      const metrics::OrderLedger::Order& order = ledger.order(i);
      const metrics::OrderLedger::Batch& batch = ledger.batch_of(order);
      if (batch.record_count > 0 && batch.acknowledged == kNever) visit(order, answers[batch.tp]);
    }
  };
  for (metrics::OrderLedger::Index i = 0; i < ledger.size(); ++i) {
    const metrics::OrderLedger::Batch& batch = ledger.batch_of(ledger.order(i));
    if (batch.acknowledged == kNever) continue;
    Answers& one = answers[batch.tp];
    one.acknowledged = std::max(one.acknowledged, batch.acknowledged);
  }
  each_unanswered([&](const auto& order, Answers& one) {
    if (order.failed != kNever && order.failed <= one.acknowledged) return;
    const std::int64_t since = std::max(order.intended, one.acknowledged);
    if (one.waiting_since == kNever || since < one.waiting_since) one.waiting_since = since;
    one.refused = std::max(one.refused, order.failed);
  });

  std::map<TopicPartition, StuckPartition> stuck;
  for (const auto& [tp, one] : answers) {
    if (one.waiting_since == kNever) continue;
    const std::int64_t refused = std::max(one.refused, ledger.last_refused(tp));
    if (refused - one.waiting_since >= kStuckAfter)
      stuck[tp] = StuckPartition{tp, one.waiting_since, refused, true};
  }
  for (const ClusterTimeline::Gap& gap : open_gaps_of(run.timeline)) {
    if (run.end_ns - gap.from >= kStuckAfter)
      stuck[gap.tp] = StuckPartition{gap.tp, gap.from, run.end_ns, false};
  }
  std::vector<StuckPartition> result;
  for (const auto& [tp, one] : stuck) result.push_back(one);
  return result;
}

}  // namespace sim::judge
