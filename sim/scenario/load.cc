#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "scenario/build.h"
#include "scenario/complete.h"
#include "scenario/dialects.h"
#include "scenario/drawn.h"
#include "scenario/expectations.h"
#include "scenario/faults.h"
#include "scenario/files.h"
#include "scenario/overrides.h"
#include "scenario/properties.h"
#include "scenario/resolved.h"
#include "scenario/scenario.h"
#include "scenario/traces.h"
#include "scenario/tree.h"
#include "scenario/units.h"
#include "scenario/validate.h"
#include "scenario/walk.h"

namespace sim::scenario {

namespace {

std::string stem_of(const std::string& file) {
  return file.starts_with('@') ? file.substr(1) : std::filesystem::path(file).stem().string();
}

// Each once, with what was said of it where it stood first: "local.retention.ms (of topics)".
std::string names_of(const std::vector<Walk::Accepted>& properties) {
  std::string names;
  std::set<std::string_view> seen;
  for (const Walk::Accepted& property : properties) {
    const std::string_view name = std::string_view(property.name).substr(0, property.name.find(" ("));
    if (seen.insert(name).second) names += (names.empty() ? "" : ", ") + property.name;
  }
  return names;
}

// One notice for all of them, at the first.
void notice_accepted(const std::vector<Walk::Accepted>& accepted, Report& report) {
  if (accepted.empty()) return;
  const auto known = std::find_if(accepted.begin(), accepted.end(), [](const Walk::Accepted& one) {
    return find_property(one.name, kBroker | kController | kTopic | kProducer | kConsumer) != nullptr;
  });
  report.warning(accepted.front().place, "without effect here: " + names_of(accepted),
                 known == accepted.end() ? "" : "kraftsim explain " + known->name + " says more");
}

void notice_foreign(const std::vector<Walk::Accepted>& foreign, Report& report) {
  if (foreign.empty()) return;
  report.warning(foreign.front().place,
                 "Kafka does not read these there and ignores them, and so do we: " + names_of(foreign),
                 "--strict refuses them");
}

// Asked for by `then: converge`.
judge::Expectation must_converge(const std::string& file, const Value& root) {
  judge::Expectation expectation;
  expectation.id = "converges";
  expectation.metric = "unconverged";
  expectation.statistic = "value";
  expectation.comparison = judge::Comparison::equal;
  expectation.limit = 0;
  expectation.limit_text = "= 0";
  const int line = root.at("then").place.line;
  expectation.source = line == 0 ? file : file + ":" + std::to_string(line);
  return expectation;
}

Scenario assemble(const std::string& file, const Value& root, const Traces& traces,
                  std::vector<judge::Expectation> expectations, Report& report) {
  const auto duration = [&root](std::string_view key) {
    return Duration{*read_scalar(root.at(key).text, UnitKind::duration).value};
  };
  const auto whole = [&root](std::string_view key) {
    return static_cast<std::uint64_t>(*read_scalar(root.at(key).text, UnitKind::none).value);
  };
  Scenario scenario;
  scenario.file = file;
  scenario.name = root.at("name").text;
  if (const Value* about = root.find("about")) scenario.about = about->text;
  scenario.duration = duration("duration");
  scenario.drain = duration("drain");
  scenario.warmup = duration("warmup");
  scenario.converges = root.at("then").text == "converge";
  scenario.seed = whole("seed");
  scenario.event_budget = whole("event.budget");
  scenario.cluster = build_cluster(root, traces, report);
  scenario.cluster.heals_when_load_ends = scenario.converges;
  scenario.expectations = std::move(expectations);
  if (scenario.converges) scenario.expectations.push_back(must_converge(file, root));
  scenario.resolved_yaml = print_yaml(root);
  Value portable = root;
  scenario.inputs = name_inputs(portable);
  scenario.portable_yaml = scenario.inputs.empty() ? scenario.resolved_yaml : print_yaml(portable);
  return scenario;
}

// Walked, completed, and held against itself.
void resolve(Value& root, Walk& walk, const std::string& file, Report& report) {
  wait_from_the_start(root);
  walk.scenario(root);
  use_server_identity(root, report);
  complete(root, stem_of(file), report);
  validate_cluster(root, report);
  validate_topics(root, report);
  validate_clients(root, report);
  validate_faults(root, report);
  validate_limits(root, report);
}

}  // namespace

Result<Scenario> load(const std::string& file, const std::vector<Override>& overrides,
                      Strictness strictness) {
  std::string text, why_not;
  if (!read_file(file, kMaxFileBytes, text, why_not)) {
    Problem problem;
    problem.file = file;
    problem.message = why_not;
    if (const std::string similar = similar_scenario(file); !similar.empty() && similar != file)
      problem.hint = "did you mean " + similar + "?";
    return problem;
  }
  return load_text(file, std::move(text), overrides, strictness);
}

Result<Scenario> load_text(const std::string& file, std::string text, const std::vector<Override>& overrides,
                           Strictness strictness) {
  Report report;
  const int source = report.add_source(file, text);
  std::optional<Value> read = read_yaml(text, source, report);
  if (!read) return report.take();
  Value root = std::move(*read);
  if (!root.is_map()) {
    report.error(root.place.line == 0 ? Place{source} : root.place,
                 "a scenario is a map of keys, not " + describe(root), "try: kraftsim run @order-flow");
    return report.take();
  }
  apply_overrides(root, overrides, report);
  draw_variations(root, overrides, report);
  Walk walk(file, strictness, report);
  resolve(root, walk, file, report);
  if (!report.failed() && draw_chaos(root, report) && !report.failed()) {
    Walk again(file, strictness, report);  // of what was drawn as of what was written
    resolve(root, again, file, report);
  }
  std::vector<judge::Expectation> expectations = read_expectations(root, report);
  std::vector<InvariantOff> invariants_off = read_invariants_off(root, report);
  const Traces traces = read_traces(root, report);
  if (report.failed()) return report.take();
  notice_accepted(walk.accepted(), report);
  notice_foreign(walk.foreign(), report);
  Scenario scenario = assemble(file, root, traces, std::move(expectations), report);
  if (report.failed()) return report.take();
  scenario.invariants_off = std::move(invariants_off);
  scenario.source_text = std::move(text);
  return Result<Scenario>(std::move(scenario), report.take());
}

}  // namespace sim::scenario
