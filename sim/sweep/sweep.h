#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "scenario/matrix.h"
#include "scenario/scenario.h"
#include "sweep/result.h"
#include "sweep/seed_list.h"

// Plays a scenario with many seeds, and with each in several configurations if there are some: every world in
// a process with one thread, as many processes at a time as there are jobs. Every configuration meets the
// same seeds, and what two of them have in common draws the same numbers, so that they can be compared in
// pairs.
namespace sim::sweep {

struct SweepSpec {
  std::string file;
  std::vector<scenario::Override> overrides;  // of all configurations
  scenario::Strictness strictness = scenario::Strictness::lenient;
  std::vector<scenario::Configuration> configurations{scenario::Configuration{}};
  SeedList seeds;
  Shard shard;
  std::size_t jobs = 1;
  std::uint64_t until_failures = 0;  // then no further seed is begun; 0: all of them
  std::filesystem::path folder;
  bool resume = false;  // plays only what the folder lacks
  bool force = false;   // replaces what is there

  std::vector<scenario::Override> overrides_of(std::size_t configuration) const;
};

struct SweepProgress {
  std::uint64_t done = 0;  // runs, those of an earlier sweep that is resumed included
  std::uint64_t of = 0;
  std::uint64_t played = 0;  // in this sweep
  std::uint64_t failed = 0;
  std::uint64_t crashed = 0;  // and bugs
};

class SweepListener {
 public:
  virtual ~SweepListener() = default;
  // Several times a second. False: stop now; what is under way is given up.
  virtual bool on(const SweepProgress& progress) = 0;
};

enum class SweepEnd : std::uint8_t { complete, enough_failures, stopped };

struct SweepRun {
  Results results;
  SweepEnd end = SweepEnd::complete;
};

// Results are in the folder's results.jsonl at every moment; when it ends they are in order.
Result<SweepRun> run_sweep(const SweepSpec& spec, SweepListener& listener);

}  // namespace sim::sweep
