#include "sweep/compare.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/human.h"
#include "scenario/units.h"
#include "sweep/rate.h"
#include "sweep/results_file.h"

namespace sim::sweep {
namespace {

using Json = nlohmann::ordered_json;

Problem problem_with_side(const std::string& where, std::string message, std::string hint = {}) {
  Problem problem;
  problem.file = where;
  problem.message = std::move(message);
  problem.hint = std::move(hint);
  return problem;
}

// The numbers of summary.json under the names a sweep has for them.
std::optional<SeedResult> read_run(const std::filesystem::path& folder, std::string& scenario) {
  std::ifstream in(folder / "summary.json");
  const Json json = Json::parse(in, nullptr, false);
  if (!json.is_object() || json.value("schema", "") != "kraftsim-summary/1") return std::nullopt;
  try {
    SeedResult result{0, json.at("seed").get<std::uint64_t>()};
    scenario = json.at("scenario").at("name").get<std::string>();
    const auto verdict = json.at("verdict").get<std::string>();
    result.outcome = verdict == "failed" ? Outcome::failed
                     : verdict == "ok"   ? Outcome::held
                                         : Outcome::inconclusive;
    for (const char* count : {"placed", "fulfilled", "failed", "lost", "open", "retried"})
      result.metrics[count] = json.at("orders").at(count).get<std::int64_t>();
    const auto latencies = [&](const char* of, const char* name) {
      for (const char* statistic : {"p50", "p99", "p99.9", "max"}) {
        const Json& value = json.at(of).at(std::string(statistic) + "_ns");
        if (value.is_number())
          result.metrics[std::string(name) + "_" + statistic + "_ns"] = value.get<std::int64_t>();
      }
    };
    latencies("e2e_latency", "e2e");
    latencies("produce_latency", "produce");
    std::int64_t again = 0;
    for (const Json& service : json.at("services"))
      again += service.at("duplicate_effects").get<std::int64_t>();
    result.metrics["done_again"] = again;
    return result;
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

std::int64_t median_of(std::vector<std::int64_t> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// How likely `of` fair coins show `most` or more equal sides.
std::uint64_t chance(std::uint64_t most, std::uint64_t of) {
  double probability = 0;
  for (std::uint64_t k = most; k <= of; ++k) {
    const auto n = static_cast<double>(of), successes = static_cast<double>(k);
    probability += std::exp(std::lgamma(n + 1) - std::lgamma(successes + 1) - std::lgamma(n - successes + 1) -
                            n * std::log(2.0));
  }
  return static_cast<std::uint64_t>(std::min(1.0, 2 * probability) * 1e6 + 0.5);
}

Change change_of(const std::string& metric, const std::vector<std::pair<std::int64_t, std::int64_t>>& pairs) {
  Change change;
  change.metric = metric;
  change.pairs = pairs.size();
  std::vector<std::int64_t> as, bs;
  double sum_a = 0, sum = 0, squares = 0;
  for (const auto& [a, b] : pairs) {
    as.push_back(a);
    bs.push_back(b);
    const auto difference = static_cast<double>(b - a);
    sum_a += static_cast<double>(a);
    sum += difference;
    squares += difference * difference;
    if (b > a) ++change.more;
    if (b < a) ++change.less;
  }
  const auto n = static_cast<double>(pairs.size());
  change.median_a = median_of(std::move(as));
  change.median_b = median_of(std::move(bs));
  change.mean_a = static_cast<std::int64_t>(sum_a / n);
  change.mean_difference = static_cast<std::int64_t>(sum / n);
  if (pairs.size() > 1) {
    const double variance = std::max(0.0, (squares - sum * sum / n) / (n - 1));
    change.half_width = static_cast<std::int64_t>(1.96 * std::sqrt(variance / n));
  }
  return change;
}

std::string value_of(const std::string& metric, std::int64_t value) {
  const std::string sign = value < 0 ? "-" : "";
  const std::int64_t size = value < 0 ? -value : value;
  return sign +
         (metric.ends_with("_ns") ? human_duration(size) : human_count(static_cast<std::uint64_t>(size)));
}

std::string share_of(std::int64_t part, std::int64_t whole) {
  if (whole == 0) return "";
  const auto tenths =
      static_cast<std::int64_t>(static_cast<double>(part) * 1'000 / static_cast<double>(whole));
  return (tenths < 0 ? "-" : "+") + fixed(tenths < 0 ? -tenths : tenths, 1) + " %";
}

}  // namespace

Result<Side> read_side(const std::string& where) {
  std::error_code ignored;
  Side side;
  side.name = where;
  if (std::filesystem::exists(std::filesystem::path(where) / "manifest.json", ignored)) {
    const auto run = read_run(where, side.scenario);
    if (!run) return problem_with_side(where, "has no summary.json of a run");
    side.by_seed[run->seed] = *run;
    return side;
  }
  std::string folder = where, wanted;
  const std::size_t colon = where.rfind(':');
  if (colon != std::string::npos && !std::filesystem::exists(where, ignored)) {
    folder = where.substr(0, colon);
    wanted = where.substr(colon + 1);
  }
  if (!std::filesystem::exists(folder, ignored))
    return problem_with_side(folder, "there is no such run, and no such sweep");
  if (std::filesystem::is_directory(folder, ignored) &&
      !std::filesystem::exists(std::filesystem::path(folder) / kResultsFile, ignored)) {
    return problem_with_side(
        folder,
        "is neither a run, which has a manifest.json, nor a sweep, which has a " + std::string(kResultsFile));
  }
  const Result<Results> results = read_results(folder);
  if (!results) return results.problems();
  const auto& configurations = results->head.configurations;
  std::string names;
  for (const auto& one : configurations) names += (names.empty() ? "" : ", ") + one.name;
  const auto found = std::find_if(configurations.begin(), configurations.end(),
                                  [&](const auto& one) { return one.name == wanted; });
  if (found == configurations.end() && (!wanted.empty() || configurations.size() > 1)) {
    return problem_with_side(where, "which configuration? There are " + names,
                             "such as " + folder + ":" + configurations.front().name);
  }
  const auto place = found == configurations.end() ? 0 : found - configurations.begin();
  side.scenario = results->head.scenario;
  for (const auto& [key, result] : results->by_seed) {
    if (key.first == static_cast<std::size_t>(place)) side.by_seed[key.second] = result;
  }
  return side;
}

bool Change::is_certain() const {
  const std::int64_t size = mean_difference < 0 ? -mean_difference : mean_difference;
  return pairs > 1 && size > half_width;
}

Comparison compare(const Side& a, const Side& b) {
  Comparison comparison;
  std::map<std::string, std::vector<std::pair<std::int64_t, std::int64_t>>> pairs;
  for (const auto& [seed, one] : a.by_seed) {
    const auto found = b.by_seed.find(seed);
    if (found == b.by_seed.end()) continue;
    const SeedResult& other = found->second;
    ++comparison.pairs;
    const bool a_failed = one.outcome == Outcome::failed, b_failed = other.outcome == Outcome::failed;
    comparison.both_failed += a_failed && b_failed ? 1 : 0;
    comparison.only_a_failed += a_failed && !b_failed ? 1 : 0;
    comparison.only_b_failed += b_failed && !a_failed ? 1 : 0;
    for (const auto& [metric, value] : one.metrics) {
      const auto same = other.metrics.find(metric);
      if (same != other.metrics.end()) pairs[metric].emplace_back(value, same->second);
    }
  }
  for (const auto& [metric, values] : pairs) comparison.changes.push_back(change_of(metric, values));
  const std::uint64_t differ = comparison.only_a_failed + comparison.only_b_failed;
  if (differ != 0)
    comparison.chance_per_million =
        chance(std::max(comparison.only_a_failed, comparison.only_b_failed), differ);
  return comparison;
}

std::optional<Tolerance> Tolerance::read(std::string_view text, std::string& why_not) {
  const std::size_t equals = text.find('=');
  const auto share = equals == std::string_view::npos
                         ? std::nullopt
                         : scenario::read_scalar(text.substr(equals + 1), scenario::UnitKind::share).value;
  if (!share || equals == 0) {
    why_not = "a tolerance is a metric and a share, such as p99=10%, not \"" + std::string(text) + "\"";
    return std::nullopt;
  }
  std::string metric(text.substr(0, equals));
  for (const char* statistic : {"p50", "p99", "p99.9", "max"}) {
    if (metric == statistic) metric = std::string("e2e_") + statistic + "_ns";
  }
  return Tolerance{std::move(metric), *share};
}

std::vector<std::string> beyond(const Comparison& comparison, const std::vector<Tolerance>& tolerances) {
  std::vector<std::string> exceeded;
  for (const Tolerance& one : tolerances) {
    const auto change = std::find_if(comparison.changes.begin(), comparison.changes.end(),
                                     [&](const Change& each) { return each.metric == one.metric; });
    if (change == comparison.changes.end()) {
      exceeded.push_back(one.metric + " is in neither of both");
      continue;
    }
    const double allowed = static_cast<double>(change->mean_a) * static_cast<double>(one.per_million) / 1e6;
    if (static_cast<double>(change->mean_difference) <= allowed) continue;
    exceeded.push_back(one.metric + " is " + value_of(one.metric, change->mean_difference) + " higher (" +
                       share_of(change->mean_difference, change->mean_a) + "), allowed " +
                       percent_text(static_cast<std::uint64_t>(one.per_million)));
  }
  return exceeded;
}

std::string to_text(const Side& a, const Side& b, const Comparison& comparison) {
  std::string text = "A  " + a.name + "\nB  " + b.name + "\n" + human_count(comparison.pairs) +
                     (comparison.pairs == 1 ? " seed" : " seeds") + " of both\n\n";
  text += "  failed        A only " + human_count(comparison.only_a_failed) + ", B only " +
          human_count(comparison.only_b_failed) + ", both " + human_count(comparison.both_failed);
  if (comparison.only_a_failed + comparison.only_b_failed != 0 && comparison.pairs > 1)
    text += "   (by chance: " + percent_text(comparison.chance_per_million) + ")";
  text += "\n";
  for (const Change& change : comparison.changes) {
    if (change.mean_difference == 0 && change.more == 0 && change.less == 0) continue;
    text += "  " + padded_right(change.metric, 16) +
            padded_right(value_of(change.metric, change.median_a), 11) + "-> " +
            padded_right(value_of(change.metric, change.median_b), 11);
    if (change.pairs > 1) {
      text += "mean " + std::string(change.mean_difference < 0 ? "" : "+") +
              value_of(change.metric, change.mean_difference) + " (" +
              value_of(change.metric, change.mean_difference - change.half_width) + " to " +
              value_of(change.metric, change.mean_difference + change.half_width) + "), " +
              share_of(change.mean_difference, change.mean_a) +
              (change.is_certain() ? "" : "   may be chance");
    } else {
      text += share_of(change.mean_difference, change.mean_a);
    }
    text += "\n";
  }
  return text;
}

}  // namespace sim::sweep
