#include "log/retention.h"

#include <algorithm>
#include <limits>
#include <vector>

namespace sim::log {
namespace {

bool is_too_old(const Segment& segment, std::int64_t retention_ms, std::int64_t now_ms) {
  return now_ms - segment.largest_timestamp_ms > retention_ms;
}

}  // namespace

// By size first, then by time: the order of deleteOldSegments.
Offset start_after_retention(const PartitionLog& log, Offset high_watermark, const RetentionLimits& limits,
                             std::int64_t now_ms) {
  const std::vector<Segment>& segments = log.segments();
  Offset start = log.log_start_offset();
  std::size_t oldest = 0;
  // The segment's end, if it may go at all.
  const auto end_of = [&](std::size_t at) -> std::optional<Offset> {
    const bool active = at + 1 == segments.size();
    if (active && segments[at].empty()) return std::nullopt;
    const Offset end = active ? log.log_end_offset() : segments[at + 1].base_offset;
    return high_watermark >= end ? std::optional(end) : std::nullopt;
  };
  if (limits.bytes >= 0) {
    std::int64_t too_many = log.segments_bytes() - limits.bytes;
    for (; oldest < segments.size() && too_many >= segments[oldest].bytes; ++oldest) {
      const std::optional<Offset> end = end_of(oldest);
      if (!end) break;
      too_many -= segments[oldest].bytes;
      start = *end;
    }
  }
  if (limits.ms >= 0) {
    for (; oldest < segments.size() && is_too_old(segments[oldest], limits.ms, now_ms); ++oldest) {
      const std::optional<Offset> end = end_of(oldest);
      if (!end) break;
      start = *end;
    }
  }
  return start;
}

std::optional<std::int64_t> may_expire_at_ms(const PartitionLog& log, const RetentionLimits& limits,
                                             std::int64_t now_ms) {
  const Segment& oldest = log.segments().front();
  if (oldest.empty()) return std::nullopt;
  if (limits.bytes >= 0 && log.segments_bytes() - limits.bytes >= oldest.bytes) return now_ms;
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  if (limits.ms < 0 || oldest.largest_timestamp_ms > kMax - 1 - limits.ms) return std::nullopt;
  return std::max(oldest.largest_timestamp_ms + limits.ms + 1, now_ms);
}

}  // namespace sim::log
