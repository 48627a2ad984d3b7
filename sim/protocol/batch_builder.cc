#include "protocol/batch_builder.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace sim {
namespace {

std::int32_t compressed(std::int32_t bytes, std::int32_t percent) {
  return static_cast<std::int32_t>((std::int64_t{bytes} * percent + 99) / 100);
}

template <class InternalRecord>
std::shared_ptr<BatchData> internal_batch(std::vector<InternalRecord> records, std::int64_t timestamp_ms,
                                          bool control) {
  SIM_CHECK(!records.empty(), "a batch holds at least one record");
  auto data = std::make_shared<BatchData>();
  std::int32_t size = kBatchHeaderBytes;
  for (std::size_t i = 0; i < records.size(); ++i)
    size += record_size(records[i], static_cast<std::int64_t>(i));
  data->base_timestamp_ms = timestamp_ms;
  data->max_timestamp_ms = timestamp_ms;
  data->size_bytes = size;
  data->control = control;
  data->records = std::move(records);
  return data;
}

}  // namespace

std::int32_t BatchBuilder::size_of(const Record& record) const {
  const std::int64_t base_timestamp_ms = empty() ? record.timestamp_ms : records_.front().timestamp_ms;
  return record_size(record.key_bytes, record.value_bytes, record_count(),
                     record.timestamp_ms - base_timestamp_ms);
}

std::int32_t BatchBuilder::estimated_bytes() const {
  if (compression_percent_ == 100) return kBatchHeaderBytes + uncompressed_bytes_;
  return kBatchHeaderBytes +
         static_cast<std::int32_t>(std::int64_t{uncompressed_bytes_} * compression_percent_ * 105 / 10'000);
}

bool BatchBuilder::has_room_for(const Record& record) const {
  return empty() || std::int64_t{estimated_bytes()} + size_of(record) <= write_limit_;
}

void BatchBuilder::append(const Record& record) {
  uncompressed_bytes_ += size_of(record);
  records_.push_back(record);
}

BatchDataPtr BatchBuilder::build(ProducerId producer_id, ProducerEpoch producer_epoch,
                                 std::int32_t base_sequence, bool transactional) {
  SIM_CHECK(!empty(), "a batch holds at least one record");
  auto data = std::make_shared<BatchData>();
  data->producer_id = producer_id;
  data->producer_epoch = producer_epoch;
  data->base_sequence = base_sequence;
  data->transactional = transactional;
  data->base_timestamp_ms = records_.front().timestamp_ms;
  data->max_timestamp_ms = data->base_timestamp_ms;
  for (const Record& record : records_)
    data->max_timestamp_ms = std::max(data->max_timestamp_ms, record.timestamp_ms);
  data->size_bytes =
      kBatchHeaderBytes + compressed(std::exchange(uncompressed_bytes_, 0), compression_percent_);
  data->records = std::exchange(records_, {});
  return data;
}

BatchDataPtr make_data_batch(std::vector<Record> records, ProducerId producer_id,
                             ProducerEpoch producer_epoch, std::int32_t base_sequence,
                             std::int32_t compression_percent, bool transactional) {
  BatchBuilder builder(0, compression_percent);
  for (const Record& record : records) builder.append(record);
  return builder.build(producer_id, producer_epoch, base_sequence, transactional);
}

BatchDataPtr make_batch(std::vector<CoordinatorRecord> records, std::int64_t timestamp_ms) {
  return internal_batch(std::move(records), timestamp_ms, false);
}

BatchDataPtr make_batch(std::vector<MetadataRecord> records, std::int64_t timestamp_ms) {
  return internal_batch(std::move(records), timestamp_ms, false);
}

BatchDataPtr make_batch(std::vector<ControlRecord> records, std::int64_t timestamp_ms) {
  return internal_batch(std::move(records), timestamp_ms, true);
}

BatchDataPtr make_batch(std::vector<TransactionLogRecord> records, std::int64_t timestamp_ms) {
  return internal_batch(std::move(records), timestamp_ms, false);
}

BatchDataPtr make_transactional_batch(std::vector<CoordinatorRecord> records, ProducerId producer_id,
                                      ProducerEpoch producer_epoch, std::int64_t timestamp_ms) {
  const std::shared_ptr<BatchData> data = internal_batch(std::move(records), timestamp_ms, false);
  data->producer_id = producer_id;
  data->producer_epoch = producer_epoch;
  data->transactional = true;
  return data;
}

BatchDataPtr make_marker_batch(EndTransactionMarker marker, ProducerId producer_id,
                               ProducerEpoch producer_epoch, std::int64_t timestamp_ms) {
  const std::shared_ptr<BatchData> data =
      internal_batch(std::vector<ControlRecord>{marker}, timestamp_ms, true);
  data->producer_id = producer_id;
  data->producer_epoch = producer_epoch;
  data->transactional = true;
  return data;
}

BatchDataPtr with_append_time(const BatchData& batch, std::int64_t now_ms) {
  auto stamped = std::make_shared<BatchData>(batch);
  stamped->base_timestamp_ms = stamped->max_timestamp_ms = now_ms;
  if (auto* records = std::get_if<std::vector<Record>>(&stamped->records)) {
    for (Record& record : *records) record.timestamp_ms = now_ms;
  }
  return stamped;
}

}  // namespace sim
