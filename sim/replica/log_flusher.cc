#include "replica/log_flusher.h"

#include <algorithm>
#include <utility>

namespace sim::replica {

LogFlusher::LogFlusher(const BrokerConfig& config)
    : by_time_(config.log_flush_scheduler_interval_ms != kNever),
      flush_timer_(timer_of(Task::flush_logs), period_of_millis(config.log_flush_scheduler_interval_ms)),
      checkpoint_timer_(timer_of(Task::checkpoint_recovery_points),
                        period_of_millis(config.log_flush_offset_checkpoint_interval_ms)),
      initial_delay_(from_millis(config.log_initial_task_delay_ms)) {}

void LogFlusher::start(LocalTime now, TaskPhases& phases) {
  started_ = now;
  flush_timer_.start(now, initial_delay_, phases);
  checkpoint_timer_.start(now, initial_delay_, phases);
}

Offset LogFlusher::asked_for(LocalIndex local, const Partition& partition) const {
  Offset end = partition.log().recovery_point();
  for (const Flush& flush : under_way_) {
    if (flush.local == local && flush.tp == partition.tp() && flush.truncations == partition.truncations())
      end = std::max(end, flush.end);
  }
  return end;
}

void LogFlusher::asked(node::PersistId id, LocalIndex local, const Partition& partition, Offset end) {
  under_way_.push_back(Flush{id, local, partition.tp(), partition.truncations(), end});
}

// A log that was cut meanwhile is flushed less far than it was to be: it counts as not flushed.
void LogFlusher::persisted(node::PersistId id, PartitionTable& table, const Context& context) {
  if (under_way_.empty()) return;
  for (const Flush& flush : under_way_) {
    if (flush.id != id) continue;
    Partition* partition = table.get(flush.local, flush.tp);
    if (partition == nullptr || partition->truncations() != flush.truncations) continue;
    partition->flushed_to(flush.end);
    if (by_time_) last_flush(flush.local) = context.now();
    if (!mark(flush.local, kToCheckpoint)) continue;
    to_checkpoint_.push_back(flush.local);
    checkpoint_timer_.arm(context.now(), context.out);
  }
  std::erase_if(under_way_, [id](const Flush& flush) { return flush.id == id; });
}

// False if it had the mark.
bool LogFlusher::mark(LocalIndex local, Mark mark) {
  const auto index = static_cast<std::size_t>(local);
  if (index >= marks_.size()) marks_.resize(index + 1, 0);
  return (std::exchange(marks_[index], static_cast<std::uint8_t>(marks_[index] | mark)) & mark) == 0;
}

void LogFlusher::unmark(LocalIndex local, Mark mark) {
  std::uint8_t& marks = marks_[static_cast<std::size_t>(local)];
  marks = static_cast<std::uint8_t>(marks & ~mark);
}

LocalTime& LogFlusher::last_flush(LocalIndex local) {
  const auto index = static_cast<std::size_t>(local);
  if (index >= last_flushes_.size()) last_flushes_.resize(index + 1, started_);
  return last_flushes_[index];
}

void LogFlusher::note_dirty(LocalIndex local, const Context& context) {
  if (!mark(local, kDirty)) return;
  dirty_.push_back(local);
  flush_timer_.arm(context.now(), context.out);
}

std::vector<LocalIndex> LogFlusher::take_dirty(const PartitionTable& table, const Context& context) {
  flush_timer_.fired();
  std::vector<LocalIndex> due;
  for (const LocalIndex local : std::exchange(dirty_, {})) {
    const bool is_here = table.occupied(local);
    const Partition* partition = is_here ? &table.at(local) : nullptr;
    const bool is_dirty = is_here && partition->log_end_offset() > partition->log().recovery_point();
    if (is_dirty && context.now() - last_flush(local) < period_of_millis(partition->config().flush_ms)) {
      dirty_.push_back(local);
      continue;
    }
    unmark(local, kDirty);
    if (is_dirty) due.push_back(local);
  }
  if (!dirty_.empty()) flush_timer_.arm(context.now(), context.out);
  return due;
}

std::vector<log::LogWrite> LogFlusher::recovery_points(const PartitionTable& table) {
  checkpoint_timer_.fired();
  std::vector<log::LogWrite> writes;
  for (const LocalIndex local : std::exchange(to_checkpoint_, {})) {
    unmark(local, kToCheckpoint);
    if (!table.occupied(local)) continue;
    const Partition& partition = table.at(local);
    writes.emplace_back(log::CheckpointRecoveryPoint{partition.tp(), partition.log().recovery_point()});
  }
  return writes;
}

}  // namespace sim::replica
