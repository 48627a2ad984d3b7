#include "app/command_line.h"

#include "report/words.h"

namespace sim::app {

std::string command_line(const std::string& command, const std::string& file, std::uint64_t seed,
                         const std::vector<scenario::Override>& overrides) {
  std::string text =
      "kraftsim " + command + " " + report::shell_word(file) + " --seed " + std::to_string(seed);
  for (const scenario::Override& override : overrides) {
    if (override.path != "seed") text += " --set " + report::shell_word(scenario::shown(override));
  }
  return text;
}

}  // namespace sim::app
