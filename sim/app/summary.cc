#include "app/summary.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "app/version.h"

namespace sim::app {

using metrics::OrderLedger;
using metrics::Outcome;

const char* name(StopReason reason) {
  switch (reason) {
    case StopReason::settled: return "settled";
    case StopReason::time_limit: return "time_limit";
    case StopReason::event_budget: return "event_budget";
    case StopReason::interrupted: return "interrupted";
  }
  return "?";
}

namespace {

bool after_warmup(const MeasuredRun& run, const OrderLedger::Order& order) {
  return order.intended >= nanos(run.warmup);
}

OrderCounts count_orders(const OrderLedger& ledger) {
  OrderCounts counts;
  counts.placed = ledger.totals().placed;
  counts.acknowledged = ledger.totals().acknowledged;
  counts.retried = ledger.totals().retried;
  for (OrderLedger::Index i = 0; i < ledger.size(); ++i) {
    switch (ledger.outcome(i)) {
      case Outcome::fulfilled: ++counts.fulfilled; break;
      case Outcome::lost: ++counts.lost; break;
      case Outcome::open: ++counts.open; break;
      case Outcome::failed:
        ++counts.failed;
        if (ledger.last_service(i) != ledger.services()) ++counts.failed_yet_handled;
        break;
    }
  }
  return counts;
}

template <class Latency>
Distribution latencies(const MeasuredRun& run, Latency latency) {
  std::vector<std::int64_t> samples;
  samples.reserve(run.ledger.size());
  for (OrderLedger::Index i = 0; i < run.ledger.size(); ++i) {
    const OrderLedger::Order& order = run.ledger.order(i);
    if (!after_warmup(run, order)) continue;
    if (const std::optional<std::int64_t> end = latency(i, order)) samples.push_back(*end - order.intended);
  }
  return distribution_of(samples);
}

ServiceSummary summarize_service(const MeasuredRun& run, std::size_t s) {
  ServiceSummary summary;
  summary.name = run.names.services[s];
  for (OrderLedger::Index i = 0; i < run.ledger.size(); ++i) {
    const OrderLedger::Service& row = run.ledger.service(i, s);
    if (row.times > 0) ++summary.done;
    if (row.times > 1) ++summary.done_again;
    if (row.times > 1) summary.duplicate_effects += row.times - std::uint64_t{1};
    if (run.ledger.lost_for(i, s)) ++summary.lost;
  }
  summary.latency = latencies(run, [&](OrderLedger::Index i, const OrderLedger::Order& order) {
    return run.ledger.wants(order, s) ? std::optional(run.ledger.ended(i, s)) : std::nullopt;
  });
  return summary;
}

std::array<StageShare, metrics::kStages> share_stages(const MeasuredRun& run) {
  std::array<int128, metrics::kStages> sums{};
  std::int64_t count = 0;
  for (OrderLedger::Index i = 0; i < run.ledger.size(); ++i) {
    const std::size_t last = run.ledger.last_service(i);
    if (!after_warmup(run, run.ledger.order(i)) || last == run.ledger.services() ||
        run.ledger.outcome(i) != Outcome::fulfilled) {
      continue;
    }
    const auto stages = run.ledger.stages(i, last);
    for (std::size_t stage = 0; stage < metrics::kStages; ++stage) sums[stage] += stages[stage];
    ++count;
  }
  std::array<StageShare, metrics::kStages> shares{};
  int128 whole = 0;
  for (const int128 sum : sums) whole += sum;
  for (std::size_t stage = 0; stage < metrics::kStages && whole > 0; ++stage) {
    shares[stage].mean = static_cast<std::int64_t>(sums[stage] / count);
    shares[stage].share_milli_percent =
        static_cast<std::int64_t>((sums[stage] * 100'000 + whole / 2) / whole);
  }
  return shares;
}

// On whose way an order was slowest: that of the first service that has not done it, or of the last that has.
std::size_t telling_service(const OrderLedger& ledger, OrderLedger::Index index) {
  for (std::size_t s = 0; s < ledger.services(); ++s) {
    if (ledger.wants(ledger.order(index), s) && ledger.service(index, s).done == metrics::kNever) return s;
  }
  return ledger.last_service(index);
}

std::optional<Slowest> find_slowest(const MeasuredRun& run) {
  const OrderLedger& ledger = run.ledger;
  OrderLedger::Index slowest = OrderLedger::kNone;
  std::int64_t longest = -1;
  for (OrderLedger::Index i = 0; i < ledger.size(); ++i) {
    if (!after_warmup(run, ledger.order(i))) continue;
    const std::int64_t latency = ledger.ended(i) - ledger.order(i).intended;
    if (latency <= longest) continue;
    longest = latency;
    slowest = i;
  }
  if (slowest == OrderLedger::kNone) return std::nullopt;
  const OrderLedger::Order& order = ledger.order(slowest);
  Slowest found;
  found.flow = run.names.flows[static_cast<std::size_t>(flow_of(order.id).value())];
  found.order = number_of(order.id);
  found.latency = longest;
  found.outcome = ledger.outcome(slowest);
  const std::size_t service = telling_service(ledger, slowest);
  if (service == ledger.services()) return found;
  found.service = run.names.services[service];
  const auto stages = ledger.stages(slowest, service);
  const auto most = std::max_element(stages.begin(), stages.end());
  found.stage = static_cast<metrics::Stage>(most - stages.begin());
  found.in_stage = *most;
  return found;
}

check::Verdict overall(const Summary& summary) {
  bool inconclusive = summary.end.reason == StopReason::event_budget;
  for (const FaultReport& fault : summary.faults) inconclusive = inconclusive || fault.effects() == 0;
  for (const JudgedExpectation& judged : summary.expectations) {
    if (judged.verdict == check::Verdict::failed) return check::Verdict::failed;
    inconclusive = inconclusive || judged.verdict == check::Verdict::inconclusive;
  }
  if (!summary.violations.empty()) return check::Verdict::failed;
  return inconclusive ? check::Verdict::inconclusive : check::Verdict::ok;
}

}  // namespace

Summary summarize(const scenario::Scenario& scenario, const MeasuredRun& run,
                  const check::AllInvariants& invariants, std::vector<FaultReport> faults,
                  const RunEnd& end) {
  Summary summary;
  summary.scenario = scenario.name;
  summary.scenario_file = scenario.file;
  summary.about = scenario.about;
  summary.seed = scenario.seed;
  summary.duration = scenario.duration;
  summary.warmup = scenario.warmup;
  summary.end = end;
  for (const check::Expectation& expectation : scenario.expectations) {
    const check::Measured measured = measure(run, expectation);
    summary.expectations.push_back(
        JudgedExpectation{expectation, measured, check::judge(expectation, measured)});
  }
  summary.violations = invariants.violations();
  for (const scenario::InvariantOff& off : scenario.invariants_off)
    summary.invariants_off.push_back(off.name + ": " + off.because);
  summary.outcomes = find_verdicts(run, invariants);
  summary.faults = std::move(faults);
  summary.orders = count_orders(run.ledger);
  summary.e2e = latencies(run, [&](OrderLedger::Index i, const OrderLedger::Order&) {
    return std::optional(run.ledger.ended(i));
  });
  summary.produce = latencies(run, [&](OrderLedger::Index i, const OrderLedger::Order&) {
    return std::optional(run.ledger.answered(i));
  });
  for (std::size_t s = 0; s < run.ledger.services(); ++s)
    summary.services.push_back(summarize_service(run, s));
  summary.stages = share_stages(run);
  summary.slowest = find_slowest(run);
  summary.verdict = overall(summary);
  return summary;
}

int exit_code(const Summary& summary) {
  switch (summary.verdict) {
    case check::Verdict::ok: return 0;
    case check::Verdict::failed: return 1;
    case check::Verdict::inconclusive: return 3;
  }
  return 3;
}

std::string fingerprint_text(std::uint64_t fingerprint) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  for (int shift = 60; shift >= 0; shift -= 4) text += kHex[fingerprint >> shift & 15];
  return text;
}

// ---- JSON

namespace {

using Json = nlohmann::ordered_json;

Json known(std::int64_t value) {
  return value == Distribution::kUnknown ? Json(nullptr) : Json(value);
}

Json json_of(const Distribution& d) {
  return {{"count", d.count},       {"mean_ns", d.mean},      {"p50_ns", known(d.p50)},
          {"p90_ns", known(d.p90)}, {"p99_ns", known(d.p99)}, {"p99.9_ns", known(d.p999)},
          {"max_ns", d.max}};
}

const char* unit_name(check::Unit unit) {
  switch (unit) {
    case check::Unit::nanoseconds: return "ns";
    case check::Unit::count: return "count";
    case check::Unit::milli_per_s: return "milli_per_s";
  }
  return "?";
}

const char* window_name(check::Window window) {
  switch (window) {
    case check::Window::steady: return "steady";
    case check::Window::faults: return "faults";
    case check::Window::all: return "all";
    case check::Window::after: return "after";
  }
  return "?";
}

Json json_of(const JudgedExpectation& judged) {
  const check::Expectation& e = judged.expectation;
  Json json{{"id", e.id}, {"verdict", check::name(judged.verdict)}, {"metric", e.metric}};
  if (!e.of.empty()) json["of"] = e.of;
  if (!e.fault.empty()) json["fault"] = e.fault;
  if (!e.until.text.empty()) json["until"] = e.until.text;
  json["window"] = window_name(e.window);
  if (!e.after_fault.empty()) json["after"] = e.after_fault;
  json["statistic"] = e.statistic;
  json["unit"] = unit_name(e.unit);
  json["measured"] = judged.measured.value ? Json(*judged.measured.value) : Json(nullptr);
  json["samples"] = judged.measured.samples;
  json["expected"] = e.limit_text;
  json["limit"] = e.limit;
  if (e.comparison == check::Comparison::within) json["upper_limit"] = e.upper_limit;
  if (judged.measured.at_least) json["at_least"] = true;
  json["source"] = e.source;
  if (judged.verdict == check::Verdict::inconclusive)
    json["why"] = check::why_inconclusive(e, judged.measured);
  return json;
}

Json json_of(const OrderCounts& c) {
  return {{"placed", c.placed},   {"fulfilled", c.fulfilled},
          {"failed", c.failed},   {"lost", c.lost},
          {"open", c.open},       {"acknowledged", c.acknowledged},
          {"retried", c.retried}, {"failed_yet_handled", c.failed_yet_handled}};
}

Json json_of(const Slowest& s) {
  Json json{
      {"flow", s.flow}, {"order", s.order}, {"outcome", metrics::name(s.outcome)}, {"latency_ns", s.latency}};
  if (!s.service.empty()) {
    json["service"] = s.service;
    json["stage"] = metrics::name(s.stage);
    json["in_stage_ns"] = s.in_stage;
  }
  return json;
}

Json json_of(const FaultReport& fault) {
  Json strikes = Json::array();
  for (const FaultReport::Strike& strike : fault.strikes) {
    strikes.push_back({{"from_ns", strike.from_ns},
                       {"to_ns", strike.to_ns},
                       {"touched", strike.touched},
                       {"effects", strike.effects}});
    if (!strike.refused.empty()) strikes.back()["refused"] = strike.refused;
  }
  return {{"name", fault.name}, {"kind", fault.kind}, {"target", fault.target}, {"strikes", strikes}};
}

Json json_of(const OutcomeVerdict& outcome) {
  const VerdictCase& first = outcome.cases.front();
  Json json{{"verdict", outcome.word}, {"count", outcome.cases.size()}};
  if (!outcome.service.empty()) json["service"] = outcome.service;
  json["first_at_ns"] = first.at;
  std::int64_t longest = -1;
  for (const VerdictCase& one : outcome.cases) longest = std::max(longest, one.lasted);
  if (longest >= 0) json["longest_ns"] = longest;
  json["cause"] = first.cause;
  json[outcome.of_orders() ? "orders" : "partitions"] = outcome.first;
  return json;
}

Json invariants_json(const Summary& summary) {
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

std::string to_json(const Summary& summary) {
  Json json{
      {"schema", "kraftsim-summary/1"},
      {"version", kVersion},
      {"scenario", {{"name", summary.scenario}, {"file", summary.scenario_file}, {"about", summary.about}}},
      {"seed", summary.seed},
      {"verdict", check::name(summary.verdict)},
      {"partial", summary.partial()},
      {"stopped", name(summary.end.reason)},
      {"duration_ns", nanos(summary.duration)},
      {"warmup_ns", nanos(summary.warmup)},
      {"end_ns", nanos(summary.end.end)},
      {"events", summary.end.events},
      {"fingerprint", fingerprint_text(summary.end.fingerprint)},
      {"meaning", fingerprint_text(summary.end.meaning)}};
  json["expectations"] = Json::array();
  for (const JudgedExpectation& judged : summary.expectations)
    json["expectations"].push_back(json_of(judged));
  json["invariants"] = invariants_json(summary);
  json["verdicts"] = Json::array();
  for (const OutcomeVerdict& outcome : summary.outcomes) json["verdicts"].push_back(json_of(outcome));
  json["faults"] = Json::array();
  for (const FaultReport& fault : summary.faults) json["faults"].push_back(json_of(fault));
  json["orders"] = json_of(summary.orders);
  json["e2e_latency"] = json_of(summary.e2e);
  json["produce_latency"] = json_of(summary.produce);
  json["services"] = Json::object();
  for (const ServiceSummary& s : summary.services) {
    json["services"][s.name] = {{"done", s.done},
                                {"done_again", s.done_again},
                                {"duplicate_effects", s.duplicate_effects},
                                {"lost", s.lost},
                                {"latency", json_of(s.latency)}};
  }
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

}  // namespace sim::app
