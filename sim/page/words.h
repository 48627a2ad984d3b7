#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/human.h"

// Small words of a page.
namespace sim::page {

inline std::string count_of(std::int64_t value) {
  return value < 0 ? "-" + human_count(static_cast<std::uint64_t>(-value))
                   : human_count(static_cast<std::uint64_t>(value));
}
inline std::string upper_first(std::string text) {
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 'a' + 'A');
  return text;
}
// At most so many bytes, the last a dot dot dot; never half a character.
inline std::string shortened(const std::string& text, std::size_t most) {
  if (text.size() <= most) return text;
  std::size_t end = most - 1;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end) + "…";
}
// An instant of a run: "0" and not "0 ns".
inline std::string instant_of(std::int64_t ns) {
  return ns == 0 ? "0" : human_duration(ns);
}
// "1 order", "2 orders".
inline std::string counted(std::int64_t value, const std::string& thing) {
  return count_of(value) + " " + thing + (value == 1 ? "" : "s");
}
// 12.3 %, of thousandths of a percent.
inline std::string percent_of(std::int64_t milli_percent) {
  return fixed((milli_percent + 50) / 100, 1) + " %";
}

}  // namespace sim::page
