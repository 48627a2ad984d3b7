#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <deque>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/commands.h"
#include "app/first_difference.h"
#include "app/render_problems.h"
#include "app/say.h"
#include "cluster/cluster.h"
#include "judge/summary.h"
#include "report/build_id.h"
#include "report/sha256.h"
#include "report/version.h"
#include "report/words.h"
#include "scenario/files.h"
#include "scenario/scenario.h"
#include "trace/event_log.h"
#include "trace/meaning.h"

// `kraftsim replay RUN`: plays a run again from its scenario.resolved.yaml and compares fingerprints. A
// folder whose files were changed is told from a run that is not repeated: the manifest has the sum of each.
namespace sim::app {
namespace {

struct Recorded {
  std::string version;
  std::string build;  // empty: recorded before it was kept
  std::map<std::string, std::string>
      sums;  // sha256 of each file, by name; empty: recorded before there were any
  std::uint64_t events = 0;
  std::optional<Instant> end;  // unknown: recorded before it was kept
  std::string fingerprint;
  std::string meaning;                // empty: recorded before there was one
  std::optional<trace::Level> trace;  // of its events.jsonl; nullopt: there is none
};

Result<Recorded> read_recorded(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "manifest.json";
  std::ifstream in(file);
  if (!in) {
    return Problem{.file = folder.string(),
                   .message = "is not a run: it has no manifest.json",
                   .hint = "a run is a folder such as runs/order-flow/1, or runs/latest"};
  }
  const auto json = nlohmann::json::parse(in, nullptr, false);
  if (!json.is_object() || !json.contains("events") || !json["events"].is_number_unsigned() ||
      !json.contains("fingerprint") || !json["fingerprint"].is_string()) {
    return Problem{.file = file.string(),
                   .message = "is not the manifest of a run: events or fingerprint is missing"};
  }
  Recorded recorded;
  recorded.events = json["events"].get<std::uint64_t>();
  recorded.fingerprint = json["fingerprint"].get<std::string>();
  if (json.contains("end_ns") && json["end_ns"].is_number_unsigned())
    recorded.end = Instant{} + Duration{json["end_ns"].get<std::int64_t>()};
  if (json.contains("meaning") && json["meaning"].is_string()) recorded.meaning = json["meaning"];
  recorded.version = json.value("version", "");
  recorded.build = json.value("build", "");
  if (json.contains("files") && json["files"].is_object()) {
    for (const auto& [name, entry] : json["files"].items()) {
      if (entry.is_object() && entry.contains("sha256") && entry["sha256"].is_string())
        recorded.sums[name] = entry["sha256"];
    }
  }
  if (json.contains("trace") && json["trace"].is_string()) {
    const auto level = json["trace"].get<std::string>();
    if (level == "control") recorded.trace = trace::Level::control;
    if (level == "full") recorded.trace = trace::Level::full;
  }
  return recorded;
}

class MeaningListener final : public observe::Observer {
 public:
  explicit MeaningListener(const observe::Names& names) : meaning_(names) {}
  void on(const observe::Observation& observation) override { meaning_.on(observation); }
  std::string text() const { return judge::fingerprint_text(meaning_.value()); }

 private:
  trace::Meaning meaning_;
};

// Compares what is written with the lines of a file, up to the first that differs.
class ComparingSink final : public trace::Sink {
 public:
  explicit ComparingSink(const std::filesystem::path& file) : recorded_(file) {}

  void write(std::string_view bytes) override {
    while (!bytes.empty() && !difference) {
      const std::size_t end = bytes.find('\n');
      line_ += bytes.substr(0, end);
      if (end == std::string_view::npos) return;
      bytes.remove_prefix(end + 1);
      compare(std::exchange(line_, {}));
    }
  }
  // All has been replayed: so must be all that was recorded.
  void end() {
    std::string more;
    if (!difference && std::getline(recorded_, more)) difference = Difference{more, ""};
  }

  struct Difference {
    std::string recorded, replayed;
  };
  std::optional<Difference> difference;
  std::deque<std::string> before;  // the last lines, at most ten, that were the same

 private:
  void compare(std::string replayed) {
    constexpr std::size_t kBefore = 10;
    std::string recorded;
    std::getline(recorded_, recorded);
    if (replayed != recorded) {
      difference = Difference{std::move(recorded), std::move(replayed)};
      return;
    }
    before.push_back(std::move(recorded));
    if (before.size() > kBefore) before.pop_front();
  }

  std::ifstream recorded_;
  std::string line_;
};

// What of a run's folder is not as the run left it.
struct Changes {
  std::vector<std::string> inputs;  // what would be played is not what was played
  std::vector<std::string> results;
};

Changes find_changes(const std::filesystem::path& folder, const Recorded& recorded) {
  Changes changes;
  for (const auto& [name, sum] : recorded.sums) {
    report::Sha256 sha;
    std::string why_not;
    const bool is_read = scenario::copy_file((folder / name).string(),
                                             [&](std::string_view bytes) { sha.update(bytes); }, why_not);
    if (is_read && sha.finish() == sum) continue;
    const bool is_input = name == "scenario.resolved.yaml" || name.starts_with("inputs/");
    (is_input ? changes.inputs : changes.results).push_back(name + (is_read ? "" : " (" + why_not + ")"));
  }
  return changes;
}

int refuse_changed_inputs(const std::filesystem::path& folder, const Changes& changes,
                          const Terminal& terminal) {
  Problems problems;
  for (const std::string& name : changes.inputs) {
    Problem problem;
    problem.file = (folder / name).string();
    problem.message = "the input was changed since the run: it is not what was played";
    problem.hint = "kraftsim run " + report::shell_word((folder / "scenario.resolved.yaml").string()) +
                   " plays what is there now";
    problems.push_back(std::move(problem));
  }
  return refuse(problems, terminal);
}

// Played again it is the same; what was changed is told all the same.
int tell_same(const Recorded& recorded, const std::string& fingerprint, const std::string& meaning,
              const Changes& changes, bool quiet) {
  if (!quiet) {
    print(stdout, fmt::format("SAME  {} events, fingerprint {}, meaning {}\n", recorded.events, fingerprint,
                              meaning));
  }
  if (changes.results.empty()) return number(ExitCode::held);
  std::string text = "EDITED  the run is the same, but these files are not what it wrote:";
  for (const std::string& name : changes.results) text += "\n  " + printable(name);
  print(stdout, text + "\n");
  return number(ExitCode::usage);
}

}  // namespace

int replay_command(const ReplayOptions& options, const Terminal& terminal) {
  const std::filesystem::path folder = options.run;
  const Result<Recorded> recorded = read_recorded(folder);
  if (!recorded) return refuse(recorded.problems(), terminal);
  const Changes changes = find_changes(folder, *recorded);
  if (!changes.inputs.empty()) return refuse_changed_inputs(folder, changes, terminal);
  const Result<scenario::Scenario> scenario =
      scenario::load((folder / "scenario.resolved.yaml").string(), {});
  if (!scenario) return refuse(scenario.problems(), terminal);

  cluster::Cluster world(scenario->cluster);
  std::optional<ComparingSink> sink;
  std::unique_ptr<trace::EventLog> log;
  const bool has_trace = recorded->trace && !std::any_of(changes.results.begin(), changes.results.end(),
                                                         [](const std::string& name) {
                                                           return name.starts_with("events.jsonl");
                                                         });
  if (has_trace) {
    sink.emplace(folder / "events.jsonl");
    log = std::make_unique<trace::EventLog>(*sink, *recorded->trace, world.names());
    world.observe(*log);
  }
  MeaningListener meaning(world.names());
  world.observe(meaning);
  while (world.events_fired() < recorded->events && world.step()) {
  }
  // A run that was ended by its time limit lasted beyond its last event.
  if (recorded->end && *recorded->end > world.now()) {
    world.set_time_limit(*recorded->end);
    world.step();
  }
  world.end_faults();
  if (log) {
    log->flush();
    sink->end();
  }
  const std::string fingerprint = judge::fingerprint_text(world.fingerprint());
  const bool same = world.events_fired() == recorded->events && fingerprint == recorded->fingerprint &&
                    (recorded->meaning.empty() || meaning.text() == recorded->meaning);
  if (same && !(sink && sink->difference)) {
    return tell_same(*recorded, fingerprint, meaning.text(), changes, options.quiet);
  }
  std::string text = fmt::format(
      "DIFFERENT  recorded {} events, fingerprint {}, meaning {}\n"
      "           replayed {} events, fingerprint {}, meaning {}\n",
      recorded->events, recorded->fingerprint, recorded->meaning, world.events_fired(), fingerprint,
      meaning.text());
  if (sink && sink->difference) {
    text += difference_text("recorded", sink->difference->recorded, "replayed", sink->difference->replayed,
                            {sink->before.begin(), sink->before.end()});
  } else {
    text += "to see the first event that differs, record the run with --trace full and replay that\n";
  }
  text += recorded->build == report::build_id()
              ? std::string("the input and the program are what they were: determinism is broken\n")
              : fmt::format(
                    "the input is what it was; build {} of kraftsim {} recorded it, this is build {} of {}\n",
                    printable(recorded->build.empty() ? "?" : recorded->build), printable(recorded->version),
                    report::build_id(), report::kVersion);
  for (const std::string& name : changes.results) text += "edited since: " + printable(name) + "\n";
  print(stdout, text);
  return number(ExitCode::not_deterministic);
}

}  // namespace sim::app
