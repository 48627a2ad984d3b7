#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <variant>
#include <vector>

#include "protocol/ids.h"
#include "protocol/metadata_records.h"

// The words of the KRaft quorum (KIP-595, KIP-853) that messages, logs and disks have in common.
namespace sim {

struct ReplicaKey {
  NodeId id = kNoNode;
  DirectoryId directory = kNoDirectory;
  auto operator<=>(const ReplicaKey&) const = default;
};

struct QuorumVoter {
  ReplicaKey key;
  ProcessId endpoint = kNoProcess;
  bool operator==(const QuorumVoter&) const = default;
};

// ---- Control records of the metadata log
struct LeaderChangeMessage {
  NodeId leader = kNoNode;
  std::vector<NodeId> voters;
  std::vector<NodeId> granting_voters;
};
struct KRaftVersionRecord {
  std::int16_t version = 1;
};
struct VotersRecord {
  std::vector<QuorumVoter> voters;  // by id
};
// ---- Control record of an application's partition or of __consumer_offsets: a transaction's marker
// (EndTransactionMarker; key types ABORT 0 and COMMIT 1). The batch names the producer and its epoch.
struct EndTransactionMarker {
  bool committed = false;
  CoordinatorEpoch coordinator_epoch = kNoCoordinatorEpoch;
};
using ControlRecord =
    std::variant<LeaderChangeMessage, KRaftVersionRecord, VotersRecord, EndTransactionMarker>;

// ---- On disk

// The file quorum-state: what a replica must not forget of an epoch (ElectionState).
struct QuorumState {
  QuorumEpoch quorum_epoch{0};
  NodeId leader = kNoNode;  // of this epoch, if known
  ReplicaKey voted;         // in this epoch, if it voted
  bool operator==(const QuorumState&) const = default;
};

// Of the state made by all records below `end_offset`, the last of which has this epoch.
struct SnapshotId {
  Offset end_offset = kNoOffset;
  LeaderEpoch leader_epoch = kNoLeaderEpoch;
  auto operator<=>(const SnapshotId&) const = default;
};

// A file `<offset>-<epoch>.checkpoint`. Its contents never change and are shared by all who hold it.
struct MetadataSnapshot {
  SnapshotId id;
  std::vector<MetadataRecord> records;
  VotersRecord voters;  // empty: none in the log so far
  std::int64_t timestamp_ms = 0;
  std::int64_t size_bytes = 0;
};
using MetadataSnapshotPtr = std::shared_ptr<const MetadataSnapshot>;

}  // namespace sim
