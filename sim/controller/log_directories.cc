#include <algorithm>
#include <utility>

#include "controller/replication_control.h"

// Log directories (KIP-858): which of a broker's its replicas lie in, and what their failure means. Of a
// broker that has only one directory nothing is told or recorded: it fails as a whole.
namespace sim::controller {

using metadata::BrokerRegistration;
using metadata::MetadataImage;
using metadata::PartitionRegistration;

namespace {

std::vector<TopicPartition> partitions_in(const MetadataImage& image, NodeId broker, DirectoryId directory) {
  std::vector<TopicPartition> result;
  for (const auto& [id, topic] : image.topics()) {
    for (std::size_t i = 0; i < topic->partitions.size(); ++i) {
      if (topic->partitions[i].directory(broker) == directory) {
        result.push_back({id, static_cast<std::int32_t>(i)});
      }
    }
  }
  return result;
}

ErrorCode check_assignment(const MetadataImage& image, NodeId broker, TopicPartition tp) {
  if (image.topic(tp.topic) == nullptr) return ErrorCode::unknown_topic_id;
  const PartitionRegistration* partition = image.partition(tp);
  if (partition == nullptr) return ErrorCode::unknown_topic_or_partition;
  const auto& replicas = partition->replicas;
  const bool is_replica = std::find(replicas.begin(), replicas.end(), broker) != replicas.end();
  return is_replica ? ErrorCode::none : ErrorCode::not_leader_or_follower;
}

}  // namespace

// handleDirectoriesOffline: its replicas there leave the ISRs and may not lead.
void ReplicationControl::directories_offline(const MetadataImage& image, NodeId broker,
                                             const std::vector<DirectoryId>& offline,
                                             Records& records) const {
  const BrokerRegistration& registration = *image.broker(broker);
  std::vector<DirectoryId> left = registration.directories;
  for (const DirectoryId directory : offline) {
    if (std::erase(left, directory) == 0) continue;
    change_partitions(image, partitions_in(image, broker, directory), Effect{.removed = broker}, records);
  }
  if (left.size() == registration.directories.size()) return;
  BrokerRegistrationChangeRecord change;
  change.broker = broker;
  change.broker_epoch = registration.broker_epoch;
  change.directories = std::move(left);
  records.emplace_back(std::move(change));
}

// handleDirectoriesCordoned: none is, here, but a registration does not say so.
void ReplicationControl::directories_cordoned(const MetadataImage& image, NodeId broker, Records& records) {
  const BrokerRegistration& registration = *image.broker(broker);
  if (registration.tells_cordoned_log_dirs) return;
  BrokerRegistrationChangeRecord change;
  change.broker = broker;
  change.broker_epoch = registration.broker_epoch;
  change.tells_cordoned_log_dirs = true;
  records.emplace_back(std::move(change));
}

// handleAssignReplicasToDirs
Decision<AssignReplicasToDirsResponse> ReplicationControl::assign_replicas_to_dirs(
    const MetadataImage& image, const AssignReplicasToDirsRequest& request) const {
  Decision<AssignReplicasToDirsResponse> decision;
  const BrokerRegistration& registration = *image.broker(request.broker);
  std::vector<TopicPartition> offline;
  for (const AssignReplicasToDirsRequest::Partition& one : request.partitions) {
    const ErrorCode error = check_assignment(image, request.broker, one.tp);
    decision.answer.partitions.push_back({one.tp, error});
    if (error != ErrorCode::none) continue;
    // Kafka decides here with its builder's defaults: without eligible leader replicas (so that those there
    // are are forgotten) and without unclean elections.
    PartitionChangeBuilder builder = builder_for(image, one.tp, Effect{});
    builder.set_elr_enabled(false).set_election(Election::online);
    auto record = builder.set_directory(request.broker, one.directory).build();
    if (record) decision.records.emplace_back(std::move(*record));
    if (!registration.has_online(one.directory)) offline.push_back(one.tp);
  }
  change_partitions(image, offline, Effect{.removed = request.broker}, decision.records);
  return decision;
}

}  // namespace sim::controller
