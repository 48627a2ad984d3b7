#include "trace/leadership.h"

#include "base/overloaded.h"

namespace sim::trace {

void Leadership::on(const observe::Observation& observation) {
  now_ = observation.at;
  const ProcessId process = observation.process;
  std::visit(Overloaded{
                 [&](const observe::TopicCreated& fact) { topics_.on(fact); },
                 [&](const observe::BecameLeader& fact) { on(fact, process); },
                 [&](const observe::IsrChanged& fact) { on(fact, process); },
                 [&](const observe::HighWatermarkAdvanced& fact) { on(fact, process); },
                 [&](const observe::LogTruncated& fact) {
                   add("truncated", fact.tp, partitions_[fact.tp], fact.to, fact.broker);
                 },
                 [&](const observe::ProcessStopped&) { stopped(process); },
                 [](const auto&) {},  // what changes no leadership
             },
             observation.fact);
}

void Leadership::add(const char* event, TopicPartition tp, const Partition& partition, Offset offset,
                     NodeId replica) {
  rows_.push_back(
      Row{now_, tp, event, partition.leader, partition.leader_epoch, partition.isr, offset, replica});
}

void Leadership::on(const observe::BecameLeader& fact, ProcessId process) {
  Partition& partition = partitions_[fact.tp];
  if (fact.leader_epoch < partition.leader_epoch) return;
  partition.leader = fact.broker;
  partition.process = process;
  partition.leader_epoch = fact.leader_epoch;
  partition.has_advanced = false;
  add("leader", fact.tp, partition, fact.epoch_start);
}

void Leadership::on(const observe::IsrChanged& fact, ProcessId process) {
  Partition& partition = partitions_[fact.tp];
  if (partition.process != kNoProcess && partition.process != process) return;
  partition.isr = fact.isr;
  add("isr", fact.tp, partition, kNoOffset);
}

void Leadership::on(const observe::HighWatermarkAdvanced& fact, ProcessId process) {
  Partition& partition = partitions_[fact.tp];
  if (partition.has_advanced || partition.process != process) return;
  partition.has_advanced = true;
  add("high_watermark", fact.tp, partition, fact.to);
}

void Leadership::stopped(ProcessId process) {
  partitions_.for_each([&](TopicPartition tp, const Partition& led) {
    if (led.process != process) return;
    Partition& partition = partitions_[tp];
    partition.leader = kNoNode;
    partition.process = kNoProcess;
    add("leader_stopped", tp, partition, kNoOffset);
  });
}

std::string Leadership::csv() const {
  std::string text = "t_ns,topic,partition,event,leader,leader_epoch,isr,offset,replica\n";
  const auto optional = [](std::int64_t value) { return value < 0 ? std::string() : std::to_string(value); };
  for (const Row& row : rows_) {
    std::string isr;
    for (const NodeId broker : row.isr) {
      if (!isr.empty()) isr += ';';
      isr += std::to_string(broker.value());
    }
    text += std::to_string(nanos(row.at)) + ',' + topics_[row.tp.topic] + ',' +
            std::to_string(row.tp.partition) + ',' + row.event + ',' + optional(row.leader.value()) + ',' +
            optional(row.leader_epoch.value()) + ',' + isr + ',' + optional(row.offset) + ',' +
            optional(row.replica.value()) + '\n';
  }
  return text;
}

}  // namespace sim::trace
