#include "trace/leadership.h"

#include "base/overloaded.h"

namespace sim::trace {

void Leadership::on(const observe::Observation& observation) {
  now_ = observation.at;
  process_ = observation.process;
  std::visit(Overloaded{
                 [&](const observe::TopicCreated& fact) { topics_.on(fact); },
                 [&](const observe::BecameLeader& fact) { on(fact); },
                 [&](const observe::IsrChanged& fact) { on(fact); },
                 [&](const observe::HighWatermarkAdvanced& fact) { on(fact); },
                 [&](const observe::LogTruncated& fact) {
                   add("truncated", fact.tp, partitions_[fact.tp], fact.to, fact.broker);
                 },
                 [&](const observe::PartitionChanged& fact) { on(fact); },
                 [&](const observe::ControllerChanged& fact) { on(fact); },
                 [&](const observe::BrokerStateChanged& fact) { on(fact); },
                 [&](const observe::ProcessStopped&) { stopped(); },
                 [](const auto&) {},  // what changes no leadership
             },
             observation.fact);
}

void Leadership::add(const char* event, TopicPartition tp, const Partition& partition, Offset offset,
                     NodeId replica) {
  rows_.push_back(Row{now_, tp, event, partition.leader, partition.leader_epoch.value(), partition.isr,
                      offset, replica, process_});
}

void Leadership::add_controller(const char* event, NodeId controller) {
  rows_.push_back(
      Row{now_, kClusterMetadata, event, controller, quorum_epoch_, {}, kNoOffset, kNoNode, process_});
}

void Leadership::on(const observe::BecameLeader& fact) {
  Partition& partition = partitions_[fact.tp];
  if (fact.leader_epoch < partition.leader_epoch) return;
  partition.leader = fact.broker;
  partition.process = process_;
  partition.is_down = false;
  partition.leader_epoch = fact.leader_epoch;
  partition.has_advanced = false;
  add("leader", fact.tp, partition, fact.epoch_start);
}

void Leadership::on(const observe::IsrChanged& fact) {
  Partition& partition = partitions_[fact.tp];
  const bool is_deposed = partition.process != process_ &&
                          (partition.process != kNoProcess || partition.leader_epoch != kNoLeaderEpoch);
  if (is_deposed) return;
  partition.isr = fact.isr;
  add("isr", fact.tp, partition, kNoOffset);
}

void Leadership::on(const observe::HighWatermarkAdvanced& fact) {
  Partition& partition = partitions_[fact.tp];
  if (partition.has_advanced || partition.process != process_) return;
  partition.has_advanced = true;
  add("high_watermark", fact.tp, partition, fact.to);
}

void Leadership::on(const observe::PartitionChanged& fact) {
  Partition& partition = partitions_[fact.tp];
  if (fact.offset != kNoOffset && fact.offset <= partition.decided_at) return;  // told twice
  if (fact.leader != partition.leader || fact.leader_epoch != partition.leader_epoch) {
    partition.process = kNoProcess;  // until it takes over
    partition.has_advanced = false;
  }
  partition.is_down = partition.is_down && fact.leader_epoch == partition.leader_epoch;
  partition.decided_at = fact.offset;
  partition.leader = partition.is_down ? kNoNode : fact.leader;
  partition.leader_epoch = fact.leader_epoch;
  partition.isr = fact.isr;
  add("decided", fact.tp, partition, fact.offset);
}

void Leadership::on(const observe::ControllerChanged& fact) {
  if (fact.active == (controller_ == process_)) return;
  quorum_epoch_ = fact.quorum_epoch.value();
  controller_ = fact.active ? process_ : kNoProcess;
  add_controller(fact.active ? "controller" : "controller_resigned", fact.active ? fact.node : kNoNode);
}

void Leadership::on(const observe::BrokerStateChanged& fact) {
  const auto index = static_cast<std::size_t>(fact.broker.value());
  if (index >= brokers_.size()) brokers_.resize(index + 1);
  Broker& broker = brokers_[index];
  if (fact.offset != kNoOffset && fact.offset <= broker.decided_at) return;
  broker.decided_at = fact.offset;
  const bool begins_to_stop = fact.in_controlled_shutdown && !broker.stopping;
  const char* event = fact.fenced != broker.fenced ? (fact.fenced ? "fenced" : "unfenced") : "stopping";
  const bool changed = fact.fenced != broker.fenced || begins_to_stop;
  broker.fenced = fact.fenced;
  broker.stopping = fact.in_controlled_shutdown;
  if (!changed) return;
  rows_.push_back(Row{now_, {}, event, kNoNode, -1, {}, fact.offset, fact.broker, process_});
}

void Leadership::stopped() {
  partitions_.for_each([&](TopicPartition tp, const Partition& led) {
    if (led.process != process_) return;
    Partition& partition = partitions_[tp];
    partition.leader = kNoNode;
    partition.process = kNoProcess;
    partition.is_down = true;
    add("leader_stopped", tp, partition, kNoOffset);
  });
  if (controller_ != process_) return;
  controller_ = kNoProcess;
  add_controller("controller_stopped", kNoNode);
}

std::string Leadership::csv() const {
  std::string text = "t_ns,topic,partition,event,leader,leader_epoch,isr,offset,replica,node\n";
  const auto optional = [](std::int64_t value) { return value < 0 ? std::string() : std::to_string(value); };
  for (const Row& row : rows_) {
    std::string isr;
    for (const NodeId broker : row.isr) {
      if (!isr.empty()) isr += ';';
      isr += std::to_string(broker.value());
    }
    const auto process = static_cast<std::size_t>(row.process.value());
    text += std::to_string(nanos(row.at)) + ',' + (row.tp.topic == kNoTopic ? "" : topics_[row.tp.topic]) +
            ',' + optional(row.tp.partition) + ',' + row.event + ',' + optional(row.leader.value()) + ',' +
            optional(row.epoch) + ',' + isr + ',' + optional(row.offset) + ',' +
            optional(row.replica.value()) + ',' + (process < processes_.size() ? processes_[process] : "") +
            '\n';
  }
  return text;
}

}  // namespace sim::trace
