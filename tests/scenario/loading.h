#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "scenario/scenario.h"

namespace sim::scenario::test {

// A folder of its own, gone at the end.
class Folder {
 public:
  Folder()
      : path_(std::filesystem::temp_directory_path() / ("kraftsim-scenario-" + std::to_string(::getpid()))) {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string file(const std::string& name, std::string_view text) const {
    const std::filesystem::path path = path_ / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
    return path.string();
  }
  std::string path(const std::string& name = "") const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

inline Result<Scenario> load_text(std::string_view text, const std::vector<Override>& overrides = {}) {
  const Folder folder;
  return load(folder.file("scenario.yaml", text), overrides);
}

// "scenario.yaml:3:1-4: error: message (hint)", a line each; 1-4 are the columns underlined.
inline std::string print(const Problems& problems, const std::string& folder) {
  std::ostringstream out;
  for (const Problem& problem : problems) {
    std::string file = problem.file;
    std::string message = problem.message;
    for (std::string* text : {&file, &message}) {
      for (std::size_t at = text->find(folder); at != std::string::npos; at = text->find(folder))
        text->erase(at, folder.size());
    }
    out << file;
    if (problem.line > 0) out << ":" << problem.line << ":" << problem.column;
    if (problem.caret_length > 1) out << "-" << problem.column + problem.caret_length - 1;
    out << ": " << (problem.warning ? "warning: " : "error: ") << message;
    if (!problem.hint.empty()) out << " (" << problem.hint << ")";
    out << "\n";
  }
  return out.str();
}

inline std::string print(const Problems& problems) {
  return print(problems, std::filesystem::temp_directory_path().string() + "/kraftsim-scenario-" +
                             std::to_string(::getpid()) + "/");
}

inline std::string read(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace sim::scenario::test
