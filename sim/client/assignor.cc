#include "client/assignor.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "base/check.h"
#include "client/assignor_group.h"
#include "protocol/java_hash.h"

namespace sim::client {
namespace {

constexpr Assignor kAssignors[] = {Assignor::range, Assignor::roundrobin, Assignor::sticky,
                                   Assignor::cooperative_sticky};

bool ranks_before(const JoinGroupResponse::Member& a, const JoinGroupResponse::Member& b) {
  const bool a_static = !a.group_instance_id.empty();
  const bool b_static = !b.group_instance_id.empty();
  if (a_static != b_static) return a_static;
  return a_static ? a.group_instance_id < b.group_instance_id : a.member_id < b.member_id;
}

// Numbers names in the order in which they come up.
class Racks {
 public:
  int number_of(const std::string& name) {
    return numbers_.try_emplace(name, static_cast<int>(numbers_.size())).first->second;
  }

 private:
  std::map<std::string, int> numbers_;
};

}  // namespace

GroupView::GroupView(const GroupSubscription& group) {
  Racks racks;
  std::vector<const TopicLayout*> by_name;
  for (const TopicLayout& topic : group.topics) by_name.push_back(&topic);
  std::sort(by_name.begin(), by_name.end(),
            [](const TopicLayout* a, const TopicLayout* b) { return a->name < b->name; });
  std::map<TopicId, TopicIndex> topic_index;
  for (const TopicLayout* topic : by_name) {
    const auto index = static_cast<TopicIndex>(topics.size());
    topic_index[topic->id] = index;
    topics.push_back(Topic{topic->id, partition_count(), topic->partitions, java_string_hash(topic->name)});
    for (int number = 0; number < topic->partitions; ++number) {
      Partition partition{index, number, {}};
      if (static_cast<std::size_t>(number) < topic->racks.size()) {
        for (const std::string& rack : topic->racks[static_cast<std::size_t>(number)]) {
          if (!rack.empty()) partition.racks.push_back(racks.number_of(rack));
        }
      }
      std::sort(partition.racks.begin(), partition.racks.end());
      partition.racks.erase(std::unique(partition.racks.begin(), partition.racks.end()),
                            partition.racks.end());
      partitions.push_back(std::move(partition));
    }
  }

  std::vector<std::size_t> by_id(group.members.size());
  std::iota(by_id.begin(), by_id.end(), std::size_t{0});
  std::sort(by_id.begin(), by_id.end(), [&](std::size_t a, std::size_t b) {
    return group.members[a].member_id < group.members[b].member_id;
  });
  for (const std::size_t place : by_id) {
    const Subscription& subscription = group.members[place].subscription;
    Member member;
    member.place = place;
    member.rack = subscription.rack.empty() ? -1 : racks.number_of(subscription.rack);
    member.generation = subscription.generation.value();
    member.subscribed.resize(topics.size());
    member.asked_for = subscription.topics;
    std::sort(member.asked_for.begin(), member.asked_for.end());
    for (const TopicId topic : subscription.topics) {
      const auto found = topic_index.find(topic);
      if (found != topic_index.end()) member.subscribed[static_cast<std::size_t>(found->second)] = true;
    }
    for (const TopicPartition tp : subscription.owned) {
      const auto found = topic_index.find(tp.topic);
      if (found == topic_index.end()) continue;
      const Topic& topic = topics[static_cast<std::size_t>(found->second)];
      if (tp.partition < topic.partitions) member.owned.push_back(topic.first + tp.partition);
    }
    members.push_back(std::move(member));
  }

  ranked.resize(members.size());
  std::iota(ranked.begin(), ranked.end(), 0);
  std::stable_sort(ranked.begin(), ranked.end(), [&](MemberIndex a, MemberIndex b) {
    const auto at = [&](MemberIndex m) -> const JoinGroupResponse::Member& {
      return group.members[members[static_cast<std::size_t>(m)].place];
    };
    return ranks_before(at(a), at(b));
  });
}

bool GroupView::subscribed(MemberIndex member, PartitionIndex partition) const {
  const TopicIndex topic = partitions[static_cast<std::size_t>(partition)].topic;
  return members[static_cast<std::size_t>(member)].subscribed[static_cast<std::size_t>(topic)];
}

bool GroupView::rack_matches(MemberIndex member, PartitionIndex partition) const {
  const int rack = members[static_cast<std::size_t>(member)].rack;
  const std::vector<int>& racks = partitions[static_cast<std::size_t>(partition)].racks;
  return rack < 0 || std::binary_search(racks.begin(), racks.end(), rack);
}

std::vector<SyncGroupRequest::Assignment> GroupView::answer(const GroupSubscription& group,
                                                            const MemberPartitions& assigned) const {
  std::vector<SyncGroupRequest::Assignment> out(group.members.size());
  for (std::size_t i = 0; i < group.members.size(); ++i) out[i].member_id = group.members[i].member_id;
  for (std::size_t m = 0; m < members.size(); ++m) {
    for (const PartitionIndex p : assigned[m]) {
      const Partition& partition = partitions[static_cast<std::size_t>(p)];
      out[members[m].place].partitions.push_back(
          TopicPartition{topics[static_cast<std::size_t>(partition.topic)].id, partition.number});
    }
  }
  return out;
}

bool use_rack_aware_assignment(const std::vector<int>& member_racks,
                               const std::vector<const GroupView::Partition*>& partitions) {
  std::vector<int> partition_racks;
  for (const GroupView::Partition* partition : partitions) {
    partition_racks.insert(partition_racks.end(), partition->racks.begin(), partition->racks.end());
  }
  std::sort(partition_racks.begin(), partition_racks.end());
  partition_racks.erase(std::unique(partition_racks.begin(), partition_racks.end()), partition_racks.end());
  const bool meet = std::any_of(member_racks.begin(), member_racks.end(), [&](int rack) {
    return rack >= 0 && std::binary_search(partition_racks.begin(), partition_racks.end(), rack);
  });
  if (!meet) return false;
  return !std::all_of(partitions.begin(), partitions.end(), [&](const GroupView::Partition* partition) {
    return partition->racks == partition_racks;
  });
}

MemberPartitions assign_round_robin(const GroupView& group) {
  MemberPartitions assigned(group.members.size());
  std::size_t next = 0;
  for (PartitionIndex p = 0; p < group.partition_count(); ++p) {
    for (std::size_t tried = 0; tried < group.ranked.size(); ++tried) {
      const MemberIndex member = group.ranked[next];
      if (group.subscribed(member, p)) {
        assigned[static_cast<std::size_t>(member)].push_back(p);
        next = (next + 1) % group.ranked.size();
        break;
      }
      next = (next + 1) % group.ranked.size();
    }
  }
  return assigned;
}

std::vector<SyncGroupRequest::Assignment> assign(Assignor assignor, const GroupSubscription& group) {
  const GroupView view(group);
  switch (assignor) {
    case Assignor::range: return view.answer(group, assign_ranges(view));
    case Assignor::roundrobin: return view.answer(group, assign_round_robin(view));
    case Assignor::sticky: return view.answer(group, assign_sticky(view, false));
    case Assignor::cooperative_sticky: return view.answer(group, assign_sticky(view, true));
  }
  SIM_CHECK(false, "every assignor is listed above");
  return {};
}

std::string_view assignor_name(Assignor assignor) {
  switch (assignor) {
    case Assignor::range: return "range";
    case Assignor::roundrobin: return "roundrobin";
    case Assignor::sticky: return "sticky";
    case Assignor::cooperative_sticky: return "cooperative-sticky";
  }
  return "";
}

std::optional<Assignor> assignor_named(std::string_view name) {
  for (const Assignor assignor : kAssignors) {
    if (assignor_name(assignor) == name) return assignor;
  }
  return std::nullopt;
}

RebalanceProtocol rebalance_protocol(const std::vector<Assignor>& assignors) {
  const bool all = std::all_of(assignors.begin(), assignors.end(),
                               [](Assignor assignor) { return assignor == Assignor::cooperative_sticky; });
  return all ? RebalanceProtocol::cooperative : RebalanceProtocol::eager;
}

}  // namespace sim::client
