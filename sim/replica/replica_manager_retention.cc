#include <limits>
#include <memory>
#include <utility>

#include "replica/replica_manager.h"

// Old segments are deleted; leaders and followers do it by themselves, each by its own clock.
namespace sim::replica {

void ReplicaManager::clock_stepped(const Context& context) {
  for (LocalIndex local = 0; local < table_.size(); ++local) {
    if (table_.occupied(local)) retention_.note(table_.at(local), context);
  }
}

void ReplicaManager::delete_old_segments(const Context& context) {
  retention_.fired();
  for (LocalIndex local = 0; local < table_.size(); ++local) {
    if (!table_.occupied(local)) continue;
    Partition& partition = table_.at(local);
    if (!partition.config().cleanup_delete) continue;
    const Offset from = partition.log_start_offset();
    const Offset start =
        log::start_after_retention(partition.log(), partition.high_watermark(),
                                   LogRetention::limits_of(partition.config()), context.now_ms());
    if (start > from) {
      partition.raise_log_start(start);
      log_start_raised(local, from, context);
    }
    retention_.note(partition, context);
  }
}

// Followers hear of it with their next fetch, consumers when they ask for what is gone.
void ReplicaManager::log_start_raised(LocalIndex local, Offset from, const Context& context) {
  const Partition& partition = table_.at(local);
  node::report(context.out, observe::LogStartRaised{partition.tp(), id_, from, partition.log_start_offset()});
  context.out.emplace_back(node::Persist{next_write(),
                                         {log::RaiseLogStart{partition.tp(), partition.log_start_offset()}},
                                         node::Safety::written});
  for (const FetchWatcher& watcher : sessions_.watchers(local))
    sessions_.list(watcher.session, watcher.partition);
}

// ---- Compaction (LogCleaner, with one thread)

namespace {

log::CompactionLimits compaction_limits(const TopicConfig& config) {
  return {config.min_compaction_lag_ms, config.max_compaction_lag_ms, config.min_cleanable_dirty_per_million,
          config.delete_retention_ms, config.segment_bytes};
}

}  // namespace

// A finished segment is what the cleaner waits for.
void ReplicaManager::note_for_cleaner(const Partition& partition, const Context& context) {
  const bool concerns = context.config.log_cleaner_enable && partition.config().cleanup_compact;
  if (!concerns || cleaning_ || partition.log().segments().size() < 2) return;
  cleaner_timer_.arm(context.now(), context.out);
}

// LogCleanerManager.grabFilthiestCompactedLog: the one of which the largest part is dirty.
void ReplicaManager::clean_filthiest(const Context& context) {
  LocalIndex filthiest = kNotLocal;
  log::CleanableLog its;
  bool may_change = false;  // with time alone
  for (LocalIndex local = 0; local < table_.size(); ++local) {
    if (!table_.occupied(local) || !table_.at(local).config().cleanup_compact) continue;
    const Partition& partition = table_.at(local);
    const log::CompactionLimits limits = compaction_limits(partition.config());
    const log::CleanableLog what =
        log::cleanable(partition.log(), partition.last_stable_offset(), limits, context.now_ms());
    const bool held_back = what.end < partition.log().segments().back().base_offset;
    may_change = may_change || held_back ||
                 (what.dirty_bytes > 0 && limits.max_lag_ms < std::numeric_limits<std::int64_t>::max());
    if (!what.is_worth_it(limits)) continue;
    if (filthiest != kNotLocal && what.dirty_per_million() <= its.dirty_per_million()) continue;
    filthiest = local;
    its = what;
  }
  if (filthiest != kNotLocal) {
    clean(filthiest, its, context);
  } else if (may_change) {
    cleaner_timer_.arm(context.now(), context.out);
  }
}

// What is left shows at once; the cleaned files are written, flushed and swapped in before the next log's
// turn.
void ReplicaManager::clean(LocalIndex local, const log::CleanableLog& what, const Context& context) {
  Partition& partition = table_.at(local);
  log::CleanedLog cleaned = log::clean(
      partition.log(), what, compaction_limits(partition.config()), context.now_ms(),
      [&](const Batch& batch) { return partition.producers().is_last(batch); },
      [&](const Batch& batch) { return partition.producers().is_aborted(batch); });
  partition.replace_segments(cleaned.end, cleaned.batches, cleaned.bases);
  node::report(context.out, observe::LogCleaned{partition.tp(), id_, cleaned.end, cleaned.bytes_before,
                                                cleaned.bytes_after});
  cleaning_ = next_write();
  auto batches = std::make_shared<const std::vector<Batch>>(std::move(cleaned.batches));
  context.out.emplace_back(node::Persist{
      *cleaning_,
      {log::ReplaceSegments{partition.tp(), cleaned.end, std::move(batches), std::move(cleaned.bases)}},
      node::Safety::flushed});
}

}  // namespace sim::replica
