#include "cluster/roles.h"

#include <algorithm>

#include "server/coordinators.h"

namespace sim::cluster {

void Roles::on(const observe::Observation& seen) {
  std::visit(
      [&](const auto& fact) {
        leaders_.on(fact, seen, [](const auto&) {});
        if constexpr (requires { this->on(fact); }) this->on(fact);
      },
      seen.fact);
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
  takes_part(fact.tp, fact.broker);
}

void Roles::on(const observe::BecameFollower& fact) {
  takes_part(fact.tp, fact.broker);
}

void Roles::on(const observe::PartitionChanged& fact) {
  replicas_[fact.tp] = Replicas{fact.replicas, true};
}

// Until the assignment is told, replicas are known by what they do.
void Roles::takes_part(TopicPartition tp, NodeId replica) {
  Replicas& replicas = replicas_[tp];
  if (replicas.assigned) return;
  std::vector<NodeId>& nodes = replicas.nodes;
  const auto place = std::lower_bound(nodes.begin(), nodes.end(), replica);
  if (place == nodes.end() || *place != replica) nodes.insert(place, replica);
}

NodeId Roles::leader(TopicPartition tp) const {
  const observe::Leaders::Partition* found = leaders_.find(tp);
  return found == nullptr ? kNoNode : found->latest_leader();
}

std::vector<NodeId> Roles::followers(TopicPartition tp) const {
  const Replicas* found = replicas_.find(tp);
  if (found == nullptr) return {};
  std::vector<NodeId> others = found->nodes;
  std::erase(others, leader(tp));
  return others;
}

std::optional<TopicPartition> Roles::coordinator_partition(std::string_view group) const {
  constexpr const server::CoordinatorKind& kGroups = server::coordinator_of(CoordinatorType::group);
  const std::optional<TopicId> offsets = topic(kGroups.topic);
  if (!offsets) return std::nullopt;
  const std::int32_t partitions = topics_[static_cast<std::size_t>(offsets->value())].partitions;
  return TopicPartition{*offsets, server::coordinator_partition(group, partitions)};
}

std::optional<TopicId> Roles::topic(std::string_view name) const {
  for (std::size_t i = topics_.size(); i-- > 0;) {
    if (topics_[i].name == name) return TopicId{static_cast<std::int32_t>(i)};
  }
  return std::nullopt;
}

}  // namespace sim::cluster
