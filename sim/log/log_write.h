#pragma once

#include <memory>
#include <variant>
#include <vector>

#include "protocol/ids.h"
#include "protocol/quorum.h"
#include "protocol/record_batch.h"

// What a process may ask its disk to keep. LogImage (log_image.h) is what these writes add up to.
namespace sim::log {

struct AppendBatch {
  TopicPartition tp;
  Batch batch;
};
// Drops everything at and above `end`.
struct TruncateLog {
  TopicPartition tp;
  Offset end = 0;
};
// Drops the whole log; it goes on from `start` (truncateFullyAndStartAt).
struct ResetLog {
  TopicPartition tp;
  Offset start = 0;
};
// Kafka's replication-offset-checkpoint, one entry.
struct CheckpointHighWatermark {
  TopicPartition tp;
  Offset high_watermark = 0;
};

// The segment before `base_offset` is finished. Asked for with Safety::flushed, it makes safe what lies
// below, as Kafka's scheduler does in the background.
struct RollSegment {
  TopicPartition tp;
  Offset base_offset = 0;
};

// A leader notes its epoch in the leader-epoch-checkpoint before it writes anything
// (LeaderEpochFileCache.assign, which waits for the file to be synced: an entry is never missing).
struct NoteLeaderEpoch {
  TopicPartition tp;
  LeaderEpoch leader_epoch = kNoLeaderEpoch;
  Offset start = 0;
};

// The log starts at `start` from now on: older segments are deleted, and the log-start-offset-checkpoint says
// so.
struct RaiseLogStart {
  TopicPartition tp;
  Offset start = 0;
};

// Compaction: what lies below `end`, the base of a segment, is replaced by `batches` in segments that begin
// at the start of the log and at `bases`. The cleaned files are flushed before they are swapped in.
struct ReplaceSegments {
  TopicPartition tp;
  Offset end = 0;
  std::shared_ptr<const std::vector<Batch>> batches;
  std::vector<Offset> bases;
};

// An empty log begins in this directory of log.dirs. Only a broker that has several says so. It is in place
// as soon as it is asked for, so that what is written to the log from then on goes there.
struct CreateLog {
  TopicPartition tp;
  std::int32_t directory = 0;
};

// The replica left, or its topic did: nothing of it is found any more. Kafka renames the directory at once
// and deletes it after file.delete.delay.ms.
struct DeleteLog {
  TopicPartition tp;
};

// fsync of what the log holds. It changes nothing by itself; a Persist with Safety::flushed that names logs
// in this way flushes these alone, one after the other.
struct FlushLog {
  TopicPartition tp;
};

// recovery-point-offset-checkpoint, one entry: below it the log was flushed, and need not be checked after a
// crash.
struct CheckpointRecoveryPoint {
  TopicPartition tp;
  Offset recovery_point = 0;
};

// ---- Of __cluster_metadata alone. Files that are written anew are replaced in one go: a crash leaves the
// old or the new.
struct WriteQuorumState {
  TopicPartition tp;
  QuorumState state;
};
struct WriteSnapshot {
  TopicPartition tp;
  MetadataSnapshotPtr snapshot;
};
// Drops snapshots that end below `end`, and what of the log lies below it.
struct CleanLog {
  TopicPartition tp;
  Offset end = 0;
};
// The file .kafka_cleanshutdown of a broker, kept beside the metadata log: who shut down in order, by the
// epoch of its registration. -1 removes it.
struct WriteCleanShutdown {
  TopicPartition tp;
  BrokerEpoch broker_epoch = kNoBrokerEpoch;
};

using LogWrite =
    std::variant<AppendBatch, TruncateLog, CheckpointHighWatermark, RollSegment, WriteQuorumState,
                 WriteSnapshot, CleanLog, ResetLog, WriteCleanShutdown, NoteLeaderEpoch, RaiseLogStart,
                 DeleteLog, FlushLog, CheckpointRecoveryPoint, ReplaceSegments, CreateLog>;

}  // namespace sim::log
