#include "replica/replica_manager.h"

// What is asked of logs but their data: ends, starts, offsets by time, and where epochs end.
namespace sim::replica {

ListOffsetsResponse ReplicaManager::on(const ListOffsetsRequest& request, const Context& context) const {
  ListOffsetsResponse response;
  response.partitions.reserve(request.partitions.size());
  for (const ListOffsetsRequest::Partition& one : request.partitions) {
    if (const Partition* here = partition(one.tp)) {
      response.partitions.push_back(
          here->list_offset(one, request.replica != kNoNode, request.read_committed));
    } else {
      response.partitions.push_back({one.tp, missing(one.tp, context), kNoOffset, kNoLeaderEpoch});
    }
  }
  return response;
}

OffsetForLeaderEpochResponse ReplicaManager::on(const OffsetForLeaderEpochRequest& request,
                                                const Context& context) const {
  OffsetForLeaderEpochResponse response;
  response.partitions.reserve(request.partitions.size());
  for (const OffsetForLeaderEpochRequest::Partition& one : request.partitions) {
    OffsetForLeaderEpochResponse::Partition& answer = response.partitions.emplace_back();
    answer.tp = one.tp;
    const Partition* here = partition(one.tp);
    answer.error =
        here == nullptr ? missing(one.tp, context) : here->check_access(one.current_leader_epoch, true);
    if (answer.error != ErrorCode::none) continue;
    if (context.config.history.truncation == Truncation::epoch && request.replica != kNoNode) {
      answer.end_offset = here->end_offset_before_search(one.leader_epoch);
    } else if (const auto end = here->log().end_offset_for(one.leader_epoch)) {
      answer.leader_epoch = end->leader_epoch;
      answer.end_offset = end->end_offset;
    }
  }
  return response;
}

}  // namespace sim::replica
