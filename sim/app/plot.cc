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

// A sweep's folder, one of its configurations, or a file that pinpoint has written.
bool is_of_many_runs(const fs::path& where) {
  std::error_code error;
  if (where.extension() == ".json" && fs::is_regular_file(where, error)) return true;
  const std::string text = where.string();
  const fs::path folder = fs::exists(where, error) ? where : fs::path(text.substr(0, text.rfind(':')));
  return fs::exists(folder / "results.jsonl", error);
}

const std::vector<std::string>& charts_of_many_runs() {
  static const std::vector<std::string> names{"sweep", "compare", "pinpoint"};
  return names;
}

}  // namespace

std::vector<std::string> every_chart_name() {
  std::vector<std::string> names = chart_names();
  names.insert(names.end(), charts_of_many_runs().begin(), charts_of_many_runs().end());
  return names;
}

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
  const bool is_of_many =
      !request.runs.empty() && std::all_of(request.runs.begin(), request.runs.end(), is_of_many_runs);
  Problems problems = wrong_words(request.charts, is_of_many ? charts_of_many_runs() : chart_names(),
                                  is_of_many ? "a chart of sweeps" : "a chart");
  const std::vector<std::string> formats =
      request.formats.empty() ? std::vector<std::string>{"png", "svg"} : request.formats;
  for (Problem& wrong : wrong_words(formats, report::chart_formats(), "a format"))
    problems.push_back(std::move(wrong));
  for (const fs::path& run : request.runs) {
    if (is_of_many) break;
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
  const char* script = is_of_many ? "draw_sweeps.py" : "draw.py";
  std::vector<std::string> words{kPython, "-B", (*plots / script).string(), "--format", joined(formats, ",")};
  if (!is_of_many || !request.charts.empty()) {
    words.push_back("--chart");
    words.push_back(joined(request.charts.empty() ? report::usual_charts() : request.charts, ","));
  }
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
