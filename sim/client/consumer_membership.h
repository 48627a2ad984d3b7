#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "client/consumer_context.h"
#include "client/consumer_coordinator.h"

// A consumer as a member of its group, protocol of KIP-848 (group.protocol=consumer;
// ConsumerMembershipManager, ConsumerHeartbeatRequestManager, CommitRequestManager and
// CoordinatorRequestManager in Kafka's AsyncKafkaConsumer).
//
// One request does it all: ConsumerGroupHeartbeat, sent in the background at the interval that the
// coordinator tells. The member says which epoch it is in and what it owns, and is told what it is to own.
//
//   UNSUBSCRIBED -> JOINING         the application polls for the first time
//   JOINING, STABLE, ACKNOWLEDGING -> RECONCILING   another assignment has come: what is taken away is
//   committed
//                                   (enable.auto.commit) and given up, what is new is taken
//   RECONCILING -> ACKNOWLEDGING    done; the next heartbeat, sent at once, says so
//   ACKNOWLEDGING -> STABLE         it was sent
//   any member -> FENCED -> JOINING the coordinator does not know it, or not in that epoch: all is lost
//   any member -> LEAVING -> STALE  max.poll.interval.ms without a poll(); -> JOINING with the next poll()
//   any member -> LEAVING -> UNSUBSCRIBED   closed
//   any -> FATAL                    an error that the application hears of
//
// Only where Kafka's background thread needs the application it waits for poll(): to commit before partitions
// are given up, if it is to commit at all. Without auto-commit partitions go while a batch is being handled.
//
// Other than Kafka: there is no ConsumerRebalanceListener in the way of a reconciliation; nor are partitions
// whose topic the metadata does not know looked up by id, but waited for. An OffsetFetch that is refused for
// its epoch is tried again with the next one.
namespace sim::client {

class ConsumerMembership {
 public:
  using CommitOffsets = ConsumerCoordinator::CommitOffsets;
  using PollOutcome = ConsumerCoordinator::PollOutcome;
  using Progress = ConsumerCoordinator::Progress;
  enum class State : std::uint8_t {
    unsubscribed,
    joining,
    reconciling,
    acknowledging,
    stable,
    fenced,
    leaving,
    stale,
    fatal,
  };

  explicit ConsumerMembership(const ConsumerConfig& config);

  void start(std::vector<std::string> topics, LocalTime now);

  // ---- Inside poll()
  PollOutcome poll(ConsumerContext& context);
  PollOutcome init_with_committed_offsets(ConsumerContext& context);

  // ---- Commits; see ConsumerCoordinator
  void commit_sync(CommitOffsets offsets, Duration timeout, ConsumerContext& context);
  bool commit_sync_under_way() const { return sync_commit_pending_; }
  std::optional<CommitError> take_commit_sync_result() { return std::exchange(sync_commit_result_, {}); }
  void commit_async(CommitOffsets offsets, ConsumerContext& context);
  std::vector<CommitError> take_async_results() { return std::exchange(async_results_, {}); }

  // ---- At any time
  bool on_completion(ConsumerNetwork::Completion& completion, ConsumerContext& context);
  bool on_data_completion(ConsumerNetwork::Completion& completion, ConsumerContext& context);
  void on_unavailable(ProcessId server, ConsumerContext& context);
  void background(ConsumerContext& context);
  LocalTime next_wakeup(const ConsumerContext& context) const;
  void leave(ConsumerContext& context);

  std::vector<RebalanceEvent> take_rebalance_events() { return std::exchange(events_, {}); }
  Generation generation() const { return member_epoch_; }
  const std::string& member_id() const { return member_id_; }
  // groupMetadata(): the last epoch that the coordinator told it, whatever has been heard since.
  Generation joined_generation() const { return last_told_epoch_; }
  const std::string& joined_member_id() const { return member_id_; }
  ProcessId coordinator() const { return coordinator_; }
  State state() const { return state_; }

 private:
  using RequestId = ConsumerNetwork::RequestId;
  // Numbered, so that one and the same set of partitions given again counts as another (LocalAssignment).
  struct LocalAssignment {
    std::int64_t local_epoch = -1;  // -1: there is none
    std::vector<TopicPartition> partitions{};
    bool operator==(const LocalAssignment&) const = default;
  };
  struct HeartbeatInFlight {
    RequestId id = 0;
    bool ignore_answer = false;
  };
  // What the coordinator has been told already.
  struct SentFields {
    bool rebalance_timeout = false;
    bool topics = false;
    bool assignor = false;
    std::optional<LocalAssignment> owned{};
  };
  enum class CommitPurpose : std::uint8_t { sync, async, automatic, reconciliation };
  struct Commit {
    CommitPurpose purpose = CommitPurpose::sync;
    CommitOffsets offsets;
    LocalTime deadline = LocalTime::max();
    LocalTime retry_at = LocalTime::min();
    std::int32_t failures = 0;
    RequestId id = 0;  // 0: not sent, or to be sent again
  };

  // Finding the coordinator
  void look_up_coordinator(ConsumerContext& context);
  void on_find_coordinator(const FindCoordinatorResponse* response, ConsumerContext& context);
  void lookup_failed(ConsumerContext& context);
  bool knows_coordinator(ConsumerContext& context);

  // Heartbeats
  bool is_member() const {
    return state_ != State::unsubscribed && state_ != State::fatal && state_ != State::stale &&
           state_ != State::fenced;
  }
  bool wants_heartbeat_now() const {
    return state_ == State::acknowledging || state_ == State::leaving || state_ == State::joining;
  }
  void poll_heartbeat(ConsumerContext& context);
  void send_heartbeat(bool ignore_answer, LeaveReason reason, ConsumerContext& context);
  ConsumerGroupHeartbeatRequest heartbeat_request(LeaveReason reason, const ConsumerContext& context);
  void heartbeat_sent(ConsumerContext& context);
  void on_heartbeat(const ConsumerGroupHeartbeatResponse* response, ConsumerContext& context);
  void on_heartbeat_error(ErrorCode error, ConsumerContext& context);
  void heartbeat_failed(ConsumerContext& context);
  void forget_heartbeats();

  // Membership
  void join(ConsumerContext& context);
  void adopt_assignment(std::vector<TopicPartition> partitions);
  void maybe_reconcile(bool can_commit, ConsumerContext& context);
  void revoke_and_assign(ConsumerContext& context);
  bool is_reconciled() const { return current_ == target_; }
  void fenced(ConsumerContext& context);
  void fail(ConsumerError error, ConsumerContext& context);
  void clear_assignment(ConsumerContext& context);
  void lose_partitions(ConsumerContext& context);
  void note(RebalanceEvent::Kind kind, std::vector<TopicPartition> partitions, ConsumerContext& context);
  Generation leave_epoch(const ConsumerContext& context) const {
    return context.config.group_instance_id.empty() ? kLeaveEpoch : kLeaveStaticEpoch;
  }

  // Offsets (consumer_membership_offsets.cc)
  void maybe_auto_commit(ConsumerContext& context);
  void add_commit(Commit commit, ConsumerContext& context);
  void send_commits(ConsumerContext& context);
  void send_commit(Commit& commit, ConsumerContext& context);
  void on_commit(Commit commit, const OffsetCommitResponse* response, ConsumerContext& context);
  ErrorCode first_error(const Commit& commit, const OffsetCommitResponse* response, ConsumerContext& context);
  void commit_done(Commit commit, ErrorCode error, ConsumerContext& context);
  void try_again(Commit commit, ConsumerContext& context);
  void send_offset_fetch(ConsumerContext& context);
  void on_offset_fetch(OffsetFetchResponse* response, ConsumerContext& context);
  void adopt_committed_offsets(const OffsetFetchResponse& response, ConsumerContext& context);

  Duration backoff(std::int32_t failures, ConsumerContext& context) const;

  std::vector<std::string> topics_;  // sorted
  Duration max_poll_interval_;
  State state_ = State::unsubscribed;
  bool subscription_updated_ = false;
  std::string member_id_;
  Generation member_epoch_ = kJoinEpoch;
  Generation last_told_epoch_ = kNoGeneration;
  LocalAssignment current_, target_;
  bool reconciling_ = false;  // a reconciliation is under way: it waits for a commit
  bool rejoined_meanwhile_ = false;
  LocalAssignment resolved_;  // what it reconciles towards
  bool poll_timer_expired_ = false;
  LocalTime poll_ends_ = LocalTime::max();
  ConsumerError error_ = ConsumerError::none;  // for the application

  ProcessId coordinator_ = kNoProcess;
  RequestId find_coordinator_ = 0;
  LocalTime lookup_allowed_at_ = LocalTime::min();
  std::int32_t lookup_failures_ = 0;

  Duration heartbeat_interval_{};  // as the coordinator told
  LocalTime heartbeat_due_ = LocalTime::min();
  LocalTime heartbeat_allowed_at_ = LocalTime::min();
  std::int32_t heartbeat_failures_ = 0;
  bool heartbeat_awaited_ = false;
  std::vector<HeartbeatInFlight> heartbeats_;
  SentFields sent_;

  LocalTime next_auto_commit_{};
  Duration first_auto_commit_{};
  bool auto_commit_in_flight_ = false;
  std::vector<Commit> commits_;
  bool sync_commit_pending_ = false;
  std::optional<CommitError> sync_commit_result_;
  std::vector<CommitError> async_results_;

  RequestId offset_fetch_ = 0;
  std::vector<TopicPartition> offset_fetch_partitions_;
  std::optional<OffsetFetchResponse> committed_offsets_;
  ConsumerError offset_fetch_error_ = ConsumerError::none;
  LocalTime offset_fetch_allowed_at_ = LocalTime::min();
  std::int32_t offset_fetch_failures_ = 0;

  std::vector<RebalanceEvent> events_;
};

}  // namespace sim::client
