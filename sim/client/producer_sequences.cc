#include "client/producer_sequences.h"

#include <algorithm>
#include <limits>
#include <tuple>

#include "base/check.h"

namespace sim::client {

namespace {

// DefaultRecordBatch.incrementSequence: after the largest comes 0.
std::int32_t advance_sequence(std::int32_t sequence, std::int32_t increment) {
  constexpr std::int32_t kMax = std::numeric_limits<std::int32_t>::max();
  if (sequence > kMax - increment) return increment - (kMax - sequence) - 1;
  return sequence + increment;
}

}  // namespace

ProducerSequences::Entry& ProducerSequences::entry(QueueIndex queue) {
  const auto index = static_cast<std::size_t>(queue);
  if (index >= entries_.size()) entries_.resize(index + 1);
  return entries_[index];
}

bool ProducerSequences::prepare(BatchSlab& batches) {
  const bool all_resolvable = unresolved_ == 0 || resolve();
  if (epoch_bump_required_) bump_epoch(batches);
  return all_resolvable;
}

void ProducerSequences::reset() {
  for (Entry& entry : entries_) {
    const bool in_transaction = entry.in_transaction;
    entry = Entry{};
    entry.in_transaction = in_transaction;
  }
  unresolved_ = 0;
}

// maybeResolveSequences: what is still in flight may yet close the gap.
bool ProducerSequences::resolve() {
  bool all_resolvable = true;
  for (Entry& entry : entries_) {
    if (!entry.unresolved || !entry.in_flight.empty()) continue;
    if (!is_next(entry, entry.next_sequence)) {
      if (transactional_) {
        all_resolvable = false;
      } else {
        request_epoch_bump(entry);
      }
    }
    entry.unresolved.reset();
    --unresolved_;
  }
  return all_resolvable;
}

void ProducerSequences::bump_epoch(BatchSlab& batches) {
  if (producer_.epoch.value() == std::numeric_limits<std::int16_t>::max()) {
    producer_ = ProducerIdAndEpoch{};  // exhausted: a new id
  } else {
    producer_.epoch = producer_.epoch.next();
  }
  for (Entry& entry : entries_) {
    if (!entry.renumber) continue;
    entry.renumber = false;
    start_at_beginning(entry, batches);
    if (entry.unresolved) --unresolved_;
    entry.unresolved.reset();
  }
  epoch_bump_required_ = false;
}

void ProducerSequences::request_epoch_bump(Entry& entry) {
  epoch_bump_required_ = true;
  entry.renumber = true;
}

void ProducerSequences::start_at_beginning(Entry& entry, BatchSlab& batches) const {
  std::int32_t sequence = 0;
  for (const BatchRef ref : entry.in_flight) {
    ProducerBatch& batch = batches[ref];
    batch.producer = producer_;
    batch.base_sequence = sequence;
    batch.sequence_reset = true;
    sequence += batch.record_count;
  }
  entry.producer = producer_;
  entry.next_sequence = sequence;
  entry.last_acked_sequence = -1;
}

// RecordAccumulator.shouldStopDrainBatchesForPartition
bool ProducerSequences::must_wait(QueueIndex queue, const ProducerBatch& first, const BatchSlab& batches) {
  if (!producer_.valid()) return true;
  const Entry& state = entry(queue);
  if (transactional_ && !state.in_transaction) return true;  // isSendToPartitionAllowed
  if (!first.has_sequence()) {
    if (!state.in_flight.empty() && state.producer != producer_) return true;
    if (state.unresolved) return true;
  }
  // While a batch is retried it goes alone: those numbered after it would be out of order.
  return !state.in_flight.empty() && first.has_sequence() &&
         first.base_sequence != batches[state.in_flight.front()].base_sequence;
}

void ProducerSequences::assign(BatchRef ref, BatchSlab& batches) {
  ProducerBatch& batch = batches[ref];
  SIM_CHECK(producer_.valid() && !batch.has_sequence(), "a sequence is given once, under a producer id");
  Entry& state = entry(batch.queue);
  if (state.producer != producer_ && state.in_flight.empty()) start_at_beginning(state, batches);
  batch.producer = producer_;
  batch.transactional = transactional_;
  batch.base_sequence = state.next_sequence;
  state.next_sequence = advance_sequence(state.next_sequence, batch.record_count);
  track(ref, batches);
}

void ProducerSequences::track(BatchRef ref, const BatchSlab& batches) {
  const auto before = [&batches](BatchRef a, BatchRef b) {
    return std::tie(batches[a].producer, batches[a].base_sequence) <
           std::tie(batches[b].producer, batches[b].base_sequence);
  };
  std::vector<BatchRef>& in_flight = entry(batches[ref].queue).in_flight;
  in_flight.insert(std::upper_bound(in_flight.begin(), in_flight.end(), ref, before), ref);
}

void ProducerSequences::untrack(BatchRef ref, const BatchSlab& batches) {
  std::vector<BatchRef>& in_flight = entry(batches[ref].queue).in_flight;
  const auto it = std::find(in_flight.begin(), in_flight.end(), ref);
  if (it != in_flight.end()) in_flight.erase(it);
}

void ProducerSequences::completed(BatchRef ref, Offset base_offset, const BatchSlab& batches) {
  const ProducerBatch& batch = batches[ref];
  Entry& state = entry(batch.queue);
  state.last_acked_sequence = std::max(state.last_acked_sequence, batch.last_sequence());
  if (base_offset != kNoOffset) {
    state.last_acked_offset = std::max(state.last_acked_offset, base_offset + batch.record_count - 1);
  }
  untrack(ref, batches);
}

void ProducerSequences::failed(BatchRef ref, ErrorCode error, bool adjust, BatchSlab& batches) {
  untrack(ref, batches);
  Entry& state = entry(batches[ref].queue);
  if (error == ErrorCode::unknown_producer_id) {
    if (state.unresolved) --unresolved_;
    const bool in_transaction = state.in_transaction;
    state = Entry{};
    state.in_transaction = in_transaction;
  } else if (transactional_) {
    if (adjust && batches[ref].has_sequence()) close_gap(state, batches[ref], batches);
  } else if (adjust || error == ErrorCode::out_of_order_sequence_number) {
    request_epoch_bump(state);
  }
}

// TxnPartitionEntry.adjustSequencesDueToFailedBatch: what is behind it takes its place.
void ProducerSequences::close_gap(Entry& state, const ProducerBatch& failed, BatchSlab& batches) const {
  state.next_sequence -= failed.record_count;
  for (const BatchRef ref : state.in_flight) {
    ProducerBatch& batch = batches[ref];
    if (batch.base_sequence < failed.base_sequence) continue;
    batch.producer = producer_;
    batch.base_sequence -= failed.record_count;
    batch.sequence_reset = true;
  }
}

void ProducerSequences::mark_unresolved(const ProducerBatch& batch) {
  Entry& state = entry(batch.queue);
  if (!state.unresolved) ++unresolved_;
  state.unresolved = std::max(state.unresolved.value_or(0), batch.last_sequence() + 1);
}

// TransactionManager.canRetry
bool ProducerSequences::can_retry(const ProducerBatch& batch, const ProduceResponse::Partition& answer,
                                  BatchSlab& batches) {
  Entry& state = entry(batch.queue);
  if (answer.error == ErrorCode::unknown_producer_id) {
    if (answer.log_start_offset == kNoOffset || batch.sequence_reset) return true;
    if (!transactional_) {
      request_epoch_bump(state);
      return true;
    }
    // The log was truncated by retention past our last record: then nothing was lost, and the transaction
    // goes on from sequence 0. Otherwise the batch fails, and the transaction with it.
    if (state.last_acked_offset >= answer.log_start_offset) return false;
    start_at_beginning(state, batches);
    return true;
  }
  if (answer.error == ErrorCode::out_of_order_sequence_number) {
    // A batch before it failed or is on its way again: it will be this one's turn.
    if (!state.unresolved && (batch.sequence_reset || !is_next(state, batch.base_sequence))) return true;
    if (transactional_) return false;
    if (!state.unresolved || batch.base_sequence == *state.unresolved) request_epoch_bump(state);
    return true;
  }
  return is_retriable(answer.error);
}

}  // namespace sim::client
