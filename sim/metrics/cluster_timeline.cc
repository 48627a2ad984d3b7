#include "metrics/cluster_timeline.h"

#include "base/overloaded.h"

namespace sim::metrics {

void ClusterTimeline::on(const observe::Observation& observation) {
  now_ = nanos(observation.at);
  const ProcessId process = observation.process;
  std::visit(Overloaded{
                 [&](const observe::TopicCreated& fact) { topics_.on(fact); },
                 [&](const observe::ControllerChanged& fact) { on(fact, process); },
                 [&](const observe::BrokerStateChanged& fact) { on(fact); },
                 [&](const observe::PartitionChanged& fact) { on(fact); },
                 [&](const observe::BecameLeader& fact) { on(fact, process); },
                 [&](const observe::ProcessStopped&) { stopped(process); },
                 [&](const observe::FaultStruck& fact) { on(fact); },
                 [&](const observe::FaultEnded& fact) { on(fact); },
                 [&](const observe::AdminAnswered& fact) { on(fact); },
                 [&](const observe::TopicDeleted& fact) { on(fact); },
                 [](const auto&) {},  // what changes none of it
             },
             observation.fact);
}

void ClusterTimeline::on(const observe::ControllerChanged& fact, ProcessId process) {
  if (fact.active == (controller_ == process)) return;
  controllers_.push_back(ControllerChange{now_, process, fact.active});
  if (fact.active) {
    controller_ = process;
  } else if (controller_ == process) {
    controller_ = kNoProcess;
  }
}

void ClusterTimeline::on(const observe::BrokerStateChanged& fact) {
  const auto index = static_cast<std::size_t>(fact.broker.value());
  if (index >= fenced_.size()) {
    fenced_.resize(index + 1, false);
    fenced_at_.resize(index + 1, kNoOffset);
  }
  if (fact.offset != kNoOffset && fact.offset <= fenced_at_[index]) return;
  fenced_at_[index] = fact.offset;
  if (fenced_[index] == fact.fenced) return;
  fenced_[index] = fact.fenced;
  brokers_.push_back(BrokerChange{now_, fact.broker, fact.fenced});
}

void ClusterTimeline::on(const observe::PartitionChanged& fact) {
  Partition& partition = state_[fact.tp];
  if (fact.offset != kNoOffset && fact.offset <= partition.decided_at) return;
  // Replicas on their way in are not missed yet.
  const bool under_replicated = fact.isr.size() + fact.adding.size() < fact.replicas.size();
  partitions_.push_back(
      PartitionChange{now_, fact.tp, fact.leader, partition.leader, !partition.known, under_replicated});
  partition.known = true;
  partition.decided_at = fact.offset;
  partition.leader = fact.leader;
  if (fact.leader == kNoNode) begin_gap(fact.tp, partition);
}

void ClusterTimeline::on(const observe::TopicDeleted& fact) {
  state_.for_each([&](TopicPartition tp, const Partition&) {
    if (tp.topic != fact.id) return;
    Partition& partition = state_[tp];
    if (!partition.known) return;
    partitions_.push_back(PartitionChange{now_, tp, partition.leader, partition.leader, false, false, true});
    if (partition.gap != kNoGap) gaps_[partition.gap].to = now_;
    partition = Partition{};
  });
}

void ClusterTimeline::on(const observe::BecameLeader& fact, ProcessId process) {
  Partition& partition = state_[fact.tp];
  if (fact.leader_epoch < partition.leader_epoch) return;  // a deposed one that does not know it yet
  partition.leader_epoch = fact.leader_epoch;
  partition.leads = process;
  if (partition.gap != kNoGap) gaps_[partition.gap].to = now_;
  partition.gap = kNoGap;
}

void ClusterTimeline::begin_gap(TopicPartition tp, Partition& partition) {
  if (partition.gap != kNoGap || partition.leads == kNoProcess) return;
  partition.gap = gaps_.size();
  partition.leads = kNoProcess;
  gaps_.push_back(Gap{tp, now_, kStillLasts});
}

void ClusterTimeline::stopped(ProcessId process) {
  state_.for_each([&](TopicPartition tp, const Partition& partition) {
    if (partition.leads == process) begin_gap(tp, state_[tp]);
  });
}

void ClusterTimeline::on(const observe::FaultStruck& fact) {
  Strike strike;
  strike.fault = fact.fault;
  strike.from = now_;
  strike.touched = fact.touched;
  strike.controller = controller_;
  strike.leaders_before = partitions_.size();
  strikes_.push_back(std::move(strike));
}

void ClusterTimeline::on(const observe::FaultEnded& fact) {
  for (auto strike = strikes_.rbegin(); strike != strikes_.rend(); ++strike) {
    if (strike->fault != fact.fault || strike->to != kStillLasts) continue;
    strike->to = now_;
    strike->effects = fact.effects;
    return;
  }
}

void ClusterTimeline::on(const observe::AdminAnswered& fact) {
  for (auto strike = strikes_.rbegin(); strike != strikes_.rend(); ++strike) {
    if (strike->fault == fact.fault) return strike->answers.push_back(fact);
  }
}

}  // namespace sim::metrics
