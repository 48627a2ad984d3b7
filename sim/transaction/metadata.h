#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "protocol/coordinator_records.h"
#include "protocol/error_code.h"
#include "protocol/ids.h"

// What a coordinator knows of one transactional id, and the transitions of its state (TransactionMetadata,
// TxnTransitMetadata, TransactionState in Kafka 4.1.2; KIP-98, KIP-360, KIP-890):
//
//   empty              <- empty, complete_commit, complete_abort       InitProducerId
//   ongoing            <- ongoing, empty, complete_*                   a partition is added
//   prepare_commit     <- ongoing                                      EndTxn: the decision, once it is
//   logged prepare_abort      <- ongoing, prepare_epoch_fence (pending), and with bumped epochs empty,
//   complete_* complete_commit, complete_abort <- the prepare_* of the same outcome   all markers are written
//   prepare_epoch_fence <- ongoing                                     pending only: the producer is fenced
//   dead               <- empty, complete_*                            the id has expired
//
// Every transition is first pending, then written to the log, then takes effect. While one is pending whoever
// asks for another hears CONCURRENT_TRANSACTIONS.
namespace sim::transaction {

// Epochs of a producer go up to one below the largest, so that it can always be fenced.
inline constexpr ProducerEpoch kLastEpoch{32'766};
constexpr bool is_exhausted(ProducerEpoch epoch) {
  return epoch >= kLastEpoch;
}

// All that a transition may change.
struct TransactionFields {
  ProducerId producer_id = kNoProducerId;
  ProducerId previous_producer_id = kNoProducerId;
  ProducerId next_producer_id = kNoProducerId;  // after an overflow of the epoch, until completion
  ProducerEpoch producer_epoch = kNoProducerEpoch;
  ProducerEpoch last_producer_epoch = kNoProducerEpoch;  // known to the client before; not in the log
  std::int32_t timeout_ms = 0;
  TransactionState state = TransactionState::empty;
  std::vector<TopicPartition> partitions;  // rising
  std::int64_t start_timestamp_ms = -1;
  std::int64_t last_update_timestamp_ms = -1;
  TransactionVersion client_version = kTransactionVersion0;
};

// (producer id, epoch) as a producer has it.
struct ProducerIdAndEpoch {
  ProducerId id = kNoProducerId;
  ProducerEpoch epoch = kNoProducerEpoch;
};

struct TransactionMetadata {
  TransactionFields now;
  std::optional<TransactionState> pending;
  // The epoch was bumped to fence a producer, and that could not be written: it is not bumped again.
  bool has_failed_epoch_fence = false;
  // What it becomes when all markers are written (transactionsWithPendingMarkers).
  std::optional<TransactionFields> completion;

  // ---- Each notes the transition as pending. REQUIRES: none is, and the state allows it
  TransactionFields prepare_fence_epoch();
  // PRODUCER_FENCED if `expected` is neither the current epoch nor the one before.
  struct Increment {
    ErrorCode error = ErrorCode::none;
    TransactionFields fields;
  };
  Increment prepare_increment_epoch(std::int32_t timeout_ms, std::optional<ProducerEpoch> expected,
                                    std::int64_t now_ms);
  TransactionFields prepare_producer_id_rotation(ProducerId next, std::int32_t timeout_ms,
                                                 std::int64_t now_ms, bool records_last_epoch);
  TransactionFields prepare_add_partitions(const std::vector<TopicPartition>& added, std::int64_t now_ms,
                                           TransactionVersion client_version);
  TransactionFields prepare_abort_or_commit(TransactionState state, TransactionVersion client_version,
                                            ProducerId next, std::int64_t now_ms, bool no_partition_added);
  TransactionFields prepare_complete(std::int64_t now_ms);
  TransactionFields prepare_dead();

  // It is logged. REQUIRES: fields.state is pending
  void complete(const TransactionFields& fields);

  bool contains(TopicPartition tp) const;
  bool contains_all(const std::vector<TopicPartition>& partitions) const;
  void remove(TopicPartition tp);
  bool may_expire() const {
    return now.state == TransactionState::empty || now.state == TransactionState::complete_commit ||
           now.state == TransactionState::complete_abort;
  }

 private:
  TransactionFields transition_to(TransactionFields fields);
};

TransactionLogRecord record_of(const std::string& transactional_id, const TransactionFields& fields);
TransactionMetadata metadata_of(const TransactionLogRecord& record);

}  // namespace sim::transaction
