#pragma once

#include <optional>
#include <variant>
#include <vector>

#include "base/time.h"
#include "protocol/envelope.h"
#include "protocol/messages.h"
#include "protocol/quorum.h"
#include "raft/voter_set.h"

// The roles of a replica. What only one role knows lives in it alone and dies with it: votes in the roles
// that count them, follower progress in Leader. Epoch, known leader and vote are in the quorum state, which
// outlives roles.
namespace sim::raft {

// Answers to one round of (pre-)votes (EpochElection).
class Election {
 public:
  Election(const VoterSet& voters, NodeId self) {
    for (const QuorumVoter& voter : voters.all()) {
      ballots_.push_back(Ballot{voter, voter.key.id == self ? Answer::granted : Answer::unrecorded});
    }
  }

  void record(NodeId voter, bool granted) {
    for (Ballot& ballot : ballots_) {
      if (ballot.voter.key.id == voter) ballot.answer = granted ? Answer::granted : Answer::rejected;
    }
  }
  std::size_t majority() const { return ballots_.size() / 2 + 1; }
  bool is_granted() const { return count(Answer::granted) >= majority(); }
  bool is_granted_by_half() const { return count(Answer::granted) >= ballots_.size() / 2; }
  bool is_rejected() const { return count(Answer::granted) + count(Answer::unrecorded) < majority(); }
  std::vector<NodeId> granting() const {
    std::vector<NodeId> ids;
    for (const Ballot& ballot : ballots_) {
      if (ballot.answer == Answer::granted) ids.push_back(ballot.voter.key.id);
    }
    return ids;
  }
  template <class Visit>
  void for_each_unrecorded(Visit visit) const {
    for (const Ballot& ballot : ballots_) {
      if (ballot.answer == Answer::unrecorded) visit(ballot.voter);
    }
  }

 private:
  enum class Answer : std::uint8_t { unrecorded, granted, rejected };
  struct Ballot {
    QuorumVoter voter;
    Answer answer;
  };
  std::size_t count(Answer answer) const {
    std::size_t n = 0;
    for (const Ballot& ballot : ballots_) n += ballot.answer == answer ? 1 : 0;
    return n;
  }

  std::vector<Ballot> ballots_;
};

// Knows the epoch, but no leader to follow. It asks any voter who leads; a voter does so until its election
// timeout.
struct Unattached {
  LocalTime election_deadline;  // LocalTime::max() for observers
};
// Asks whether it would be elected, before it disturbs anyone with a new epoch (KIP-996).
struct Prospective {
  Election election;
  LocalTime election_deadline;
};
// Has voted for itself in a new epoch.
struct Candidate {
  Election election;
  LocalTime election_deadline;
  std::int32_t retries = 1;
  std::optional<LocalTime> backs_off_until{};  // without pre-vote only
};
struct Leader {
  struct Progress {
    ReplicaKey key;
    std::optional<Offset> end_offset{};  // it holds everything below
    LocalTime last_fetch = LocalTime::min();
    LocalTime last_caught_up = LocalTime::min();
    Offset leader_end_at_last_fetch = kNoOffset;
  };
  struct ParkedFetch {
    Channel channel;
    CorrelationId correlation = 0;
    ReplicaKey replica;
    FetchRequest::Partition asked;
    LocalTime deadline;
    Offset high_watermark = kNoOffset;  // as it was when it was parked
  };
  struct VoterChange {  // AddRaftVoter or RemoveRaftVoter under way
    Channel channel;
    CorrelationId correlation = 0;
    bool adds = false;
    QuorumVoter voter;
    Offset committed_at = kNoOffset;  // its VotersRecord lies below; kNoOffset: not written yet
    LocalTime deadline;
    bool probed = false;  // the new voter was asked for its ApiVersions
  };
  Offset epoch_start = 0;
  std::optional<Offset> high_watermark{};  // none until something of this epoch is on a majority
  std::vector<Progress> replicas;          // voters and observers that fetch
  std::vector<NodeId> fetched;             // voters heard of since check_quorum_deadline was set
  LocalTime check_quorum_deadline;
  LocalTime begin_quorum_at;
  std::vector<NodeId> to_begin;  // voters that are to hear BeginQuorumEpoch
  std::vector<ParkedFetch> parked;
  std::optional<VoterChange> change{};
  // REQUIRES: used before the next replica is added
  Progress* find(const ReplicaKey& key);

  bool resign_requested = false;
  bool announced = false;  // its owner knows
};
struct Follower {
  LocalTime fetch_deadline;
  LocalTime update_voter_at;
  bool has_fetched = false;                   // from this leader in this epoch
  Offset fetched_high_watermark = kNoOffset;  // counts once what came with it is flushed
  std::optional<SnapshotId> fetching{};
  std::int64_t fetched_bytes = 0;
};
// Led this epoch and does so no more; tells the others, and never votes in it.
struct Resigned {
  LocalTime election_deadline;
  std::vector<ReplicaKey> preferred_successors;
  std::vector<NodeId> unacknowledged;
};

using Role = std::variant<Unattached, Prospective, Candidate, Leader, Follower, Resigned>;

// EpochState.canGrantVote of each role, asked in the candidate's epoch. `up_to_date`: the candidate's log
// holds everything that ours does.
bool can_grant_vote(const Role& role, const QuorumState& state, const ReplicaKey& candidate, bool up_to_date,
                    bool pre_vote);

}  // namespace sim::raft
