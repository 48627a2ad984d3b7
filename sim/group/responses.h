#pragma once

#include <string>

#include "protocol/messages.h"

// Answers of the group coordinator that carry an error.
namespace sim::group {

inline JoinGroupResponse join_error(ErrorCode error, const std::string& member_id = {}) {
  JoinGroupResponse response;
  response.error = error;
  response.member_id = member_id;
  return response;
}

// To all of its partitions.
inline OffsetCommitResponse commit_response(const OffsetCommitRequest& request, ErrorCode error) {
  OffsetCommitResponse response;
  response.partitions.reserve(request.partitions.size());
  for (const OffsetCommitRequest::Partition& one : request.partitions) {
    response.partitions.push_back(OffsetCommitResponse::Partition{one.tp, error});
  }
  return response;
}

inline TxnOffsetCommitResponse commit_response(const TxnOffsetCommitRequest& request, ErrorCode error) {
  TxnOffsetCommitResponse response;
  response.partitions.reserve(request.partitions.size());
  for (const OffsetCommitRequest::Partition& one : request.partitions) {
    response.partitions.push_back(TxnOffsetCommitResponse::Partition{one.tp, error});
  }
  return response;
}

}  // namespace sim::group
