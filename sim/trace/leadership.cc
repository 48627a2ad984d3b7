#include "trace/leadership.h"

namespace sim::trace {

void Leadership::add(const char* event, const observe::Observation& seen, TopicPartition tp,
                     const Partition& partition, Offset offset, NodeId replica) {
  rows_.push_back(Row{seen.at, tp, event, partition.leader, partition.leader_epoch.value(), partition.isr,
                      offset, replica, seen.process, partition.replicas, partition.elr});
}

void Leadership::on(const observe::Elected& change, const observe::Observation& seen) {
  const observe::PartitionChanged& fact = change.decision;
  Partition& partition = partitions_[fact.tp];
  if (fact.leader != partition.leader || fact.leader_epoch != partition.leader_epoch) {
    partition.process = kNoProcess;  // until it takes over
    partition.has_advanced = false;
  }
  partition.is_down = partition.is_down && fact.leader_epoch == partition.leader_epoch;
  partition.leader = partition.is_down ? kNoNode : fact.leader;
  partition.leader_epoch = fact.leader_epoch;
  partition.isr = fact.isr;
  partition.replicas = fact.replicas;
  partition.elr = fact.elr;
  add("decided", seen, fact.tp, partition, fact.offset);
}

void Leadership::on(const observe::TookOver& change, const observe::Observation& seen) {
  if (change.is_superseded) return;
  Partition& partition = partitions_[change.by.tp];
  partition.leader = change.by.broker;
  partition.process = seen.process;
  partition.is_down = false;
  partition.leader_epoch = change.by.leader_epoch;
  partition.has_advanced = false;
  add("leader", seen, change.by.tp, partition, change.by.epoch_start);
}

void Leadership::on(const observe::Left& change, const observe::Observation& seen) {
  if (change.is_superseded) return;
  Partition& partition = partitions_[change.tp];
  partition.leader = kNoNode;
  partition.process = kNoProcess;
  partition.is_down = true;
  add("leader_stopped", seen, change.tp, partition, kNoOffset);
}

void Leadership::on(const observe::IsrChanged& fact, const observe::Observation& seen) {
  Partition& partition = partitions_[fact.tp];
  const bool is_deposed = partition.process != seen.process &&
                          (partition.process != kNoProcess || partition.leader_epoch != kNoLeaderEpoch);
  if (is_deposed) return;
  partition.isr = fact.isr;
  add("isr", seen, fact.tp, partition, kNoOffset);
}

void Leadership::on(const observe::HighWatermarkAdvanced& fact, const observe::Observation& seen) {
  Partition& partition = partitions_[fact.tp];
  if (partition.has_advanced || partition.process != seen.process) return;
  partition.has_advanced = true;
  add("high_watermark", seen, fact.tp, partition, fact.to);
}

void Leadership::on(const observe::LogTruncated& fact, const observe::Observation& seen) {
  add("truncated", seen, fact.tp, partitions_[fact.tp], fact.to, fact.broker);
}

void Leadership::on(const observe::ControllerSeated& change, const observe::Observation& seen) {
  const char* event = change.how == observe::ControllerSeated::How::active     ? "controller"
                      : change.how == observe::ControllerSeated::How::resigned ? "controller_resigned"
                                                                               : "controller_stopped";
  rows_.push_back(Row{seen.at,
                      kClusterMetadata,
                      event,
                      change.node,
                      change.quorum_epoch.value(),
                      {},
                      kNoOffset,
                      kNoNode,
                      seen.process});
}

void Leadership::on(const observe::BrokerRated& change, const observe::Observation& seen) {
  const observe::BrokerStateChanged& fact = change.decision;
  const bool begins_to_stop = fact.in_controlled_shutdown && !change.was_in_controlled_shutdown;
  if (fact.fenced == change.was_fenced && !begins_to_stop) return;
  const char* event = fact.fenced == change.was_fenced ? "stopping" : fact.fenced ? "fenced" : "unfenced";
  rows_.push_back(Row{seen.at, {}, event, kNoNode, -1, {}, fact.offset, fact.broker, seen.process});
}

std::string Leadership::csv() const {
  std::string text = "t_ns,topic,partition,event,leader,leader_epoch,isr,offset,replica,node,replicas,elr\n";
  const auto nodes = [](const std::vector<NodeId>& ids) {
    std::string list;
    for (const NodeId id : ids) list += (list.empty() ? "" : ";") + std::to_string(id.value());
    return list;
  };
  const auto optional = [](std::int64_t value) { return value < 0 ? std::string() : std::to_string(value); };
  for (const Row& row : rows_) {
    const auto process = static_cast<std::size_t>(row.process.value());
    text += std::to_string(nanos(row.at)) + ',' + (row.tp.topic == kNoTopic ? "" : topics_[row.tp.topic]) +
            ',' + optional(row.tp.partition) + ',' + row.event + ',' + optional(row.leader.value()) + ',' +
            optional(row.epoch) + ',' + nodes(row.isr) + ',' + optional(row.offset) + ',' +
            optional(row.replica.value()) + ',' + (process < processes_.size() ? processes_[process] : "") +
            ',' + nodes(row.replicas) + ',' + nodes(row.elr) + '\n';
  }
  return text;
}

}  // namespace sim::trace
