#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

// java.lang.String.hashCode and what Kafka makes of it: the partition of a group. And the order in which a
// java.util.HashMap or HashSet is walked, where Kafka's answers follow it.
namespace sim {

// Over the UTF-16 units of a UTF-8 text. REQUIRES: well-formed UTF-8
constexpr std::int32_t java_string_hash(std::string_view utf8) {
  std::uint32_t hash = 0;
  const auto add = [&hash](std::uint32_t unit) { hash = hash * 31 + unit; };
  for (std::size_t i = 0; i < utf8.size();) {
    const std::uint32_t lead = static_cast<unsigned char>(utf8[i++]);
    std::uint32_t code_point = lead;
    int following = 0;
    if (lead >= 0xF0) {
      code_point = lead & 0x07;
      following = 3;
    } else if (lead >= 0xE0) {
      code_point = lead & 0x0F;
      following = 2;
    } else if (lead >= 0xC0) {
      code_point = lead & 0x1F;
      following = 1;
    }
    for (; following > 0 && i < utf8.size(); --following) {
      code_point = code_point << 6 | (static_cast<unsigned char>(utf8[i++]) & 0x3Fu);
    }
    if (code_point >= 0x10000) {
      add(0xD800 + ((code_point - 0x10000) >> 10));
      add(0xDC00 + ((code_point - 0x10000) & 0x3FF));
    } else {
      add(code_point);
    }
  }
  return static_cast<std::int32_t>(hash);
}

// Kafka's Utils.abs: the smallest int becomes 0.
constexpr std::int32_t java_abs(std::int32_t value) {
  if (value == std::numeric_limits<std::int32_t>::min()) return 0;
  return value < 0 ? -value : value;
}

// The table of a java.util.HashMap that was made for `first_size` keys at once (its constructor from a
// collection) and has grown to `size` of them. A power of 2.
constexpr std::size_t java_hash_table_size(std::size_t first_size, std::size_t size) {
  std::size_t table = std::bit_ceil(std::max<std::size_t>(first_size * 4 / 3 + 1, 16));
  while (size > table * 3 / 4) table *= 2;
  return table;
}

// Where a key of that hash code comes in the walk: by bucket, within a bucket by order of insertion. (Java
// turns buckets of eight keys and more into trees, whose order is another; small numbers never get there.)
constexpr std::size_t java_hash_bucket(std::int32_t hash, std::size_t table_size) {
  const auto bits = static_cast<std::uint32_t>(hash);
  return (bits ^ bits >> 16) & (table_size - 1);
}

// Sorts keys, given in order of insertion and each once, as a java.util.HashSet of that table walks them.
// `hash_of` is their hashCode(); of an Integer it is its value.
template <class Key, class Hash>
void sort_as_java_hash_set(std::vector<Key>& keys, std::size_t table_size, Hash hash_of) {
  std::stable_sort(keys.begin(), keys.end(), [&](const Key& a, const Key& b) {
    return java_hash_bucket(hash_of(a), table_size) < java_hash_bucket(hash_of(b), table_size);
  });
}

}  // namespace sim
