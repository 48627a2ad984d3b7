#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/alternative.h"
#include "protocol/coordinator_records.h"
#include "protocol/error_code.h"
#include "protocol/ids.h"
#include "protocol/metadata_records.h"
#include "protocol/quorum.h"
#include "protocol/record_batch.h"

// One struct per Kafka API, with Kafka's names. Only what changes behaviour is carried; what a
// message takes on the wire is told by wire_size(). Defaults are the protocol's "absent" values.
namespace sim {

// ---- ApiVersions (18): first exchange on every client connection
struct ApiVersionsRequest {};
struct ApiVersionsResponse {
  ErrorCode error = ErrorCode::none;
  TransactionVersion transaction_version = kTransactionVersion2;  // the finalized level of the feature
};

// What the version of a Produce or TxnOffsetCommit request says of its transaction
// (TransactionSupportedOperation, KIP-890).
enum class TransactionSupport : std::uint8_t {
  default_error,  // up to Produce 10: a batch outside of its transaction hears INVALID_TXN_STATE
  generic_error,  // Produce 11, TxnOffsetCommit 4: TRANSACTION_ABORTABLE
  add_partition,  // Produce 12, TxnOffsetCommit 5: the leader adds the partition to the transaction itself
};

// ---- Metadata (3)
struct MetadataRequest {
  bool all_topics = false;
  std::vector<std::string> topics;
  bool allow_auto_topic_creation = true;
};
struct MetadataResponse {
  struct Broker {
    NodeId id = kNoNode;
    ProcessId endpoint = kNoProcess;
    std::string rack;
  };
  struct Partition {
    ErrorCode error = ErrorCode::none;
    std::int32_t index = 0;
    NodeId leader = kNoNode;
    LeaderEpoch leader_epoch = kNoLeaderEpoch;
    std::vector<NodeId> replicas;
    std::vector<NodeId> isr;
  };
  struct Topic {
    ErrorCode error = ErrorCode::none;
    std::string name;
    TopicId id = kNoTopic;
    bool internal = false;
    std::int32_t compression_percent = 100;  // ours: the topic's compression ratio, told to producers
    std::vector<Partition> partitions;
  };
  std::vector<Broker> brokers;
  NodeId controller = kNoNode;
  std::vector<Topic> topics;
};

// ---- Produce (0)
struct LeaderHint {  // KIP-951: who leads instead
  NodeId leader = kNoNode;
  LeaderEpoch leader_epoch = kNoLeaderEpoch;
  ProcessId endpoint = kNoProcess;
};
struct ProduceRequest {
  struct Partition {
    TopicPartition tp;
    BatchDataPtr batch;  // one batch per partition and request, as Kafka's producer sends
  };
  std::int16_t acks = -1;
  std::int32_t timeout_ms = 30'000;
  std::vector<Partition> partitions;
  std::string transactional_id{};  // empty: none
  TransactionSupport transaction_support = TransactionSupport::add_partition;
};
struct ProduceResponse {
  struct Partition {
    TopicPartition tp;
    ErrorCode error = ErrorCode::none;
    Offset base_offset = kNoOffset;
    std::int64_t log_append_time_ms = -1;
    Offset log_start_offset = kNoOffset;
    LeaderHint current_leader;
  };
  std::vector<Partition> partitions;
  std::int32_t throttle_ms = 0;
};

// ---- Fetch (1): consumers, replica fetchers and KRaft
struct FetchRequest {
  struct Partition {
    TopicPartition tp;
    LeaderEpoch current_leader_epoch = kNoLeaderEpoch;
    Offset fetch_offset = 0;
    LeaderEpoch last_fetched_epoch = kNoLeaderEpoch;
    Offset log_start_offset = kNoOffset;
    std::int32_t max_bytes = 1'048'576;
    Offset high_watermark = kNoOffset;             // KIP-1166, KRaft only
    DirectoryId replica_directory = kNoDirectory;  // KIP-853, KRaft only
  };
  NodeId replica = kNoNode;  // -1 = consumer
  BrokerEpoch replica_epoch = kNoBrokerEpoch;
  std::int32_t max_wait_ms = 500;
  std::int32_t min_bytes = 1;
  std::int32_t max_bytes = 52'428'800;
  bool read_committed = false;
  std::int32_t session_id = 0;
  std::int32_t session_epoch = -1;    // -1 with id 0: no session; 0: new session; >0: incremental
  std::vector<Partition> partitions;  // full, or those that changed
  std::vector<TopicPartition> forgotten;
  std::string rack;
};
struct FetchResponse {
  struct AbortedTransaction {
    ProducerId producer_id = kNoProducerId;
    Offset first_offset = kNoOffset;
    bool operator==(const AbortedTransaction&) const = default;
  };
  struct EpochEnd {
    LeaderEpoch leader_epoch = kNoLeaderEpoch;
    Offset end_offset = kNoOffset;
  };
  struct Partition {
    TopicPartition tp;
    ErrorCode error = ErrorCode::none;
    Offset high_watermark = kNoOffset;
    Offset last_stable_offset = kNoOffset;
    Offset log_start_offset = kNoOffset;
    EpochEnd diverging_epoch;  // set: truncate and fetch again
    LeaderHint current_leader;
    NodeId preferred_read_replica = kNoNode;
    std::vector<Batch> batches;
    SnapshotId snapshot_id;  // set: fetch this snapshot first (KRaft only)
    // For read_committed: whose transactional data among the batches is aborted, from which offset on.
    std::vector<AbortedTransaction> aborted_transactions{};
  };
  ErrorCode error = ErrorCode::none;
  std::int32_t session_id = 0;
  std::int32_t throttle_ms = 0;
  std::vector<Partition> partitions;
};

// ---- ListOffsets (2)
inline constexpr std::int64_t kLatestTimestamp = -1;
inline constexpr std::int64_t kEarliestTimestamp = -2;
struct ListOffsetsRequest {
  struct Partition {
    TopicPartition tp;
    LeaderEpoch current_leader_epoch = kNoLeaderEpoch;
    std::int64_t timestamp = kLatestTimestamp;
  };
  NodeId replica = kNoNode;
  bool read_committed = false;
  std::vector<Partition> partitions;
};
struct ListOffsetsResponse {
  struct Partition {
    TopicPartition tp;
    ErrorCode error = ErrorCode::none;
    Offset offset = kNoOffset;
    LeaderEpoch leader_epoch = kNoLeaderEpoch;
  };
  std::vector<Partition> partitions;
};

// ---- OffsetForLeaderEpoch (23)
struct OffsetForLeaderEpochRequest {
  struct Partition {
    TopicPartition tp;
    LeaderEpoch current_leader_epoch = kNoLeaderEpoch;
    LeaderEpoch leader_epoch = kNoLeaderEpoch;
  };
  NodeId replica = kNoNode;
  std::vector<Partition> partitions;
};
struct OffsetForLeaderEpochResponse {
  struct Partition {
    TopicPartition tp;
    ErrorCode error = ErrorCode::none;
    LeaderEpoch leader_epoch = kNoLeaderEpoch;
    Offset end_offset = kNoOffset;
  };
  std::vector<Partition> partitions;
};

// ---- InitProducerId (22)
struct InitProducerIdRequest {
  ProducerId producer_id = kNoProducerId;  // with the epoch: its own, which is to be bumped (KIP-360)
  ProducerEpoch producer_epoch = kNoProducerEpoch;
  std::string transactional_id{};  // empty: any broker answers
  std::int32_t transaction_timeout_ms = 60'000;
};
struct InitProducerIdResponse {
  ErrorCode error = ErrorCode::none;
  ProducerId producer_id = kNoProducerId;
  ProducerEpoch producer_epoch = kNoProducerEpoch;
};

// ---- Transactions (KIP-98, KIP-447, KIP-890): AddPartitionsToTxn (24), AddOffsetsToTxn (25), EndTxn (26),
// WriteTxnMarkers (27), TxnOffsetCommit (28)
struct AddPartitionsToTxnRequest {
  struct Transaction {
    std::string transactional_id;
    ProducerId producer_id = kNoProducerId;
    ProducerEpoch producer_epoch = kNoProducerEpoch;
    bool verify_only = false;  // only says whether the partitions are in the transaction
    std::vector<TopicPartition> partitions;
  };
  bool from_broker = false;               // version 4 and above
  std::vector<Transaction> transactions;  // a client's request has one
};
struct AddPartitionsToTxnResponse {
  struct Partition {
    TopicPartition tp;
    ErrorCode error = ErrorCode::none;
  };
  struct Transaction {
    std::string transactional_id;
    std::vector<Partition> partitions;
  };
  ErrorCode error = ErrorCode::none;  // version 4 and above
  std::vector<Transaction> transactions;
};
struct AddOffsetsToTxnRequest {
  std::string transactional_id;
  ProducerId producer_id = kNoProducerId;
  ProducerEpoch producer_epoch = kNoProducerEpoch;
  std::string group;
};
struct AddOffsetsToTxnResponse {
  ErrorCode error = ErrorCode::none;
};
struct EndTxnRequest {
  std::string transactional_id;
  ProducerId producer_id = kNoProducerId;
  ProducerEpoch producer_epoch = kNoProducerEpoch;
  bool committed = false;
  TransactionVersion transaction_version = kTransactionVersion2;  // 2: version 5 and above; 0: below
};
struct EndTxnResponse {
  ErrorCode error = ErrorCode::none;
  ProducerId producer_id = kNoProducerId;  // from version 5 on: what the next transaction uses
  ProducerEpoch producer_epoch = kNoProducerEpoch;
};
struct WriteTxnMarkersRequest {
  struct Marker {
    ProducerId producer_id = kNoProducerId;
    ProducerEpoch producer_epoch = kNoProducerEpoch;
    bool committed = false;
    CoordinatorEpoch coordinator_epoch = kNoCoordinatorEpoch;
    std::vector<TopicPartition> partitions;
    TransactionVersion transaction_version = kTransactionVersion0;  // KIP-1228, from version 2 on
  };
  std::vector<Marker> markers;
};
struct WriteTxnMarkersResponse {
  struct Partition {
    TopicPartition tp;
    ErrorCode error = ErrorCode::none;
  };
  struct Marker {
    ProducerId producer_id = kNoProducerId;
    std::vector<Partition> partitions;
  };
  std::vector<Marker> markers;
};

// ---- AllocateProducerIds (67): a broker asks the controller for a block of 1000
struct AllocateProducerIdsRequest {
  NodeId broker = kNoNode;
  BrokerEpoch broker_epoch = kNoBrokerEpoch;
};
struct AllocateProducerIdsResponse {
  ErrorCode error = ErrorCode::none;
  ProducerId first{0};
  std::int32_t count = 0;
};

// ---- CreateTopics (19): from brokers, for topics that clients ask for, and from administrators
struct CreateTopicsRequest {
  struct Topic {
    std::string name;
    std::int32_t partitions = -1;          // -1 = num.partitions
    std::int16_t replication_factor = -1;  // -1 = default.replication.factor
    bool has_config = false;
    TopicConfig config;
    // Of each partition, its preferred leader first (kafka-topics --replica-assignment); empty: they are
    // placed.
    std::vector<std::vector<NodeId>> replicas{};
  };
  std::vector<Topic> topics;
};
struct CreateTopicsResponse {
  struct Topic {
    std::string name;
    ErrorCode error = ErrorCode::none;
    TopicId id = kNoTopic;
  };
  std::vector<Topic> topics;
};

// ---- FindCoordinator (10)
enum class CoordinatorType : std::int8_t { group, transaction };  // the request's key_type

struct FindCoordinatorRequest {
  std::string key;  // group.id, or transactional.id
  CoordinatorType type = CoordinatorType::group;
};
struct FindCoordinatorResponse {
  ErrorCode error = ErrorCode::none;
  NodeId node = kNoNode;
  ProcessId endpoint = kNoProcess;
};

// ---- Classic groups: JoinGroup (11), SyncGroup (14), Heartbeat (12), LeaveGroup (13)
struct Subscription {  // ConsumerProtocolSubscription
  std::vector<TopicId> topics;
  std::vector<TopicPartition> owned;
  Generation generation = kNoGeneration;
  std::string rack;
  auto operator<=>(const Subscription&) const = default;
};
struct JoinGroupRequest {
  struct Protocol {
    std::string name;  // assignor
    Subscription subscription;
    auto operator<=>(const Protocol&) const = default;
  };
  std::string group;
  std::string member_id;
  std::string group_instance_id;  // empty = dynamic
  std::string client_id;
  std::int32_t session_timeout_ms = 45'000;
  std::int32_t rebalance_timeout_ms = 300'000;
  std::string protocol_type = "consumer";
  std::vector<Protocol> protocols;
};
struct JoinGroupResponse {
  struct Member {
    std::string member_id;
    std::string group_instance_id;
    Subscription subscription;
  };
  ErrorCode error = ErrorCode::none;
  Generation generation = kNoGeneration;
  std::string protocol;
  std::string leader;
  std::string member_id;
  bool skip_assignment = false;
  std::vector<Member> members;  // only for the leader
};
struct SyncGroupRequest {
  struct Assignment {
    std::string member_id;
    std::vector<TopicPartition> partitions;
  };
  std::string group;
  Generation generation = kNoGeneration;
  std::string member_id;
  std::string group_instance_id;
  std::vector<Assignment> assignments;  // only from the leader
};
struct SyncGroupResponse {
  ErrorCode error = ErrorCode::none;
  std::vector<TopicPartition> assignment;
};
struct HeartbeatRequest {
  std::string group;
  Generation generation = kNoGeneration;
  std::string member_id;
  std::string group_instance_id;
};
struct HeartbeatResponse {
  ErrorCode error = ErrorCode::none;
};
enum class LeaveReason : std::uint8_t { none, closed, poll_timeout };
struct LeaveGroupRequest {
  std::string group;
  std::string member_id;
  std::string group_instance_id;
  LeaveReason reason = LeaveReason::none;  // Kafka sends words (KIP-800), which count in its size
};
struct LeaveGroupResponse {
  ErrorCode error = ErrorCode::none;
};

// ---- ConsumerGroupHeartbeat (68): joining, staying, acknowledging and leaving a group of KIP-848, all in
// one. What a member has told before and what has not changed is left out (absent).
inline constexpr Generation kJoinEpoch{0};               // the member epoch that joins
inline constexpr Generation kLeaveEpoch{-1};             // leaves
inline constexpr Generation kLeaveStaticEpoch{-2};       // leaves for a while: its partitions are kept for it
inline constexpr std::int32_t kNoRebalanceTimeout = -1;  // absent
struct ConsumerGroupHeartbeatRequest {
  std::string group;
  std::string member_id;  // made by the client
  Generation member_epoch = kJoinEpoch;
  std::string group_instance_id;  // empty = dynamic
  std::string client_id;          // of the request's header
  std::string rack;               // empty = absent
  std::int32_t rebalance_timeout_ms = kNoRebalanceTimeout;
  std::optional<std::vector<std::string>> subscribed_topics;
  std::optional<std::string> subscribed_regex;  // RE2/J; empty = none any more
  std::string server_assignor;                  // empty = absent
  std::optional<std::vector<TopicPartition>> owned;
  LeaveReason leave_reason = LeaveReason::none;  // not on the wire: for the facts alone

  // A request of somebody who joins, or makes sure after an error that nothing was lost.
  bool is_full() const {
    return rebalance_timeout_ms != kNoRebalanceTimeout && (subscribed_topics || subscribed_regex) && owned;
  }
};
struct ConsumerGroupHeartbeatResponse {
  ErrorCode error = ErrorCode::none;
  std::string member_id;
  Generation member_epoch{0};
  std::int32_t heartbeat_interval_ms = 0;
  std::optional<std::vector<TopicPartition>> assignment;  // absent: unchanged
};

// ---- OffsetCommit (8), OffsetFetch (9)
struct OffsetCommitRequest {
  struct Partition {
    TopicPartition tp;
    Offset offset = kNoOffset;  // the next offset to read
    LeaderEpoch leader_epoch = kNoLeaderEpoch;
  };
  std::string group;
  Generation generation = kNoGeneration;  // or member epoch (KIP-848)
  std::string member_id;
  std::string group_instance_id;
  std::vector<Partition> partitions;
};
struct OffsetCommitResponse {
  struct Partition {
    TopicPartition tp;
    ErrorCode error = ErrorCode::none;
  };
  std::vector<Partition> partitions;
};
struct TxnOffsetCommitRequest {  // to the group's coordinator, in the producer's name
  std::string transactional_id;
  std::string group;
  ProducerId producer_id = kNoProducerId;
  ProducerEpoch producer_epoch = kNoProducerEpoch;
  Generation generation = kNoGeneration;  // KIP-447; -1 with no member id: not checked
  std::string member_id;
  std::string group_instance_id;
  std::vector<OffsetCommitRequest::Partition> partitions;
  TransactionSupport transaction_support = TransactionSupport::add_partition;
};
struct TxnOffsetCommitResponse {
  struct Partition {
    TopicPartition tp;
    ErrorCode error = ErrorCode::none;
  };
  std::vector<Partition> partitions;
};
struct OffsetFetchRequest {
  std::string group;
  std::string member_id;
  bool require_stable = false;
  std::vector<TopicPartition> partitions;
  Generation member_epoch = kNoGeneration;  // of a member of a KIP-848 group; -1 = not checked
};
struct OffsetFetchResponse {
  struct Partition {
    TopicPartition tp;
    ErrorCode error = ErrorCode::none;
    Offset offset = kNoOffset;
    LeaderEpoch leader_epoch = kNoLeaderEpoch;
  };
  ErrorCode error = ErrorCode::none;
  std::vector<Partition> partitions;
};

// ---- AlterPartition (56): a leader asks the controller to change its ISR
struct AlterPartitionRequest {
  struct IsrMember {
    NodeId broker = kNoNode;
    BrokerEpoch broker_epoch = kNoBrokerEpoch;  // -1 = not checked
  };
  struct Partition {
    TopicPartition tp;
    LeaderEpoch leader_epoch = kNoLeaderEpoch;
    std::vector<IsrMember> new_isr;
    LeaderRecoveryState recovery = LeaderRecoveryState::recovered;
    PartitionEpoch partition_epoch{0};
  };
  NodeId broker = kNoNode;
  BrokerEpoch broker_epoch = kNoBrokerEpoch;
  std::vector<Partition> partitions;
};
struct AlterPartitionResponse {
  struct Partition {
    TopicPartition tp;
    ErrorCode error = ErrorCode::none;
    NodeId leader = kNoNode;
    LeaderEpoch leader_epoch = kNoLeaderEpoch;
    std::vector<NodeId> isr;
    LeaderRecoveryState recovery = LeaderRecoveryState::recovered;
    PartitionEpoch partition_epoch{0};
  };
  ErrorCode error = ErrorCode::none;
  std::vector<Partition> partitions;
};

// ---- BrokerRegistration (62), BrokerHeartbeat (63): a broker's life, told to the controller
struct BrokerRegistrationRequest {
  NodeId broker = kNoNode;
  std::uint64_t incarnation = 0;  // never 0 in a real request
  ProcessId endpoint = kNoProcess;
  std::string rack;                                    // empty = none
  BrokerEpoch previous_broker_epoch = kNoBrokerEpoch;  // -1 = was not shut down cleanly
  std::vector<DirectoryId> log_dirs{};                 // KIP-858, those that are online; empty: its only one
};
struct BrokerRegistrationResponse {
  ErrorCode error = ErrorCode::none;
  BrokerEpoch broker_epoch = kNoBrokerEpoch;
};
struct ControllerRegistrationRequest {  // KIP-919
  NodeId controller = kNoNode;
  std::uint64_t incarnation = 0;
  ProcessId endpoint = kNoProcess;
};
struct ControllerRegistrationResponse {
  ErrorCode error = ErrorCode::none;
};
struct BrokerHeartbeatRequest {
  NodeId broker = kNoNode;
  BrokerEpoch broker_epoch = kNoBrokerEpoch;
  Offset current_metadata_offset = kNoOffset;  // the highest it has applied
  bool want_fence = false;
  bool want_shut_down = false;
  std::vector<DirectoryId> offline_log_dirs{};
  bool tells_cordoned_log_dirs = false;  // KIP-1066: which are cordoned, here none
};
struct BrokerHeartbeatResponse {
  ErrorCode error = ErrorCode::none;
  bool is_caught_up = false;
  bool is_fenced = true;
  bool should_shut_down = false;
};

// ---- AssignReplicasToDirs (73): a broker tells which of its log directories its replicas lie in (KIP-858)
struct AssignReplicasToDirsRequest {
  struct Partition {
    TopicPartition tp;
    DirectoryId directory = kNoDirectory;
  };
  NodeId broker = kNoNode;
  BrokerEpoch broker_epoch = kNoBrokerEpoch;
  std::vector<Partition> partitions;
};
struct AssignReplicasToDirsResponse {
  struct Partition {
    TopicPartition tp;
    ErrorCode error = ErrorCode::none;
  };
  ErrorCode error = ErrorCode::none;
  std::vector<Partition> partitions;
};

// ---- The KRaft quorum: Vote (52), BeginQuorumEpoch (53), EndQuorumEpoch (54), FetchSnapshot (59).
// Fetch (1) replicates; epochs of __cluster_metadata travel in it as leader epochs.
struct QuorumLeader {  // in every answer: who leads, as far as the receiver knows
  QuorumEpoch quorum_epoch{0};
  NodeId leader = kNoNode;
  ProcessId endpoint = kNoProcess;
};
struct VoteRequest {
  ReplicaKey voter;  // who is asked
  ReplicaKey candidate;
  QuorumEpoch candidate_epoch{0};
  LeaderEpoch last_offset_epoch{0};
  Offset last_offset = 0;  // of the candidate's log: its end
  bool pre_vote = false;   // KIP-996
};
struct VoteResponse {
  ErrorCode error = ErrorCode::none;
  QuorumLeader current;
  bool vote_granted = false;
};
struct BeginQuorumEpochRequest {
  ReplicaKey voter;  // who is told
  NodeId leader = kNoNode;
  ProcessId leader_endpoint = kNoProcess;
  QuorumEpoch quorum_epoch{0};
};
struct BeginQuorumEpochResponse {
  ErrorCode error = ErrorCode::none;
  QuorumLeader current;
};
struct EndQuorumEpochRequest {
  NodeId leader = kNoNode;
  ProcessId leader_endpoint = kNoProcess;
  QuorumEpoch quorum_epoch{0};
  std::vector<ReplicaKey> preferred_candidates;  // best first
};
struct EndQuorumEpochResponse {
  ErrorCode error = ErrorCode::none;
  QuorumLeader current;
};
struct FetchSnapshotRequest {
  ReplicaKey replica;
  QuorumEpoch current_leader_epoch{0};
  SnapshotId snapshot_id;
  std::int64_t position = 0;
  std::int32_t max_bytes = 8'388'608;
};
struct FetchSnapshotResponse {
  ErrorCode error = ErrorCode::none;
  QuorumLeader current;
  SnapshotId snapshot_id;
  std::int64_t size = 0;
  std::int64_t position = 0;
  std::int64_t bytes = 0;        // of the slice
  MetadataSnapshotPtr snapshot;  // what the slices add up to
};

// ---- Voter changes (KIP-853): AddRaftVoter (80), RemoveRaftVoter (81), UpdateRaftVoter (82)
struct AddRaftVoterRequest {
  QuorumVoter voter;
  std::int32_t timeout_ms = 30'000;
};
struct AddRaftVoterResponse {
  ErrorCode error = ErrorCode::none;
};
struct RemoveRaftVoterRequest {
  ReplicaKey voter;
};
struct RemoveRaftVoterResponse {
  ErrorCode error = ErrorCode::none;
};
struct UpdateRaftVoterRequest {
  QuorumEpoch current_leader_epoch{0};
  QuorumVoter voter;
};
struct UpdateRaftVoterResponse {
  ErrorCode error = ErrorCode::none;
  QuorumLeader current;
};

// ---- What an administrator asks for, in names: ElectLeaders (43), AlterPartitionReassignments (45),
// DeleteTopics (20), IncrementalAlterConfigs (44), CreatePartitions (37). Forwarded by brokers to the active
// controller.
struct NamedPartition {
  std::string topic;
  std::int32_t partition = 0;
  auto operator<=>(const NamedPartition&) const = default;
};
enum class ElectionType : std::int8_t { preferred = 0, unclean = 1 };
struct ElectLeadersRequest {
  ElectionType type = ElectionType::preferred;
  bool all_partitions = false;  // answered only for those that do not have the leader they should have
  std::vector<NamedPartition> partitions;
};
struct ElectLeadersResponse {
  struct Partition {
    NamedPartition partition;
    ErrorCode error = ErrorCode::none;
  };
  ErrorCode error = ErrorCode::none;
  std::vector<Partition> partitions;
};
struct AlterPartitionReassignmentsRequest {
  struct Partition {
    NamedPartition partition;
    std::vector<NodeId> replicas;  // the first is the preferred leader
    bool cancels = false;          // replicas null: takes back what is under way
  };
  std::vector<Partition> partitions;
};
struct AlterPartitionReassignmentsResponse {
  struct Partition {
    NamedPartition partition;
    ErrorCode error = ErrorCode::none;
  };
  ErrorCode error = ErrorCode::none;
  std::vector<Partition> partitions;
};
struct TopicResult {
  std::string name;
  ErrorCode error = ErrorCode::none;
};
struct DeleteTopicsRequest {
  std::vector<std::string> topics;
};
struct DeleteTopicsResponse {
  std::vector<TopicResult> topics;
};
struct IncrementalAlterConfigsRequest {
  struct Entry {
    std::string name;      // retention.ms, ...
    std::string value;     // in Kafka's spelling
    bool deletes = false;  // back to the default
  };
  struct Topic {
    std::string name;
    std::vector<Entry> entries;
  };
  std::vector<Topic> topics;
};
struct IncrementalAlterConfigsResponse {
  std::vector<TopicResult> topics;
};
struct CreatePartitionsRequest {
  struct Topic {
    std::string name;
    std::int32_t count = 0;  // in all
  };
  std::vector<Topic> topics;
};
struct CreatePartitionsResponse {
  std::vector<TopicResult> topics;
};
using AdminRequest =
    std::variant<ElectLeadersRequest, AlterPartitionReassignmentsRequest, DeleteTopicsRequest,
                 IncrementalAlterConfigsRequest, CreatePartitionsRequest, CreateTopicsRequest>;

// The answer that is never sent (Kafka's RequestChannel.NoOpResponse): a produce with acks=0 is
// done; the host lets the connection's next request in and sends nothing.
struct NoOpResponse {};

using AnyMessage = std::variant<
    ApiVersionsRequest, ApiVersionsResponse, MetadataRequest, MetadataResponse, ProduceRequest,
    ProduceResponse, FetchRequest, FetchResponse, ListOffsetsRequest, ListOffsetsResponse,
    OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse, InitProducerIdRequest, InitProducerIdResponse,
    AllocateProducerIdsRequest, AllocateProducerIdsResponse, CreateTopicsRequest, CreateTopicsResponse,
    FindCoordinatorRequest, FindCoordinatorResponse, JoinGroupRequest, JoinGroupResponse, SyncGroupRequest,
    SyncGroupResponse, HeartbeatRequest, HeartbeatResponse, LeaveGroupRequest, LeaveGroupResponse,
    ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse, OffsetCommitRequest, OffsetCommitResponse,
    OffsetFetchRequest, OffsetFetchResponse, AlterPartitionRequest, AlterPartitionResponse,
    BrokerRegistrationRequest, BrokerRegistrationResponse, BrokerHeartbeatRequest, BrokerHeartbeatResponse,
    AssignReplicasToDirsRequest, AssignReplicasToDirsResponse, ControllerRegistrationRequest,
    ControllerRegistrationResponse, VoteRequest, VoteResponse, BeginQuorumEpochRequest,
    BeginQuorumEpochResponse, EndQuorumEpochRequest, EndQuorumEpochResponse, FetchSnapshotRequest,
    FetchSnapshotResponse, AddRaftVoterRequest, AddRaftVoterResponse, RemoveRaftVoterRequest,
    RemoveRaftVoterResponse, UpdateRaftVoterRequest, UpdateRaftVoterResponse, ElectLeadersRequest,
    ElectLeadersResponse, AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse,
    DeleteTopicsRequest, DeleteTopicsResponse, IncrementalAlterConfigsRequest,
    IncrementalAlterConfigsResponse, CreatePartitionsRequest, CreatePartitionsResponse, NoOpResponse,
    AddPartitionsToTxnRequest, AddPartitionsToTxnResponse, AddOffsetsToTxnRequest, AddOffsetsToTxnResponse,
    EndTxnRequest, EndTxnResponse, WriteTxnMarkersRequest, WriteTxnMarkersResponse, TxnOffsetCommitRequest,
    TxnOffsetCommitResponse>;

// One of them. A variant of so many costs every file seconds to copy, move or destroy, so that is compiled
// once, in messages.cc.
class Message : public AnyMessage {
 public:
  Message();
  template <AlternativeOf<AnyMessage> M>
  Message(M message);
  Message(const Message&);
  Message(Message&&) noexcept;
  Message& operator=(const Message&);
  Message& operator=(Message&&) noexcept;
  ~Message();
  // Lets go of what it holds.
  void clear();
};

// Kafka's name of the message, e.g. "FetchRequest".
const char* name(const Message& message);

// Bytes on the wire, length prefix and headers included, as the newest version of the API encodes
// it. Record batches count to the byte; other fields by their encoding's size. Where Kafka sends a text that
// is not carried here (topic and host names, client.id, error messages) a typical length is assumed.
std::int64_t wire_size(const Message& message);

}  // namespace sim
