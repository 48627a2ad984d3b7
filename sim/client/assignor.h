#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/config.h"
#include "protocol/messages.h"

// Kafka's client-side partition assignors (partition.assignment.strategy): what the leader of a classic group
// computes from everyone's subscriptions.
//
// A pure function. Where Kafka's result depends on the iteration order of a Java hash map (which member keeps
// a surplus partition, which of several equal movements is taken), members are taken in the order of their
// ids.
namespace sim::client {

struct TopicLayout {
  TopicId id = kNoTopic;
  std::string name;
  std::int32_t partitions = 0;
  // Racks of each partition's replicas; empty = unknown.
  std::vector<std::vector<std::string>> racks;
  bool operator==(const TopicLayout&) const = default;
};

struct GroupSubscription {
  std::vector<TopicLayout> topics;                 // those of the group that exist
  std::vector<JoinGroupResponse::Member> members;  // as the coordinator told the leader
};

// One entry per member, in the order of the members given; partitions in the order in which they were
// assigned.
std::vector<SyncGroupRequest::Assignment> assign(Assignor assignor, const GroupSubscription& group);

std::string_view assignor_name(Assignor assignor);  // as in partition.assignment.strategy and JoinGroup
std::optional<Assignor> assignor_named(std::string_view name);

// How partitions change hands (ConsumerPartitionAssignor.RebalanceProtocol).
enum class RebalanceProtocol : std::uint8_t { eager, cooperative };
// The highest protocol that all configured assignors support: range, roundrobin and sticky know only EAGER.
RebalanceProtocol rebalance_protocol(const std::vector<Assignor>& assignors);

}  // namespace sim::client
