#include "net/pipe.h"

#include <algorithm>

namespace sim::net {

Instant Pipe::pass(Instant now, std::int64_t bytes) {
  if (bits_per_second_ == 0) return now;
  const int128 nanos = (int128{bytes} * 8'000'000'000 + bits_per_second_ - 1) / bits_per_second_;
  free_at_ = later(std::max(now, free_at_), at_most_endless(nanos));
  return free_at_;
}

}  // namespace sim::net
