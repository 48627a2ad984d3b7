#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

// index.html of a folder: the runs and sweeps below it, the newest scenario names first as they are sorted.
namespace sim::page {

struct IndexEntry {
  std::string path;      // of its folder, relative to the index
  std::string scenario;  // its name
  bool is_sweep = false;
  std::string which;    // its seed, or the seeds of a sweep
  std::string verdict;  // ok, failed, inconclusive; empty: unknown
  std::string orders;   // what became of them, or of the runs of a sweep
  std::string p99;      // end to end
  bool has_page = false;
};

struct FoundRuns {
  std::vector<IndexEntry> entries;  // by path
  std::size_t unreadable = 0;       // folders with a manifest or results whose summary cannot be read
};

// Looks some folders deep; those that a run or a sweep has in its own folder are not looked into. Links are
// not followed.
FoundRuns find_runs(const std::filesystem::path& folder);

std::string page_of_index(const std::string& folder, const FoundRuns& found);

}  // namespace sim::page
