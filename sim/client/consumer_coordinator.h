#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "client/assignor.h"
#include "client/consumer_context.h"
#include "client/consumer_heartbeat.h"

// A consumer as a member of its group, classic protocol (AbstractCoordinator and ConsumerCoordinator in
// Kafka): it finds the coordinator, joins, assigns partitions if it is the leader, heartbeats, commits and
// fetches offsets.
//
//   UNJOINED -> PREPARING_REBALANCE    JoinGroup sent, from within poll() only
//   PREPARING -> COMPLETING_REBALANCE  it was answered: SyncGroup sent, heartbeats begin
//   COMPLETING -> STABLE               the assignment has come; it takes effect in the next poll()
//   any -> UNJOINED                    the generation was lost, or the member left
//
// Kafka's background thread only heartbeats; here it is `background()`, run on timers whatever the
// application does. As that thread rests while a JoinGroup is under way, the answer to one is not looked at
// before the application polls.
//
// Other than Kafka: a group is joined once metadata knows the subscribed topics (subscriptions name topics by
// id), and the leader takes no notice of topics it does not subscribe to itself. Heartbeats are not rounded
// up to the thread's wake-ups every retry.backoff.ms.
namespace sim::client {

enum class CommitError : std::uint8_t {
  none,
  retriable,              // RetriableCommitFailedException; commitSync tries again
  timed_out,              // TimeoutException of commitSync
  commit_failed,          // CommitFailedException: no longer a member of that generation
  rebalance_in_progress,  // RebalanceInProgressException: poll() will complete it
  fenced,                 // FencedInstanceIdException
  unexpected,             // any other KafkaException
};

// ConsumerRebalanceListener, told after the poll() in which it happened.
struct RebalanceEvent {
  enum class Kind : std::uint8_t { assigned, revoked, lost };
  Kind kind = Kind::assigned;
  std::vector<TopicPartition> partitions;
};

class ConsumerCoordinator {
 public:
  using CommitOffsets = std::vector<OffsetCommitRequest::Partition>;

  explicit ConsumerCoordinator(const ConsumerConfig& config);

  void start(std::vector<std::string> topics, LocalTime now);

  // ---- Inside poll()

  enum class Progress : std::uint8_t {
    done,     // a member, as far as it can tell: positions may be updated
    joining,  // fetching goes on with what is assigned
    blocked,  // poll() waits for a coordinator, up to its timeout
  };
  struct PollOutcome {
    Progress progress = Progress::done;
    ConsumerError error = ConsumerError::none;
  };
  PollOutcome poll(ConsumerContext& context);
  // Committed offsets for partitions without a position.
  PollOutcome init_with_committed_offsets(ConsumerContext& context);

  // ---- Commits

  void commit_sync(CommitOffsets offsets, Duration timeout, ConsumerContext& context);
  bool commit_sync_under_way() const { return sync_commit_ && !sync_commit_->result; }
  std::optional<CommitError> take_commit_sync_result();
  void commit_async(CommitOffsets offsets, ConsumerContext& context);
  std::vector<CommitError> take_async_results() { return std::exchange(async_results_, {}); }

  // ---- At any time

  // True if the completion was of one of its requests: to the coordinator, or to a broker that knows who it
  // is.
  bool on_completion(ConsumerNetwork::Completion& completion, ConsumerContext& context);
  bool on_data_completion(ConsumerNetwork::Completion& completion, ConsumerContext& context);
  void on_unavailable(ProcessId server, ConsumerContext& context);
  void background(ConsumerContext& context);
  // When background() or, if the application waits in it, poll() has something to do without a message
  // coming.
  LocalTime next_wakeup(const ConsumerContext& context) const;

  // Partitions are revoked and, for a dynamic member, LeaveGroup is sent.
  void leave(ConsumerContext& context);

  std::vector<RebalanceEvent> take_rebalance_events() { return std::exchange(events_, {}); }
  Generation generation() const { return generation_.number; }
  const std::string& member_id() const { return generation_.member_id; }
  // groupMetadata(): as of the last rebalance that was completed, whatever has been heard since.
  Generation joined_generation() const { return joined_generation_; }
  const std::string& joined_member_id() const { return joined_member_id_; }
  ProcessId coordinator() const { return coordinator_; }
  RebalanceProtocol protocol() const { return protocol_; }

 private:
  using RequestId = ConsumerNetwork::RequestId;
  enum class MemberState : std::uint8_t { unjoined, preparing_rebalance, completing_rebalance, stable };
  struct MemberGeneration {
    Generation number = kNoGeneration;
    std::string member_id;
    std::string protocol;
    bool operator==(const MemberGeneration&) const = default;
  };
  enum class JoinStage : std::uint8_t { none, in_flight, succeeded, failed };
  enum class CommitPurpose : std::uint8_t { sync, async, automatic, join_prepare };
  struct CommitInFlight {
    RequestId id = 0;
    CommitPurpose purpose = CommitPurpose::sync;
    MemberGeneration generation;
    CommitOffsets offsets;
  };
  struct SyncCommit {
    CommitOffsets offsets;
    LocalTime deadline;
    LocalTime retry_at = LocalTime::min();
    std::int32_t failures = 0;
    bool in_flight = false;
    std::optional<CommitError> result;
  };
  struct Snapshot {
    std::uint64_t version = 0;
    std::vector<TopicLayout> topics;
  };

  // Finding the coordinator
  bool coordinator_unknown(ConsumerContext& context);
  void look_up_coordinator(ConsumerContext& context);
  void on_find_coordinator(const FindCoordinatorResponse* response, ConsumerContext& context);
  void lookup_failed(ConsumerContext& context);
  void mark_coordinator_unknown(bool disconnected, ConsumerContext& context);

  // Joining
  void update_snapshot(ConsumerContext& context);
  bool topics_known(const ConsumerContext& context) const;
  std::vector<TopicId> subscription(const ConsumerContext& context) const;
  bool rejoin_needed_or_pending(ConsumerContext& context);
  bool rebalance_in_progress() const;
  bool ensure_active_group(ConsumerContext& context, ConsumerError& error);
  bool may_retry_join_at_once(ConsumerContext& context, ConsumerError& error);
  bool on_join_prepare(ConsumerContext& context);
  bool committed_before_join(ConsumerContext& context);
  void revoke_before_join(ConsumerContext& context);
  void initiate_join(ConsumerContext& context);
  void fail_join(ErrorCode error) {
    join_stage_ = JoinStage::failed;
    join_error_ = error;
  }
  void on_join(const JoinGroupResponse* response, ConsumerContext& context);
  std::vector<SyncGroupRequest::Assignment> perform_assignment(const JoinGroupResponse& response,
                                                               ConsumerContext& context);
  void on_sync(const SyncGroupResponse* response, ConsumerContext& context);
  void on_join_complete(ConsumerContext& context);
  void request_rejoin() { rejoin_needed_ = true; }
  void reset_state_and_rejoin(bool forget_member_id);
  void note(RebalanceEvent::Kind kind, std::vector<TopicPartition> partitions, ConsumerContext& context);

  // Staying a member
  void send_heartbeat(ConsumerContext& context);
  void on_heartbeat(const MemberGeneration& sent, const HeartbeatResponse* response,
                    ConsumerContext& context);
  void maybe_leave_group(LeaveReason reason, ConsumerContext& context);

  // Offsets
  void maybe_auto_commit(ConsumerContext& context);
  CommitError send_commit(CommitOffsets offsets, CommitPurpose purpose, ConsumerContext& context);
  void on_commit(const CommitInFlight& commit, const OffsetCommitResponse* response,
                 ConsumerContext& context);
  CommitError judge_commit(const CommitInFlight& commit, const OffsetCommitResponse& response,
                           ConsumerContext& context);
  void commit_done(CommitPurpose purpose, CommitError error, ConsumerContext& context);
  void progress_sync_commit(ConsumerContext& context);
  void send_offset_fetch(ConsumerContext& context);
  void adopt_committed_offsets(const OffsetFetchResponse& response, ConsumerContext& context);
  void on_offset_fetch(OffsetFetchResponse* response, ConsumerContext& context);

  Duration backoff(std::int32_t failures, ConsumerContext& context) const;

  RebalanceProtocol protocol_;
  std::vector<std::string> topics_;

  ProcessId coordinator_ = kNoProcess;
  RequestId find_coordinator_ = 0;
  LocalTime lookup_allowed_at_ = LocalTime::min();
  std::int32_t lookup_failures_ = 0;
  ConsumerError lookup_error_ = ConsumerError::none;

  MemberState state_ = MemberState::unjoined;
  MemberGeneration generation_;
  Generation joined_generation_ = kNoGeneration;
  std::string joined_member_id_;
  bool rejoin_needed_ = true;
  bool needs_join_prepare_ = true;
  bool is_leader_ = false;
  JoinStage join_stage_ = JoinStage::none;
  ErrorCode join_error_ = ErrorCode::none;
  RequestId join_request_ = 0, sync_request_ = 0;
  MemberGeneration join_generation_, sync_generation_;  // when it was sent
  std::optional<JoinGroupResponse> join_answer_;        // waits for poll()
  std::vector<TopicPartition> assignment_;              // of the last SyncGroup
  LocalTime join_allowed_at_ = LocalTime::min();
  std::optional<std::vector<TopicId>> joined_subscription_;
  Snapshot snapshot_;
  std::optional<Snapshot> assignment_snapshot_;  // of a leader
  std::vector<TopicPartition> sticky_owned_;     // the sticky assignor's memory, which outlives revocation
  Generation sticky_generation_ = kNoGeneration;

  std::optional<LocalTime> join_prepare_ends_;
  bool join_prepare_commit_in_flight_ = false;
  std::optional<CommitError> join_prepare_commit_;
  LocalTime join_prepare_retry_at_ = LocalTime::min();

  Heartbeat heartbeat_;
  bool heartbeat_started_ = false;  // the thread exists
  bool heartbeat_enabled_ = false;
  std::deque<std::pair<RequestId, MemberGeneration>> heartbeats_in_flight_;
  ConsumerError heartbeat_failure_ = ConsumerError::none;

  LocalTime next_auto_commit_{};
  Duration first_auto_commit_{};  // after the first assignment; 0: as after all others
  bool auto_commit_to_retry_ = false;
  std::vector<CommitInFlight> commits_;
  std::vector<CommitOffsets> commits_awaiting_coordinator_;
  std::optional<SyncCommit> sync_commit_;
  std::vector<CommitError> async_results_;
  bool async_commit_fenced_ = false;

  RequestId offset_fetch_ = 0;
  std::vector<TopicPartition> offset_fetch_partitions_;
  MemberGeneration offset_fetch_generation_;
  std::optional<OffsetFetchResponse> committed_offsets_;
  ConsumerError offset_fetch_error_ = ConsumerError::none;
  LocalTime offset_fetch_allowed_at_ = LocalTime::min();
  std::int32_t offset_fetch_failures_ = 0;

  std::vector<RebalanceEvent> events_;
};

}  // namespace sim::client
