#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "log/log_write.h"
#include "node/node.h"
#include "partition/partition_table.h"
#include "replica/tasks.h"
#include "server/context.h"
#include "server/timers.h"

// What a broker does of its own accord to bring logs from the page cache to the platter, and the recovery
// point that moves with it (UnifiedLog.flush, LogManager.flushDirtyLogs, checkpointLogRecoveryOffsets):
//   flush.messages   with the append that makes it so many since the last flush; its answer waits
//   flush.ms         by the scheduler, every log.flush.scheduler.interval.ms
//   a new segment    the one before it, in the background
// By default only the last of them ever happens: Kafka leaves it to the operating system and to other
// replicas.
//
// Recovery points are checkpointed once a minute, counted from log.initial.task.delay.ms after the start.
//
// Differs from Kafka: what an append with a flush brings is to be seen once it is flushed; in Kafka a fetch
// may read it a moment before.
namespace sim::replica {

using partition::kNotLocal;
using partition::LocalIndex;
using partition::Partition;
using partition::PartitionTable;
using server::BrokerConfig;
using server::Context;
using server::PeriodicTimer;
using server::TaskPhases;

class LogFlusher {
 public:
  explicit LogFlusher(const BrokerConfig& config);

  void start(LocalTime now, TaskPhases& phases);

  // The batches just assigned make it flush.messages: the log is to be flushed with them.
  bool is_due(LocalIndex local, const Partition& partition) const {
    const log::PartitionLog& log = partition.log();
    const std::int64_t most = partition.config().flush_messages;
    if (log.next_offset() - log.recovery_point() < most) return false;
    return log.next_offset() - asked_for(local, partition) >= most;
  }
  // A flush of the log up to `end` was asked for under this id.
  void asked(node::PersistId id, LocalIndex local, const Partition& partition, Offset end);
  // If it was a flush it is done.
  void persisted(node::PersistId id, PartitionTable& table, const Context& context);

  // Something was appended.
  void appended(LocalIndex local, const Partition& partition, const Context& context) {
    if (by_time_ && partition.config().flush_ms != kNever) note_dirty(local, context);
  }
  // What the scheduler is to flush now; whoever has it flushed tells by asked().
  std::vector<LocalIndex> take_dirty(const PartitionTable& table, const Context& context);
  std::vector<log::LogWrite> recovery_points(const PartitionTable& table);

 private:
  static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
  struct Flush {
    node::PersistId id;
    LocalIndex local = kNotLocal;
    TopicPartition tp;
    std::uint32_t truncations = 0;
    Offset end = 0;
  };
  Offset asked_for(LocalIndex local, const Partition& partition) const;
  enum Mark : std::uint8_t { kDirty = 1, kToCheckpoint = 2 };
  bool mark(LocalIndex local, Mark mark);
  void unmark(LocalIndex local, Mark mark);
  void note_dirty(LocalIndex local, const Context& context);
  LocalTime& last_flush(LocalIndex local);

  bool by_time_;
  PeriodicTimer flush_timer_;
  PeriodicTimer checkpoint_timer_;
  Duration initial_delay_;
  LocalTime started_{};
  std::vector<Flush> under_way_;
  std::vector<LocalIndex> dirty_;          // by_time_ only, as are
  std::vector<LocalTime> last_flushes_;    // by local index; since the start at the earliest
  std::vector<LocalIndex> to_checkpoint_;  // recovery points that have moved
  std::vector<std::uint8_t> marks_;        // by local index: in which of the lists it is
};

}  // namespace sim::replica
