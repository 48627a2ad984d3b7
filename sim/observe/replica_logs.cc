#include "observe/replica_logs.h"

#include <algorithm>
#include <utility>

#include "base/hash.h"

namespace sim::observe {
namespace {

std::uint64_t word(std::int64_t value) {
  return static_cast<std::uint64_t>(value);
}

// Compaction changes what a batch says, not what it is.
bool same(const LogEntry& log, const LogEntry& entry, bool is_compacted) {
  if (log.end_offset != entry.end_offset || log.leader_epoch != entry.leader_epoch ||
      log.count != entry.count) {
    return false;
  }
  return is_compacted || log.content == entry.content;
}

}  // namespace

std::uint64_t content_of(const BatchData& data, Offset base_offset, LeaderEpoch leader_epoch,
                         std::int32_t count) {
  const std::vector<Record>& records = data.application_records();
  Fingerprint print;
  print.add(word(base_offset), word(leader_epoch.value()) << 32 | word(count), word(data.producer_id.value()),
            word(data.base_sequence), records.empty() ? 0 : word(records.front().id.value()));
  return print.value() | 1;
}

LogEntry entry_of(const Batch& batch) {
  return LogEntry{batch.end_offset(),
                  content_of(*batch.data, batch.base_offset, batch.leader_epoch, batch.record_count),
                  batch.leader_epoch, batch.record_count};
}

std::vector<LogEntry>::const_iterator entry_above(const std::vector<LogEntry>& log, Offset offset) {
  return std::upper_bound(log.begin(), log.end(), offset,
                          [](Offset wanted, const LogEntry& entry) { return wanted < entry.end_offset; });
}

const ReplicaLogs::Replica* ReplicaLogs::Partition::replica(NodeId broker) const {
  for (const Replica& one : replicas) {
    if (one.broker == broker) return &one;
  }
  return nullptr;
}

// ---- Lives

void ReplicaLogs::note_process(NodeId broker, const Observation& observation) {
  const auto index = static_cast<std::size_t>(broker.value());
  if (index >= brokers_.size()) brokers_.resize(index + 1);
  brokers_[index] = Broker{observation.process, observation.incarnation, true};
}

void ReplicaLogs::life(const Observation& observation, bool starts) {
  for (Broker& broker : brokers_) {
    if (broker.process != observation.process) continue;
    broker.is_up = starts;
    broker.life = observation.incarnation;
  }
}

bool ReplicaLogs::is_up(NodeId broker) const {
  const auto index = static_cast<std::size_t>(broker.value());
  return broker != kNoNode && index < brokers_.size() && brokers_[index].is_up;
}

bool ReplicaLogs::has_leader(const Partition& partition) const {
  return partition.is_led && is_up(partition.leader) &&
         brokers_[static_cast<std::size_t>(partition.leader.value())].life == partition.leader_life;
}

// ---- Replicas

ReplicaLogs::Replica* ReplicaLogs::find_replica(Partition& partition, NodeId broker) {
  return const_cast<Replica*>(std::as_const(partition).replica(broker));
}

ReplicaLogs::Replica& ReplicaLogs::replica(Partition& partition, NodeId broker) {
  if (Replica* known = find_replica(partition, broker)) return *known;
  partition.replicas.emplace_back().broker = broker;
  return partition.replicas.back();
}

void ReplicaLogs::on(const BatchAppended& fact) {
  changed_ = false;
  append(fact.tp, fact.broker == kNoNode ? partitions_[fact.tp].leader : fact.broker, fact.batch);
}

void ReplicaLogs::on(const ReplicaAppended& fact) {
  changed_ = false;
  if (fact.batch.data != nullptr) append(fact.tp, fact.broker, fact.batch);
}

void ReplicaLogs::append(TopicPartition tp, NodeId broker, const Batch& batch) {
  Partition& partition = partitions_[tp];
  Replica& one = replica(partition, broker);
  const LogEntry entry = entry_of(batch);
  const bool leads = broker == partition.leader && one.tail.empty() && one.shared == partition.log.size();
  if (!leads) return follow(partition, one, entry, batch.data->compacted != nullptr);
  partition.log.push_back(entry);
  ++one.shared;
  one.shared_end = entry.end_offset;
  if (batch.leader_epoch >= partition.leader_epoch) return;
  change_ = LeaderLogChange{tp, entry.base_offset(), {}, {entry}};  // it had fetched it before it led
  changed_ = true;
  for (Replica& other : partition.replicas) match(partition, other);
}

void ReplicaLogs::follow(Partition& partition, Replica& one, const LogEntry& entry, bool is_compacted) {
  if (!one.tail.empty()) return one.tail.push_back(entry);
  std::vector<LogEntry>& log = partition.log;
  std::size_t at = one.shared;
  if (at < log.size() && log[at].end_offset < entry.end_offset) {  // compaction has left a gap
    at = static_cast<std::size_t>(entry_above(log, entry.end_offset - 1) - log.begin());
  }
  if (at < log.size() && log[at].content == LogEntry::kUnknown &&
      log[at].base_offset() <= entry.base_offset() &&
      entry.end_offset <= log[at].end_offset) {  // what it is becomes known
    log[at].count = static_cast<std::int32_t>(log[at].end_offset - entry.end_offset);
    const bool all = log[at].count == 0;
    if (all) {
      log[at] = entry;
    } else {
      log.insert(log.begin() + static_cast<std::ptrdiff_t>(at), entry);
      for (Replica& other : partition.replicas) other.shared += other.shared > at ? 1 : 0;
    }
  }
  if (at < log.size() && same(log[at], entry, is_compacted)) {
    one.shared = at + 1;
    one.shared_end = entry.end_offset;
  } else {
    one.tail.push_back(entry);
  }
}

void ReplicaLogs::truncate(TopicPartition tp, NodeId broker, Offset to) {
  Partition& partition = partitions_[tp];
  Replica& one = replica(partition, broker);
  if (to > one.end()) {  // it begins anew where the leader's log starts
    one.tail.clear();
    one.shared = static_cast<std::size_t>(entry_above(partition.log, to) - partition.log.begin());
    one.shared_end = one.start = one.high_watermark = to;
    return;
  }
  while (!one.tail.empty() && one.tail.back().end_offset > to) one.tail.pop_back();
  if (one.shared_end > to) {
    one.shared = static_cast<std::size_t>(entry_above(partition.log, to) - partition.log.begin());
    one.shared_end = to;
  }
  one.high_watermark = std::min(one.high_watermark, to);
  one.start = std::min(one.start, to);
}

void ReplicaLogs::raise_high_watermark(TopicPartition tp, NodeId broker, Offset to) {
  Partition& partition = partitions_[tp];
  Replica& one = replica(partition, broker == kNoNode ? partition.leader : broker);
  one.high_watermark = to;
  one.exposed = std::max(one.exposed, to);
}

void ReplicaLogs::on(const LogLost& fact) {
  if (fact.tp != kClusterMetadata) truncate(fact.tp, fact.broker, fact.to);
}

void ReplicaLogs::on(const LogStartRaised& fact) {
  Replica& one = replica(partitions_[fact.tp], fact.broker);
  one.start = std::max(one.start, fact.to);
}

void ReplicaLogs::on(const BecameFollower& fact, const Observation& seen) {
  note_process(fact.broker, seen);
  replica(partitions_[fact.tp], fact.broker);
}

void ReplicaLogs::on(const ReplicaOpened& fact, const Observation& seen) {
  note_process(fact.broker, seen);
  Partition& partition = partitions_[fact.tp];
  Replica* known = find_replica(partition, fact.broker);
  if (known == nullptr) return;
  Replica& one = *known;
  one.start = fact.log_start_offset;
  one.high_watermark = fact.high_watermark;
  one.exposed = std::max(one.exposed, fact.high_watermark);
  if (fact.log_end_offset < one.end()) return truncate(fact.tp, fact.broker, fact.log_end_offset);
  if (fact.log_end_offset == one.end()) return;
  const auto more = static_cast<std::int32_t>(fact.log_end_offset - one.end());  // written, but never told of
  one.tail.push_back(LogEntry{fact.log_end_offset, LogEntry::kUnknown, kNoLeaderEpoch, more});
}

void ReplicaLogs::on(const Elected& change) {
  const PartitionChanged& fact = change.decision;
  Partition& partition = partitions_[fact.tp];
  if (fact.leader_epoch >= partition.leader_epoch) partition.is_led = fact.leader == partition.leader;
}

void ReplicaLogs::on(const TopicDeleted& fact) {
  partitions_.for_each([&](TopicPartition tp, const Partition&) {
    if (tp.topic == fact.id) partitions_[tp].is_deleted = true;
  });
}

// ---- The log becomes its new leader's

void ReplicaLogs::match(const Partition& partition, Replica& one) {
  std::size_t matched = 0;
  while (matched < one.tail.size() && one.shared < partition.log.size() &&
         one.tail[matched] == partition.log[one.shared]) {
    one.shared_end = one.tail[matched].end_offset;
    ++one.shared;
    ++matched;
  }
  one.tail.erase(one.tail.begin(), one.tail.begin() + static_cast<std::ptrdiff_t>(matched));
}

void ReplicaLogs::on(const TookOver& change, const Observation& seen) {
  changed_ = false;
  const BecameLeader& fact = change.by;
  Partition& partition = partitions_[fact.tp];
  const bool is_unheard_of = find_replica(partition, fact.broker) == nullptr;
  const std::size_t leader =
      static_cast<std::size_t>(&replica(partition, fact.broker) - partition.replicas.data());
  if (is_unheard_of) {
    Replica& one = partition.replicas[leader];
    one.shared =
        static_cast<std::size_t>(entry_above(partition.log, fact.epoch_start) - partition.log.begin());
    one.shared_end = one.shared == 0 ? 0 : partition.log[one.shared - 1].end_offset;
  }
  partition.leader = fact.broker;
  partition.leader_epoch = fact.leader_epoch;
  partition.leader_life = seen.incarnation;
  partition.is_led = true;
  Replica& mine = partition.replicas[leader];
  std::vector<LogEntry>& log = partition.log;
  if (mine.shared == log.size() && mine.tail.empty()) return;

  const auto kept = log.begin() + static_cast<std::ptrdiff_t>(mine.shared);
  change_ = LeaderLogChange{fact.tp, mine.shared_end, {kept, log.end()}, std::exchange(mine.tail, {})};
  changed_ = true;
  const std::size_t shared = mine.shared;
  for (Replica& other : partition.replicas) {
    if (other.shared <= shared) continue;
    const auto end = log.begin() + static_cast<std::ptrdiff_t>(other.shared);
    other.tail.insert(other.tail.begin(), kept, end);
    other.shared = shared;
    other.shared_end = mine.shared_end;
  }
  log.erase(kept, log.end());
  log.insert(log.end(), change_.added.begin(), change_.added.end());
  mine.shared = log.size();
  if (!log.empty()) mine.shared_end = std::max(mine.shared_end, log.back().end_offset);
  for (Replica& other : partition.replicas) {
    if (&other != &mine) match(partition, other);
  }
}

// ---- In the end

Offset ReplicaLogs::final_end(const Partition& partition) const {
  if (has_leader(partition) || partition.is_deleted) return partition.end();
  Offset end = 0;
  for (const Replica& one : partition.replicas) end = std::max(end, one.shared_end);
  return end;
}

Offset ReplicaLogs::divergence(const Partition& partition) const {
  if (partition.is_deleted) return kNoOffset;
  const Replica* leader = partition.replica(partition.leader);
  for (const Replica& one : partition.replicas) {
    if (one.tail.empty() || !is_up(one.broker) || one.high_watermark <= one.shared_end) continue;
    const bool differs = leader != nullptr && is_up(leader->broker) && one.shared < partition.log.size() &&
                         leader->high_watermark > one.shared_end;
    if (differs) return one.shared_end;
    for (const Replica& other : partition.replicas) {
      if (&other == &one || other.tail.empty() || !is_up(other.broker) || other.shared != one.shared)
        continue;
      const auto [mine, theirs] =
          std::mismatch(one.tail.begin(), one.tail.end(), other.tail.begin(), other.tail.end());
      if (mine == one.tail.end() || theirs == other.tail.end()) continue;
      const Offset at = std::min(mine->base_offset(), theirs->base_offset());
      if (at < one.high_watermark && at < other.high_watermark) return at;
    }
  }
  return kNoOffset;
}

}  // namespace sim::observe
