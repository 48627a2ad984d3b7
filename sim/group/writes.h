#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "group/classic_group.h"

// What rests on the records of one batch of __consumer_offsets: the changes it made, and what is left to do
// when it is committed or has failed.
namespace sim::group {

// A group as long as it is the same one: not another of the same name made later.
struct GroupRef {
  std::uint32_t slot = 0;
  std::uint64_t uid = 0;
};

// ---- Changes of state that a batch made when its records were replayed

struct OffsetChange {
  GroupRef group;
  TopicPartition tp;
  StoredOffset value;
};
// Of an open transaction. `ended`: its marker has taken it away, and if that committed it the offset is among
// the changes of offsets, too.
struct PendingOffsetChange {
  ProducerId producer;
  GroupRef group;
  TopicPartition tp;
  StoredOffset value;
  bool ended = false;
};
struct GroupChange {
  GroupRef group;
  bool created = false;  // or else removed by a tombstone
};
// A record of a KIP-848 group.
struct ConsumerRecordChange {
  GroupRef group;
  ConsumerGroupRecord record;
};
// A classic group has become one of KIP-848, or the other way round; what it was before.
struct MigrationChange {
  GroupRef group;
  std::optional<GroupMetadataRecord> classic;
  std::shared_ptr<const ConsumerGroupState> consumer;
};
struct GroupChanges {
  std::vector<OffsetChange> offsets;
  std::vector<GroupChange> groups;
  std::vector<PendingOffsetChange> pending_offsets;
  std::vector<ConsumerRecordChange> consumers;
  std::vector<MigrationChange> migrations;
  void clear() {
    pending_offsets.clear();
    offsets.clear();
    groups.clear();
    consumers.clear();
    migrations.clear();
  }
};

// ---- What is left to do

// An answer that leaves then. If the write failed, it leaves with the error instead.
struct DeferredAnswer {
  ReplyTo to;
  Message message;
};
// A request parked in a member, or the first request to a new group. Only a failure concerns it.
struct DeferredPark {
  ReplyTo to;
  GroupRef group;
};
// The leader's SyncGroup: all members' assignments, effective when committed.
struct DeferredAssignment {
  GroupRef group;
  Generation generation;
  std::vector<SyncGroupRequest::Assignment> assignment;
};
// A static member came back under a new member id; what to return to if that cannot be written.
struct DeferredReplacement {
  ReplyTo to;
  GroupRef group;
  std::string old_id;
  std::string new_id;
  std::vector<JoinGroupRequest::Protocol> old_protocols;
  std::int32_t old_rebalance_timeout_ms = 0;
  std::int32_t old_session_timeout_ms = 0;
};
using DeferredWork = std::variant<DeferredAnswer, DeferredPark, DeferredAssignment, DeferredReplacement>;

}  // namespace sim::group
