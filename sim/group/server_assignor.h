#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/ids.h"

// The assignors of the group coordinator (KIP-848): which member is to own which partitions, given who
// subscribes to what and who was to own what before.
//
//   uniform  everybody gets as many as anybody else, within one, and keeps what he had as far as that allows.
//            Where subscriptions differ: as even as they allow, topic by topic
//            (UniformAssignor with its homogeneous and heterogeneous builders).
//   range    topic by topic, members get consecutive partitions in the order of their instance ids, then of
//            their member ids; equal numbers of partitions go together (RangeAssignor). It keeps nothing.
//
// As in 4.1 racks play no part. Where Kafka walks a hash map of members, they come here in the order given;
// topics in the order of their ids.
namespace sim::group {

struct AssignedTopic {
  TopicId id = kNoTopic;
  std::int32_t partitions = 0;
};
struct AssignedMember {
  std::string_view id;
  std::string_view instance_id;         // empty = dynamic
  std::vector<TopicId> subscription;    // sorted; each is among the topics
  std::vector<TopicPartition> current;  // sorted: of the target assignment before
};
struct AssignmentInput {
  std::vector<AssignedTopic> topics;  // in order of id
  std::vector<AssignedMember> members;
  bool homogeneous = true;  // all members have the same subscription

  std::int32_t partitions_of(TopicId topic) const;
};
// For each member of the input, in that order, sorted.
using Assignment = std::vector<std::vector<TopicPartition>>;

Assignment assign_range(const AssignmentInput& input);
Assignment assign_uniform(const AssignmentInput& input);

inline constexpr std::string_view kUniformAssignor = "uniform";
inline constexpr std::string_view kRangeAssignor = "range";

}  // namespace sim::group
