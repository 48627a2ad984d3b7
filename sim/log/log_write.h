#pragma once

#include <variant>

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
// Drops the whole log; it goes on from `start` (truncateFullyAndStartAt).
struct ResetLog {
  TopicPartition tp;
  Offset start = 0;
};

// The file .kafka_cleanshutdown of a broker, kept beside the metadata log: who shut down in order, by the epoch
// of its registration. -1 removes it.
struct WriteCleanShutdown {
  TopicPartition tp;
  BrokerEpoch broker_epoch = kNoBrokerEpoch;
};

using LogWrite = std::variant<AppendBatch, TruncateLog, CheckpointHighWatermark, RollSegment,
                              WriteQuorumState, WriteSnapshot, CleanLog, ResetLog, WriteCleanShutdown>;

}  // namespace sim::log
