#include "protocol/record_batch.h"

#include <array>

#include "protocol/wire.h"

namespace sim {
namespace {

// Of a nullable byte sequence inside a record: -1 marks null.
std::int32_t nullable_size(std::int32_t bytes) {
  return bytes < 0 ? varint_size(-1) : varint_size(bytes) + bytes;
}

constexpr std::int32_t kNoHeadersBytes = 1;  // varint of their number, 0: application records here carry none

constexpr std::array<std::uint32_t, 256> kCastagnoli = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82F63B78u : 0u);
    table[byte] = crc;
  }
  return table;
}();

}  // namespace

std::int32_t BatchData::record_count() const {
  return std::visit([](const auto& list) { return static_cast<std::int32_t>(list.size()); }, records);
}

const std::vector<Record>& BatchData::application_records() const {
  static const std::vector<Record> none;
  const auto* list = std::get_if<std::vector<Record>>(&records);
  return list != nullptr ? *list : none;
}

const EndTransactionMarker* BatchData::end_transaction_marker() const {
  if (!control) return nullptr;
  const auto* list = std::get_if<std::vector<ControlRecord>>(&records);
  return list == nullptr || list->empty() ? nullptr : std::get_if<EndTransactionMarker>(&list->front());
}

std::int32_t varint_size(std::int64_t value) {
  return static_cast<std::int32_t>(wire::varint(value));
}

std::int32_t record_size(std::int32_t key_bytes, std::int32_t value_bytes, std::int64_t offset_delta,
                         std::int64_t timestamp_delta_ms) {
  constexpr std::int32_t kAttributes = 1;
  const std::int32_t body = kAttributes + varint_size(timestamp_delta_ms) + varint_size(offset_delta) +
                            nullable_size(key_bytes) + nullable_size(value_bytes) + kNoHeadersBytes;
  return varint_size(body) + body;
}

std::int32_t batch_size_upper_bound(std::int32_t key_bytes, std::int32_t value_bytes) {
  return kBatchHeaderBytes + kMaxRecordOverheadBytes + nullable_size(key_bytes) + nullable_size(value_bytes) +
         kNoHeadersBytes;
}

std::uint32_t crc32c(const void* bytes, std::size_t size) {
  const auto* byte = static_cast<const unsigned char*>(bytes);
  std::uint32_t crc = 0xFFFFFFFFu;
  for (std::size_t i = 0; i < size; ++i) crc = (crc >> 8) ^ kCastagnoli[(crc ^ byte[i]) & 0xFF];
  return ~crc;
}

}  // namespace sim
