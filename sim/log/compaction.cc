#include "log/compaction.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/overloaded.h"
#include "protocol/batch_builder.h"

namespace sim::log {
namespace {

constexpr std::int64_t kAll = std::numeric_limits<std::int64_t>::max();

// What a record is about.
struct Key {
  std::int32_t group = -1;  // see Keys
  std::int32_t topic = -1;
  std::int32_t partition = -1;
  std::int64_t number = -1;
  bool operator==(const Key&) const = default;
};
struct KeyHash {
  std::size_t operator()(const Key& key) const {
    std::size_t hash = 0;
    for (const std::int64_t part :
         {std::int64_t{key.group}, std::int64_t{key.topic}, std::int64_t{key.partition}, key.number}) {
      hash = hash * 1'000'003 + static_cast<std::size_t>(part);
    }
    return hash;
  }
};
using LastOffsets = std::unordered_map<Key, Offset, KeyHash>;  // for look-up only

class Keys {
 public:
  std::optional<Key> of(const Record& record) {
    if (record.key_bytes < 0) return std::nullopt;
    return Key{-1, -1, -1, record.key};
  }
  std::optional<Key> of(const CoordinatorRecord& record) {
    return std::visit(Overloaded{
                          [this](const OffsetCommitRecord& one) {
                            return Key{number_of(one.group), one.tp.topic.value(), one.tp.partition, -1};
                          },
                          [this](const GroupMetadataRecord& one) {
                            return Key{number_of(one.group), -1, -1, -1};
                          },
                          [this](const ConsumerGroupRecord& one) {
                            const auto kind = static_cast<std::int32_t>(one.kind);
                            return Key{number_of(one.group), -2 - kind, number_of(one.key), -1};
                          },
                      },
                      record);
  }
  std::optional<Key> of(const MetadataRecord&) { return std::nullopt; }
  std::optional<Key> of(const ControlRecord&) { return std::nullopt; }
  std::optional<Key> of(const TransactionLogRecord& record) {
    return Key{number_of(record.transactional_id), -1, -1, -1};
  }

 private:
  std::int32_t number_of(const std::string& group) {
    return groups_.try_emplace(group, static_cast<std::int32_t>(groups_.size())).first->second;
  }
  std::unordered_map<std::string, std::int32_t> groups_;  // for look-up only
};

bool is_tombstone(const Record& record) {
  return record.value_bytes < 0;
}
bool is_tombstone(const CoordinatorRecord& record) {
  return std::visit(Overloaded{
                        [](const OffsetCommitRecord& one) { return one.offset == kNoOffset; },
                        [](const GroupMetadataRecord& one) { return one.tombstone; },
                        [](const ConsumerGroupRecord& one) { return one.value == nullptr; },
                    },
                    record);
}
bool is_tombstone(const MetadataRecord&) {
  return false;
}
bool is_tombstone(const ControlRecord&) {
  return false;
}
bool is_tombstone(const TransactionLogRecord& record) {
  return record.tombstone;
}

std::int32_t size_in_batch(const Record& record, std::int32_t delta, std::int64_t base_timestamp_ms) {
  return record_size(record.key_bytes, record.value_bytes, delta, record.timestamp_ms - base_timestamp_ms);
}
template <class Internal>
std::int32_t size_in_batch(const Internal& record, std::int32_t delta, std::int64_t) {
  return record_size(record, delta);
}

std::int64_t timestamp_of(const Record& record, std::int64_t) {
  return record.timestamp_ms;
}
template <class Internal>
std::int64_t timestamp_of(const Internal&, std::int64_t of_batch_ms) {
  return of_batch_ms;
}

// Piece by piece, as a long log takes far less memory sealed than read.
template <class Visit>
void for_each_batch(const PartitionLog& log, Offset from, Offset end, const Visit& visit) {
  constexpr std::int64_t kPieceBytes = 1 << 20;
  while (from < end) {
    const std::vector<Batch> piece = log.read(from, end, kPieceBytes, true);
    if (piece.empty()) return;
    for (const Batch& batch : piece) visit(batch);
    from = piece.back().end_offset();
  }
}

LastOffsets last_offsets(const PartitionLog& log, const CleanableLog& what, Keys& keys,
                         const IsAborted& is_aborted) {
  LastOffsets last;
  for_each_batch(log, what.first_dirty, what.end, [&](const Batch& batch) {
    if (batch.data->control || (batch.data->transactional && is_aborted && is_aborted(batch))) return;
    std::visit(
        [&](const auto& records) {
          for (std::size_t i = 0; i < records.size(); ++i) {
            if (const auto key = keys.of(records[i]))
              last[*key] = batch.base_offset + batch.data->offset_delta(i);
          }
        },
        batch.data->records);
  });
  return last;
}

// Goes through batches and keeps what must stay (Cleaner.cleanInto, MemoryRecords.filterTo).
class Filter {
 public:
  Filter(const LastOffsets& last, Keys& keys, const IsAborted& is_aborted, std::int64_t now_ms,
         std::int64_t delete_retention_ms)
      : last_(last),
        keys_(keys),
        is_aborted_(is_aborted),
        now_ms_(now_ms),
        delete_horizon_ms_(delete_retention_ms > kAll - std::max<std::int64_t>(now_ms, 0)
                               ? kAll
                               : now_ms + delete_retention_ms) {}

  // What is left of a batch: itself, less, or nothing. `must_stay`: an empty batch, then.
  std::optional<Batch> filtered(const Batch& batch, bool must_stay) const {
    if (batch.data->control) return batch;
    return std::visit([&](const auto& records) { return filtered(batch, records, must_stay); },
                      batch.data->records);
  }

 private:
  template <class R>
  bool stays(const Batch& batch, const R& record, Offset offset) const {
    const auto key = keys_.of(record);
    if (!key) return false;
    const auto found = last_.find(*key);
    if (found != last_.end() && found->second > offset) return false;
    if (!is_tombstone(record) || !batch.data->compacted) return true;
    return now_ms_ < batch.data->compacted->delete_horizon_ms.value_or(kAll);
  }

  template <class R>
  std::optional<Batch> filtered(const Batch& batch, const std::vector<R>& records, bool must_stay) const {
    std::vector<R> left;
    Compacted compacted;
    bool tombstones = false;
    const bool is_aborted = batch.data->transactional && is_aborted_ && is_aborted_(batch);
    for (std::size_t i = 0; i < records.size() && !is_aborted; ++i) {
      const std::int32_t delta = batch.data->offset_delta(i);
      if (!stays(batch, records[i], batch.base_offset + delta)) continue;
      tombstones = tombstones || is_tombstone(records[i]);
      left.push_back(records[i]);
      compacted.offset_deltas.push_back(delta);
    }
    if (left.empty() && !must_stay) return std::nullopt;
    // A batch without records has no horizon either.
    if (batch.data->compacted && !left.empty())
      compacted.delete_horizon_ms = batch.data->compacted->delete_horizon_ms;
    const bool notes_horizon = tombstones && !compacted.delete_horizon_ms;
    if (notes_horizon) compacted.delete_horizon_ms = delete_horizon_ms_;
    if (left.size() == records.size() && !notes_horizon && !left.empty()) return batch;
    return rebuilt(batch, std::move(left), std::move(compacted));
  }

  // Of its records section, before compression.
  template <class R>
  static std::int64_t uncompressed_bytes(const BatchData& data) {
    const auto& records = std::get<std::vector<R>>(data.records);
    std::int64_t bytes = 0;
    for (std::size_t i = 0; i < records.size(); ++i)
      bytes += size_in_batch(records[i], data.offset_delta(i), data.base_timestamp_ms);
    return bytes;
  }

  template <class R>
  static Batch rebuilt(const Batch& batch, std::vector<R> left, Compacted compacted) {
    auto data = std::make_shared<BatchData>(*batch.data);
    // The horizon stands where the base time stamp does, and records are told from there
    // (DefaultRecordBatch.deleteHorizonMs).
    if (compacted.delete_horizon_ms) {
      data->base_timestamp_ms = *compacted.delete_horizon_ms;
    } else if (!left.empty()) {
      data->base_timestamp_ms = timestamp_of(left.front(), data->base_timestamp_ms);
    }
    std::int64_t bytes = 0;
    std::int64_t latest_ms = std::numeric_limits<std::int64_t>::min();
    for (std::size_t i = 0; i < left.size(); ++i) {
      bytes += size_in_batch(left[i], compacted.offset_deltas[i], data->base_timestamp_ms);
      latest_ms = std::max(latest_ms, timestamp_of(left[i], data->max_timestamp_ms));
    }
    if (!left.empty()) data->max_timestamp_ms = latest_ms;
    // A compressed batch shrinks in proportion.
    const std::int64_t bytes_before = uncompressed_bytes<R>(*batch.data);
    const std::int64_t stored_before = batch.data->size_bytes - kBatchHeaderBytes;
    if (stored_before < bytes_before)
      bytes = static_cast<std::int64_t>((static_cast<int128>(bytes) * stored_before + bytes_before - 1) /
                                        bytes_before);
    data->size_bytes = static_cast<std::int32_t>(kBatchHeaderBytes + bytes);
    data->records = std::move(left);
    data->compacted = std::make_shared<const Compacted>(std::move(compacted));
    return Batch{batch.base_offset, batch.leader_epoch, batch.record_count, std::move(data)};
  }

  const LastOffsets& last_;
  Keys& keys_;
  const IsAborted& is_aborted_;
  std::int64_t now_ms_;
  std::int64_t delete_horizon_ms_;
};

std::int64_t size_between(const std::vector<Segment>& segments, Offset from, Offset end) {
  std::int64_t bytes = 0;
  for (const Segment& segment : segments) {
    if (segment.base_offset >= from && segment.base_offset < end) bytes += segment.bytes;
  }
  return bytes;
}

}  // namespace

// LogCleanerManager.cleanableOffsets
CleanableLog cleanable(const PartitionLog& log, Offset last_stable_offset, const CompactionLimits& limits,
                       std::int64_t now_ms) {
  const std::vector<Segment>& segments = log.segments();
  CleanableLog result;
  result.first_dirty = std::max(log.cleaned_to(), segments.front().base_offset);
  result.end = result.first_dirty;
  bool may_go_on = true;
  for (std::size_t i = 0; i + 1 < segments.size(); ++i) {  // the active one stays as it is
    if (segments[i].base_offset < result.first_dirty) continue;
    // LogCleanerManager.maxCompactionDelay: whether or not it may be cleaned
    const std::int64_t age_ms = now_ms - segments[i].first_timestamp_ms;
    result.overdue = result.overdue || (!segments[i].empty() && age_ms > limits.max_lag_ms);
    const bool too_young =
        limits.min_lag_ms > 0 && now_ms - segments[i].largest_timestamp_ms < limits.min_lag_ms;
    may_go_on = may_go_on && !too_young && segments[i + 1].base_offset <= last_stable_offset;
    if (may_go_on) result.end = segments[i + 1].base_offset;
  }
  result.clean_bytes = size_between(segments, 0, result.first_dirty);
  result.dirty_bytes = size_between(segments, result.first_dirty, result.end);
  return result;
}

CleanedLog clean(const PartitionLog& log, const CleanableLog& what, const CompactionLimits& limits,
                 std::int64_t now_ms, const IsLastOfProducer& is_last_of_producer,
                 const IsAborted& is_aborted) {
  Keys keys;
  const LastOffsets last = last_offsets(log, what, keys, is_aborted);
  const Filter filter(last, keys, is_aborted, now_ms, limits.delete_retention_ms);
  CleanedLog result;
  result.end = what.end;
  // Segments are gathered as long as what they hold now fits into one (groupSegmentsBySize).
  std::int64_t group_bytes = 0;
  auto segment = log.segments().begin();
  for_each_batch(log, log.log_start_offset(), what.end, [&](const Batch& batch) {
    for (; (segment + 1)->base_offset <= batch.base_offset; ++segment) {
      group_bytes += segment->bytes;
      if (group_bytes + (segment + 1)->bytes <= limits.segment_bytes) continue;
      group_bytes = 0;
      result.bases.push_back((segment + 1)->base_offset);
    }
    result.bytes_before += batch.size_bytes();
    const bool producers_last = batch.data->producer_id != kNoProducerId && is_last_of_producer(batch);
    std::optional<Batch> left = filter.filtered(batch, producers_last || batch.end_offset() == what.end);
    if (!left) return;
    result.bytes_after += left->size_bytes();
    result.batches.push_back(std::move(*left));
  });
  return result;
}

}  // namespace sim::log
