#include "judge/convergence.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <utility>

namespace sim::judge {
namespace {

using metrics::ClusterTimeline;
using metrics::OrderLedger;
using metrics::Outcome;

// What the controller has decided of a partition, as far as its end matters.
struct LastDecisions {
  std::vector<NodeId> replicas;
  std::vector<NodeId> isr;         // of the last one
  std::vector<NodeId> could_lead;  // in the last ISR, or eligible, that was not empty
  std::int64_t last_led = 0;       // when it last had a leader
  bool has_leader = false;
};

std::map<TopicPartition, LastDecisions> last_decisions(const MeasuredRun& run) {
  std::map<TopicPartition, LastDecisions> last;
  for (const trace::Leadership::Row& row : run.record.leadership().rows()) {
    if (row.tp.topic == kNoTopic || std::string_view(row.event) != "decided") continue;
    LastDecisions& one = last[row.tp];
    one.replicas = row.replicas;
    one.isr = row.isr;
    std::vector<NodeId> could_lead = row.isr;
    could_lead.insert(could_lead.end(), row.elr.begin(), row.elr.end());
    if (!could_lead.empty()) one.could_lead = std::move(could_lead);
    one.has_leader = row.leader != kNoNode;
    if (one.has_leader) one.last_led = nanos(row.at);
  }
  return last;
}

bool is_proven_gone(TopicPartition tp, const LastDecisions& decisions, const ClusterTimeline& timeline) {
  if (decisions.has_leader || decisions.could_lead.empty()) return false;
  const auto has_lost = [&](NodeId broker) {
    return std::any_of(timeline.losses().begin(), timeline.losses().end(),
                       [&](const ClusterTimeline::Loss& loss) {
                         return loss.tp == tp && loss.broker == broker && loss.at >= decisions.last_led;
                       });
  };
  return std::all_of(decisions.could_lead.begin(), decisions.could_lead.end(), has_lost);
}

std::string ids_text(const std::vector<NodeId>& nodes) {
  std::string text;
  for (const NodeId node : nodes) text += (text.empty() ? "" : ",") + std::to_string(node.value());
  return text.empty() ? "empty" : text;
}

}  // namespace

Unconverged unconverged_of(const MeasuredRun& run) {
  Unconverged found;
  const observe::TopicNames& topics = run.timeline.topics();
  const std::map<TopicPartition, LastDecisions> decisions = last_decisions(run);
  std::map<TopicPartition, const ClusterTimeline::PartitionChange*> last;
  for (const ClusterTimeline::PartitionChange& change : run.timeline.partitions()) last[change.tp] = &change;
  std::set<TopicPartition> excused;
  for (const auto& [tp, change] : last) {
    if (change->gone || (change->leader != kNoNode && !change->under_replicated)) continue;
    const auto decided = decisions.find(tp);
    if (decided != decisions.end() && is_proven_gone(tp, decided->second, run.timeline)) {
      excused.insert(tp);
      found.excused.push_back(topics[tp] + ": broker " + ids_text(decided->second.could_lead) +
                              " could have led it, and lost the log");
    } else if (change->leader == kNoNode) {
      found.partitions.push_back(topics[tp] + ": nobody leads it");
    } else {
      found.partitions.push_back(topics[tp] + ": ISR " +
                                 (decided == decisions.end() ? "too small"
                                                             : ids_text(decided->second.isr) + " of " +
                                                                   ids_text(decided->second.replicas)));
    }
  }
  for (OrderLedger::Index i = 0; i < run.ledger.size(); ++i) {
    if (run.ledger.outcome(i) != Outcome::open) continue;
    if (!excused.contains(run.ledger.batch_of(run.ledger.order(i)).tp)) ++found.open_orders;
  }
  run.ledger.for_each_partition([&](TopicPartition tp) {
    if (excused.contains(tp)) return;
    for (std::size_t s = 0; s < run.ledger.services(); ++s) {
      if (!run.ledger.reads(tp, s)) continue;
      const Offset behind = run.ledger.high_watermark(tp) - run.ledger.committed(tp, s);
      if (behind <= 0) continue;
      found.lags.push_back(run.names.services[s] + " in " + topics[tp] + ": " + std::to_string(behind) +
                           " records");
    }
  });
  return found;
}

}  // namespace sim::judge
