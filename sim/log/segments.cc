#include "log/segments.h"

#include <algorithm>
#include <limits>

namespace sim::log {

Segments::Segments(Offset start, const std::vector<Offset>& bases, const BatchList& batches) {
  std::vector<Offset> starts{start};
  for (const Offset base : bases) {
    if (base > starts.back()) starts.push_back(base);
  }
  for (std::size_t i = 0; i < starts.size(); ++i) {
    const Offset end = i + 1 < starts.size() ? starts[i + 1] : std::numeric_limits<Offset>::max();
    list_.push_back(rebuilt(starts[i], end, batches));
  }
}

Segment Segments::rebuilt(Offset base, Offset end, const BatchList& batches) {
  constexpr std::int64_t kEverything = std::numeric_limits<std::int64_t>::max();
  Segment segment{base, 0, 0, 0};
  if (batches.empty() || batches.end_offset() <= base) return segment;
  for (const Batch& batch : batches.read(base, end, kEverything, false)) count_in(segment, batch);
  return segment;
}

// LogSegment.shouldRoll
bool Segments::must_roll(const Segment& active, const Batch& batch, const SegmentLimits& limits) {
  if (active.bytes + batch.size_bytes() > limits.bytes) return true;
  if (active.empty()) return false;
  if (batch.data->max_timestamp_ms - active.first_timestamp_ms > limits.ms) return true;
  return batch.end_offset() - 1 - active.base_offset > std::numeric_limits<std::int32_t>::max();
}

void Segments::count_in(Segment& segment, const Batch& batch) {
  if (segment.empty()) {
    segment.first_timestamp_ms = batch.data->max_timestamp_ms;
    segment.largest_timestamp_ms = batch.data->max_timestamp_ms;
  }
  segment.bytes += batch.size_bytes();
  segment.largest_timestamp_ms = std::max(segment.largest_timestamp_ms, batch.data->max_timestamp_ms);
}

bool Segments::append(const Batch& batch, const SegmentLimits& limits) {
  const bool rolls = !list_.back().empty() && must_roll(list_.back(), batch, limits);
  if (rolls) list_.push_back(Segment{batch.base_offset, 0, 0, 0});
  count_in(list_.back(), batch);
  return rolls;
}

void Segments::replace_before(Offset end, const std::vector<Offset>& bases,
                              const std::vector<Batch>& batches) {
  std::vector<Segment> cleaned{Segment{list_.front().base_offset, 0, 0, 0}};
  for (const Offset base : bases) cleaned.push_back(Segment{base, 0, 0, 0});
  std::size_t at = 0;
  for (const Batch& batch : batches) {
    while (at + 1 < cleaned.size() && cleaned[at + 1].base_offset <= batch.base_offset) ++at;
    count_in(cleaned[at], batch);
  }
  const auto kept =
      std::find_if(list_.begin(), list_.end(), [end](const Segment& one) { return one.base_offset >= end; });
  cleaned.insert(cleaned.end(), kept, list_.end());
  list_ = std::move(cleaned);
}

std::int64_t Segments::size_bytes() const {
  std::int64_t bytes = 0;
  for (const Segment& segment : list_) bytes += segment.bytes;
  return bytes;
}

void Segments::truncate_to(Offset end, const BatchList& batches) {
  while (list_.size() > 1 && list_.back().base_offset > end) list_.pop_back();
  list_.back() = rebuilt(list_.back().base_offset, end, batches);
}

void Segments::drop_before(Offset start, Offset end) {
  if (start == end) {  // the active segment, too: it was finished first
    list_ = {Segment{start, 0, 0, 0}};
    return;
  }
  auto first_kept = list_.begin();
  while (first_kept + 1 != list_.end() && (first_kept + 1)->base_offset <= start) ++first_kept;
  list_.erase(list_.begin(), first_kept);
}

}  // namespace sim::log
