#include "sweep/summary.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>
#include <tuple>

#include "base/human.h"
#include "sweep/situations.h"

namespace sim::sweep {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMostShown = 12;

template <class T>
void by_frequency(std::vector<T>& groups) {
  std::stable_sort(groups.begin(), groups.end(), [](const T& a, const T& b) {
    return std::tuple(a.configuration, b.runs, a.smallest_seed) <
           std::tuple(b.configuration, a.runs, b.smallest_seed);
  });
}

std::vector<SweepSummary::Trouble> listed(
    const std::map<std::pair<std::size_t, std::string>, SweepSummary::Trouble>& by_note) {
  std::vector<SweepSummary::Trouble> all;
  for (const auto& [key, one] : by_note) all.push_back(one);
  by_frequency(all);
  return all;
}

bool is_time(std::string_view metric) {
  return metric.ends_with("_ns");
}

std::string value_text(std::string_view metric, std::int64_t value) {
  return is_time(metric) ? human_duration(value) : human_count(static_cast<std::uint64_t>(value));
}

// "e2e p99" for e2e_p99_ns
std::string metric_text(std::string_view metric) {
  std::string text(is_time(metric) ? metric.substr(0, metric.size() - 3) : metric);
  std::replace(text.begin(), text.end(), '_', ' ');
  return text;
}

std::string count_of_seeds(std::uint64_t seeds) {
  return human_count(seeds) + (seeds == 1 ? " run" : " runs");
}

const std::string& shown_name(const SweepSummary::Configuration& one) {
  static const std::string kAsItIs = "as it is";
  return one.name.empty() ? kAsItIs : one.name;
}

void add_table(const SweepSummary& summary, std::string& text) {
  std::size_t width = 13;
  for (const auto& one : summary.configurations) width = std::max(width, shown_name(one).size());
  text += "  " + padded_right("configuration", width) +
          "  runs      failed    true rate (95 %)     inconclusive\n";
  for (const SweepSummary::Configuration& one : summary.configurations) {
    text += "  " + padded_right(shown_name(one), width) + "  " + padded_right(human_count(one.runs), 8) +
            "  " + padded_right(human_count(one.failed), 8) + "  " +
            padded_right(interval_text(one.rate()), 19) + "  " + human_count(one.inconclusive) + "\n";
  }
}

void add_metrics(const SweepSummary& summary, std::string& text) {
  for (const char* metric : {"e2e_p99_ns", "e2e_max_ns", "lost", "failed", "done_again"}) {
    for (const SweepSummary::Configuration& one : summary.configurations) {
      const auto found = one.metrics.find(metric);
      if (found == one.metrics.end()) continue;
      const SweepSummary::Spread& spread = found->second;
      text += "  " + padded_right(metric_text(metric), 12) + "median " +
              padded_right(value_text(metric, spread.median), 13) + "most " +
              padded_right(value_text(metric, spread.most), 13) + "(seed " +
              std::to_string(spread.seed_of_most) + ")" + (one.name.empty() ? "" : "  " + one.name) + "\n";
    }
  }
}

std::string in_configuration(const SweepSummary& summary, std::size_t configuration) {
  const std::string& name = summary.configurations[configuration].name;
  return name.empty() ? "" : name + ": ";
}

std::string fingerprint_note(const SweepSummary::Group& group) {
  return "fingerprint " + group.fingerprint;
}
std::string fingerprint_note(const SweepSummary::Trouble&) {
  return "";
}

template <class T, class What>
void add_groups(const SweepSummary& summary, const std::vector<T>& groups, const char* title,
                const Places& places, const What& what, std::string& text) {
  if (groups.empty()) return;
  text += std::string("\n") + title + "\n";
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (i == kMostShown) {
      text += "  and " + human_count(groups.size() - i) + " kinds more, in summary.json\n";
      return;
    }
    const T& group = groups[i];
    text += "  " + padded_right(count_of_seeds(group.runs), 10) + "  " +
            in_configuration(summary, group.configuration) + what(group) + "\n              " +
            places.command(group.configuration, group.smallest_seed) + "\n";
    const std::string folder = places.folder(group.configuration, group.smallest_seed);
    const std::string fingerprint = fingerprint_note(group);
    if (!folder.empty() || !fingerprint.empty())
      text += "              " + folder + (folder.empty() || fingerprint.empty() ? "" : "   ") + fingerprint +
              "\n";
  }
}

// Names divided by commas, in lines that fit a terminal.
std::string wrapped(const std::string& head, const std::vector<std::string>& names) {
  constexpr std::size_t kWidth = 110;
  std::string text, line = head;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string name = names[i] + (i + 1 == names.size() ? "" : ", ");
    if (line.size() + name.size() > kWidth && line.size() > head.size()) {
      text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
      line = std::string(head.size(), ' ');
    }
    line += name;
  }
  return text + line + "\n";
}

Json json_of(const SweepSummary::Spread& spread) {
  return {{"runs", spread.runs},
          {"median", spread.median},
          {"most", spread.most},
          {"seed_of_most", spread.seed_of_most}};
}

Json json_of(const std::vector<SweepSummary::Trouble>& troubles) {
  Json all = Json::array();
  for (const SweepSummary::Trouble& one : troubles) {
    all.push_back({{"configuration", one.configuration},
                   {"note", one.note},
                   {"runs", one.runs},
                   {"smallest_seed", one.smallest_seed}});
  }
  return all;
}

}  // namespace

std::uint64_t SweepSummary::runs() const {
  std::uint64_t all = 0;
  for (const Configuration& one : configurations) all += one.runs;
  return all;
}
std::uint64_t SweepSummary::failed() const {
  std::uint64_t all = 0;
  for (const Configuration& one : configurations) all += one.failed;
  return all;
}
std::uint64_t SweepSummary::crashed() const {
  std::uint64_t all = 0;
  for (const Configuration& one : configurations) all += one.crashed;
  return all;
}

SweepSummary summarize(const Results& results) {
  SweepSummary summary;
  summary.head = results.head;
  for (const std::string& name : known_situations()) summary.situations[name] = 0;
  std::string why_not;
  const auto seeds = SeedList::read(results.head.seeds, why_not);
  for (std::uint64_t i = 0; seeds && i < seeds->size(); ++i)
    summary.expected += results.head.shard.holds(i) ? results.head.configurations.size() : 0;
  for (const scenario::Configuration& one : results.head.configurations)
    summary.configurations.emplace_back().name = one.name;

  std::map<std::pair<std::size_t, judge::Signature>, SweepSummary::Group> groups;
  std::map<std::pair<std::size_t, std::string>, SweepSummary::Trouble> troubles, inconclusive;
  std::map<std::pair<std::size_t, std::string>, std::vector<std::pair<std::int64_t, std::uint64_t>>> values;
  for (const auto& [key, result] :
       results.by_seed) {  // in order of seeds: the first of a group is its smallest
    SweepSummary::Configuration& configuration = summary.configurations[result.configuration];
    ++configuration.runs;
    const bool is_trouble = result.outcome == Outcome::bug || result.outcome == Outcome::crashed;
    if (result.outcome == Outcome::failed) ++configuration.failed;
    if (result.outcome == Outcome::inconclusive) ++configuration.inconclusive;
    if (is_trouble) ++configuration.crashed;
    for (const judge::Signature& signature : result.signatures) {
      const auto [group, is_new] = groups.try_emplace({result.configuration, signature});
      if (is_new) group->second = {result.configuration, signature, 0, result.seed, result.fingerprint};
      ++group->second.runs;
    }
    if (is_trouble || result.outcome == Outcome::inconclusive) {
      const auto [trouble, is_new] =
          (is_trouble ? troubles : inconclusive).try_emplace({result.configuration, result.note});
      if (is_new) trouble->second = {result.configuration, result.note, 0, result.seed};
      ++trouble->second.runs;
    }
    for (const std::string& situation : result.situations) ++summary.situations[situation];
    for (const auto& [metric, value] : result.metrics)
      values[{result.configuration, metric}].emplace_back(value, result.seed);
  }
  for (const auto& [key, group] : groups) summary.groups.push_back(group);
  by_frequency(summary.groups);
  summary.troubles = listed(troubles);
  summary.inconclusive = listed(inconclusive);
  for (auto& [key, all] : values) {
    std::sort(all.begin(), all.end());
    const auto most = std::find_if(all.begin(), all.end(),
                                   [last = all.back().first](const auto& one) { return one.first == last; });
    summary.configurations[key.first].metrics[key.second] = {all.size(), all[all.size() / 2].first,
                                                             most->first, most->second};
  }
  return summary;
}

std::string to_text(const SweepSummary& summary, const Places& places) {
  const std::uint64_t failed = summary.failed();
  std::string text = failed != 0 || summary.crashed() != 0 ? "FAIL  "
                     : summary.inconclusive.empty()        ? "PASS  "
                                                           : "INCONCLUSIVE  ";
  text += summary.head.scenario + "   " + human_count(summary.runs()) + " runs, seeds " + summary.head.seeds;
  if (!summary.head.shard.is_whole()) text += ", shard " + summary.head.shard.text();
  if (!summary.is_whole()) text += "   (of " + human_count(summary.expected) + ": the rest was not played)";
  text += "\n";
  add_table(summary, text);
  add_groups(
      summary, summary.groups, "failures, and the smallest seed of each", places,
      [](const SweepSummary::Group& group) { return judge::text_of(group.signature); }, text);
  const auto note = [](const SweepSummary::Trouble& trouble) {
    return trouble.note.substr(0, trouble.note.find('\n'));
  };
  add_groups(summary, summary.troubles, "bugs of the simulator, or its processes killed", places, note, text);
  add_groups(summary, summary.inconclusive, "inconclusive", places, note, text);
  text += "\n";
  add_metrics(summary, text);
  std::vector<std::string> never;
  for (const auto& [name, runs] : summary.situations) {
    if (runs == 0) never.push_back(name);
  }
  if (!never.empty()) text += wrapped("  never seen  ", never);
  return text + "  of          scenario sha256 " + summary.head.sha256.substr(0, 16) + ", build " +
         summary.head.build + "\n";
}

std::string to_json(const SweepSummary& summary) {
  Json json{{"schema", "kraftsim-sweep-summary/1"},
            {"build", summary.head.build},
            {"scenario", {{"name", summary.head.scenario}, {"sha256", summary.head.sha256}}},
            {"seeds", summary.head.seeds},
            {"expected_runs", summary.expected},
            {"runs", summary.runs()}};
  if (!summary.head.shard.is_whole()) json["shard"] = summary.head.shard.text();
  json["configurations"] = Json::array();
  for (std::size_t i = 0; i < summary.configurations.size(); ++i) {
    const SweepSummary::Configuration& one = summary.configurations[i];
    const Rate::Interval interval = one.rate().interval();
    Json settings = Json::array();
    for (const scenario::Override& setting : summary.head.configurations[i].overrides)
      settings.push_back(scenario::shown(setting));
    Json metrics = Json::object();
    for (const auto& [metric, spread] : one.metrics) metrics[metric] = json_of(spread);
    json["configurations"].push_back({{"name", one.name},
                                      {"settings", settings},
                                      {"runs", one.runs},
                                      {"failed", one.failed},
                                      {"inconclusive", one.inconclusive},
                                      {"crashed", one.crashed},
                                      {"rate_low_per_million", interval.low},
                                      {"rate_high_per_million", interval.high},
                                      {"metrics", metrics}});
  }
  json["failures"] = Json::array();
  for (const SweepSummary::Group& group : summary.groups) {
    json["failures"].push_back({{"configuration", group.configuration},
                                {"what", group.signature.what},
                                {"anomaly", group.signature.anomaly},
                                {"fault", group.signature.fault},
                                {"runs", group.runs},
                                {"smallest_seed", group.smallest_seed},
                                {"fingerprint", group.fingerprint}});
  }
  json["situations"] = summary.situations;
  json["troubles"] = json_of(summary.troubles);
  json["inconclusive"] = json_of(summary.inconclusive);
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

int exit_code(const SweepSummary& summary) {
  if (summary.crashed() != 0) return 5;
  if (summary.failed() != 0) return 1;
  return summary.inconclusive.empty() ? 0 : 3;
}

}  // namespace sim::sweep
