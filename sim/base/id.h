#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>

// Strong integer types: an offset is not an epoch, a broker id is not a partition number.
//
// An Id is a plain number with a name. It compares, hashes and can be stepped with next(); any
// other arithmetic goes through value() and is visible where it happens.
namespace sim {

template <class Tag, class Rep>
class Id {
 public:
  using rep = Rep;

  constexpr Id() = default;
  constexpr explicit Id(Rep value) : value_(value) {}

  constexpr Rep value() const { return value_; }
  constexpr Id next() const { return Id(static_cast<Rep>(value_ + 1)); }
  constexpr auto operator<=>(const Id&) const = default;

 private:
  Rep value_{};
};

struct IdHash {
  template <class Tag, class Rep>
  std::size_t operator()(Id<Tag, Rep> id) const {
    // Fibonacci hashing: ids are small and dense.
    return static_cast<std::size_t>(static_cast<std::uint64_t>(id.value()) * 0x9E3779B97F4A7C15ull);
  }
};

}  // namespace sim

template <class Tag, class Rep>
struct std::hash<sim::Id<Tag, Rep>> : sim::IdHash {};
