#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "coordinator/runtime.h"
#include "group/shard.h"
#include "node/node.h"
#include "protocol/envelope.h"
#include "protocol/messages.h"
#include "server/config.h"

// The classic group coordinator of one broker, for the partitions of __consumer_offsets it leads
// (GroupCoordinatorService in Kafka): which partition a group belongs to, what can be refused without looking
// at it, and the runtime that everything else goes through. How its records are written, what waits for them,
// and what an election does: see coordinator::Runtime. What a group is: see GroupShard.
//
// It needs one timer of its process. It is a value.
//
// Left out: commit metadata (so no OFFSET_METADATA_TOO_LARGE),
// the administrator's APIs, the consumer group protocol of KIP-848. A group's record keeps the topics a
// member subscribed to, not the rest of its subscription. Offsets are scanned for expiry only when one can
// have expired, at the instants at which Kafka would scan.
namespace sim::group {

class GroupCoordinator {
 public:
  using Runtime = coordinator::Runtime<GroupShard>;
  using Write = Runtime::Write;

  explicit GroupCoordinator(const BrokerConfig& config);

  // Elections, outcomes of writes and timers are the runtime's affair; the broker takes its writes after
  // every call of either.
  Runtime& runtime() { return runtime_; }
  const Runtime& runtime() const { return runtime_; }

  // Requests; answered now or later.
  void on(const JoinGroupRequest& request, const Envelope& from, node::Env env, node::Effects& out);
  void on(const SyncGroupRequest& request, const Envelope& from, node::Env env, node::Effects& out);
  void on(const HeartbeatRequest& request, const Envelope& from, node::Env env, node::Effects& out);
  void on(const LeaveGroupRequest& request, const Envelope& from, node::Env env, node::Effects& out);
  void on(const OffsetCommitRequest& request, const Envelope& from, node::Env env, node::Effects& out);
  void on(const OffsetFetchRequest& request, const Envelope& from, node::Env env, node::Effects& out);

  // ---- Transactions

  // none: a TxnOffsetCommit of the group may be verified; `tp`: the partition of __consumer_offsets that is
  // to be in the transaction, if there is such a topic.
  ErrorCode check_transactional(const TxnOffsetCommitRequest& request) const;
  std::int32_t partition_of(std::string_view group) const;  // of __consumer_offsets
  // Once that is verified, by `guard`.
  void on(const TxnOffsetCommitRequest& request, std::uint64_t guard, const ReplyTo& to, node::Env env,
          node::Effects& out);
  // Writes the marker of a transaction to its partition, and ends it for the groups there. What becomes of
  // the write is told of the id as of every other; or why it cannot be, in which case there is none.
  struct MarkerWrite {
    ErrorCode error = ErrorCode::none;
    Runtime::WriteId id = 0;
  };
  MarkerWrite complete_transaction(TopicPartition tp, const coordinator::TransactionalWriter& writer,
                                   const EndTransactionMarker& marker, node::Effects& out);

  // The wall clock was set: offsets are not as old as they were.
  void clock_stepped(node::Env env, node::Effects& out);

  // For tests and inspection: null if there is none.
  const ClassicGroup* find_group(const std::string& name) const;

 private:
  ErrorCode check(const std::string& group) const;
  template <class Request>
  void run(const Request& request, const ReplyTo& to, node::Env env, node::Effects& out);

  Runtime runtime_;
};

}  // namespace sim::group
