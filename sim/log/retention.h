#pragma once

#include <cstdint>
#include <optional>

#include "log/partition_log.h"

// Which of a log's segments are too old or too many (UnifiedLog.deleteOldSegments): whole segments only,
// oldest first, and none that holds anything at or above the high watermark. The active one may go too, once
// it is as old as that: it is finished first.
//
// A segment's age is that of its largest time stamp, whoever has set it. The third of Kafka's rules, segments
// below the log start offset, has nothing to do here: raising the start drops them at once.
namespace sim::log {

struct RetentionLimits {
  std::int64_t ms = -1;     // retention.ms; -1: without limit
  std::int64_t bytes = -1;  // retention.bytes
};

// Where the log starts once they are deleted; where it starts now, if there are none.
Offset start_after_retention(const PartitionLog& log, Offset high_watermark, const RetentionLimits& limits,
                             std::int64_t now_ms);

// The earliest time at which there may be any, if nothing is appended before; nullopt: never. Without regard
// to the high watermark.
std::optional<std::int64_t> may_expire_at_ms(const PartitionLog& log, const RetentionLimits& limits,
                                             std::int64_t now_ms);

}  // namespace sim::log
