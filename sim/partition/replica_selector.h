#pragma once

#include <string_view>

#include "partition/partition.h"
#include "server/context.h"

// Which replica a consumer is better off with (KIP-392: ReplicaManager.findPreferredReadReplica with
// RackAwareReplicaSelector): of those in its rack that are in sync and have what it wants, the one that is
// furthest. Nobody if the leader is in its rack, or no such replica.
namespace sim::partition {

// REQUIRES: partition.is_leader()
NodeId preferred_read_replica(const Partition& partition, Offset fetch_offset, std::string_view client_rack,
                              const Context& context);

}  // namespace sim::partition
