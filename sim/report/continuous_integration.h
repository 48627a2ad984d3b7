#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"
#include "judge/summary.h"

// What continuous integration shows of a run or a sweep: JUnit's XML, GitHub's annotations.
namespace sim::report {

// Workflow commands ("::error file=shop.yaml,line=12,title=...::..."), one a line: an error for each
// expectation that failed and each invariant that was broken, a warning for what is inconclusive. `file` is
// the scenario as it was given: annotations stand at its lines.
std::string github_annotations(const judge::Summary& summary, const std::string& file);
// Of problems with a scenario: errors, and warnings.
std::string github_annotations(const Problems& problems);
// The same of summary.json, of a run or of a sweep. Fails if it cannot be read.
Result<std::string> github_of(const std::filesystem::path& folder);
// One command, with what GitHub would misread escaped. `line` 0: of the whole file; `file` empty: of none.
std::string github_command(const char* level, const std::string& file, int line, const std::string& title,
                           const std::string& message);

// A test case for each expectation and one for the invariants; of a sweep one for each configuration. What is
// inconclusive is an error, as it is for the exit code.
Result<std::string> junit_of(const std::filesystem::path& folder);

}  // namespace sim::report
