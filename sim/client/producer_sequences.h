#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "client/producer_batch.h"
#include "protocol/messages.h"

// The idempotent half of Kafka's TransactionManager: producer id and epoch, the sequence number of each
// partition, and what to do when a gap in them can no longer be closed (KIP-98, KIP-360). A transactional
// producer does not bump its epoch by itself: a gap aborts its transaction.
//
// Batches are "in flight" here from the moment they got a sequence until their fate is known, also while
// they wait for a retry. A batch that was given up after a retry leaves its sequence unresolved: no new one
// is given out in that partition until the rest came back, and if a gap remains, the epoch is bumped and the
// partition's batches are numbered from 0 again.
namespace sim::client {

class ProducerSequences {
 public:
  const ProducerIdAndEpoch& producer() const { return producer_; }
  void set_producer(ProducerIdAndEpoch producer) { producer_ = producer; }

  void make_transactional() { transactional_ = true; }
  // A partition is, or is no longer, part of the open transaction: no other gets a batch.
  void allow(QueueIndex queue) { entry(queue).in_transaction = true; }
  void forbid(QueueIndex queue) { entry(queue).in_transaction = false; }
  // Every partition begins at sequence 0 under the producer id and epoch that were just set. REQUIRES:
  // nothing is in flight
  void reset();

  // What is due before anything is sent: resolve gaps, bump the epoch. Afterwards producer() is invalid if a
  // new id is needed. False: a gap of a transactional producer cannot be closed any more.
  [[nodiscard]] bool prepare(BatchSlab& batches);

  // True if this batch, the first of its queue, has to wait for others of its partition.
  bool must_wait(QueueIndex queue, const ProducerBatch& first, const BatchSlab& batches);
  // Gives the batch the next sequence. REQUIRES: producer().valid(), !batch.has_sequence()
  void assign(BatchRef ref, BatchSlab& batches);

  void track(BatchRef ref, const BatchSlab& batches);  // a part of a split batch, numbered already
  void untrack(BatchRef ref, const BatchSlab& batches);

  void completed(BatchRef ref, Offset base_offset, const BatchSlab& batches);
  // `adjust`: its sequence may not be in the log, so those behind it must not rest on it.
  void failed(BatchRef ref, ErrorCode error, bool adjust, BatchSlab& batches);
  void mark_unresolved(const ProducerBatch& batch);
  bool can_retry(const ProducerBatch& batch, const ProduceResponse::Partition& answer, BatchSlab& batches);

 private:
  struct Entry {  // TxnPartitionEntry
    ProducerIdAndEpoch producer;
    std::int32_t next_sequence = 0;
    std::int32_t last_acked_sequence = -1;
    Offset last_acked_offset = kNoOffset;
    std::vector<BatchRef> in_flight;  // by producer, epoch and sequence
    std::optional<std::int32_t> unresolved;
    bool renumber = false;  // at the next bump
    bool in_transaction = false;
  };

  Entry& entry(QueueIndex queue);
  static bool is_next(const Entry& entry, std::int32_t sequence) {
    return sequence - entry.last_acked_sequence == 1;
  }
  void start_at_beginning(Entry& entry, BatchSlab& batches) const;
  void request_epoch_bump(Entry& entry);
  bool resolve();
  void close_gap(Entry& entry, const ProducerBatch& failed, BatchSlab& batches) const;
  void bump_epoch(BatchSlab& batches);

  ProducerIdAndEpoch producer_;
  std::vector<Entry> entries_;   // by QueueIndex
  std::int32_t unresolved_ = 0;  // so many entries are
  bool epoch_bump_required_ = false;
  bool transactional_ = false;
};

}  // namespace sim::client
