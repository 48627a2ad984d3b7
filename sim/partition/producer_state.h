#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "protocol/error_code.h"
#include "protocol/messages.h"
#include "protocol/record_batch.h"

namespace sim::log {
class PartitionLog;
}

// What a partition remembers of each idempotent or transactional producer (ProducerStateManager,
// ProducerStateEntry, ProducerAppendInfo, VerificationStateEntry and TransactionIndex in Kafka 4.1.2; KIP-98,
// KIP-890): its last five batches, to recognise what it has already taken; its epoch, to refuse what is of an
// older one; its open transaction, which holds back the last stable offset; and which transactions were
// aborted, for read_committed readers.
//
// Kept on leaders, which check, and on followers, which note what their leader took, so that a new leader
// recognises a retry of what the old one appended. Rebuilt from the log when it was cut or read anew.
//
// A transaction of this partition lasts from its first batch to its marker, and holds back the first unstable
// offset until the high watermark has passed the marker.
//
// Verification (KIP-890): before the first batch of a transaction is appended, the leader asks the
// coordinator. Meanwhile a guard stands for the question; a marker that comes in between takes it away, so
// that an answer that came too late lets nothing in.
//
// Differs from Kafka: an aborted transaction stays in the index although compaction has left nothing of it.
namespace sim::partition {

// Where a batch comes from (AppendOrigin). What a follower fetches is not checked.
enum class AppendOrigin : std::uint8_t { client, coordinator };

// Names one verification that is under way; kNoGuard lets nothing in (VerificationGuard.SENTINEL).
using VerificationGuard = std::uint64_t;
inline constexpr VerificationGuard kNoGuard = 0;

struct AppendRules {
  bool verifies_transactions = true;  // transaction.partition.verification.enable; as of Kafka 3.6
  bool checks_marker_version = true;  // KIP-1228, as of Kafka 4.2
  bool refuses_late_markers = true;   // false only where that mistake is planted
};

class ProducerStates {
 public:
  struct Verdict {
    ErrorCode error = ErrorCode::none;
    std::optional<Offset> duplicate_of;  // base offset of the batch already in the log
  };
  struct Append {
    AppendOrigin origin = AppendOrigin::client;
    VerificationGuard guard = kNoGuard;                        // of a transaction's first batch
    TransactionVersion marker_version = kTransactionVersion0;  // as WriteTxnMarkers told it
  };
  // What becomes of a producer's batch; one without a producer id is always welcome. In Kafka's order: a
  // duplicate; outside of a verified transaction; an older epoch; out of order; outside of the transaction
  // that is open.
  Verdict check(const BatchData& batch, const Append& append, const AppendRules& rules) const;

  // ---- Verification
  struct Verification {
    ErrorCode error = ErrorCode::none;   // INVALID_PRODUCER_EPOCH
    VerificationGuard guard = kNoGuard;  // kNoGuard: the transaction is open here, there is nothing to ask
  };
  // UnifiedLog.maybeStartTransactionVerification. `sequence`: of the first record, -1 for a coordinator's.
  Verification start_verification(ProducerId producer, ProducerEpoch epoch, std::int32_t sequence,
                                  bool adds_partition, std::int64_t now_ms);

  // The batch has its place in the log.
  void note(const Batch& batch);
  // It tells the last sequence number of its producer.
  bool is_last(const Batch& batch) const;

  // Transactions whose marker lies below `high_watermark` are over.
  void rebuild(const log::PartitionLog& log, Offset high_watermark);

  // Forgets who has not been heard of for `expiration_ms` (producer.id.expiration.ms), unless it has a
  // transaction open. True if anybody is left.
  bool remove_expired(std::int64_t now_ms, std::int64_t expiration_ms);

  // ---- Transactions

  // Where the first transaction begins that is not over, or whose marker is not below the high watermark;
  // kNoOffset: none.
  Offset first_unstable_offset() const { return first_unstable_; }
  void high_watermark_advanced(Offset high_watermark) {
    if (!unreplicated_.empty()) remove_replicated(high_watermark);
  }
  bool has_ongoing_transaction(ProducerId producer, ProducerEpoch epoch) const;
  struct OngoingTransaction {
    ProducerId producer;
    Offset first_offset = 0;
  };
  const std::vector<OngoingTransaction>& ongoing_transactions() const { return ongoing_; }
  // What of the aborted transactions overlaps with [from, to).
  std::vector<FetchResponse::AbortedTransaction> aborted_between(Offset from, Offset to) const;
  // Whether the transaction that the batch is part of was aborted.
  bool is_aborted(const Batch& batch) const;
  void log_start_raised(Offset start);
  ProducerEpoch epoch_of(ProducerId producer) const;  // kNoProducerEpoch if nothing is known of it

  std::size_t size() const { return entries_.size(); }

 private:
  static constexpr std::size_t kBatchesKept = 5;  // ProducerStateEntry.NUM_BATCHES_TO_RETAIN
  struct BatchMetadata {
    std::int32_t first_sequence = -1;
    std::int32_t last_sequence = -1;
    Offset base_offset = kNoOffset;
  };
  struct Entry {
    ProducerId producer;
    ProducerEpoch epoch = kNoProducerEpoch;
    std::array<BatchMetadata, kBatchesKept> batches{};  // a ring
    std::uint8_t count = 0;
    std::uint8_t newest = 0;
    CoordinatorEpoch coordinator_epoch = kNoCoordinatorEpoch;
    Offset transaction_first_offset = kNoOffset;  // kNoOffset: none is open
    std::int64_t last_timestamp_ms = -1;

    bool is_open() const { return transaction_first_offset != kNoOffset; }
    std::int32_t last_sequence() const { return batches[newest].last_sequence; }  // -1 if it has no batch
  };
  struct CompletedTransaction {  // its marker is not below the high watermark
    Offset first_offset = 0;
    Offset last_offset = 0;  // of the marker
  };
  struct AbortedTransaction {  // AbortedTxn
    ProducerId producer;
    Offset first_offset = 0;
    Offset last_offset = 0;
    Offset last_stable_offset = 0;  // as it was when the marker was appended, but for the high watermark
  };
  struct VerificationState {  // VerificationStateEntry
    ProducerId producer;
    std::int64_t timestamp_ms = 0;
    VerificationGuard guard = kNoGuard;
    std::int32_t lowest_sequence = 0;
    ProducerEpoch epoch;
    bool adds_partition = false;
  };

  const Entry* find(ProducerId producer) const;
  Entry& find_or_add(ProducerId producer);
  const VerificationState* find_verification(ProducerId producer) const;
  static void enter_epoch(Entry& entry, ProducerEpoch epoch);
  ErrorCode check_marker(const BatchData& batch, const Entry* entry, const Append& append,
                         const AppendRules& rules) const;
  ErrorCode check_sequence(const BatchData& batch, const Entry* entry) const;
  void note_marker(const Batch& placed, const EndTransactionMarker& marker);
  void end_verification(const BatchData& batch);
  void remove_replicated(Offset high_watermark);
  void update_first_unstable();

  std::vector<Entry> entries_;                      // by producer id
  std::vector<OngoingTransaction> ongoing_;         // by first offset
  std::vector<CompletedTransaction> unreplicated_;  // by last offset
  std::vector<AbortedTransaction> aborted_;         // by last offset
  std::vector<VerificationState> verifications_;    // by producer id
  Offset first_unstable_ = kNoOffset;
  VerificationGuard next_guard_ = 1;
};

}  // namespace sim::partition
