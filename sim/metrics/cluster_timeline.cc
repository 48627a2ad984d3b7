#include "metrics/cluster_timeline.h"

#include <utility>

namespace sim::metrics {

void ClusterTimeline::on(const observe::ControllerSeated& change, const observe::Observation& seen) {
  using How = observe::ControllerSeated::How;
  if (change.how == How::stopped) return;
  const bool active = change.how == How::active;
  controllers_.push_back(ControllerChange{nanos(seen.at), seen.process, active});
  controller_ = active ? seen.process : kNoProcess;
}

void ClusterTimeline::on(const observe::BrokerRated& change, const observe::Observation& seen) {
  const observe::BrokerStateChanged& fact = change.decision;
  if (fact.fenced != change.was_fenced)
    brokers_.push_back(BrokerChange{nanos(seen.at), fact.broker, fact.fenced});
}

void ClusterTimeline::on(const observe::Elected& change, const observe::Observation& seen) {
  const observe::PartitionChanged& fact = change.decision;
  // Replicas on their way in are not missed yet.
  const bool under_replicated = fact.isr.size() + fact.adding.size() < fact.replicas.size();
  partitions_.push_back(PartitionChange{nanos(seen.at), fact.tp, fact.leader, change.leader_before,
                                        change.is_first, under_replicated});
  Partition& partition = state_[fact.tp];
  partition.is_decided = true;
  partition.elected = fact.leader;
  note_lack(partition, under_replicated || fact.leader == kNoNode);
  if (change.vacates) begin_gap(fact.tp, seen);
}

void ClusterTimeline::on(const observe::TopicDeleted& fact, const observe::Observation& seen) {
  state_.for_each([&](TopicPartition tp, const Partition& partition) {
    if (tp.topic != fact.id || !partition.is_decided) return;
    partitions_.push_back(
        PartitionChange{nanos(seen.at), tp, partition.elected, partition.elected, false, false, true});
    if (partition.gap != kNoGap) gaps_[partition.gap].to = nanos(seen.at);
    note_lack(state_[tp], false);
    state_[tp] = Partition{};
  });
}

void ClusterTimeline::on(const observe::TookOver& change, const observe::Observation& seen) {
  Partition& partition = state_[change.by.tp];
  if (partition.gap != kNoGap) gaps_[partition.gap].to = nanos(seen.at);
  partition.gap = kNoGap;
}

void ClusterTimeline::on(const observe::Left& change, const observe::Observation& seen) {
  begin_gap(change.tp, seen);
}

void ClusterTimeline::note_lack(Partition& partition, bool lacks) {
  if (std::exchange(partition.lacks, lacks) == lacks) return;
  lacks ? ++lacking_ : --lacking_;
}

void ClusterTimeline::on(const observe::LogLost& fact, const observe::Observation& seen) {
  losses_.push_back({nanos(seen.at), fact.tp, fact.broker});
}

void ClusterTimeline::begin_gap(TopicPartition tp, const observe::Observation& seen) {
  Partition& partition = state_[tp];
  if (partition.gap != kNoGap) return;
  partition.gap = gaps_.size();
  gaps_.push_back(Gap{tp, nanos(seen.at), kStillLasts});
}

void ClusterTimeline::on(const observe::MetadataCommitted& fact, const observe::Observation& seen) {
  if (!fact.leads || fact.to <= metadata_committed_) return;
  metadata_committed_ = fact.to;
  metadata_commits_.push_back(nanos(seen.at));
}

void ClusterTimeline::on(const observe::QuorumRoleChanged& fact, const observe::Observation& seen) {
  const bool had_leader =
      std::exchange(had_quorum_leader_, had_quorum_leader_ || fact.role == observe::QuorumRole::leader);
  if (fact.quorum_epoch <= highest_quorum_epoch_) return;
  highest_quorum_epoch_ = fact.quorum_epoch;
  if (had_leader) quorum_epochs_.push_back(nanos(seen.at));
}

void ClusterTimeline::on(const observe::FaultStruck& fact, const observe::Observation& seen) {
  Strike strike;
  strike.fault = fact.fault;
  strike.from = nanos(seen.at);
  strike.touched = fact.touched;
  strike.controller = controller_;
  strike.leaders_before = partitions_.size();
  strikes_.push_back(std::move(strike));
}

void ClusterTimeline::on(const observe::FaultEnded& fact, const observe::Observation& seen) {
  for (auto strike = strikes_.rbegin(); strike != strikes_.rend(); ++strike) {
    if (strike->fault != fact.fault || strike->to != kStillLasts) continue;
    strike->to = nanos(seen.at);
    strike->effects = fact.effects;
    return;
  }
}

void ClusterTimeline::on(const observe::RoleMissed& fact) {
  for (auto strike = strikes_.rbegin(); strike != strikes_.rend(); ++strike) {
    if (strike->fault == fact.fault) return strike->missed.push_back(fact);
  }
}

void ClusterTimeline::on(const observe::AdminAnswered& fact) {
  for (auto strike = strikes_.rbegin(); strike != strikes_.rend(); ++strike) {
    if (strike->fault == fact.fault) return strike->answers.push_back(fact);
  }
}

}  // namespace sim::metrics
