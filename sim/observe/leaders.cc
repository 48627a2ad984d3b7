#include "observe/leaders.h"

namespace sim::observe {

std::optional<Elected> Leaders::decide(const PartitionChanged& fact) {
  Partition& partition = partitions_[fact.tp];
  if (fact.offset != kNoOffset && fact.offset <= partition.decided_at) return std::nullopt;
  const bool vacates = fact.leader == kNoNode && partition.in_office;
  const Elected change{fact, partition.elected, !partition.is_decided, vacates};
  partition.is_decided = true;
  partition.decided_at = fact.offset;
  partition.elected = fact.leader;
  partition.elected_epoch = fact.leader_epoch;
  if (vacates) partition.in_office = false;
  return change;
}

std::optional<TookOver> Leaders::take_over(const BecameLeader& fact, const Observation& seen) {
  Partition& partition = partitions_[fact.tp];
  if (fact.leader_epoch < partition.leader_epoch) return std::nullopt;
  const bool led_before_it_died = partition.has_stopped && partition.process == seen.process;
  if (fact.leader_epoch == partition.leader_epoch && led_before_it_died) return std::nullopt;
  if (fact.leader_epoch > partition.leader_epoch) partition.since = seen.at;
  partition.broker = fact.broker;
  partition.process = seen.process;
  partition.leader_epoch = fact.leader_epoch;
  partition.in_office = true;
  partition.has_stopped = false;
  return TookOver{fact, partition.is_superseded()};
}

std::vector<Left> Leaders::stop(ProcessId process) {
  std::vector<Left> left;
  partitions_.for_each([&](TopicPartition tp, const Partition& led) {
    if (!led.in_office || led.process != process) return;
    Partition& partition = partitions_[tp];
    partition.in_office = false;
    partition.has_stopped = true;
    left.push_back(Left{tp, partition.is_superseded()});
  });
  return left;
}

void Leaders::forget(TopicId topic) {
  partitions_.for_each([&](TopicPartition tp, const Partition&) {
    if (tp.topic == topic) partitions_[tp] = Partition{};
  });
}

std::optional<ControllerSeated> Leaders::seat(const ControllerChanged& fact, const Observation& seen) {
  if (fact.active == (controller_ == seen.process)) return std::nullopt;
  quorum_epoch_ = fact.quorum_epoch;
  controller_ = fact.active ? seen.process : kNoProcess;
  using How = ControllerSeated::How;
  return ControllerSeated{fact.active ? How::active : How::resigned, fact.active ? fact.node : kNoNode,
                          quorum_epoch_};
}

std::optional<ControllerSeated> Leaders::unseat(ProcessId process) {
  if (process == kNoProcess || controller_ != process) return std::nullopt;
  controller_ = kNoProcess;
  return ControllerSeated{ControllerSeated::How::stopped, kNoNode, quorum_epoch_};
}

std::optional<BrokerRated> Leaders::rate(const BrokerStateChanged& fact) {
  const auto index = static_cast<std::size_t>(fact.broker.value());
  if (index >= brokers_.size()) brokers_.resize(index + 1);
  Broker& broker = brokers_[index];
  if (fact.offset != kNoOffset && fact.offset <= broker.decided_at) return std::nullopt;
  const BrokerRated change{fact, broker.fenced, broker.in_controlled_shutdown};
  broker = Broker{fact.fenced, fact.in_controlled_shutdown, fact.offset};
  return change;
}

}  // namespace sim::observe
