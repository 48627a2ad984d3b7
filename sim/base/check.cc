#include "base/check.h"

#include <cstring>

namespace sim {

void check_failed(const char* condition, const char* why, const char* file, int line) {
  const char* tail = std::strstr(file, "sim/");  // the same text whatever folder was built in
  throw InternalError(std::string(tail != nullptr ? tail : file) + ":" + std::to_string(line) + ": " + why +
                      " (" + condition + ")");
}

}  // namespace sim
