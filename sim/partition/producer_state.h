#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "protocol/error_code.h"
#include "protocol/record_batch.h"

namespace sim::log {
class PartitionLog;
}

// What a partition remembers of each idempotent producer, to recognise what it has already taken
// (ProducerStateManager, ProducerAppendInfo in Kafka; KIP-98).
//
// Kept on leaders, which check, and on followers, which note what their leader took, so that a new leader
// recognises a retry of what the old one appended. Rebuilt from the log when it was cut or read anew.
//
// Entries do not expire here (producer.id.expiration.ms is a day), and nothing is known of transactions.
namespace sim::partition {

class ProducerStates {
 public:
  struct Verdict {
    ErrorCode error = ErrorCode::none;
    std::optional<Offset> duplicate_of;  // base offset of the batch already in the log
  };
  // What becomes of a producer's batch; one without a producer id is always welcome.
  Verdict check(const BatchData& batch) const;

  // The batch has its place in the log.
  void note(const Batch& batch);
  // It tells the last sequence number of its producer.
  bool is_last(const Batch& batch) const;

  void rebuild(const log::PartitionLog& log);

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
  };

  const Entry* find(ProducerId producer) const;
  Entry& find_or_add(ProducerId producer);

  std::vector<Entry> entries_;  // by producer id
};

}  // namespace sim::partition
