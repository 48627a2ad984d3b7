#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "protocol/ids.h"

// Records of __consumer_offsets (OffsetCommitKey/Value, GroupMetadataKey/Value).
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

using CoordinatorRecord = std::variant<OffsetCommitRecord, GroupMetadataRecord>;

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
