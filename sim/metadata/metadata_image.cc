#include "metadata/metadata_image.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "base/check.h"
#include "base/hash.h"
#include "protocol/topic_settings.h"

namespace sim::metadata {
namespace {

// ---- What each part of an image adds to its digest

constexpr std::uint64_t word(std::int64_t value) {
  return static_cast<std::uint64_t>(value);
}

std::uint64_t folded(const std::vector<NodeId>& nodes) {
  std::uint64_t hash = nodes.size();
  for (const NodeId node : nodes) hash = hash * 0x9E3779B97F4A7C15ull + word(node.value()) + 1;
  return hash;
}

std::uint64_t digest_of(const BrokerRegistration& one) {
  Fingerprint all;
  all.add(word('b'), word(one.id.value()), one.incarnation, word(one.broker_epoch.value()));
  all.add(word(one.endpoint.value()), one.fenced ? 1 : 0, one.in_controlled_shutdown ? 1 : 0,
          one.tells_cordoned_log_dirs ? 1 : 0);
  all.add_bytes(one.rack);
  for (const DirectoryId directory : one.directories) all.add(directory.value(), 0, 0, 0);
  return all.value();
}

std::uint64_t digest_of(const ControllerRegistration& one) {
  Fingerprint all;
  all.add(word('c'), word(one.id.value()), one.incarnation, word(one.endpoint.value()));
  return all.value();
}

std::uint64_t digest_of(const std::string& feature, std::int16_t level) {
  Fingerprint all;
  all.add(word('f'), word(level), 0, 0);
  all.add_bytes(feature);
  return all.value();
}

std::uint64_t digest_of(const TopicImage& one) {
  Fingerprint all;
  all.add(word('t'), word(one.id.value()), digest(one.config), 0);
  all.add_bytes(one.name);
  return all.value();
}

std::uint64_t digest_of(TopicPartition tp, const PartitionRegistration& one) {
  Fingerprint all;
  all.add(word('p'), word(tp.topic.value()), word(tp.partition), word(one.leader.value()),
          word(static_cast<std::int8_t>(one.recovery)));
  all.add(word(one.leader_epoch.value()), word(one.partition_epoch.value()), folded(one.replicas),
          folded(one.isr));
  all.add(folded(one.removing), folded(one.adding), folded(one.elr), folded(one.last_known_elr));
  for (const DirectoryId directory : one.directories) all.add(directory.value(), 0, 0, 0);
  return all.value();
}

}  // namespace

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

void MetadataImage::skip_to(Offset offset) {
  SIM_CHECK(offset >= end_offset_, "the metadata log is replayed in order");
  end_offset_ = offset;
}

void MetadataImage::replay(const Batch& batch, MetadataDelta* delta) {
  skip_to(batch.base_offset);
  if (const auto* records = std::get_if<std::vector<MetadataRecord>>(&batch.data->records)) {
    for (const MetadataRecord& record : *records) replay(record, delta);
  }
  end_offset_ = batch.end_offset();
}

// ---- Brokers

void MetadataImage::on(const RegisterBrokerRecord& record, MetadataDelta* delta) {
  BrokerRegistration& registration = brokers_[record.broker];
  if (registration.id != kNoNode) digest_ -= digest_of(registration);
  registration = BrokerRegistration{record.broker,
                                    record.incarnation,
                                    record.broker_epoch,
                                    record.endpoint,
                                    record.rack,
                                    record.fenced,
                                    record.in_controlled_shutdown,
                                    record.directories,
                                    record.tells_cordoned_log_dirs};
  digest_ += digest_of(registration);
  if (delta != nullptr) delta->brokers.insert(record.broker);
}

void MetadataImage::on(const UnregisterBrokerRecord& record, MetadataDelta* delta) {
  const auto it = brokers_.find(record.broker);
  SIM_CHECK(it != brokers_.end() && it->second.broker_epoch == record.broker_epoch,
            "a registration ends in the epoch in which it was made");
  digest_ -= digest_of(it->second);
  brokers_.erase(it);
  if (delta != nullptr) delta->brokers.insert(record.broker);
}

void MetadataImage::on(const BrokerRegistrationChangeRecord& record, MetadataDelta* delta) {
  const auto it = brokers_.find(record.broker);
  SIM_CHECK(it != brokers_.end() && it->second.broker_epoch == record.broker_epoch,
            "a registration changes in the epoch in which it was made");
  BrokerRegistration& registration = it->second;
  digest_ -= digest_of(registration);
  if (record.fenced != 0) registration.fenced = record.fenced > 0;
  if (record.in_controlled_shutdown != 0) {
    registration.in_controlled_shutdown = record.in_controlled_shutdown > 0;
  }
  if (!record.directories.empty()) registration.directories = record.directories;
  if (record.tells_cordoned_log_dirs) registration.tells_cordoned_log_dirs = true;
  digest_ += digest_of(registration);
  if (delta != nullptr) delta->brokers.insert(record.broker);
}

// ---- Topics and partitions

void MetadataImage::on(const TopicRecord& record, MetadataDelta* delta) {
  const bool is_new = topic_ids_.emplace(record.name, record.id).second;
  SIM_CHECK(is_new, "a topic is created once");
  auto topic = std::make_shared<TopicImage>(TopicImage{record.name, record.id, TopicConfig{}, {}});
  digest_ += digest_of(*topic);
  topics_.emplace(record.id, std::move(topic));
  next_topic_id_ = std::max(next_topic_id_, record.id.next());
  if (delta != nullptr) delta->created_topics.insert(record.id);
}

void MetadataImage::on(const RemoveTopicRecord& record, MetadataDelta* delta) {
  const auto it = topics_.find(record.id);
  SIM_CHECK(it != topics_.end(), "a topic that is removed existed");
  const TopicImage& topic = *it->second;
  digest_ -= digest_of(topic);
  for (std::size_t i = 0; i < topic.partitions.size(); ++i) {
    digest_ -= digest_of({record.id, static_cast<std::int32_t>(i)}, topic.partitions[i]);
  }
  topic_ids_.erase(topic_ids_.find(topic.name));
  topics_.erase(it);
  if (delta == nullptr) return;
  std::erase_if(delta->partitions, [&record](TopicPartition tp) { return tp.topic == record.id; });
  delta->configs.erase(record.id);
  if (delta->created_topics.erase(record.id) == 0) delta->removed_topics.insert(record.id);
}

void MetadataImage::on(const TopicConfigRecord& record, MetadataDelta* delta) {
  TopicImage& topic = topic_to_change(record.id);
  digest_ -= digest_of(topic);
  topic.config = record.config;
  digest_ += digest_of(topic);
  if (delta != nullptr) delta->configs.insert(record.id);
}

void MetadataImage::on(const PartitionRecord& record, MetadataDelta* delta) {
  std::vector<PartitionRegistration>& partitions = topic_to_change(record.tp.topic).partitions;
  const auto index = static_cast<std::size_t>(record.tp.partition);
  SIM_CHECK(index <= partitions.size(), "the partitions of a topic are created in order");
  PartitionRegistration registration{record.replicas,        record.isr,        record.removing,
                                     record.adding,          record.elr,        record.last_known_elr,
                                     record.leader,          record.recovery,   record.leader_epoch,
                                     record.partition_epoch, record.directories};
  digest_ += digest_of(record.tp, registration);
  if (index == partitions.size()) {
    partitions.push_back(std::move(registration));
  } else {
    digest_ -= digest_of(record.tp, partitions[index]);
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
  if (!record.directories.empty()) directories = record.directories;
  partition_epoch = partition_epoch.next();
}

void MetadataImage::on(const PartitionChangeRecord& record, MetadataDelta* delta) {
  std::vector<PartitionRegistration>& partitions = topic_to_change(record.tp.topic).partitions;
  const auto index = static_cast<std::size_t>(record.tp.partition);
  SIM_CHECK(index < partitions.size(), "records change only partitions that exist");
  digest_ -= digest_of(record.tp, partitions[index]);
  partitions[index].merge(record);
  digest_ += digest_of(record.tp, partitions[index]);
  if (delta != nullptr) delta->partitions.insert(record.tp);
}

// ---- The rest

void MetadataImage::on(const ProducerIdsRecord& record, MetadataDelta*) {
  next_producer_id_ = record.next_producer_id;
}

void MetadataImage::on(const NoOpRecord&, MetadataDelta*) {}

void MetadataImage::on(const FeatureLevelRecord& record, MetadataDelta*) {
  const auto [it, is_new] = feature_levels_.try_emplace(record.name, record.level);
  if (!is_new) digest_ -= digest_of(it->first, it->second);
  it->second = record.level;
  digest_ += digest_of(it->first, it->second);
}

void MetadataImage::on(const RegisterControllerRecord& record, MetadataDelta*) {
  ControllerRegistration& registration = controllers_[record.controller];
  if (registration.id != kNoNode) digest_ -= digest_of(registration);
  registration = ControllerRegistration{record.controller, record.incarnation, record.endpoint};
  digest_ += digest_of(registration);
}

TopicImage& MetadataImage::topic_to_change(TopicId id) {
  const auto it = topics_.find(id);
  SIM_CHECK(it != topics_.end(), "records name only topics that exist");
  if (it->second.use_count() > 1) it->second = std::make_shared<TopicImage>(*it->second);
  return const_cast<TopicImage&>(*it->second);  // made non-const, and ours alone
}

const BrokerRegistration* MetadataImage::broker(NodeId id) const {
  const auto it = brokers_.find(id);
  return it == brokers_.end() ? nullptr : &it->second;
}

const ControllerRegistration* MetadataImage::controller(NodeId id) const {
  const auto it = controllers_.find(id);
  return it == controllers_.end() ? nullptr : &it->second;
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

std::uint64_t MetadataImage::digest() const {
  Fingerprint rest;
  rest.add(word(next_producer_id_.value()), word(next_topic_id_.value()), 0, 0);
  return digest_ + rest.value();
}

std::vector<MetadataRecord> MetadataImage::records() const {
  std::vector<MetadataRecord> records;
  for (const auto& [name, level] : feature_levels_) records.emplace_back(FeatureLevelRecord{name, level});
  for (const auto& [id, one] : controllers_) {
    records.emplace_back(RegisterControllerRecord{id, one.incarnation, one.endpoint});
  }
  for (const auto& [id, one] : brokers_) {
    records.emplace_back(RegisterBrokerRecord{id, one.incarnation, one.broker_epoch, one.endpoint, one.rack,
                                              one.fenced, one.in_controlled_shutdown, one.directories,
                                              one.tells_cordoned_log_dirs});
  }
  // The id of a topic that was removed is not given again.
  if (const TopicId last{next_topic_id_.value() - 1}; last >= TopicId{1} && topic(last) == nullptr) {
    records.emplace_back(TopicRecord{"", last});
    records.emplace_back(RemoveTopicRecord{last});
  }
  for (const auto& [id, topic] : topics_) {
    records.emplace_back(TopicRecord{topic->name, id});
    if (topic->config != TopicConfig{}) records.emplace_back(TopicConfigRecord{id, topic->config});
    for (std::size_t i = 0; i < topic->partitions.size(); ++i) {
      const PartitionRegistration& one = topic->partitions[i];
      records.emplace_back(PartitionRecord{{id, static_cast<std::int32_t>(i)},
                                           one.replicas,
                                           one.isr,
                                           one.removing,
                                           one.adding,
                                           one.leader,
                                           one.recovery,
                                           one.leader_epoch,
                                           one.partition_epoch,
                                           one.elr,
                                           one.last_known_elr,
                                           one.directories});
    }
  }
  if (next_producer_id_ != ProducerId{0}) {
    records.emplace_back(ProducerIdsRecord{kNoNode, kNoBrokerEpoch, next_producer_id_});
  }
  return records;
}

bool BrokerRegistration::has_online(DirectoryId directory) const {
  return directory == kNoDirectory || directories.empty() ||
         std::find(directories.begin(), directories.end(), directory) != directories.end();
}

DirectoryId PartitionRegistration::directory(NodeId replica) const {
  for (std::size_t i = 0; i < directories.size(); ++i) {
    if (replicas[i] == replica) return directories[i];
  }
  return kNoDirectory;
}

bool MetadataImage::operator==(const MetadataImage& other) const {
  const auto same_topic = [](const auto& a, const auto& b) {
    return a.first == b.first && (a.second == b.second || *a.second == *b.second);
  };
  return end_offset_ == other.end_offset_ && next_producer_id_ == other.next_producer_id_ &&
         next_topic_id_ == other.next_topic_id_ && brokers_ == other.brokers_ &&
         controllers_ == other.controllers_ && feature_levels_ == other.feature_levels_ &&
         std::equal(topics_.begin(), topics_.end(), other.topics_.begin(), other.topics_.end(), same_topic);
}

}  // namespace sim::metadata
