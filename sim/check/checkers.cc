#include "check/checkers.h"

#include "base/contains.h"

namespace sim::check {

Checkers::Checkers(InvariantsSpec spec)
    : off_(spec.off),
      replicas_(ReplicaPromise{spec.acks_all_of_flow, spec.history, spec.acks_all_of_hop}),
      transactions_(spec.read_committed_of_service),
      orders_(std::move(spec)) {
  if (orders_.spec().history.knows_voters_by_id) quorum_.know_voters_by_id();
}

void Checkers::quorum_forgot() {
  replicas_.quorum_forgot();
  orders_.quorum_forgot();
  metadata_.quorum_forgot();
}

std::vector<Violation> Checkers::violations() const {
  std::vector<Violation> all = orders_.violations();
  for (const auto* more : {&replicas_.violations(), &transactions_.violations(), &quorum_.violations(),
                           &metadata_.violations(), &groups_.violations()}) {
    all.insert(all.end(), more->begin(), more->end());
  }
  std::erase_if(all, [this](const Violation& one) { return contains(off_, one.invariant); });
  return all;
}

}  // namespace sim::check
