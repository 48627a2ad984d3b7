#include "sweep/sweep.h"

#include <memory>
#include <new>
#include <optional>
#include <utility>

#include "base/check.h"
#include "play/run.h"
#include "report/build_id.h"
#include "report/sha256.h"
#include "sweep/results_file.h"
#include "sweep/situations.h"
#include "sweep/workers.h"

namespace sim::sweep {
namespace {

Problem problem_about(const std::filesystem::path& where, std::string message, std::string hint = {}) {
  Problem problem;
  problem.file = where.string();
  problem.message = std::move(message);
  problem.hint = std::move(hint);
  return problem;
}

Result<scenario::Scenario> load_task(const SweepSpec& spec, const Task& task) {
  std::vector<scenario::Override> overrides = spec.overrides_of(task.configuration);
  overrides.push_back({"seed", std::to_string(task.seed)});
  return scenario::load(spec.file, overrides, spec.strictness);
}

SeedResult trouble(const Task& task, Outcome outcome, std::string note) {
  SeedResult result{task.configuration, task.seed};
  result.outcome = outcome;
  result.note = std::move(note);
  return result;
}

SeedResult play_task(const SweepSpec& spec, const std::string& sha256, const Task& task) {
  try {
    const Result<scenario::Scenario> scenario = load_task(spec, task);
    if (!scenario)
      return trouble(task, Outcome::bug,
                     "with this seed it is no scenario: " + scenario.problems().front().message);
    if (report::Sha256::of(scenario->source_text) != sha256)
      return trouble(task, Outcome::crashed, "the scenario's file was changed during the sweep");
    play::Run run(*scenario);
    Situations situations;
    run.world().observe(situations);
    const judge::Summary summary = run.finish();
    return result_of(task.configuration, summary, situations.seen());
  } catch (const InternalError& bug) {
    return trouble(task, Outcome::bug, bug.what());
  } catch (const std::bad_alloc&) {
    return trouble(task, Outcome::crashed, "out of memory");
  }
}

class Sweep {
 public:
  Sweep(const SweepSpec& spec, SweepListener& listener, Results results, ResultsFile& file)
      : spec_(spec), listener_(listener), results_(std::move(results)), file_(file) {
    for (std::uint64_t i = 0; i < spec.seeds.size(); ++i) in_shard_ += spec.shard.holds(i) ? 1 : 0;
    progress_.of = in_shard_ * spec.configurations.size();
    for (const auto& [key, result] : results_.by_seed) count(result);
  }

  std::optional<Problem> play() {
    Workers workers(spec_.jobs, [this](const Task& task) {
      std::string line = to_line(play_task(spec_, results_.head.sha256, task));
      line.pop_back();
      return line;
    });
    std::optional<Task> next = next_task();
    while (true) {
      const bool has_enough = spec_.until_failures != 0 && progress_.failed >= spec_.until_failures;
      if (has_enough) end_ = SweepEnd::enough_failures;
      while (next && !has_enough && workers.has_idle()) {
        std::string why_not;
        if (!workers.start(*next, why_not))
          return problem_about("sweep", "no process can be started: " + why_not);
        next = next_task();
      }
      if (!workers.has_busy()) break;
      constexpr int kShowEveryMs = 200;
      for (const Workers::Finished& one : workers.wait(kShowEveryMs)) {
        if (auto failed = keep(one)) return failed;
      }
      if (listener_.on(progress_)) continue;
      end_ = SweepEnd::stopped;
      break;
    }
    if (end_ == SweepEnd::enough_failures && !next && progress_.done == progress_.of)
      end_ = SweepEnd::complete;
    return std::nullopt;
  }

  SweepRun take() { return {std::move(results_), end_}; }

 private:
  void count(const SeedResult& result) {
    ++progress_.done;
    if (result.outcome == Outcome::failed) ++progress_.failed;
    if (result.outcome == Outcome::bug || result.outcome == Outcome::crashed) ++progress_.crashed;
  }

  // All configurations of a seed, then the next seed: what is compared is there early.
  std::optional<Task> next_task() {
    while (seed_ < spec_.seeds.size()) {
      const Task task{configuration_, spec_.seeds[seed_]};
      const bool is_ours = spec_.shard.holds(seed_);
      if (++configuration_ == spec_.configurations.size()) {
        configuration_ = 0;
        ++seed_;
      }
      if (is_ours && !results_.by_seed.contains({task.configuration, task.seed})) return task;
    }
    return std::nullopt;
  }

  std::optional<Problem> keep(const Workers::Finished& finished) {
    SeedResult result = trouble(finished.task, Outcome::crashed, finished.death);
    if (finished.death.empty()) {
      const std::optional<SeedResult> read = read_result(finished.answer);
      SIM_CHECK(read.has_value(), "a worker answers with a result");
      result = *read;
    }
    if (auto failed = file_.append(result)) return failed;
    ++progress_.played;
    count(result);
    results_.by_seed.insert_or_assign({result.configuration, result.seed}, std::move(result));
    return std::nullopt;
  }

  const SweepSpec& spec_;
  SweepListener& listener_;
  Results results_;
  ResultsFile& file_;
  SweepProgress progress_;
  SweepEnd end_ = SweepEnd::complete;
  std::uint64_t in_shard_ = 0;
  std::uint64_t seed_ = 0;  // of the next task: its place in the list
  std::size_t configuration_ = 0;
};

// What is already there and belongs to this sweep, seeds whose process died apart: they are played again.
Result<Results> find_earlier(const SweepSpec& spec, const Head& head) {
  std::error_code ignored;
  const std::filesystem::path file = spec.folder / kResultsFile;
  if (!std::filesystem::exists(file, ignored)) return Results{head, {}};
  if (spec.force) return Results{head, {}};
  if (!spec.resume) {
    return problem_about(spec.folder, "holds a sweep already",
                         "--resume plays what it lacks, --force begins anew, --out puts this one elsewhere");
  }
  Result<Results> earlier = read_results(file);
  if (!earlier) return earlier;
  std::string difference = head.difference(earlier->head);
  if (difference.empty() && !(head == earlier->head))
    difference = "shard " + head.shard.text() + " and shard " + earlier->head.shard.text();
  if (!difference.empty()) {
    return problem_about(spec.folder, "holds another sweep than this: " + difference,
                         "--force replaces it, --out puts this one elsewhere");
  }
  std::erase_if(earlier->by_seed, [](const auto& one) { return one.second.outcome == Outcome::crashed; });
  return earlier;
}

}  // namespace

std::vector<scenario::Override> SweepSpec::overrides_of(std::size_t configuration) const {
  std::vector<scenario::Override> all = overrides;
  const auto& own = configurations[configuration].overrides;
  all.insert(all.end(), own.begin(), own.end());
  return all;
}

Result<SweepRun> run_sweep(const SweepSpec& spec, SweepListener& listener) {
  Head head;
  for (std::size_t i = 0; i < spec.configurations.size(); ++i) {
    const Result<scenario::Scenario> scenario = load_task(spec, {i, spec.seeds[0]});
    if (!scenario) return scenario.problems();
    head.scenario = scenario->name;
    head.sha256 = report::Sha256::of(scenario->source_text);
  }
  head.build = report::build_id();
  head.seeds = spec.seeds.text();
  head.configurations = spec.configurations;
  for (std::size_t i = 0; i < spec.configurations.size(); ++i) {
    head.configurations[i].overrides = spec.overrides_of(i);
    for (scenario::Override& setting : head.configurations[i].overrides) {
      const std::string shown = scenario::shown(setting);
      setting.value = shown.substr(setting.path.size() + 1);
    }
  }
  head.shard = spec.shard;

  Result<Results> earlier = find_earlier(spec, head);
  if (!earlier) return earlier.problems();
  Results results = std::move(*earlier);
  results.head = head;
  const std::filesystem::path path = spec.folder / kResultsFile;
  auto file = results.by_seed.empty() ? ResultsFile::create(path, head) : ResultsFile::go_on(path, results);
  if (!file) return file.problems();
  Sweep sweep(spec, listener, std::move(results), **file);
  if (auto failed = sweep.play()) return *failed;
  SweepRun run = sweep.take();
  if (auto failed = write_whole(path, run.results.text())) return *failed;
  return run;
}

}  // namespace sim::sweep
