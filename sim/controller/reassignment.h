#pragma once

#include <vector>

#include "metadata/metadata_image.h"
#include "protocol/ids.h"

// From what a partition's replicas are to what they shall be (PartitionReassignmentReplicas,
// PartitionReassignmentRevert).
//
// While a reassignment is under way the partition has all replicas that it had and all that it will have: the
// target first, in its order, then those that leave. It completes as soon as the ISR, without those that
// leave, holds the whole target; see PartitionChangeBuilder.
namespace sim::controller {

struct Reassignment {
  std::vector<NodeId> replicas, removing, adding;

  // From the present list, whatever is being moved in it, to `target`.
  static Reassignment to(const std::vector<NodeId>& target, const std::vector<NodeId>& present);
};

inline bool is_reassigning(const metadata::PartitionRegistration& partition) {
  return !partition.removing.empty() || !partition.adding.empty();
}

// Back to what was before. If nobody of those is in sync, the first of them is declared to be: unclean.
struct ReassignmentRevert {
  explicit ReassignmentRevert(const metadata::PartitionRegistration& partition);

  std::vector<NodeId> replicas, isr;
  bool unclean = false;
};

}  // namespace sim::controller
