// Topic creation (ReplicationControlManager.createTopics, with the checks that ControllerApis does first).
#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>

#include "controller/replication_control.h"
#include "protocol/topic_settings.h"

namespace sim::controller {
namespace {

using metadata::MetadataImage;

constexpr std::size_t kMaxTopicNameLength = 249;

// Topic.validate
bool is_valid_topic_name(const std::string& name) {
  const auto is_legal = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  return !name.empty() && name != "." && name != ".." && name.size() <= kMaxTopicNameLength &&
         std::all_of(name.begin(), name.end(), is_legal);
}

// Names that differ only in `.` and `_` would share the names of their metrics.
bool collides(const MetadataImage& image, std::string name) {
  const auto unify = [](std::string text) {
    std::replace(text.begin(), text.end(), '.', '_');
    return text;
  };
  name = unify(std::move(name));
  if (name.find('_') == std::string::npos) return false;
  return std::any_of(image.topics().begin(), image.topics().end(),
                     [&](const auto& entry) { return unify(entry.second->name) == name; });
}

}  // namespace

namespace {

// validateManualPartitionAssignment, and that somebody can lead each partition. What was placed passes.
ErrorCode check_assignment(const ReplicaLists& replicas, const std::vector<UsableBroker>& brokers) {
  for (const std::vector<NodeId>& partition : replicas) {
    bool has_leader = false;
    for (std::size_t i = 0; i < partition.size(); ++i) {
      const auto broker = std::find_if(brokers.begin(), brokers.end(),
                                       [&](const UsableBroker& one) { return one.id == partition[i]; });
      const bool is_twice = std::count(partition.begin(), partition.end(), partition[i]) > 1;
      if (broker == brokers.end() || is_twice) return ErrorCode::invalid_replica_assignment;
      has_leader = has_leader || !broker->fenced;
    }
    if (!has_leader || partition.size() != replicas.front().size())
      return ErrorCode::invalid_replica_assignment;
  }
  return ErrorCode::none;
}

}  // namespace

Decision<CreateTopicsResponse> ReplicationControl::create_topics(const MetadataImage& image,
                                                                 const CreateTopicsRequest& request,
                                                                 const std::vector<UsableBroker>& brokers,
                                                                 Rng& rng) const {
  Decision<CreateTopicsResponse> decision;
  TopicId next_id = image.next_topic_id();
  for (const CreateTopicsRequest::Topic& topic : request.topics) {
    const auto same_name = [&topic](const CreateTopicsRequest::Topic& other) {
      return other.name == topic.name;
    };
    CreateTopicsResponse::Topic answer{topic.name};
    answer.error = std::count_if(request.topics.begin(), request.topics.end(), same_name) > 1
                       ? ErrorCode::invalid_request
                       : check_new_topic(image, topic);
    if (answer.error == ErrorCode::none) {
      answer.error = create_topic(topic, next_id, brokers, rng, decision.records);
    }
    if (answer.error == ErrorCode::none) {
      answer.id = next_id;
      next_id = next_id.next();
    }
    decision.answer.topics.push_back(std::move(answer));
  }
  return decision;
}

ErrorCode ReplicationControl::check_new_topic(const MetadataImage& image,
                                              const CreateTopicsRequest::Topic& topic) const {
  if (topic.name == "__cluster_metadata") return ErrorCode::invalid_request;
  if (image.topic(topic.name) != nullptr) return ErrorCode::topic_already_exists;
  if (!is_valid_topic_name(topic.name) || collides(image, topic.name))
    return ErrorCode::invalid_topic_exception;
  if (topic.has_config && !is_valid(topic.config)) return ErrorCode::invalid_config;
  if (topic.replication_factor < -1 || topic.replication_factor == 0)
    return ErrorCode::invalid_replication_factor;
  if (topic.partitions < -1 || topic.partitions == 0) return ErrorCode::invalid_partitions;
  return ErrorCode::none;
}

ErrorCode ReplicationControl::create_topic(const CreateTopicsRequest::Topic& topic, TopicId id,
                                           const std::vector<UsableBroker>& brokers, Rng& rng,
                                           Records& records) const {
  const std::int32_t partitions = topic.partitions == -1 ? config_.num_partitions : topic.partitions;
  const std::int16_t factor =
      topic.replication_factor == -1 ? config_.default_replication_factor : topic.replication_factor;
  const auto replicas = topic.replicas.empty() ? place_replicas(partitions, factor, brokers, rng)
                                               : std::optional(topic.replicas);
  if (!replicas) return ErrorCode::invalid_replication_factor;
  if (const ErrorCode error = check_assignment(*replicas, brokers); error != ErrorCode::none) return error;
  std::vector<MetadataRecord> created =
      new_topic_records(topic.name, id, topic.has_config ? topic.config : config_.log, *replicas, brokers);
  std::move(created.begin(), created.end(), std::back_inserter(records));
  return ErrorCode::none;
}

std::vector<MetadataRecord> new_topic_records(const std::string& name, TopicId id, const TopicConfig& config,
                                              const ReplicaLists& replicas,
                                              const std::vector<UsableBroker>& brokers) {
  const auto is_unfenced = [&brokers](NodeId node) {
    return std::any_of(brokers.begin(), brokers.end(),
                       [node](const UsableBroker& broker) { return broker.id == node && !broker.fenced; });
  };
  std::vector<MetadataRecord> records;
  records.emplace_back(TopicRecord{name, id});
  if (config != TopicConfig{}) records.emplace_back(TopicConfigRecord{id, config});
  for (std::size_t i = 0; i < replicas.size(); ++i) {
    PartitionRecord partition;
    partition.tp = {id, static_cast<std::int32_t>(i)};
    partition.replicas = replicas[i];
    std::copy_if(replicas[i].begin(), replicas[i].end(), std::back_inserter(partition.isr), is_unfenced);
    partition.leader = partition.isr.front();
    records.emplace_back(std::move(partition));
  }
  return records;
}

}  // namespace sim::controller
