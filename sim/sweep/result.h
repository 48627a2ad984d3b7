#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "judge/signature.h"
#include "judge/summary.h"
#include "scenario/matrix.h"
#include "sweep/seed_list.h"

// What is kept of each seed of a sweep: a line of JSON, after a first line that says what was swept. Nothing
// in it depends on the machine, on the order in which seeds were played or on how long they took.
namespace sim::sweep {

enum class Outcome : std::uint8_t {
  held,
  failed,
  inconclusive,
  bug,      // an internal check of the simulator failed
  crashed,  // its process died: this is the machine's doing or a bug of the simulator
};
const char* name(Outcome outcome);

struct SeedResult {
  std::size_t configuration = 0;
  std::uint64_t seed = 0;
  Outcome outcome = Outcome::held;
  std::vector<judge::Signature> signatures{};     // of a failure
  std::string note{};                             // why inconclusive; which bug; how it crashed
  std::map<std::string, std::int64_t> metrics{};  // lost, e2e_p99_ns, ...
  std::set<std::string> situations{};             // rare ones it has been in: situations.h
  std::uint64_t events = 0;
  std::int64_t end_ns = 0;
  std::int64_t failed_at_ns = -1;  // when the first of what failed went wrong; -1: unknown, or nothing failed
  std::string fingerprint{};
  std::string meaning{};

  bool operator==(const SeedResult&) const = default;
};

// `situations` are those told while it was played.
SeedResult result_of(std::size_t configuration, const judge::Summary& summary,
                     std::set<std::string> situations = {});

// What was swept: two results belong together only if their heads agree but for the shard.
struct Head {
  std::string build;
  std::string scenario;  // its name
  std::string sha256;    // of its file
  std::string seeds;
  std::vector<scenario::Configuration> configurations;  // one without a name: the scenario as it is
  Shard shard;                                          // 1/1: all of it

  bool operator==(const Head& other) const;
  // The first thing in which two heads differ, the shard apart: "build 0123 and build 4567"; empty: nothing.
  std::string difference(const Head& other) const;
};

// A line, its end included.
std::string to_line(const Head& head);
std::string to_line(const SeedResult& result);
std::optional<Head> read_head(std::string_view line);
std::optional<SeedResult> read_result(std::string_view line);

// The results of a sweep, by configuration, then by seed.
struct Results {
  Head head;
  std::map<std::pair<std::size_t, std::uint64_t>, SeedResult> by_seed;

  // In that order, the bytes of a results file.
  std::string text() const;
};

}  // namespace sim::sweep
