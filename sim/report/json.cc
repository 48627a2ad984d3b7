#include "report/json.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "report/version.h"

namespace sim::report {

namespace {

using Json = nlohmann::ordered_json;

Json known(std::int64_t value) {
  return value == judge::Distribution::kUnknown ? Json(nullptr) : Json(value);
}

Json json_of(const judge::Distribution& d) {
  return {{"count", d.count},       {"mean_ns", d.mean},      {"p50_ns", known(d.p50)},
          {"p90_ns", known(d.p90)}, {"p99_ns", known(d.p99)}, {"p99.9_ns", known(d.p999)},
          {"max_ns", d.max}};
}

const char* unit_name(judge::Unit unit) {
  switch (unit) {
    case judge::Unit::nanoseconds: return "ns";
    case judge::Unit::count: return "count";
    case judge::Unit::milli_per_s: return "milli_per_s";
  }
  return "?";
}

const char* window_name(judge::Window window) {
  switch (window) {
    case judge::Window::steady: return "steady";
    case judge::Window::faults: return "faults";
    case judge::Window::all: return "all";
    case judge::Window::after: return "after";
    case judge::Window::during: return "during";
    case judge::Window::between: return "between";
  }
  return "?";
}

Json json_of(const judge::JudgedExpectation& judged) {
  const judge::Expectation& e = judged.expectation;
  Json json{{"id", e.id}, {"verdict", judge::name(judged.verdict)}, {"metric", e.metric}};
  if (!e.of.empty()) json["of"] = e.of;
  if (!e.fault.empty()) json["fault"] = e.fault;
  if (!e.until.text.empty()) json["until"] = e.until.text;
  json["window"] = window_name(e.window);
  if (!e.after_fault.empty()) json[e.window == judge::Window::during ? "during" : "after"] = e.after_fault;
  if (e.window == judge::Window::between) {
    json["window_from_ns"] = e.from_ns;
    json["window_to_ns"] = e.to_ns;
  }
  json["statistic"] = e.statistic;
  json["unit"] = unit_name(e.unit);
  json["measured"] = judged.measured.value ? Json(*judged.measured.value) : Json(nullptr);
  json["samples"] = judged.measured.samples;
  json["expected"] = e.limit_text;
  json["limit"] = e.limit;
  if (e.comparison == judge::Comparison::within) json["upper_limit"] = e.upper_limit;
  if (judged.measured.at_least) json["at_least"] = true;
  json["source"] = e.source;
  if (judged.verdict == judge::Verdict::inconclusive)
    json["why"] = judge::why_inconclusive(e, judged.measured);
  return json;
}

Json json_of(const judge::OrderCounts& c) {
  return {{"placed", c.placed},   {"fulfilled", c.fulfilled},
          {"failed", c.failed},   {"lost", c.lost},
          {"open", c.open},       {"acknowledged", c.acknowledged},
          {"retried", c.retried}, {"failed_yet_handled", c.failed_yet_handled}};
}

Json json_of(const judge::Slowest& s) {
  Json json{
      {"flow", s.flow}, {"order", s.order}, {"outcome", metrics::name(s.outcome)}, {"latency_ns", s.latency}};
  if (!s.service.empty()) {
    json["service"] = s.service;
    json["stage"] = metrics::name(s.stage);
    if (s.stage == metrics::Stage::linger) {
      json["waiting_for"] = s.without_leader ? "leader" : s.beyond_linger ? "being_sent" : "linger";
    }
    json["in_stage_ns"] = s.in_stage;
  }
  return json;
}

Json json_of(const judge::GroupSummary& group) {
  Json expelled = Json::object();
  for (const judge::GroupSummary::Expelled& one : group.expelled)
    expelled[std::string(observe::name(one.reason))] = one.times;
  return {
      {"rebalances", group.rebalances},
      {"left", group.left},
      {"expelled", expelled},
      {"longest_ownership_gap_ns", group.longest_gap_ns < 0 ? Json(nullptr) : Json(group.longest_gap_ns)}};
}

Json json_of(const judge::FaultReport& fault) {
  Json strikes = Json::array();
  for (const judge::FaultReport::Strike& strike : fault.strikes) {
    strikes.push_back({{"from_ns", strike.from_ns},
                       {"to_ns", strike.to_ns},
                       {"effect_to_ns", strike.effect_to_ns},
                       {"effect_ended_by", judge::name(strike.ends_by)},
                       {"touched", strike.touched},
                       {"effects", strike.effects}});
    if (!strike.refused.empty()) strikes.back()["refused"] = strike.refused;
    if (!strike.missed.empty()) strikes.back()["missed"] = strike.missed;
  }
  return {{"name", fault.name},
          {"kind", fault.kind},
          {"target", fault.target},
          {"effect", fault.unit},
          {"strikes", strikes}};
}

Json json_of(const judge::OutcomeVerdict& outcome) {
  const judge::VerdictCase& first = outcome.cases.front();
  Json json{{"verdict", outcome.word}, {"count", outcome.cases.size()}};
  if (!outcome.service.empty()) json["service"] = outcome.service;
  json["first_at_ns"] = first.at;
  std::int64_t longest = -1;
  for (const judge::VerdictCase& one : outcome.cases) longest = std::max(longest, one.lasted);
  if (longest >= 0) json["longest_ns"] = longest;
  json["cause"] = first.cause;
  json[outcome.of_orders() ? "orders" : "partitions"] = outcome.first;
  return json;
}

Json invariants_json(const judge::Summary& summary) {
  Json violations = Json::array();
  for (const check::Violation& first : summary.violations) {
    violations.push_back({{"invariant", first.invariant},
                          {"times", first.times},
                          {"first_at_ns", nanos(first.at)},
                          {"first_seq", first.seq},
                          {"first", first.what}});
  }
  Json json{{"verdict", violations.empty() ? "ok" : "failed"}, {"violations", violations}};
  if (!summary.invariants_off.empty()) json["off"] = summary.invariants_off;
  return json;
}

}  // namespace

std::string to_json(const judge::Summary& summary) {
  Json json{
      {"schema", "kraftsim-summary/1"},
      {"version", kVersion},
      {"scenario", {{"name", summary.scenario}, {"file", summary.scenario_file}, {"about", summary.about}}},
      {"seed", summary.seed},
      {"verdict", judge::name(summary.verdict)},
      {"partial", summary.partial()},
      {"stopped", judge::name(summary.end.reason)},
      {"duration_ns", nanos(summary.duration)},
      {"warmup_ns", nanos(summary.warmup)},
      {"end_ns", nanos(summary.end.end)},
      {"events", summary.end.events},
      {"fingerprint", judge::fingerprint_text(summary.end.fingerprint)},
      {"meaning", judge::fingerprint_text(summary.end.meaning)}};
  json["expectations"] = Json::array();
  for (const judge::JudgedExpectation& judged : summary.expectations)
    json["expectations"].push_back(json_of(judged));
  json["invariants"] = invariants_json(summary);
  if (summary.unconverged) {
    json["unconverged"] = {{"open_orders", summary.unconverged->open_orders},
                           {"partitions", summary.unconverged->partitions},
                           {"lags", summary.unconverged->lags},
                           {"excused", summary.unconverged->excused}};
  }
  json["verdicts"] = Json::array();
  for (const judge::OutcomeVerdict& outcome : summary.outcomes) json["verdicts"].push_back(json_of(outcome));
  json["faults"] = Json::array();
  for (const judge::FaultReport& fault : summary.faults) json["faults"].push_back(json_of(fault));
  json["orders"] = json_of(summary.orders);
  json["e2e_latency"] = json_of(summary.e2e);
  json["produce_latency"] = json_of(summary.produce);
  json["services"] = Json::object();
  for (const judge::ServiceSummary& s : summary.services) {
    json["services"][s.name] = {{"done", s.done},
                                {"done_again", s.done_again},
                                {"duplicate_effects", s.duplicate_effects},
                                {"lost", s.lost},
                                {"latency", json_of(s.latency)}};
  }
  json["groups"] = Json::object();
  for (const judge::GroupSummary& group : summary.groups) json["groups"][group.name] = json_of(group);
  json["stages"] = Json::object();
  for (std::size_t stage = 0; stage < metrics::kStages; ++stage) {
    json["stages"][metrics::name(static_cast<metrics::Stage>(stage))] = {
        {"mean_ns", summary.stages[stage].mean},
        {"share_milli_percent", summary.stages[stage].share_milli_percent}};
  }
  json["slowest"] = summary.slowest ? json_of(*summary.slowest) : Json(nullptr);
  json["repro"] = summary.end.repro;
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace sim::report
