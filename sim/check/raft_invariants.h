#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "observe/observation.h"

// What must hold of the KRaft quorum after every event. It is told what changed and looks at nothing else, so
// a check costs the same however long the run is.
//
//   single-leader              at most one node leads in a quorum epoch, by role and by what is stored
//   one-vote-per-epoch         a node votes for at most one candidate in an epoch, restarts included
//   epochs-never-fall          of a node's quorum epoch, restarts included
//   log-matching               logs that share (offset, epoch) share all before
//   committed-never-changed    every node commits the same record at an offset, for ever
//   committed-never-lost       a new leader's log holds all that was committed
//   high-watermark-monotone    neither a node's in one life nor the leaders' ever falls
//   high-watermark-own-epoch   a leader's is above its epoch's first record
//   majority-high-watermark    at a leader's, a majority of the voters hold all below
//
// With a wiped disk one-vote-per-epoch, epochs-never-fall, committed-never-lost and majority-high-watermark
// promise nothing for that node (`forget`).
namespace sim::check {

class RaftInvariants final : public observe::Observer {
 public:
  struct Violation {
    std::string invariant;
    Instant at;
    std::string what;
  };
  // The rare things, to show that they happened.
  struct Counts {
    std::int64_t elections = 0;
    std::int64_t split_votes = 0;  // a candidate gave up
    std::int64_t votes_refused = 0;
    std::int64_t pre_votes_refused = 0;
    std::int64_t truncations = 0;
    std::int64_t snapshots_fetched = 0;
    std::int64_t resignations = 0;
    std::int64_t voter_changes = 0;
    std::int64_t commits = 0;
  };

  void on(const observe::Observation& observation) override;
  // This node's disk was lost: its former promises bind nobody.
  void forget(NodeId node);
  // From here on committed data may be lost (more disks went than the quorum can bear).
  void tolerate_loss() { loss_is_tolerated_ = true; }

  bool broken() const { return !violations_.empty(); }
  const std::vector<Violation>& violations() const { return violations_; }
  const Counts& counts() const { return counts_; }
  Offset committed() const { return committed_.empty() ? 0 : committed_.back().end_offset; }

 private:
  struct Entry {  // a batch at its place; `chain` stands for it and all before
    Offset end_offset = 0;
    LeaderEpoch leader_epoch;
    std::uint64_t chain = 0;
  };
  struct Node {
    observe::QuorumRole role = observe::QuorumRole::unattached;
    QuorumEpoch quorum_epoch{0};
    QuorumEpoch voted_epoch{-1};
    ReplicaKey voted;
    std::vector<Entry> log;
    std::vector<Entry> dropped;  // by a write that a crash may have stopped
    Offset high_watermark = 0;
    std::vector<NodeId> voters;
  };

  Node& node(NodeId id);
  void on(const observe::MetadataLogOpened& fact);
  void on(const observe::QuorumRoleChanged& fact);
  void on(const observe::QuorumStateStored& fact);
  void on(const observe::MetadataAppended& fact);
  void on(const observe::MetadataCommitted& fact);
  void on(const observe::MetadataSnapshotFetched& fact);
  void note_state(NodeId id, const QuorumState& state);
  void leads(NodeId id, QuorumEpoch epoch);
  void truncate(NodeId id, Offset to);
  // The last entry at or below `end`; null: none.
  static const Entry* entry_at(const std::vector<Entry>& log, Offset end);
  void violated(const char* invariant, std::string what);

  std::vector<Node> nodes_;                                         // by node id
  std::vector<NodeId> leaders_;                                     // by epoch
  std::map<std::pair<Offset, LeaderEpoch>, std::uint64_t> chains_;  // of every batch ever seen, at its end
  std::vector<Entry> committed_;
  Offset leader_high_watermark_ = 0;
  bool loss_is_tolerated_ = false;
  std::vector<Violation> violations_;
  Counts counts_;
  Instant now_{};
};

}  // namespace sim::check
