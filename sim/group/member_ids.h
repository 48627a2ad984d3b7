#pragma once

#include <cstdint>
#include <string>

#include "base/rng.h"

// Ids that the group coordinator makes for members that have none.
namespace sim::group {

// java.util.UUID.randomUUID().toString(): version 4, variant 2.
inline std::string random_uuid(Rng& rng) {
  std::uint64_t high = rng.next();
  std::uint64_t low = rng.next();
  high = (high & ~std::uint64_t{0xF000}) | 0x4000;
  low = (low & ~(std::uint64_t{3} << 62)) | std::uint64_t{1} << 63;
  std::string text;
  text.reserve(36);
  for (const std::uint64_t half : {high, low}) {
    for (int shift = 60; shift >= 0; shift -= 4) {
      if (text.size() == 8 || text.size() == 13 || text.size() == 18 || text.size() == 23) text += '-';
      text += "0123456789abcdef"[half >> shift & 0xF];
    }
  }
  return text;
}

}  // namespace sim::group
