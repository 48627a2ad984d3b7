#include "sweep/result.h"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

namespace sim::sweep {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kSchema = "kraftsim-sweep/1";
constexpr Outcome kOutcomes[] = {Outcome::held, Outcome::failed, Outcome::inconclusive, Outcome::bug,
                                 Outcome::crashed};

std::string line_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Json json_of(const std::vector<scenario::Configuration>& configurations) {
  Json all = Json::array();
  for (const scenario::Configuration& one : configurations) {
    Json settings = Json::array();
    for (const scenario::Override& setting : one.overrides) settings.push_back(scenario::shown(setting));
    all.push_back({{"name", one.name}, {"settings", settings}});
  }
  return all;
}

// What an unfinished or foreign line lacks is found by the library, which throws.
template <class F>
auto unless_broken(const F& read) -> decltype(read()) {
  try {
    return read();
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

std::string why_inconclusive(const judge::Summary& summary) {
  if (judge::is_cut(summary.end.reason)) return std::string("stopped: ") + judge::name(summary.end.reason);
  for (const judge::JudgedExpectation& judged : summary.expectations) {
    if (judged.verdict == judge::Verdict::inconclusive)
      return judged.expectation.id + ": " + judge::why_inconclusive(judged.expectation, judged.measured);
  }
  for (const judge::FaultReport& fault : summary.faults) {
    if (fault.effects() == 0 && !fault.may_miss) return fault.name + " touched nothing";
  }
  return judge::lost_and_expected_nothing(summary) ? "orders were lost, and nothing was expected" : "";
}

std::map<std::string, std::int64_t> metrics_of(const judge::Summary& summary) {
  const auto count = [](std::uint64_t value) { return static_cast<std::int64_t>(value); };
  std::map<std::string, std::int64_t> metrics{
      {"placed", count(summary.orders.placed)}, {"fulfilled", count(summary.orders.fulfilled)},
      {"failed", count(summary.orders.failed)}, {"lost", count(summary.orders.lost)},
      {"open", count(summary.orders.open)},     {"retried", count(summary.orders.retried)}};
  std::int64_t again = 0;
  for (const judge::ServiceSummary& service : summary.services) again += count(service.duplicate_effects);
  metrics["done_again"] = again;
  const auto latency = [&metrics](const char* key, std::int64_t ns) {
    if (ns != judge::Distribution::kUnknown) metrics[key] = ns;
  };
  latency("e2e_p50_ns", summary.e2e.p50);
  latency("e2e_p99_ns", summary.e2e.p99);
  latency("e2e_p99.9_ns", summary.e2e.p999);
  latency("e2e_max_ns", summary.e2e.max);
  latency("produce_p50_ns", summary.produce.p50);
  latency("produce_p99_ns", summary.produce.p99);
  return metrics;
}

}  // namespace

const char* name(Outcome outcome) {
  switch (outcome) {
    case Outcome::held: return "held";
    case Outcome::failed: return "failed";
    case Outcome::inconclusive: return "inconclusive";
    case Outcome::bug: return "bug";
    case Outcome::crashed: return "crashed";
  }
  return "?";
}

SeedResult result_of(std::size_t configuration, const judge::Summary& summary,
                     std::set<std::string> situations) {
  SeedResult result{configuration, summary.seed};
  result.outcome = summary.verdict == judge::Verdict::ok       ? Outcome::held
                   : summary.verdict == judge::Verdict::failed ? Outcome::failed
                                                               : Outcome::inconclusive;
  result.signatures = judge::signatures_of(summary);
  if (const auto at = judge::failed_at(summary)) result.failed_at_ns = nanos(*at);
  if (result.outcome == Outcome::inconclusive) result.note = why_inconclusive(summary);
  result.metrics = metrics_of(summary);
  result.situations = std::move(situations);
  for (const judge::FaultReport& fault : summary.faults) {
    if (fault.effects() > 0) result.situations.insert("fault-" + fault.kind);
  }
  result.events = summary.end.events;
  result.end_ns = nanos(summary.end.end);
  result.fingerprint = judge::fingerprint_text(summary.end.fingerprint);
  result.meaning = judge::fingerprint_text(summary.end.meaning);
  return result;
}

std::string Head::difference(const Head& other) const {
  const auto differ = [](const char* what, const std::string& a, const std::string& b) {
    return std::string(what) + " " + a + " and " + what + " " + b;
  };
  if (build != other.build) return differ("build", build, other.build);
  if (scenario != other.scenario) return differ("scenario", scenario, other.scenario);
  if (sha256 != other.sha256)
    return differ("scenario file of sha256", sha256.substr(0, 16), other.sha256.substr(0, 16));
  if (seeds != other.seeds) return differ("seeds", seeds, other.seeds);
  const std::string mine = json_of(configurations).dump(), theirs = json_of(other.configurations).dump();
  if (mine != theirs) return differ("configurations", mine, theirs);
  return {};
}

bool Head::operator==(const Head& other) const {
  return difference(other).empty() && shard.number == other.shard.number && shard.of == other.shard.of;
}

std::string to_line(const Head& head) {
  Json json{{"schema", kSchema},     {"build", head.build}, {"scenario", head.scenario},
            {"sha256", head.sha256}, {"seeds", head.seeds}, {"configurations", json_of(head.configurations)}};
  if (!head.shard.is_whole()) json["shard"] = head.shard.text();
  return line_of(json);
}

std::string to_line(const SeedResult& result) {
  Json json{
      {"configuration", result.configuration}, {"seed", result.seed}, {"outcome", name(result.outcome)}};
  if (!result.signatures.empty()) {
    Json all = Json::array();
    for (const judge::Signature& one : result.signatures)
      all.push_back({{"what", one.what}, {"anomaly", one.anomaly}, {"fault", one.fault}});
    json["signatures"] = all;
  }
  if (!result.note.empty()) json["note"] = result.note;
  if (!result.metrics.empty()) json["metrics"] = result.metrics;
  if (!result.situations.empty()) json["situations"] = result.situations;
  json["events"] = result.events;
  json["end_ns"] = result.end_ns;
  if (result.failed_at_ns >= 0) json["failed_at_ns"] = result.failed_at_ns;
  json["fingerprint"] = result.fingerprint;
  json["meaning"] = result.meaning;
  return line_of(json);
}

std::optional<Head> read_head(std::string_view line) {
  return unless_broken([&]() -> std::optional<Head> {
    const Json json = Json::parse(line);
    if (json.at("schema") != kSchema) return std::nullopt;
    Head head;
    head.build = json.at("build").get<std::string>();
    head.scenario = json.at("scenario").get<std::string>();
    head.sha256 = json.at("sha256").get<std::string>();
    head.seeds = json.at("seeds").get<std::string>();
    for (const Json& one : json.at("configurations")) {
      scenario::Configuration configuration{one.at("name").get<std::string>(), {}};
      for (const Json& setting : one.at("settings")) {
        const auto text = setting.get<std::string>();
        const std::size_t equals = text.find('=');
        if (equals == std::string::npos) return std::nullopt;
        configuration.overrides.push_back({text.substr(0, equals), text.substr(equals + 1)});
      }
      head.configurations.push_back(std::move(configuration));
    }
    if (head.configurations.empty()) return std::nullopt;
    if (json.contains("shard")) {
      std::string why_not;
      const auto shard = Shard::read(json["shard"].get<std::string>(), why_not);
      if (!shard) return std::nullopt;
      head.shard = *shard;
    }
    return head;
  });
}

std::optional<SeedResult> read_result(std::string_view line) {
  return unless_broken([&]() -> std::optional<SeedResult> {
    const Json json = Json::parse(line);
    SeedResult result{json.at("configuration").get<std::size_t>(), json.at("seed").get<std::uint64_t>()};
    const auto word = json.at("outcome").get<std::string>();
    const auto* outcome = std::find_if(std::begin(kOutcomes), std::end(kOutcomes),
                                       [&](Outcome one) { return word == name(one); });
    if (outcome == std::end(kOutcomes)) return std::nullopt;
    result.outcome = *outcome;
    if (json.contains("signatures")) {
      for (const Json& one : json["signatures"]) {
        result.signatures.push_back({one.at("what").get<std::string>(), one.at("anomaly").get<std::string>(),
                                     one.at("fault").get<std::string>()});
      }
    }
    if (json.contains("note")) result.note = json["note"].get<std::string>();
    if (json.contains("metrics")) result.metrics = json["metrics"].get<std::map<std::string, std::int64_t>>();
    if (json.contains("situations")) result.situations = json["situations"].get<std::set<std::string>>();
    result.events = json.at("events").get<std::uint64_t>();
    result.end_ns = json.at("end_ns").get<std::int64_t>();
    result.failed_at_ns = json.value("failed_at_ns", std::int64_t{-1});
    result.fingerprint = json.at("fingerprint").get<std::string>();
    result.meaning = json.at("meaning").get<std::string>();
    return result;
  });
}

std::string Results::text() const {
  std::string text = to_line(head);
  for (const auto& [key, result] : by_seed) text += to_line(result);
  return text;
}

}  // namespace sim::sweep
