#pragma once

#include <cstdint>
#include <string_view>

#include "base/rng.h"

// One seed, and from it a stream for every consumer of randomness, found by its name:
// streams.get("net/1->2"). The same name is the same stream from its start; each consumer keeps the
// Rng it was given, so streams need no registry and asking for one changes nothing.
namespace sim::kernel {

class Streams {
 public:
  explicit Streams(std::uint64_t seed) : seed_(seed) {}

  Rng get(std::string_view name) const { return Rng(seed_, name); }
  std::uint64_t seed() const { return seed_; }

 private:
  std::uint64_t seed_;
};

}  // namespace sim::kernel
