#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "client/client_metadata.h"
#include "client/config.h"
#include "client/consumer_context.h"
#include "client/consumer_network.h"
#include "client/consumer_offset_fetcher.h"
#include "client/fetcher.h"
#include "client/group_membership.h"
#include "client/subscription_state.h"
#include "node/node.h"

// Kafka's consumer (ClassicKafkaConsumer; with group.protocol=consumer AsyncKafkaConsumer): a value owned by
// the process of its application.
//
// The application calls poll(). It gets records at once, or nothing: then it waits in poll(), hands every
// input on to step(), and calls poll() again whenever step() says so. What Kafka does only inside poll()
// (joining, revoking, auto-commit, sending fetches) happens only then; so an application that handles records
// for long delays all of it, except for heartbeats. commitSync is the same: called once, its result comes
// from a later step().
//
// poll() with an empty buffer waits without end, like a loop around poll(Duration): its timeout shows only
// where Kafka lets it block on something else than records (an unknown coordinator, committed offsets), for
// kPollTimeout.
//
// Other than Kafka: an application that waits is woken by what it waits for, not every poll timeout; join
// retries then follow after retry.backoff.ms.
namespace sim::client {

class Consumer {
 public:
  static constexpr Duration kPollTimeout = std::chrono::milliseconds(100);
  static constexpr Duration kCloseTimeout = std::chrono::seconds(30);  // DEFAULT_CLOSE_TIMEOUT_MS

  Consumer(ConsumerConfig config, ConsumerIdentity identity, ProcessId self,
           std::vector<ProcessId> bootstrap);

  void subscribe(const std::vector<std::string>& topics, node::Env env, node::Effects& out);

  enum class Poll : std::uint8_t { waiting, records, failed };
  // Fills `into` with the records returned. `failed`: an exception, see error().
  Poll poll(std::vector<PolledRecords>& into, node::Env env, node::Effects& out);
  // wakeup(): the application waits in poll() no longer.
  void leave_poll() {
    in_poll_ = false;
    poll_ends_.reset();
  }
  ConsumerError error() const { return error_; }
  std::vector<RebalanceEvent> take_rebalance_events() { return coordinator_.take_rebalance_events(); }

  // commitSync(): of all positions; or of these. REQUIRES: no other is under way, and the application is not
  // in poll()
  void commit_sync(node::Env env, node::Effects& out);
  void commit_sync(ConsumerCoordinator::CommitOffsets offsets, node::Env env, node::Effects& out);
  // The result, once, as soon as there is one.
  std::optional<CommitError> take_commit_result() { return coordinator_.take_commit_sync_result(); }
  void commit_async(node::Env env, node::Effects& out);
  void commit_async(ConsumerCoordinator::CommitOffsets offsets, node::Env env, node::Effects& out);
  std::vector<CommitError> take_async_commit_results() { return coordinator_.take_async_results(); }

  // seek(), of a partition that is assigned; of others nothing.
  void seek(TopicPartition tp, Offset offset, LeaderEpoch offset_epoch, node::Env env, node::Effects& out);
  // groupMetadata(): by which sendOffsetsToTransaction tells whether it is still a member (KIP-447).
  // That of the last completed rebalance: who has been expelled since is to be known by it.
  Generation generation() const { return coordinator_.joined_generation(); }
  const std::string& member_id() const { return coordinator_.joined_member_id(); }
  // pause(), resume() of all that is assigned now: poll() goes on and returns nothing of it.
  void pause() { subscriptions_.set_paused(true); }
  void resume() { subscriptions_.set_paused(false); }

  // Commits (enable.auto.commit), leaves the group, ends its fetch sessions, closes its connections.
  void close(node::Env env, node::Effects& out);
  bool closed() const { return close_ == Close::done; }

  // An input for Part::client. True: the application waits in poll() and is to call it again.
  bool step(node::Input& input, node::Env env, node::Effects& out);

  const SubscriptionState& subscriptions() const { return subscriptions_; }
  const GroupMembership& coordinator() const { return coordinator_; }

 private:
  enum class Close : std::uint8_t { open, committing, leaving, ending_sessions, done };

  ConsumerContext context(node::Env env, node::Effects& out);
  Poll poll_once(std::vector<PolledRecords>& into, ConsumerContext& context);
  ConsumerError update_fetch_positions(bool& blocked, ConsumerContext& context);
  bool may_block(LocalTime now);
  void digest(node::Input& input, ConsumerContext& context);
  bool handle_completions(ConsumerContext& context);
  void settle(ConsumerContext& context);
  void progress_close(ConsumerContext& context);
  void arm(ConsumerContext& context);

  ConsumerConfig config_;
  ConsumerIdentity identity_;
  SubscriptionState subscriptions_;
  MetadataClient metadata_;
  ConsumerNetwork data_, coordination_;
  // Empty between steps; their memory is used again.
  node::NetworkClient::Events events_;
  std::vector<ConsumerNetwork::Completion> completions_;
  GroupMembership coordinator_;
  Fetcher fetcher_;
  OffsetFetcher offset_fetcher_;

  bool in_poll_ = false;
  std::optional<LocalTime> poll_ends_;  // while it blocks on something else than records
  ConsumerError error_ = ConsumerError::none;
  Close close_ = Close::open;
  LocalTime close_deadline_{};
  LocalTime armed_for_ = LocalTime::max();
};

}  // namespace sim::client
