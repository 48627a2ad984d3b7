#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/rng.h"
#include "protocol/ids.h"

// Where the replicas of a new topic go (StripedReplicaPlacer in Kafka): leaders and followers spread evenly
// over brokers, replicas of one partition over racks, fenced brokers only when unfenced ones are used up and
// never as the first replica.
//
// Racks are walked in order of name from a random start, the brokers of a rack by id from a random start,
// both starts moving on by one with each partition. After as many partitions as there are unfenced brokers,
// all are shuffled and the partitions are counted from 0 again; a list that was last asked at another
// partition of the same number goes on where it was, as Kafka's does.
namespace sim::controller {

struct UsableBroker {
  NodeId id = kNoNode;
  std::string rack;  // empty = none
  bool fenced = false;
};

using ReplicaLists =
    std::vector<std::vector<NodeId>>;  // by partition; the first replica is the preferred leader

// One of the numbers below the bound, drawn evenly.
using DrawBelow = std::function<std::size_t(std::size_t bound)>;

// nullopt: INVALID_REPLICATION_FACTOR (fewer brokers than replicas, all of them fenced, or not even one
// replica). REQUIRES: each broker is named once
std::optional<ReplicaLists> place_replicas(std::int32_t partitions, std::int32_t replication_factor,
                                           const std::vector<UsableBroker>& brokers, const DrawBelow& draw);
std::optional<ReplicaLists> place_replicas(std::int32_t partitions, std::int32_t replication_factor,
                                           const std::vector<UsableBroker>& brokers, Rng& rng);

}  // namespace sim::controller
