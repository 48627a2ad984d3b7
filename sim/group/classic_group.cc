#include "group/classic_group.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace sim::group {

bool GroupMember::supports(std::string_view protocol) const {
  return std::any_of(protocols.begin(), protocols.end(),
                     [&](const auto& one) { return one.name == protocol; });
}

const Subscription& GroupMember::subscription(std::string_view protocol) const {
  for (const JoinGroupRequest::Protocol& one : protocols) {
    if (one.name == protocol) return one.subscription;
  }
  SIM_CHECK(false, "a group's protocol is supported by each of its members");
  return protocols.front().subscription;
}

GroupMember* ClassicGroup::find(std::string_view member_id) {
  for (GroupMember& member : members) {
    if (member.id == member_id) return &member;
  }
  return nullptr;
}

GroupMember* ClassicGroup::find_serial(std::uint64_t serial) {
  for (GroupMember& member : members) {
    if (member.serial == serial) return &member;
  }
  return nullptr;
}

GroupMember* ClassicGroup::find_static(std::string_view instance_id) {
  if (instance_id.empty()) return nullptr;
  for (GroupMember& member : members) {
    if (member.instance_id == instance_id) return &member;
  }
  return nullptr;
}

PendingMember* ClassicGroup::find_pending(std::string_view member_id) {
  for (PendingMember& member : pending) {
    if (member.id == member_id) return &member;
  }
  return nullptr;
}

ErrorCode ClassicGroup::validate_member(std::string_view member_id, std::string_view instance_id,
                                        GroupMember*& found) {
  if (!instance_id.empty()) {
    const GroupMember* current = find_static(instance_id);
    if (current == nullptr) return ErrorCode::unknown_member_id;
    if (current->id != member_id) return ErrorCode::fenced_instance_id;
  }
  found = find(member_id);
  return found == nullptr ? ErrorCode::unknown_member_id : ErrorCode::none;
}

ErrorCode ClassicGroup::validate_offset_commit(const OffsetCommitRequest& request, GroupMember*& found) {
  const bool has_generation = request.generation >= Generation{0};
  if (is(GroupState::dead)) return ErrorCode::coordinator_not_available;
  // A consumer that assigns its partitions itself, or an administrator.
  if (!has_generation && is(GroupState::empty)) return ErrorCode::none;
  if (!has_generation && request.member_id.empty() && request.group_instance_id.empty()) {
    return ErrorCode::unknown_member_id;
  }
  const ErrorCode error = validate_member(request.member_id, request.group_instance_id, found);
  if (error != ErrorCode::none) return error;
  if (request.generation != generation) return ErrorCode::illegal_generation;
  // It knows the generation, so it has been told to join; what it has processed belongs to the last one.
  if (is(GroupState::completing_rebalance)) return ErrorCode::rebalance_in_progress;
  return ErrorCode::none;
}

ErrorCode ClassicGroup::validate_transactional_commit(const TxnOffsetCommitRequest& request) {
  const bool has_generation = request.generation >= Generation{0};
  if (is(GroupState::dead)) return ErrorCode::coordinator_not_available;
  if (!has_generation && is(GroupState::empty)) return ErrorCode::none;
  if (!has_generation && request.member_id.empty() && request.group_instance_id.empty())
    return ErrorCode::none;
  GroupMember* found = nullptr;
  const ErrorCode error = validate_member(request.member_id, request.group_instance_id, found);
  if (error != ErrorCode::none) return error;
  return request.generation == generation ? ErrorCode::none : ErrorCode::illegal_generation;
}

GroupMember& ClassicGroup::add(GroupMember member) {
  SIM_CHECK(!member.is_static() || find_static(member.instance_id) == nullptr,
            "one member per group.instance.id");
  if (leader.empty()) leader = member.id;
  remove_pending(member.id);
  members.push_back(std::move(member));
  return members.back();
}

void ClassicGroup::remove(std::size_t index) {
  const bool led = is_leader(members[index]);
  members.erase(members.begin() + static_cast<std::ptrdiff_t>(index));
  if (led) leader = members.empty() ? std::string{} : members.front().id;
}

void ClassicGroup::remove_pending(std::string_view member_id) {
  std::erase_if(pending, [&](const PendingMember& one) { return one.id == member_id; });
}

bool ClassicGroup::supports(std::string_view type,
                            const std::vector<JoinGroupRequest::Protocol>& protocols) const {
  if (is(GroupState::empty)) return !type.empty() && !protocols.empty();
  if (protocol_type != type) return false;
  return std::any_of(protocols.begin(), protocols.end(), [this](const JoinGroupRequest::Protocol& one) {
    return std::all_of(members.begin(), members.end(),
                       [&](const GroupMember& member) { return member.supports(one.name); });
  });
}

const std::string& ClassicGroup::select_protocol() const {
  SIM_CHECK(!members.empty(), "an empty group has no protocol");
  const auto is_candidate = [this](const std::string& each) {
    return std::all_of(members.begin(), members.end(),
                       [&](const GroupMember& member) { return member.supports(each); });
  };
  std::vector<std::pair<const std::string*, int>> votes;
  for (const GroupMember& member : members) {
    const auto vote =
        std::find_if(member.protocols.begin(), member.protocols.end(),
                     [&](const JoinGroupRequest::Protocol& one) { return is_candidate(one.name); });
    SIM_CHECK(vote != member.protocols.end(), "members are let in only if a common protocol remains");
    const auto counted = std::find_if(votes.begin(), votes.end(),
                                      [&](const auto& count) { return *count.first == vote->name; });
    if (counted == votes.end()) {
      votes.emplace_back(&vote->name, 1);
    } else {
      ++counted->second;
    }
  }
  const auto fewer = [](const auto& a, const auto& b) { return a.second < b.second; };
  return *std::max_element(votes.begin(), votes.end(), fewer)->first;
}

std::int32_t ClassicGroup::awaiting_join() const {
  return static_cast<std::int32_t>(std::count_if(
      members.begin(), members.end(), [](const GroupMember& one) { return one.join.has_value(); }));
}

bool ClassicGroup::has_all_members_joined() const {
  return pending.empty() && std::all_of(members.begin(), members.end(),
                                        [](const GroupMember& one) { return one.join.has_value(); });
}

bool ClassicGroup::has_received_sync_from_all() const {
  return std::none_of(members.begin(), members.end(),
                      [](const GroupMember& one) { return one.pending_sync; });
}

std::int32_t ClassicGroup::rebalance_timeout_ms() const {
  std::int32_t longest = 0;
  for (const GroupMember& member : members) longest = std::max(longest, member.rebalance_timeout_ms);
  return longest;
}

bool ClassicGroup::elect_joined_leader() {
  if (leader.empty()) return false;
  const GroupMember* current = find(leader);
  if (current != nullptr && current->join.has_value()) return true;
  for (const GroupMember& member : members) {
    if (!member.join.has_value()) continue;
    leader = member.id;
    return true;
  }
  return false;
}

std::vector<JoinGroupResponse::Member> ClassicGroup::member_list() const {
  std::vector<JoinGroupResponse::Member> list;
  list.reserve(members.size());
  for (const GroupMember& member : members) {
    list.push_back(JoinGroupResponse::Member{member.id, member.instance_id, member.subscription(protocol)});
  }
  return list;
}

void ClassicGroup::update_subscribed() {
  subscribed.reset();
  if (protocol_type != "consumer") return;
  if (!members.empty() && protocol.empty()) return;
  std::vector<TopicId>& topics = subscribed.emplace();
  for (const GroupMember& member : members) {
    const Subscription& subscription = member.subscription(protocol);
    topics.insert(topics.end(), subscription.topics.begin(), subscription.topics.end());
  }
  std::sort(topics.begin(), topics.end());
  topics.erase(std::unique(topics.begin(), topics.end()), topics.end());
}

bool ClassicGroup::is_subscribed_to(TopicId topic) const {
  if (!subscribed) return protocol_type == "consumer";
  return std::binary_search(subscribed->begin(), subscribed->end(), topic);
}

std::optional<std::int64_t> ClassicGroup::retention_base_ms(const GroupOffsets::Slot& stored) const {
  if (is_subscribed_to(stored.tp.topic)) return std::nullopt;
  const std::int64_t commit_ms = stored.written.commit_timestamp_ms;
  if (protocol_type.empty() || consumer) return commit_ms;
  if (is(GroupState::empty)) return state_timestamp_ms >= 0 ? state_timestamp_ms : commit_ms;
  if (is(GroupState::stable) && protocol_type == "consumer" && subscribed) return commit_ms;
  return std::nullopt;
}

GroupMetadataRecord ClassicGroup::record(const std::vector<SyncGroupRequest::Assignment>* assignment) const {
  GroupMetadataRecord record;
  record.group = name;
  record.protocol_type = protocol_type;
  record.generation = generation;
  record.protocol = protocol;
  record.leader = leader;
  record.state_timestamp_ms = state_timestamp_ms;
  record.members.reserve(members.size());
  for (const GroupMember& member : members) {
    GroupMetadataRecord::Member& one = record.members.emplace_back();
    one.member_id = member.id;
    one.group_instance_id = member.instance_id;
    one.client_id = member.client_id;
    one.rebalance_timeout_ms = member.rebalance_timeout_ms;
    one.session_timeout_ms = member.session_timeout_ms;
    one.subscription = member.subscription(protocol).topics;
    if (assignment == nullptr) {
      one.assignment = member.assignment;
      continue;
    }
    const auto given =
        std::find_if(assignment->begin(), assignment->end(),
                     [&](const SyncGroupRequest::Assignment& each) { return each.member_id == member.id; });
    if (given != assignment->end()) one.assignment = given->partitions;
  }
  return record;
}

void ClassicGroup::restore(const GroupMetadataRecord& record) {
  state = record.members.empty() ? GroupState::empty : GroupState::stable;
  previous_state = GroupState::dead;
  state_timestamp_ms = record.state_timestamp_ms;
  protocol_type = record.protocol_type;
  protocol = record.protocol;
  generation = record.generation;
  leader = record.leader;
  new_member_added = false;
  pending.clear();
  members.clear();
  for (const GroupMetadataRecord::Member& one : record.members) {
    GroupMember member;
    member.id = one.member_id;
    member.instance_id = one.group_instance_id;
    member.client_id = one.client_id;
    member.rebalance_timeout_ms = one.rebalance_timeout_ms;
    member.session_timeout_ms = one.session_timeout_ms;
    JoinGroupRequest::Protocol supported{record.protocol, {}};
    supported.subscription.topics = one.subscription;
    member.protocols.push_back(std::move(supported));
    member.assignment = one.assignment;
    members.push_back(std::move(member));
  }
  update_subscribed();
}

}  // namespace sim::group
