#include "partition/producer_state.h"

#include <algorithm>
#include <limits>

#include "log/partition_log.h"

namespace sim::partition {

namespace {

// DefaultRecordBatch.incrementSequence: after the largest int comes 0.
std::int32_t add_to_sequence(std::int32_t sequence, std::int32_t increment) {
  constexpr std::int32_t kMax = std::numeric_limits<std::int32_t>::max();
  return sequence > kMax - increment ? increment - (kMax - sequence) - 1 : sequence + increment;
}

std::int32_t last_sequence(const BatchData& batch) {
  return add_to_sequence(batch.base_sequence, batch.record_count() - 1);
}
std::int32_t last_sequence(const Batch& batch) {  // compaction may have left fewer
  return add_to_sequence(batch.data->base_sequence, batch.record_count - 1);
}

}  // namespace

const ProducerStates::Entry* ProducerStates::find(ProducerId producer) const {
  const auto it = std::lower_bound(entries_.begin(), entries_.end(), producer,
                                   [](const Entry& entry, ProducerId id) { return entry.producer < id; });
  return it != entries_.end() && it->producer == producer ? &*it : nullptr;
}

ProducerStates::Entry& ProducerStates::find_or_add(ProducerId producer) {
  const auto it = std::lower_bound(entries_.begin(), entries_.end(), producer,
                                   [](const Entry& entry, ProducerId id) { return entry.producer < id; });
  if (it != entries_.end() && it->producer == producer) return *it;
  Entry entry;
  entry.producer = producer;
  return *entries_.insert(it, entry);
}

ProducerStates::Verdict ProducerStates::check(const BatchData& batch) const {
  if (batch.producer_id == kNoProducerId) return {};
  const Entry* entry = find(batch.producer_id);
  if (entry == nullptr) return {};  // nothing known: any sequence is a beginning
  if (batch.producer_epoch == entry->epoch) {
    for (std::size_t i = 0; i < entry->count; ++i) {
      const BatchMetadata& taken = entry->batches[i];
      if (taken.first_sequence == batch.base_sequence && taken.last_sequence == last_sequence(batch)) {
        return Verdict{ErrorCode::none, taken.base_offset};
      }
    }
  }
  if (batch.producer_epoch < entry->epoch) return Verdict{ErrorCode::invalid_producer_epoch, {}};
  const std::int32_t expected = batch.producer_epoch == entry->epoch
                                    ? add_to_sequence(entry->batches[entry->newest].last_sequence, 1)
                                    : 0;
  if (batch.base_sequence != expected) return Verdict{ErrorCode::out_of_order_sequence_number, {}};
  return {};
}

void ProducerStates::note(const Batch& placed) {
  const BatchData& batch = *placed.data;
  if (batch.producer_id == kNoProducerId || batch.control) return;
  Entry& entry = find_or_add(batch.producer_id);
  if (entry.epoch != batch.producer_epoch) {
    entry.epoch = batch.producer_epoch;
    entry.count = 0;
    entry.newest = 0;
  }
  if (entry.count > 0) entry.newest = static_cast<std::uint8_t>((entry.newest + 1u) % kBatchesKept);
  entry.batches[entry.newest] = BatchMetadata{batch.base_sequence, last_sequence(placed), placed.base_offset};
  if (entry.count < kBatchesKept) ++entry.count;
}

bool ProducerStates::is_last(const Batch& batch) const {
  const Entry* entry = find(batch.data->producer_id);
  if (entry == nullptr || entry->epoch != batch.data->producer_epoch) return false;
  return entry->count > 0 && entry->batches[entry->newest].last_sequence == last_sequence(batch);
}

void ProducerStates::rebuild(const log::PartitionLog& log) {
  constexpr std::int64_t kPieceBytes = 1 << 20;
  entries_.clear();
  for (Offset at = log.log_start_offset(); at < log.log_end_offset();) {
    const std::vector<Batch> piece = log.read(at, log.log_end_offset(), kPieceBytes, true);
    if (piece.empty()) break;  // compaction has left nothing up to the end
    for (const Batch& batch : piece) note(batch);
    at = piece.back().end_offset();
  }
}

}  // namespace sim::partition
