#pragma once

#include <cstdint>

// 128-bit integers for intermediate products. Both compilers have them; -Wpedantic wants to be told.
namespace sim {

__extension__ using int128 = __int128;
__extension__ using uint128 = unsigned __int128;

constexpr std::uint64_t high_word(uint128 x) {
  return static_cast<std::uint64_t>(x >> 64);
}
constexpr std::uint64_t low_word(uint128 x) {
  return static_cast<std::uint64_t>(x);
}

}  // namespace sim
