#pragma once

#include <unistd.h>

#include <cstddef>

namespace sim::app {

// That are on in this machine.
inline std::size_t processors() {
  const long count = ::sysconf(_SC_NPROCESSORS_ONLN);
  return count < 1 ? 1 : static_cast<std::size_t>(count);
}

}  // namespace sim::app
