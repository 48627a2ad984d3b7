#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

// Sizes of Kafka's field encodings, in bytes. "Compact" is that of flexible versions (KIP-482): lengths
// are unsigned varints of n + 1, and every struct ends in a count of tagged fields.
namespace sim::wire {

inline constexpr std::int64_t kBool = 1;
inline constexpr std::int64_t kInt8 = 1;
inline constexpr std::int64_t kInt16 = 2;
inline constexpr std::int64_t kInt32 = 4;
inline constexpr std::int64_t kInt64 = 8;
inline constexpr std::int64_t kUuid = 16;
inline constexpr std::int64_t kTags = 1;  // count of tagged fields, when there are none

// Typical lengths of texts that our structs do not carry.
inline constexpr std::int64_t kTopicNameBytes = 10;
inline constexpr std::int64_t kHostNameBytes = 10;
inline constexpr std::int64_t kClientIdBytes = 10;

constexpr std::int64_t unsigned_varint(std::uint64_t value) {
  const auto bits = static_cast<std::int64_t>(std::bit_width(value));
  return bits <= 7 ? 1 : (bits + 6) / 7;
}
constexpr std::int64_t varint(std::int64_t value) {  // zig-zag
  return unsigned_varint((static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63));
}

// The length prefix of a compact array or string of n elements; null takes one byte, as empty does.
constexpr std::int64_t compact_length(std::int64_t n) {
  return unsigned_varint(static_cast<std::uint64_t>(n) + 1);
}
constexpr std::int64_t compact_bytes(std::int64_t n) {
  return compact_length(n) + n;
}
constexpr std::int64_t compact(std::string_view text) {
  return compact_bytes(static_cast<std::int64_t>(text.size()));
}

// The features a server supports, each with its lowest and highest level: metadata.version, kraft.version,
// transaction.version, group.version, share.version, streams.version, eligible.leader.replicas.version.
inline constexpr std::int64_t kSupportedFeaturesBytes =
    compact_length(7) + compact_bytes(16) + 2 * compact_bytes(13) + compact_bytes(19) + compact_bytes(13) +
    compact_bytes(15) + compact_bytes(32) + 7 * (2 * kInt16 + kTags);

// Before flexible versions: 16-bit lengths of strings, 32-bit lengths of arrays and bytes.
constexpr std::int64_t plain(std::string_view text) {
  return kInt16 + static_cast<std::int64_t>(text.size());
}

// A tagged field: tag, size, content.
constexpr std::int64_t tagged(std::int64_t content) {
  return 1 + unsigned_varint(static_cast<std::uint64_t>(content)) + content;
}

// A compact array of elements that all take the same.
template <class Container>
constexpr std::int64_t array_of(const Container& elements, std::int64_t each) {
  const auto n = static_cast<std::int64_t>(elements.size());
  return compact_length(n) + n * each;
}
// A compact array of elements whose size `size_of` tells.
template <class Container, class SizeOf>
constexpr std::int64_t array(const Container& elements, SizeOf size_of) {
  std::int64_t bytes = compact_length(static_cast<std::int64_t>(elements.size()));
  for (const auto& element : elements) bytes += size_of(element);
  return bytes;
}

}  // namespace sim::wire
