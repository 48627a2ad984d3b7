#pragma once

#include <compare>
#include <cstdint>
#include <functional>

#include "base/id.h"

// The names by which Kafka's things are known. Epochs are each a type of their own: a leader
// epoch never compares with a quorum epoch. Offsets are plain 64-bit numbers because they are
// counted with; all *end* offsets and ranges are exclusive (the next one, not the last one).
namespace sim {

// A process of the simulated world (controller, broker or client); the host's address for it.
using ProcessId = Id<struct ProcessTag, std::int32_t>;
inline constexpr ProcessId kNoProcess{-1};
// Counts the starts of one process: what was meant for an earlier life is dropped by the host.
using Incarnation = Id<struct IncarnationTag, std::uint32_t>;

using NodeId = Id<struct NodeTag, std::int32_t>;  // Kafka's node.id; -1 = none
inline constexpr NodeId kNoNode{-1};

using TopicId = Id<struct TopicTag, std::int32_t>;  // dense, unique per creation (Kafka: a UUID); -1 = none
inline constexpr TopicId kNoTopic{-1};

struct TopicPartition {
  TopicId topic = kNoTopic;
  std::int32_t partition = -1;
  auto operator<=>(const TopicPartition&) const = default;
};

using Offset = std::int64_t;
inline constexpr Offset kNoOffset = -1;

// A log directory of a node: a replica whose disk was replaced is another replica. 0 = not told.
using DirectoryId = Id<struct DirectoryTag, std::uint64_t>;
inline constexpr DirectoryId kNoDirectory{0};

using LeaderEpoch = Id<struct LeaderEpochTag, std::int32_t>;  // of a partition; -1 = unknown
inline constexpr LeaderEpoch kNoLeaderEpoch{-1};
using PartitionEpoch = Id<struct PartitionEpochTag, std::int32_t>;  // version of the partition's record
using QuorumEpoch = Id<struct QuorumEpochTag, std::int32_t>;        // of the KRaft quorum
using BrokerEpoch = Id<struct BrokerEpochTag, std::int64_t>;        // of a registration; -1 = none
inline constexpr BrokerEpoch kNoBrokerEpoch{-1};
using ProducerId = Id<struct ProducerIdTag, std::int64_t>;  // -1 = none
inline constexpr ProducerId kNoProducerId{-1};
using ProducerEpoch = Id<struct ProducerEpochTag, std::int16_t>;  // -1 = none
inline constexpr ProducerEpoch kNoProducerEpoch{-1};
// Of a transaction coordinator: the leader epoch of its partition of __transaction_state; -1 = none.
using CoordinatorEpoch = Id<struct CoordinatorEpochTag, std::int32_t>;
inline constexpr CoordinatorEpoch kNoCoordinatorEpoch{-1};
using Generation =
    Id<struct GenerationTag, std::int32_t>;  // of a classic group; or a KIP-848 epoch; -1 = none
inline constexpr Generation kNoGeneration{-1};

// A producing application (`order-service`), numbered in the order of the scenario.
using FlowId = Id<struct FlowTag, std::int32_t>;

// A fault of the scenario, numbered in its order.
using FaultId = Id<struct FaultTag, std::int32_t>;

// An order (or any application record) as the ledger knows it: its flow, and its number in that flow,
// dense from 0 in order of intended send time; -1 = the record carries no application payload. What a service
// sends on because of an order is a record of the same order with the service's hop: 0 is the order itself,
// the services that produce are numbered from 1 on.
using RecordId = Id<struct RecordTag, std::int64_t>;
inline constexpr RecordId kNoRecord{-1};
inline constexpr int kRecordNumberBits = 40;
inline constexpr int kFlowBits = 16;
inline constexpr int kHopShift = kRecordNumberBits + kFlowBits;
inline constexpr std::int32_t kMostHops = 127;
constexpr RecordId record_id(FlowId flow, std::int64_t number) {
  return RecordId{(std::int64_t{flow.value()} << kRecordNumberBits) | number};
}
constexpr FlowId flow_of(RecordId id) {
  return FlowId{static_cast<std::int32_t>(id.value() >> kRecordNumberBits) & ((1 << kFlowBits) - 1)};
}
constexpr std::int32_t hop_of(RecordId id) {
  return static_cast<std::int32_t>(id.value() >> kHopShift);
}
// The order that this record is of: the record without its hop.
constexpr RecordId order_of(RecordId id) {
  return id == kNoRecord ? id : RecordId{id.value() & ((std::int64_t{1} << kHopShift) - 1)};
}
// REQUIRES: 0 <= hop <= kMostHops
constexpr RecordId at_hop(RecordId id, std::int32_t hop) {
  return RecordId{order_of(id).value() | (std::int64_t{hop} << kHopShift)};
}
constexpr std::int64_t number_of(RecordId id) {
  return id.value() & ((std::int64_t{1} << kRecordNumberBits) - 1);
}

// __cluster_metadata, partition 0: its topic id is fixed (Kafka: Topic.CLUSTER_METADATA_TOPIC_ID).
inline constexpr TopicId kClusterMetadataTopic{0};
inline constexpr TopicPartition kClusterMetadata{kClusterMetadataTopic, 0};

}  // namespace sim

template <>
struct std::hash<sim::TopicPartition> {
  std::size_t operator()(const sim::TopicPartition& tp) const {
    const std::uint64_t both =
        (static_cast<std::uint64_t>(static_cast<std::uint32_t>(tp.topic.value())) << 32) |
        static_cast<std::uint32_t>(tp.partition);
    return static_cast<std::size_t>(both * 0x9E3779B97F4A7C15ull >> 7);
  }
};
