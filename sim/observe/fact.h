#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/alternative.h"
#include "protocol/envelope.h"
#include "protocol/error_code.h"
#include "protocol/ids.h"
#include "protocol/record_batch.h"

// The words for what happened. Facts carry values, never sentences; trace, metrics and checkers
// are folds over the one stream of observations, and removing one changes no run.
//
// A fact is reported at the single place where that state changes.
namespace sim::observe {

// Groups (order services: inventory, payment, ...) are numbered in the order of the scenario.
using ServiceId = Id<struct ServiceTag, std::int32_t>;

// ---- An order's way, told by the producing application and its producer
struct OrderPlaced {  // the customer's click: latency counts from `intended`
  RecordId record;
  FlowId flow;
  std::int64_t intended_ns = 0;
  std::int64_t key = -1;  // -1 = without a key
  std::int32_t key_bytes = -1;
  std::int32_t value_bytes = 0;
};
struct RecordAccepted {  // appended to the record accumulator
  RecordId record;
  TopicPartition tp;
};
struct RecordFailed {  // send() completed with an error: an honest failure
  RecordId record;
  ErrorCode error;
};
struct BatchDrained {  // taken from the accumulator into a produce request, about to be sent
  TopicPartition tp;
  BatchDataPtr batch;
  std::int32_t attempt = 0;  // 0 = first
};
struct BatchAppended {  // in the leader's log
  TopicPartition tp;
  Batch batch;
  NodeId broker = kNoNode;
};
struct BatchAcknowledged {  // the producer learnt it: error none, or why it failed for good or will be
                            // retried
  TopicPartition tp;
  BatchDataPtr batch;
  ErrorCode error = ErrorCode::none;
  Offset base_offset = kNoOffset;
  bool will_retry = false;
};

// ---- Its way through a broker's request path, told by the host
enum class RequestStage : std::uint8_t {
  received,   // the whole request has arrived at the broker's socket
  queued,     // a network thread has put it into the request queue
  dequeued,   // an I/O thread has taken it
  completed,  // the response is in the response queue (or none is due)
  sent,       // the response is on the wire
};
struct RequestProgress {  // of every ProduceRequest; of other requests only if an observer wants messages
  RequestStage stage;
  const Envelope* request;  // valid only while being observed; null for completed/sent
  Channel channel;
  CorrelationId correlation;
};

// ---- Partitions
struct HighWatermarkAdvanced {  // on the leader
  TopicPartition tp;
  Offset from = 0;
  Offset to = 0;
  NodeId broker = kNoNode;
  std::int32_t min_isr = 1;  // the effective one, at this moment
};
struct FollowerHighWatermarkAdvanced {  // what it has heard of its leader's, as far as it has the data
  TopicPartition tp;
  NodeId broker;
  Offset to = 0;
};
struct BecameLeader {
  TopicPartition tp;
  NodeId broker;
  LeaderEpoch leader_epoch;
  Offset epoch_start = 0;
  std::int32_t min_isr = 1;  // the effective one: not above the number of replicas
};
struct BecameFollower {
  TopicPartition tp;
  NodeId broker;
  LeaderEpoch leader_epoch;
  NodeId leader;
};
struct IsrChanged {  // as the leader has it committed
  TopicPartition tp;
  std::vector<NodeId> isr;
  PartitionEpoch partition_epoch;
  NodeId broker = kNoNode;
};
struct IsrProposed {  // by the leader, in an AlterPartition it is about to send
  TopicPartition tp;
  std::vector<NodeId> isr;
  PartitionEpoch partition_epoch;  // on which it is based
  NodeId broker = kNoNode;
};
struct IsrProposalDropped {  // by the leader: it was refused, never sent, or forgotten
  TopicPartition tp;
  NodeId broker;
};
struct LogTruncated {
  TopicPartition tp;
  NodeId broker;
  Offset from = 0;
  Offset to = 0;
};
struct ReplicaAppended {  // on a follower
  TopicPartition tp;
  NodeId broker;
  Offset log_end_offset = 0;
  Batch batch{};
};
struct ReplicaOpened {  // what a broker found of a partition when it first needed it, after recovery
  TopicPartition tp;
  NodeId broker;
  Offset log_start_offset = 0;
  Offset log_end_offset = 0;
  Offset high_watermark = 0;  // from the checkpoint
};
struct LogStartRaised {  // by retention, by deletion of records, or after the leader's
  TopicPartition tp;
  NodeId broker;
  Offset from = 0;
  Offset to = 0;
};
struct LogCleaned {  // compaction has gone through what lies below `end`
  TopicPartition tp;
  NodeId broker;
  Offset end = 0;
  std::int64_t bytes_before = 0;
  std::int64_t bytes_after = 0;
};
struct LogDeleted {  // the replica is no longer this broker's, or the topic is gone
  TopicPartition tp;
  NodeId broker;
};
enum class LossOfLog : std::uint8_t { power_loss, wiped };
// A disk ceased to hold what lies above `to`. Told of the disk, by whoever has it (the host): the process
// that wrote there is dead.
struct LogLost {
  TopicPartition tp;
  NodeId broker;
  Offset from = 0;
  Offset to = 0;
  LossOfLog cause = LossOfLog::power_loss;
};
struct TopicCreated {  // the controller's record
  TopicId id;
  std::string name;
  std::int32_t partitions = 0;
  std::int16_t replication_factor = 0;
};
struct TopicDeleted {  // the same, of its end
  TopicId id = kNoTopic;
};

// ---- The KRaft quorum: voters and observers of __cluster_metadata, by node id
enum class QuorumRole : std::uint8_t { unattached, prospective, candidate, leader, follower, resigned };
struct QuorumRoleChanged {
  NodeId node;
  QuorumRole role;
  QuorumEpoch quorum_epoch;
  NodeId leader;  // as it knows, -1 = not
};
struct QuorumStateStored {  // flushed: from now on what rests on it may leave
  NodeId node;
  QuorumState state;
};
struct QuorumVoteAnswered {  // by the voter
  NodeId node;
  NodeId candidate;
  QuorumEpoch quorum_epoch;  // the candidate's
  bool pre_vote = false;
  bool granted = false;
};
struct QuorumVotersChanged {  // as this node's log has it
  NodeId node;
  std::vector<NodeId> voters;
};
struct MetadataLogOpened {  // what a start found on disk
  NodeId node;
  QuorumState state;
  Offset log_start_offset = 0;
  Offset log_end_offset = 0;
};
struct MetadataAppended {
  NodeId node;
  Batch batch;
};
struct MetadataTruncated {
  NodeId node;
  Offset to = 0;
};
struct MetadataSnapshotFetched {  // and the log goes on from its end
  NodeId node;
  SnapshotId id;
};
struct MetadataCommitted {  // the high watermark has advanced
  NodeId node;
  QuorumEpoch quorum_epoch;
  bool leads = false;
  Offset from = 0;
  Offset to = 0;
};

struct MetadataReplayed {  // committed records, into a node's image
  NodeId node;
  Offset end_offset = 0;
  std::uint64_t digest = 0;  // of the image: equal images of one offset have equal digests
};

// ---- The active controller's decisions, told once they are committed. If it dies before it knows, the next
// one tells; then some may be told twice, which their offsets show.
struct ControllerChanged {
  NodeId node;
  QuorumEpoch quorum_epoch;
  bool active = false;  // false: it has renounced
};
struct BrokerStateChanged {
  NodeId broker;
  BrokerEpoch broker_epoch;
  bool fenced = true;
  bool in_controlled_shutdown = false;
  Offset offset = kNoOffset;  // of the record
};
struct PartitionChanged {
  TopicPartition tp;
  NodeId leader;  // -1 = none
  LeaderEpoch leader_epoch;
  PartitionEpoch partition_epoch;
  std::vector<NodeId> replicas;
  std::vector<NodeId> isr;
  std::vector<NodeId> elr;
  Offset offset = kNoOffset;     // of the record
  std::vector<NodeId> adding{};  // of the replicas: on their way in, by a reassignment
};

// ---- Faults, told by the host
struct FaultStruck {
  FaultId fault;
  std::vector<ProcessId> touched;  // whom its targets turned out to be
};
struct RoleMissed {  // one of its targets is played by nobody who is up
  FaultId fault;
  std::string role;               // "leader(orders-0)"
  ProcessId player = kNoProcess;  // who has the role, and is down; none: nobody has it
};
struct FaultEnded {
  FaultId fault;
  std::int64_t effects = 0;  // processes stopped, messages dropped or held, ...: what it did in all
};

// ---- Consumers and groups
struct RecordsPolled {  // returned by poll() to the application
  ServiceId service;
  std::int32_t member = 0;
  TopicPartition tp;
  Offset from = 0;
  Offset to = 0;
  NodeId broker = kNoNode;  // that served them
};
struct ProcessingStarted {
  ServiceId service;
  std::int32_t member = 0;
  TopicPartition tp;
  Offset offset = 0;
  RecordId record;
};
struct ProcessingDone {  // the side effect (stock reserved, card charged, parcel shipped) has happened
  ServiceId service;
  std::int32_t member = 0;
  TopicPartition tp;
  Offset offset = 0;
  RecordId record;
};
struct CommitSent {
  ServiceId service;
  std::int32_t member = 0;
  TopicPartition tp;
  Offset offset = 0;  // the next offset to read
};
struct CommitAcknowledged {
  ServiceId service;
  std::int32_t member = 0;
  TopicPartition tp;
  Offset offset = 0;
  ErrorCode error = ErrorCode::none;
};
struct OffsetsStored {  // committed in the coordinator's log
  std::string group;
  TopicPartition tp;
  Offset offset = 0;
};
struct PositionReset {  // by auto.offset.reset
  ServiceId service;
  std::int32_t member = 0;
  TopicPartition tp;
  Offset to = 0;
};
// Of a classic group, and of a group of KIP-848: empty, assigning, reconciling, stable.
enum class GroupState : std::uint8_t {
  empty,
  preparing_rebalance,
  completing_rebalance,
  stable,
  dead,
  assigning,    // the target assignment is to be computed for a new group epoch
  reconciling,  // members are on their way to it
};
struct GroupStateChanged {  // on the coordinator
  std::string group;
  GroupState state;
  Generation generation;  // or group epoch
  std::int32_t members = 0;
};
// Why members have to join anew (the reason in Kafka's "Preparing to rebalance group").
enum class RebalanceReason : std::uint8_t {
  member_joined,
  member_rejoined,  // one with another subscription, or the leader, whose topics have changed
  member_left,      // it said so
  member_expelled,  // its session was over, or it had not joined or synced in time
  static_member_replaced,
  assignment_not_stored,  // the coordinator could not write it
  group_over_capacity,    // a coordinator that has just loaded it allows fewer members
  topics_changed,         // KIP-848: the coordinator has seen other topics or partitions
  protocol_changed,       // a group of KIP-848 has become a classic one
};
struct RebalanceBegan {  // on the coordinator
  std::string group;
  Generation generation;  // that ends
  RebalanceReason reason;
  std::string member;  // the id of whose doing it is; empty: of nobody in particular
};
// Why a member is no longer in its group.
enum class DepartureReason : std::uint8_t {
  closed,              // LeaveGroup: the consumer was closed
  poll_timeout,        // LeaveGroup: max.poll.interval.ms had passed without a poll()
  removed,             // LeaveGroup by somebody else, for a static member
  session_expired,     // no heartbeat for session.timeout.ms
  join_timeout,        // had not joined anew when the rebalance timeout (max.poll.interval.ms) was over
  sync_timeout,        // the same, of asking for its assignment
  over_capacity,       // group.max.size
  revocation_timeout,  // KIP-848: had not given up its partitions when the rebalance timeout was over
};
constexpr bool is_expulsion(DepartureReason reason) {
  return reason != DepartureReason::closed && reason != DepartureReason::removed;
}
struct MemberDeparted {  // on the coordinator
  std::string group;
  std::string member;  // its id
  DepartureReason reason;
};
// What the coordinator of a KIP-848 group has written about a member: how far it has come, and what it owns.
// Both sets are empty, and the epoch is below 0, when it has left.
struct MemberAssignmentChanged {  // on the coordinator
  std::string group;
  std::string member;  // its id
  Generation group_epoch;
  Generation member_epoch;
  std::vector<TopicPartition> assigned;
  std::vector<TopicPartition> pending_revocation;  // it is to give them up, and has not said yet that it did
};
struct AssignmentReceived {  // by a consumer: all that it owns from here on
  ServiceId service;
  std::int32_t member = 0;
  Generation generation;
  std::vector<TopicPartition> partitions;
};
struct PartitionsRevoked {  // by a consumer: it does not own them any more
  ServiceId service;
  std::int32_t member = 0;
  std::vector<TopicPartition> partitions;
  bool lost = false;  // without having given them up: it was no member any more
};

// ---- Transactions, told by the clients
// Where a transactional producer stands (TransactionManager in Kafka's client).
enum class ProducerTransactionState : std::uint8_t {
  uninitialized,
  initializing,
  ready,
  in_transaction,
  committing,
  aborting,
  abortable_error,
  fatal_error,
};
struct ProducerTransactionChanged {
  std::string transactional_id;
  ProducerTransactionState state = ProducerTransactionState::uninitialized;
  ProducerId producer_id = kNoProducerId;
  ProducerEpoch producer_epoch = kNoProducerEpoch;  // of the transaction, once there is one
  ErrorCode error = ErrorCode::none;                // why it is in an error state
};
// What a service is about to send on because of a record that it has read: the order goes on.
struct RecordDerived {
  ServiceId service;
  std::int32_t member = 0;
  RecordId from;
  RecordId record;
};
// The offsets that a service has given to its transaction; that they count is told as CommitAcknowledged.
struct OffsetsAddedToTransaction {
  ServiceId service;
  std::int32_t member = 0;
  ProducerId producer_id = kNoProducerId;
  ProducerEpoch producer_epoch = kNoProducerEpoch;
  TopicPartition tp;
  Offset offset = 0;  // the next offset to read
};

// ---- Transactions
struct TransactionStateChanged {  // on the coordinator, when its record is committed
  std::string transactional_id;
  ProducerId producer_id;
  ProducerEpoch producer_epoch;
  TransactionState state = TransactionState::empty;
  std::vector<TopicPartition> partitions;  // in the transaction, and not yet marked
};
struct TransactionMarkerWritten {  // on the coordinator: the leader has said so
  std::string transactional_id;
  ProducerId producer_id;
  TopicPartition tp;
  bool committed = false;
};
struct LastStableOffsetAdvanced {  // on the leader; told only while there are transactions in the partition
  TopicPartition tp;
  NodeId broker;
  Offset from = 0;
  Offset to = 0;
  Offset high_watermark = 0;
};
// A producer was refused for its epoch, by a coordinator or, with `tp`, by a partition's leader.
struct ProducerFenced {
  std::string transactional_id;  // empty: not known
  ProducerId producer_id;
  ProducerEpoch producer_epoch;          // that it came with
  ProducerEpoch current_producer_epoch;  // that counts
  TopicPartition tp{};                   // none: by the coordinator
};

// ---- Network and machine, told by the host
struct MessageSent {
  const Envelope* envelope;  // valid only while being observed
  std::int64_t bytes = 0;
};
struct MessageDelivered {
  const Envelope* envelope;
};
// A broker found a client over its quota: the answer bears this throttle_time_ms, and the connection is read
// no more for so long.
enum class QuotaKind : std::uint8_t { produce, fetch, request };
struct ClientThrottled {
  ProcessId client = kNoProcess;
  QuotaKind quota = QuotaKind::produce;
  std::int32_t throttle_ms = 0;
};
struct ConnectionOpened {
  Channel channel;
};
struct ConnectionClosed {
  Channel channel;
};
// ---- An operator's tool, of one partition or topic that it asked for; of the request as a whole without one
struct AdminAnswered {
  FaultId fault;
  std::string resource;
  ErrorCode error = ErrorCode::none;
};
// A group goes on elsewhere in a topic, as an operator wants it.
struct OffsetsReset {
  FaultId fault;
  std::string group;
  std::string topic;
};
struct ProcessStarted {};
struct ProcessStopped {};

using AnyFact =
    std::variant<OrderPlaced, RecordAccepted, RecordFailed, BatchDrained, BatchAppended, BatchAcknowledged,
                 RequestProgress, HighWatermarkAdvanced, BecameLeader, BecameFollower, IsrChanged,
                 LogTruncated, ReplicaAppended, TopicCreated, RecordsPolled, ProcessingStarted,
                 ProcessingDone, CommitSent, CommitAcknowledged, OffsetsStored, PositionReset,
                 GroupStateChanged, AssignmentReceived, MessageSent, MessageDelivered, ConnectionOpened,
                 ConnectionClosed, ProcessStarted, ProcessStopped, QuorumRoleChanged, QuorumStateStored,
                 QuorumVoteAnswered, QuorumVotersChanged, MetadataLogOpened, MetadataAppended,
                 MetadataTruncated, MetadataSnapshotFetched, MetadataCommitted, MetadataReplayed,
                 ControllerChanged, BrokerStateChanged, PartitionChanged, FaultStruck, FaultEnded,
                 IsrProposed, ClientThrottled, FollowerHighWatermarkAdvanced, IsrProposalDropped,
                 ReplicaOpened, LogStartRaised, LogDeleted, LogLost, LogCleaned, AdminAnswered, TopicDeleted,
                 RebalanceBegan, MemberDeparted, PartitionsRevoked, RoleMissed, ProducerTransactionChanged,
                 RecordDerived, OffsetsAddedToTransaction, TransactionStateChanged, TransactionMarkerWritten,
                 LastStableOffsetAdvanced, ProducerFenced, OffsetsReset, MemberAssignmentChanged>;

// One of them; see Message about why it is a class.
class Fact : public AnyFact {
 public:
  template <AlternativeOf<AnyFact> F>
  Fact(F fact);
  Fact(const Fact&);
  Fact(Fact&&) noexcept;
  Fact& operator=(const Fact&);
  Fact& operator=(Fact&&) noexcept;
  ~Fact();
};

// Puts right what a fact tells in times of its process's own clock: `true_ns` makes of such a time the true
// one. The customer's click is at a true time, whatever clock the application has.
template <class F>
void to_true_time(Fact& fact, const F& true_ns) {
  if (auto* placed = std::get_if<OrderPlaced>(&fact)) placed->intended_ns = true_ns(placed->intended_ns);
}

// Words for reasons, as in files: "session_expired".
std::string_view name(RebalanceReason reason);
std::string_view name(DepartureReason reason);
std::string_view name(ProducerTransactionState state);

// Kafka-style name of the fact, e.g. "HighWatermarkAdvanced".
const char* name(const Fact& fact);

}  // namespace sim::observe
