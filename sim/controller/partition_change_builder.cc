#include "controller/partition_change_builder.h"

#include <algorithm>
#include <utility>

#include "base/contains.h"
#include "protocol/java_hash.h"

namespace sim::controller {
namespace {

std::vector<NodeId> without(std::vector<NodeId> nodes, const std::vector<NodeId>& gone) {
  std::erase_if(nodes, [&gone](NodeId node) { return contains(gone, node); });
  return nodes;
}

}  // namespace

PartitionChangeBuilder& PartitionChangeBuilder::set_election(Election election) {
  election_ = election;
  return *this;
}

PartitionChangeBuilder& PartitionChangeBuilder::set_elr_enabled(bool enabled) {
  elr_enabled_ = enabled;
  return *this;
}

PartitionChangeBuilder& PartitionChangeBuilder::set_target_isr(std::vector<NodeId> isr) {
  target_.isr = std::move(isr);
  return *this;
}

PartitionChangeBuilder& PartitionChangeBuilder::set_target_replicas(std::vector<NodeId> replicas,
                                                                    std::vector<NodeId> removing,
                                                                    std::vector<NodeId> adding) {
  target_.replicas = std::move(replicas);
  target_.removing = std::move(removing);
  target_.adding = std::move(adding);
  return *this;
}

PartitionChangeBuilder& PartitionChangeBuilder::set_target_recovery(LeaderRecoveryState recovery) {
  target_.recovery = recovery;
  return *this;
}

PartitionChangeBuilder& PartitionChangeBuilder::set_unclean_shutdown(NodeId replica) {
  unclean_shutdown_ = replica;
  return *this;
}

PartitionChangeBuilder& PartitionChangeBuilder::set_directory(NodeId replica, DirectoryId directory) {
  placed_ = replica;
  directory_ = directory;
  return *this;
}

std::optional<PartitionChangeRecord> PartitionChangeBuilder::build() {
  PartitionChangeRecord record;
  record.tp = tp_;
  complete_reassignment();
  choose_target_elr();
  apply_election(record);
  bump_leader_epoch_if_replicas_left(record);
  settle_elr(record);
  // Without ELR the last member of an ISR stays in it.
  if (!record.has_isr && (!target_.isr.empty() || elr_enabled_) && target_.isr != partition_.isr) {
    record.has_isr = true;
    record.isr = target_.isr;
  }
  settle_last_known_leader(record);

  if (target_.elr != partition_.elr || target_.last_known_elr != partition_.last_known_elr) {
    record.has_elr = true;
    record.elr = target_.elr;
    record.last_known_elr = target_.last_known_elr;
  }
  if (target_.replicas != partition_.replicas || target_.removing != partition_.removing ||
      target_.adding != partition_.adding) {
    record.has_replicas = true;
    record.replicas = target_.replicas;
    record.removing = target_.removing;
    record.adding = target_.adding;
  }
  if (target_.recovery != partition_.recovery) record.recovery = static_cast<std::int8_t>(target_.recovery);
  settle_directories(record);
  if (changes_nothing(record)) return std::nullopt;
  return record;
}

// ---- Election

bool PartitionChangeBuilder::is_acceptable(NodeId replica) const {
  return contains(acceptable_, replica);
}

bool PartitionChangeBuilder::is_valid_leader(NodeId replica) const {
  const bool knows_all =
      contains(target_.isr, replica) || (target_.isr.empty() && contains(target_.elr, replica));
  return knows_all && is_acceptable(replica);
}

// It is kept, alone, where the last known ELR would stand.
bool PartitionChangeBuilder::can_elect_last_known_leader() const {
  return elr_enabled_ && target_.isr.empty() && target_.elr.empty() &&
         partition_.last_known_elr.size() == 1 && is_acceptable(partition_.last_known_elr.front());
}

PartitionChangeBuilder::Elected PartitionChangeBuilder::elect() const {
  if (election_ == Election::preferred && is_valid_leader(target_.replicas.front()))
    return {target_.replicas.front()};
  if (is_valid_leader(partition_.leader)) return {partition_.leader};
  for (const NodeId replica : target_.replicas) {
    if (is_valid_leader(replica)) return {replica};
  }
  if (can_elect_last_known_leader()) return {partition_.last_known_elr.front(), true};
  if (election_ == Election::unclean) {
    for (const NodeId replica : target_.replicas) {
      if (is_acceptable(replica)) return {replica, true};
    }
  }
  return {kNoNode};
}

void PartitionChangeBuilder::apply_election(PartitionChangeRecord& record) {
  const Elected elected = elect();
  if (elected.leader == partition_.leader) return;
  if (contains(target_.elr, elected.leader)) {
    target_.isr = {elected.leader};
    std::erase(target_.elr, elected.leader);
  }
  record.leader = elected.leader;
  if (!elected.unclean) return;
  record.has_isr = true;
  record.isr = {elected.leader};
  if (partition_.recovery != LeaderRecoveryState::recovering) {
    record.recovery = static_cast<std::int8_t>(LeaderRecoveryState::recovering);
  }
}

// ---- Reassignment

// Done as soon as the ISR holds every replica that is to stay (PartitionReassignmentReplicas).
void PartitionChangeBuilder::complete_reassignment() {
  if (target_.removing.empty() && target_.adding.empty()) return;
  std::vector<NodeId> replicas = without(target_.replicas, target_.removing);
  std::vector<NodeId> isr = without(target_.isr, target_.removing);
  if (replicas.empty() || isr.empty() || !contains_all(isr, replicas)) return;
  target_.replicas = std::move(replicas);
  target_.isr = std::move(isr);
  target_.removing.clear();
  target_.adding.clear();
}

// Replicas that leave must hear of it: the leader is named again, which begins an epoch.
void PartitionChangeBuilder::bump_leader_epoch_if_replicas_left(PartitionChangeRecord& record) const {
  if (record.leader == kLeaderUnchanged && !contains_all(target_.replicas, partition_.replicas)) {
    record.leader = partition_.leader;
  }
}

// ---- Eligible leader replicas

// maybePopulateTargetElr: below min.insync.replicas the high watermark stands still, so whoever leaves the
// ISR now still holds all that is committed, until it goes down uncleanly. Also one that a reassignment has
// taken the partition from: it is no replica any more and never elected, but while it is in the ELR nobody is
// elected as the last known leader either. The order is that of Kafka's hash set.
void PartitionChangeBuilder::choose_target_elr() {
  if (!elr_enabled_) return;
  if (target_.isr.size() >= static_cast<std::size_t>(min_isr_)) {
    target_.elr.clear();
    return;
  }
  std::vector<NodeId> candidates = target_.elr;
  for (const NodeId replica : partition_.isr) {
    if (!contains(candidates, replica)) candidates.push_back(replica);
  }
  sort_as_java_hash_set(candidates, java_hash_table_size(target_.elr.size(), candidates.size()),
                        [](NodeId replica) { return replica.value(); });
  std::erase_if(candidates, [this](NodeId replica) {
    return replica == unclean_shutdown_ || contains(target_.isr, replica);
  });
  target_.elr = std::move(candidates);
}

void PartitionChangeBuilder::settle_elr(const PartitionChangeRecord& record) {
  const bool unclean = record.has_isr;
  if (unclean || !elr_enabled_) target_.elr.clear();
}

// maybeUpdateLastKnownLeader: the place of the last known ELR holds the last known leader. It is written by
// the first record that says there is no leader, and cleared by one that names a leader.
void PartitionChangeBuilder::settle_last_known_leader(const PartitionChangeRecord& record) {
  if (!elr_enabled_) return;
  if (record.leader == kNoNode && partition_.last_known_elr.empty()) {
    target_.last_known_elr = {partition_.leader};
  } else if (record.leader.value() >= 0) {
    target_.last_known_elr.clear();
  }
}

// ---- Log directories

// One for each replica, as soon as that of any is known.
void PartitionChangeBuilder::settle_directories(PartitionChangeRecord& record) const {
  if (partition_.directories.empty() && placed_ == kNoNode) return;
  std::vector<DirectoryId> directories;
  for (const NodeId replica : target_.replicas) {
    directories.push_back(replica == placed_ ? directory_ : partition_.directory(replica));
  }
  if (directories != partition_.directories) record.directories = std::move(directories);
}

bool PartitionChangeBuilder::changes_nothing(const PartitionChangeRecord& record) const {
  return record.leader == kLeaderUnchanged && !record.has_isr && !record.has_replicas &&
         record.recovery < 0 && !record.has_elr && record.directories.empty();
}

}  // namespace sim::controller
