#include "page/finding.h"

#include <algorithm>
#include <utility>

#include "page/words.h"

namespace sim::page {
namespace {

std::string orders_sentence(const Documents& run) {
  const Json& orders = object_at(run.summary, "orders");
  const std::int64_t placed = integer(orders, "placed", 0);
  if (placed == 0) return "No order was placed.";
  std::string ends;
  for (const auto& [key, words] : {std::pair{"lost", " lost"},
                                   {"failed", " refused or given up"},
                                   {"open", " still under way at the end"}}) {
    const std::int64_t many = integer(orders, key, 0);
    if (many > 0)
      ends += (ends.empty() ? "" : ", ") + count_of(many) + (many == 1 ? " was" : " were") + words;
  }
  std::int64_t again = 0;
  for (const Json& service : object_at(run.summary, "services"))
    again = std::max(again, integer(service, "done_again", 0));
  const std::string twice = "a service did " + count_of(again) + " of them more than once.";
  if (!ends.empty()) return "Of " + count_of(placed) + " orders " + ends + (again > 0 ? "; " + twice : ".");
  return "All " + count_of(placed) + " orders were fulfilled" +
         (again > 0 ? "; " + twice : ", each service did each of them once.");
}

// How bad an outcome is: what is lost comes before what failed, what was done twice and what merely waited.
int rank_of(const std::string& verdict) {
  constexpr const char* kWorstFirst[] = {"LOST", "DUP", "FAILED", "REORDER", "DIVERGED", "STUCK"};
  int rank = 0;
  for (const char* const one : kWorstFirst) {
    if (verdict.starts_with(one)) return rank;
    ++rank;
  }
  return rank;
}

std::string sentence_of_verdict(const Json& verdict) {
  const std::string word = text(verdict, "verdict");
  const std::int64_t many = integer(verdict, "count", 0);
  const std::string service = text(verdict, "service");
  const std::int64_t longest = integer(verdict, "longest_ns");
  const std::string for_up_to = longest > 0 ? ", for up to " + human_duration(longest) : "";
  std::string what;
  if (word == "LOST(acked)")
    what = counted(many, "acknowledged order") + " can be found in no log any more";
  else if (word == "LOST(group)")
    what = service + " never does " + counted(many, "order");
  else if (word == "FAILED")
    what = counted(many, "order") + " failed at the producer";
  else if (word == "DUP(log)")
    what = counted(many, "record") + " in the log repeat an order";
  else if (word == "DUP(effect)")
    what = service + " did " + counted(many, "order") + " more than once";
  else if (word == "ABORTED-READ")
    what = service + " did " + counted(many, "order") + " of transactions that were aborted";
  else if (word == "TORN")
    what = counted(many, "transaction") + " took effect in part";
  else if (word == "REORDER(key)")
    what =
        service + " did orders of " + counted(many, "customer") + " in another order than they were placed";
  else if (word == "DIVERGED")
    what = counted(many, "log") + " diverged";
  else if (word == "UNAVAIL")
    what = counted(many, "time") + " a partition took no records" + for_up_to;
  else if (word == "STUCK")
    what = (service.empty() ? counted(many, "partition") + " made"
                            : counted(many, "order") + " of " + service + " made") +
           " no progress any more";
  else
    what = word + " " + count_of(many) + " times";
  return upper_first(what) + ": " + text(verdict, "cause") + ".";
}

std::string cause_sentence(const Documents& run) {
  const Json* worst = nullptr;
  const auto badness = [](const Json& verdict) {
    return std::pair(-rank_of(text(verdict, "verdict")), integer(verdict, "count", 0));
  };
  for (const Json& verdict : list_at(run.summary, "verdicts")) {
    if (text(verdict, "cause").empty()) continue;
    if (worst == nullptr || badness(verdict) > badness(*worst)) worst = &verdict;
  }
  return worst == nullptr ? "" : sentence_of_verdict(*worst);
}

std::string fault_sentence(const Documents& run) {
  std::vector<std::string> strikes;
  for (const Json& fault : list_at(run.summary, "faults")) {
    for (const Json& strike : list_at(fault, "strikes")) {
      std::string whom;
      for (const Json& one : list_at(strike, "touched")) {
        if (one.is_string()) whom += (whom.empty() ? "" : ", ") + one.get<std::string>();
      }
      strikes.push_back(text(fault, "kind") + " " + (whom.empty() ? text(fault, "target") : whom) + " at " +
                        human_duration(integer(strike, "from_ns", 0)));
    }
  }
  if (strikes.empty()) return "";
  constexpr std::size_t kTold = 2;
  const std::string more =
      strikes.size() > kTold ? " and " + std::to_string(strikes.size() - kTold) + " more" : "";
  strikes.resize(std::min(strikes.size(), kTold));
  return std::string("Faults: ") + joined(strikes, ", ") + more + ".";
}

}  // namespace

std::string measured_value(const Json& expectation) {
  const auto measured = expectation.find("measured");
  if (measured == expectation.end() || !measured->is_number_integer()) return "";
  const auto value = measured->get<std::int64_t>();
  const std::string unit = text(expectation, "unit");
  if (unit == "ns") return human_duration(value);
  if (unit == "milli_per_s") return human_rate(value);
  if (unit == "bytes") return human_bytes(value);
  return count_of(value);
}

std::string words_of_expectation(const Json& expectation) {
  std::string words = text(expectation, "metric");
  if (const std::string of = text(expectation, "of"); !of.empty()) words += " of " + of;
  if (const std::string fault = text(expectation, "fault"); !fault.empty()) words += " after " + fault;
  if (const std::string statistic = text(expectation, "statistic"); statistic != "value")
    words += ", " + statistic;
  if (const std::string window = text(expectation, "window"); !window.empty() && window != "all")
    words += " (" + window + ")";
  return words;
}

std::string finding_of_run(const Documents& run) {
  if (run.summary.is_null()) return "There is no summary of this run.";
  const Json& expectations = list_at(run.summary, "expectations");
  std::int64_t failed = 0;
  std::int64_t inconclusive = 0;
  const Json* first_failed = nullptr;
  for (const Json& one : expectations) {
    const std::string verdict = text(one, "verdict");
    if (verdict == "failed" && failed++ == 0) first_failed = &one;
    if (verdict == "inconclusive") ++inconclusive;
  }
  std::string finding;
  const Json& violations = list_at(object_at(run.summary, "invariants"), "violations");
  if (!violations.empty())
    finding += "An invariant was broken: " + text(violations.front(), "invariant") + ". ";
  if (first_failed != nullptr) {
    finding += count_of(failed) + " of " + std::to_string(expectations.size()) +
               (expectations.size() == 1 ? " expectation failed: " : " expectations failed: ") +
               words_of_expectation(*first_failed) + " is " + measured_value(*first_failed) + ", expected " +
               text(*first_failed, "expected") + ". ";
  } else if (inconclusive > 0) {
    finding += count_of(inconclusive) + " of " + std::to_string(expectations.size()) +
               " expectations cannot be decided. ";
  } else if (expectations.empty()) {
    finding += "Nothing was expected of this run. ";
  } else {
    finding += expectations.size() == 1
                   ? "The expectation held. "
                   : "All " + std::to_string(expectations.size()) + " expectations held. ";
  }
  finding += orders_sentence(run);
  for (const std::string& more : {cause_sentence(run), fault_sentence(run)}) {
    if (!more.empty()) finding += " " + more;
  }
  return finding;
}

}  // namespace sim::page
