#pragma once

#include <utility>
#include <vector>

#include "check/invariants.h"
#include "check/metadata_invariants.h"
#include "check/raft_invariants.h"
#include "observe/observation.h"

namespace sim::check {

// Everything that must hold of a run: of orders and partitions, of the quorum, of the metadata.
class AllInvariants final : public observe::Observer {
 public:
  explicit AllInvariants(InvariantsSpec spec) : orders_(std::move(spec)) {}

  void on(const observe::Observation& observation) override {
    orders_.on(observation);
    quorum_.on(observation);
    metadata_.on(observation);
  }

  std::vector<Violation> violations() const {
    std::vector<Violation> all = orders_.violations();
    for (const auto* more : {&quorum_.violations(), &metadata_.violations()}) {
      all.insert(all.end(), more->begin(), more->end());
    }
    return all;
  }

 private:
  Invariants orders_;
  RaftInvariants quorum_;
  MetadataInvariants metadata_;
};

}  // namespace sim::check
