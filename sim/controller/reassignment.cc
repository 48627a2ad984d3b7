// Reassignments of replicas (ReplicationControlManager.alterPartitionReassignments).
#include "controller/reassignment.h"

#include <algorithm>
#include <utility>

#include "base/contains.h"
#include "controller/replication_control.h"

namespace sim::controller {
namespace {

using metadata::MetadataImage;
using metadata::PartitionRegistration;

// In ascending order, as Kafka's TreeSet has them.
std::vector<NodeId> difference(std::vector<NodeId> a, const std::vector<NodeId>& b) {
  std::erase_if(a, [&b](NodeId node) { return contains(b, node); });
  std::sort(a.begin(), a.end());
  return a;
}

// validateManualPartitionAssignment
bool is_valid_assignment(const MetadataImage& image, const std::vector<NodeId>& replicas) {
  if (replicas.empty()) return false;
  return std::all_of(replicas.begin(), replicas.end(), [&](NodeId node) {
    return image.broker(node) != nullptr && std::count(replicas.begin(), replicas.end(), node) == 1;
  });
}

}  // namespace

Reassignment Reassignment::to(const std::vector<NodeId>& target, const std::vector<NodeId>& present) {
  Reassignment result{target, difference(present, target), difference(target, present)};
  result.replicas.insert(result.replicas.end(), result.removing.begin(), result.removing.end());
  return result;
}

ReassignmentRevert::ReassignmentRevert(const PartitionRegistration& partition)
    : replicas(partition.replicas), isr(partition.isr) {
  const auto was_added = [&partition](NodeId node) { return contains(partition.adding, node); };
  std::erase_if(replicas, was_added);
  std::erase_if(isr, was_added);
  unclean = isr.empty() && !replicas.empty();
  if (unclean) isr.push_back(replicas.front());
}

Decision<AlterPartitionReassignmentsResponse> ReplicationControl::alter_partition_reassignments(
    const MetadataImage& image, const AlterPartitionReassignmentsRequest& request) const {
  Decision<AlterPartitionReassignmentsResponse> decision;
  for (const AlterPartitionReassignmentsRequest::Partition& one : request.partitions) {
    ErrorCode error = ErrorCode::unknown_topic_or_partition;
    const metadata::TopicImage* topic = image.topic(one.partition.topic);
    const TopicPartition tp =
        topic == nullptr ? TopicPartition{} : TopicPartition{topic->id, one.partition.partition};
    if (topic != nullptr && image.partition(tp) != nullptr) {
      error = one.cancels ? cancel_reassignment(image, tp, decision.records)
                          : change_reassignment(image, tp, one.replicas, decision.records);
    }
    decision.answer.partitions.push_back({one.partition, error});
  }
  return decision;
}

// One that is under way is replaced: what it was adding and the new target lacks, leaves.
ErrorCode ReplicationControl::change_reassignment(const MetadataImage& image, TopicPartition tp,
                                                  const std::vector<NodeId>& target, Records& records) const {
  if (!is_valid_assignment(image, target)) return ErrorCode::invalid_replica_assignment;
  const PartitionRegistration& partition = *image.partition(tp);
  Reassignment reassignment = Reassignment::to(target, partition.replicas);
  // What is empty is left as it is, as Kafka leaves it.
  if (reassignment.removing.empty()) reassignment.removing = partition.removing;
  if (reassignment.adding.empty()) reassignment.adding = partition.adding;
  PartitionChangeBuilder builder = builder_for(image, tp, Effect{});
  builder.set_election(Election::online)
      .set_target_replicas(std::move(reassignment.replicas), std::move(reassignment.removing),
                           std::move(reassignment.adding));
  if (auto record = builder.build()) records.emplace_back(std::move(*record));
  return ErrorCode::none;
}

ErrorCode ReplicationControl::cancel_reassignment(const MetadataImage& image, TopicPartition tp,
                                                  Records& records) const {
  const PartitionRegistration& partition = *image.partition(tp);
  if (!is_reassigning(partition)) return ErrorCode::no_reassignment_in_progress;
  ReassignmentRevert revert(partition);
  if (revert.replicas.empty()) return ErrorCode::invalid_replica_assignment;
  if (revert.unclean && !image.topic(tp.topic)->config.unclean_leader_election_enable)
    return ErrorCode::invalid_replica_assignment;
  PartitionChangeBuilder builder = builder_for(image, tp, Effect{});
  builder.set_target_isr(std::move(revert.isr)).set_target_replicas(std::move(revert.replicas), {}, {});
  if (auto record = builder.build()) records.emplace_back(std::move(*record));
  return ErrorCode::none;
}

}  // namespace sim::controller
