#include "app/command_line.h"

#include "report/words.h"

namespace sim::app {

std::string pasteable(const std::string& word) {
  const bool plain = word.find_first_of(" '\"\\$`!*?&|;<>(){}[]#~\n\t") == std::string::npos && !word.empty();
  if (plain) return word;
  return report::in_single_quotes(word);
}

std::string command_line(const std::string& command, const std::string& file, std::uint64_t seed,
                         const std::vector<scenario::Override>& overrides) {
  std::string text = "kraftsim " + command + " " + pasteable(file) + " --seed " + std::to_string(seed);
  for (const scenario::Override& override : overrides) {
    if (override.path != "seed") text += " --set " + pasteable(scenario::shown(override));
  }
  return text;
}

}  // namespace sim::app
