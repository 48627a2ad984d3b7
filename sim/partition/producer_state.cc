#include "partition/producer_state.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "log/partition_log.h"

namespace sim::partition {

namespace {

constexpr std::int32_t kNoSequence = -1;  // of what coordinators write

// DefaultRecordBatch.incrementSequence: after the largest int comes 0.
std::int32_t add_to_sequence(std::int32_t sequence, std::int32_t increment) {
  constexpr std::int32_t kMax = std::numeric_limits<std::int32_t>::max();
  return sequence > kMax - increment ? increment - (kMax - sequence) - 1 : sequence + increment;
}

std::int32_t last_sequence_of(std::int32_t base_sequence, std::int32_t records) {
  return base_sequence == kNoSequence ? kNoSequence : add_to_sequence(base_sequence, records - 1);
}
std::int32_t last_sequence(const BatchData& batch) {
  return last_sequence_of(batch.base_sequence, batch.record_count());
}
std::int32_t last_sequence(const Batch& batch) {  // compaction may have left fewer
  return last_sequence_of(batch.data->base_sequence, batch.record_count);
}

// Of a sorted list, where the producer stands or would stand.
template <class List>
auto place_of(List& list, ProducerId producer) {
  return std::lower_bound(list.begin(), list.end(), producer,
                          [](const auto& one, ProducerId id) { return one.producer < id; });
}

}  // namespace

const ProducerStates::Entry* ProducerStates::find(ProducerId producer) const {
  const auto it = place_of(entries_, producer);
  return it != entries_.end() && it->producer == producer ? &*it : nullptr;
}

ProducerStates::Entry& ProducerStates::find_or_add(ProducerId producer) {
  const auto it = place_of(entries_, producer);
  if (it != entries_.end() && it->producer == producer) return *it;
  Entry entry;
  entry.producer = producer;
  return *entries_.insert(it, entry);
}

const ProducerStates::VerificationState* ProducerStates::find_verification(ProducerId producer) const {
  const auto it = place_of(verifications_, producer);
  return it != verifications_.end() && it->producer == producer ? &*it : nullptr;
}

ProducerEpoch ProducerStates::epoch_of(ProducerId producer) const {
  const Entry* entry = find(producer);
  return entry == nullptr ? kNoProducerEpoch : entry->epoch;
}

bool ProducerStates::has_ongoing_transaction(ProducerId producer, ProducerEpoch epoch) const {
  const Entry* entry = find(producer);
  return entry != nullptr && entry->is_open() && entry->epoch == epoch;
}

// ---- Checking (UnifiedLog.analyzeAndValidateProducerState, ProducerAppendInfo)

ProducerStates::Verdict ProducerStates::check(const BatchData& batch, const Append& append,
                                              const AppendRules& rules) const {
  if (batch.producer_id == kNoProducerId) return {};
  const Entry* entry = find(batch.producer_id);
  const bool is_clients = append.origin == AppendOrigin::client;
  if (is_clients && entry != nullptr && batch.producer_epoch == entry->epoch) {
    for (std::size_t i = 0; i < entry->count; ++i) {
      const BatchMetadata& taken = entry->batches[i];
      if (taken.first_sequence == batch.base_sequence && taken.last_sequence == last_sequence(batch)) {
        return Verdict{ErrorCode::none, taken.base_offset};
      }
    }
  }
  if (batch.control) return Verdict{check_marker(batch, entry, append, rules), {}};
  if (entry != nullptr && batch.producer_epoch < entry->epoch)
    return Verdict{ErrorCode::invalid_producer_epoch, {}};
  const bool is_open = entry != nullptr && entry->is_open();
  if (batch.transactional && rules.verifies_transactions &&
      !(is_open && entry->epoch == batch.producer_epoch)) {
    const VerificationState* verification = find_verification(batch.producer_id);
    const bool is_verified =
        append.guard != kNoGuard && verification != nullptr && verification->guard == append.guard;
    if (!is_verified) return Verdict{ErrorCode::invalid_txn_state, {}};
  }
  if (is_clients) {
    if (const ErrorCode error = check_sequence(batch, entry); error != ErrorCode::none)
      return Verdict{error, {}};
  }
  if (is_open && !batch.transactional) return Verdict{ErrorCode::invalid_txn_state, {}};
  return {};
}

ErrorCode ProducerStates::check_marker(const BatchData& batch, const Entry* entry, const Append& append,
                                       const AppendRules& rules) const {
  const EndTransactionMarker* marker = batch.end_transaction_marker();
  if (entry == nullptr || marker == nullptr || !rules.refuses_late_markers) return ErrorCode::none;
  if (batch.producer_epoch < entry->epoch) return ErrorCode::invalid_producer_epoch;
  // KIP-1228: where each completion bumps the epoch, a marker of the very epoch in which data is being
  // written is of an earlier transaction.
  const bool bumps_epoch = append.marker_version >= kTransactionVersion2 && rules.checks_marker_version;
  if (bumps_epoch && entry->is_open() && batch.producer_epoch == entry->epoch)
    return ErrorCode::invalid_producer_epoch;
  if (marker->coordinator_epoch < entry->coordinator_epoch) return ErrorCode::transaction_coordinator_fenced;
  return ErrorCode::none;
}

// ProducerAppendInfo.checkSequence. REQUIRES: the epoch is not older than the entry's
ErrorCode ProducerStates::check_sequence(const BatchData& batch, const Entry* entry) const {
  constexpr ErrorCode kOutOfOrder = ErrorCode::out_of_order_sequence_number;
  const std::int32_t first = batch.base_sequence;
  if (const VerificationState* verification = find_verification(batch.producer_id)) {
    const bool has_no_batches = entry == nullptr || entry->count == 0;
    if (verification->adds_partition && first != 0 && has_no_batches) return kOutOfOrder;
    if (first > verification->lowest_sequence) return kOutOfOrder;
  }
  if (entry == nullptr) return ErrorCode::none;  // nothing known: any sequence is a beginning
  const std::int32_t expected =
      batch.producer_epoch == entry->epoch ? add_to_sequence(entry->last_sequence(), 1) : 0;
  return first == expected ? ErrorCode::none : kOutOfOrder;
}

ProducerStates::Verification ProducerStates::start_verification(ProducerId producer, ProducerEpoch epoch,
                                                                std::int32_t sequence, bool adds_partition,
                                                                std::int64_t now_ms) {
  const Entry* entry = find(producer);
  if (entry != nullptr && epoch < entry->epoch) return {ErrorCode::invalid_producer_epoch, kNoGuard};
  if (has_ongoing_transaction(producer, epoch)) return {};
  auto it = place_of(verifications_, producer);
  if (it == verifications_.end() || it->producer != producer) {
    it = verifications_.insert(
        it, VerificationState{producer, now_ms, next_guard_++, sequence, epoch, adds_partition});
  }
  if (epoch == it->epoch) it->lowest_sequence = std::min(it->lowest_sequence, sequence);
  if (epoch > it->epoch) {
    it->epoch = epoch;
    it->lowest_sequence = sequence;
  }
  return {ErrorCode::none, it->guard};
}

// ---- Noting

void ProducerStates::enter_epoch(Entry& entry, ProducerEpoch epoch) {
  if (entry.epoch == epoch) return;
  entry.epoch = epoch;
  entry.batches = {};
  entry.count = 0;
  entry.newest = 0;
}

void ProducerStates::note(const Batch& placed) {
  const BatchData& batch = *placed.data;
  if (batch.producer_id == kNoProducerId) return;
  if (batch.control) {
    if (const EndTransactionMarker* marker = batch.end_transaction_marker()) note_marker(placed, *marker);
    return;
  }
  Entry& entry = find_or_add(batch.producer_id);
  enter_epoch(entry, batch.producer_epoch);
  if (entry.count > 0) entry.newest = static_cast<std::uint8_t>((entry.newest + 1u) % kBatchesKept);
  entry.batches[entry.newest] = BatchMetadata{batch.base_sequence, last_sequence(placed), placed.base_offset};
  if (entry.count < kBatchesKept) ++entry.count;
  entry.last_timestamp_ms = batch.max_timestamp_ms;
  if (!batch.transactional) return;
  end_verification(batch);
  if (entry.is_open()) return;
  entry.transaction_first_offset = placed.base_offset;
  ongoing_.push_back(OngoingTransaction{batch.producer_id, placed.base_offset});
  update_first_unstable();
}

void ProducerStates::note_marker(const Batch& placed, const EndTransactionMarker& marker) {
  const BatchData& batch = *placed.data;
  Entry& entry = find_or_add(batch.producer_id);
  enter_epoch(entry, batch.producer_epoch);
  entry.coordinator_epoch = marker.coordinator_epoch;
  entry.last_timestamp_ms = batch.max_timestamp_ms;
  end_verification(batch);
  if (!entry.is_open()) return;  // nothing of it was written here
  const Offset first_offset = std::exchange(entry.transaction_first_offset, kNoOffset);
  std::erase_if(ongoing_, [&](const OngoingTransaction& one) { return one.first_offset == first_offset; });
  const Offset last_offset = placed.base_offset;
  if (!marker.committed) {
    const Offset stable = ongoing_.empty() ? last_offset + 1 : ongoing_.front().first_offset;
    aborted_.push_back(AbortedTransaction{batch.producer_id, first_offset, last_offset, stable});
  }
  unreplicated_.push_back(CompletedTransaction{first_offset, last_offset});
  update_first_unstable();
}

// Whether data was written or the transaction is over, the question is settled. But for a marker that ends
// the transaction before, while the next one, of the bumped epoch, is being verified already.
void ProducerStates::end_verification(const BatchData& batch) {
  const auto it = place_of(verifications_, batch.producer_id);
  if (it == verifications_.end() || it->producer != batch.producer_id) return;
  const bool is_of_next = it->adds_partition && batch.control && batch.producer_epoch == it->epoch;
  if (!is_of_next) verifications_.erase(it);
}

bool ProducerStates::is_last(const Batch& batch) const {
  const Entry* entry = find(batch.data->producer_id);
  if (entry == nullptr || entry->epoch != batch.data->producer_epoch) return false;
  return entry->count > 0 && entry->last_sequence() == last_sequence(batch);
}

void ProducerStates::rebuild(const log::PartitionLog& log, Offset high_watermark) {
  constexpr std::int64_t kPieceBytes = 1 << 20;
  entries_.clear();
  ongoing_.clear();
  unreplicated_.clear();
  aborted_.clear();
  first_unstable_ = kNoOffset;
  for (Offset at = log.log_start_offset(); at < log.log_end_offset();) {
    const std::vector<Batch> piece = log.read(at, log.log_end_offset(), kPieceBytes, true);
    if (piece.empty()) break;  // compaction has left nothing up to the end
    for (const Batch& batch : piece) note(batch);
    high_watermark_advanced(high_watermark);
    at = piece.back().end_offset();
  }
}

bool ProducerStates::remove_expired(std::int64_t now_ms, std::int64_t expiration_ms) {
  std::erase_if(entries_, [=](const Entry& entry) {
    return !entry.is_open() && now_ms - entry.last_timestamp_ms >= expiration_ms;
  });
  std::erase_if(verifications_,
                [=](const VerificationState& one) { return now_ms - one.timestamp_ms >= expiration_ms; });
  return !entries_.empty() || !verifications_.empty();
}

// ---- Transactions

void ProducerStates::update_first_unstable() {
  first_unstable_ = ongoing_.empty() ? kNoOffset : ongoing_.front().first_offset;
  for (const CompletedTransaction& one : unreplicated_) {
    if (first_unstable_ == kNoOffset || one.first_offset < first_unstable_)
      first_unstable_ = one.first_offset;
  }
}

void ProducerStates::remove_replicated(Offset high_watermark) {
  const std::size_t before = unreplicated_.size();
  std::erase_if(unreplicated_,
                [=](const CompletedTransaction& one) { return one.last_offset < high_watermark; });
  if (unreplicated_.size() != before) update_first_unstable();
}

// What the log no longer holds is stable and of no interest
// (ProducerStateManager.onLogStartOffsetIncremented; the index of a segment goes with it).
void ProducerStates::log_start_raised(Offset start) {
  remove_replicated(start);
  std::erase_if(aborted_, [=](const AbortedTransaction& one) { return one.last_offset < start; });
}

bool ProducerStates::is_aborted(const Batch& batch) const {
  const auto it = std::find_if(aborted_.begin(), aborted_.end(), [&](const AbortedTransaction& one) {
    return one.producer == batch.data->producer_id && one.last_offset >= batch.base_offset;
  });
  return it != aborted_.end() && it->first_offset <= batch.base_offset;
}

// TransactionIndex.collectAbortedTxns
std::vector<FetchResponse::AbortedTransaction> ProducerStates::aborted_between(Offset from, Offset to) const {
  std::vector<FetchResponse::AbortedTransaction> result;
  auto it = std::lower_bound(aborted_.begin(), aborted_.end(), from,
                             [](const AbortedTransaction& one, Offset at) { return one.last_offset < at; });
  for (; it != aborted_.end(); ++it) {
    if (it->first_offset < to) result.push_back({it->producer, it->first_offset});
    if (it->last_stable_offset >= to) break;
  }
  return result;
}

}  // namespace sim::partition
