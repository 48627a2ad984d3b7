#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "protocol/messages.h"

// What the requests of an administrator have in common: one answer holds a result for each partition or
// topic.
namespace sim {

// Each of the variant's alternatives is a message.
Message message_of(AdminRequest request);
// nullopt: another message.
std::optional<AdminRequest> admin_request_of(const Message& message);

// The answer that says `error` of everything that was asked for (AbstractRequest.getErrorResponse).
Message error_response(const AdminRequest& request, ErrorCode error);
// The answer in which nothing but its errors is replaced: for what can no longer be carried out. REQUIRES:
// is_admin_response(response)
bool is_admin_response(const Message& response);
Message with_errors(const Message& response, ErrorCode error);

// To be made into reassignments: every partition with a replica on `from` gets one on `to` in its place.
struct MoveReplicas {
  NodeId from = kNoNode;
  NodeId to = kNoNode;
};
// kafka-consumer-groups --reset-offsets --execute: where a group goes on in a topic once its members start.
// The coordinator takes it only while the group has none (ConsumerGroupCommand.resetOffsets).
struct ResetOffsets {
  enum class To : std::uint8_t {
    earliest,  // --to-earliest
    latest,    // --to-latest
    offset,    // --to-offset, brought into the log's range
    time,      // --by-duration: the first record that is not older; the end if there is none
  };
  std::string group;
  std::string topic;
  std::vector<std::int32_t> partitions;  // empty: all
  To to = To::earliest;
  Offset offset{};    // for To::offset
  Duration before{};  // for To::time
};
// What an operator has in mind.
using AdminAction = std::variant<AdminRequest, MoveReplicas, ResetOffsets>;

struct AdminResult {
  std::string resource;  // "orders-0", or "orders"; empty: the request as a whole
  ErrorCode error = ErrorCode::none;
};
// REQUIRES: is_admin_response(response)
std::vector<AdminResult> results_of(const Message& response);
// AbstractResponse.errorCounts().containsKey(error), of any answer to an administrator.
bool admin_response_says(const Message& response, ErrorCode error);

}  // namespace sim
