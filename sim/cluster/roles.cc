#include "cluster/roles.h"

#include <algorithm>

#include "base/overloaded.h"
#include "protocol/java_hash.h"

namespace sim::cluster {

void Roles::on(const observe::Fact& fact) {
  std::visit(Overloaded{
                 [this](const observe::QuorumRoleChanged& one) { on(one); },
                 [this](const observe::ControllerChanged& one) { on(one); },
                 [this](const observe::TopicCreated& one) { on(one); },
                 [this](const observe::TopicDeleted& one) { on(one); },
                 [this](const observe::BecameLeader& one) { on(one); },
                 [this](const observe::BecameFollower& one) { on(one); },
                 [this](const observe::PartitionChanged& one) { on(one); },
                 [](const auto&) {},  // what changes no role
             },
             fact);
}

void Roles::on(const observe::QuorumRoleChanged& fact) {
  controller(fact.node, fact.quorum_epoch, fact.role == observe::QuorumRole::leader);
}

void Roles::on(const observe::ControllerChanged& fact) {
  controller(fact.node, fact.quorum_epoch, fact.active);
}

void Roles::controller(NodeId node, QuorumEpoch quorum_epoch, bool leads) {
  if (leads && quorum_epoch >= quorum_epoch_) {
    active_ = node;
    quorum_epoch_ = quorum_epoch;
  } else if (!leads && node == active_) {
    active_ = kNoNode;
  }
}

void Roles::on(const observe::TopicCreated& fact) {
  const auto id = static_cast<std::size_t>(fact.id.value());
  if (id >= topics_.size()) topics_.resize(id + 1);
  topics_[id] = Topic{fact.name, fact.partitions};
}

void Roles::on(const observe::TopicDeleted& fact) {
  const auto id = static_cast<std::size_t>(fact.id.value());
  if (id < topics_.size()) topics_[id] = Topic{};
}

void Roles::on(const observe::BecameLeader& fact) {
  Partition& partition = partitions_[fact.tp];
  seen(partition, fact.broker);
  if (fact.leader_epoch < partition.leader_epoch) return;
  partition.leader = fact.broker;
  partition.leader_epoch = fact.leader_epoch;
}

void Roles::on(const observe::BecameFollower& fact) {
  Partition& partition = partitions_[fact.tp];
  seen(partition, fact.broker);
  if (fact.leader_epoch <= partition.leader_epoch) return;
  partition.leader = fact.leader;
  partition.leader_epoch = fact.leader_epoch;
}

void Roles::on(const observe::PartitionChanged& fact) {
  Partition& partition = partitions_[fact.tp];
  if (fact.leader_epoch < partition.leader_epoch) return;
  partition.leader = fact.leader;
  partition.leader_epoch = fact.leader_epoch;
  partition.replicas = fact.replicas;
  partition.assigned = true;
}

// Until the assignment is told, replicas are known by what they do.
void Roles::seen(Partition& partition, NodeId replica) {
  if (partition.assigned) return;
  const auto place = std::lower_bound(partition.replicas.begin(), partition.replicas.end(), replica);
  if (place == partition.replicas.end() || *place != replica) partition.replicas.insert(place, replica);
}

NodeId Roles::leader(TopicPartition tp) const {
  const Partition* found = partitions_.find(tp);
  return found == nullptr ? kNoNode : found->leader;
}

std::vector<NodeId> Roles::followers(TopicPartition tp) const {
  const Partition* found = partitions_.find(tp);
  if (found == nullptr) return {};
  std::vector<NodeId> others = found->replicas;
  std::erase(others, found->leader);
  return others;
}

std::optional<TopicPartition> Roles::coordinator_partition(std::string_view group) const {
  const std::optional<TopicId> offsets = topic("__consumer_offsets");
  if (!offsets) return std::nullopt;
  const std::int32_t partitions = topics_[static_cast<std::size_t>(offsets->value())].partitions;
  return TopicPartition{*offsets, java_abs(java_string_hash(group)) % partitions};
}

std::optional<TopicId> Roles::topic(std::string_view name) const {
  for (std::size_t i = topics_.size(); i-- > 0;) {
    if (topics_[i].name == name) return TopicId{static_cast<std::int32_t>(i)};
  }
  return std::nullopt;
}

}  // namespace sim::cluster
