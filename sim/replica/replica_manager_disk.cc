#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/contains.h"
#include "replica/replica_manager.h"

// What a broker finds on its disks at the start and leaves there at the end, and the flushes in between
// (LogManager: loadLogs, flushDirtyLogs, checkpointLogRecoveryOffsets, shutdown).
namespace sim::replica {

// ---- At the start

// After an unclean shutdown every log is read from the segment on that holds its recovery point, and checked.
// A broker that dies meanwhile was not shut down cleanly either (KAFKA-10471).
void ReplicaManager::load(TaskPhases phases, const Context& context) {
  phases_ = std::move(phases);
  std::vector<std::vector<std::int64_t>> bytes(static_cast<std::size_t>(directories_.count()));
  std::int64_t in_all = 0;
  for (auto& [tp, image] : found_) {
    if (was_shut_down_cleanly_) {
      image.recovery_point = image.end_offset();
    } else {
      std::vector<std::int64_t>& there = bytes[static_cast<std::size_t>(image.directory)];
      there.push_back(image.bytes_to_recover());
      in_all += there.back();
    }
    if (image.has_too_much()) to_cut_.push_back(tp);
    image.recover();
  }
  if (was_shut_down_cleanly_) {
    context.out.emplace_back(
        node::Persist{next_write(), {log::WriteCleanShutdown{kClusterMetadata}}, node::Safety::written});
  }
  if (in_all == 0) return loaded(context);
  loading_ = next_write();
  for (std::int32_t d = 0; d < directories_.count(); ++d) {
    if (!directories_.is_online(d)) continue;
    ++directories_loading_;
    context.out.emplace_back(node::Scan{*loading_, std::move(bytes[static_cast<std::size_t>(d)]),
                                        context.config.num_recovery_threads_per_data_dir, d});
  }
}

// What the logs held too much is cut off, on disk too; the background tasks begin.
void ReplicaManager::loaded(const Context& context) {
  loading_.reset();
  is_loaded_ = true;
  std::vector<log::LogWrite> writes;
  for (const TopicPartition tp : std::exchange(to_cut_, {}))
    writes.emplace_back(log::TruncateLog{tp, found_.at(tp).end_offset()});
  if (!writes.empty()) write(std::move(writes), context);
  isr_timer_.start(context.now(), phases_);
  checkpoint_timer_.start(context.now(), phases_);
  retention_.start(context.now(), phases_);
  cleaner_timer_.start(context.now(), phases_);
  flusher_.start(context.now(), phases_);
  producer_expiry_timer_.start(context.now(), phases_);
}

// Replicas that were moved away, and topics that were deleted, while the broker was down (stray logs).
void ReplicaManager::delete_stray_logs(const Context& context) {
  std::vector<log::LogWrite> writes;
  for (const auto& [tp, image] : std::exchange(found_, {})) {
    writes.emplace_back(log::DeleteLog{tp});
    node::report(context.out, observe::LogDeleted{tp, id_});
  }
  if (!writes.empty()) write(std::move(writes), context);
}

// In the background: nothing waits for it.
void ReplicaManager::write(std::vector<log::LogWrite> writes, const Context& context) {
  context.out.emplace_back(node::Persist{next_write(), std::move(writes), node::Safety::written});
}

// ---- Flushes

// UnifiedLog.roll: what a finished segment holds is made safe while work goes on.
void ReplicaManager::flush_below(LocalIndex local, Offset base_offset, const Context& context) {
  const Partition& partition = table_.at(local);
  const node::PersistId id = next_write();
  flusher_.asked(id, local, partition, base_offset);
  context.out.emplace_back(
      node::Persist{id, {log::RollSegment{partition.tp(), base_offset}}, node::Safety::flushed});
}

// UnifiedLog.append: logs of which flush.messages are not on the platter, with these. The append waits for
// it.
void ReplicaManager::add_due_flushes(PendingAppend& pending, std::vector<log::LogWrite>& writes) {
  for (std::size_t i = 0; i < pending.batches.size(); ++i) {
    const PlacedBatch& placed = pending.batches[i];
    const bool is_last = i + 1 == pending.batches.size() || pending.batches[i + 1].local != placed.local;
    if (!is_last || !flusher_.is_due(placed.local, table_.at(placed.local))) continue;
    const Partition& partition = table_.at(placed.local);
    pending.flushes = true;
    flusher_.asked(pending.id, placed.local, partition, partition.log().next_offset());
    writes.emplace_back(log::FlushLog{placed.tp});
  }
}

void ReplicaManager::flush_dirty_logs(const Context& context) {
  std::vector<log::LogWrite> writes;
  const node::PersistId id = next_write();
  for (const LocalIndex local : flusher_.take_dirty(table_, context)) {
    const Partition& partition = table_.at(local);
    flusher_.asked(id, local, partition, partition.log_end_offset());
    writes.emplace_back(log::FlushLog{partition.tp()});
  }
  if (!writes.empty()) context.out.emplace_back(node::Persist{id, std::move(writes), node::Safety::flushed});
}

void ReplicaManager::checkpoint_recovery_points(const Context& context) {
  std::vector<log::LogWrite> writes = flusher_.recovery_points(table_);
  if (!writes.empty()) write(std::move(writes), context);
}

// ---- Writes that were performed

// Those of one log take effect in the order in which they were asked for; one that waits for a flush does not
// hold up other logs. Those that share an id were asked for once.
void ReplicaManager::persisted(node::PersistId id, const Context& context) {
  if (loading_ == id) {
    if (--directories_loading_ == 0 && !is_closing_) loaded(context);
    return;
  }
  flusher_.persisted(id, table_, context);
  bool in_order = out_of_order_ == 0;
  while (in_order && !pending_.empty() && pending_.front().id == id) {
    PendingAppend done = std::move(pending_.front());
    pending_.pop_front();
    perform(done, context);
  }
  if (pending_.empty() || (in_order && pending_.front().id > id)) return;
  for (PendingAppend& pending : pending_) {
    if (pending.id != id || pending.written) continue;
    pending.written = true;
    ++out_of_order_;
  }
  if (out_of_order_ != 0) perform_what_may_be(context);
}

void ReplicaManager::perform_what_may_be(const Context& context) {
  std::vector<TopicPartition> held_up;
  for (std::size_t i = 0; i < pending_.size();) {
    std::vector<TopicPartition> logs = pending_[i].logs();
    const bool waits = std::any_of(logs.begin(), logs.end(), [&](TopicPartition tp) {
      return std::find(held_up.begin(), held_up.end(), tp) != held_up.end();
    });
    if (!pending_[i].written || waits) {
      held_up.insert(held_up.end(), logs.begin(), logs.end());
      ++i;
      continue;
    }
    PendingAppend done = std::move(pending_[i]);
    pending_.erase(pending_.begin() + static_cast<std::ptrdiff_t>(i));
    --out_of_order_;
    perform(done, context);
  }
}

void ReplicaManager::report_performed(const std::vector<node::PersistId>& ids,
                                      const node::DurableImage& image, node::Effects& out) const {
  std::vector<const PlacedBatch*> appended;
  for (const PendingAppend& pending : pending_) {
    if (!contains(ids, pending.id)) continue;
    for (const PlacedBatch& placed : pending.batches) {
      const auto log = image.logs.find(placed.tp);
      const bool is_there = log != image.logs.end() && log->second.end_offset() >= placed.batch.end_offset();
      if (is_there) appended.push_back(&placed);
    }
  }
  std::sort(appended.begin(), appended.end(), [](const PlacedBatch* a, const PlacedBatch* b) {
    return std::pair(a->tp, a->batch.base_offset) < std::pair(b->tp, b->batch.base_offset);
  });
  for (const PlacedBatch* placed : appended)
    node::report(out, Partition::appended(placed->tp, placed->batch, placed->as_leader, id_));
}

// ---- At the end

// ReplicaManager.shutdown, LogManager.shutdown: everything to the platter, then the marks that say so.
node::PersistId ReplicaManager::close(const Context& context) {
  is_closing_ = true;
  std::vector<log::LogWrite> writes;
  for (LocalIndex local = 0; local < table_.size(); ++local) {
    if (!table_.occupied(local)) continue;
    const Partition& partition = table_.at(local);
    writes.emplace_back(log::CheckpointHighWatermark{partition.tp(), partition.high_watermark()});
    if (partition.log().next_offset() > partition.log().recovery_point())
      writes.emplace_back(log::FlushLog{partition.tp()});
  }
  const node::PersistId id = next_write();
  const bool flushes = std::any_of(writes.begin(), writes.end(), [](const log::LogWrite& one) {
    return std::holds_alternative<log::FlushLog>(one);
  });
  context.out.emplace_back(
      node::Persist{id, std::move(writes), flushes ? node::Safety::flushed : node::Safety::written});
  return id;
}

node::PersistId ReplicaManager::mark_clean_shutdown(const Context& context) {
  std::vector<log::LogWrite> writes;
  for (LocalIndex local = 0; local < table_.size(); ++local) {
    if (!table_.occupied(local)) continue;
    const Partition& partition = table_.at(local);
    writes.emplace_back(log::CheckpointRecoveryPoint{partition.tp(), partition.log().next_offset()});
  }
  writes.emplace_back(log::WriteCleanShutdown{kClusterMetadata, context.broker_epoch});
  const node::PersistId id = next_write();
  context.out.emplace_back(node::Persist{id, std::move(writes), node::Safety::written});
  return id;
}

}  // namespace sim::replica
