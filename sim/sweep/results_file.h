#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "base/result.h"
#include "sweep/result.h"

// The file of a sweep's results. While it goes on each finished seed is appended as a line, with one write,
// so that a killed sweep has all that it had finished; when it is over the lines are put in order, as a
// whole.
namespace sim::sweep {

inline constexpr const char* kResultsFile = "results.jsonl";

// `where` is the file or the folder it is in. A last line that was cut off is left out, with a warning.
Result<Results> read_results(const std::filesystem::path& where);

class ResultsFile {
 public:
  // A new one; what stood there is replaced.
  static Result<std::unique_ptr<ResultsFile>> create(const std::filesystem::path& file, const Head& head);
  // Goes on with the one that is there. REQUIRES: it has been read, and is of this head
  static Result<std::unique_ptr<ResultsFile>> go_on(const std::filesystem::path& file, const Results& so_far);
  ~ResultsFile();
  ResultsFile(const ResultsFile&) = delete;
  ResultsFile& operator=(const ResultsFile&) = delete;

  // If it fails, the file holds all that was appended before.
  std::optional<Problem> append(const SeedResult& result);

 private:
  ResultsFile(std::filesystem::path file, int descriptor) : file_(std::move(file)), descriptor_(descriptor) {}
  static Result<std::unique_ptr<ResultsFile>> open(const std::filesystem::path& file,
                                                   const std::string& content);
  std::optional<Problem> write_line(const std::string& line);

  std::filesystem::path file_;
  int descriptor_;
};

// Puts a file in place as a whole, folders above it included: if it fails, what stood there still does.
std::optional<Problem> write_whole(const std::filesystem::path& file, const std::string& content);

// Those of all of them. They must be of one sweep: the same build, scenario, seeds and configurations; a seed
// that two of them hold must have given the same. Neither the order of the parts nor how often one is given
// makes a difference.
Result<Results> merge(const std::vector<std::filesystem::path>& parts);

}  // namespace sim::sweep
