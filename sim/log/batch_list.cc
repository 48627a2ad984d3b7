#include "log/batch_list.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace sim::log {

void BatchList::append(Batch batch) {
  SIM_CHECK(empty() || batch.base_offset >= end_offset(), "batches are appended in order of offset");
  size_bytes_ += batch.size_bytes();
  batches_.push_back(std::move(batch));
}

void BatchList::truncate_to(Offset end) {
  while (!batches_.empty() && batches_.back().end_offset() > end) {
    size_bytes_ -= batches_.back().size_bytes();
    batches_.pop_back();
  }
}

void BatchList::drop_before(Offset start) {
  while (!batches_.empty() && batches_.front().end_offset() <= start) {
    size_bytes_ -= batches_.front().size_bytes();
    batches_.pop_front();
  }
}

BatchList::Iterator BatchList::find(Offset offset) const {
  return std::partition_point(batches_.begin(), batches_.end(),
                              [offset](const Batch& batch) { return batch.end_offset() <= offset; });
}

std::vector<Batch> BatchList::read(Offset from, Offset end, std::int64_t max_bytes, bool at_least_one) const {
  std::vector<Batch> result;
  std::int64_t bytes = 0;
  for (Iterator it = find(from); it != batches_.end() && it->end_offset() <= end; ++it) {
    bytes += it->size_bytes();
    if (bytes > max_bytes && !(at_least_one && result.empty())) break;
    result.push_back(*it);
  }
  return result;
}

std::int64_t BatchList::bytes_between(Offset from, Offset end, std::int64_t at_most) const {
  std::int64_t bytes = 0;
  for (Iterator it = find(from); it != batches_.end() && it->end_offset() <= end && bytes < at_most; ++it) {
    bytes += it->size_bytes();
  }
  return bytes;
}

std::optional<Offset> BatchList::offset_for_timestamp(std::int64_t timestamp_ms) const {
  for (const Batch& batch : batches_) {
    if (batch.data->max_timestamp_ms < timestamp_ms) continue;
    const std::vector<Record>& records = batch.data->application_records();
    const auto first = std::find_if(records.begin(), records.end(),
                                    [timestamp_ms](const Record& record) { return record.timestamp_ms >= timestamp_ms; });
    return first == records.end() ? batch.base_offset : batch.base_offset + (first - records.begin());
  }
  return std::nullopt;
}

}  // namespace sim::log
