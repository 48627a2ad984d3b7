#include "check/metadata_invariants.h"

#include <algorithm>

#include "base/contains.h"
#include "check/words.h"
#include "observe/fold.h"

namespace sim::check {
namespace {

std::string node_list(const std::vector<NodeId>& ids) {
  std::string text = "[";
  for (const NodeId id : ids) text += (text.size() > 1 ? "," : "") + std::to_string(id.value());
  return text + "]";
}

}  // namespace

void MetadataInvariants::on(const observe::Observation& observation) {
  at(observation);
  observe::tell_fact(*this, observation);
}

void MetadataInvariants::quorum_forgot() {
  partitions_ = {};
  leaderships_ = {};
  images_.clear();
  active_.clear();
  told_end_ = 0;
  is_forgotten_ = true;
}

// ---- Images

void MetadataInvariants::on(const observe::MetadataReplayed& fact) {
  if (is_forgotten_) return;
  const auto at = std::lower_bound(images_.begin(), images_.end(), fact.end_offset,
                                   [](const Image& image, Offset end) { return image.end_offset < end; });
  if (at == images_.end() || at->end_offset != fact.end_offset) {
    images_.insert(at, Image{fact.end_offset, fact.digest, fact.node});
  } else if (at->digest != fact.digest) {
    violations_.add("images-agree", "at offset " + std::to_string(fact.end_offset) + " node " +
                                        std::to_string(fact.node.value()) + " has another image than node " +
                                        std::to_string(at->first.value()));
  }
}

void MetadataInvariants::on(const observe::ControllerChanged& fact) {
  if (!fact.active || is_forgotten_) return;
  for (const Active& other : active_) {
    if (other.quorum_epoch != fact.quorum_epoch || other.node == fact.node) continue;
    violations_.add("one-active-controller", "in quorum epoch " + std::to_string(fact.quorum_epoch.value()) +
                                                 " node " + std::to_string(fact.node.value()) + " and node " +
                                                 std::to_string(other.node.value()));
  }
  active_.push_back({fact.quorum_epoch, fact.node});
}

// ---- Decisions

// A controller that becomes active may tell once more what the one before had told.
bool MetadataInvariants::is_repeated(Offset offset) {
  if (offset == kNoOffset || is_forgotten_) return false;
  if (offset < told_end_) return true;
  told_end_ = offset + 1;
  return false;
}

void MetadataInvariants::on(const observe::BrokerStateChanged& fact) {
  if (is_repeated(fact.offset) || !fact.fenced || is_forgotten_) return;
  partitions_.for_each([&](TopicPartition tp, const Partition& partition) {
    if (!partition.known || partition.last.leader != fact.broker) return;
    violations_.add("fenced-leads-nothing", broker_name(fact.broker) + " is fenced and leads " + topics_[tp]);
  });
}

void MetadataInvariants::on(const observe::TopicDeleted& fact) {
  partitions_.for_each([&](TopicPartition tp, const Partition&) {
    if (tp.topic == fact.id) partitions_[tp] = Partition{};
  });
}

void MetadataInvariants::check_shape(const observe::PartitionChanged& fact) {
  const auto broken = [&](const std::string& what) {
    violations_.add("partition-leader", topics_[fact.tp] + ": " + what);
  };
  if (fact.leader != kNoNode && !contains(fact.isr, fact.leader)) {
    broken("its leader, " + broker_name(fact.leader) + ", is not in its ISR " + node_list(fact.isr));
  }
  if (!contains_all(fact.replicas, fact.isr)) {
    broken("its ISR " + node_list(fact.isr) + " is not among its replicas " + node_list(fact.replicas));
  }
  // The ELR may hold one that a reassignment has taken the partition from, as Kafka's does.
  const bool apart =
      std::none_of(fact.elr.begin(), fact.elr.end(), [&](NodeId id) { return contains(fact.isr, id); });
  if (!apart)
    broken("its ELR " + node_list(fact.elr) + " and its ISR " + node_list(fact.isr) +
           " have somebody in common");
}

void MetadataInvariants::on(const observe::PartitionChanged& fact) {
  if (is_repeated(fact.offset)) return;
  check_shape(fact);
  Partition& partition = partitions_[fact.tp];
  if (is_forgotten_) return;
  if (partition.known) {
    const observe::PartitionChanged& last = partition.last;
    const auto broken = [&](const std::string& what) {
      violations_.add("partition-epochs", topics_[fact.tp] + ": " + what);
    };
    if (fact.leader_epoch < last.leader_epoch) {
      broken("leader epoch from " + std::to_string(last.leader_epoch.value()) + " to " +
             std::to_string(fact.leader_epoch.value()));
    }
    if (fact.partition_epoch <= last.partition_epoch) {
      broken("partition epoch from " + std::to_string(last.partition_epoch.value()) + " to " +
             std::to_string(fact.partition_epoch.value()));
    }
    if (fact.leader != last.leader && fact.leader_epoch == last.leader_epoch) {
      broken("another leader, " + std::to_string(fact.leader.value()) + " after " +
             std::to_string(last.leader.value()) + ", in the same leader epoch " +
             std::to_string(fact.leader_epoch.value()));
    }
  }
  partition.known = true;
  partition.last = fact;
  check_maximal_isr(fact.tp);
}

// ---- The leader's view

void MetadataInvariants::on(const observe::BecameLeader& fact) {
  Leadership& leadership = leaderships_[fact.tp];
  leadership = Leadership{fact.broker, fact.leader_epoch};
}

void MetadataInvariants::on(const observe::IsrChanged& fact) {
  Leadership& leadership = leaderships_[fact.tp];
  leadership.partition_epoch = fact.partition_epoch;
  leadership.maximal_isr = fact.isr;
}

void MetadataInvariants::on(const observe::IsrProposed& fact) {
  Leadership& leadership = leaderships_[fact.tp];
  for (const NodeId id : fact.isr) {
    if (!contains(leadership.maximal_isr, id)) leadership.maximal_isr.push_back(id);
  }
}

// Says nothing while the leader has not yet heard of its leader epoch.
void MetadataInvariants::check_maximal_isr(TopicPartition tp) {
  const observe::PartitionChanged& decided = partitions_[tp].last;
  const Leadership& leadership = leaderships_[tp];
  if (leadership.broker != decided.leader || leadership.leader_epoch != decided.leader_epoch) return;
  if (leadership.partition_epoch > decided.partition_epoch) return;
  if (contains_all(leadership.maximal_isr, decided.isr)) return;
  violations_.add("maximal-isr", topics_[tp] + ": its leader, " + broker_name(decided.leader) +
                                     ", counts on " + node_list(leadership.maximal_isr) +
                                     " at most, the controller's ISR is " + node_list(decided.isr));
}

}  // namespace sim::check
