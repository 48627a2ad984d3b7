#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "coordinator/deadlines.h"
#include "group/consumer_group.h"
#include "group/offsets.h"
#include "observe/fact.h"
#include "protocol/coordinator_records.h"
#include "protocol/envelope.h"
#include "protocol/messages.h"
#include "server/reply_to.h"

// One classic group (ClassicGroup, ClassicGroupMember in Kafka): who is in it, what they support, and what
// that decides. It answers nobody and knows no timer's time; the coordinator does.
//
//   Empty               -> PreparingRebalance
//   PreparingRebalance  -> CompletingRebalance, Empty
//   CompletingRebalance -> Stable, PreparingRebalance
//   Stable              -> PreparingRebalance
//   any                 -> Dead                     (this broker no longer leads the group's partition)
//
// A group without a protocol type is a simple one: it only stores offsets. Where Kafka walks a hash map, the
// oldest member comes first here.
namespace sim::group {

using observe::GroupState;
using server::ReplyTo;

// Names a deadline of the groups of one partition.
struct GroupTimer {
  enum class Kind : std::uint8_t {
    session,
    join,
    sync,
    offset_scan,
    // Of one member of a KIP-848 group; the last two of one that speaks the classic protocol.
    consumer_session,
    consumer_revocation,
    consumer_join,
    consumer_sync,
  };
  Kind kind = Kind::session;
  std::uint32_t group = 0;   // its slot
  std::uint64_t member = 0;  // its serial number
};
using coordinator::DeadlineHandle;

// A request that waits in its member. It may have been answered already because the write it came with
// failed; for the group its member is waiting all the same.
struct ParkedRequest {
  ReplyTo to;
  bool answered = false;
};

struct GroupMember {
  std::string id;
  std::string instance_id;  // empty = dynamic
  std::string client_id;
  std::int32_t rebalance_timeout_ms = 0;
  std::int32_t session_timeout_ms = 0;
  std::vector<JoinGroupRequest::Protocol> protocols;
  std::vector<TopicPartition> assignment;
  std::optional<ParkedRequest> join;
  std::optional<ParkedRequest> sync;
  bool is_new = false;        // its first join has not been answered
  bool pending_sync = false;  // has not synced in this generation
  std::uint64_t serial = 0;
  DeadlineHandle session;

  bool is_static() const { return !instance_id.empty(); }
  // Expiry does not count while the coordinator owes it an answer, but for a new member
  // (hasSatisfiedHeartbeat).
  bool has_satisfied_heartbeat() const { return !is_new && (join.has_value() || sync.has_value()); }
  bool supports(std::string_view protocol) const;
  // REQUIRES: supports(protocol)
  const Subscription& subscription(std::string_view protocol) const;
};

// Was given a member id, has not come back with it (KIP-394).
struct PendingMember {
  std::string id;
  std::uint64_t serial = 0;
  DeadlineHandle session;
};

struct ClassicGroup {
  std::string name;
  std::uint32_t slot = 0;
  std::uint64_t uid = 0;  // 0 = the slot is free
  bool removed = false;   // by a tombstone that is not committed yet

  GroupState state = GroupState::empty;
  GroupState previous_state = GroupState::dead;
  std::int64_t state_timestamp_ms = -1;  // -1 = unknown
  std::string protocol_type;             // empty = none
  std::string protocol;                  // of this generation; empty = none
  Generation generation{0};
  std::string leader;  // member id; empty = none
  std::vector<GroupMember> members;
  std::vector<PendingMember> pending;
  std::optional<std::vector<TopicId>> subscribed;  // sorted; nullopt = not known

  bool new_member_added = false;  // during the initial delay
  bool join_is_initial = false;   // what the join deadline stands for
  Duration initial_delay{};
  Duration initial_remaining{};
  DeadlineHandle join_deadline;
  DeadlineHandle sync_deadline;

  GroupOffsets offsets;
  // Set: this is a group of KIP-848, and of what is said above only its name, its offsets, its state and the
  // topics subscribed to have a meaning.
  std::optional<ConsumerGroup> consumer;

  bool is(GroupState other) const { return state == other; }
  bool can_rebalance() const {
    return state == GroupState::stable || state == GroupState::completing_rebalance ||
           state == GroupState::empty;
  }

  GroupMember* find(std::string_view member_id);
  GroupMember* find_serial(std::uint64_t serial);
  GroupMember* find_static(std::string_view instance_id);
  PendingMember* find_pending(std::string_view member_id);
  bool is_leader(const GroupMember& member) const { return member.id == leader; }
  // REQUIRES: the member is in this group
  std::size_t index_of(const GroupMember& member) const {
    return static_cast<std::size_t>(&member - members.data());
  }

  // UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, or none and the member in `found`.
  ErrorCode validate_member(std::string_view member_id, std::string_view instance_id, GroupMember*& found);
  ErrorCode validate_offset_commit(const OffsetCommitRequest& request, GroupMember*& found);
  // The same of a transaction's (KIP-447): a producer that names no member and no generation is not checked,
  // and a rebalance does not matter.
  ErrorCode validate_transactional_commit(const TxnOffsetCommitRequest& request);

  // REQUIRES: supports(protocol_type, member.protocols)
  GroupMember& add(GroupMember member);
  // Its deadline must have been cancelled.
  void remove(std::size_t index);
  void remove_pending(std::string_view member_id);

  bool supports(std::string_view type, const std::vector<JoinGroupRequest::Protocol>& protocols) const;
  // The most votes among those all support, each member voting for its first. Ties go to the oldest voter's.
  // REQUIRES: !members.empty()
  const std::string& select_protocol() const;

  std::int32_t awaiting_join() const;
  bool has_all_members_joined() const;
  bool has_received_sync_from_all() const;
  std::int32_t rebalance_timeout_ms() const;  // the longest of its members
  // False: nobody has rejoined.
  bool elect_joined_leader();

  // REQUIRES: a protocol is chosen
  std::vector<JoinGroupResponse::Member> member_list() const;
  void update_subscribed();
  bool is_subscribed_to(TopicId topic) const;

  // Retention (offsetExpirationCondition): from when an offset's age counts; nullopt = it never expires now.
  std::optional<std::int64_t> retention_base_ms(const GroupOffsets::Slot& stored) const;

  GroupMetadataRecord record(const std::vector<SyncGroupRequest::Assignment>* assignment) const;
  // Everything but offsets becomes what the record says; no deadline is set. REQUIRES: none is
  void restore(const GroupMetadataRecord& record);
};

}  // namespace sim::group
