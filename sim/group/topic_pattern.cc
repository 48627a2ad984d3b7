#include "group/topic_pattern.h"

namespace sim::group {

bool is_valid_topic_pattern(const std::string& pattern) {
  for (std::size_t i = 0; i + 1 < pattern.size(); ++i) {
    if (pattern[i] == '\\') {
      if (pattern[i + 1] >= '1' && pattern[i + 1] <= '9') return false;
      ++i;
    } else if (pattern.compare(i, 3, "(?=") == 0 || pattern.compare(i, 3, "(?!") == 0) {
      return false;
    }
  }
  try {
    const std::regex compiled(pattern);
    return true;
  } catch (const std::regex_error&) {  // the library's way of saying so
    return false;
  }
}

}  // namespace sim::group
