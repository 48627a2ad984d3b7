#include <cstddef>
#include <iterator>
#include <optional>
#include <utility>

#include "base/check.h"
#include "controller/controller.h"
#include "controller/replication_control.h"
#include "controller/striped_replica_placer.h"

namespace sim::controller {

std::vector<MetadataRecord> bootstrap_records(const std::vector<BootstrapBroker>& brokers,
                                              const std::vector<BootstrapTopic>& topics, Rng rng) {
  std::vector<MetadataRecord> records;
  std::vector<UsableBroker> usable;
  for (const BootstrapBroker& broker : brokers) {
    RegisterBrokerRecord registration;
    registration.broker = broker.id;
    registration.broker_epoch = BrokerEpoch{static_cast<std::int64_t>(records.size())};
    registration.endpoint = broker.endpoint;
    registration.rack = broker.rack;
    registration.fenced = false;
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
    std::move(created.begin(), created.end(), std::back_inserter(records));
    next_id = next_id.next();
  }
  return records;
}

}  // namespace sim::controller
