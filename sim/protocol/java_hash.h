#pragma once

#include <cstdint>
#include <limits>
#include <string_view>

// java.lang.String.hashCode and what Kafka makes of it: the partition of a group.
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

}  // namespace sim
