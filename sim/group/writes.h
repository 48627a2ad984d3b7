#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "group/classic_group.h"
#include "node/node.h"
#include "protocol/coordinator_records.h"

// What rests on the records of one partition of __consumer_offsets (CoordinatorRuntime's batch and its
// deferred events in Kafka).
namespace sim::group {

// A group as long as it is the same one: not another of the same name made later.
struct GroupRef {
  std::uint32_t slot = 0;
  std::uint64_t uid = 0;
};

// ---- What happens when a write is committed, or has failed

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
struct Deferred {
  LocalTime deadline;  // offsets.commit.timeout.ms after the request
  bool done = false;   // it has failed on its deadline; its records are in the log all the same
  DeferredWork work;
};

// ---- Changes of state that a write made when its records were replayed

struct OffsetChange {
  GroupRef group;
  TopicPartition tp;
  StoredOffset value;
};
struct GroupChange {
  GroupRef group;
  bool created = false;  // or else removed by a tombstone
};

// A batch from its first record until it is committed.
struct PendingWrite {
  std::uint64_t id = 0;   // 0 = not ours: found in the log above the high watermark after an election
  Offset end_offset = 0;  // of one that is not ours
  std::int64_t size_bytes = 0;
  std::vector<CoordinatorRecord> records;  // until it is handed to the broker
  std::vector<OffsetChange> offsets;
  std::vector<GroupChange> groups;
  std::vector<Deferred> deferred;
};

// One partition of __consumer_offsets. Loading and active are Kafka's; FAILED cannot happen, and INITIAL and
// CLOSED are one: this broker does not lead it.
struct OffsetsPartition {
  enum class State : std::uint8_t { not_led, loading, active };
  State state = State::not_led;
  LeaderEpoch leader_epoch = kNoLeaderEpoch;
  std::vector<PendingWrite> pending;  // in order of the log
  bool open = false;                  // records may still join the last of them
  DeadlineHandle linger;
  DeadlineHandle write_timeout;  // of the oldest deferred that is not done
  DeadlineHandle offset_scan;
  LocalTime loaded_at{};  // scans happen at multiples of the check interval after it
  LocalTime scan_due{};   // if it is armed
};

}  // namespace sim::group
