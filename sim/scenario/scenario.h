#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "cluster/spec.h"
#include "judge/expectation.h"

// A scenario, validated and complete: nothing in it is left to a default.
namespace sim::scenario {

struct InvariantOff {
  std::string name;
  std::string because;
};

// A file that a scenario names, and what its copy beside the resolved scenario is called.
struct InputFile {
  std::string path;  // as it was found; built in, if it begins with @
  std::string name;  // "inputs/orders.csv"
};

struct Scenario {
  std::string file;  // as given on the command line
  std::string name;
  std::string about;
  Duration duration{};  // orders are placed until then ...
  Duration drain{};  // ... and what is under way may take this much longer; the run ends when all is settled
  // Whether after the drain's beginning every fault is taken back, and the run goes on until all replicas are
  // in sync.
  bool converges = false;
  Duration warmup{};  // samples of orders intended before are left out of summaries
  std::uint64_t seed = 1;
  std::uint64_t event_budget = 0;  // 0 = none
  cluster::ClusterSpec cluster;
  std::vector<judge::Expectation> expectations;
  std::vector<InvariantOff> invariants_off;
  std::string source_text;    // the file, for its sha256
  std::string resolved_yaml;  // every default filled in; runnable by itself
  // The same for the folder of a run, beside copies of the files that it names: they go with it.
  std::string portable_yaml;
  std::vector<InputFile> inputs;
};

// `--set path=value`, such as clients.order-service.config.linger.ms=20. Applied before validation.
struct Override {
  std::string path;
  std::string value;
};

// As a command that is printed may show it: passwords are hidden.
std::string shown(const Override& override);

// What becomes of a property that Kafka does not know: it ignores it, so it is listed and let in, or refused.
enum class Strictness : std::uint8_t { lenient, strict };

// One pass: every problem of the file, each with line and column. A file that starts with @ is built in.
Result<Scenario> load(const std::string& file, const std::vector<Override>& overrides,
                      Strictness strictness = Strictness::lenient);
// The same of a text; what it names lies where it would for `file`.
Result<Scenario> load_text(const std::string& file, std::string text, const std::vector<Override>& overrides,
                           Strictness strictness = Strictness::lenient);

}  // namespace sim::scenario
