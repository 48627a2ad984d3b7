#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

// SIM_CHECK(condition, "why it cannot be"): for what is impossible unless the simulator has a bug.
//
// On in every build. A failure throws InternalError, which main turns into exit code 5 together
// with the time, event number, node and seed of the run. It is never used for input (that is a
// Result) nor for a broken promise of the simulated cluster (that is a Violation).
namespace sim {

class InternalError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

[[noreturn]] void check_failed(const char* condition, const char* why, const char* file, int line);

}  // namespace sim

#define SIM_CHECK(condition, why)                               \
  do {                                                          \
    if (!(condition)) [[unlikely]]                              \
      ::sim::check_failed(#condition, why, __FILE__, __LINE__); \
  } while (false)
