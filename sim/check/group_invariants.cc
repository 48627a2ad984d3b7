#include "check/group_invariants.h"

#include "observe/fold.h"

namespace sim::check {

void GroupInvariants::on(const observe::Observation& seen) {
  at(seen);
  if (const auto* changed = std::get_if<observe::MemberAssignmentChanged>(&seen.fact)) on(*changed);
  if (const auto* state = std::get_if<observe::GroupStateChanged>(&seen.fact)) on(*state);
}

void GroupInvariants::on(const observe::MemberAssignmentChanged& fact) {
  if (fact.member_epoch > fact.group_epoch) {
    violations_.add("member-epoch-bounded", "member " + fact.member + " of " + fact.group + " is in epoch " +
                                                std::to_string(fact.member_epoch.value()) +
                                                ", its group in epoch " +
                                                std::to_string(fact.group_epoch.value()));
  }
  Owned& group = groups_[Group{process_, fact.group}];
  std::vector<TopicPartition>& mine = group.by_member[fact.member];
  for (const TopicPartition tp : mine) {
    const auto it = group.owners.find(tp);
    if (it != group.owners.end() && it->second == fact.member) group.owners.erase(it);
  }
  mine = fact.assigned;
  mine.insert(mine.end(), fact.pending_revocation.begin(), fact.pending_revocation.end());
  for (const TopicPartition tp : mine) {
    const auto [it, is_free] = group.owners.try_emplace(tp, fact.member);
    if (is_free || it->second == fact.member) continue;
    violations_.add("one-owner-per-partition", "partition " + std::to_string(tp.partition) + " of topic " +
                                                   std::to_string(tp.topic.value()) + " belongs to " +
                                                   it->second + " and to " + fact.member + " of " +
                                                   fact.group);
  }
  if (mine.empty()) group.by_member.erase(fact.member);
}

void GroupInvariants::on(const observe::GroupStateChanged& fact) {
  if (fact.state == observe::GroupState::dead) groups_.erase(Group{process_, fact.group});
}

}  // namespace sim::check
