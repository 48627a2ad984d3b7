#include <cstddef>
#include <iterator>
#include <optional>
#include <utility>

#include "base/check.h"
#include "controller/controller.h"
#include "controller/replication_control.h"
#include "controller/striped_replica_placer.h"

namespace sim::controller {

namespace {

// Levels that `kafka-storage format` gives a new cluster of 4.1 (Feature.latestProduction, MetadataVersion).
void set_feature_levels(bool eligible_leader_replicas, std::vector<MetadataRecord>& records) {
  records.emplace_back(FeatureLevelRecord{"metadata.version", 27});  // 4.1-IV1
  if (eligible_leader_replicas)
    records.emplace_back(FeatureLevelRecord{"eligible.leader.replicas.version", 1});
  records.emplace_back(FeatureLevelRecord{"group.version", 1});
  records.emplace_back(FeatureLevelRecord{"transaction.version", 2});
}

}  // namespace

std::vector<MetadataRecord> bootstrap_records(bool eligible_leader_replicas,
                                              const std::vector<BootstrapController>& controllers,
                                              const std::vector<BootstrapBroker>& brokers,
                                              const std::vector<BootstrapTopic>& topics, Rng rng) {
  std::vector<MetadataRecord> records;
  set_feature_levels(eligible_leader_replicas, records);
  for (const BootstrapController& controller : controllers) {
    records.emplace_back(
        RegisterControllerRecord{controller.id, controller.incarnation, controller.endpoint});
  }
  std::vector<UsableBroker> usable;
  for (const BootstrapBroker& broker : brokers) {
    RegisterBrokerRecord registration;
    registration.broker = broker.id;
    registration.broker_epoch = BrokerEpoch{static_cast<std::int64_t>(records.size())};
    registration.endpoint = broker.endpoint;
    registration.rack = broker.rack;
    registration.fenced = false;
    registration.tells_cordoned_log_dirs = broker.tells_cordoned_log_dirs;
    records.emplace_back(registration);
    usable.push_back({broker.id, broker.rack, false});
  }
  TopicId next_id = kClusterMetadataTopic.next();
  for (const BootstrapTopic& topic : topics) {
    const std::optional<ReplicaLists> replicas =
        topic.replicas.empty() ? place_replicas(topic.partitions, topic.replication_factor, usable, rng)
                               : std::optional(topic.replicas);
    SIM_CHECK(replicas.has_value(), "a scenario lists only topics that its brokers can hold");
    std::vector<MetadataRecord> created =
        new_topic_records(topic.name, next_id, topic.config, *replicas, usable);
    if (!topic.directories.empty()) {
      for (MetadataRecord& record : created) {
        auto* partition = std::get_if<PartitionRecord>(&record);
        if (partition != nullptr)
          partition->directories = topic.directories[static_cast<std::size_t>(partition->tp.partition)];
      }
    }
    std::move(created.begin(), created.end(), std::back_inserter(records));
    next_id = next_id.next();
  }
  return records;
}

}  // namespace sim::controller
