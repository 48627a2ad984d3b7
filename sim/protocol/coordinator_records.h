#pragma once

#include <cstdint>
#include <string>
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

}  // namespace sim
