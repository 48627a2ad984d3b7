#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/int128.h"
#include "log/partition_log.h"

// Compaction of a log whose topic has cleanup.policy=compact (LogCleaner, Cleaner, LogCleanerManager in
// Kafka): of each key the last record stays, wherever it lies below the active segment. Offsets do not
// change, so gaps come about.
//
// A tombstone stays for delete.retention.ms from when it was first gone through (KIP-534: the batch notes the
// time), so that who reads on in time sees it. A batch that holds a producer's last sequence number stays
// even without a record.
//
// Differs from Kafka: the map of keys is as large as it must be (there the dedupe buffer may be full earlier,
// and the rest waits for the next turn), and the last batch below the active segment stays, if only as an
// empty one. Markers of transactions stay (there they go some time after what they have ended).
namespace sim::log {

struct CompactionLimits {
  std::int64_t min_lag_ms = 0;
  std::int64_t max_lag_ms = 0;
  std::int32_t min_dirty_per_million = 0;
  std::int64_t delete_retention_ms = 0;
  std::int64_t segment_bytes = 0;
};

// For how long a compacted log's active segment takes records, so that none is held back from the cleaner for
// longer than max.compaction.lag.ms (LogConfig.maxSegmentMs).
constexpr std::int64_t compacted_segment_ms(std::int64_t segment_ms, std::int64_t max_lag_ms) {
  return max_lag_ms > 0 && max_lag_ms < segment_ms ? max_lag_ms : segment_ms;
}

// What there is to do (LogToClean).
struct CleanableLog {
  Offset first_dirty = 0;
  Offset end = 0;  // the base of the first segment that must stay as it is
  std::int64_t clean_bytes = 0;
  std::int64_t dirty_bytes = 0;  // that may be cleaned
  bool overdue = false;  // max.compaction.lag.ms has passed for some record that is not in the active one

  bool is_worth_it(const CompactionLimits& limits) const {
    if (dirty_bytes == 0) return false;
    const int128 least = static_cast<int128>(clean_bytes + dirty_bytes) * limits.min_dirty_per_million;
    return overdue || static_cast<int128>(dirty_bytes) * 1'000'000 > least;
  }
  std::int64_t dirty_per_million() const {
    const std::int64_t total = clean_bytes + dirty_bytes;
    return total == 0 ? 0 : static_cast<std::int64_t>(static_cast<int128>(dirty_bytes) * 1'000'000 / total);
  }
};
// What lies above the last stable offset is left alone.
CleanableLog cleanable(const PartitionLog& log, Offset last_stable_offset, const CompactionLimits& limits,
                       std::int64_t now_ms);

struct CleanedLog {
  Offset end = 0;  // what was cleaned lies below it
  std::vector<Batch> batches;
  std::vector<Offset> bases;  // of the new segments, but for the first
  std::int64_t bytes_before = 0;
  std::int64_t bytes_after = 0;
};
using IsLastOfProducer = std::function<bool(const Batch&)>;
// Data of a transaction that was aborted: it goes, and does not count as a later record of its keys.
using IsAborted = std::function<bool(const Batch&)>;
CleanedLog clean(const PartitionLog& log, const CleanableLog& what, const CompactionLimits& limits,
                 std::int64_t now_ms, const IsLastOfProducer& is_last_of_producer,
                 const IsAborted& is_aborted = {});

}  // namespace sim::log
