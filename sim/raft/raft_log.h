#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "log/partition_log.h"
#include "protocol/messages.h"
#include "protocol/quorum.h"
#include "raft/voter_set.h"

// The metadata log with its snapshots, and the voter sets found in it (KafkaMetadataLog,
// KRaftControlRecordStateMachine).
namespace sim::raft {

// __cluster_metadata's leader epochs are the quorum's epochs. These two lines are the only place where they
// convert.
constexpr LeaderEpoch leader_epoch(QuorumEpoch epoch) {
  return LeaderEpoch{epoch.value()};
}
constexpr QuorumEpoch quorum_epoch(LeaderEpoch epoch) {
  return QuorumEpoch{epoch.value() < 0 ? 0 : epoch.value()};
}

class RaftLog {
 public:
  RaftLog(const log::LogImage* image, VoterSet configured);

  Offset start_offset() const { return log_.log_start_offset(); }
  Offset end_offset() const { return log_.log_end_offset(); }
  // Of the last record; 0 if there never was one.
  LeaderEpoch last_epoch() const;
  const VoterSet& voters() const { return voters_.back().second; }
  // Where the latest VotersRecord ends; 0: only configured.
  Offset voters_offset() const { return voters_.back().first; }
  MetadataSnapshotPtr latest_snapshot() const { return snapshots_.empty() ? nullptr : snapshots_.back(); }
  MetadataSnapshotPtr snapshot(SnapshotId id) const;

  void begin_epoch(LeaderEpoch epoch) { log_.begin_epoch(epoch, end_offset()); }
  Batch append_as_leader(BatchDataPtr data, LeaderEpoch epoch);
  void append_as_follower(const Batch& batch);
  std::vector<Batch> read(Offset from, Offset end, std::int64_t max_bytes) const {
    if (from >= end) return {};  // most fetches are of who is caught up
    return log_.read(from, end, max_bytes, true);
  }

  // May a fetch at `offset` after records of `epoch` go on here (validateOffsetAndEpoch)? Else where the logs
  // part, or the snapshot to begin with.
  struct Valid {};
  struct Diverging {
    FetchResponse::EpochEnd end;
  };
  struct FromSnapshot {
    SnapshotId id;
  };
  using Validation = std::variant<Valid, Diverging, FromSnapshot>;
  Validation validate(Offset offset, LeaderEpoch epoch) const;

  // Cuts the log where the leader's and ours part (truncateToEndOffset); returns the new end.
  Offset truncate_to(FetchResponse::EpochEnd leader_end);
  void add_snapshot(MetadataSnapshotPtr snapshot);
  // The log goes on from the end of the latest snapshot. REQUIRES: there is one
  void reset_to_latest_snapshot();
  // Where the log may start after cleaning: the oldest snapshot to keep. nullopt: nothing to clean.
  std::optional<Offset> cleanable(std::int64_t retention_bytes, std::int64_t expired_before_ms) const;
  void clean(Offset start);

 private:
  void note_voters(const Batch& batch);

  log::PartitionLog log_;
  std::vector<MetadataSnapshotPtr> snapshots_;       // by end offset
  std::vector<std::pair<Offset, VoterSet>> voters_;  // (end of the record, set), rising
};

}  // namespace sim::raft
