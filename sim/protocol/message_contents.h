#pragma once

#include <optional>
#include <string>
#include <vector>

#include "protocol/error_code.h"
#include "protocol/ids.h"
#include "protocol/messages.h"

// What messages say of partitions, whichever they are: for faults and logs that do not care for the API.
namespace sim {

// Whether it has an entry for the partition: Produce, Fetch, ListOffsets, OffsetForLeaderEpoch, OffsetCommit,
// OffsetFetch, AlterPartition, AssignReplicasToDirs, AddPartitionsToTxn, WriteTxnMarkers, TxnOffsetCommit,
// and their responses. False for every other message.
bool names_partition(const Message& message, TopicPartition tp);

struct SaidError {
  std::optional<TopicPartition> tp{};
  std::string resource{};  // a topic, or a partition by name; empty with no `tp`: the request as a whole
  ErrorCode error = ErrorCode::none;
};
// Whatever a response says has gone wrong, the request as a whole first; empty if nothing has.
std::vector<SaidError> errors_of(const Message& response);

}  // namespace sim
