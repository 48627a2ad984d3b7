#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "log/partition_log.h"
#include "node/node.h"
#include "protocol/metadata_records.h"

// The controller's end of __cluster_metadata: records go in and get their offsets at once; some time later they are
// committed. This is all that the controller knows of how records are agreed upon.
//
// Interim: the quorum has one voter, so a record is committed as soon as this disk has flushed it, and there are no
// elections. A life begins a new epoch with a leader change record, as a KRaft leader does; until that is
// committed nothing is. Nothing waits to be gathered into larger writes (controller.quorum.append.linger.ms),
// and no snapshots are taken.
namespace sim::controller {

class MetadataLog {
 public:
  // With what an earlier life has left, if anything.
  explicit MetadataLog(const log::LogImage* image);

  bool empty() const { return log_.next_offset() == log_.log_start_offset(); }
  Offset next_offset() const { return log_.next_offset(); }
  Offset high_watermark() const { return high_watermark_; }  // everything below it is committed
  LeaderEpoch leader_epoch() const { return leader_epoch_; }

  // What an earlier life has written, to be replayed before anything is decided.
  std::vector<Batch> recovered() const;

  // Leads from here on. Both return the batch at its place, which is committed when the high watermark has
  // reached its end.
  Batch begin_epoch(node::Env env, node::Effects& out);
  Batch append(std::vector<MetadataRecord> records, node::Env env, node::Effects& out);
  // Commits what is now flushed.
  void persisted(const node::Persisted& done);

  // What an observer may see: committed batches from `from` on, at least one if there is one.
  std::vector<Batch> read(Offset from, std::int64_t max_bytes) const;

 private:
  struct Write {
    node::PersistId id;
    Batch batch;
  };
  Batch write(BatchDataPtr data, node::Effects& out);

  log::PartitionLog log_;
  std::deque<Write> writes_;  // under way, in order
  node::PersistId next_write_{0};
  LeaderEpoch leader_epoch_;
  Offset high_watermark_ = 0;
};

}  // namespace sim::controller
