// Elections that an administrator asks for (ReplicationControlManager.electLeaders).
#include <cstdint>
#include <utility>

#include "controller/replication_control.h"

namespace sim::controller {

using metadata::MetadataImage;
using metadata::PartitionRegistration;

Decision<ElectLeadersResponse> ReplicationControl::elect_leaders(const MetadataImage& image,
                                                                 const ElectLeadersRequest& request) const {
  Decision<ElectLeadersResponse> decision;
  if (!request.all_partitions) {
    for (const NamedPartition& one : request.partitions) {
      const metadata::TopicImage* topic = image.topic(one.topic);
      const ErrorCode error =
          topic == nullptr ? ErrorCode::unknown_topic_or_partition
                           : elect_leader(image, {topic->id, one.partition}, request.type, decision.records);
      decision.answer.partitions.push_back({one, error});
    }
    return decision;
  }
  for (const auto& [id, topic] : image.topics()) {
    for (std::int32_t i = 0; std::cmp_less(i, topic->partitions.size()); ++i) {
      const ErrorCode error = elect_leader(image, {id, i}, request.type, decision.records);
      if (error != ErrorCode::election_not_needed)
        decision.answer.partitions.push_back({{topic->name, i}, error});
    }
  }
  return decision;
}

// An election that finds somebody else is a success, too: only if nothing changes was there nobody.
ErrorCode ReplicationControl::elect_leader(const MetadataImage& image, TopicPartition tp, ElectionType type,
                                           Records& records) const {
  const PartitionRegistration* partition = image.partition(tp);
  if (partition == nullptr) return ErrorCode::unknown_topic_or_partition;
  const bool preferred = type == ElectionType::preferred;
  const bool has_it =
      preferred ? partition->leader == partition->replicas.front() : partition->leader != kNoNode;
  if (has_it) return ErrorCode::election_not_needed;
  PartitionChangeBuilder builder = builder_for(image, tp, Effect{});
  auto record = builder.set_election(preferred ? Election::preferred : Election::unclean).build();
  if (!record) {
    return preferred ? ErrorCode::preferred_leader_not_available : ErrorCode::eligible_leaders_not_available;
  }
  records.emplace_back(std::move(*record));
  return ErrorCode::none;
}

}  // namespace sim::controller
