#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "protocol/quorum.h"

// Who decides: the voters of the latest VotersRecord in the log, committed or not, else the configured ones.
namespace sim::raft {

class VoterSet {
 public:
  VoterSet() = default;
  explicit VoterSet(std::vector<QuorumVoter> voters) : voters_(std::move(voters)) {
    std::sort(voters_.begin(), voters_.end(),
              [](const auto& a, const auto& b) { return a.key.id < b.key.id; });
  }

  const std::vector<QuorumVoter>& all() const { return voters_; }
  std::size_t size() const { return voters_.size(); }
  std::size_t majority() const { return voters_.size() / 2 + 1; }

  const QuorumVoter* find(NodeId id) const {
    const auto it =
        std::find_if(voters_.begin(), voters_.end(), [id](const auto& voter) { return voter.key.id == id; });
    return it == voters_.end() ? nullptr : &*it;
  }
  // An entry without a directory matches any (VoterSet.isVoter).
  bool contains(const ReplicaKey& key) const {
    const QuorumVoter* voter = find(key.id);
    return voter != nullptr &&
           (voter->key.directory == kNoDirectory || voter->key.directory == key.directory);
  }
  bool is_only(const ReplicaKey& key) const { return voters_.size() == 1 && contains(key); }

  VoterSet with(const QuorumVoter& voter) const {
    VoterSet result = without(voter.key.id);
    result.voters_.push_back(voter);
    return VoterSet(std::move(result.voters_));
  }
  VoterSet without(NodeId id) const {
    VoterSet result = *this;
    std::erase_if(result.voters_, [id](const auto& voter) { return voter.key.id == id; });
    return result;
  }
  std::vector<NodeId> ids() const {
    std::vector<NodeId> ids;
    for (const QuorumVoter& voter : voters_) ids.push_back(voter.key.id);
    return ids;
  }

  bool operator==(const VoterSet&) const = default;

 private:
  std::vector<QuorumVoter> voters_;  // by id
};

}  // namespace sim::raft
