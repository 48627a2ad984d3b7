#include "controller/replication_control.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "base/contains.h"
#include "base/overloaded.h"

namespace sim::controller {
namespace {

using metadata::MetadataImage;
using metadata::PartitionRegistration;

// getTopicEffectiveMinIsr: by the first partition's replicas.
std::int32_t effective_min_isr(const metadata::TopicImage& topic) {
  const auto replicas = static_cast<std::int32_t>(topic.partitions.front().replicas.size());
  return std::min(topic.config.min_insync_replicas, replicas);
}

}  // namespace

// ---- Indexes

ReplicationControl::ReplicationControl(const ControllerConfig& config, const MetadataImage& image)
    : config_(config) {
  for (const auto& [id, topic] : image.topics()) {
    for (std::size_t i = 0; i < topic->partitions.size(); ++i)
      index(image, {id, static_cast<std::int32_t>(i)});
  }
}

void ReplicationControl::index(const MetadataImage& image, TopicPartition tp) {
  const PartitionRegistration& partition = *image.partition(tp);
  const auto keep = [tp](std::set<TopicPartition>& partitions, bool in) {
    if (in) {
      partitions.insert(tp);
    } else {
      partitions.erase(tp);
    }
  };
  keep(leaderless_, partition.leader == kNoNode);
  keep(imbalanced_, partition.leader != partition.replicas.front());
}

void ReplicationControl::replayed(const MetadataImage& image, const MetadataRecord& record) {
  std::visit(Overloaded{
                 [&](const PartitionRecord& one) { index(image, one.tp); },
                 [&](const PartitionChangeRecord& one) { index(image, one.tp); },
                 [&](const RemoveTopicRecord& one) {
                   const auto gone = [&one](TopicPartition tp) { return tp.topic == one.id; };
                   std::erase_if(leaderless_, gone);
                   std::erase_if(imbalanced_, gone);
                 },
                 [](const TopicRecord&) {},
                 [](const RegisterBrokerRecord&) {},
                 [](const UnregisterBrokerRecord&) {},
                 [](const BrokerRegistrationChangeRecord&) {},
                 [](const TopicConfigRecord&) {},
                 [](const ProducerIdsRecord&) {},
                 [](const NoOpRecord&) {},
                 [](const FeatureLevelRecord&) {},
                 [](const RegisterControllerRecord&) {},
             },
             record);
}

std::vector<TopicPartition> ReplicationControl::partitions_with(const MetadataImage& image, NodeId broker,
                                                                Where where) const {
  std::vector<TopicPartition> result;
  for (const auto& [id, topic] : image.topics()) {
    for (std::size_t i = 0; i < topic->partitions.size(); ++i) {
      const PartitionRegistration& partition = topic->partitions[i];
      if (contains(where == Where::in_isr ? partition.isr : partition.elr, broker)) {
        result.push_back({id, static_cast<std::int32_t>(i)});
      }
    }
  }
  return result;
}

bool ReplicationControl::leads_any(const MetadataImage& image, NodeId broker) const {
  for (const auto& [id, topic] : image.topics()) {
    for (const PartitionRegistration& partition : topic->partitions) {
      if (partition.leader == broker) return true;
    }
  }
  return false;
}

// ---- Changes of a broker's state (generateLeaderAndIsrUpdates)

PartitionChangeBuilder ReplicationControl::builder_for(const MetadataImage& image, TopicPartition tp,
                                                       const Effect& effect) const {
  const metadata::TopicImage& topic = *image.topic(tp.topic);
  const PartitionRegistration& partition = *image.partition(tp);
  std::vector<NodeId> acceptable;
  for (const NodeId replica : partition.replicas) {
    if (replica == effect.removed || replica == effect.unclean_shutdown) continue;
    if (replica != effect.added && !image.is_active(replica)) continue;
    if (image.broker(replica)->has_online(partition.directory(replica))) acceptable.push_back(replica);
  }
  PartitionChangeBuilder builder(tp, partition, std::move(acceptable), effective_min_isr(topic));
  builder.set_elr_enabled(config_.history.eligible_leader_replicas);
  if (topic.config.unclean_leader_election_enable) builder.set_election(Election::unclean);
  return builder;
}

void ReplicationControl::change_partitions(const MetadataImage& image,
                                           const std::vector<TopicPartition>& partitions,
                                           const Effect& effect, Records& records) const {
  for (const TopicPartition tp : partitions) {
    std::vector<NodeId> isr = image.partition(tp)->isr;
    std::erase_if(
        isr, [&effect](NodeId node) { return node == effect.removed || node == effect.unclean_shutdown; });
    PartitionChangeBuilder builder = builder_for(image, tp, effect);
    builder.set_target_isr(std::move(isr)).set_unclean_shutdown(effect.unclean_shutdown);
    if (auto record = builder.build()) records.emplace_back(std::move(*record));
  }
}

void ReplicationControl::broker_fenced(const MetadataImage& image, NodeId broker, Records& records) const {
  change_partitions(image, partitions_with(image, broker, Where::in_isr), Effect{.removed = broker}, records);
  records.emplace_back(BrokerRegistrationChangeRecord{broker, image.broker(broker)->broker_epoch, 1, 0});
}

void ReplicationControl::broker_unfenced(const MetadataImage& image, NodeId broker, Records& records) const {
  records.emplace_back(BrokerRegistrationChangeRecord{broker, image.broker(broker)->broker_epoch, -1, 0});
  const std::vector<TopicPartition> leaderless(leaderless_.begin(), leaderless_.end());
  change_partitions(image, leaderless, Effect{.added = broker}, records);
}

void ReplicationControl::broker_in_controlled_shutdown(const MetadataImage& image, NodeId broker,
                                                       Records& records) const {
  const metadata::BrokerRegistration& registration = *image.broker(broker);
  if (!registration.in_controlled_shutdown) {
    records.emplace_back(BrokerRegistrationChangeRecord{broker, registration.broker_epoch, 0, 1});
  }
  change_partitions(image, partitions_with(image, broker, Where::in_isr), Effect{.removed = broker}, records);
}

void ReplicationControl::broker_restarted(const MetadataImage& image, NodeId broker, bool clean_shutdown,
                                          Records& records) const {
  const std::vector<TopicPartition> in_isr = partitions_with(image, broker, Where::in_isr);
  if (clean_shutdown || !config_.history.eligible_leader_replicas) {
    return change_partitions(image, in_isr, Effect{.removed = broker}, records);
  }
  const Effect effect{.unclean_shutdown = broker};
  change_partitions(image, in_isr, effect, records);
  change_partitions(image, partitions_with(image, broker, Where::in_elr), effect, records);
}

// ---- Elections that nobody asked for

ReplicationControl::Records ReplicationControl::balance_leaders(const MetadataImage& image) const {
  Records records;
  for (const TopicPartition tp : imbalanced_) {
    if (records.size() >= kMaxElections) break;
    PartitionChangeBuilder builder = builder_for(image, tp, Effect{});
    if (auto record = builder.set_election(Election::preferred).build())
      records.emplace_back(std::move(*record));
  }
  return records;
}

ReplicationControl::Records ReplicationControl::elect_unclean_leaders(const MetadataImage& image) const {
  Records records;
  for (const TopicPartition tp : leaderless_) {
    if (records.size() >= kMaxElections) break;
    if (!image.topic(tp.topic)->config.unclean_leader_election_enable) continue;
    PartitionChangeBuilder builder = builder_for(image, tp, Effect{});
    if (auto record = builder.set_election(Election::unclean).build())
      records.emplace_back(std::move(*record));
  }
  return records;
}

// ---- AlterPartition

Decision<AlterPartitionResponse> ReplicationControl::alter_partition(
    const MetadataImage& image, const AlterPartitionRequest& request) const {
  Decision<AlterPartitionResponse> decision;
  for (const AlterPartitionRequest::Partition& wanted : request.partitions) {
    decision.answer.partitions.push_back(alter_one(image, request.broker, wanted, decision.records));
  }
  return decision;
}

// validateAlterPartitionData: the order of the checks is what a leader sees.
ErrorCode ReplicationControl::check_alter_partition(const MetadataImage& image, NodeId sender,
                                                    const AlterPartitionRequest::Partition& wanted) const {
  if (image.topic(wanted.tp.topic) == nullptr) return ErrorCode::unknown_topic_id;
  const PartitionRegistration* partition = image.partition(wanted.tp);
  if (partition == nullptr) return ErrorCode::unknown_topic_or_partition;
  // The leader knows more than we do: probably we are no longer the active controller.
  if (wanted.leader_epoch > partition->leader_epoch) return ErrorCode::not_controller;
  if (wanted.partition_epoch > partition->partition_epoch) return ErrorCode::not_controller;
  if (wanted.leader_epoch < partition->leader_epoch) return ErrorCode::fenced_leader_epoch;
  if (sender != partition->leader) return ErrorCode::invalid_request;
  if (wanted.partition_epoch < partition->partition_epoch) return ErrorCode::invalid_update_version;

  std::vector<NodeId> isr;
  for (const AlterPartitionRequest::IsrMember& member : wanted.new_isr) {
    if (!contains(partition->replicas, member.broker) || contains(isr, member.broker))
      return ErrorCode::invalid_request;
    isr.push_back(member.broker);
  }
  if (!contains(isr, partition->leader)) return ErrorCode::invalid_request;
  if (wanted.recovery == LeaderRecoveryState::recovering) {
    if (isr.size() > 1 || partition->recovery == LeaderRecoveryState::recovered)
      return ErrorCode::invalid_request;
  }
  for (const AlterPartitionRequest::IsrMember& member : wanted.new_isr) {
    if (config_.history.isr_unfenced_only && !image.is_active(member.broker))
      return ErrorCode::ineligible_replica;
    if (member.broker_epoch == kNoBrokerEpoch) continue;
    const metadata::BrokerRegistration* registered = image.broker(member.broker);
    if (registered == nullptr || member.broker_epoch != registered->broker_epoch)
      return ErrorCode::ineligible_replica;
  }
  return ErrorCode::none;
}

AlterPartitionResponse::Partition ReplicationControl::alter_one(
    const MetadataImage& image, NodeId sender, const AlterPartitionRequest::Partition& wanted,
    Records& records) const {
  AlterPartitionResponse::Partition answer;
  answer.tp = wanted.tp;
  answer.error = check_alter_partition(image, sender, wanted);
  if (answer.error != ErrorCode::none) return answer;

  std::vector<NodeId> isr;
  for (const AlterPartitionRequest::IsrMember& member : wanted.new_isr) isr.push_back(member.broker);
  PartitionChangeBuilder builder = builder_for(image, wanted.tp, Effect{});
  const auto record = builder.set_target_isr(std::move(isr)).set_target_recovery(wanted.recovery).build();
  PartitionRegistration after = *image.partition(wanted.tp);
  if (record) {
    records.emplace_back(*record);
    after.merge(*record);
    // Only a completed reassignment takes the leadership from the sender. It must learn that from the
    // metadata.
    if (record->leader != kLeaderUnchanged && record->leader != sender) {
      answer.error = ErrorCode::new_leader_elected;
      return answer;
    }
  }
  answer.leader = after.leader;
  answer.leader_epoch = after.leader_epoch;
  answer.isr = std::move(after.isr);
  answer.recovery = after.recovery;
  answer.partition_epoch = after.partition_epoch;
  return answer;
}

}  // namespace sim::controller
