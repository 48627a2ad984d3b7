#include "log/batch_list.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "base/check.h"

namespace sim::log {
namespace {

// Enough for replication and for consumers that keep up; a chunk is what a reader far behind must go through
// to find its place.
constexpr std::size_t kNewestBatches = 256;
constexpr std::size_t kBatchesPerChunk = 128;

// Takes batches until one more would be too many bytes, or would end beyond `end`.
class Limits {
 public:
  Limits(Offset end, std::int64_t max_bytes, bool at_least_one)
      : end_(end), left_(max_bytes), at_least_one_(at_least_one) {}

  bool admit(Offset batch_end, std::int64_t size_bytes) {
    full_ = full_ || batch_end > end_ || (size_bytes > left_ && !at_least_one_);
    left_ -= size_bytes;
    at_least_one_ = false;
    return !full_;
  }
  bool full() const { return full_; }

 private:
  Offset end_;
  std::int64_t left_;
  bool at_least_one_;
  bool full_ = false;
};

std::optional<Offset> offset_in(const Batch& batch, std::int64_t timestamp_ms) {
  if (batch.data->max_timestamp_ms < timestamp_ms) return std::nullopt;
  const std::vector<Record>& records = batch.data->application_records();
  const auto first = std::find_if(records.begin(), records.end(), [timestamp_ms](const Record& record) {
    return record.timestamp_ms >= timestamp_ms;
  });
  if (first == records.end()) return batch.base_offset;
  return batch.base_offset + batch.data->offset_delta(static_cast<std::size_t>(first - records.begin()));
}

}  // namespace

std::size_t BatchList::sealed_memory_bytes() const {
  std::size_t bytes = sealed_.capacity() * sizeof(SealedChunkPtr);
  for (const SealedChunkPtr& chunk : sealed_) bytes += chunk->memory_bytes();
  return bytes;
}

// ---- Changing

void BatchList::append(Batch batch) {
  SIM_CHECK(empty() || batch.base_offset >= end_offset(), "batches are appended in order of offset");
  size_bytes_ += batch.size_bytes();
  newest_.push_back(std::move(batch));
  if (newest_.size() >= kNewestBatches + kBatchesPerChunk) seal_oldest();
}

void BatchList::seal_oldest() {
  std::array<Batch, kBatchesPerChunk> oldest;
  std::move(newest_.begin(), newest_.begin() + kBatchesPerChunk, oldest.begin());
  newest_.erase(newest_.begin(), newest_.begin() + kBatchesPerChunk);
  add_sealed(SealedChunk::seal(oldest.data(), oldest.data() + oldest.size()), sealed_.end());
}

void BatchList::add_sealed(SealedChunkPtr chunk, Sealed::const_iterator where) {
  sealed_batches_ += chunk->size();
  sealed_.insert(where, std::move(chunk));
}

void BatchList::remove_sealed(Sealed::const_iterator first, Sealed::const_iterator last) {
  for (auto it = first; it != last; ++it) sealed_batches_ -= (*it)->size();
  sealed_.erase(first, last);
}

void BatchList::truncate_to(Offset end) {
  const auto pop = [this](Offset above) {
    while (!newest_.empty() && newest_.back().end_offset() > above) {
      size_bytes_ -= newest_.back().size_bytes();
      newest_.pop_back();
    }
  };
  pop(end);
  // What survives of the chunk in which the cut lies is the newest there is.
  const auto cut = std::partition_point(sealed_.cbegin(), sealed_.cend(), [end](const SealedChunkPtr& chunk) {
    return chunk->end_offset() <= end;
  });
  if (cut == sealed_.cend()) return;
  for (auto it = cut; it != sealed_.cend(); ++it) size_bytes_ -= (*it)->size_bytes();
  const SealedChunkPtr astride = *cut;
  remove_sealed(cut, sealed_.cend());
  if (astride->start_offset() >= end) return;
  for (Batch& batch : astride->unseal()) {
    if (batch.end_offset() > end) break;
    size_bytes_ += batch.size_bytes();
    newest_.push_back(std::move(batch));
  }
}

void BatchList::drop_before(Offset start) {
  const auto kept = find_sealed(start);
  for (auto it = sealed_.cbegin(); it != kept; ++it) size_bytes_ -= (*it)->size_bytes();
  remove_sealed(sealed_.cbegin(), kept);
  if (sealed_.empty()) {
    while (!newest_.empty() && newest_.front().end_offset() <= start) {
      size_bytes_ -= newest_.front().size_bytes();
      newest_.pop_front();
    }
  } else if (sealed_.front()->start_offset() < start) {
    const std::vector<Batch> batches = sealed_.front()->unseal();
    const auto first = std::find_if(batches.begin(), batches.end(),
                                    [start](const Batch& batch) { return batch.end_offset() > start; });
    if (first == batches.begin()) return;
    for (auto it = batches.begin(); it != first; ++it) size_bytes_ -= it->size_bytes();
    remove_sealed(sealed_.cbegin(), sealed_.cbegin() + 1);
    add_sealed(SealedChunk::seal(&*first, batches.data() + batches.size()), sealed_.cbegin());
  }
}

void BatchList::replace_before(Offset end, const std::vector<Batch>& with) {
  BatchList old = std::move(*this);
  old.drop_before(end);
  *this = BatchList();
  for (const Batch& batch : with) append(batch);
  for (const SealedChunkPtr& chunk : old.sealed_) {
    for (Batch& batch : chunk->unseal()) append(std::move(batch));
  }
  for (Batch& batch : old.newest_) append(std::move(batch));
}

// ---- Reading

BatchList::Sealed::const_iterator BatchList::find_sealed(Offset offset) const {
  if (sealed_.empty() || sealed_.back()->end_offset() <= offset) return sealed_.end();  // as for most readers
  return std::partition_point(sealed_.begin(), sealed_.end(), [offset](const SealedChunkPtr& chunk) {
    return chunk->end_offset() <= offset;
  });
}

std::deque<Batch>::const_iterator BatchList::find_newest(Offset offset) const {
  // What is read lies near the end, as a rule.
  constexpr int kNear = 4;
  auto last = newest_.end();
  for (int i = 0; i < kNear && last != newest_.begin(); ++i, --last) {
    if (std::prev(last)->end_offset() <= offset) return last;
  }
  return std::partition_point(newest_.begin(), last,
                              [offset](const Batch& batch) { return batch.end_offset() <= offset; });
}

std::vector<Batch> BatchList::read(Offset from, Offset end, std::int64_t max_bytes, bool at_least_one) const {
  std::vector<Batch> result;
  Limits limits(end, max_bytes, at_least_one);
  for (auto chunk = find_sealed(from); chunk != sealed_.end() && !limits.full(); ++chunk) {
    for (SealedReader reader(**chunk); !reader.done() && !limits.full();) {
      if (reader.head().end_offset <= from) {
        reader.skip();
      } else if (limits.admit(reader.head().end_offset, reader.head().size_bytes)) {
        result.push_back(reader.take());
      }
    }
  }
  const auto first_newest = find_newest(from);
  constexpr std::ptrdiff_t kFew = 8;
  if (result.empty() && first_newest != newest_.end())
    result.reserve(static_cast<std::size_t>(std::min(kFew, newest_.end() - first_newest)));
  for (auto batch = first_newest; batch != newest_.end(); ++batch) {
    if (limits.full() || !limits.admit(batch->end_offset(), batch->size_bytes())) break;
    result.push_back(*batch);
  }
  return result;
}

std::int64_t BatchList::bytes_between(Offset from, Offset end, std::int64_t at_most) const {
  std::int64_t bytes = 0;
  for (auto chunk = find_sealed(from); chunk != sealed_.end() && bytes < at_most; ++chunk) {
    if ((*chunk)->start_offset() >= from && (*chunk)->end_offset() <= end) {
      bytes += (*chunk)->size_bytes();
      continue;
    }
    for (SealedReader reader(**chunk); !reader.done(); reader.skip()) {
      if (reader.head().end_offset > end) return bytes;
      if (reader.head().end_offset > from) bytes += reader.head().size_bytes;
    }
  }
  for (auto batch = find_newest(from); batch != newest_.end() && bytes < at_most; ++batch) {
    if (batch->end_offset() > end) break;
    bytes += batch->size_bytes();
  }
  return bytes;
}

std::optional<Offset> BatchList::offset_for_timestamp(std::int64_t timestamp_ms) const {
  for (const SealedChunkPtr& chunk : sealed_) {
    if (chunk->max_timestamp_ms() < timestamp_ms) continue;
    for (SealedReader reader(*chunk); !reader.done();) {
      if (const auto offset = offset_in(reader.take(), timestamp_ms)) return offset;
    }
  }
  for (const Batch& batch : newest_) {
    if (const auto offset = offset_in(batch, timestamp_ms)) return offset;
  }
  return std::nullopt;
}

}  // namespace sim::log
