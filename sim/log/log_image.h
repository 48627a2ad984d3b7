#pragma once

#include <optional>
#include <vector>

#include "base/rng.h"
#include "base/time.h"
#include "log/batch_list.h"
#include "log/log_write.h"
#include "protocol/ids.h"

// What a log directory holds of one partition: what LogWrites add up to, and what of it survives.
//
// A killed process keeps all of it (the page cache belongs to the operating system); a power loss
// keeps what was flushed. The host performs the writes; a process boots from the image (PartitionLog).
namespace sim::log {

struct EpochStart {
  LeaderEpoch leader_epoch;
  Offset start_offset = 0;
  bool operator==(const EpochStart&) const = default;
};

// Notes the start of an epoch. Entries that contradict it go: those of an epoch not below it, and those that
// start where it does or later (LeaderEpochFileCache.assign).
void note_epoch(std::vector<EpochStart>& epochs, EpochStart entry);
// Drops the epochs that start at or above `end` (truncateFromEnd).
void truncate_epochs_to(std::vector<EpochStart>& epochs, Offset end);
// The epoch in which the log now starts, starts there (LeaderEpochFileCache.truncateFromStart).
void truncate_epochs_before(std::vector<EpochStart>& epochs, Offset start);

struct LogImage {
  BatchList batches;
  std::vector<EpochStart> epochs;     // leader-epoch-checkpoint, rising
  std::vector<Offset> segment_bases;  // of all segments but the first, rising
  Offset start_offset = 0;            // log start offset
  Offset high_watermark = 0;          // replication-offset-checkpoint
  Offset cleaned_to = 0;              // cleaner-offset-checkpoint
  Offset flushed_end_offset = 0;      // below it everything is on the platter
  Offset recovery_point = 0;          // recovery-point-offset-checkpoint
  std::int32_t directory = 0;         // of the broker's log.dirs, in which it lies
  std::int64_t torn_bytes = 0;        // of a batch that a power loss has cut in two, after the end
  Instant written_back_at =
      Instant::max();                       // when what is dirty will be on it as well; max: nothing is dirty
  std::optional<QuorumState> quorum_state;  // of __cluster_metadata, as are
  std::vector<MetadataSnapshotPtr> snapshots;   // by end offset
  BrokerEpoch clean_shutdown = kNoBrokerEpoch;  // -1: the broker did not shut down in order

  Offset end_offset() const { return batches.empty() ? start_offset : batches.end_offset(); }
  // REQUIRES: the write is of this partition
  void perform(const LogWrite& write);
  void flush() { flushed_end_offset = end_offset(); }
  // The power is gone: what was not flushed is lost or, with `tail`, a drawn part of it only. The files that
  // are replaced in one go and synced (checkpoints, epochs) are as they were written, and may now tell of
  // more than the log holds.
  void lose_unflushed(Rng* tail = nullptr);
  // What loading a log makes of it (LogLoader): the torn batch goes, and all that speaks of what lies beyond
  // the end, or before the start.
  void recover();
  bool has_too_much() const;
  // What is read and checked for that after an unclean shutdown: segments from the one on which holds the
  // recovery point.
  std::int64_t bytes_to_recover() const;

  // ---- The operating system's write-back (Linux: vm.dirty_writeback_centisecs = 500, dirty_expire_centisecs
  // = 3000): every 5 s it looks for files that have been dirty for 30 s, and writes all that is dirty of
  // them. Nothing has to wake for it: write_back() before a write, or before the power goes, does what was
  // due by then; dirtied() follows a write.
  void write_back(Instant now);
  void dirtied(Instant now);
  void flushed_to(Offset end);
  void raise_start(Offset start);
  void truncate_segments_to(Offset end);
  Offset tear(Rng& rng);
};

}  // namespace sim::log
