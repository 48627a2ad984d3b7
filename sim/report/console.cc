#include "report/console.h"

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <utility>
#include <vector>

#include "base/contains.h"
#include "base/human.h"
#include "base/printable.h"
#include "judge/fault_effects.h"
#include "report/build_id.h"
#include "report/words.h"

namespace sim::report {
namespace {

using judge::Verdict;

class Painter {
 public:
  explicit Painter(bool color) : color_(color) {}
  std::string bold(const std::string& text) const { return paint("1", text); }
  std::string dim(const std::string& text) const { return paint("2", text); }
  std::string by(Verdict verdict, const std::string& text) const {
    switch (verdict) {
      case Verdict::ok: return paint("1;32", text);
      case Verdict::failed: return paint("1;31", text);
      case Verdict::inconclusive: return paint("1;33", text);
    }
    return text;
  }

 private:
  std::string paint(const char* code, const std::string& text) const {
    return color_ ? "\033[" + std::string(code) + "m" + text + "\033[0m" : text;
  }
  bool color_;
};

const char* word(Verdict verdict) {
  switch (verdict) {
    case Verdict::ok: return "PASS";
    case Verdict::failed: return "FAIL";
    case Verdict::inconclusive: return "INCONCLUSIVE";
  }
  return "?";
}

const char* mark(Verdict verdict) {
  switch (verdict) {
    case Verdict::ok: return "ok";
    case Verdict::failed: return "x ";
    case Verdict::inconclusive: return "? ";
  }
  return "?";
}

std::string value_text(std::int64_t value, judge::Unit unit) {
  switch (unit) {
    case judge::Unit::nanoseconds: return human_duration(value);
    case judge::Unit::count: return human_count(static_cast<std::uint64_t>(std::max<std::int64_t>(value, 0)));
    case judge::Unit::milli_per_s: return human_rate(value);
  }
  return "?";
}

std::string window_text(const judge::Expectation& e) {
  switch (e.window) {
    case judge::Window::steady: return " (steady)";
    case judge::Window::faults: return " (faults)";
    case judge::Window::all: return "";
    case judge::Window::after: return " (after " + e.after_fault + ")";
    case judge::Window::during: return " (during " + e.after_fault + ")";
    case judge::Window::between: return " (" + e.window_text + ")";
  }
  return "";
}

std::string subject(const judge::Expectation& e) {
  std::string text = e.metric;
  if (e.metric == judge::kRecovery) return text + " from " + e.fault + " until " + e.until.text;
  if (!e.of.empty()) text += " of " + e.of;
  if (!e.fault.empty()) text += " after " + e.fault;
  if (e.statistic != "value") text += " " + e.statistic;
  return text + window_text(e);
}

std::string source_name(const std::string& source) {
  return std::filesystem::path(source).filename().string();
}

std::string headline(const judge::Summary& summary, const TextOptions& options, const Painter& paint) {
  std::string verdict = word(summary.verdict);
  if (summary.partial()) verdict = "PARTIAL " + verdict;
  std::string text = paint.by(summary.verdict, verdict) + "  " + paint.bold(summary.scenario) + "   seed " +
                     std::to_string(summary.seed) + "   " + human_duration(nanos(summary.end.end)) +
                     " simulated";
  if (options.wall) text += " in " + human_duration(nanos(*options.wall));
  switch (summary.end.reason) {
    case judge::StopReason::settled: break;
    case judge::StopReason::time_limit: text += ", stopped at its time limit"; break;
    case judge::StopReason::until: text += ", cut by --until"; break;
    case judge::StopReason::event_budget: text += ", stopped by its event budget"; break;
    case judge::StopReason::interrupted: text += ", interrupted"; break;
  }
  if (judge::lost_and_expected_nothing(summary)) text += ", lost orders and NO EXPECTATIONS";
  return text + "\n";
}

std::string expectation_lines(const judge::Summary& summary, const Painter& paint) {
  std::size_t subject_width = 0, value_width = 0, limit_width = 0;
  const auto value_of = [](const judge::JudgedExpectation& judged) {
    if (!judged.measured.value) return std::string("-");
    return (judged.measured.at_least ? "over " : "") +
           value_text(*judged.measured.value, judged.expectation.unit);
  };
  for (const judge::JudgedExpectation& judged : summary.expectations) {
    subject_width = std::max(subject_width, subject(judged.expectation).size());
    value_width = std::max(value_width, value_of(judged).size());
    limit_width = std::max(limit_width, judged.expectation.limit_text.size());
  }
  std::string text;
  for (const judge::JudgedExpectation& judged : summary.expectations) {
    const judge::Expectation& e = judged.expectation;
    text += "  " + paint.by(judged.verdict, mark(judged.verdict)) + " " +
            padded_right(subject(e), subject_width) + "   " +
            paint.bold(padded_right(value_of(judged), value_width)) + "   expected " +
            padded_right(e.limit_text, limit_width);
    if (judged.verdict == Verdict::inconclusive) text += "   " + judge::why_inconclusive(e, judged.measured);
    if (!e.source.empty()) text += "   " + paint.dim(source_name(e.source));
    text += "\n";
  }
  for (const check::Violation& first : summary.violations) {
    text += "  " + paint.by(Verdict::failed, "x ") + " invariant " + first.invariant + " broken" +
            (first.times > 1 ? " " + human_count(first.times) + " times, first at " : " at ") +
            human_duration(nanos(first.at)) + " (event " + std::to_string(first.seq) + "): " + first.what +
            "\n";
  }
  return text;
}

std::string counted(std::uint64_t count, const char* what) {
  return human_count(count) + " " + what + (count == 1 ? "" : "s");
}

// "32 s to 57 s", "5 times, 20 s to 65 s", "from 30 s on"
std::string when(const judge::FaultReport& fault, std::int64_t end_ns) {
  std::int64_t to = 0;
  for (const judge::FaultReport::Strike& strike : fault.strikes) to = std::max(to, strike.to_ns);
  const std::string from = human_duration(fault.strikes.front().from_ns);
  const std::size_t times = fault.strikes.size();
  const std::string often = times > 1 ? human_count(times) + " times, " : "";
  if (times == 1 && human_duration(to) == from) return "at " + from;
  return often + (to >= end_ns ? "from " + from + " on" : from + " to " + human_duration(to));
}

std::string whom(const judge::FaultReport& fault) {
  std::vector<std::string> all;
  for (const judge::FaultReport::Strike& strike : fault.strikes) {
    for (const std::string& process : strike.touched) {
      if (std::find(all.begin(), all.end(), process) == all.end()) all.push_back(process);
    }
  }
  if (all.empty()) return "nobody (" + fault.target + ")";
  constexpr std::size_t kMostNamed = 4;
  std::string text;
  if (all.size() > kMostNamed) {
    text = human_count(all.size()) + " processes (" + fault.target + ")";
  } else {
    for (const std::string& process : all) text += (text.empty() ? "" : ", ") + process;
    if (!fault.role.empty()) text += " (" + fault.role + ")";
  }
  return text;
}

std::string plural(std::string unit) {
  if (const std::size_t reply = unit.find(" reply "); reply != std::string::npos)
    return unit.replace(reply, 7, " replies ");
  for (const std::string_view noun : {"process", "message", "request", "leader", "partition", "topic",
                                      "write", "connection", "clock", "disk"}) {
    const std::size_t at = unit.find(noun);
    if (at != std::string::npos) unit.insert(at + noun.size(), noun == "process" ? "es" : "s");
  }
  return unit;
}

// "felt until 61 s", where a window of it goes on after its end by a second or more: of the strike that was
// felt longest.
std::string aftermath(const judge::FaultReport& fault) {
  const judge::FaultReport::Strike* longest = nullptr;
  const auto tail = [](const judge::FaultReport::Strike& strike) {
    return strike.effect_to_ns - strike.to_ns;
  };
  for (const judge::FaultReport::Strike& strike : fault.strikes) {
    if (longest == nullptr || tail(strike) > tail(*longest)) longest = &strike;
  }
  if (longest == nullptr || tail(*longest) < 1'000'000'000) return "";
  switch (longest->ends_by) {
    case judge::EffectEnd::recovered: return "; felt until " + human_duration(longest->effect_to_ns);
    case judge::EffectEnd::next_strike: return "; felt until the next fault";
    case judge::EffectEnd::grace:
      return "; still felt " + human_duration(judge::kEffectGrace) + " after its end";
    case judge::EffectEnd::end_of_run: return "; felt to the end of the run";
  }
  return "";
}

// "1 process killed", "14 203 messages dropped"
std::string did(const judge::FaultReport& fault) {
  const auto count = static_cast<std::uint64_t>(fault.effects());
  const std::string done = human_count(count) + " " + (count == 1 ? fault.unit : plural(fault.unit));
  for (const judge::FaultReport::Strike& strike : fault.strikes) {
    if (strike.refused.empty()) continue;
    const std::size_t others = strike.refused.size() - 1;
    return done + "; " + strike.refused.front() +
           (others == 0 ? "" : " and " + human_count(others) + " more");
  }
  std::string missed;
  std::size_t misses = 0;
  for (const judge::FaultReport::Strike& strike : fault.strikes) {
    for (const std::string& miss : strike.missed) {
      if (++misses == 1) missed = miss;
    }
  }
  if (misses == 0) return count == 0 ? "touched nothing" : done + aftermath(fault);
  if (misses > 1) missed += " and " + human_count(misses - 1) + " more";
  return count == 0 ? "touched nothing: " + missed : done + aftermath(fault) + "; missed: " + missed;
}

std::string fault_lines(const judge::Summary& summary, const Painter& paint) {
  struct Line {
    std::string name, when, whom, did;
    bool nothing;
  };
  std::vector<Line> lines;
  std::size_t name_width = 0, when_width = 0, whom_width = 0;
  for (const judge::FaultReport& fault : summary.faults) {
    Line line{fault.name, "did not strike", "", "", true};
    if (!fault.strikes.empty()) {
      line = Line{fault.name, when(fault, nanos(summary.end.end)), whom(fault), did(fault),
                  fault.effects() == 0};
    }
    name_width = std::max(name_width, line.name.size());
    if (!line.did.empty()) when_width = std::max(when_width, line.when.size());
    whom_width = std::max(whom_width, line.whom.size());
    lines.push_back(std::move(line));
  }
  std::string text;
  for (const Line& line : lines) {
    text += (text.empty() ? "faults   " : "         ") + padded_right(line.name, name_width) + "   ";
    if (line.nothing && line.did.empty()) {
      text += paint.by(Verdict::inconclusive, line.when) + "\n";
      continue;
    }
    text += padded_right(line.when, when_width) + "   " + padded_right(line.whom, whom_width) + "   " +
            (line.nothing ? paint.by(Verdict::inconclusive, line.did) : line.did) + "\n";
  }
  return text;
}

// Of groups that did more than form once.
std::string group_lines(const judge::Summary& summary) {
  std::string text;
  for (const judge::GroupSummary& group : summary.groups) {
    std::uint64_t expelled = 0;
    for (const judge::GroupSummary::Expelled& one : group.expelled) expelled += one.times;
    if (group.rebalances < 2 && expelled == 0) continue;
    text += (text.empty() ? "groups   " : "         ") + printable(group.name) + ": " +
            counted(group.rebalances, "rebalance");
    if (group.left > 0) text += " · " + counted(group.left, "member") + " left";
    if (expelled > 0) {
      text += " · " + counted(expelled, "member") + " expelled (";
      for (const judge::GroupSummary::Expelled& one : group.expelled) {
        if (&one != &group.expelled.front()) text += "; ";
        if (group.expelled.size() > 1) text += human_count(one.times) + " × ";
        text += judge::why(one.reason);
      }
      text += ")";
    }
    if (group.longest_gap_ns >= 0)
      text += " · a partition without an owner for up to " + human_duration(group.longest_gap_ns);
    text += "\n";
  }
  return text;
}

std::string order_lines(const judge::Summary& summary) {
  const judge::OrderCounts& orders = summary.orders;
  std::string text =
      "orders   " + human_count(orders.placed) + " placed · " + human_count(orders.fulfilled) + " fulfilled";
  const auto also = [&](std::uint64_t count, const char* what) {
    if (count > 0) text += " · " + human_count(count) + " " + what;
  };
  also(orders.failed, "failed");
  text += " · " + human_count(orders.lost) + " lost";
  also(orders.open, "still open");
  also(orders.retried, "retried");
  text += "\n";
  if (orders.failed_yet_handled > 0) {
    text += "         " + human_count(orders.failed_yet_handled) +
            " of the failed ones were handled all the same\n";
  }
  for (const judge::ServiceSummary& service : summary.services) {
    if (service.duplicate_effects == 0) continue;
    text += "again    " + service.name + " did " + counted(service.done_again, "order") +
            " more than once, " + counted(service.duplicate_effects, "effect") + " too many\n";
  }
  return text;
}

// "31 orders", "2 partitions"
std::string how_many(const judge::OutcomeVerdict& outcome) {
  const char* noun = outcome.word == "REORDER(key)" ? "key" : outcome.of_orders() ? "order" : "partition";
  if (outcome.word == "UNAVAIL") noun = "gap";
  return counted(outcome.cases.size(), noun);
}

// When it began, how long the longest of them was, and which they are.
std::string particulars(const judge::OutcomeVerdict& outcome) {
  const judge::VerdictCase& first = outcome.cases.front();
  std::string text = outcome.cases.size() == 1 ? "at " : "from ";
  text += human_duration(first.at) + (outcome.cases.size() == 1 ? "" : " on");
  std::int64_t longest = -1;
  for (const judge::VerdictCase& one : outcome.cases) longest = std::max(longest, one.lasted);
  if (longest >= 0) text += (outcome.cases.size() == 1 ? " for " : ", up to ") + human_duration(longest);
  text += ":";
  std::vector<std::string> told;  // a partition may be among them several times
  for (const std::string& one : outcome.first) {
    if (contains(told, one)) continue;
    text += (told.empty() ? " " : ", ") + one;
    told.push_back(one);
  }
  const std::size_t others = outcome.cases.size() - outcome.first.size() - outcome.of_kafka;
  if (outcome.of_kafka == 0) return text + (others != 0 ? ", ..." : "");
  return text + (others != 0 ? ", ..., and " : " and ") + human_count(outcome.of_kafka) + " of Kafka's own";
}

// Each cause once, with how many it befell, the most frequent first.
std::vector<std::pair<std::size_t, std::string>> causes_of(const judge::OutcomeVerdict& outcome) {
  std::vector<std::pair<std::size_t, std::string>> causes;
  for (const judge::VerdictCase& one : outcome.cases) {
    const auto known =
        std::find_if(causes.begin(), causes.end(), [&](const auto& c) { return c.second == one.cause; });
    if (known != causes.end()) {
      ++known->first;
    } else {
      causes.emplace_back(1, one.cause);
    }
    if (causes.size() > 50) break;
  }
  std::stable_sort(causes.begin(), causes.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  return causes;
}

std::string verdict_lines(const judge::Summary& summary, const Painter& paint) {
  constexpr std::size_t kCauses = 3;
  std::size_t word_width = 0, count_width = 0;
  const auto word_of = [](const judge::OutcomeVerdict& outcome) {
    return outcome.word + (outcome.service.empty() ? "" : " " + outcome.service);
  };
  for (const judge::OutcomeVerdict& outcome : summary.outcomes) {
    word_width = std::max(word_width, word_of(outcome).size());
    count_width = std::max(count_width, how_many(outcome).size());
  }
  std::string text;
  for (const judge::OutcomeVerdict& outcome : summary.outcomes) {
    text += (text.empty() ? "verdicts " : "         ") +
            paint.bold(padded_right(word_of(outcome), word_width)) + "   " +
            padded_right(how_many(outcome), count_width) + "   " + particulars(outcome) + "\n";
    const bool tells_causes = outcome.word == "LOST(acked)" || outcome.word == "LOST(group)" ||
                              outcome.word == "FAILED" || outcome.word == "UNAVAIL" ||
                              outcome.word == "DUP(effect)" || outcome.word == "STUCK";
    if (!tells_causes) continue;
    const auto causes = causes_of(outcome);
    if (outcome.word == "UNAVAIL" && causes.size() == 1 && causes.front().second == judge::kNobodyLedIt)
      continue;  // goes without saying
    for (std::size_t i = 0; i < std::min(kCauses, causes.size()); ++i) {
      text += "           " + paint.dim(human_count(causes[i].first) + " × " + printable(causes[i].second)) +
              "\n";
    }
    if (causes.size() > kCauses) text += "           " + paint.dim("and other causes: verdicts.csv") + "\n";
  }
  for (const std::string& off : summary.invariants_off) text += "off      invariant " + printable(off) + "\n";
  return text;
}

std::string convergence_lines(const judge::Summary& summary) {
  if (!summary.unconverged) return "";
  constexpr std::size_t kMostNamed = 6;
  const judge::Unconverged& left = *summary.unconverged;
  std::string text;
  const auto add = [&text](const char* head, const std::vector<std::string>& items) {
    for (std::size_t i = 0; i < items.size() && i < kMostNamed; ++i)
      text += head + printable(items[i]) + "\n";
    if (items.size() > kMostNamed) text += head + human_count(items.size() - kMostNamed) + " more\n";
  };
  if (left.open_orders != 0)
    text += "not yet  " + human_count(left.open_orders) + (left.open_orders == 1 ? " order" : " orders") +
            " under way\n";
  add("not yet  ", left.partitions);
  add("not yet  ", left.lags);
  add("excused  ", left.excused);
  return text;
}

std::string latency_line(const char* what, const judge::Distribution& latency) {
  if (latency.count == 0) return "";
  std::string text = what;
  const auto add = [&](const char* name, std::int64_t value) {
    if (value != judge::Distribution::kUnknown)
      text += std::string(name) + " " + human_duration(value) + "   ";
  };
  add("p50", latency.p50);
  add("p90", latency.p90);
  add("p99", latency.p99);
  add("p99.9", latency.p999);
  return text + "max " + human_duration(latency.max) + "\n";
}

const char* in_words(const judge::Slowest& slowest) {
  if (slowest.without_leader) return "in the producer, waiting for a leader of its partition";
  if (slowest.beyond_linger) return "in the producer, waiting to be sent (longer than linger.ms)";
  switch (slowest.stage) {
    case metrics::Stage::send_wait: return "waiting for send()";
    case metrics::Stage::linger: return "in the producer's batch (linger)";
    case metrics::Stage::retry: return "in producer retries";
    case metrics::Stage::network: return "on the network to the leader";
    case metrics::Stage::request_queue: return "in the leader's request queue";
    case metrics::Stage::append: return "in the leader's append";
    case metrics::Stage::replication: return "in replication";
    case metrics::Stage::fetch_wait: return "waiting to be fetched";
    case metrics::Stage::consumer_queue: return "in the consumer's queue";
    case metrics::Stage::service: return "in the service itself";
  }
  return "?";
}

std::string slowest_line(const judge::Summary& summary, const TextOptions& options, const Painter& paint) {
  if (!summary.slowest) return "";
  const judge::Slowest& slowest = *summary.slowest;
  std::string text =
      "slowest  order " + std::to_string(slowest.order) + ": " + human_duration(slowest.latency);
  if (slowest.outcome != metrics::Outcome::fulfilled)
    text += std::string(", ") + metrics::name(slowest.outcome);
  if (!slowest.service.empty()) {
    text += ", " + human_duration(slowest.in_stage) + " of it " + in_words(slowest) + " (" + slowest.service +
            ")";
  }
  if (!options.folder.empty()) {
    const std::string order = slowest.flow + "/" + std::to_string(slowest.order);
    text += "   " + paint.dim("kraftsim export " + printable(shell_word(options.folder)) +
                              " --format mermaid --order " + shell_word(order));
  }
  return text + "\n";
}

}  // namespace

std::string verdict_line(const judge::Summary& summary, const TextOptions& options) {
  return headline(summary, options, Painter(options.color));
}

std::string to_text(const judge::Summary& summary, const TextOptions& options) {
  const Painter paint(options.color);
  std::string text = headline(summary, options, paint) + expectation_lines(summary, paint) +
                     convergence_lines(summary) + fault_lines(summary, paint) + order_lines(summary) +
                     group_lines(summary) + verdict_lines(summary, paint) +
                     latency_line("latency  ", summary.e2e) + latency_line("produce  ", summary.produce) +
                     slowest_line(summary, options, paint);
  if (!options.folder.empty()) {
    text += "files    " + printable((std::filesystem::path(options.folder) / "report.html").string()) +
            "   (also summary.json, orders.csv, verdicts.csv, metrics.csv, leadership.csv, groups.csv, "
            "faults.csv, hist/)\n";
  }
  return text + "repro    " +
         paint.bold(printable(options.repro.empty() ? summary.end.repro : options.repro)) +
         "   fingerprint " + judge::fingerprint_text(summary.end.fingerprint) + "\n" +
         (summary.end.scenario_sha256.empty()
              ? ""
              : "         " +
                    paint.dim("scenario sha256 " + summary.end.scenario_sha256.substr(0, 16) + ", build " +
                              build_id()) +
                    "\n");
}

}  // namespace sim::report
