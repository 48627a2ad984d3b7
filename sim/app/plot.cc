#include "app/plot.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/human.h"
#include "report/export.h"
#include "report/words.h"

namespace sim::app {
namespace fs = std::filesystem;
namespace {

constexpr const char* kPython = "/usr/bin/python3";  // Debian's: the one that has matplotlib

std::optional<fs::path> plots_above(fs::path folder) {
  std::error_code error;
  while (!folder.empty()) {
    if (fs::exists(folder / "plots" / "draw.py", error)) return folder / "plots";
    if (folder == folder.root_path()) break;
    folder = folder.parent_path();
  }
  return std::nullopt;
}

Problems wrong_words(const std::vector<std::string>& words, const std::vector<std::string>& known,
                     const char* what) {
  Problems problems;
  for (const std::string& word : words) {
    if (std::find(known.begin(), known.end(), word) != known.end()) continue;
    problems.push_back(
        report::problem_with("", std::string("\"") + word + "\" is not " + what, joined(known, ", ")));
  }
  return problems;
}

}  // namespace

std::optional<fs::path> find_plots() {
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  if (!error) {
    const fs::path installed = self.parent_path().parent_path() / "share" / "kraftsim" / "plots";
    if (fs::exists(installed / "draw.py", error)) return installed;
    if (auto found = plots_above(self.parent_path())) return found;
  }
  return plots_above(fs::current_path(error));
}

Result<std::vector<std::string>> plot_command_line(const PlotRequest& request) {
  Problems problems = wrong_words(request.charts, chart_names(), "a chart");
  const std::vector<std::string> formats =
      request.formats.empty() ? std::vector<std::string>{"png", "svg"} : request.formats;
  for (Problem& wrong : wrong_words(formats, report::chart_formats(), "a format"))
    problems.push_back(std::move(wrong));
  for (const fs::path& run : request.runs) {
    std::error_code error;  // what there is to draw in it, its files say
    if (!fs::is_directory(run, error))
      problems.push_back(
          report::problem_with(run, fs::exists(run, error) ? "is no folder" : "does not exist"));
  }
  const auto plots = find_plots();
  if (!plots) {
    problems.push_back(report::problem_with("", "the folder plots/ is not to be found",
                                            "run kraftsim from its source folder, or install it"));
  }
  if (!problems.empty()) return problems;
  std::vector<std::string> words{kPython, "-B", (*plots / "draw.py").string(), "--format",
                                 joined(formats, ",")};
  words.push_back("--chart");
  words.push_back(joined(request.charts.empty() ? report::usual_charts() : request.charts, ","));
  words.push_back("--");
  for (const fs::path& run : request.runs) words.push_back(run.string());
  return words;
}

Result<int> plot_runs(const PlotRequest& request) {
  const auto words = plot_command_line(request);
  if (!words) return words.problems();
  std::vector<char*> arguments;
  for (const std::string& word : *words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  pid_t child = 0;
  if (const int error = ::posix_spawn(&child, kPython, nullptr, nullptr, arguments.data(), environ);
      error != 0) {
    return report::problem_with(kPython, std::string("cannot be run: ") + std::strerror(error),
                                "apt-get install python3-matplotlib");
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace sim::app
