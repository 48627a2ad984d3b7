#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "client/admin_client.h"
#include "node/node.h"
#include "protocol/admin_requests.h"

// What kafka-consumer-groups --reset-offsets --execute asks, one request after the other: who leads the
// topic's partitions, where their logs begin and end (and where a time is in them), and of the group's
// coordinator that it takes the offsets that follow (ConsumerGroupCommand.ConsumerGroupService.resetOffsets).
//
// If a leader has moved meanwhile it begins again, until default.api.timeout.ms is over.
namespace sim::workload {

class OffsetReset {
 public:
  struct Call {
    Message request;
    client::AdminClient::Whom whom;
    Duration wait{};
  };

  explicit OffsetReset(ResetOffsets wanted) : wanted_(std::move(wanted)) {}

  Call begin(node::Env env);
  // What is to be asked next; nothing: results() tells how it went.
  std::optional<Call> answered(const Message& answer, node::Env env);
  const std::vector<AdminResult>& results() const { return results_; }
  bool is_done() const { return committed_; }  // the coordinator has taken some
  const ResetOffsets& wanted() const { return wanted_; }

 private:
  struct Found {
    TopicPartition tp;
    NodeId leader = kNoNode;
    Offset earliest{};
    Offset latest{};
    Offset at_time = kNoOffset;
  };
  struct Question {
    NodeId leader = kNoNode;
    std::int64_t timestamp = kLatestTimestamp;
  };

  Call ask_metadata() const;
  std::optional<Call> on(const MetadataResponse& answer, node::Env env);
  std::optional<Call> on(const ListOffsetsResponse& answer, node::Env env);
  std::optional<Call> on(const OffsetCommitResponse& answer);
  std::optional<Call> next_call() const;
  std::optional<Call> begin_again(ErrorCode error, node::Env env);
  Offset target(const Found& partition) const;

  ResetOffsets wanted_;
  LocalTime gives_up_at_{};
  std::vector<Found> partitions_;
  std::vector<Question> questions_;  // still to be asked, the next one last
  std::vector<AdminResult> results_;
  bool committed_ = false;
};

}  // namespace sim::workload
