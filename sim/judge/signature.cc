#include "judge/signature.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

namespace sim::judge {
namespace {

// The verdicts that may stand behind a failed expectation of a metric, the most telling first.
struct Related {
  std::string_view metric;
  std::vector<std::string_view> anomalies;
};
const std::vector<Related> kRelated{
    {"lost_orders", {"LOST(acked)", "LOST(group)", "STUCK"}},
    {"lost_acked", {"LOST(acked)"}},
    {"lost_for_group", {"LOST(group)"}},
    {"unhandled_orders", {"LOST(acked)", "LOST(group)", "STUCK", "UNAVAIL"}},
    {"open_orders", {"STUCK", "UNAVAIL"}},
    {"failed_orders", {"FAILED"}},
    {"fulfilled_orders", {"LOST(acked)", "LOST(group)", "FAILED", "STUCK"}},
    {"duplicate_records", {"DUP(log)"}},
    {"duplicate_effects", {"DUP(effect)"}},
    {"reordered_keys", {"REORDER(key)"}},
    {"diverged_partitions", {"DIVERGED"}},
    {"stuck_partitions", {"STUCK"}},
    {"unconverged", {"STUCK", "UNAVAIL"}},
};
// Of all other metrics, which are times.
const std::vector<std::string_view> kOfTimes{"STUCK", "UNAVAIL", "FAILED"};

const OutcomeVerdict* find_anomaly(const Summary& summary, const Expectation& expectation) {
  const auto related = std::find_if(kRelated.begin(), kRelated.end(),
                                    [&](const Related& row) { return row.metric == expectation.metric; });
  for (const std::string_view word : related == kRelated.end() ? kOfTimes : related->anomalies) {
    for (const OutcomeVerdict& outcome : summary.outcomes) {
      const bool is_of_it =
          outcome.service.empty() || expectation.of.empty() || outcome.service == expectation.of;
      if (outcome.word == word && is_of_it) return &outcome;
    }
  }
  return nullptr;
}

// The kind of the fault that struck last, at or before `at`.
std::string fault_before(const Summary& summary, std::int64_t at) {
  std::string kind;
  std::int64_t latest = -1;
  for (const FaultReport& fault : summary.faults) {
    for (const FaultReport::Strike& strike : fault.strikes) {
      if (strike.from_ns > at || strike.from_ns < latest || strike.effects == 0) continue;
      latest = strike.from_ns;
      kind = fault.kind;
    }
  }
  return kind;
}

}  // namespace

std::string text_of(const Signature& signature) {
  std::string text = signature.what;
  if (!signature.anomaly.empty()) text += " · " + signature.anomaly;
  if (!signature.fault.empty()) text += " · after " + signature.fault;
  return text;
}

std::optional<Instant> failed_at(const Summary& summary) {
  std::optional<Instant> earliest;
  const auto note = [&earliest](Instant at) { earliest = earliest ? std::min(*earliest, at) : at; };
  for (const check::Violation& violation : summary.violations) note(violation.at);
  for (const JudgedExpectation& judged : summary.expectations) {
    if (judged.verdict != Verdict::failed) continue;
    const OutcomeVerdict* anomaly = find_anomaly(summary, judged.expectation);
    if (anomaly != nullptr && anomaly->cases.front().at >= 0)
      note(Instant{} + Duration{anomaly->cases.front().at});
  }
  return earliest;
}

std::vector<Signature> signatures_of(const Summary& summary) {
  std::vector<Signature> found;
  for (const check::Violation& violation : summary.violations) {
    found.push_back({"invariant " + violation.invariant, {}, fault_before(summary, nanos(violation.at))});
  }
  for (const JudgedExpectation& judged : summary.expectations) {
    if (judged.verdict != Verdict::failed) continue;
    const OutcomeVerdict* anomaly = find_anomaly(summary, judged.expectation);
    const std::int64_t at = anomaly == nullptr ? nanos(summary.end.end) : anomaly->cases.front().at;
    found.push_back({judged.expectation.id, anomaly == nullptr ? std::string{} : anomaly->word,
                     fault_before(summary, at)});
  }
  return found;
}

}  // namespace sim::judge
