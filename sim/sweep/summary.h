#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "judge/signature.h"
#include "sweep/rate.h"
#include "sweep/result.h"

// A sweep on one page: how often each configuration failed, in which ways, and the smallest seed of each.
namespace sim::sweep {

struct SweepSummary {
  struct Group {  // runs that failed in the same way
    std::size_t configuration = 0;
    judge::Signature signature;
    std::uint64_t runs = 0;
    std::uint64_t smallest_seed = 0;
    std::string fingerprint{};  // of the run with the smallest seed
  };
  struct Trouble {  // bugs of the simulator and processes that died, by what was said
    std::size_t configuration = 0;
    std::string note;
    std::uint64_t runs = 0;
    std::uint64_t smallest_seed = 0;
  };
  struct Spread {  // of a metric over the seeds of a configuration
    std::uint64_t runs = 0;
    std::int64_t median = 0;
    std::int64_t most = 0;
    std::uint64_t seed_of_most = 0;  // the smallest
  };
  struct Configuration {
    std::string name;
    std::uint64_t runs = 0;
    std::uint64_t failed = 0;
    std::uint64_t inconclusive = 0;
    std::uint64_t crashed = 0;  // and bugs
    std::map<std::string, Spread> metrics;

    Rate rate() const { return {failed, runs - inconclusive - crashed}; }  // of those that said something
  };

  Head head;
  std::uint64_t expected = 0;  // runs of the whole; fewer are there if shards are missing or it was cut
  std::vector<Configuration> configurations;
  std::vector<Group> groups;  // by configuration, then the most frequent first
  std::vector<Trouble> troubles;
  std::vector<Trouble> inconclusive;  // why, the most frequent first

  std::map<std::string, std::uint64_t> situations;  // rare ones, in how many runs each was; 0: never

  std::uint64_t runs() const;
  std::uint64_t failed() const;
  std::uint64_t crashed() const;
  bool is_whole() const { return runs() == expected; }
};

SweepSummary summarize(const Results& results);

// How to play a seed of a configuration by itself, and where its files are (empty: nowhere).
struct Places {
  std::function<std::string(std::size_t configuration, std::uint64_t seed)> command;
  std::function<std::string(std::size_t configuration, std::uint64_t seed)> folder;
};
std::string to_text(const SweepSummary& summary, const Places& places);
// Without places, which differ from machine to machine.
std::string to_json(const SweepSummary& summary);

// 0 all held; 1 some failed; 3 some were inconclusive; 5 a bug, or a process that died.
int exit_code(const SweepSummary& summary);

}  // namespace sim::sweep
