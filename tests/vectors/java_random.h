#pragma once

#include <cstddef>
#include <cstdint>

// java.util.Random: the linear congruential generator that its documentation prescribes. Tables made with a
// seed can only be compared with the same numbers.
namespace sim::vectors {

class JavaRandom {
 public:
  explicit JavaRandom(std::int64_t seed)
      : state_((static_cast<std::uint64_t>(seed) ^ 0x5DEECE66Dull) & kMask) {}

  // nextInt(bound). REQUIRES: 0 < bound < 2^31
  std::size_t next_int(std::size_t bound) {
    const auto limit = static_cast<std::int32_t>(bound);
    if ((limit & -limit) == limit) {
      return static_cast<std::size_t>((std::int64_t{limit} * std::int64_t{next_bits()}) >> 31);
    }
    while (true) {
      const std::int32_t bits = next_bits();
      const std::int32_t value = bits % limit;
      // Java lets the sum wrap to find draws beyond the last whole multiple of the bound.
      if (std::int64_t{bits} - value + (limit - 1) <= INT32_MAX) return static_cast<std::size_t>(value);
    }
  }

 private:
  static constexpr std::uint64_t kMask = (std::uint64_t{1} << 48) - 1;

  std::int32_t next_bits() {  // next(31)
    state_ = (state_ * 0x5DEECE66Dull + 0xBull) & kMask;
    return static_cast<std::int32_t>(state_ >> 17);
  }

  std::uint64_t state_;
};

}  // namespace sim::vectors
