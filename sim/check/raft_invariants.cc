#include "check/raft_invariants.h"

#include <algorithm>
#include <utility>

#include "base/hash.h"
#include "base/overloaded.h"

namespace sim::check {
namespace {

using observe::QuorumRole;

std::string number(std::int64_t value) {
  return std::to_string(value);
}
std::string called(NodeId id) {
  return "node " + number(id.value());
}

template <class Log>
void truncate_to(Log& log, Offset to) {
  while (!log.empty() && log.back().end_offset > to) log.pop_back();
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
  now_ = observation.at;
  std::visit(Overloaded{
                 [&](const observe::MetadataLogOpened& fact) { on(fact); },
                 [&](const observe::QuorumRoleChanged& fact) { on(fact); },
                 [&](const observe::QuorumStateStored& fact) { on(fact); },
                 [&](const observe::QuorumVoteAnswered& fact) {
                   if (!fact.granted) ++(fact.pre_vote ? counts_.pre_votes_refused : counts_.votes_refused);
                 },
                 [&](const observe::QuorumVotersChanged& fact) {
                   if (!node(fact.node).voters.empty()) ++counts_.voter_changes;
                   node(fact.node).voters = fact.voters;
                 },
                 [&](const observe::MetadataAppended& fact) { on(fact); },
                 [&](const observe::MetadataTruncated& fact) {
                   ++counts_.truncations;
                   truncate(fact.node, fact.to);
                 },
                 [&](const observe::MetadataSnapshotFetched& fact) { on(fact); },
                 [&](const observe::MetadataCommitted& fact) { on(fact); },
                 [](const auto&) {},  // what the quorum does not hear of
             },
             observation.fact);
}

RaftInvariants::Node& RaftInvariants::node(NodeId id) {
  const auto index = static_cast<std::size_t>(id.value());
  if (index >= nodes_.size()) nodes_.resize(index + 1);
  return nodes_[index];
}

void RaftInvariants::forget(NodeId id) {
  node(id) = Node{};
}

void RaftInvariants::violated(const char* invariant, std::string what) {
  violations_.push_back(Violation{invariant, now_, std::move(what)});
}

// ---- Epochs and votes

void RaftInvariants::note_state(NodeId id, const QuorumState& state) {
  Node& one = node(id);
  if (state.quorum_epoch < one.quorum_epoch) {
    violated("epochs-never-fall", called(id) + " goes from epoch " + number(one.quorum_epoch.value()) +
                                      " back to " + number(state.quorum_epoch.value()));
  }
  one.quorum_epoch = state.quorum_epoch;
  if (state.voted.id == kNoNode) return;
  if (one.voted_epoch == state.quorum_epoch && one.voted != state.voted) {
    violated("one-vote-per-epoch", called(id) + " votes for " + number(one.voted.id.value()) + " and for " +
                                       number(state.voted.id.value()) + " in epoch " +
                                       number(state.quorum_epoch.value()));
  }
  one.voted_epoch = state.quorum_epoch;
  one.voted = state.voted;
}

void RaftInvariants::leads(NodeId id, QuorumEpoch epoch) {
  const auto index = static_cast<std::size_t>(epoch.value());
  if (index >= leaders_.size()) leaders_.resize(index + 1, kNoNode);
  if (leaders_[index] == kNoNode) leaders_[index] = id;
  if (leaders_[index] == id) return;
  violated("single-leader",
           called(leaders_[index]) + " and " + called(id) + " lead in epoch " + number(epoch.value()));
}

void RaftInvariants::on(const observe::QuorumStateStored& fact) {
  note_state(fact.node, fact.state);
  if (fact.state.leader != kNoNode) leads(fact.state.leader, fact.state.quorum_epoch);
}

void RaftInvariants::on(const observe::QuorumRoleChanged& fact) {
  Node& one = node(fact.node);
  if (one.role == QuorumRole::candidate &&
      (fact.role == QuorumRole::prospective || fact.role == QuorumRole::candidate)) {
    ++counts_.split_votes;
  }
  one.role = fact.role;
  if (fact.role == QuorumRole::resigned) ++counts_.resignations;
  if (fact.role != QuorumRole::leader) return;
  ++counts_.elections;
  leads(fact.node, fact.quorum_epoch);
  if (committed_.empty() || loss_is_tolerated_) return;
  const Entry& last = committed_.back();
  const Entry* held = entry_at(one.log, last.end_offset);
  if (held == nullptr || held->end_offset < last.end_offset || held->chain != last.chain) {
    violated("committed-never-lost", called(fact.node) + " leads epoch " + number(fact.quorum_epoch.value()) +
                                         " without what is committed below " + number(last.end_offset));
  }
}

// ---- Logs

const RaftInvariants::Entry* RaftInvariants::entry_at(const std::vector<Entry>& log, Offset end) {
  const auto after = std::upper_bound(log.begin(), log.end(), end, [](Offset offset, const Entry& entry) {
    return offset < entry.end_offset;
  });
  return after == log.begin() ? nullptr : &*std::prev(after);
}

void RaftInvariants::on(const observe::MetadataLogOpened& fact) {
  Node& one = node(fact.node);
  if (!one.dropped.empty() && (one.log.empty() || one.log.back().end_offset != fact.log_end_offset)) {
    truncate_to(one.log, one.dropped.front().end_offset - 1);
    one.log.insert(one.log.end(), one.dropped.begin(), one.dropped.end());
  }
  one.dropped.clear();
  truncate_to(one.log, fact.log_end_offset);
  one.high_watermark = 0;
  one.role = QuorumRole::unattached;
  note_state(fact.node, fact.state);
}

void RaftInvariants::truncate(NodeId id, Offset to) {
  Node& one = node(id);
  const auto first = std::find_if(one.log.begin(), one.log.end(),
                                  [to](const Entry& entry) { return entry.end_offset > to; });
  one.dropped.assign(first, one.log.end());
  one.log.erase(first, one.log.end());
}

void RaftInvariants::on(const observe::MetadataAppended& fact) {
  Node& one = node(fact.node);
  const std::uint64_t before = one.log.empty() ? 0 : one.log.back().chain;
  Fingerprint print;
  print.add(before);
  print.add(content(fact.batch));
  const Entry entry{fact.batch.end_offset(), fact.batch.leader_epoch, print.value()};
  one.log.push_back(entry);
  one.dropped.clear();
  const auto [known, is_new] = chains_.emplace(std::pair(entry.end_offset, entry.leader_epoch), entry.chain);
  if (!is_new && known->second != entry.chain) {
    violated("log-matching", called(fact.node) + " differs from others below " + number(entry.end_offset) +
                                 " of epoch " + number(entry.leader_epoch.value()));
  }
}

void RaftInvariants::on(const observe::MetadataSnapshotFetched& fact) {
  ++counts_.snapshots_fetched;
  Node& one = node(fact.node);
  one.dropped = std::exchange(one.log, {});
  const Entry* entry = entry_at(committed_, fact.id.end_offset);
  if (entry == nullptr || entry->end_offset != fact.id.end_offset ||
      entry->leader_epoch != fact.id.leader_epoch) {
    return violated("committed-never-changed",
                    called(fact.node) + " fetched a snapshot of what was never committed");
  }
  one.log.push_back(*entry);
}

// ---- Commits

void RaftInvariants::on(const observe::MetadataCommitted& fact) {
  Node& one = node(fact.node);
  ++counts_.commits;
  if (fact.to < one.high_watermark) {
    violated("high-watermark-monotone", called(fact.node) + " falls to " + number(fact.to));
  }
  one.high_watermark = fact.to;
  if (one.log.empty()) return;
  if (fact.leads) {
    if (fact.to < leader_high_watermark_ && !loss_is_tolerated_) {
      violated("high-watermark-monotone",
               "the leader's falls from " + number(leader_high_watermark_) + " to " + number(fact.to));
    }
    leader_high_watermark_ = std::max(leader_high_watermark_, fact.to);
    const Entry* at = entry_at(one.log, fact.to);
    if (at == nullptr || at->leader_epoch.value() != fact.quorum_epoch.value()) {
      violated("high-watermark-own-epoch", called(fact.node) + " commits below " + number(fact.to) +
                                               " before anything of its epoch " +
                                               number(fact.quorum_epoch.value()));
    }
    std::size_t holders = 0;
    for (const NodeId voter : one.voters) {
      const std::vector<Entry>& log = node(voter).log;
      holders += !log.empty() && log.back().end_offset >= fact.to ? 1 : 0;
    }
    if (holders < one.voters.size() / 2 + 1 && !loss_is_tolerated_) {
      violated("majority-high-watermark", number(static_cast<std::int64_t>(holders)) + " of " +
                                              number(static_cast<std::int64_t>(one.voters.size())) +
                                              " voters hold all below " + number(fact.to));
    }
  }
  // What nobody has committed before joins the committed; what somebody has must be the same. Below the first
  // entry that agrees everything does, by its chain.
  const Offset known = committed();
  auto entry = std::upper_bound(one.log.begin(), one.log.end(), std::min(known, fact.to),
                                [](Offset offset, const Entry& e) { return offset < e.end_offset; });
  if (entry != one.log.begin() && !committed_.empty()) {
    const Entry& ours = *std::prev(entry);
    const Entry* theirs = entry_at(committed_, ours.end_offset);
    const bool same =
        theirs != nullptr && theirs->end_offset == ours.end_offset && theirs->chain == ours.chain;
    if (!same && !loss_is_tolerated_) {
      violated("committed-never-changed",
               called(fact.node) + " commits something else below " + number(ours.end_offset));
    }
  }
  for (; entry != one.log.end() && entry->end_offset <= fact.to; ++entry) {
    if (entry->end_offset > committed()) committed_.push_back(*entry);
  }
}

}  // namespace sim::check
