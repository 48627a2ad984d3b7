#include "search/blame.h"

#include <algorithm>
#include <memory>
#include <new>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "base/contains.h"
#include "base/human.h"
#include "history/table.h"
#include "play/run.h"
#include "scenario/draft.h"
#include "sweep/workers.h"

namespace sim::search {
namespace {

using Json = nlohmann::ordered_json;
using scenario::Draft;
using scenario::DraftPath;

// A property and a value of it that protects, or that shows what the protection costs.
struct Protection {
  std::string_view key;
  std::string_view value;
};
constexpr Protection kOfProducers[] = {{"acks", "all"},
                                       {"enable.idempotence", "true"},
                                       {"acks", "1"},
                                       {"partitioner.availability.timeout.ms", "1000"},
                                       {"max.in.flight.requests.per.connection", "1"}};
constexpr Protection kOfConsumers[] = {{"auto.offset.reset", "earliest"},
                                       {"isolation.level", "read_committed"},
                                       {"session.timeout.ms", "120000"},
                                       {"max.poll.records", "20"},
                                       {"partition.assignment.strategy", "cooperative-sticky"},
                                       {"group.protocol", "consumer"},
                                       {"group.protocol", "classic"}};
constexpr Protection kOfTopics[] = {{"min.insync.replicas", "2"},
                                    {"min.insync.replicas", "1"},
                                    {"unclean.leader.election.enable", "false"},
                                    {"flush.messages", "1"},
                                    {"retention.ms", "604800000"},
                                    {"cleanup.policy", "delete"},
                                    {"min.compaction.lag.ms", "600000"},
                                    {"message.timestamp.type", "LogAppendTime"},
                                    {"message.timestamp.before.max.ms", "86400000"},
                                    {"segment.bytes", "1048576"}};
constexpr Protection kOfServers[] = {
    {"unclean.leader.election.enable", "false"},
    {"offsets.retention.minutes", "10080"},
    {"controller.quorum.fetch.timeout.ms", "10000"},
    {"replica.lag.time.max.ms", "30000"},
    {"leader.replication.throttled.rate", "300000"},
    {"leader.replication.throttled.rate", "150000"},
    {"replica.selector.class", "org.apache.kafka.common.replica.RackAwareReplicaSelector"}};

class Candidates {
 public:
  explicit Candidates(const scenario::Scenario& scenario) : draft_(scenario) {
    const fault::Schedule& faults = scenario.cluster.faults;
    for (std::size_t i = 0; i < faults.size(); ++i)
      found_.push_back({Counterfactual::What::without_fault, i, {}, "without " + faults[i].name, {}});
    for (const std::string& client : draft_.below({"clients"})) of_client(client);
    for (const std::string& topic : draft_.below({"topics"})) of_topic(topic);
    for (const Protection& one : kOfServers) property({"cluster", "config"}, one);
    for (const std::string& name : draft_.below({"cluster", "history"})) of_history(name);
  }

  std::vector<Counterfactual> take() { return std::move(found_); }

 private:
  void of_client(const std::string& client) {
    if (!draft_.has({"clients", client, "consumes"})) {
      for (const Protection& one : kOfProducers) property({"clients", client, "config"}, one);
      return;
    }
    for (const Protection& one : kOfConsumers) property({"clients", client, "config"}, one);
    for (const char* when : {"after-each", "after-batch"}) value({"clients", client, "commit"}, when);
    const auto if_there = [&](const char* key, const char* best) {
      if (draft_.has({"clients", client, key})) value({"clients", client, key}, best);
    };
    if_there("workers", "1");
    if_there("group.metadata", "true");
    if_there("transactional.id.per", "member");
    if (draft_.has({"clients", client, "produces"}) && !draft_.has({"clients", client, "transactional.id"})) {
      add({"clients", client, "commit"}, "transaction");
      found_.back().also = scenario::Override{"clients." + client + ".transactional.id", client};
      found_.back().text += " and transactional.id=" + client;
    }
  }
  void of_topic(const std::string& topic) {
    for (const Protection& one : kOfTopics) property({"topics", topic, "config"}, one);
    const auto factor = draft_.get({"topics", topic, "replication.factor"});
    if (factor == "1" || factor == "2") value({"topics", topic, "replication.factor"}, "3");
  }
  // As the newest release has it, or, if it already is, as the one before had.
  void of_history(const std::string& name) {
    const history::Switch* known = history::find_switch(name);
    if (known == nullptr) return;
    const std::string newest(history::behaviour_in(*known, kNewestKafka).word);
    const auto now = draft_.get({"cluster", "history", name});
    if (now == newest && newest == "on") return value({"cluster", "history", name}, "off");
    value({"cluster", "history", name}, newest);
    for (const char* truncation : {"epoch", "epoch-search", "fetch"}) {
      if (name == "truncation") value({"cluster", "history", name}, truncation);
    }
    if (newest == "off") value({"cluster", "history", name}, "on");
  }

  void property(const DraftPath& section, const Protection& one) {
    DraftPath path = section;
    path.emplace_back(one.key);
    if (draft_.get(path) == std::optional(std::string(one.value))) return;
    add(path, std::string(one.value));
  }
  void value(const DraftPath& path, std::string text) {
    if (draft_.get(path) != std::optional(text)) add(path, std::move(text));
  }
  void add(const DraftPath& path, std::string text) {
    const std::string dotted = joined(path, ".");
    for (const Counterfactual& one : found_) {
      if (one.setting.path == dotted && one.setting.value == text) return;
    }
    const std::string section = joined({path.begin(), path.end() - 1}, ".");
    found_.push_back({Counterfactual::What::with_setting, 0, {dotted, text}, dotted + "=" + text, section});
  }

  Draft draft_;
  std::vector<Counterfactual> found_;
};

std::string to_line(const Ending& ending) {
  return Json{{"verdict", static_cast<int>(ending.verdict)},
              {"signatures", ending.signatures},
              {"anomalies", ending.anomalies},
              {"known", ending.is_known}}
      .dump(-1, ' ', false, Json::error_handler_t::replace);
}

Ending read_ending(const std::string& line) {
  const Json json = Json::parse(line);
  Ending ending;
  ending.verdict = static_cast<judge::Verdict>(json.at("verdict").get<int>());
  ending.signatures = json.at("signatures").get<std::vector<std::string>>();
  ending.anomalies = json.at("anomalies").get<std::map<std::string, std::uint64_t>>();
  ending.is_known = json.at("known").get<bool>();
  return ending;
}

Ending unknown_ending() {
  Ending ending;
  ending.is_known = false;
  return ending;
}

Effect effect_of(const Ending& before, const Ending& after) {
  if (!after.is_known || after.verdict == judge::Verdict::inconclusive)
    return before.verdict == judge::Verdict::failed && after.is_known ? Effect::gone : Effect::unknown;
  if (after.verdict != before.verdict) return Effect::gone;
  return after.signatures == before.signatures ? Effect::same : Effect::other;
}

std::string anomalies_text(const Ending& ending) {
  std::string text;
  for (const auto& [word, count] : ending.anomalies)
    text += (text.empty() ? "" : ", ") + word + " " + human_count(count);
  return text.empty() ? "nothing to tell" : text;
}

// Settings that make no difference: a paragraph for each section of the scenario, its name once.
std::string innocent_settings(const BlameReport& report) {
  constexpr std::size_t kWidth = 110;
  std::vector<std::string> sections;
  for (const Blamed& one : report.changes) {
    const bool is_setting = one.change.what == Counterfactual::What::with_setting;
    if (one.effect == Effect::same && is_setting && !contains(sections, one.change.section))
      sections.push_back(one.change.section);
  }
  std::string text;
  for (const std::string& section : sections) {
    std::string line = "  " + section + ":";
    for (const Blamed& one : report.changes) {
      if (one.effect != Effect::same || one.change.section != section) continue;
      const std::string setting = " " + one.change.text.substr(section.size() + 1) + ",";
      if (line.size() + setting.size() > kWidth) {
        text += line + "\n";
        line = "   ";
      }
      line += setting;
    }
    line.back() = '\n';
    text += line;
  }
  return text;
}

}  // namespace

Ending ending_of(const judge::Summary& summary) {
  Ending ending;
  ending.verdict = summary.verdict;
  for (const judge::Signature& one : judge::signatures_of(summary)) {
    // Which fault came last may change with the faults; what failed is the same.
    ending.signatures.push_back(one.what + " " + one.anomaly);
  }
  for (const judge::OutcomeVerdict& one : summary.outcomes) ending.anomalies[one.word] += one.cases.size();
  return ending;
}

const char* name(Effect effect) {
  switch (effect) {
    case Effect::gone: return "gone";
    case Effect::other: return "fails in another way";
    case Effect::same: return "the same";
    case Effect::unknown: return "cannot tell";
  }
  return "?";
}

std::vector<Counterfactual> counterfactuals_of(const scenario::Scenario& scenario) {
  return Candidates(scenario).take();
}

BlameReport blame(const scenario::Scenario& scenario, const BlameSpec& spec) {
  BlameReport report;
  const std::vector<Counterfactual> changes = counterfactuals_of(scenario);
  // Until the first fault all runs without one of them are the same.
  play::Run until_first(scenario);
  Instant first = Instant::max();
  for (const fault::Fault& fault : scenario.cluster.faults) first = std::min(first, fault.at);
  if (!scenario.cluster.faults.empty() && first > Instant{}) until_first.play_until(first - Duration{1});
  {
    play::Run as_it_is = until_first;
    report.as_it_is = ending_of(as_it_is.finish());
  }
  const auto play = [&](const sweep::Task& task) {
    const Counterfactual& change = changes[task.configuration];
    try {
      if (change.what == Counterfactual::What::without_fault) {
        play::Run run = until_first;
        run.world().disarm(FaultId{static_cast<std::int32_t>(change.fault)});
        judge::Summary summary = run.finish();
        Ending ending = ending_of(summary);
        // That a fault which was taken out touched nothing says nothing.
        if (ending.verdict == judge::Verdict::inconclusive && !judge::is_cut(summary.end.reason) &&
            std::all_of(summary.expectations.begin(), summary.expectations.end(),
                        [](const auto& one) { return one.verdict == judge::Verdict::ok; }))
          ending.verdict = judge::Verdict::ok;
        return to_line(ending);
      }
      std::vector<scenario::Override> overrides = spec.overrides;
      overrides.push_back(change.setting);
      if (change.also) overrides.push_back(*change.also);
      const Result<scenario::Scenario> changed = scenario::load(spec.file, overrides);
      if (!changed) return to_line(unknown_ending());
      return to_line(ending_of(play::Run(*changed).finish()));
    } catch (const InternalError&) {
      return to_line(unknown_ending());
    } catch (const std::bad_alloc&) {
      return to_line(unknown_ending());
    }
  };
  sweep::Workers workers(spec.jobs, play);
  for (const Counterfactual& change : changes)
    report.changes.push_back({change, unknown_ending(), Effect::unknown});
  std::size_t next = 0;
  while (spec.goes_on()) {
    std::string why_not;
    while (next < changes.size() && workers.has_idle() && workers.start({next, 0}, why_not)) ++next;
    if (!workers.has_busy()) break;
    constexpr int kLookEveryMs = 200;
    for (const sweep::Workers::Finished& one : workers.wait(kLookEveryMs)) {
      Blamed& blamed = report.changes[one.task.configuration];
      if (one.death.empty()) blamed.ending = read_ending(one.answer);
      blamed.effect = effect_of(report.as_it_is, blamed.ending);
    }
  }
  std::stable_sort(report.changes.begin(), report.changes.end(),
                   [](const Blamed& a, const Blamed& b) { return a.effect < b.effect; });
  return report;
}

std::string to_text(const scenario::Scenario& scenario, const BlameReport& report) {
  const bool has_failed = report.as_it_is.verdict == judge::Verdict::failed;
  std::string text = scenario.name + "   seed " + std::to_string(scenario.seed) + "   ";
  text += has_failed ? joined(report.as_it_is.signatures, ", ") : "holds what it expects";
  text += "   (" + anomalies_text(report.as_it_is) + ")\n";
  text += has_failed ? "what makes the failure go away\n" : "what makes it no longer so\n";
  std::size_t width = 30;
  for (const Blamed& one : report.changes) {
    if (one.effect == Effect::gone || one.effect == Effect::other)
      width = std::max(width, std::min<std::size_t>(one.change.text.size(), 70));
  }
  std::size_t same = 0, unknown = 0;
  for (const Blamed& one : report.changes) {
    if (one.effect == Effect::same) ++same;
    if (one.effect == Effect::unknown) ++unknown;
    if (one.effect != Effect::gone && one.effect != Effect::other) continue;
    text += "  " + padded_right(one.change.text, width) + "  " + padded_right(name(one.effect), 20) + "  " +
            anomalies_text(one.ending) + "\n";
  }
  if (same + unknown == report.changes.size()) text += "  nothing that was tried\n";
  text += "no difference\n";
  for (const Blamed& one : report.changes) {
    if (one.effect == Effect::same && one.change.what == Counterfactual::What::without_fault)
      text += "  " + one.change.text + "\n";
  }
  text += innocent_settings(report);
  if (unknown != 0) text += "not tried, or not possible here: " + human_count(unknown) + "\n";
  return text;
}

}  // namespace sim::search
