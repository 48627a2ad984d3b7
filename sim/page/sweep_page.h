#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "page/documents.h"

// The page of a sweep: how often each configuration failed and in which ways, a mark for each seed. A matrix
// is a sweep of several configurations.
namespace sim::page {

struct SweepSeed {
  std::size_t configuration = 0;
  std::uint64_t seed = 0;
  std::string outcome;  // held, failed, inconclusive, bug, crashed
  std::int64_t slowest =
      -1;  // of its orders' end-to-end latencies p99, or the longest where that is unknown, ns
  bool is_longest = false;  // `slowest` is the longest
};

struct SweepDocuments {
  Json summary;  // schema kraftsim-sweep-summary/1
  std::vector<SweepSeed> seeds;
  // The command that plays a seed with these settings, "path=value" each.
  std::function<std::string(const std::vector<std::string>& settings, std::uint64_t seed)> command;
  // Where the page of a seed's own run is, relative to this page; empty: nowhere.
  std::function<std::string(const std::string& configuration, std::uint64_t seed)> page_of_seed;
};

// Of the texts of a sweep's summary.json and results.jsonl; lines that are not understood are left out.
SweepDocuments sweep_documents(std::string_view summary, std::string_view results);

// REQUIRES: both functions are set
std::string page_of_sweep(const SweepDocuments& sweep);

}  // namespace sim::page
