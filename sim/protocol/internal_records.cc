// Sizes of the records of __consumer_offsets, __transaction_state and __cluster_metadata, as Kafka serialises
// them (CoordinatorRecordSerde, MetadataRecordSerde; the *.json schemas beside them).
#include <algorithm>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>

#include "base/overloaded.h"
#include "protocol/batch_builder.h"
#include "protocol/topic_settings.h"
#include "protocol/wire.h"

namespace sim {
namespace {

using namespace wire;

// ConsumerProtocolSubscription, without owned partitions: a group's record keeps what was joined with.
std::int64_t subscription_bytes(const std::vector<TopicId>& topics) {
  const auto n = static_cast<std::int64_t>(topics.size());
  return kInt16 + kInt32 + n * (kInt16 + kTopicNameBytes) + kInt32 + kInt32 + kInt32 + kInt16;
}

// ConsumerProtocolAssignment. `partitions` lie topic by topic.
std::int64_t member_assignment_bytes(const std::vector<TopicPartition>& partitions) {
  std::int64_t bytes = kInt16 + kInt32 + kInt32;
  TopicId topic = kNoTopic;
  for (const TopicPartition& tp : partitions) {
    if (tp.topic != topic) bytes += kInt16 + kTopicNameBytes + kInt32;
    topic = tp.topic;
    bytes += kInt32;
  }
  return bytes;
}

std::int32_t framed(std::int64_t key_bytes, std::int64_t value_bytes, std::int64_t offset_delta) {
  return record_size(static_cast<std::int32_t>(key_bytes), static_cast<std::int32_t>(value_bytes),
                     offset_delta, 0);
}

// Key of version 1 (group, topic, partition), value of version 3.
std::int32_t size_of(const OffsetCommitRecord& record, std::int64_t offset_delta) {
  const std::int64_t key = kInt16 + plain(record.group) + kInt16 + kTopicNameBytes + kInt32;
  const std::int64_t value =
      kInt16 + kInt64 + kInt32 + kInt16 + kInt64;  // offset, epoch, metadata "", timestamp
  return framed(key, record.offset == kNoOffset ? -1 : value, offset_delta);
}

// Key of version 2 (group), value of version 3.
std::int32_t size_of(const GroupMetadataRecord& record, std::int64_t offset_delta) {
  const std::int64_t key = kInt16 + plain(record.group);
  if (record.tombstone) return framed(key, -1, offset_delta);
  std::int64_t value = kInt16 + plain(record.protocol_type) + kInt32 + plain(record.protocol) +
                       plain(record.leader) + kInt64 + kInt32;
  for (const GroupMetadataRecord::Member& member : record.members) {
    value += plain(member.member_id) + plain(member.group_instance_id) + plain(member.client_id) + kInt16 +
             kHostNameBytes + kInt32 + kInt32 + kInt32 + subscription_bytes(member.subscription) + kInt32 +
             member_assignment_bytes(member.assignment);
  }
  return framed(key, value, offset_delta);
}

// Key of version 0 (transactional id), value of version 1, which is flexible.
std::int32_t size_of(const TransactionLogRecord& record, std::int64_t offset_delta) {
  const std::int64_t key = kInt16 + plain(record.transactional_id);
  if (record.tombstone) return framed(key, -1, offset_delta);
  std::int64_t partitions = 1;  // a null list takes one byte, as an empty one does
  if (!record.partitions.empty()) {
    std::int64_t topics = 0;
    partitions = 0;
    for (auto at = record.partitions.begin(); at != record.partitions.end(); ++topics) {
      const TopicId topic = at->topic;
      const auto end =
          std::find_if(at, record.partitions.end(), [topic](TopicPartition tp) { return tp.topic != topic; });
      partitions += compact_bytes(kTopicNameBytes) + compact_length(end - at) + (end - at) * kInt32 + kTags;
      at = end;
    }
    partitions += compact_length(topics);
  }
  const std::int64_t value = kInt16 + kInt64 + kInt16 + kInt32 + kInt8 + partitions + kInt64 + kInt64 +
                             kTags + (record.previous_producer_id == kNoProducerId ? 0 : tagged(kInt64)) +
                             (record.next_producer_id == kNoProducerId ? 0 : tagged(kInt64)) +
                             (record.client_transaction_version == kTransactionVersion0 ? 0 : tagged(kInt16));
  return framed(key, value, offset_delta);
}

// ---- Groups of KIP-848: keys of version 0, flexible values of version 0

// Topic by topic, as they are sorted.
std::int64_t assigned_topics_bytes(const std::vector<TopicPartition>& partitions) {
  std::int64_t topics = 0;
  for (std::size_t i = 0; i < partitions.size(); ++i) {
    if (i == 0 || partitions[i].topic != partitions[i - 1].topic) ++topics;
  }
  return compact_length(topics) + topics * (kUuid + 1 + kTags) + std::ssize(partitions) * kInt32;
}

std::int64_t texts_bytes(const std::vector<std::string>& texts) {
  return array(texts, [](const std::string& one) { return compact(one); });
}

std::int64_t value_size(const ConsumerGroupEpochValue&) {
  return kInt16 + kInt32 + kTags + tagged(kInt64);
}
std::int64_t value_size(const ConsumerMemberValue& value) {
  std::int64_t bytes = kInt16 + compact(value.group_instance_id) + compact(value.rack) +
                       compact(value.client_id) + compact_bytes(kHostNameBytes) +
                       texts_bytes(value.subscribed_topics) + compact(value.subscribed_regex) + kInt32 +
                       compact(value.server_assignor) + kTags;
  if (!value.classic) return bytes;
  std::int64_t classic = kInt32 + compact_length(std::ssize(value.classic->protocols)) + kTags;
  for (const ConsumerMemberValue::ClassicProtocol& one : value.classic->protocols) {
    classic += compact(one.name) + compact_bytes(subscription_bytes(one.subscription)) + kTags;
  }
  return bytes + tagged(classic);
}
std::int64_t value_size(const ConsumerTargetEpochValue&) {
  return kInt16 + kInt32 + kTags;
}
std::int64_t value_size(const ConsumerTargetValue& value) {
  return kInt16 + assigned_topics_bytes(value.partitions) + kTags;
}
std::int64_t value_size(const ConsumerCurrentValue& value) {
  return kInt16 + kInt32 + kInt32 + kInt8 + assigned_topics_bytes(value.assigned) +
         assigned_topics_bytes(value.pending_revocation) + kTags;
}
std::int64_t value_size(const ConsumerRegexValue& value) {
  return kInt16 + texts_bytes(value.topics) + kInt64 + kInt64 + kTags;
}

std::int32_t size_of(const ConsumerGroupRecord& record, std::int64_t offset_delta) {
  const std::int64_t key = kInt16 + plain(record.group) + (record.key.empty() ? 0 : plain(record.key));
  if (record.value == nullptr) return framed(key, -1, offset_delta);
  const std::int64_t value = std::visit([](const auto& one) { return value_size(one); }, *record.value);
  return framed(key, value, offset_delta);
}

// ---- Metadata records: no key; the value is frame version, record type, record version, fields

constexpr std::int64_t kFrame = 3;
constexpr std::int64_t kFrameAndTags = kFrame + kTags;

std::int64_t nodes(const std::vector<NodeId>& ids) {
  return array_of(ids, kInt32);
}

std::int64_t value_size(const RegisterBrokerRecord& record) {
  constexpr std::int64_t kListener = 1 + 9 + 1 + kHostNameBytes + kInt16 + kInt16 + kTags;  // "PLAINTEXT"
  constexpr std::int64_t kFeature = 1 + 16 + kInt16 + kInt16 + kTags;  // "metadata.version"
  return kFrameAndTags + kInt32 + kBool + kUuid + kInt64 + compact_length(1) + kListener + compact_length(1) +
         kFeature + compact(record.rack) + kBool + kBool +
         tagged(compact_length(1) + kUuid * std::max<std::int64_t>(1, std::ssize(record.directories))) +
         (record.tells_cordoned_log_dirs ? tagged(compact_length(0)) : 0);
}
std::int64_t value_size(const UnregisterBrokerRecord&) {
  return kFrameAndTags + kInt32 + kInt64;
}
std::int64_t value_size(const BrokerRegistrationChangeRecord& record) {
  return kFrameAndTags + kInt32 + kInt64 + (record.fenced != 0 ? tagged(kInt8) : 0) +
         (record.in_controlled_shutdown != 0 ? tagged(kInt8) : 0) +
         (record.directories.empty() ? 0 : tagged(array_of(record.directories, kUuid))) +
         (record.tells_cordoned_log_dirs ? tagged(compact_length(0)) : 0);
}
std::int64_t value_size(const TopicRecord& record) {
  return kFrameAndTags + compact(record.name) + kUuid;
}
std::int64_t value_size(const RemoveTopicRecord&) {
  return kFrameAndTags + kUuid;
}

// As many ConfigRecords in Kafka, one for each setting that differs from its default.
std::int64_t value_size(const TopicConfigRecord& record) {
  std::int64_t bytes = 0;
  for_each_override(record.config, [&bytes](std::string_view name, const std::string& value) {
    bytes += kFrameAndTags + kInt8 + compact_bytes(kTopicNameBytes) + compact(name) + compact(value);
  });
  return bytes == 0 ? kFrameAndTags : bytes;
}
std::int64_t value_size(const PartitionRecord& record) {
  std::int64_t bytes = kFrameAndTags + kInt32 + kUuid + nodes(record.replicas) + nodes(record.isr) +
                       nodes(record.removing) + nodes(record.adding) + kInt32 + kInt32 + kInt32 +
                       array_of(record.replicas, kUuid);
  if (record.recovery != LeaderRecoveryState::recovered) bytes += tagged(kInt8);
  if (!record.elr.empty()) bytes += tagged(nodes(record.elr));
  if (!record.last_known_elr.empty()) bytes += tagged(nodes(record.last_known_elr));
  return bytes;
}
std::int64_t value_size(const PartitionChangeRecord& record) {
  std::int64_t bytes = kFrameAndTags + kInt32 + kUuid;
  if (record.leader != kLeaderUnchanged) bytes += tagged(kInt32);
  if (record.has_isr) bytes += tagged(nodes(record.isr));
  if (record.has_replicas)
    bytes += tagged(nodes(record.replicas)) + tagged(nodes(record.removing)) + tagged(nodes(record.adding));
  if (record.recovery >= 0) bytes += tagged(kInt8);
  if (record.has_elr) bytes += tagged(nodes(record.elr)) + tagged(nodes(record.last_known_elr));
  if (!record.directories.empty()) bytes += tagged(array_of(record.directories, kUuid));
  return bytes;
}
std::int64_t value_size(const ProducerIdsRecord&) {
  return kFrameAndTags + kInt32 + kInt64 + kInt64;
}
std::int64_t value_size(const NoOpRecord&) {
  return kFrameAndTags;
}
std::int64_t value_size(const FeatureLevelRecord& record) {
  return kFrameAndTags + compact(record.name) + kInt16;
}
std::int64_t value_size(const RegisterControllerRecord&) {
  constexpr std::int64_t kEndpoint =
      compact_bytes(10) + compact_bytes(kHostNameBytes) + kInt16 + kInt16 + kTags;
  return kFrameAndTags + kInt32 + kUuid + kBool + compact_length(1) + kEndpoint + kSupportedFeaturesBytes;
}

// ---- Control records: the key is version and type

std::int64_t value_size(const LeaderChangeMessage& record) {
  return kInt16 + kInt32 + array_of(record.voters, kInt32 + kUuid + kTags) +
         array_of(record.granting_voters, kInt32 + kUuid + kTags) + kTags;
}
std::int64_t value_size(const KRaftVersionRecord&) {
  return kInt16 + kInt16 + kTags;
}
std::int64_t value_size(const VotersRecord& record) {
  constexpr std::int64_t kEndpoint = compact_bytes(10) + compact_bytes(kHostNameBytes) + kInt16 + kTags;
  constexpr std::int64_t kFeature = kInt16 + kInt16 + kTags;
  return kInt16 + array_of(record.voters, kInt32 + kUuid + compact_length(1) + kEndpoint + kFeature + kTags) +
         kTags;
}
std::int64_t value_size(const EndTransactionMarker&) {
  return kInt16 + kInt32;
}

}  // namespace

std::string_view name(TransactionState state) {
  switch (state) {
    case TransactionState::empty: return "Empty";
    case TransactionState::ongoing: return "Ongoing";
    case TransactionState::prepare_commit: return "PrepareCommit";
    case TransactionState::prepare_abort: return "PrepareAbort";
    case TransactionState::complete_commit: return "CompleteCommit";
    case TransactionState::complete_abort: return "CompleteAbort";
    case TransactionState::dead: return "Dead";
    case TransactionState::prepare_epoch_fence: return "PrepareEpochFence";
  }
  return "Dead";
}

std::int32_t record_size(const TransactionLogRecord& record, std::int64_t offset_delta) {
  return size_of(record, offset_delta);
}

std::int32_t record_size(const CoordinatorRecord& record, std::int64_t offset_delta) {
  return std::visit([offset_delta](const auto& one) { return size_of(one, offset_delta); }, record);
}

std::int32_t record_size(const MetadataRecord& record, std::int64_t offset_delta) {
  return std::visit([offset_delta](const auto& one) { return framed(-1, value_size(one), offset_delta); },
                    record);
}

std::int32_t record_size(const ControlRecord& record, std::int64_t offset_delta) {
  return std::visit(
      [offset_delta](const auto& one) { return framed(kInt16 + kInt16, value_size(one), offset_delta); },
      record);
}

}  // namespace sim
