#include <algorithm>
#include <map>

#include "client/assignor_group.h"

// RangeAssignor: topic by topic, each member gets a run of consecutive partitions. With racks (KIP-881)
// partitions first go to members in a rack of one of their replicas, as far as the members' shares allow;
// topics with the same members and the same number of partitions stay co-partitioned in that.
namespace sim::client {
namespace {

class Ranges {
 public:
  Ranges(const GroupView& group, TopicIndex topic)
      : group_(group), topic_(group.topics[static_cast<std::size_t>(topic)]) {
    for (const MemberIndex member : group.ranked) {
      if (group.members[static_cast<std::size_t>(member)].subscribed[static_cast<std::size_t>(topic)])
        members_.push_back(member);
    }
    taken_.resize(static_cast<std::size_t>(topic_.partitions));
    counts_.resize(group.members.size());
    if (members_.empty()) return;
    const int members = static_cast<int>(members_.size());
    share_ = topic_.partitions / members;
    extra_ = topic_.partitions % members;
    std::vector<int> racks;
    for (const MemberIndex member : members_)
      racks.push_back(group.members[static_cast<std::size_t>(member)].rack);
    std::vector<const GroupView::Partition*> partitions;
    for (int i = 0; i < topic_.partitions; ++i)
      partitions.push_back(&group.partitions[static_cast<std::size_t>(topic_.first + i)]);
    rack_aware_ = use_rack_aware_assignment(racks, partitions);
  }

  const std::vector<MemberIndex>& members() const { return members_; }
  int partitions() const { return topic_.partitions; }
  bool rack_aware() const { return rack_aware_; }
  bool rack_matches(MemberIndex member, int number) const {
    return group_.rack_matches(member, topic_.first + number);
  }

  int may_take(MemberIndex member) const {
    return std::max(0, share_ + (extra_ > 0 ? 1 : 0) - counts_[static_cast<std::size_t>(member)]);
  }

  void assign(MemberIndex member, const std::vector<int>& numbers, MemberPartitions& assigned) {
    int& count = counts_[static_cast<std::size_t>(member)];
    for (const int number : numbers) {
      taken_[static_cast<std::size_t>(number)] = true;
      assigned[static_cast<std::size_t>(member)].push_back(topic_.first + number);
    }
    count += static_cast<int>(numbers.size());
    if (count > share_) --extra_;
  }

  void assign_ranges(bool only_matching_racks, MemberPartitions& assigned) {
    for (const MemberIndex member : members_) {
      std::vector<int> numbers;
      const int limit = may_take(member);
      for (int number = 0; number < topic_.partitions && static_cast<int>(numbers.size()) < limit; ++number) {
        if (taken_[static_cast<std::size_t>(number)]) continue;
        if (only_matching_racks && !rack_matches(member, number)) continue;
        numbers.push_back(number);
      }
      if (!numbers.empty()) assign(member, numbers, assigned);
    }
  }

 private:
  const GroupView& group_;
  GroupView::Topic topic_;
  std::vector<MemberIndex> members_;  // in rank order
  std::vector<bool> taken_;           // by partition number
  std::vector<int> counts_;           // by member
  int share_ = 0;
  int extra_ = 0;  // members that may still take one more than their share
  bool rack_aware_ = false;
};

// One member takes a partition number in all of the topics at once.
void assign_co_partitioned(const std::vector<Ranges*>& topics, MemberPartitions& assigned) {
  std::vector<MemberIndex> remaining = topics.front()->members();
  for (int number = 0; number < topics.front()->partitions() && !remaining.empty(); ++number) {
    const auto match = std::find_if(remaining.begin(), remaining.end(), [&](MemberIndex member) {
      return std::all_of(topics.begin(), topics.end(), [&](const Ranges* topic) {
        return topic->rack_matches(member, number) && topic->may_take(member) > 0;
      });
    });
    if (match == remaining.end()) continue;
    const MemberIndex member = *match;
    for (Ranges* topic : topics) topic->assign(member, {number}, assigned);
    if (std::none_of(topics.begin(), topics.end(),
                     [&](const Ranges* topic) { return topic->may_take(member) > 0; })) {
      remaining.erase(match);
    }
  }
}

}  // namespace

MemberPartitions assign_ranges(const GroupView& group) {
  MemberPartitions assigned(group.members.size());
  std::vector<Ranges> topics;
  for (std::size_t topic = 0; topic < group.topics.size(); ++topic)
    topics.emplace_back(group, static_cast<TopicIndex>(topic));

  const bool rack_aware =
      std::any_of(topics.begin(), topics.end(), [](const Ranges& topic) { return topic.rack_aware(); });
  if (rack_aware) {
    std::map<std::pair<std::vector<MemberIndex>, int>, std::vector<Ranges*>> alike;
    for (Ranges& topic : topics) alike[{topic.members(), topic.partitions()}].push_back(&topic);
    for (auto& [key, same] : alike) {
      if (same.size() > 1) {
        assign_co_partitioned(same, assigned);
      } else if (same.front()->rack_aware()) {
        same.front()->assign_ranges(true, assigned);
      }
    }
  }
  for (Ranges& topic : topics) topic.assign_ranges(false, assigned);
  if (rack_aware) {
    for (std::vector<PartitionIndex>& partitions : assigned) std::sort(partitions.begin(), partitions.end());
  }
  return assigned;
}

}  // namespace sim::client
