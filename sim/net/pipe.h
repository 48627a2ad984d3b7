#pragma once

#include <cstdint>

#include "base/time.h"

namespace sim::net {

// Something that bytes pass one after the other at a rate.
class Pipe {
 public:
  explicit Pipe(std::int64_t bits_per_second = 0) : bits_per_second_(bits_per_second) {}  // 0 = unlimited

  // When the last byte is through. REQUIRES: calls in order of `now`
  Instant pass(Instant now, std::int64_t bytes);

 private:
  std::int64_t bits_per_second_;
  Instant free_at_{};
};

}  // namespace sim::net
