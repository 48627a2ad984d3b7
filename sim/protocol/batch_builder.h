#pragma once

#include <cstdint>
#include <vector>

#include "protocol/record_batch.h"

// How batches come about: one record after the other in a producer, or whole on a broker or controller.
namespace sim {

// An open batch of application records (MemoryRecordsBuilder in Kafka).
//
// Deliberately simple: the compression estimate, which Kafka learns per topic, is the ratio itself, times
// Kafka's safety factor of 1.05; what the ratio leaves of the records section is rounded up.
class BatchBuilder {
 public:
  // `write_limit`: how large it may grow, header included; the first record fits in any case.
  explicit BatchBuilder(std::int32_t write_limit, std::int32_t compression_percent = 100)
      : write_limit_(write_limit), compression_percent_(compression_percent) {}

  bool empty() const { return records_.empty(); }
  std::int32_t record_count() const { return static_cast<std::int32_t>(records_.size()); }
  const std::vector<Record>& records() const { return records_; }

  // hasRoomFor: by the record's exact size and the estimate of what was written.
  bool has_room_for(const Record& record) const;
  // isFull: no further record would be tried.
  bool full() const { return !empty() && estimated_bytes() >= write_limit_; }
  std::int32_t estimated_bytes() const;

  void append(const Record& record);

  // The closed batch. The builder is empty afterwards.
  BatchDataPtr build(ProducerId producer_id = kNoProducerId, ProducerEpoch producer_epoch = kNoProducerEpoch,
                     std::int32_t base_sequence = -1, bool transactional = false);

 private:
  std::int32_t size_of(const Record& record) const;

  std::vector<Record> records_;
  std::int32_t uncompressed_bytes_ = 0;  // of the records section
  std::int32_t write_limit_;
  std::int32_t compression_percent_;
};

// The same in one go.
BatchDataPtr make_data_batch(std::vector<Record> records, ProducerId producer_id = kNoProducerId,
                             ProducerEpoch producer_epoch = kNoProducerEpoch, std::int32_t base_sequence = -1,
                             std::int32_t compression_percent = 100, bool transactional = false);

// The same records with the leader's time (message.timestamp.type=LogAppendTime), which stands in the batch's
// header: its size stays.
BatchDataPtr with_append_time(const BatchData& batch, std::int64_t now_ms);

// Batches of the internal topics, sized as Kafka serialises these records. REQUIRES: !records.empty()
BatchDataPtr make_batch(std::vector<CoordinatorRecord> records, std::int64_t timestamp_ms);
BatchDataPtr make_batch(std::vector<MetadataRecord> records, std::int64_t timestamp_ms);
BatchDataPtr make_batch(std::vector<ControlRecord> records, std::int64_t timestamp_ms);  // a control batch
BatchDataPtr make_batch(std::vector<TransactionLogRecord> records, std::int64_t timestamp_ms);

// Offsets that count when the producer's transaction is committed (TxnOffsetCommit). REQUIRES:
// !records.empty()
BatchDataPtr make_transactional_batch(std::vector<CoordinatorRecord> records, ProducerId producer_id,
                                      ProducerEpoch producer_epoch, std::int64_t timestamp_ms);

// A transaction's marker: a control batch of one record, which takes one offset and 78 bytes
// (MemoryRecords.withEndTransactionMarker).
BatchDataPtr make_marker_batch(EndTransactionMarker marker, ProducerId producer_id,
                               ProducerEpoch producer_epoch, std::int64_t timestamp_ms);

// Bytes of one such record in a batch, its framing included.
std::int32_t record_size(const CoordinatorRecord& record, std::int64_t offset_delta);
std::int32_t record_size(const MetadataRecord& record, std::int64_t offset_delta);
std::int32_t record_size(const ControlRecord& record, std::int64_t offset_delta);
std::int32_t record_size(const TransactionLogRecord& record, std::int64_t offset_delta);

}  // namespace sim
