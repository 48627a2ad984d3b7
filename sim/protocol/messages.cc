#include "protocol/messages.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>

#include "protocol/wire.h"

// One size_of() per message, after the schemas in clients/src/main/resources/common/message of Kafka
// (4.1's newest versions; all flexible). Our partitions lie in flat lists; a run of the same topic is
// one entry of Kafka's nested lists.
namespace sim {
namespace {

using namespace wire;

constexpr std::int64_t kLengthPrefix = 4;
constexpr std::int64_t kRequestHeader = kInt16 + kInt16 + kInt32 + kInt16 + kClientIdBytes + kTags;  // v2
constexpr std::int64_t kResponseHeader = kInt32 + kTags;                                             // v1
constexpr std::int64_t kRequest = kLengthPrefix + kRequestHeader + kTags;
constexpr std::int64_t kResponse = kLengthPrefix + kResponseHeader + kTags;
constexpr std::int64_t kThrottled = kResponse + kInt32;  // most responses open with throttle_time_ms

constexpr std::int64_t kTopicName = compact_bytes(kTopicNameBytes);
constexpr std::int64_t kHostAndPort = compact_bytes(kHostNameBytes) + kInt32;
constexpr std::int64_t kNull = 1;         // a null string, array or byte sequence
constexpr std::int64_t kClientApis = 62;  // keys that a broker lists in ApiVersions

// Empty stands for null.
std::int64_t nullable(std::string_view text) {
  return text.empty() ? kNull : compact(text);
}

TopicId topic_of(TopicPartition tp) {
  return tp.topic;
}
template <class Partition>
TopicId topic_of(const Partition& partition) {
  return partition.tp.topic;
}

// Partitions nested under their topics; a topic entry opens with its id or its name.
template <class Partition, class SizeOf>
std::int64_t by_topic(const std::vector<Partition>& partitions, std::int64_t topic_key, SizeOf size_of) {
  std::int64_t bytes = 0;
  std::int64_t topics = 0;
  for (std::size_t i = 0; i < partitions.size();) {
    const TopicId topic = topic_of(partitions[i]);
    std::int64_t run = 0;
    for (; i < partitions.size() && topic_of(partitions[i]) == topic; ++i, ++run)
      bytes += size_of(partitions[i]);
    bytes += topic_key + compact_length(run) + kTags;
    ++topics;
  }
  return bytes + compact_length(topics);
}

template <class Partition>
std::int64_t by_topic_each(const std::vector<Partition>& partitions, std::int64_t topic_key,
                           std::int64_t each) {
  return by_topic(partitions, topic_key, [each](const Partition&) { return each; });
}

// Of a partition's leader that is told with an error (KIP-951), and its end point beside the topics.
std::int64_t hint_bytes(const LeaderHint& hint) {
  return hint.leader == kNoNode ? 0 : tagged(kInt32 + kInt32 + kTags);
}
template <class Partition>
std::int64_t endpoint_bytes(const std::vector<Partition>& partitions) {
  std::int64_t hinted = 0;
  for (const Partition& partition : partitions)
    hinted += partition.current_leader.endpoint == kNoProcess ? 0 : 1;
  return hinted == 0 ? 0 : tagged(compact_length(hinted) + hinted * (kInt32 + kHostAndPort + kNull + kTags));
}

// ---- Embedded ConsumerProtocol*: not flexible, behind a version and inside compact bytes

std::int64_t plain_by_topic(const std::vector<TopicPartition>& partitions) {
  std::int64_t bytes = kInt32;
  TopicId topic = kNoTopic;
  for (const TopicPartition& tp : partitions) {
    if (tp.topic != topic) bytes += kInt16 + kTopicNameBytes + kInt32;
    topic = tp.topic;
    bytes += kInt32;
  }
  return bytes;
}
std::int64_t subscription_bytes(const Subscription& subscription) {
  const auto topics = static_cast<std::int64_t>(subscription.topics.size());
  return compact_bytes(kInt16 + kInt32 + topics * (kInt16 + kTopicNameBytes) + kInt32 +
                       plain_by_topic(subscription.owned) + kInt32 + plain(subscription.rack));
}
std::int64_t assignment_bytes(const std::vector<TopicPartition>& partitions) {
  if (partitions.empty()) return compact_bytes(0);
  return compact_bytes(kInt16 + plain_by_topic(partitions) + kInt32);
}

// ---- Messages

std::int64_t size_of(const ApiVersionsRequest&) {
  return kRequest + compact_bytes(17) + compact_bytes(5);
}
std::int64_t size_of(const ApiVersionsResponse&) {
  constexpr std::int64_t kApi = 3 * kInt16 + kTags;
  return kLengthPrefix + kInt32 /* header v0 */ + kInt16 + compact_length(kClientApis) + kClientApis * kApi +
         kInt32 + kTags;
}

std::int64_t size_of(const MetadataRequest& m) {
  const std::int64_t topics =
      m.all_topics ? kNull
                   : array(m.topics, [](const std::string& topic) { return kUuid + compact(topic) + kTags; });
  return kRequest + topics + kBool + kBool;
}
std::int64_t size_of(const MetadataResponse& m) {
  constexpr std::int64_t kClusterId = compact_bytes(22);
  const auto partition = [](const MetadataResponse::Partition& p) {
    return kInt16 + 3 * kInt32 + array_of(p.replicas, kInt32) + array_of(p.isr, kInt32) + compact_length(0) +
           kTags;
  };
  const auto topic = [&partition](const MetadataResponse::Topic& t) {
    return kInt16 + compact(t.name) + kUuid + kBool + array(t.partitions, partition) + kInt32 + kTags;
  };
  const auto broker = [](const MetadataResponse::Broker& b) {
    return kInt32 + kHostAndPort + compact(b.rack) + kTags;
  };
  return kThrottled + array(m.brokers, broker) + kClusterId + kInt32 + array(m.topics, topic) + kInt16;
}

std::int64_t size_of(const ProduceRequest& m) {
  return kRequest + nullable(m.transactional_id) + kInt16 + kInt32 +
         by_topic(m.partitions, kUuid, [](const ProduceRequest::Partition& p) {
           return kInt32 + compact_bytes(p.batch == nullptr ? 0 : p.batch->size_bytes) + kTags;
         });
}
std::int64_t size_of(const ProduceResponse& m) {
  const auto partition = [](const ProduceResponse::Partition& p) {
    return kInt32 + kInt16 + 3 * kInt64 + compact_length(0) + kNull + kTags + hint_bytes(p.current_leader);
  };
  return kThrottled + by_topic(m.partitions, kUuid, partition) + endpoint_bytes(m.partitions);
}

std::int64_t size_of(const FetchRequest& m) {
  const auto partition = [](const FetchRequest::Partition& p) {
    return kInt32 + kInt32 + kInt64 + kInt32 + kInt64 + kInt32 + kTags +
           (p.high_watermark == kNoOffset ? 0 : tagged(kInt64)) +
           (p.replica_directory == kNoDirectory ? 0 : tagged(kUuid));
  };
  const std::int64_t replica = m.replica == kNoNode ? 0 : tagged(kInt32 + kInt64 + kTags);
  return kRequest + replica + 3 * kInt32 + kInt8 + 2 * kInt32 + by_topic(m.partitions, kUuid, partition) +
         by_topic_each(m.forgotten, kUuid, kInt32) + compact(m.rack);
}
std::int64_t size_of(const FetchResponse& m) {
  const auto partition = [](const FetchResponse::Partition& p) {
    std::int64_t batches = 0;
    for (const Batch& batch : p.batches) batches += batch.size_bytes();
    return kInt32 + kInt16 + 3 * kInt64 + array_of(p.aborted_transactions, 2 * kInt64 + kTags) + kInt32 +
           compact_bytes(batches) + kTags + hint_bytes(p.current_leader) +
           (p.diverging_epoch.end_offset == kNoOffset ? 0 : tagged(kInt32 + kInt64 + kTags)) +
           (p.snapshot_id.end_offset == kNoOffset ? 0 : tagged(kInt64 + kInt32 + kTags));
  };
  return kThrottled + kInt16 + kInt32 + by_topic(m.partitions, kUuid, partition) +
         endpoint_bytes(m.partitions);
}

std::int64_t size_of(const ListOffsetsRequest& m) {
  return kRequest + kInt32 + kInt8 + by_topic_each(m.partitions, kTopicName, 2 * kInt32 + kInt64 + kTags) +
         kInt32;
}
std::int64_t size_of(const ListOffsetsResponse& m) {
  return kThrottled + by_topic_each(m.partitions, kTopicName, kInt32 + kInt16 + 2 * kInt64 + kInt32 + kTags);
}
std::int64_t size_of(const OffsetForLeaderEpochRequest& m) {
  return kRequest + kInt32 + by_topic_each(m.partitions, kTopicName, 3 * kInt32 + kTags);
}
std::int64_t size_of(const OffsetForLeaderEpochResponse& m) {
  return kThrottled + by_topic_each(m.partitions, kTopicName, kInt16 + 2 * kInt32 + kInt64 + kTags);
}

std::int64_t size_of(const InitProducerIdRequest& m) {
  return kRequest + nullable(m.transactional_id) + kInt32 + kInt64 + kInt16;
}
std::int64_t size_of(const InitProducerIdResponse&) {
  return kThrottled + kInt16 + kInt64 + kInt16;
}

std::int64_t size_of(const AddPartitionsToTxnRequest& m) {
  std::int64_t bytes = kRequest + (m.from_broker ? compact_length(std::ssize(m.transactions)) : 0);
  for (const AddPartitionsToTxnRequest::Transaction& one : m.transactions) {
    bytes += compact(one.transactional_id) + kInt64 + kInt16 +
             by_topic_each(one.partitions, kTopicName, kInt32) + (m.from_broker ? kBool + kTags : 0);
  }
  return bytes;
}
std::int64_t size_of(const AddPartitionsToTxnResponse& m) {
  const auto transaction = [](const AddPartitionsToTxnResponse::Transaction& one) {
    return compact(one.transactional_id) +
           by_topic_each(one.partitions, kTopicName, kInt32 + kInt16 + kTags) + kTags;
  };
  return kThrottled + kInt16 + array(m.transactions, transaction);
}
std::int64_t size_of(const AddOffsetsToTxnRequest& m) {
  return kRequest + compact(m.transactional_id) + kInt64 + kInt16 + compact(m.group);
}
std::int64_t size_of(const AddOffsetsToTxnResponse&) {
  return kThrottled + kInt16;
}
std::int64_t size_of(const EndTxnRequest& m) {
  return kRequest + compact(m.transactional_id) + kInt64 + kInt16 + kBool;
}
std::int64_t size_of(const EndTxnResponse&) {
  return kThrottled + kInt16 + kInt64 + kInt16;
}
std::int64_t size_of(const WriteTxnMarkersRequest& m) {
  const auto marker = [](const WriteTxnMarkersRequest::Marker& one) {
    return kInt64 + kInt16 + kBool + by_topic_each(one.partitions, kTopicName, kInt32) + kInt32 + kTags +
           (one.transaction_version == kTransactionVersion0 ? 0 : kInt8);
  };
  return kRequest + array(m.markers, marker);
}
std::int64_t size_of(const WriteTxnMarkersResponse& m) {
  const auto marker = [](const WriteTxnMarkersResponse::Marker& one) {
    return kInt64 + by_topic_each(one.partitions, kTopicName, kInt32 + kInt16 + kTags) + kTags;
  };
  return kResponse + array(m.markers, marker);
}
std::int64_t size_of(const TxnOffsetCommitRequest& m) {
  constexpr std::int64_t kEach = kInt32 + kInt64 + kInt32 + compact_bytes(0) + kTags;
  return kRequest + compact(m.transactional_id) + compact(m.group) + kInt64 + kInt16 + kInt32 +
         compact(m.member_id) + nullable(m.group_instance_id) +
         by_topic_each(m.partitions, kTopicName, kEach);
}
std::int64_t size_of(const TxnOffsetCommitResponse& m) {
  return kThrottled + by_topic_each(m.partitions, kTopicName, kInt32 + kInt16 + kTags);
}

std::int64_t size_of(const AllocateProducerIdsRequest&) {
  return kRequest + kInt32 + kInt64;
}
std::int64_t size_of(const AllocateProducerIdsResponse&) {
  return kThrottled + kInt16 + kInt64 + kInt32;
}

std::int64_t size_of(const CreateTopicsRequest& m) {
  const auto topic = [](const CreateTopicsRequest::Topic& t) {
    return compact(t.name) + kInt32 + kInt16 + compact_length(0) + compact_length(0) + kTags;
  };
  return kRequest + array(m.topics, topic) + kInt32 + kBool;
}
std::int64_t size_of(const CreateTopicsResponse& m) {
  const auto topic = [](const CreateTopicsResponse::Topic& t) {
    return compact(t.name) + kUuid + kInt16 + kNull + kInt32 + kInt16 + kNull + kTags;
  };
  return kThrottled + array(m.topics, topic);
}

std::int64_t size_of(const FindCoordinatorRequest& m) {
  return kRequest + kInt8 + compact_length(1) + compact(m.key);
}
std::int64_t size_of(const FindCoordinatorResponse&) {
  return kThrottled + compact_length(1) + compact_bytes(kClientIdBytes) + kInt32 + kHostAndPort + kInt16 +
         kNull + kTags;
}

std::int64_t size_of(const JoinGroupRequest& m) {
  const auto protocol = [](const JoinGroupRequest::Protocol& p) {
    return compact(p.name) + subscription_bytes(p.subscription) + kTags;
  };
  return kRequest + compact(m.group) + 2 * kInt32 + compact(m.member_id) + compact(m.group_instance_id) +
         compact(m.protocol_type) + array(m.protocols, protocol) + kNull;
}
std::int64_t size_of(const JoinGroupResponse& m) {
  const auto member = [](const JoinGroupResponse::Member& one) {
    return compact(one.member_id) + compact(one.group_instance_id) + subscription_bytes(one.subscription) +
           kTags;
  };
  return kThrottled + kInt16 + kInt32 + compact_bytes(8) + compact(m.protocol) + compact(m.leader) + kBool +
         compact(m.member_id) + array(m.members, member);
}
std::int64_t size_of(const SyncGroupRequest& m) {
  const auto assignment = [](const SyncGroupRequest::Assignment& a) {
    return compact(a.member_id) + assignment_bytes(a.partitions) + kTags;
  };
  return kRequest + compact(m.group) + kInt32 + compact(m.member_id) + compact(m.group_instance_id) +
         compact_bytes(8) + compact_bytes(5) + array(m.assignments, assignment);
}
std::int64_t size_of(const SyncGroupResponse& m) {
  return kThrottled + kInt16 + compact_bytes(8) + compact_bytes(5) + assignment_bytes(m.assignment);
}
std::int64_t size_of(const HeartbeatRequest& m) {
  return kRequest + compact(m.group) + kInt32 + compact(m.member_id) + compact(m.group_instance_id);
}
std::int64_t size_of(const HeartbeatResponse&) {
  return kThrottled + kInt16;
}
std::int64_t size_of(const LeaveGroupRequest& m) {
  constexpr std::string_view kWords[] = {"", "the consumer is being closed",
                                         "consumer poll timeout has expired."};
  const std::string_view words = kWords[static_cast<std::size_t>(m.reason)];
  const std::int64_t reason = words.empty() ? kNull : compact_bytes(static_cast<std::int64_t>(words.size()));
  return kRequest + compact(m.group) + compact_length(1) + compact(m.member_id) +
         compact(m.group_instance_id) + reason + kTags;
}
std::int64_t size_of(const LeaveGroupResponse&) {
  return kThrottled + kInt16 + compact_length(0);
}

std::int64_t size_of(const ConsumerGroupHeartbeatRequest& m) {
  const auto text = [](const std::string& one) { return compact(one); };
  return kRequest + compact(m.group) + compact(m.member_id) + kInt32 + compact(m.group_instance_id) +
         compact(m.rack) + kInt32 + (m.subscribed_topics ? array(*m.subscribed_topics, text) : kNull) +
         compact(m.subscribed_regex.value_or("")) + compact(m.server_assignor) +
         (m.owned ? by_topic_each(*m.owned, kUuid, kInt32) : kNull);
}
std::int64_t size_of(const ConsumerGroupHeartbeatResponse& m) {
  return kThrottled + kInt16 + kNull + compact(m.member_id) + kInt32 + kInt32 +
         (m.assignment ? kInt8 + by_topic_each(*m.assignment, kUuid, kInt32) + kTags : kInt8);
}

std::int64_t size_of(const OffsetCommitRequest& m) {
  constexpr std::int64_t kEach = kInt32 + kInt64 + kInt32 + compact_bytes(0) + kTags;
  return kRequest + compact(m.group) + kInt32 + compact(m.member_id) + compact(m.group_instance_id) +
         by_topic_each(m.partitions, kUuid, kEach);
}
std::int64_t size_of(const OffsetCommitResponse& m) {
  return kThrottled + by_topic_each(m.partitions, kUuid, kInt32 + kInt16 + kTags);
}
std::int64_t size_of(const OffsetFetchRequest& m) {
  return kRequest + compact_length(1) + compact(m.group) + compact(m.member_id) + kInt32 +
         by_topic_each(m.partitions, kUuid, kInt32) + kTags + kBool;
}
std::int64_t size_of(const OffsetFetchResponse& m) {
  constexpr std::int64_t kEach = kInt32 + kInt64 + kInt32 + compact_bytes(0) + kInt16 + kTags;
  return kThrottled + compact_length(1) + compact_bytes(kClientIdBytes) +
         by_topic_each(m.partitions, kUuid, kEach) + kInt16 + kTags;
}

std::int64_t size_of(const AlterPartitionRequest& m) {
  const auto partition = [](const AlterPartitionRequest::Partition& p) {
    return 2 * kInt32 + array_of(p.new_isr, kInt32 + kInt64 + kTags) + kInt8 + kInt32 + kTags;
  };
  return kRequest + kInt32 + kInt64 + by_topic(m.partitions, kUuid, partition);
}
std::int64_t size_of(const AlterPartitionResponse& m) {
  const auto partition = [](const AlterPartitionResponse::Partition& p) {
    return kInt32 + kInt16 + 2 * kInt32 + array_of(p.isr, kInt32) + kInt8 + kInt32 + kTags;
  };
  return kThrottled + kInt16 + by_topic(m.partitions, kUuid, partition);
}
std::int64_t size_of(const BrokerRegistrationRequest& m) {
  constexpr std::int64_t kListener =
      compact_bytes(9) + compact_bytes(kHostNameBytes) + kInt16 + kInt16 + kTags;
  constexpr std::int64_t kFeature = compact_bytes(16) + 2 * kInt16 + kTags;
  return kRequest + kInt32 + compact_bytes(22) + kUuid + compact_length(1) + kListener + compact_length(1) +
         kFeature + compact(m.rack) + kBool + compact_length(1) +
         kUuid * std::max<std::int64_t>(1, std::ssize(m.log_dirs)) + kInt64;
}
std::int64_t size_of(const BrokerRegistrationResponse&) {
  return kThrottled + kInt16 + kInt64;
}
std::int64_t size_of(const ControllerRegistrationRequest&) {
  constexpr std::int64_t kListener =
      compact_bytes(10) + compact_bytes(kHostNameBytes) + kInt16 + kInt16 + kTags;
  return kRequest + kInt32 + kUuid + kBool + compact_length(1) + kListener + kSupportedFeaturesBytes;
}
std::int64_t size_of(const ControllerRegistrationResponse&) {
  return kThrottled + kInt16 + compact_bytes(0);
}
std::int64_t size_of(const BrokerHeartbeatRequest& m) {
  const std::int64_t offline = m.offline_log_dirs.empty() ? 0 : tagged(array_of(m.offline_log_dirs, kUuid));
  const std::int64_t cordoned = m.tells_cordoned_log_dirs ? tagged(compact_length(0)) : 0;
  return kRequest + kInt32 + 2 * kInt64 + 2 * kBool + offline + cordoned;
}
std::int64_t size_of(const BrokerHeartbeatResponse&) {
  return kThrottled + kInt16 + 3 * kBool;
}
std::int64_t size_of(const AssignReplicasToDirsRequest& m) {  // by directory, which are few, and topic
  const auto partition = [](const AssignReplicasToDirsRequest::Partition&) { return kInt32 + kTags; };
  return kRequest + kInt32 + kInt64 + compact_length(1) + kUuid + kTags +
         by_topic(m.partitions, kUuid, partition);
}
std::int64_t size_of(const AssignReplicasToDirsResponse& m) {
  const auto partition = [](const AssignReplicasToDirsResponse::Partition&) {
    return kInt32 + kInt16 + kTags;
  };
  return kThrottled + kInt16 + compact_length(1) + kUuid + kTags + by_topic(m.partitions, kUuid, partition);
}

// ---- The KRaft quorum. Topic name (__cluster_metadata) and cluster id are fixed.
constexpr std::int64_t kQuorumTopic =
    compact_length(1) + compact_bytes(18) + compact_length(1) + kInt32 + 2 * kTags;
constexpr std::int64_t kClusterUuid = compact_bytes(22);
constexpr std::int64_t kQuorumEndpoint = compact_length(1) + compact_bytes(10) + kHostAndPort + kTags;
std::int64_t node_endpoint(const QuorumLeader& current) {
  return current.leader == kNoNode ? 0 : tagged(compact_length(1) + kInt32 + kHostAndPort + kTags);
}
std::int64_t quorum_answer(const QuorumLeader& current) {
  return kResponse + kInt16 + kQuorumTopic + kInt16 + kInt32 + kInt32 + node_endpoint(current);
}

std::int64_t size_of(const VoteRequest&) {
  return kRequest + kClusterUuid + kInt32 + kQuorumTopic + 4 * kInt32 + 2 * kUuid + kInt64 + kBool;
}
std::int64_t size_of(const VoteResponse& m) {
  return quorum_answer(m.current) + kBool;
}
std::int64_t size_of(const BeginQuorumEpochRequest&) {
  return kRequest + kClusterUuid + kInt32 + kQuorumTopic + kUuid + 2 * kInt32 + kQuorumEndpoint;
}
std::int64_t size_of(const BeginQuorumEpochResponse& m) {
  return quorum_answer(m.current);
}
std::int64_t size_of(const EndQuorumEpochRequest& m) {
  return kRequest + kClusterUuid + kQuorumTopic + 2 * kInt32 + kNull +
         array_of(m.preferred_candidates, kInt32 + kUuid + kTags) + kQuorumEndpoint;
}
std::int64_t size_of(const EndQuorumEpochResponse& m) {
  return quorum_answer(m.current);
}
std::int64_t size_of(const FetchSnapshotRequest&) {
  return kRequest + 2 * kInt32 + kQuorumTopic + kInt32 + (kInt64 + kInt32 + kTags) + kInt64 +
         tagged(kClusterUuid) + tagged(kUuid);
}
std::int64_t size_of(const FetchSnapshotResponse& m) {
  return kThrottled + kInt16 + kQuorumTopic + kInt16 + (kInt64 + kInt32 + kTags) + 2 * kInt64 +
         compact_bytes(m.bytes) + tagged(2 * kInt32 + kTags) + node_endpoint(m.current);
}
std::int64_t size_of(const AddRaftVoterRequest&) {
  return kRequest + kClusterUuid + 2 * kInt32 + kUuid + kQuorumEndpoint;
}
std::int64_t size_of(const AddRaftVoterResponse&) {
  return kThrottled + kInt16 + kNull;
}
std::int64_t size_of(const RemoveRaftVoterRequest&) {
  return kRequest + kClusterUuid + kInt32 + kUuid;
}
std::int64_t size_of(const RemoveRaftVoterResponse&) {
  return kThrottled + kInt16 + kNull;
}
std::int64_t size_of(const UpdateRaftVoterRequest&) {
  return kRequest + kClusterUuid + 2 * kInt32 + kUuid + kQuorumEndpoint + 2 * kInt16 + kTags;
}
std::int64_t size_of(const UpdateRaftVoterResponse&) {
  return kThrottled + kInt16 + tagged(2 * kInt32 + kHostAndPort + kTags);
}

// ---- Administration: by names of topics; error messages are null
template <class Partition, class SizeOf>
std::int64_t by_name(const std::vector<Partition>& partitions, SizeOf size_of) {
  std::int64_t bytes = 0;
  std::int64_t topics = 0;
  for (std::size_t i = 0; i < partitions.size(); ++topics) {
    const std::string& topic = partitions[i].partition.topic;
    std::int64_t run = 0;
    for (; i < partitions.size() && partitions[i].partition.topic == topic; ++i, ++run)
      bytes += size_of(partitions[i]);
    bytes += compact(topic) + compact_length(run) + kTags;
  }
  return bytes + compact_length(topics);
}
std::int64_t topic_results(const std::vector<TopicResult>& topics, std::int64_t each) {
  return kThrottled + array(topics, [each](const TopicResult& one) {
           return compact(one.name) + kInt16 + kNull + each + kTags;
         });
}

std::int64_t size_of(const ElectLeadersRequest& m) {
  std::int64_t topics = kNull;
  if (!m.all_partitions) {
    topics = compact_length(0);
    for (std::size_t i = 0; i < m.partitions.size(); ++i) {
      topics += kInt32;
      if (i == 0 || m.partitions[i].topic != m.partitions[i - 1].topic)
        topics += compact(m.partitions[i].topic) + kNull + kTags;
    }
  }
  return kRequest + kInt8 + topics + kInt32;
}
std::int64_t size_of(const ElectLeadersResponse& m) {
  return kThrottled + kInt16 +
         by_name(m.partitions, [](const auto&) { return kInt32 + kInt16 + kNull + kTags; });
}
std::int64_t size_of(const AlterPartitionReassignmentsRequest& m) {
  return kRequest + kInt32 + by_name(m.partitions, [](const auto& one) {
           return kInt32 + (one.cancels ? kNull : array_of(one.replicas, kInt32)) + kTags;
         });
}
std::int64_t size_of(const AlterPartitionReassignmentsResponse& m) {
  return kThrottled + kInt16 + kNull +
         by_name(m.partitions, [](const auto&) { return kInt32 + kInt16 + kNull + kTags; });
}
std::int64_t size_of(const DeleteTopicsRequest& m) {
  return kRequest + array(m.topics, [](const std::string& topic) { return compact(topic) + kUuid + kTags; }) +
         kInt32;
}
std::int64_t size_of(const DeleteTopicsResponse& m) {
  return topic_results(m.topics, kUuid);
}
std::int64_t size_of(const IncrementalAlterConfigsRequest& m) {
  const auto entry = [](const IncrementalAlterConfigsRequest::Entry& one) {
    return compact(one.name) + kInt8 + (one.deletes ? kNull : compact(one.value)) + kTags;
  };
  const auto topic = [&entry](const IncrementalAlterConfigsRequest::Topic& one) {
    return kInt8 + compact(one.name) + array(one.entries, entry) + kTags;
  };
  return kRequest + array(m.topics, topic) + kBool;
}
std::int64_t size_of(const IncrementalAlterConfigsResponse& m) {
  return topic_results(m.topics, kInt8);
}
std::int64_t size_of(const CreatePartitionsRequest& m) {
  const auto topic = [](const CreatePartitionsRequest::Topic& one) {
    return compact(one.name) + kInt32 + kNull + kTags;
  };
  return kRequest + array(m.topics, topic) + kInt32 + kBool;
}
std::int64_t size_of(const CreatePartitionsResponse& m) {
  return topic_results(m.topics, 0);
}

std::int64_t size_of(const NoOpResponse&) {
  return 0;
}

const char* name_of(const ApiVersionsRequest&) {
  return "ApiVersionsRequest";
}
const char* name_of(const ApiVersionsResponse&) {
  return "ApiVersionsResponse";
}
const char* name_of(const MetadataRequest&) {
  return "MetadataRequest";
}
const char* name_of(const MetadataResponse&) {
  return "MetadataResponse";
}
const char* name_of(const ProduceRequest&) {
  return "ProduceRequest";
}
const char* name_of(const ProduceResponse&) {
  return "ProduceResponse";
}
const char* name_of(const FetchRequest&) {
  return "FetchRequest";
}
const char* name_of(const FetchResponse&) {
  return "FetchResponse";
}
const char* name_of(const ListOffsetsRequest&) {
  return "ListOffsetsRequest";
}
const char* name_of(const ListOffsetsResponse&) {
  return "ListOffsetsResponse";
}
const char* name_of(const OffsetForLeaderEpochRequest&) {
  return "OffsetForLeaderEpochRequest";
}
const char* name_of(const OffsetForLeaderEpochResponse&) {
  return "OffsetForLeaderEpochResponse";
}
const char* name_of(const InitProducerIdRequest&) {
  return "InitProducerIdRequest";
}
const char* name_of(const InitProducerIdResponse&) {
  return "InitProducerIdResponse";
}
const char* name_of(const AllocateProducerIdsRequest&) {
  return "AllocateProducerIdsRequest";
}
const char* name_of(const AllocateProducerIdsResponse&) {
  return "AllocateProducerIdsResponse";
}
const char* name_of(const CreateTopicsRequest&) {
  return "CreateTopicsRequest";
}
const char* name_of(const CreateTopicsResponse&) {
  return "CreateTopicsResponse";
}
const char* name_of(const FindCoordinatorRequest&) {
  return "FindCoordinatorRequest";
}
const char* name_of(const FindCoordinatorResponse&) {
  return "FindCoordinatorResponse";
}
const char* name_of(const JoinGroupRequest&) {
  return "JoinGroupRequest";
}
const char* name_of(const JoinGroupResponse&) {
  return "JoinGroupResponse";
}
const char* name_of(const SyncGroupRequest&) {
  return "SyncGroupRequest";
}
const char* name_of(const SyncGroupResponse&) {
  return "SyncGroupResponse";
}
const char* name_of(const HeartbeatRequest&) {
  return "HeartbeatRequest";
}
const char* name_of(const HeartbeatResponse&) {
  return "HeartbeatResponse";
}
const char* name_of(const LeaveGroupRequest&) {
  return "LeaveGroupRequest";
}
const char* name_of(const LeaveGroupResponse&) {
  return "LeaveGroupResponse";
}
const char* name_of(const ConsumerGroupHeartbeatRequest&) {
  return "ConsumerGroupHeartbeatRequest";
}
const char* name_of(const ConsumerGroupHeartbeatResponse&) {
  return "ConsumerGroupHeartbeatResponse";
}
const char* name_of(const OffsetCommitRequest&) {
  return "OffsetCommitRequest";
}
const char* name_of(const OffsetCommitResponse&) {
  return "OffsetCommitResponse";
}
const char* name_of(const OffsetFetchRequest&) {
  return "OffsetFetchRequest";
}
const char* name_of(const OffsetFetchResponse&) {
  return "OffsetFetchResponse";
}
const char* name_of(const AlterPartitionRequest&) {
  return "AlterPartitionRequest";
}
const char* name_of(const AlterPartitionResponse&) {
  return "AlterPartitionResponse";
}
const char* name_of(const BrokerRegistrationRequest&) {
  return "BrokerRegistrationRequest";
}
const char* name_of(const BrokerRegistrationResponse&) {
  return "BrokerRegistrationResponse";
}
const char* name_of(const BrokerHeartbeatRequest&) {
  return "BrokerHeartbeatRequest";
}
const char* name_of(const BrokerHeartbeatResponse&) {
  return "BrokerHeartbeatResponse";
}
const char* name_of(const ControllerRegistrationRequest&) {
  return "ControllerRegistrationRequest";
}
const char* name_of(const ControllerRegistrationResponse&) {
  return "ControllerRegistrationResponse";
}
const char* name_of(const AssignReplicasToDirsRequest&) {
  return "AssignReplicasToDirsRequest";
}
const char* name_of(const AssignReplicasToDirsResponse&) {
  return "AssignReplicasToDirsResponse";
}
const char* name_of(const VoteRequest&) {
  return "VoteRequest";
}
const char* name_of(const VoteResponse&) {
  return "VoteResponse";
}
const char* name_of(const BeginQuorumEpochRequest&) {
  return "BeginQuorumEpochRequest";
}
const char* name_of(const BeginQuorumEpochResponse&) {
  return "BeginQuorumEpochResponse";
}
const char* name_of(const EndQuorumEpochRequest&) {
  return "EndQuorumEpochRequest";
}
const char* name_of(const EndQuorumEpochResponse&) {
  return "EndQuorumEpochResponse";
}
const char* name_of(const FetchSnapshotRequest&) {
  return "FetchSnapshotRequest";
}
const char* name_of(const FetchSnapshotResponse&) {
  return "FetchSnapshotResponse";
}
const char* name_of(const AddRaftVoterRequest&) {
  return "AddRaftVoterRequest";
}
const char* name_of(const AddRaftVoterResponse&) {
  return "AddRaftVoterResponse";
}
const char* name_of(const RemoveRaftVoterRequest&) {
  return "RemoveRaftVoterRequest";
}
const char* name_of(const RemoveRaftVoterResponse&) {
  return "RemoveRaftVoterResponse";
}
const char* name_of(const UpdateRaftVoterRequest&) {
  return "UpdateRaftVoterRequest";
}
const char* name_of(const UpdateRaftVoterResponse&) {
  return "UpdateRaftVoterResponse";
}
const char* name_of(const ElectLeadersRequest&) {
  return "ElectLeadersRequest";
}
const char* name_of(const ElectLeadersResponse&) {
  return "ElectLeadersResponse";
}
const char* name_of(const AlterPartitionReassignmentsRequest&) {
  return "AlterPartitionReassignmentsRequest";
}
const char* name_of(const AlterPartitionReassignmentsResponse&) {
  return "AlterPartitionReassignmentsResponse";
}
const char* name_of(const DeleteTopicsRequest&) {
  return "DeleteTopicsRequest";
}
const char* name_of(const DeleteTopicsResponse&) {
  return "DeleteTopicsResponse";
}
const char* name_of(const IncrementalAlterConfigsRequest&) {
  return "IncrementalAlterConfigsRequest";
}
const char* name_of(const IncrementalAlterConfigsResponse&) {
  return "IncrementalAlterConfigsResponse";
}
const char* name_of(const CreatePartitionsRequest&) {
  return "CreatePartitionsRequest";
}
const char* name_of(const CreatePartitionsResponse&) {
  return "CreatePartitionsResponse";
}
const char* name_of(const AddPartitionsToTxnRequest&) {
  return "AddPartitionsToTxnRequest";
}
const char* name_of(const AddPartitionsToTxnResponse&) {
  return "AddPartitionsToTxnResponse";
}
const char* name_of(const AddOffsetsToTxnRequest&) {
  return "AddOffsetsToTxnRequest";
}
const char* name_of(const AddOffsetsToTxnResponse&) {
  return "AddOffsetsToTxnResponse";
}
const char* name_of(const EndTxnRequest&) {
  return "EndTxnRequest";
}
const char* name_of(const EndTxnResponse&) {
  return "EndTxnResponse";
}
const char* name_of(const WriteTxnMarkersRequest&) {
  return "WriteTxnMarkersRequest";
}
const char* name_of(const WriteTxnMarkersResponse&) {
  return "WriteTxnMarkersResponse";
}
const char* name_of(const TxnOffsetCommitRequest&) {
  return "TxnOffsetCommitRequest";
}
const char* name_of(const TxnOffsetCommitResponse&) {
  return "TxnOffsetCommitResponse";
}
const char* name_of(const NoOpResponse&) {
  return "NoOpResponse";
}

}  // namespace

const char* name(const Message& message) {
  return std::visit([](const auto& one) { return name_of(one); }, message);
}

std::int64_t wire_size(const Message& message) {
  return std::visit([](const auto& one) { return size_of(one); }, message);
}

Message::Message() = default;
Message::Message(const Message&) = default;
Message::Message(Message&&) noexcept = default;
Message& Message::operator=(const Message&) = default;
Message& Message::operator=(Message&&) noexcept = default;
Message::~Message() = default;
void Message::clear() {
  emplace<ApiVersionsRequest>();
}

template <AlternativeOf<AnyMessage> M>
Message::Message(M message) : AnyMessage(std::in_place_type<M>, std::move(message)) {}
template Message::Message(ApiVersionsRequest);
template Message::Message(ApiVersionsResponse);
template Message::Message(MetadataRequest);
template Message::Message(MetadataResponse);
template Message::Message(ProduceRequest);
template Message::Message(ProduceResponse);
template Message::Message(FetchRequest);
template Message::Message(FetchResponse);
template Message::Message(ListOffsetsRequest);
template Message::Message(ListOffsetsResponse);
template Message::Message(OffsetForLeaderEpochRequest);
template Message::Message(OffsetForLeaderEpochResponse);
template Message::Message(InitProducerIdRequest);
template Message::Message(InitProducerIdResponse);
template Message::Message(AllocateProducerIdsRequest);
template Message::Message(AllocateProducerIdsResponse);
template Message::Message(CreateTopicsRequest);
template Message::Message(CreateTopicsResponse);
template Message::Message(FindCoordinatorRequest);
template Message::Message(FindCoordinatorResponse);
template Message::Message(JoinGroupRequest);
template Message::Message(JoinGroupResponse);
template Message::Message(SyncGroupRequest);
template Message::Message(SyncGroupResponse);
template Message::Message(HeartbeatRequest);
template Message::Message(HeartbeatResponse);
template Message::Message(LeaveGroupRequest);
template Message::Message(LeaveGroupResponse);
template Message::Message(ConsumerGroupHeartbeatRequest);
template Message::Message(ConsumerGroupHeartbeatResponse);
template Message::Message(OffsetCommitRequest);
template Message::Message(OffsetCommitResponse);
template Message::Message(OffsetFetchRequest);
template Message::Message(OffsetFetchResponse);
template Message::Message(AlterPartitionRequest);
template Message::Message(AlterPartitionResponse);
template Message::Message(BrokerRegistrationRequest);
template Message::Message(BrokerRegistrationResponse);
template Message::Message(BrokerHeartbeatRequest);
template Message::Message(BrokerHeartbeatResponse);
template Message::Message(ControllerRegistrationRequest);
template Message::Message(ControllerRegistrationResponse);
template Message::Message(AssignReplicasToDirsRequest);
template Message::Message(AssignReplicasToDirsResponse);
template Message::Message(VoteRequest);
template Message::Message(VoteResponse);
template Message::Message(BeginQuorumEpochRequest);
template Message::Message(BeginQuorumEpochResponse);
template Message::Message(EndQuorumEpochRequest);
template Message::Message(EndQuorumEpochResponse);
template Message::Message(FetchSnapshotRequest);
template Message::Message(FetchSnapshotResponse);
template Message::Message(AddRaftVoterRequest);
template Message::Message(AddRaftVoterResponse);
template Message::Message(RemoveRaftVoterRequest);
template Message::Message(RemoveRaftVoterResponse);
template Message::Message(UpdateRaftVoterRequest);
template Message::Message(UpdateRaftVoterResponse);
template Message::Message(ElectLeadersRequest);
template Message::Message(ElectLeadersResponse);
template Message::Message(AlterPartitionReassignmentsRequest);
template Message::Message(AlterPartitionReassignmentsResponse);
template Message::Message(DeleteTopicsRequest);
template Message::Message(DeleteTopicsResponse);
template Message::Message(IncrementalAlterConfigsRequest);
template Message::Message(IncrementalAlterConfigsResponse);
template Message::Message(CreatePartitionsRequest);
template Message::Message(CreatePartitionsResponse);
template Message::Message(NoOpResponse);
template Message::Message(AddPartitionsToTxnRequest);
template Message::Message(AddPartitionsToTxnResponse);
template Message::Message(AddOffsetsToTxnRequest);
template Message::Message(AddOffsetsToTxnResponse);
template Message::Message(EndTxnRequest);
template Message::Message(EndTxnResponse);
template Message::Message(WriteTxnMarkersRequest);
template Message::Message(WriteTxnMarkersResponse);
template Message::Message(TxnOffsetCommitRequest);
template Message::Message(TxnOffsetCommitResponse);

}  // namespace sim
