#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "protocol/ids.h"

// Records of __consumer_offsets (OffsetCommitKey/Value, GroupMetadataKey/Value, ConsumerGroup*Key/Value).
namespace sim {

struct OffsetCommitRecord {
  std::string group;
  TopicPartition tp;
  Offset offset = kNoOffset;  // the next offset to read; kNoOffset = tombstone
  LeaderEpoch leader_epoch = kNoLeaderEpoch;
  std::int64_t commit_timestamp_ms = 0;
};

struct GroupMetadataRecord {
  struct Member {
    std::string member_id;
    std::string group_instance_id;  // empty = dynamic
    std::string client_id;
    std::int32_t rebalance_timeout_ms = 0;
    std::int32_t session_timeout_ms = 0;
    std::vector<TopicId> subscription;
    std::vector<TopicPartition> assignment;
  };
  std::string group;
  bool tombstone = false;
  std::string protocol_type;
  Generation generation = kNoGeneration;
  std::string protocol;  // assignor name
  std::string leader;    // member id
  std::int64_t state_timestamp_ms = 0;
  std::vector<Member> members;
};

// ---- Groups of KIP-848: six kinds of record, whose values are shared by all copies of a record

struct ConsumerGroupEpochValue {  // ConsumerGroupMetadataValue
  Generation group_epoch{0};
  std::uint64_t metadata_hash = 0;  // of the topics subscribed to, as they were then
};
struct ConsumerMemberValue {  // ConsumerGroupMemberMetadataValue
  // A member that speaks the classic protocol in a group of the new kind (ClassicMemberMetadata).
  struct ClassicProtocol {
    std::string name;                   // assignor
    std::vector<TopicId> subscription;  // sorted
    bool operator==(const ClassicProtocol&) const = default;
  };
  struct Classic {
    std::int32_t session_timeout_ms = 0;
    std::vector<ClassicProtocol> protocols;
    bool operator==(const Classic&) const = default;
  };
  std::string group_instance_id;  // empty = dynamic
  std::string rack;
  std::string client_id;
  std::int32_t rebalance_timeout_ms = -1;
  std::string server_assignor;                 // empty = the group coordinator's choice
  std::vector<std::string> subscribed_topics;  // sorted
  std::string subscribed_regex;                // empty = none
  std::optional<Classic> classic;
  bool operator==(const ConsumerMemberValue&) const = default;
};
struct ConsumerTargetEpochValue {  // ConsumerGroupTargetAssignmentMetadataValue
  Generation assignment_epoch{0};
};
struct ConsumerTargetValue {               // ConsumerGroupTargetAssignmentMemberValue
  std::vector<TopicPartition> partitions;  // sorted
};
// What a member is to do before it is where its group is (MemberState on the coordinator).
enum class MemberAssignmentState : std::uint8_t {
  stable,                 // it has all of its target that it knows of
  unrevoked_partitions,   // it has to give partitions up first
  unreleased_partitions,  // what it is to get is still owned by others
};
struct ConsumerCurrentValue {  // ConsumerGroupCurrentMemberAssignmentValue
  Generation member_epoch{0};
  Generation previous_member_epoch{-1};
  MemberAssignmentState state = MemberAssignmentState::stable;
  std::vector<TopicPartition> assigned;            // sorted
  std::vector<TopicPartition> pending_revocation;  // sorted; it owns these too, until it says it does not
  bool operator==(const ConsumerCurrentValue&) const = default;
};
struct ConsumerRegexValue {         // ConsumerGroupRegularExpressionValue
  std::vector<std::string> topics;  // sorted
  std::int64_t version = 0;         // of the metadata that they were looked up in
  std::int64_t timestamp_ms = 0;
  bool operator==(const ConsumerRegexValue&) const = default;
};

struct ConsumerGroupRecord {
  // The order is that of the alternatives of Value.
  enum class Kind : std::uint8_t { group_epoch, member, target_epoch, target, current, regex };
  using Value = std::variant<ConsumerGroupEpochValue, ConsumerMemberValue, ConsumerTargetEpochValue,
                             ConsumerTargetValue, ConsumerCurrentValue, ConsumerRegexValue>;
  std::string group;
  Kind kind = Kind::group_epoch;
  std::string key;                       // member id, or the regular expression; empty: of the group as such
  std::shared_ptr<const Value> value{};  // null = tombstone

  static ConsumerGroupRecord of(std::string group, std::string key, Value value) {
    const auto kind = static_cast<Kind>(value.index());
    return {std::move(group), kind, std::move(key), std::make_shared<const Value>(std::move(value))};
  }
};

using CoordinatorRecord = std::variant<OffsetCommitRecord, GroupMetadataRecord, ConsumerGroupRecord>;

// ---- __transaction_state

// Kafka's TransactionState, with its ids. prepare_epoch_fence is never written: it is pending only.
enum class TransactionState : std::int8_t {
  empty = 0,
  ongoing = 1,
  prepare_commit = 2,
  prepare_abort = 3,
  complete_commit = 4,
  complete_abort = 5,
  dead = 6,
  prepare_epoch_fence = 7,
};
std::string_view name(TransactionState state);  // "Empty", "PrepareCommit", ...

// Levels of the feature transaction.version (KIP-890): 0: before it was a feature, 1: flexible records, 2:
// the epoch is bumped by each completion, and partitions are added by the leaders.
using TransactionVersion = std::int16_t;
inline constexpr TransactionVersion kTransactionVersion0 = 0;
inline constexpr TransactionVersion kTransactionVersion2 = 2;

// TransactionLogKey and TransactionLogValue.
struct TransactionLogRecord {
  std::string transactional_id;
  bool tombstone = false;
  ProducerId producer_id = kNoProducerId;
  ProducerId previous_producer_id = kNoProducerId;  // of the last completed transaction; tagged
  ProducerId next_producer_id = kNoProducerId;      // after an epoch overflow, until completion; tagged
  ProducerEpoch producer_epoch = kNoProducerEpoch;
  std::int32_t timeout_ms = 0;
  TransactionState state = TransactionState::empty;
  std::vector<TopicPartition> partitions;  // rising
  std::int64_t last_update_timestamp_ms = -1;
  std::int64_t start_timestamp_ms = -1;
  TransactionVersion client_transaction_version = kTransactionVersion0;  // tagged
};

}  // namespace sim
