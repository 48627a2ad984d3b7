#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "coordinator/runtime.h"
#include "group/shard.h"
#include "group/topic_catalog.h"
#include "node/node.h"
#include "protocol/envelope.h"
#include "protocol/messages.h"
#include "server/config.h"

// The group coordinator of one broker, for the partitions of __consumer_offsets it leads
// (GroupCoordinatorService in Kafka): which partition a group belongs to, what can be refused without looking
// at it, and the runtime that everything else goes through. How its records are written, what waits for them,
// and what an election does: see coordinator::Runtime. What a group is: see GroupShard.
//
// It needs one timer of its process. It is a value.
//
// Left out: commit metadata (so no OFFSET_METADATA_TOO_LARGE), the
// administrator's APIs. A group's record keeps the topics a member subscribed to, not the rest of its
// subscription. Groups of KIP-848 look at the topics there are when a request to them comes. Offsets are
// scanned for expiry only when one can have expired, at the instants at which Kafka would scan.
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
  void on(const ConsumerGroupHeartbeatRequest& request, const Envelope& from, node::Env env,
          node::Effects& out);
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

  // ---- Topics, for groups of KIP-848
  // True: a request to this group is to be preceded by see_topics().
  bool wants_topics(const std::string& group) const {
    const ClassicGroup* found = catalog_stale_ ? find_group(group) : nullptr;
    return found != nullptr && found->consumer.has_value();
  }
  void see_topics(const metadata::MetadataImage& image) {
    if (!catalog_stale_) return;
    catalog_ = std::make_shared<const TopicCatalog>(image);
    catalog_stale_ = false;
  }
  void topics_may_have_changed() { catalog_stale_ = true; }

  // The wall clock was set: offsets are not as old as they were.
  void clock_stepped(node::Env env, node::Effects& out);

  // For tests and inspection: null if there is none.
  const ClassicGroup* find_group(const std::string& name) const;

 private:
  ErrorCode check(const std::string& group) const;
  ErrorCode validate(const ConsumerGroupHeartbeatRequest& request) const;
  template <class Request>
  void run(const Request& request, const ReplyTo& to, node::Env env, node::Effects& out);

  Runtime runtime_;
  std::shared_ptr<const TopicCatalog> catalog_;
  bool catalog_stale_ = true;
};

}  // namespace sim::group
