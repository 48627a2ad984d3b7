// What an administrator does to topics: deletes them, changes their settings, adds partitions
// (ReplicationControlManager, ConfigurationControlManager).
//
// Deliberately different: a topic's settings are one record (see TopicConfigRecord), and where a change of
// min.insync.replicas clears the ELR of a partition, a change of that partition says so (Kafka:
// ClearElrRecord, which leaves the partition epoch as it is).
#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>

#include "controller/replication_control.h"
#include "protocol/topic_settings.h"

namespace sim::controller {

using metadata::MetadataImage;
using metadata::PartitionRegistration;

// ---- Deletion

Decision<DeleteTopicsResponse> ReplicationControl::delete_topics(const MetadataImage& image,
                                                                 const DeleteTopicsRequest& request) const {
  Decision<DeleteTopicsResponse> decision;
  for (const std::string& name : request.topics) {
    const metadata::TopicImage* topic = image.topic(name);
    ErrorCode error = ErrorCode::none;
    if (std::count(request.topics.begin(), request.topics.end(), name) > 1) {
      error = ErrorCode::invalid_request;
    } else if (topic == nullptr) {
      error = ErrorCode::unknown_topic_or_partition;
    } else {
      decision.records.emplace_back(RemoveTopicRecord{topic->id});
    }
    decision.answer.topics.push_back({name, error});
  }
  return decision;
}

// ---- Settings

// What names a topic or a setting twice is refused before anything is looked at (ControllerApis,
// ConfigAdminManager).
Decision<IncrementalAlterConfigsResponse> ReplicationControl::incremental_alter_configs(
    const MetadataImage& image, const IncrementalAlterConfigsRequest& request) const {
  Decision<IncrementalAlterConfigsResponse> decision;
  for (const IncrementalAlterConfigsRequest::Topic& topic : request.topics) {
    const bool is_named_once =
        std::count_if(request.topics.begin(), request.topics.end(),
                      [&topic](const auto& other) { return other.name == topic.name; }) == 1;
    const bool names_each_once =
        std::all_of(topic.entries.begin(), topic.entries.end(), [&](const auto& entry) {
          return std::count_if(topic.entries.begin(), topic.entries.end(),
                               [&entry](const auto& other) { return other.name == entry.name; }) == 1;
        });
    const ErrorCode error = is_named_once && names_each_once ? alter_config(image, topic, decision.records)
                                                             : ErrorCode::invalid_request;
    decision.answer.topics.push_back({topic.name, error});
  }
  return decision;
}

// The values are judged first, by themselves and beside those the topic has; then it is asked whether there
// is such a topic (ConfigurationControlManager.validateAlterConfig, LogConfig.validate).
ErrorCode ReplicationControl::alter_config(const MetadataImage& image,
                                           const IncrementalAlterConfigsRequest::Topic& wanted,
                                           Records& records) const {
  const metadata::TopicImage* topic = image.topic(wanted.name);
  TopicConfig config = topic == nullptr ? config_.log : topic->config;
  for (const IncrementalAlterConfigsRequest::Entry& entry : wanted.entries) {
    const bool done = entry.deletes ? reset_topic_config(config, entry.name, config_.log)
                                    : set_topic_config(config, entry.name, entry.value);
    if (!done) return ErrorCode::invalid_config;
  }
  if (!lags_agree(config)) return ErrorCode::invalid_config;
  if (topic == nullptr) return ErrorCode::unknown_topic_or_partition;
  if (config == topic->config) return ErrorCode::none;
  const bool min_isr_changes = config.min_insync_replicas != topic->config.min_insync_replicas;
  records.emplace_back(TopicConfigRecord{topic->id, std::move(config)});
  if (!min_isr_changes || !config_.history.eligible_leader_replicas) return ErrorCode::none;
  // Who was eligible was so by the old setting.
  for (std::size_t i = 0; i < topic->partitions.size(); ++i) {
    const PartitionRegistration& partition = topic->partitions[i];
    if (partition.elr.empty() && partition.last_known_elr.empty()) continue;
    PartitionChangeRecord record;
    record.tp = {topic->id, static_cast<std::int32_t>(i)};
    record.has_elr = true;
    records.emplace_back(std::move(record));
  }
  return ErrorCode::none;
}

// ---- More partitions

Decision<CreatePartitionsResponse> ReplicationControl::create_partitions(
    const MetadataImage& image, const CreatePartitionsRequest& request,
    const std::vector<UsableBroker>& brokers, Rng& rng) const {
  Decision<CreatePartitionsResponse> decision;
  for (const CreatePartitionsRequest::Topic& topic : request.topics) {
    const auto same_name = [&topic](const CreatePartitionsRequest::Topic& other) {
      return other.name == topic.name;
    };
    const bool is_unique = std::count_if(request.topics.begin(), request.topics.end(), same_name) == 1;
    const ErrorCode error =
        is_unique ? add_partitions(image, topic, brokers, rng, decision.records) : ErrorCode::invalid_request;
    decision.answer.topics.push_back({topic.name, error});
  }
  return decision;
}

ErrorCode ReplicationControl::add_partitions(const MetadataImage& image,
                                             const CreatePartitionsRequest::Topic& wanted,
                                             const std::vector<UsableBroker>& brokers, Rng& rng,
                                             Records& records) const {
  const metadata::TopicImage* topic = image.topic(wanted.name);
  if (topic == nullptr) return ErrorCode::unknown_topic_or_partition;
  const auto present = static_cast<std::int32_t>(topic->partitions.size());
  if (wanted.count <= present) return ErrorCode::invalid_partitions;
  const auto factor = static_cast<std::int32_t>(topic->partitions.front().replicas.size());
  const auto replicas = place_replicas(wanted.count - present, factor, brokers, rng);
  if (!replicas) return ErrorCode::invalid_replication_factor;
  Records added;
  for (std::size_t i = 0; i < replicas->size(); ++i) {
    PartitionRecord partition;
    partition.tp = {topic->id, present + static_cast<std::int32_t>(i)};
    partition.replicas = (*replicas)[i];
    std::copy_if(partition.replicas.begin(), partition.replicas.end(), std::back_inserter(partition.isr),
                 [&image](NodeId node) { return image.is_active(node); });
    if (partition.isr.empty()) return ErrorCode::invalid_replication_factor;
    partition.leader = partition.isr.front();
    added.emplace_back(std::move(partition));
  }
  std::move(added.begin(), added.end(), std::back_inserter(records));
  return ErrorCode::none;
}

}  // namespace sim::controller
