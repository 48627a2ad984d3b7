#include "app/list.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "app/render_problems.h"
#include "scenario/files.h"
#include "scenario/scenario.h"

namespace sim::app {

namespace {

constexpr std::string_view kEnding = ".yaml";

std::vector<std::string> files_in(const std::string& folder) {
  std::vector<std::string> files;
  std::error_code failed;
  for (std::filesystem::directory_iterator at(folder, failed), end; !failed && at != end;
       at.increment(failed)) {
    if (at->path().extension() == kEnding) files.push_back(at->path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string row(const std::string& name, const std::string& file, std::size_t width, bool color) {
  const Result<scenario::Scenario> scenario = scenario::load(file, {});
  std::string about = scenario ? scenario->about : "has mistakes: kraftsim check " + file;
  std::replace(about.begin(), about.end(), '\n', ' ');
  const std::string left = fmt::format("{:<{}}  ", name, width);
  return "  " + (color ? "\x1b[1m" + left + "\x1b[0m" : left) + printable(about) + "\n";
}

bool is_same_as_builtin(const std::string& file, const std::string& name) {
  constexpr std::size_t kAnySize = ~std::size_t{0};
  std::string here, builtin, why_not;
  return scenario::read_file("@" + name, kAnySize, builtin, why_not) &&
         scenario::read_file(file, kAnySize, here, why_not) && here == builtin;
}

}  // namespace

std::vector<std::string> builtin_scenarios() {
  std::vector<std::string> names;
  for (const scenario::BuiltinFile& file : scenario::builtin_files()) {
    if (file.name.ends_with(kEnding))
      names.emplace_back(file.name.substr(0, file.name.size() - kEnding.size()));
  }
  return names;
}

std::string list_scenarios(const std::string& folder, bool color) {
  std::vector<std::string> files = files_in(folder);
  const auto is_builtin = [](const std::string& file) {
    return is_same_as_builtin(file, std::filesystem::path(file).stem().string());
  };
  const bool holds_builtin = std::any_of(files.begin(), files.end(), is_builtin);
  std::erase_if(files, is_builtin);
  std::vector<std::string> builtin = builtin_scenarios();
  std::size_t width = 0;
  for (std::string& name : builtin) {
    name.insert(0, "@");
    width = std::max(width, name.size());
  }
  for (const std::string& file : files) width = std::max(width, file.size());
  std::string text = holds_builtin ? "Built in, and in " + folder + "/\n" : "Built in\n";
  for (const std::string& name : builtin) text += row(name, name, width, color);
  if (!files.empty()) text += (holds_builtin ? "\nOnly in " : "\nIn ") + folder + "/\n";
  for (const std::string& file : files) text += row(file, file, width, color);
  return text + "\nkraftsim run NAME plays one\n";
}

}  // namespace sim::app
