#include "app/program_name.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <vector>

#include "app/options.h"
#include "report/words.h"

namespace sim::app {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kProgram = "kraftsim";
bool is_program(const fs::path& file) {
  std::error_code error;
  return fs::is_regular_file(file, error) && ::access(file.c_str(), X_OK) == 0;
}

bool is_on_the_path() {
  const char* path = std::getenv("PATH");
  std::string_view rest = path == nullptr ? std::string_view() : path;
  while (!rest.empty()) {
    const std::size_t colon = std::min(rest.find(':'), rest.size());
    const fs::path folder(rest.substr(0, colon));
    if (!folder.empty() && is_program(folder / kProgram)) return true;
    rest.remove_prefix(std::min(colon + 1, rest.size()));
  }
  return false;
}

std::string find_program_name() {
  if (is_on_the_path()) return std::string(kProgram);
  if (is_program(fs::path(".") / kProgram)) return "./" + std::string(kProgram);
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  return error ? std::string(kProgram) : report::shell_word(self.string());
}

bool begins_a_command(std::string_view text) {
  static const std::vector<CommandWords> commands = command_words();
  if (!text.starts_with(' ')) return false;
  text.remove_prefix(1);
  const std::string_view word = text.substr(0, text.find_first_of(" \n\t\033\"'),.;:"));
  return word == "--help" || std::any_of(commands.begin(), commands.end(),
                                         [&](const CommandWords& command) { return command.name == word; });
}

}  // namespace

const std::string& program_name() {
  static const std::string name = find_program_name();
  return name;
}

std::string with_program_name(std::string_view text) {
  return with_program_name(text, program_name());
}

std::string with_program_name(std::string_view text, std::string_view program) {
  std::string result;
  while (true) {
    const std::size_t at = text.find(kProgram);
    if (at == std::string_view::npos) return result.append(text);
    const bool is_word =
        at == 0 || std::string_view(" \n\t\"'(m").find(text[at - 1]) != std::string_view::npos;
    result.append(text.substr(0, at));
    text.remove_prefix(at + kProgram.size());
    result.append(is_word && begins_a_command(text) ? program : kProgram);
  }
}

}  // namespace sim::app
