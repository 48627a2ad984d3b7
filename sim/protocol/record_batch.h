#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "protocol/coordinator_records.h"
#include "protocol/ids.h"
#include "protocol/metadata_records.h"
#include "protocol/quorum.h"

// Record batches as format v2 (magic 2) lays them out: what is inside, and how many bytes it takes.
//
// The contents of a batch (`BatchData`) never change after it was closed and are shared by
// everyone who holds it: producer, leader, followers, consumers. What the leader adds, base offset
// and leader epoch (both outside the CRC in Kafka), travels beside the pointer in `Batch`.
// Payload bytes themselves are not kept, only their sizes.
namespace sim {

// One application record. Its offset is the batch's base offset plus its index in the batch.
struct Record {
  RecordId id = kNoRecord;
  std::int64_t timestamp_ms = 0;  // CreateTime
  std::int32_t key_bytes = -1;    // -1 = null key
  std::int32_t value_bytes = 0;   // -1 = tombstone
  std::int64_t key = -1;          // which key it is: the customer's number; -1 = null
};

// What compaction has left of a batch, which keeps its place: offsets of records that are gone stay unused.
struct Compacted {
  std::vector<std::int32_t> offset_deltas;          // of the records that are left, rising
  std::optional<std::int64_t> delete_horizon_ms{};  // from when on its tombstones may go (KIP-534)
};

struct BatchData {
  ProducerId producer_id = kNoProducerId;
  ProducerEpoch producer_epoch = kNoProducerEpoch;
  std::int32_t base_sequence = -1;
  std::int64_t base_timestamp_ms = 0;
  std::int64_t max_timestamp_ms = 0;
  std::int32_t size_bytes = 0;  // on the wire and on disk, header included, after compression
  bool transactional = false;
  bool control = false;
  std::variant<std::vector<Record>, std::vector<CoordinatorRecord>, std::vector<MetadataRecord>,
               std::vector<ControlRecord>, std::vector<TransactionLogRecord>>
      records;
  std::shared_ptr<const Compacted> compacted{};  // null: every offset of the batch has its record

  std::int32_t record_count() const;
  // Where a record lies, counted from the batch's base offset.
  std::int32_t offset_delta(std::size_t index) const {
    return compacted ? compacted->offset_deltas[index] : static_cast<std::int32_t>(index);
  }
  // The application records; empty for batches of internal topics.
  const std::vector<Record>& application_records() const;
  // Of a control batch that ends a transaction (EndTransactionMarker); null for every other.
  const EndTransactionMarker* end_transaction_marker() const;
};
using BatchDataPtr = std::shared_ptr<const BatchData>;

// A batch at its place in a log.
struct Batch {
  Offset base_offset = 0;
  LeaderEpoch leader_epoch = kNoLeaderEpoch;
  std::int32_t record_count = 0;  // offsets it takes, whether or not compaction has left their records
  BatchDataPtr data;

  Offset end_offset() const { return base_offset + record_count; }
  std::int32_t size_bytes() const { return data->size_bytes; }
};

// Sizes of format v2 (DefaultRecord, DefaultRecordBatch). All in bytes.
inline constexpr std::int32_t kBatchHeaderBytes = 61;
inline constexpr std::int32_t kMaxRecordOverheadBytes = 21;
std::int32_t varint_size(std::int64_t value);  // zig-zag
std::int32_t record_size(std::int32_t key_bytes, std::int32_t value_bytes, std::int64_t offset_delta,
                         std::int64_t timestamp_delta_ms);
// Kafka's upper bound of a batch holding just this record (AbstractRecords.estimateSizeInBytesUpperBound).
std::int32_t batch_size_upper_bound(std::int32_t key_bytes, std::int32_t value_bytes);

// CRC-32C (Castagnoli), as over bytes 21..end of a batch.
std::uint32_t crc32c(const void* bytes, std::size_t size);

}  // namespace sim
