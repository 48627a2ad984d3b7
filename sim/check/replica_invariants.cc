#include "check/replica_invariants.h"

#include <algorithm>
#include <iterator>

#include "base/contains.h"
#include "check/acks.h"
#include "check/words.h"

namespace sim::check {
namespace {

using observe::LogEntry;
using observe::ReplicaLogs;

// "60 s", "69.214 s"
std::string seconds(Instant at) {
  const std::int64_t ms = nanos(at) / 1'000'000;
  std::string text = std::to_string(ms / 1000);
  if (ms % 1000 != 0) {
    std::string fraction = std::to_string(1000 + ms % 1000).substr(1);
    while (fraction.back() == '0') fraction.pop_back();
    text += "." + fraction;
  }
  return text + " s";
}

// The entry that ends exactly there; null: none.
const LogEntry* entry_ending_at(const std::vector<LogEntry>& log, Offset end) {
  const auto found = observe::entry_above(log, end - 1);
  return found != log.end() && found->end_offset == end ? &*found : nullptr;
}

}  // namespace

std::optional<Instant> ReplicaInvariants::first_divergence(TopicPartition tp) const {
  const Partition* partition = partitions_.find(tp);
  return partition == nullptr ? std::nullopt : partition->diverged;
}

void ReplicaInvariants::quorum_forgot() {
  promise_.history.exposes_uncovered = true;
  promise_.history.words +=
      (promise_.history.words.empty() ? "" : ", ") + std::string("the quorum has lost its metadata");
}

// ---- Who leads, and who may

void ReplicaInvariants::on(const observe::Elected& change) {
  const observe::PartitionChanged& fact = change.decision;
  Partition& partition = partitions_[fact.tp];
  if (fact.leader != kNoNode && fact.leader_epoch != partition.decided_epoch) {
    partition.election = Election::clean;
    if (!change.is_first && !contains(partition.may_lead, fact.leader)) {
      partition.election = partition.may_lead.empty() ? Election::last_known_leader : Election::unclean;
    }
  }
  partition.decided_leader = fact.leader;
  partition.decided_epoch = fact.leader_epoch;
  partition.may_lead = fact.isr;
  std::copy_if(fact.elr.begin(), fact.elr.end(), std::back_inserter(partition.may_lead),
               [&fact](NodeId id) { return contains(fact.replicas, id); });
}

void ReplicaInvariants::on(const observe::IsrChanged& fact) {
  Partition& partition = partitions_[fact.tp];
  if (fact.broker != kNoNode && fact.broker != partition.leader) return;  // of one that was replaced
  partition.isr = partition.maximal_isr = fact.isr;
}

void ReplicaInvariants::on(const observe::IsrProposalDropped& fact) {
  Partition& partition = partitions_[fact.tp];
  if (fact.broker == partition.leader) partition.maximal_isr = partition.isr;
}

void ReplicaInvariants::on(const observe::IsrProposed& fact, const ReplicaLogs& logs) {
  Partition& partition = partitions_[fact.tp];
  if (fact.broker != kNoNode && fact.broker != partition.leader) return;
  for (const NodeId id : fact.isr) {
    // A member whose replica was taken from its broker may be named until its leader hears of it.
    if (contains(partition.maximal_isr, id) || contains(partition.isr, id)) continue;
    partition.maximal_isr.push_back(id);
    const ReplicaLogs::Partition* log = logs.find(fact.tp);
    const ReplicaLogs::Replica* replica = log == nullptr ? nullptr : log->replica(id);
    const Offset end = replica == nullptr ? 0 : replica->shared_end;
    if (id == fact.broker || end >= partition.exposed_end || promise_.history.exposes_uncovered) continue;
    violated("high-watermark-covered", topics_[fact.tp] + ": " + broker_name(id) +
                                           " is to join the ISR and shares only what is below " +
                                           std::to_string(end) + ", but all below " +
                                           std::to_string(partition.exposed_end) + " was exposed");
  }
}

void ReplicaInvariants::on(const observe::LogLost& fact) {
  if (fact.tp == kClusterMetadata) return;  // the quorum's affair
  Partition& partition = partitions_[fact.tp];
  partition.shortened.push_back(
      Shortened{fact.broker, now_, fact.from, fact.to, fact.cause == observe::LossOfLog::wiped});
  const auto excused = std::find_if(partition.excused.begin(), partition.excused.end(),
                                    [&](const Excused& one) { return one.broker == fact.broker; });
  if (excused == partition.excused.end()) {
    partition.excused.push_back(Excused{fact.broker, fact.from});
  } else {
    excused->until = std::max(excused->until, fact.from);
  }
}

void ReplicaInvariants::on(const observe::TookOver& took_over, const ReplicaLogs& logs) {
  const observe::BecameLeader& fact = took_over.by;
  Partition& partition = partitions_[fact.tp];
  const observe::LeaderLogChange* change = logs.change();
  if (change != nullptr && !change->dropped.empty()) lost(partition, fact, *change);
  partition.leader = fact.broker;
  partition.min_isr = fact.min_isr;
  partition.isr.clear();
  partition.maximal_isr.clear();
}

// ---- What a new leader does not have

std::optional<Taken> ReplicaInvariants::taken(TopicPartition tp, Offset from, Offset to,
                                              Instant since) const {
  const Partition* partition = partitions_.find(tp);
  return partition == nullptr ? std::nullopt : taken(*partition, from, to, since);
}

std::optional<Taken> ReplicaInvariants::taken(const Partition& partition, Offset from, Offset to,
                                              Instant since) {
  std::optional<Taken> taken;
  for (const bool wiped : {false, true}) {
    std::string who;
    Instant at{};
    for (const Shortened& one : partition.shortened) {
      if (one.wiped != wiped || one.at < since || one.from <= from || one.to >= to) continue;
      who += (who.empty() ? "" : ", ") + broker_name(one.broker);
      at = one.at;
    }
    if (who.empty()) continue;
    if (!taken) taken.emplace();
    taken->at = std::max(taken->at, at);
    taken->what += (taken->what.empty() ? "" : "; ") +
                   (wiped ? "the disk of " + who + " was wiped at " + seconds(at)
                          : "power loss of " + who + " at " + seconds(at) + " took what was not flushed");
  }
  return taken;
}

std::string ReplicaInvariants::why(const Partition& partition, const observe::BecameLeader& fact,
                                   const observe::LeaderLogChange& change) const {
  std::string text;
  const bool decided =
      partition.decided_leader == fact.broker && partition.decided_epoch == fact.leader_epoch;
  const auto disks = taken(partition, change.kept_end, change.dropped.back().end_offset, Instant{});
  if (disks) text = disks->what + "; ";
  text += broker_name(fact.broker) + " became leader of " + topics_[fact.tp] + " in leader epoch " +
          std::to_string(fact.leader_epoch.value());
  if (decided && partition.election == Election::unclean) text += " by an unclean election";
  if (decided && partition.election == Election::last_known_leader) text += " as the last known leader";
  text += ", its log ended at " + std::to_string(change.kept_end);
  if (!promise_.history.words.empty()) text += " (" + promise_.history.words + ")";
  return text;
}

// How many brokers' disks lost something of [kept, end).
std::ptrdiff_t ReplicaInvariants::disks_that_lost(const Partition& partition, Offset kept, Offset end) {
  std::vector<NodeId> lost_it;
  for (const Shortened& one : partition.shortened) {
    const bool held = one.to < end && one.from > kept;
    if (held && !contains(lost_it, one.broker)) lost_it.push_back(one.broker);
  }
  return std::ssize(lost_it);
}

void ReplicaInvariants::lost(Partition& partition, const observe::BecameLeader& fact,
                             const observe::LeaderLogChange& change) {
  const Offset kept = change.kept_end;
  Loss loss{now_,
            fact.tp,
            kept,
            change.dropped.back().end_offset,
            std::max(kept, partition.acked_end),
            fact.broker,
            fact.leader_epoch,
            why(partition, fact, change),
            false};
  const bool decided =
      partition.decided_leader == fact.broker && partition.decided_epoch == fact.leader_epoch;
  loss.premise_broken = (decided && partition.election != Election::clean) ||
                        disks_that_lost(partition, kept, partition.acked_end) >= partition.min_isr ||
                        is_excused(partition);
  if (partition.acked_end > kept && !loss.premise_broken) {
    violated("acked-never-lost", topics_[fact.tp] + ": acknowledged up to " +
                                     std::to_string(partition.acked_end) + ", but " + loss.cause);
  }
  if (partition.exposed_end > kept || partition.acked_end > kept) {
    // What nobody was promised, such as a group's offsets, was exposed on as many disks, and no more.
    const bool was_only_exposed = partition.acked_end <= kept;
    partition.premise_broken =
        partition.premise_broken || loss.premise_broken ||
        (was_only_exposed && disks_that_lost(partition, kept, partition.exposed_end) >= partition.min_isr);
  }
  for (const LogEntry& entry : change.dropped) {
    if (entry.base_offset() < partition.exposed_end) partition.once_exposed.push_back(entry);
  }
  partition.exposed_end = std::min(partition.exposed_end, kept);
  partition.acked_end = std::min(partition.acked_end, kept);
  losses_.push_back(std::move(loss));
}

// ---- High watermarks

void ReplicaInvariants::on(const observe::HighWatermarkAdvanced& fact, const ReplicaLogs& logs) {
  const ReplicaLogs::Partition* log = logs.find(fact.tp);
  Partition& partition = partitions_[fact.tp];
  if (log == nullptr || (fact.broker != kNoNode && fact.broker != log->leader))
    return check_agreement(fact.tp, logs);
  if (!partition.isr.empty() && std::ssize(partition.isr) < fact.min_isr &&
      !promise_.history.exposes_below_min_isr) {
    violated("high-watermark-min-isr", topics_[fact.tp] + ": advanced to " + std::to_string(fact.to) +
                                           " with " + std::to_string(std::ssize(partition.isr)) +
                                           " in sync, min.insync.replicas is " +
                                           std::to_string(fact.min_isr));
  }
  check_covered(fact, partition, *log);
  if (!partition.once_exposed.empty()) check_unchanged(fact, partition, *log);
  partition.exposed_end = std::max(partition.exposed_end, fact.to);
  check_agreement(fact.tp, logs);
}

void ReplicaInvariants::on(const observe::FollowerHighWatermarkAdvanced& fact, const ReplicaLogs& logs) {
  const ReplicaLogs::Partition* log = logs.find(fact.tp);
  const ReplicaLogs::Replica* replica = log == nullptr ? nullptr : log->replica(fact.broker);
  if (replica != nullptr && fact.to > std::max(replica->end(), replica->start)) {
    violated("high-watermark-within-log", topics_[fact.tp] + ": that of " + broker_name(fact.broker) +
                                              " is " + std::to_string(fact.to) + ", its log ends at " +
                                              std::to_string(replica->end()));
  }
  check_agreement(fact.tp, logs);
}

void ReplicaInvariants::check_covered(const observe::HighWatermarkAdvanced& fact, Partition& partition,
                                      const ReplicaLogs::Partition& log) {
  for (const NodeId member : partition.maximal_isr) {
    const ReplicaLogs::Replica* replica = log.replica(member);
    const auto excused = std::find_if(partition.excused.begin(), partition.excused.end(),
                                      [&](const Excused& one) { return one.broker == member; });
    const bool is_excused = excused != partition.excused.end();
    if (replica != nullptr && replica->shared_end >= fact.to) {
      // The leader may know of its log as it was before: it counts on it until there is as much of it again.
      if (is_excused && replica->shared_end >= std::min(excused->until, log.end()))
        partition.excused.erase(excused);
      continue;
    }
    if (is_excused || promise_.history.exposes_uncovered) continue;
    const Offset end = replica == nullptr ? 0 : replica->shared_end;
    violated("high-watermark-covered",
             topics_[fact.tp] + ": at " + std::to_string(fact.to) + ", but " + broker_name(member) +
                 " of the maximal ISR shares only what is below " + std::to_string(end));
  }
}

void ReplicaInvariants::check_unchanged(const observe::HighWatermarkAdvanced& fact, Partition& partition,
                                        const ReplicaLogs::Partition& log) {
  for (const LogEntry& before : partition.once_exposed) {
    const auto now = observe::entry_above(log.log, before.base_offset());
    if (now == log.log.end() || now->base_offset() >= fact.to || *now == before) continue;
    if (is_excused(partition)) continue;
    violated("exposed-never-changes",
             topics_[fact.tp] + ": offset " + std::to_string(before.base_offset()) +
                 " showed a record of leader epoch " + std::to_string(before.leader_epoch.value()) +
                 ", and now shows one of leader epoch " + std::to_string(now->leader_epoch.value()));
  }
  std::erase_if(partition.once_exposed, [&](const LogEntry& entry) { return entry.base_offset() < fact.to; });
}

void ReplicaInvariants::check_agreement(TopicPartition tp, const ReplicaLogs& logs) {
  const ReplicaLogs::Partition* log = logs.find(tp);
  if (log == nullptr) return;
  const bool all_share = std::all_of(log->replicas.begin(), log->replicas.end(),
                                     [](const ReplicaLogs::Replica& one) { return one.tail.empty(); });
  if (all_share) return;
  const Offset at = logs.divergence(*log);
  if (at == kNoOffset) return;
  Partition& partition = partitions_[tp];
  if (!partition.diverged) partition.diverged = now_;
  if (is_excused(partition)) return;
  violated("replicas-agree", topics_[tp] + ": two replicas differ at offset " + std::to_string(at) +
                                 ", which is below both their high watermarks");
}

// ---- Clients

void ReplicaInvariants::on(const observe::BatchAcknowledged& fact, const ReplicaLogs& logs) {
  if (fact.error != ErrorCode::none || fact.base_offset == kNoOffset) return;
  const auto& records = fact.batch->application_records();
  if (records.empty() || records.front().id == kNoRecord) return;
  if (!has_acks_all(records.front().id, promise_.acks_all_of_flow, promise_.acks_all_of_hop)) return;
  const ReplicaLogs::Partition* log = logs.find(fact.tp);
  if (log == nullptr) return;
  Partition& partition = partitions_[fact.tp];
  const Offset end = fact.base_offset + fact.batch->record_count();
  if (end <= partition.acked_end) return;
  const LogEntry* held = entry_ending_at(log->log, end);
  const bool is_there =
      held != nullptr &&
      (held->content == LogEntry::kUnknown ||
       held->content == observe::content_of(*fact.batch, fact.base_offset, held->leader_epoch,
                                            fact.batch->record_count()));
  if (is_there) {
    partition.acked_end = end;
    return;
  }
  if (is_excused(partition)) return;
  const auto covers = [&](const Loss& loss) {
    return loss.tp == fact.tp && loss.from < end && loss.premise_broken;
  };
  if (std::any_of(losses_.begin(), losses_.end(), covers)) return;
  violated("acked-never-lost", topics_[fact.tp] + ": acknowledged up to " + std::to_string(end) +
                                   ", but the log of its leader does not have it");
}

void ReplicaInvariants::on(const observe::RecordsPolled& fact, const ReplicaLogs& logs) {
  const ReplicaLogs::Partition* log = logs.find(fact.tp);
  if (log == nullptr || fact.broker == kNoNode) return;
  const ReplicaLogs::Replica* replica = log->replica(fact.broker);
  const Offset exposed = replica == nullptr ? 0 : replica->exposed;
  if (fact.to <= exposed) return;
  violated("read-below-high-watermark", topics_[fact.tp] + ": service " +
                                            std::to_string(fact.service.value()) + " read up to " +
                                            std::to_string(fact.to) + ", the high watermark of " +
                                            broker_name(fact.broker) + " is " + std::to_string(exposed));
}

}  // namespace sim::check
