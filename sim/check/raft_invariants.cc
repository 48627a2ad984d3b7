#include "check/raft_invariants.h"

#include <algorithm>
#include <utility>

#include "base/hash.h"
#include "observe/fold.h"

namespace sim::check {
namespace {

using observe::QuorumRole;

std::string node_name(NodeId id) {
  return "node " + std::to_string(id.value());
}

// The last entry at or below `end`; null: none.
template <class Entry>
const Entry* entry_at(const std::vector<Entry>& log, Offset end) {
  const auto after = std::upper_bound(log.begin(), log.end(), end, [](Offset offset, const Entry& entry) {
    return offset < entry.end_offset;
  });
  return after == log.begin() ? nullptr : &*std::prev(after);
}

// What a batch says, as far as two of them are told apart.
std::uint64_t content(const Batch& batch) {
  Fingerprint print;
  print.add(
      static_cast<std::uint64_t>(batch.base_offset), static_cast<std::uint64_t>(batch.leader_epoch.value()),
      static_cast<std::uint64_t>(batch.data->base_timestamp_ms),
      static_cast<std::uint64_t>(batch.data->size_bytes), static_cast<std::uint64_t>(batch.record_count));
  if (const auto* records = std::get_if<std::vector<MetadataRecord>>(&batch.data->records)) {
    for (const MetadataRecord& record : *records) {
      print.add(record.index());
      if (const auto* ids = std::get_if<ProducerIdsRecord>(&record)) {
        print.add(static_cast<std::uint64_t>(ids->next_producer_id.value()));
      }
    }
  }
  return print.value();
}

}  // namespace

void RaftInvariants::on(const observe::Observation& observation) {
  at(observation);
  observe::tell_fact(*this, observation);
}

RaftInvariants::Node& RaftInvariants::node(NodeId id) {
  const auto at = static_cast<std::size_t>(id.value());
  if (at >= index_.size()) index_.resize(at + 1, -1);
  if (index_[at] < 0) {
    index_[at] = static_cast<std::int32_t>(nodes_.size());
    nodes_.emplace_back();
  }
  return nodes_[static_cast<std::size_t>(index_[at])];
}

RaftInvariants::Epoch& RaftInvariants::of(QuorumEpoch epoch) {
  const auto at = static_cast<std::size_t>(epoch.value());
  if (at >= epochs_.size()) epochs_.resize(at + 1);
  return epochs_[at];
}

void RaftInvariants::forget(NodeId id) {
  node(id) = Node{};
  node(id).excused = true;
}

// A quorum bears the loss of fewer disks than half of its voters have.
void RaftInvariants::lost_disk(NodeId id) {
  const std::vector<NodeId> voters = node(id).voters;
  forget(id);
  const auto lost =
      std::count_if(voters.begin(), voters.end(), [this](NodeId voter) { return node(voter).excused; });
  if (2 * lost >= std::ssize(voters) && lost > 0) tolerate_loss();
}

// ---- Epochs and votes

void RaftInvariants::note_state(NodeId id, const QuorumState& state) {
  Node& one = node(id);
  if (state.quorum_epoch < one.quorum_epoch) {
    violated("epochs-never-fall", node_name(id) + " goes from epoch " +
                                      std::to_string(one.quorum_epoch.value()) + " back to " +
                                      std::to_string(state.quorum_epoch.value()));
  }
  one.quorum_epoch = state.quorum_epoch;
  if (state.voted.id == kNoNode) return;
  if (one.voted_epoch == state.quorum_epoch && one.voted != state.voted) {
    violated("one-vote-per-epoch", node_name(id) + " votes for " + std::to_string(one.voted.id.value()) +
                                       " and for " + std::to_string(state.voted.id.value()) + " in epoch " +
                                       std::to_string(state.quorum_epoch.value()));
  }
  one.voted_epoch = state.quorum_epoch;
  one.voted = state.voted;
}

void RaftInvariants::on(const observe::QuorumVoteAnswered& fact) {
  if (!fact.granted) ++(fact.pre_vote ? counts_.pre_votes_refused : counts_.votes_refused);
}

void RaftInvariants::on(const observe::QuorumVotersChanged& fact) {
  Node& one = node(fact.node);
  if (!one.voters.empty()) ++counts_.voter_changes;
  one.voters = fact.voters;
}

void RaftInvariants::leads(NodeId id, QuorumEpoch epoch) {
  NodeId& leader = of(epoch).leader;
  if (leader == kNoNode) leader = id;
  if (leader == id || has_forgotten()) return;
  violated("single-leader",
           node_name(leader) + " and " + node_name(id) + " lead in epoch " + std::to_string(epoch.value()));
}

void RaftInvariants::on(const observe::QuorumStateStored& fact) {
  note_state(fact.node, fact.state);
  if (fact.state.leader != kNoNode) leads(fact.state.leader, fact.state.quorum_epoch);
}

void RaftInvariants::on(const observe::QuorumRoleChanged& fact) {
  Node& one = node(fact.node);
  const QuorumRole was = std::exchange(one.role, fact.role);
  if (was == QuorumRole::candidate &&
      (fact.role == QuorumRole::prospective || fact.role == QuorumRole::candidate)) {
    ++counts_.elections_given_up;
  }
  if (was == QuorumRole::leader && fact.role == QuorumRole::resigned) ++counts_.resignations;
  if (fact.role == QuorumRole::candidate) {
    Epoch& epoch = of(fact.quorum_epoch);
    if (epoch.candidate == kNoNode) epoch.candidate = fact.node;
    if (epoch.candidate != fact.node && !std::exchange(epoch.is_split, true)) ++counts_.split_votes;
  }
  if (fact.role != QuorumRole::leader) return;
  ++counts_.elections;
  leads(fact.node, fact.quorum_epoch);
  if (committed_.empty() || loss_is_tolerated_ || holds(one, committed_.back())) return;
  const bool new_disk_has_voted =
      voters_are_known_by_id_ &&
      std::any_of(nodes_.begin(), nodes_.end(), [](const Node& other) { return other.excused; });
  if (new_disk_has_voted) return tolerate_loss();
  violated("committed-never-lost", node_name(fact.node) + " leads epoch " +
                                       std::to_string(fact.quorum_epoch.value()) +
                                       " without what is committed below " + std::to_string(committed()));
}

// ---- Logs

bool RaftInvariants::holds(const Node& one, const Entry& entry) const {
  if (one.log.shared.end_offset >= entry.end_offset && entry.end_offset <= committed()) return true;
  const Entry* held = entry_at(one.log.tail, entry.end_offset);
  if (held == nullptr) held = &one.log.shared;
  return held->end_offset == entry.end_offset && held->chain == entry.chain;
}

void RaftInvariants::truncate(Log& log, Offset to) const {
  while (!log.tail.empty() && log.tail.back().end_offset > to) log.tail.pop_back();
  if (log.shared.end_offset <= to) return;
  const Entry* last = entry_at(committed_, to);
  log.shared = last == nullptr ? Entry{} : *last;
}

void RaftInvariants::on(const observe::LogLost& fact) {
  if (fact.tp == kClusterMetadata) lost_disk(fact.broker);
}

void RaftInvariants::on(const observe::MetadataTruncated& fact) {
  ++counts_.truncations;
  Node& one = node(fact.node);
  one.before = one.log;
  truncate(one.log, fact.to);
}

void RaftInvariants::on(const observe::MetadataLogOpened& fact) {
  Node& one = node(fact.node);
  if (one.before && one.log.last().end_offset != fact.log_end_offset) one.log = std::move(*one.before);
  one.before.reset();
  truncate(one.log, fact.log_end_offset);
  one.high_watermark = 0;
  one.role = QuorumRole::unattached;
  note_state(fact.node, fact.state);
}

void RaftInvariants::on(const observe::MetadataAppended& fact) {
  Node& one = node(fact.node);
  Fingerprint print;
  print.add(one.log.last().chain);
  print.add(content(fact.batch));
  one.before.reset();
  one.log.tail.push_back(Entry{fact.batch.end_offset(), fact.batch.leader_epoch, print.value()});
  if (one.log.last().end_offset >= committed()) one.excused = false;
  matches(fact.node, one.log.last());
}

// A batch of this epoch at this place was seen before: then so was all that is below it.
void RaftInvariants::matches(NodeId id, const Entry& entry) {
  const Entry* known = nullptr;
  if (entry.end_offset <= committed()) {
    known = entry_at(committed_, entry.end_offset);
    if (known == nullptr || known->end_offset != entry.end_offset ||
        known->leader_epoch != entry.leader_epoch)
      return;
  } else {
    const auto at = std::lower_bound(open_.begin(), open_.end(), entry, [](const Entry& a, const Entry& b) {
      return std::pair(a.end_offset, a.leader_epoch) < std::pair(b.end_offset, b.leader_epoch);
    });
    if (at == open_.end() || at->end_offset != entry.end_offset || at->leader_epoch != entry.leader_epoch) {
      open_.insert(at, entry);
      return;
    }
    known = &*at;
  }
  if (known->chain == entry.chain || has_forgotten()) return;
  violated("log-matching", node_name(id) + " differs from others below " + std::to_string(entry.end_offset) +
                               " of epoch " + std::to_string(entry.leader_epoch.value()));
}

void RaftInvariants::on(const observe::MetadataSnapshotFetched& fact) {
  ++counts_.snapshots_fetched;
  Node& one = node(fact.node);
  one.before = std::exchange(one.log, {});
  const Entry* entry = entry_at(committed_, fact.id.end_offset);
  if (entry == nullptr || entry->end_offset != fact.id.end_offset ||
      entry->leader_epoch != fact.id.leader_epoch) {
    if (has_forgotten()) return;
    return violated("committed-never-changed",
                    node_name(fact.node) + " fetched a snapshot of what was never committed");
  }
  one.log.shared = *entry;
}

// ---- Commits

void RaftInvariants::on(const observe::MetadataCommitted& fact) {
  Node& one = node(fact.node);
  ++counts_.commits;
  if (fact.to < one.high_watermark) {
    violated("quorum-high-watermark", node_name(fact.node) + " falls to " + std::to_string(fact.to));
  }
  one.high_watermark = fact.to;
  if (fact.leads) check_leader(fact, one);
  commit(fact.node, one, fact.to);
}

void RaftInvariants::check_leader(const observe::MetadataCommitted& fact, Node& one) {
  // A deposed leader may still learn, late, what its followers had before they left it.
  const bool is_deposed = fact.quorum_epoch < leader_high_watermark_epoch_;
  if (fact.to < leader_high_watermark_ && !is_deposed && !loss_is_tolerated_) {
    violated("quorum-high-watermark", "the leader's falls from " + std::to_string(leader_high_watermark_) +
                                          " to " + std::to_string(fact.to));
  }
  leader_high_watermark_ = std::max(leader_high_watermark_, fact.to);
  leader_high_watermark_epoch_ = std::max(leader_high_watermark_epoch_, fact.quorum_epoch);
  if (fact.to <= one.log.shared.end_offset) return;
  const Entry* at = entry_at(one.log.tail, fact.to);
  if (at == nullptr || at->leader_epoch.value() != fact.quorum_epoch.value()) {
    violated("high-watermark-own-epoch", node_name(fact.node) + " commits below " + std::to_string(fact.to) +
                                             " before anything of its epoch " +
                                             std::to_string(fact.quorum_epoch.value()));
  }
  if (loss_is_tolerated_ || at == nullptr) return;
  const Entry highest = *at;
  std::size_t holders = 0;
  for (const NodeId voter : one.voters) {
    const Node& other = node(voter);
    holders += other.excused || holds(other, highest) ? 1 : 0;
  }
  if (holders >= one.voters.size() / 2 + 1) return;
  violated("majority-high-watermark", std::to_string(static_cast<std::int64_t>(holders)) + " of " +
                                          std::to_string(static_cast<std::int64_t>(one.voters.size())) +
                                          " voters hold all below " + std::to_string(fact.to));
}

// What nobody has committed before joins the committed; what somebody has must be the same.
void RaftInvariants::commit(NodeId id, Node& one, Offset to) {
  std::vector<Entry>& tail = one.log.tail;
  auto entry = tail.begin();
  for (; entry != tail.end() && entry->end_offset <= to; ++entry) {
    if (one.log.shared.end_offset >= committed() && (committed_.empty() || holds(one, committed_.back()))) {
      committed_.push_back(*entry);
    } else if (const Entry* known = entry_at(committed_, entry->end_offset);
               !loss_is_tolerated_ &&
               (known == nullptr || known->end_offset != entry->end_offset || known->chain != entry->chain)) {
      violated("committed-never-changed",
               node_name(id) + " commits something else below " + std::to_string(entry->end_offset));
      break;
    }
    one.log.shared = *entry;
  }
  tail.erase(tail.begin(), entry);
  const auto above =
      std::find_if(open_.begin(), open_.end(), [this](const Entry& e) { return e.end_offset > committed(); });
  open_.erase(open_.begin(), above);
}

}  // namespace sim::check
