#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "check/invariants.h"
#include "check/metadata_invariants.h"
#include "check/raft_invariants.h"
#include "check/replica_invariants.h"
#include "observe/observation.h"
#include "observe/replica_logs.h"

namespace sim::check {

// Everything that must hold of a run: of orders and partitions, of their replicas, of the quorum, of the
// metadata. It keeps what every replica's log holds, which others may look at once it was told.
class AllInvariants final : public observe::Observer {
 public:
  explicit AllInvariants(InvariantsSpec spec)
      : off_(spec.off),
        replicas_(ReplicaPromise{spec.acks_all_of_flow, spec.history}),
        orders_(std::move(spec)) {
    if (orders_.spec().history.knows_voters_by_id) quorum_.know_voters_by_id();
  }

  void on(const observe::Observation& observation) override {
    change_ = logs_.on(observation);
    replicas_.on(observation, logs_, change_);
    orders_.on(observation);
    const bool had_forgotten = quorum_.has_forgotten();
    quorum_.on(observation);
    if (quorum_.has_forgotten() && !had_forgotten) {
      replicas_.quorum_forgot();
      orders_.quorum_forgot();
      metadata_.quorum_forgot();
    }
    metadata_.on(observation);
  }

  // Those of invariants that are not switched off.
  std::vector<Violation> violations() const {
    std::vector<Violation> all = orders_.violations();
    for (const auto* more : {&replicas_.violations(), &quorum_.violations(), &metadata_.violations()}) {
      all.insert(all.end(), more->begin(), more->end());
    }
    std::erase_if(all, [this](const Violation& one) {
      return std::find(off_.begin(), off_.end(), one.invariant) != off_.end();
    });
    return all;
  }

  const observe::ReplicaLogs& logs() const { return logs_; }
  // What the latest observation did to a log; null: nothing but an append by its leader.
  const observe::LeaderLogChange* log_change() const { return change_; }
  const ReplicaInvariants& replicas() const { return replicas_; }

 private:
  std::vector<std::string> off_;
  observe::ReplicaLogs logs_;
  const observe::LeaderLogChange* change_ = nullptr;
  ReplicaInvariants replicas_;
  Invariants orders_;
  RaftInvariants quorum_;
  MetadataInvariants metadata_;
};

}  // namespace sim::check
