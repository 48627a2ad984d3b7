#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "check/violation.h"
#include "observe/observation.h"

// What must hold of the KRaft quorum after every event. It is told what changed and looks at nothing else, so
// a check costs the same however long the run is. What is committed it remembers once, not once more for
// every node, in 24 bytes a batch.
//
//   single-leader              at most one node leads in a quorum epoch, by role and by what is stored
//   one-vote-per-epoch         a node votes for at most one candidate in an epoch, restarts included
//   epochs-never-fall          of a node's quorum epoch, restarts included
//   log-matching               logs that share (offset, epoch) share all before
//   committed-never-changed    every node commits the same record at an offset, for ever
//   committed-never-lost       a new leader's log holds all that was committed
//   quorum-high-watermark      neither a node's in one life nor that of the latest leader ever falls
//   high-watermark-own-epoch   a leader's is above its epoch's first record
//   majority-high-watermark    at a leader's, a majority of the voters hold all below
//
// A node whose disk was lost (`forget`) is bound by none of its promises, and is taken to hold what it held
// until it holds what is committed again: the leader cannot know better.
namespace sim::check {

class RaftInvariants final : public observe::Observer {
 public:
  // The rare things, to show that they happened.
  struct Counts {
    std::int64_t elections = 0;
    std::int64_t split_votes = 0;         // epochs with more than one candidate
    std::int64_t elections_given_up = 0;  // by a candidate, in its epoch
    std::int64_t votes_refused = 0;
    std::int64_t pre_votes_refused = 0;
    std::int64_t truncations = 0;
    std::int64_t snapshots_fetched = 0;
    std::int64_t resignations = 0;  // of a leader in office
    std::int64_t voter_changes = 0;
    std::int64_t commits = 0;
  };

  void on(const observe::Observation& observation) override;

  // What is told from here on happened in this observation.
  void at(const observe::Observation& seen) { violations_.at(seen); }
  void on(const observe::MetadataLogOpened& fact);
  void on(const observe::QuorumRoleChanged& fact);
  void on(const observe::QuorumStateStored& fact);
  void on(const observe::QuorumVoteAnswered& fact);
  void on(const observe::QuorumVotersChanged& fact);
  void on(const observe::MetadataAppended& fact);
  void on(const observe::MetadataTruncated& fact);
  void on(const observe::MetadataSnapshotFetched& fact);
  void on(const observe::MetadataCommitted& fact);
  void on(const observe::LogLost& fact);

  // This node's disk was lost: its former promises bind nobody.
  void forget(NodeId node);
  // From here on committed data may be lost (more disks went than the quorum can bear).
  void tolerate_loss() { loss_is_tolerated_ = true; }
  // Voters are known by their id alone: they vote on with new disks, and a quorum that has lost more of them
  // than it can bear goes on, from the beginning.
  void know_voters_by_id() { voters_are_known_by_id_ = true; }
  // It has: what was committed is forgotten, and epochs and offsets may be used anew, of the quorum and of
  // partitions.
  bool has_forgotten() const { return voters_are_known_by_id_ && loss_is_tolerated_; }

  bool broken() const { return !violations_.all().empty(); }
  const std::vector<Violation>& violations() const { return violations_.all(); }
  const Counts& counts() const { return counts_; }
  Offset committed() const { return committed_.empty() ? 0 : committed_.back().end_offset; }

 private:
  void lost_disk(NodeId node);
  struct Entry {  // a batch at its place; `chain` stands for it and all before
    Offset end_offset = 0;
    LeaderEpoch leader_epoch;
    std::uint64_t chain = 0;
  };
  // A node's log: what it shares with the committed, then batch by batch.
  struct Log {
    Entry shared;
    std::vector<Entry> tail;
    const Entry& last() const { return tail.empty() ? shared : tail.back(); }
  };
  struct Node {
    observe::QuorumRole role = observe::QuorumRole::unattached;
    QuorumEpoch quorum_epoch{0};
    QuorumEpoch voted_epoch{-1};
    ReplicaKey voted;
    Log log;
    std::optional<Log> before;  // the last truncation, which a crash may undo
    Offset high_watermark = 0;
    std::vector<NodeId> voters;
    bool excused = false;  // lost its disk, and does not hold again what is committed
  };
  struct Epoch {
    NodeId leader = kNoNode;
    NodeId candidate = kNoNode;  // the first
    bool is_split = false;
  };

  Node& node(NodeId id);
  Epoch& of(QuorumEpoch epoch);
  void note_state(NodeId id, const QuorumState& state);
  void leads(NodeId id, QuorumEpoch epoch);
  void matches(NodeId id, const Entry& entry);
  void truncate(Log& log, Offset to) const;
  bool holds(const Node& one, const Entry& entry) const;
  void check_leader(const observe::MetadataCommitted& fact, Node& one);
  void commit(NodeId id, Node& one, Offset to);
  void violated(const char* invariant, std::string what) { violations_.add(invariant, std::move(what)); }

  std::vector<Node> nodes_;          // as they were met
  std::vector<std::int32_t> index_;  // of nodes_, by node id; -1: not met
  std::vector<Epoch> epochs_;
  std::vector<Entry> committed_;  // by offset
  std::vector<Entry> open_;       // every batch seen above that, by (end offset, epoch)
  Offset leader_high_watermark_ = 0;
  QuorumEpoch leader_high_watermark_epoch_{0};  // of the latest leader that had one
  bool loss_is_tolerated_ = false;
  bool voters_are_known_by_id_ = false;
  Violations violations_;
  Counts counts_;
};

}  // namespace sim::check
