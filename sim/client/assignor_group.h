#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "client/assignor.h"

// A group as the assignors look at it: members, topics, partitions and racks are small numbers.
//
// Members are numbered in the order of their ids, topics in the order of their names, and partitions topic by
// topic, so that a smaller number is the smaller (name, partition).
namespace sim::client {

using MemberIndex = int;
using TopicIndex = int;
using PartitionIndex = int;
using MemberPartitions = std::vector<std::vector<PartitionIndex>>;  // by member

struct GroupView {
  explicit GroupView(const GroupSubscription& group);

  struct Topic {
    TopicId id;
    PartitionIndex first = 0;
    int partitions = 0;
    std::int32_t name_hash = 0;  // java.lang.String.hashCode of its name
  };
  struct Partition {
    TopicIndex topic = 0;
    int number = 0;
    std::vector<int> racks;  // sorted
  };
  struct Member {
    std::size_t place = 0;  // among the members given
    int rack = -1;
    int generation = -1;
    std::vector<bool> subscribed;    // by topic
    std::vector<TopicId> asked_for;  // all that it subscribes to, topics that do not exist among them; sorted
    std::vector<PartitionIndex> owned;
  };

  std::vector<Topic> topics;
  std::vector<Partition> partitions;
  std::vector<Member> members;
  std::vector<MemberIndex>
      ranked;  // AbstractPartitionAssignor.MemberInfo: static members by instance id, then dynamic ones

  int partition_count() const { return static_cast<int>(partitions.size()); }
  int member_count() const { return static_cast<int>(members.size()); }
  bool subscribed(MemberIndex member, PartitionIndex partition) const;
  bool rack_matches(MemberIndex member, PartitionIndex partition) const;  // true for a member without a rack

  std::vector<SyncGroupRequest::Assignment> answer(const GroupSubscription& group,
                                                   const MemberPartitions& assigned) const;
};

// AbstractPartitionAssignor.useRackAwareAssignment: some member stands in a rack of some partition, and not
// every partition is in all of those racks.
bool use_rack_aware_assignment(const std::vector<int>& member_racks,
                               const std::vector<const GroupView::Partition*>& partitions);

MemberPartitions assign_ranges(const GroupView& group);
MemberPartitions assign_round_robin(const GroupView& group);
MemberPartitions assign_sticky(const GroupView& group, bool cooperative);

}  // namespace sim::client
