#include "metadata/metadata_image.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "base/check.h"

namespace sim::metadata {

MetadataImage::MetadataImage(const MetadataSnapshot& snapshot) {
  for (const MetadataRecord& record : snapshot.records) replay(record);
  end_offset_ = snapshot.id.end_offset;
}

MetadataDelta difference(const MetadataImage& before, const MetadataImage& after) {
  MetadataDelta delta;
  for (const auto& [id, broker] : before.brokers()) delta.brokers.insert(id);
  for (const auto& [id, broker] : after.brokers()) delta.brokers.insert(id);
  for (const auto& [id, topic] : before.topics()) {
    if (after.topic(id) == nullptr) delta.removed_topics.insert(id);
  }
  for (const auto& [id, topic] : after.topics()) {
    if (before.topic(id) == nullptr) delta.created_topics.insert(id);
    delta.configs.insert(id);
    for (std::int32_t i = 0; std::cmp_less(i, topic->partitions.size()); ++i) {
      delta.partitions.insert(TopicPartition{id, i});
    }
  }
  return delta;
}

void MetadataImage::replay(const MetadataRecord& record, MetadataDelta* delta) {
  std::visit([this, delta](const auto& one) { on(one, delta); }, record);
  ++end_offset_;
}

void MetadataImage::replay(const Batch& batch, MetadataDelta* delta) {
  SIM_CHECK(batch.base_offset >= end_offset_, "the metadata log is replayed in order");
  end_offset_ = batch.base_offset;
  if (const auto* records = std::get_if<std::vector<MetadataRecord>>(&batch.data->records)) {
    for (const MetadataRecord& record : *records) replay(record, delta);
  }
  end_offset_ = batch.end_offset();
}

// ---- Brokers

void MetadataImage::on(const RegisterBrokerRecord& record, MetadataDelta* delta) {
  brokers_.insert_or_assign(record.broker,
                            BrokerRegistration{record.broker, record.incarnation, record.broker_epoch, record.endpoint,
                                               record.rack, record.fenced, record.in_controlled_shutdown});
  if (delta != nullptr) delta->brokers.insert(record.broker);
}

void MetadataImage::on(const UnregisterBrokerRecord& record, MetadataDelta* delta) {
  const auto it = brokers_.find(record.broker);
  SIM_CHECK(it != brokers_.end() && it->second.broker_epoch == record.broker_epoch,
            "a registration ends in the epoch in which it was made");
  brokers_.erase(it);
  if (delta != nullptr) delta->brokers.insert(record.broker);
}

void MetadataImage::on(const BrokerRegistrationChangeRecord& record, MetadataDelta* delta) {
  const auto it = brokers_.find(record.broker);
  SIM_CHECK(it != brokers_.end() && it->second.broker_epoch == record.broker_epoch,
            "a registration changes in the epoch in which it was made");
  if (record.fenced != 0) it->second.fenced = record.fenced > 0;
  if (record.in_controlled_shutdown != 0) it->second.in_controlled_shutdown = record.in_controlled_shutdown > 0;
  if (delta != nullptr) delta->brokers.insert(record.broker);
}

// ---- Topics and partitions

void MetadataImage::on(const TopicRecord& record, MetadataDelta* delta) {
  const bool is_new = topic_ids_.emplace(record.name, record.id).second;
  SIM_CHECK(is_new, "a topic is created once");
  topics_.emplace(record.id, std::make_shared<TopicImage>(TopicImage{record.name, record.id, TopicConfig{}, {}}));
  next_topic_id_ = std::max(next_topic_id_, record.id.next());
  if (delta != nullptr) delta->created_topics.insert(record.id);
}

void MetadataImage::on(const RemoveTopicRecord& record, MetadataDelta* delta) {
  const auto it = topics_.find(record.id);
  SIM_CHECK(it != topics_.end(), "a topic that is removed existed");
  topic_ids_.erase(topic_ids_.find(it->second->name));
  topics_.erase(it);
  if (delta == nullptr) return;
  std::erase_if(delta->partitions, [&record](TopicPartition tp) { return tp.topic == record.id; });
  delta->configs.erase(record.id);
  if (delta->created_topics.erase(record.id) == 0) delta->removed_topics.insert(record.id);
}

void MetadataImage::on(const TopicConfigRecord& record, MetadataDelta* delta) {
  topic_to_change(record.id).config = record.config;
  if (delta != nullptr) delta->configs.insert(record.id);
}

void MetadataImage::on(const PartitionRecord& record, MetadataDelta* delta) {
  std::vector<PartitionRegistration>& partitions = topic_to_change(record.tp.topic).partitions;
  const auto index = static_cast<std::size_t>(record.tp.partition);
  SIM_CHECK(index <= partitions.size(), "the partitions of a topic are created in order");
  PartitionRegistration registration{record.replicas, record.isr,      record.removing, record.adding,
                                     record.elr,      record.last_known_elr, record.leader, record.recovery,
                                     record.leader_epoch, record.partition_epoch};
  if (index == partitions.size()) {
    partitions.push_back(std::move(registration));
  } else {
    partitions[index] = std::move(registration);
  }
  if (delta != nullptr) delta->partitions.insert(record.tp);
}

void PartitionRegistration::merge(const PartitionChangeRecord& record) {
  if (record.leader != kLeaderUnchanged) {
    leader = record.leader;
    leader_epoch = leader_epoch.next();
  }
  if (record.has_isr) isr = record.isr;
  if (record.has_replicas) {
    replicas = record.replicas;
    removing = record.removing;
    adding = record.adding;
  }
  if (record.recovery >= 0) recovery = static_cast<LeaderRecoveryState>(record.recovery);
  if (record.has_elr) {
    elr = record.elr;
    last_known_elr = record.last_known_elr;
  }
  partition_epoch = partition_epoch.next();
}

void MetadataImage::on(const PartitionChangeRecord& record, MetadataDelta* delta) {
  partition_to_change(record.tp).merge(record);
  if (delta != nullptr) delta->partitions.insert(record.tp);
}

// ---- The rest

void MetadataImage::on(const ProducerIdsRecord& record, MetadataDelta*) { next_producer_id_ = record.next_producer_id; }

void MetadataImage::on(const NoOpRecord&, MetadataDelta*) {}

TopicImage& MetadataImage::topic_to_change(TopicId id) {
  const auto it = topics_.find(id);
  SIM_CHECK(it != topics_.end(), "records name only topics that exist");
  if (it->second.use_count() > 1) it->second = std::make_shared<TopicImage>(*it->second);
  return const_cast<TopicImage&>(*it->second);  // made non-const, and ours alone
}

PartitionRegistration& MetadataImage::partition_to_change(TopicPartition tp) {
  std::vector<PartitionRegistration>& partitions = topic_to_change(tp.topic).partitions;
  const auto index = static_cast<std::size_t>(tp.partition);
  SIM_CHECK(index < partitions.size(), "records change only partitions that exist");
  return partitions[index];
}

const BrokerRegistration* MetadataImage::broker(NodeId id) const {
  const auto it = brokers_.find(id);
  return it == brokers_.end() ? nullptr : &it->second;
}

bool MetadataImage::is_active(NodeId id) const {
  const BrokerRegistration* registration = broker(id);
  return registration != nullptr && registration->active();
}

const TopicImage* MetadataImage::topic(TopicId id) const {
  const auto it = topics_.find(id);
  return it == topics_.end() ? nullptr : it->second.get();
}

const TopicImage* MetadataImage::topic(std::string_view name) const {
  const auto it = topic_ids_.find(name);
  return it == topic_ids_.end() ? nullptr : topic(it->second);
}

const PartitionRegistration* MetadataImage::partition(TopicPartition tp) const {
  const TopicImage* image = topic(tp.topic);
  if (image == nullptr || tp.partition < 0) return nullptr;
  const auto index = static_cast<std::size_t>(tp.partition);
  return index < image->partitions.size() ? &image->partitions[index] : nullptr;
}

bool MetadataImage::operator==(const MetadataImage& other) const {
  const auto same_topic = [](const auto& a, const auto& b) {
    return a.first == b.first && (a.second == b.second || *a.second == *b.second);
  };
  return end_offset_ == other.end_offset_ && next_producer_id_ == other.next_producer_id_ &&
         next_topic_id_ == other.next_topic_id_ && brokers_ == other.brokers_ &&
         std::equal(topics_.begin(), topics_.end(), other.topics_.begin(), other.topics_.end(), same_topic);
}

}  // namespace sim::metadata
