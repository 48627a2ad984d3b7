#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "scenario/loading.h"
#include "scenario/scenario.h"

// Every case of problems.txt: a scenario, and below ---- the problems that loading it must find. With
// KRAFTSIM_REWRITE set, the file is written anew from what was found; the diff is read before it is kept.
namespace sim::scenario::test {

namespace {

constexpr const char* kFile = "tests/scenario/problems.txt";

struct Case {
  std::string title;
  std::string text;                                        // all of it, as it stands in the file
  std::vector<Override> overrides;                         // lines "$ --set path=value"
  std::vector<std::pair<std::string, std::string>> files;  // the scenario, then lines "@@ name" begin others
  std::string want;
};

std::vector<Case> read_cases() {
  std::ifstream in(kFile);
  std::vector<Case> cases;
  bool wanted = false;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("== ")) {
      cases.push_back(Case{line.substr(3), "", {}, {{"scenario.yaml", ""}}, ""});
      wanted = false;
    } else if (cases.empty()) {
      continue;
    } else if (line == "----") {
      wanted = true;
    } else if (wanted) {
      if (!line.empty()) cases.back().want += line + "\n";
    } else {
      Case& now = cases.back();
      now.text += line + "\n";
      if (line.starts_with("$ --set ")) {
        const std::size_t equals = line.find('=');
        now.overrides.push_back(Override{line.substr(8, equals - 8), line.substr(equals + 1)});
      } else if (line.starts_with("@@ ")) {
        now.files.emplace_back(line.substr(3), "");
      } else {
        now.files.back().second += line + "\n";
      }
    }
  }
  return cases;
}

std::string found(const Case& one) {
  const Folder folder;
  for (const auto& [name, text] : one.files) folder.file(name, text);
  const Result<Scenario> result = load(folder.path("scenario.yaml"), one.overrides);
  for (const Problem& problem : result.problems()) {
    CHECK(problem.column + problem.caret_length <= static_cast<int>(problem.source_line.size()) + 1);
  }
  return print(result.problems());
}

}  // namespace

TEST_CASE("every mistake gets its message, its place and, where there is one, the way out") {
  const std::vector<Case> cases = read_cases();
  REQUIRE(cases.size() >= 100);
  const bool rewrite = std::getenv("KRAFTSIM_REWRITE") != nullptr;
  std::string rewritten;
  for (const Case& one : cases) {
    CAPTURE(one.title);
    const std::string got = found(one);
    if (!rewrite) CHECK(got == one.want);
    rewritten += "== " + one.title + "\n" + one.text + "----\n" + got + "\n";
  }
  if (rewrite) std::ofstream(kFile) << rewritten;
}

}  // namespace sim::scenario::test
