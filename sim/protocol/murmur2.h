#pragma once

#include <cstdint>
#include <string_view>

namespace sim {

// 32-bit MurmurHash2 as Kafka's clients compute it (Utils.murmur2), signed as in Java.
std::int32_t murmur2(std::string_view bytes);

// The partition of a keyed record (BuiltInPartitioner.partitionForKey). REQUIRES: partitions > 0
inline std::int32_t partition_for_key(std::string_view key, std::int32_t partitions) {
  return (murmur2(key) & 0x7fffffff) % partitions;
}

}  // namespace sim
