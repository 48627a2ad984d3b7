#include "app/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/human.h"
#include "check/invariant_names.h"
#include "check/invariants.h"
#include "history/table.h"
#include "judge/metric.h"
#include "judge/verdicts.h"
#include "report/run_files.h"
#include "scenario/dialects.h"
#include "scenario/profiles.h"
#include "scenario/properties.h"
#include "scenario/schema.h"
#include "scenario/suggest.h"
#include "scenario/targets.h"

namespace sim::app {

namespace {

using scenario::Components;
using scenario::Key;
using scenario::KeyType;
using scenario::Property;
using scenario::Status;

constexpr std::size_t kWidth = 100;

// `text` broken into lines, each after the first indented.
std::string wrapped(std::string_view text, std::size_t indent) {
  std::string out;
  std::size_t column = indent;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    if (column > indent && column + 1 + word.size() > kWidth) {
      out += "\n" + std::string(indent, ' ');
      column = indent;
    } else if (column > indent) {
      out += ' ';
      ++column;
    }
    out += word;
    column += word.size();
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::string line(std::string_view label, const std::string& value) {
  return value.empty() ? std::string{} : fmt::format("  {:<10}{}\n", label, wrapped(value, 12));
}

// "9000 (9 s)", "1048576 (1.00 MiB)": what a raw number is in words.
std::string default_of(const Property& property) {
  std::string text = property.fallback.empty() ? "\"\"" : std::string(property.fallback);
  std::int64_t number = 0;
  const bool whole =
      std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; }) && text.size() < 16;
  if (!whole) return text == "9223372036854775807" ? text + " (never, or without a limit)" : text;
  for (const char c : text) number = number * 10 + (c - '0');
  if (property.name.ends_with(".ms") && number >= 1000)
    text += " (" + human_duration(number * 1'000'000) + ")";
  const bool bytes = property.name.find("bytes") != std::string_view::npos ||
                     property.name.ends_with(".size") || property.name.ends_with(".memory");
  if (bytes && number >= 1024) text += " (" + human_bytes(number) + ")";
  return text;
}

std::string where(Components components) {
  std::string text;
  const auto add = [&text](std::string_view place) {
    text += (text.empty() ? "" : ", ") + std::string(place);
  };
  if ((components & (scenario::kBroker | scenario::kController)) != 0) add("cluster.config");
  if ((components & scenario::kTopic) != 0) add("topics.<name>.config");
  const bool produces = (components & scenario::kProducer) != 0;
  const bool consumes = (components & scenario::kConsumer) != 0;
  if (produces && consumes) add("clients.<name>.config");
  if (produces && !consumes) add("clients.<name>.config of a client that produces");
  if (consumes && !produces) add("clients.<name>.config of a client that consumes");
  return text;
}

std::string status(const Property& property) {
  switch (property.status) {
    case Status::modelled: return "modelled";
    case Status::accepted:
      if (scenario::is_server_identity(property.name))
        return "modelled: it stands for the scenario's own key";
      if (property.not_modelled == "*") return "not modelled yet: a scenario that sets it is refused";
      return "accepted without effect" + (property.not_modelled.empty()
                                              ? ""
                                              : "; not modelled yet: " + std::string(property.not_modelled));
    case Status::removed: return "removed from Kafka: " + std::string(property.meaning);
  }
  return {};
}

// What a topic has that does not set it, or which topics' setting a broker's property is.
std::string stands_for(const Property& property) {
  if (property.setting == nullptr || property.setting->synonyms.empty()) return {};
  if ((property.components & scenario::kTopic) == 0)
    return line("of topics", std::string(property.setting->name) + ", of those that do not set it");
  std::string names;
  for (const BrokerSynonym& synonym : property.setting->synonyms)
    names += (names.empty() ? "" : ", else ") + std::string(synonym.name);
  return line("unset", "what the brokers have as " + names);
}

std::string explain(const Property& property, std::string_view name) {
  std::string text = fmt::format("{}   property of Apache Kafka ({})\n\n", name,
                                 scenario::describe_components(property.components));
  if (property.status != Status::removed) {
    text += "  " + wrapped(property.meaning, 2) + "\n\n";
    text += line("default", default_of(property));
    const std::string range = scenario::describe_range(property);
    text +=
        line("type", std::string(scenario::describe(property.type)) + (range.empty() ? "" : ", " + range));
  }
  text += stands_for(property);
  text += line("status", status(property));
  text += line("where", where(property.components));
  return text;
}

std::string default_of(const Key& key) {
  if (key.required || key.alternative != 0) return {};
  return key.computed() ? std::string(key.fallback.substr(1)) : std::string(key.fallback);
}

std::string value_of(const Key& key) {
  constexpr std::int64_t kAny = std::numeric_limits<std::int64_t>::max();
  std::string text = scenario::describe(key);
  if (key.type != KeyType::scalar) return text;
  if (key.least > 0) text += ", at least " + print_scalar(key.least, key.unit);
  if (key.most != kAny && key.unit == scenario::UnitKind::none)
    text += ", at most " + print_scalar(key.most, key.unit);
  return text;
}

std::string owner_of(judge::Of of) {
  switch (of) {
    case judge::Of::nobody: return "";
    case judge::Of::client: return "a client";
    case judge::Of::producer: return "a client that produces";
    case judge::Of::consumer: return "a client that consumes";
    case judge::Of::partition: return "a topic or partition";
    case judge::Of::broker: return "a broker";
  }
  return "";
}

std::string whose(judge::Of of) {
  return of == judge::Of::nobody ? "" : " [of " + owner_of(of) + "]";
}

std::string metrics() {
  std::string text = "\n  Metrics, and what `of` may name:\n";
  for (const judge::Metric& metric : judge::known_metrics()) {
    text += fmt::format("    {:<24}{}\n", metric.name,
                        wrapped(std::string(metric.meaning) + whose(metric.of), 28));
  }
  return text;
}

std::string metric_of(const judge::Metric& metric) {
  std::string text =
      fmt::format("{}   metric of expectations\n\n  {}\n\n", metric.name, wrapped(metric.meaning, 2));
  text += line("of", metric.of == judge::Of::nobody ? "nothing: it is one for all" : owner_of(metric.of));
  text += line("asks for", metric.distribution ? "p50, p99.9, min, max, mean or value" : "value or equals");
  text += line("counts", metric.from_strikes ? "from each strike; `fault` names whose" : "");
  text += line("recovery", metric.recovers() ? "it may stand in `until` of a recovery" : "");
  return text + line("where", "expect[].metric");
}

// Named by its whole word, or what stands before or within its brackets.
bool is_called(std::string_view topic, std::string_view word) {
  const std::string_view before = word.substr(0, word.find('('));
  return topic == word || topic == before;
}

std::string tables(const std::string& topic) {
  std::string text;
  const auto add = [&](std::string_view title, std::string_view kind, std::string_view meaning) {
    text += fmt::format("{}{}   {}\n\n  {}\n", text.empty() ? "" : "\n", title, kind, wrapped(meaning, 2));
  };
  for (const judge::Metric& metric : judge::known_metrics()) {
    if (metric.name == topic) text += (text.empty() ? "" : "\n") + metric_of(metric);
  }
  for (const judge::VerdictWord& verdict : judge::verdict_words()) {
    if (is_called(topic, verdict.word)) add(verdict.word, "verdict of a run", verdict.meaning);
  }
  const std::string role = topic.substr(0, topic.find('('));
  for (const scenario::TargetRole& target : scenario::target_roles()) {
    if (is_called(role, target.form)) add(target.form, "target of a fault", target.meaning);
  }
  for (const report::RunFile& file : report::run_files()) {
    const bool is_named = topic == file.name || topic + "/" == file.name ||
                          (file.name.ends_with("/*.hgrm") && topic.ends_with(".hgrm")) ||
                          topic + "/*.hgrm" == file.name;
    if (is_named) add(file.name, "file of a run", file.meaning);
  }
  return text;
}

std::string invariants() {
  std::string text = "\n  Their names:\n";
  for (const std::string& name : check::known_invariants())
    text += fmt::format("    {:<28}{}\n", name, wrapped(check::invariant_meaning(name), 32));
  return text;
}

// What each release of Kafka brought: the switches of cluster.history.
std::string switches() {
  std::string text = "\n  Which release has what; a switch that is given overrides the release:\n";
  for (const history::Switch& one : history::switches()) {
    for (const history::Behaviour& behaviour : one.behaviours) {
      const bool is_first = &behaviour == &one.behaviours.front();
      const bool is_oldest = behaviour.since == KafkaVersion{};
      text += fmt::format(
          "    {:<28}{:<16}{:<10}{}\n", is_first ? one.name : "", behaviour.word,
          is_oldest ? "before" : "from " + history::text_of(behaviour.since),
          wrapped(std::string(behaviour.meaning) +
                      (behaviour.source.empty() ? "" : " (" + std::string(behaviour.source) + ")"),
                  58));
    }
  }
  return text;
}

std::string former_defaults() {
  using Whose = history::FormerDefault::Whose;
  std::string text = "\n  Settings that had another default once:\n";
  for (const history::FormerDefault& row : history::former_defaults()) {
    const std::string_view whose = row.whose == Whose::server     ? "server"
                                   : row.whose == Whose::producer ? "producer"
                                                                  : "consumer";
    text += fmt::format("    {:<44}{:<10}before {}: {} ({})\n", row.name, whose, history::text_of(row.since),
                        row.before, row.source);
  }
  return text;
}

std::string profile_settings() {
  std::string text = "\n  What each sets, if the scenario does not:\n";
  for (const scenario::Profile& profile : scenario::profiles()) {
    text += fmt::format("\n    {:<16}{}\n", profile.name, wrapped(profile.meaning, 20));
    for (const scenario::ProfileSetting& setting : profile.settings)
      text += fmt::format("      {:<42}{}\n", scenario::dotted(setting.path), setting.value);
  }
  return text;
}

std::string explain(const Key& key) {
  std::string text =
      scenario::dotted(key.path) + "   key of a scenario\n\n  " + wrapped(key.meaning, 2) + "\n\n";
  text += line("value", value_of(key));
  text += line("default", default_of(key));
  if (key.required) text += line("needed", "it must be given");
  if (key.alternative != 0)
    text += line("needed", key.alternative == scenario::kAnyOf ? "at least one of its kind must be given"
                                                               : "one of its kind must be given");
  const bool client = key.only_with == "produces" || key.only_with == "consumes";
  if (!key.only_with.empty())
    text += line("only", (client ? "of a client that " : "together with ") + std::string(key.only_with));
  if (!key.example.empty())
    text += line("example", std::string(key.last()) + ": " + std::string(key.example));
  if (key.path == "expect/[]/metric") text += metrics();
  if (key.path == "invariants") text += invariants();
  if (key.path == "profile") text += profile_settings();
  if (key.path == "cluster/kafka") return text + switches() + former_defaults();
  if (key.path == "cluster/history") return text + switches();
  std::string path(key.path);
  if (key.type == KeyType::list) path += "/[]";
  if (key.type == KeyType::names) path += "/<name>";
  const std::vector<const Key*> below = scenario::keys_below(path);
  if (!below.empty()) text += "\n  Its keys:\n";
  std::size_t width = 18;
  for (const Key* child : below) width = std::max(width, child->last().size());
  for (const Key* child : below)
    text += fmt::format("    {:<{}}  {}\n", child->last(), width, wrapped(child->meaning, width + 6));
  return text;
}

// Whether `topic` names the key: a name of the user's may stand for <name>, and a number for [].
bool matches(std::string_view topic, std::string_view path) {
  for (;;) {
    const std::size_t slash = path.find('/');
    const std::string_view level = path.substr(0, slash);
    const bool last = slash == std::string_view::npos;
    std::size_t length = level.size();
    if (level == "[]") {
      length = topic.find_first_not_of("[]0123456789");
      if (length == std::string_view::npos) length = topic.size();
    } else if (level == "<name>") {
      length = std::min(topic.find('.'), topic.size());
    } else if (!topic.starts_with(level)) {
      return false;
    }
    topic.remove_prefix(length);
    if (last) return topic.empty();
    path.remove_prefix(slash + 1);
    if (level == "[]" && length == 0) continue;  // expect.p99 for expect[0].p99
    if (path.starts_with("[]") && !topic.empty()) {
      topic.remove_prefix(topic.front() == '.' ? 1 : 0);
      continue;
    }
    if (topic.empty() || topic.front() != '.') return false;
    topic.remove_prefix(1);
  }
}

std::vector<std::string> all_that_match(const std::string& topic) {
  std::vector<std::string> texts;
  for (const Key& key : scenario::keys()) {
    if (matches(topic, key.path)) texts.push_back(explain(key));
  }
  constexpr Components kEach[] = {scenario::kBroker | scenario::kController, scenario::kTopic,
                                  scenario::kProducer, scenario::kConsumer};
  const auto add_properties = [&](std::string_view name, Components among) {
    std::vector<const Property*> seen;
    for (const Components components : kEach) {
      if ((components & among) == 0) continue;
      const Property* property = scenario::find_property(name, components);
      if (property == nullptr || std::find(seen.begin(), seen.end(), property) != seen.end()) continue;
      seen.push_back(property);
      texts.push_back(explain(*property, name));
    }
  };
  add_properties(topic, 0xFF);
  if (!texts.empty()) return texts;
  for (const Key& key : scenario::keys()) {  // clients.payment.config.max.poll.records
    for (std::size_t dot = topic.find('.'); key.type == KeyType::properties && dot != std::string::npos;
         dot = topic.find('.', dot + 1)) {
      if (matches(std::string_view(topic).substr(0, dot), key.path))
        add_properties(std::string_view(topic).substr(dot + 1), key.components);
    }
  }
  if (!texts.empty()) return texts;
  for (const Key& key : scenario::keys()) {  // commit
    if (key.last() == topic) texts.push_back(explain(key));
  }
  return texts;
}

std::string overview() {
  std::string text =
      "The keys of a scenario. kraftsim explain KEY says more; so it does of every Kafka "
      "property, metric, verdict, target and file.\n\n";
  for (const Key& key : scenario::keys()) {
    if (key.last() == "[]" || key.last() == "<name>") continue;
    const auto depth = static_cast<std::size_t>(std::count(key.path.begin(), key.path.end(), '/'));
    const std::size_t indent = 2 * depth - (key.path.find("/<name>") != std::string_view::npos ||
                                                    key.path.find("/[]") != std::string_view::npos
                                                ? 2
                                                : 0);
    text += fmt::format("{:<34}{}\n", std::string(indent, ' ') + std::string(key.last()),
                        wrapped(key.meaning, 34));
  }
  const auto list = [&text](const char* title, const auto& rows, auto name, auto meaning) {
    text += fmt::format("\n{}\n", title);
    for (const auto& row : rows) text += fmt::format("  {:<32}{}\n", name(row), wrapped(meaning(row), 34));
  };
  list(
      "Targets of faults", scenario::target_roles(), [](const auto& row) { return row.form; },
      [](const auto& row) { return row.meaning; });
  list(
      "Metrics of expectations", judge::known_metrics(), [](const auto& row) { return row.name; },
      [](const auto& row) { return row.meaning; });
  list(
      "Verdicts of a run", judge::verdict_words(), [](const auto& row) { return row.word; },
      [](const auto& row) { return row.meaning; });
  list(
      "Files of a run", report::run_files(), [](const auto& row) { return row.name; },
      [](const auto& row) { return row.meaning; });
  return text;
}

}  // namespace

Result<std::string> explain(const std::string& topic) {
  if (topic.empty()) return overview();
  std::string text;
  for (const std::string& part : all_that_match(topic)) text += (text.empty() ? "" : "\n") + part;
  if (const std::string more = tables(topic); !more.empty()) text += (text.empty() ? "" : "\n") + more;
  if (!text.empty()) return text;
  std::vector<std::string> names;
  for (const Key& key : scenario::keys()) {
    names.push_back(scenario::dotted(key.path));
    names.emplace_back(key.last());
  }
  for (const Property& property : scenario::properties()) names.emplace_back(property.name);
  for (const judge::Metric& metric : judge::known_metrics()) names.emplace_back(metric.name);
  for (const judge::VerdictWord& verdict : judge::verdict_words()) names.emplace_back(verdict.word);
  for (const report::RunFile& file : report::run_files()) names.emplace_back(file.name);
  Problem problem;
  problem.message =
      "there is no key, Kafka property, metric, verdict, target or file of a run called \"" + topic + "\"";
  problem.hint = scenario::did_you_mean(topic, {names.begin(), names.end()});
  if (problem.hint.empty()) problem.hint = "kraftsim explain shows all keys";
  return problem;
}

}  // namespace sim::app
