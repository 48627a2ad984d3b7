#include "broker/auto_topic_creation.h"

#include <algorithm>

#include "server/coordinators.h"

namespace sim::broker {

bool is_valid_topic_name(std::string_view name) {
  constexpr std::size_t kMaxLength = 249;
  const auto is_legal = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  return !name.empty() && name.size() <= kMaxLength && name != "." && name != ".." &&
         std::all_of(name.begin(), name.end(), is_legal);
}

void AutoTopicCreation::want(const std::string& name, const BrokerConfig& config,
                             CreateTopicsRequest& request) {
  if (!in_flight_.insert(name).second) return;
  CreateTopicsRequest::Topic topic;
  topic.name = name;
  topic.partitions = config.num_partitions;
  topic.replication_factor = config.default_replication_factor;
  if (const server::CoordinatorKind* kind = server::coordinator_on(name)) {  // groupMetadataTopicConfigs
    topic.partitions = config.*kind->partitions;
    topic.replication_factor = config.*kind->replication_factor;
    topic.has_config = true;
    topic.config = config.log;
    topic.config.cleanup_compact = true;
    topic.config.cleanup_delete = false;
    topic.config.segment_bytes = config.*kind->segment_bytes;
    topic.config.compression_percent = 100;
    if (kind->min_isr != nullptr) {  // transactionTopicConfigs
      topic.config.min_insync_replicas = config.*kind->min_isr;
      topic.config.unclean_leader_election_enable = false;
    }
  }
  request.topics.push_back(std::move(topic));
}

void AutoTopicCreation::done(const CreateTopicsRequest& request) {
  for (const CreateTopicsRequest::Topic& topic : request.topics) in_flight_.erase(topic.name);
}

}  // namespace sim::broker
