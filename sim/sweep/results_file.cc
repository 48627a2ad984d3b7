#include "sweep/results_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>

namespace sim::sweep {
namespace {

Problem problem_of(const std::filesystem::path& file, std::string message, std::string hint = {}) {
  Problem problem;
  problem.file = file.string();
  problem.message = std::move(message);
  problem.hint = std::move(hint);
  return problem;
}

Problem system_problem(const std::filesystem::path& file, const char* what) {
  return problem_of(file, std::string(what) + ": " + std::strerror(errno));
}

}  // namespace

Result<Results> read_results(const std::filesystem::path& where) {
  std::error_code ignored;
  const bool is_folder = std::filesystem::is_directory(where, ignored);
  const std::filesystem::path file = is_folder ? where / kResultsFile : where;
  std::ifstream in(file, std::ios::binary);
  if (!in) {
    return problem_of(where,
                      is_folder ? std::string("is no sweep: it has no ") + kResultsFile
                                : "cannot be read: there is no such sweep",
                      "a sweep is a folder such as runs/order-flow/sweep");
  }
  std::string line;
  std::getline(in, line);
  const std::optional<Head> head = in.eof() ? std::nullopt : read_head(line);
  if (!head) return problem_of(file, "holds no results of a sweep: its first line does not say of what");
  Results results{*head, {}};
  Problems warnings;
  for (int number = 2; std::getline(in, line); ++number) {
    const bool is_cut = in.eof();  // no line feed ends it
    const std::optional<SeedResult> result = is_cut ? std::nullopt : read_result(line);
    if (result && result->configuration < head->configurations.size()) {
      const auto [known, is_new] =
          results.by_seed.try_emplace({result->configuration, result->seed}, *result);
      if (!is_new) known->second = *result;  // played again: the later one counts
      continue;
    }
    if (is_cut || in.peek() == std::ifstream::traits_type::eof()) {
      Problem cut =
          problem_of(file, "its last line was cut off and is left out", "--resume plays that seed again");
      cut.line = number;
      cut.warning = true;
      warnings.push_back(std::move(cut));
      break;
    }
    Problem broken = problem_of(file, "is not the result of a seed",
                                "take that line out, and --resume plays its seed again");
    broken.line = number;
    return broken;
  }
  return Result<Results>(std::move(results), std::move(warnings));
}

Result<std::unique_ptr<ResultsFile>> ResultsFile::open(const std::filesystem::path& file,
                                                       const std::string& content) {
  if (auto failed = write_whole(file, content)) return *failed;
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  if (descriptor < 0) return system_problem(file, "cannot be written");
  return std::unique_ptr<ResultsFile>(new ResultsFile(file, descriptor));
}

Result<std::unique_ptr<ResultsFile>> ResultsFile::create(const std::filesystem::path& file,
                                                         const Head& head) {
  return open(file, to_line(head));
}

Result<std::unique_ptr<ResultsFile>> ResultsFile::go_on(const std::filesystem::path& file,
                                                        const Results& so_far) {
  return open(file, so_far.text());
}

ResultsFile::~ResultsFile() {
  ::close(descriptor_);
}

std::optional<Problem> ResultsFile::append(const SeedResult& result) {
  return write_line(to_line(result));
}

// What a full disk has taken of a line is taken back: a half one is worth nothing.
std::optional<Problem> ResultsFile::write_line(const std::string& line) {
  const off_t before = ::lseek(descriptor_, 0, SEEK_END);
  std::size_t written = 0;
  while (written < line.size()) {
    const ssize_t count = ::write(descriptor_, line.data() + written, line.size() - written);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      Problem problem = system_problem(file_, "cannot be written");
      problem.hint = "what was finished before is in it; --resume goes on from there";
      if (written != 0 && ::ftruncate(descriptor_, before) != 0)
        problem.hint = "its last line may be cut off";
      return problem;
    }
    written += static_cast<std::size_t>(count);
  }
  return std::nullopt;
}

std::optional<Problem> write_whole(const std::filesystem::path& file, const std::string& content) {
  std::error_code error;
  if (file.has_parent_path()) std::filesystem::create_directories(file.parent_path(), error);
  if (error) return problem_of(file.parent_path(), "cannot be made: " + error.message());
  const std::filesystem::path aside = file.string() + ".part-" + std::to_string(::getpid());
  {
    std::ofstream out(aside, std::ios::binary | std::ios::trunc);
    out << content;
    out.flush();
    if (!out) {
      Problem problem = system_problem(file, "cannot be written");
      out.close();
      std::filesystem::remove(aside, error);
      return problem;
    }
  }
  std::filesystem::rename(aside, file, error);
  if (!error) return std::nullopt;
  Problem problem = problem_of(file, "cannot be written: " + error.message());
  std::filesystem::remove(aside, error);
  return problem;
}

Result<Results> merge(const std::vector<std::filesystem::path>& parts) {
  std::optional<Results> all;
  Problems warnings;
  for (const std::filesystem::path& part : parts) {
    Result<Results> read = read_results(part);
    if (!read) return read.problems();
    warnings.insert(warnings.end(), read.problems().begin(), read.problems().end());
    if (!all) {
      all = Results{read->head, {}};
      all->head.shard = Shard{};
    }
    if (const std::string difference = all->head.difference(read->head); !difference.empty()) {
      return problem_of(part, "is of another sweep than " + parts.front().string() + ": " + difference,
                        "only results of one build, scenario, list of seeds and matrix add up");
    }
    for (const auto& [key, result] : read->by_seed) {
      const auto [known, is_new] = all->by_seed.try_emplace(key, result);
      const bool is_other = !is_new && !(known->second == result);
      if (!is_other) continue;
      // A process that died says nothing of the seed: the other part knows better.
      if (known->second.outcome == Outcome::crashed) {
        known->second = result;
      } else if (result.outcome != Outcome::crashed) {
        return problem_of(part,
                          "seed " + std::to_string(key.second) + " gave something else than in another part",
                          "play it twice: kraftsim run --check-determinism");
      }
    }
  }
  if (!all) return problem_of("merge", "there is nothing to merge");
  return Result<Results>(std::move(*all), std::move(warnings));
}

}  // namespace sim::sweep
