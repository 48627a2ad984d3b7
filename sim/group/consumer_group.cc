#include "group/consumer_group.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/contains.h"

namespace sim::group {

namespace {

using Partitions = std::vector<TopicPartition>;

Partitions common(const Partitions& a, const Partitions& b) {
  Partitions out;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(out));
  return out;
}
Partitions without(const Partitions& a, const Partitions& b) {
  Partitions out;
  std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(out));
  return out;
}

// It does not say, or it says so.
bool still_owns(const std::optional<Partitions>& owned, const Partitions& revoked) {
  if (!owned) return true;
  return std::any_of(owned->begin(), owned->end(), [&](TopicPartition tp) {
    return std::binary_search(revoked.begin(), revoked.end(), tp);
  });
}

}  // namespace

// ---- What the records say

const ConsumerMember* ConsumerGroupState::find(std::string_view member_id) const {
  const auto it = std::find_if(members_.begin(), members_.end(),
                               [&](const ConsumerMember& one) { return one.id == member_id; });
  return it == members_.end() ? nullptr : &*it;
}

const ConsumerMember* ConsumerGroupState::find_static(std::string_view instance_id) const {
  if (instance_id.empty()) return nullptr;
  const auto it = std::find_if(members_.begin(), members_.end(), [&](const ConsumerMember& one) {
    return one.about.group_instance_id == instance_id;
  });
  return it == members_.end() ? nullptr : &*it;
}

const Partitions& ConsumerGroupState::target(const std::string& member_id) const {
  static const Partitions nothing;
  const auto it = targets_.find(member_id);
  return it == targets_.end() ? nothing : it->second;
}

ConsumerMember& ConsumerGroupState::member_for(const std::string& id) {
  if (const ConsumerMember* known = find(id)) return const_cast<ConsumerMember&>(*known);
  ConsumerMember& member = members_.emplace_back();
  member.id = id;
  return member;
}

void ConsumerGroupState::release(const ConsumerMember& member) {
  for (const Partitions* partitions : {&member.current.assigned, &member.current.pending_revocation}) {
    for (const TopicPartition tp : *partitions) {
      const auto it = partition_epochs_.find(tp);
      if (it != partition_epochs_.end() && it->second == member.current.member_epoch)
        partition_epochs_.erase(it);
    }
  }
}

void ConsumerGroupState::apply(const ConsumerGroupRecord& record) {
  const ConsumerGroupRecord::Value* value = record.value.get();
  switch (record.kind) {
    case ConsumerGroupRecord::Kind::group_epoch:
      if (value == nullptr) return;
      epoch_ = std::get<ConsumerGroupEpochValue>(*value).group_epoch;
      metadata_hash_ = std::get<ConsumerGroupEpochValue>(*value).metadata_hash;
      return;
    case ConsumerGroupRecord::Kind::member:
      if (value != nullptr) {
        member_for(record.key).about = std::get<ConsumerMemberValue>(*value);
        return;
      }
      if (const ConsumerMember* gone = find(record.key)) {
        release(*gone);
        members_.erase(members_.begin() + (gone - members_.data()));
      }
      return;
    case ConsumerGroupRecord::Kind::target_epoch:
      target_epoch_ =
          value == nullptr ? kNoGeneration : std::get<ConsumerTargetEpochValue>(*value).assignment_epoch;
      return;
    case ConsumerGroupRecord::Kind::target:
      if (value == nullptr) {
        targets_.erase(record.key);
      } else {
        targets_.insert_or_assign(record.key, std::get<ConsumerTargetValue>(*value).partitions);
      }
      return;
    case ConsumerGroupRecord::Kind::current: {
      if (value == nullptr && find(record.key) == nullptr) return;
      ConsumerMember& member = member_for(record.key);
      release(member);
      if (value == nullptr) {
        member.current =
            ConsumerCurrentValue{kLeaveEpoch, kLeaveEpoch, MemberAssignmentState::stable, {}, {}};
        return;
      }
      member.current = std::get<ConsumerCurrentValue>(*value);
      for (const TopicPartition tp : member.current.assigned)
        partition_epochs_.insert_or_assign(tp, member.current.member_epoch);
      for (const TopicPartition tp : member.current.pending_revocation)
        partition_epochs_.insert_or_assign(tp, member.current.member_epoch);
      return;
    }
    case ConsumerGroupRecord::Kind::regex:
      if (value == nullptr) {
        regexes_.erase(record.key);
      } else {
        regexes_.insert_or_assign(record.key, std::get<ConsumerRegexValue>(*value));
      }
      return;
  }
}

observe::GroupState ConsumerGroupState::state() const {
  if (members_.empty()) return observe::GroupState::empty;
  if (epoch_ > target_epoch_) return observe::GroupState::assigning;
  const bool all = std::all_of(members_.begin(), members_.end(), [this](const ConsumerMember& one) {
    return one.is_reconciled_to(target_epoch_);
  });
  return all ? observe::GroupState::stable : observe::GroupState::reconciling;
}

std::int32_t ConsumerGroupState::classic_members() const {
  return static_cast<std::int32_t>(
      std::count_if(members_.begin(), members_.end(),
                    [](const ConsumerMember& one) { return one.uses_classic_protocol(); }));
}

// ---- Subscriptions

std::int32_t ConsumerGroupState::subscribers_of(std::string_view regex) const {
  return static_cast<std::int32_t>(
      std::count_if(members_.begin(), members_.end(),
                    [&](const ConsumerMember& one) { return one.about.subscribed_regex == regex; }));
}

std::vector<std::string> ConsumerGroupState::subscribed_regexes() const {
  std::vector<std::string> out;
  for (const ConsumerMember& member : members_) {
    if (!member.about.subscribed_regex.empty()) out.push_back(member.about.subscribed_regex);
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

std::vector<std::string> ConsumerGroupState::subscribed_topics(const ConsumerMember& member) const {
  std::vector<std::string> out = member.about.subscribed_topics;
  const auto resolved = regexes_.find(member.about.subscribed_regex);
  if (member.about.subscribed_regex.empty() || resolved == regexes_.end()) return out;
  out.insert(out.end(), resolved->second.topics.begin(), resolved->second.topics.end());
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

std::vector<std::string> ConsumerGroupState::subscribed_topics() const {
  std::vector<std::string> out;
  const ConsumerMember* before = nullptr;
  for (const ConsumerMember& member : members_) {
    // As a rule all subscribe to the same.
    const bool same = before != nullptr &&
                      before->about.subscribed_topics == member.about.subscribed_topics &&
                      before->about.subscribed_regex == member.about.subscribed_regex;
    before = &member;
    if (same) continue;
    const std::vector<std::string> topics = subscribed_topics(member);
    out.insert(out.end(), topics.begin(), topics.end());
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

bool ConsumerGroupState::is_homogeneous() const {
  return std::all_of(members_.begin(), members_.end(), [this](const ConsumerMember& one) {
    return one.about.subscribed_topics == members_.front().about.subscribed_topics &&
           one.about.subscribed_regex == members_.front().about.subscribed_regex;
  });
}

std::string ConsumerGroupState::preferred_assignor() const {
  std::map<std::string, int> votes;
  for (const ConsumerMember& member : members_) {
    if (!member.about.server_assignor.empty()) ++votes[member.about.server_assignor];
  }
  const auto most = std::max_element(votes.begin(), votes.end(),
                                     [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == votes.end() ? std::string{} : most->first;
}

bool ConsumerGroupState::supports_classic(const std::string& protocol_type,
                                          const std::vector<JoinGroupRequest::Protocol>& protocols) const {
  if (protocol_type != "consumer" || protocols.empty()) return false;
  return std::any_of(protocols.begin(), protocols.end(), [&](const JoinGroupRequest::Protocol& offered) {
    return std::all_of(members_.begin(), members_.end(), [&](const ConsumerMember& member) {
      if (!member.uses_classic_protocol()) return true;
      const auto& supported = member.about.classic->protocols;
      return std::any_of(supported.begin(), supported.end(),
                         [&](const auto& one) { return one.name == offered.name; });
    });
  });
}

bool ConsumerGroupState::waits_for_partition(const ConsumerMember& member) const {
  if (member.current.state != MemberAssignmentState::unreleased_partitions) return false;
  const Partitions missing = without(target(member.id), member.current.assigned);
  return std::any_of(missing.begin(), missing.end(), [this](TopicPartition tp) { return is_owned(tp); });
}

// ---- A member on its way to the target assignment

namespace {

ConsumerCurrentValue next_assignment(const ConsumerGroupState& group, const ConsumerMember& member,
                                     Generation member_epoch, const Partitions& target,
                                     const std::optional<Partitions>& owned, PlantedDefect defect) {
  const ConsumerCurrentValue& now = member.current;
  const Partitions kept = common(now.assigned, target);
  const Partitions revoked = without(now.assigned, target);
  ConsumerCurrentValue next;
  next.previous_member_epoch = now.member_epoch;
  if (!revoked.empty() && still_owns(owned, revoked)) {
    next.state = MemberAssignmentState::unrevoked_partitions;
    next.member_epoch = member_epoch;
    next.assigned = kept;
    next.pending_revocation = revoked;
    return next;
  }
  bool unreleased = false;
  next.assigned = kept;
  for (const TopicPartition tp : without(target, kept)) {
    // What it was about to give up itself is as good as free.
    const bool is_its_own =
        std::binary_search(now.pending_revocation.begin(), now.pending_revocation.end(), tp);
    if (group.is_owned(tp) && !is_its_own && defect != PlantedDefect::hands_out_unreleased) {
      unreleased = true;
    } else {
      next.assigned.push_back(tp);
    }
  }
  std::sort(next.assigned.begin(), next.assigned.end());
  next.state = unreleased ? MemberAssignmentState::unreleased_partitions : MemberAssignmentState::stable;
  next.member_epoch = group.target_epoch();
  if (defect == PlantedDefect::member_passes_group) next.member_epoch = group.epoch().next();
  return next;
}

}  // namespace

ConsumerCurrentValue reconcile(const ConsumerGroupState& group, const ConsumerMember& member,
                               const Partitions& target, const std::optional<Partitions>& owned,
                               PlantedDefect defect) {
  const ConsumerCurrentValue& now = member.current;
  switch (now.state) {
    case MemberAssignmentState::stable:
      if (now.member_epoch == group.target_epoch()) return now;
      break;
    case MemberAssignmentState::unrevoked_partitions:
      if (still_owns(owned, now.pending_revocation)) return now;
      return next_assignment(group, member, now.member_epoch.next(), target, owned, defect);
    case MemberAssignmentState::unreleased_partitions: break;
  }
  return next_assignment(group, member, now.member_epoch, target, owned, defect);
}

ErrorCode check_member_epoch(const ConsumerMember& member, Generation received,
                             const std::optional<Partitions>& owned) {
  if (received == member.current.member_epoch) return ErrorCode::none;
  if (received > member.current.member_epoch) return ErrorCode::fenced_member_epoch;
  const Partitions& assigned = member.current.assigned;
  const bool answer_was_lost = received == member.current.previous_member_epoch && owned &&
                               std::all_of(owned->begin(), owned->end(), [&](TopicPartition tp) {
                                 return std::binary_search(assigned.begin(), assigned.end(), tp);
                               });
  return answer_was_lost ? ErrorCode::none : ErrorCode::fenced_member_epoch;
}

}  // namespace sim::group
