#pragma once

#include <cstdint>
#include <string_view>

#include "protocol/murmur2.h"

// What keyed records are spread over partitions by. Kafka's own clients use murmur2; librdkafka and what is
// built on it (confluent-kafka-python, -go, -dotnet, ...) CRC-32 unless told otherwise, so that one key of
// two such clients lies in two partitions.
namespace sim::client {

enum class KeyHash : std::uint8_t { murmur2, crc32, fnv1a };

// CRC-32 of IEEE 802.3, as zlib computes it (rd_crc32.c).
constexpr std::uint32_t crc32(std::string_view bytes) {
  std::uint32_t crc = 0xFFFFFFFF;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xEDB88320u : 0u);
  }
  return ~crc;
}

// FNV-1a, its absolute value as a signed number (rd_fnv1a.c, which follows Sarama).
constexpr std::uint32_t fnv1a(std::string_view bytes) {
  std::uint32_t hash = 0x811C9DC5;
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x01000193;
  return hash > 0x7FFFFFFF ? ~hash + 1 : hash;
}

// Not negative; its remainder by the number of partitions is the partition.
inline std::int64_t hash_of_key(KeyHash how, std::string_view key) {
  switch (how) {
    case KeyHash::murmur2: return murmur2(key) & 0x7fffffff;
    case KeyHash::crc32: return crc32(key);
    case KeyHash::fnv1a: return fnv1a(key);
  }
  return 0;
}

}  // namespace sim::client
