#include "scenario/expectations.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "check/invariants.h"
#include "judge/metric.h"
#include "scenario/clients.h"
#include "scenario/faults.h"
#include "scenario/read_values.h"
#include "scenario/suggest.h"
#include "scenario/targets.h"
#include "scenario/units.h"

namespace sim::scenario {

namespace {

using judge::Comparison;
using judge::Expectation;
using judge::Metric;
using judge::Of;
using judge::Unit;
using judge::Window;

constexpr std::string_view kStatistics[] = {"p50", "p90", "p95", "p99", "p99.9", "min", "max", "mean"};

bool is_statistic(std::string_view word) {
  return std::find(std::begin(kStatistics), std::end(kStatistics), word) != std::end(kStatistics);
}

UnitKind unit_kind(Unit unit) {
  return unit == Unit::nanoseconds   ? UnitKind::duration
         : unit == Unit::milli_per_s ? UnitKind::rate
                                     : UnitKind::none;
}

struct Operator {
  std::string_view text;
  Comparison comparison;
};
constexpr Operator kOperators[] = {{"<=", Comparison::less_equal}, {">=", Comparison::greater_equal},
                                   {"==", Comparison::equal},      {"<", Comparison::less},
                                   {">", Comparison::greater},     {"=", Comparison::equal}};

std::string_view symbol(Comparison comparison) {
  switch (comparison) {
    case Comparison::less: return "< ";
    case Comparison::less_equal: return "<= ";
    case Comparison::equal: return "= ";
    case Comparison::greater_equal: return ">= ";
    case Comparison::greater: return "> ";
    case Comparison::within: break;
  }
  return {};
}

// "500 ms", "11.1 s", for people.
std::string for_people(std::int64_t value, UnitKind kind) {
  constexpr std::int64_t kSecond = 1'000'000'000, kMs = 1'000'000;
  if (kind == UnitKind::duration && value > kSecond && value < 300 * kSecond && value % kMs == 0) {
    std::string text = std::to_string(value / kSecond);
    std::string fraction = std::to_string(1000 + value % kSecond / kMs).substr(1);
    while (!fraction.empty() && fraction.back() == '0') fraction.pop_back();
    return text + (fraction.empty() ? "" : "." + fraction) + " s";
  }
  const std::string scalar = print_scalar(value, kind);
  const std::size_t unit = scalar.find_first_not_of("-0123456789.");
  if (unit == std::string::npos || scalar[unit] == '/') return scalar;
  return scalar.substr(0, unit) + " " + scalar.substr(unit);
}

// "< 500ms", "= 0" or "9s..11s".
struct Limit {
  Comparison comparison = Comparison::equal;
  std::int64_t limit = 0;
  std::int64_t upper_limit = 0;
  std::string canonical;
  std::string text;
  std::string problem;  // none of the above if there is one
  std::string hint;
};

std::optional<std::int64_t> limit_number(std::string_view text, UnitKind kind, Limit& into) {
  const Scalar read = read_scalar(text, kind);
  if (read.value && *read.value >= 0) return read.value;
  into.problem = "must be compared with " + std::string(describe(kind)) + ": \"" + std::string(text) + "\" " +
                 (read.value ? "is negative" : read.problem);
  into.hint = read.hint;
  return std::nullopt;
}

Limit read_range(std::string_view text, std::size_t dots, UnitKind kind) {
  Limit limit;
  limit.comparison = Comparison::within;
  const auto low = limit_number(trimmed(text.substr(0, dots)), kind, limit);
  if (!low) return limit;
  const auto high = limit_number(trimmed(text.substr(dots + 2)), kind, limit);
  if (!high) return limit;
  if (*high < *low) {
    limit.problem = "has a range that ends before it begins: \"" + std::string(text) + "\"";
    return limit;
  }
  limit.limit = *low;
  limit.upper_limit = *high;
  limit.canonical = print_scalar(*low, kind) + ".." + print_scalar(*high, kind);
  limit.text = for_people(*low, kind) + " to " + for_people(*high, kind);
  return limit;
}

Limit read_limit(std::string_view text, UnitKind kind, bool equals) {
  const std::string_view whole = text;
  if (const std::size_t dots = text.find(".."); dots != std::string_view::npos && !equals) {
    return read_range(text, dots, kind);
  }
  Limit limit;
  bool found = equals;
  for (const Operator& op : kOperators) {
    if (found || !text.starts_with(op.text)) continue;
    limit.comparison = op.comparison;
    text.remove_prefix(op.text.size());
    found = true;
  }
  if (!found) {
    limit.problem = "needs a comparison: " + describe(scalar(std::string(whole))) +
                    " begins with none of <, <=, >, >=, =";
    if (read_scalar(text, kind).value) limit.hint = "write \"< " + std::string(text) + "\"";
    return limit;
  }
  const auto value = limit_number(trimmed(text), kind, limit);
  if (!value) return limit;
  limit.limit = *value;
  limit.canonical = (equals ? "" : std::string(symbol(limit.comparison))) + print_scalar(*value, kind);
  limit.text = std::string(symbol(limit.comparison)) + for_people(*value, kind);
  return limit;
}

class Reader {
 public:
  Reader(Value& item, std::size_t index, const Value& root, const std::vector<std::string>& faults,
         const std::set<std::string>& ids, Report& report)
      : item_(item),
        ids_(ids),
        where_("expect[" + std::to_string(index) + "]"),
        root_(root),
        clients_(root.at("clients")),
        faults_(faults),
        report_(report) {}

  std::optional<Expectation> read() {
    Expectation expectation;
    expectation.source = report_.source(0).name + ":" + std::to_string(item_.place.line);
    const bool recovery = item_.find("recovery") != nullptr;
    if (!(recovery ? read_recovery(expectation) : read_metric(expectation))) return std::nullopt;
    if (item_.find("id") == nullptr) {
      item_.entries.insert(item_.entries.begin(),
                           Entry{"id", Place{}, scalar(unique(made_up_id(expectation)))});
    }
    expectation.id = item_.at("id").text;
    return expectation;
  }

 private:
  // A number follows if there is one of that id.
  std::string unique(const std::string& id) const {
    std::string result = id;
    for (int number = 2; ids_.contains(result); ++number) result = id + "-" + std::to_string(number);
    return result;
  }
  static std::string made_up_id(const Expectation& expectation) {
    std::string id = expectation.metric;
    if (expectation.statistic != "value") id += "-" + expectation.statistic;
    if (!expectation.of.empty()) id += "-" + expectation.of;
    if (!expectation.fault.empty()) id += "-" + expectation.fault;
    return id.substr(0, 64);
  }

  bool read_metric(Expectation& expectation) {
    const Value* metric_name = item_.find("metric");
    const Metric* metric = metric_name == nullptr ? nullptr : judge::find_metric(metric_name->text);
    if (metric == nullptr) return false;  // a missing or wrong one has been reported
    expectation.metric = metric->name;
    expectation.unit = metric->unit;
    const bool limited = read_statistic(*metric, expectation);
    const bool aimed = read_of(*metric, expectation);
    const bool timed = read_window(*metric, expectation) && read_fault(*metric, expectation);
    return limited && aimed && timed;
  }

  // The one statistic of the item, and what it is compared with.
  bool read_statistic(const Metric& metric, Expectation& expectation) {
    for (Entry& entry : item_.entries) {
      const bool statistic = is_statistic(entry.key);
      if (!statistic && entry.key != "value" && entry.key != "equals") continue;
      if (statistic != metric.distribution) {
        report_.error(entry.key_place,
                      where_ + ": " + std::string(metric.name) + " has no \"" + entry.key + "\"",
                      metric.distribution ? "give one of p50, p90, p95, p99, p99.9, min, max, mean"
                                          : remedy_for_count(entry));
        return false;
      }
      expectation.statistic = statistic ? entry.key : "value";
      const Limit limit = read_limit(entry.value.text, unit_kind(metric.unit), entry.key == "equals");
      if (!limit.problem.empty()) {
        report_.error(entry.value.place, where_ + "." + entry.key + " " + limit.problem, limit.hint);
        return false;
      }
      expectation.comparison = limit.comparison;
      expectation.limit = limit.limit;
      expectation.upper_limit = limit.upper_limit;
      expectation.limit_text = limit.text;
      entry.value.text = limit.canonical;
      return true;
    }
    return false;  // none or a wrong one, which has been reported
  }

  // "equals: 0" for max: 0, "value: < 3" for max: "< 3".
  static std::string remedy_for_count(const Entry& entry) {
    const std::string& text = entry.value.text;
    const bool is_compared =
        text.find_first_of("<>=") != std::string::npos || text.find("..") != std::string::npos;
    return "it is one number: give " + (is_compared ? "value: \"" + text + "\"" : "equals: " + text);
  }

  bool read_of(const Metric& metric, Expectation& expectation) {
    const Value* of = item_.find("of");
    if (of == nullptr) return true;
    expectation.of = of->text;
    return is_measured_of(metric, of->text, *of, where_ + ".of");
  }

  bool is_measured_of(const Metric& metric, const std::string& of, const Value& at,
                      const std::string& where) {
    switch (metric.of) {
      case Of::nobody:
        report_.error(at.place, where + ": " + std::string(metric.name) + " is measured of all there is",
                      "leave of out");
        return false;
      case Of::client:
      case Of::producer:
      case Of::consumer: return is_client(metric, of, at, where);
      case Of::partition: return is_partition(of, at, where);
      case Of::broker: return is_broker(of, at, where);
    }
    return false;
  }

  bool is_client(const Metric& metric, const std::string& of, const Value& at, const std::string& where) {
    const Value* client = clients_.find(of);
    if (client == nullptr) {
      std::vector<std::string_view> names;
      for (const Entry& entry : clients_.entries) names.push_back(entry.key);
      report_.error(at.place, where + ": there is no client \"" + of + "\"", did_you_mean(of, names));
      return false;
    }
    const bool produces = places_orders(*client);
    if ((metric.of == Of::producer && !produces) || (metric.of == Of::consumer && produces)) {
      report_.error(at.place, where + ": " + std::string(metric.name) + " is measured of a client that " +
                                  (produces ? "consumes" : "produces") + ", and " + of +
                                  (produces ? " produces" : " consumes"));
      return false;
    }
    return true;
  }

  // A topic, or one of its partitions.
  bool is_partition(const std::string& of, const Value& at, const std::string& where) {
    std::vector<std::string_view> names{"__consumer_offsets"};
    for (const Entry& topic : root_.at("topics").entries) names.push_back(topic.key);
    for (const Entry& client : clients_.entries) {
      if (const Value* produces = client.value.find("produces")) names.push_back(produces->text);
    }
    const std::vector<Value> none;
    const Value* faults = root_.find("faults");
    for (const Value& fault : faults == nullptr ? none : faults->items) {
      const Value* admin = fault.find("admin");
      const Value* fresh = admin == nullptr ? nullptr : admin->find("create-topic");
      if (fresh != nullptr) names.push_back(fresh->at("topic").text);
    }
    if (std::find(names.begin(), names.end(), of) != names.end()) return true;
    const ReadTarget read = read_target("leader(" + of + ")");
    const auto* partition = read.target ? std::get_if<fault::LeaderOf>(&*read.target) : nullptr;
    if (partition != nullptr && std::find(names.begin(), names.end(), partition->topic) != names.end()) {
      const Value* topic = root_.at("topics").find(partition->topic);
      const Value* count = topic == nullptr ? nullptr : topic->find("partitions");
      if (count == nullptr || partition->partition < *read_scalar(count->text, UnitKind::none).value)
        return true;
      report_.error(
          at.place,
          where + ": topic " + partition->topic + " has no partition " + std::to_string(partition->partition),
          "it has " + count->text);
      return false;
    }
    report_.error(at.place, where + ": there is no topic or partition \"" + of + "\"",
                  did_you_mean(of, names));
    return false;
  }

  bool is_broker(const std::string& of, const Value& at, const std::string& where) {
    const Value& brokers = root_.at("cluster").at("brokers");
    const ReadTarget read = read_target(of);
    const auto* broker = read.target ? std::get_if<fault::BrokerTarget>(&*read.target) : nullptr;
    if (brokers.invented ||
        (broker != nullptr && broker->id.value() <= *read_scalar(brokers.text, UnitKind::none).value)) {
      return true;
    }
    report_.error(at.place, where + ": there is no broker \"" + of + "\"",
                  "they are called broker-1 to broker-" + brokers.text);
    return false;
  }

  bool read_window(const Metric& metric, Expectation& expectation) {
    Value& window = *item_.find("window");
    if (metric.from_strikes && window.text != "all") {
      report_.error(window.place,
                    where_ + ".window: " + std::string(metric.name) + " counts from the strikes of faults",
                    "say of which: fault: NAME");
      return false;
    }
    if (window.text == "all") {
      expectation.window = Window::all;
    } else if (window.text == "steady") {
      expectation.window = Window::steady;
    } else if (window.text == "faults") {
      expectation.window = Window::faults;
    } else if (window.text.starts_with("after(") && window.text.ends_with(")")) {
      expectation.window = Window::after;
      expectation.after_fault = window.text.substr(6, window.text.size() - 7);
    } else if (window.text.starts_with("during(") && window.text.ends_with(")")) {
      expectation.window = Window::during;
      expectation.after_fault = window.text.substr(7, window.text.size() - 8);
    } else if (const std::size_t dots = window.text.find(".."); dots != std::string::npos) {
      return read_times(window, dots, expectation);
    } else {
      const bool names_a_fault = std::find(faults_.begin(), faults_.end(), window.text) != faults_.end();
      report_.error(window.place,
                    where_ +
                        ".window must be all, steady, faults, during(FAULT), after(FAULT) or times such as "
                        "30s..45s, not " +
                        describe(window),
                    names_a_fault ? "write during(" + window.text + ") or after(" + window.text + ")"
                                  : did_you_mean(window.text, {"all", "steady", "faults"}));
      return false;
    }
    if (expectation.window == Window::faults && faults_.empty()) {
      report_.error(window.place, where_ + ".window: there is no fault in this scenario");
      return false;
    }
    const bool of_one = expectation.window == Window::after || expectation.window == Window::during;
    return !of_one || is_fault(expectation.after_fault, window, "window");
  }

  bool read_times(Value& window, std::size_t dots, Expectation& expectation) {
    const Limit times = read_range(window.text, dots, UnitKind::duration);
    const bool is_empty = times.problem.empty() && times.limit == times.upper_limit;
    if (!times.problem.empty() || is_empty) {
      report_.error(
          window.place,
          where_ + ".window " + (is_empty ? "ends where it begins: " + describe(window) : times.problem),
          times.hint.empty() ? "such as 30s..45s" : times.hint);
      return false;
    }
    expectation.window = Window::between;
    expectation.from_ns = times.limit;
    expectation.to_ns = times.upper_limit;
    expectation.window_text = times.text;
    window.text = times.canonical;
    return true;
  }

  bool read_fault(const Metric& metric, Expectation& expectation) {
    const Value* fault = item_.find("fault");
    if (metric.from_strikes && faults_.empty()) {
      report_.error(item_.at("metric").place, where_ + ": " + std::string(metric.name) +
                                                  " counts from the strikes of faults, and there are none");
      return false;
    }
    if (fault == nullptr) return true;
    if (!metric.from_strikes) {
      report_.error(fault->place,
                    where_ + ".fault: " + std::string(metric.name) + " does not count from a fault",
                    "give a window, such as window: faults");
      return false;
    }
    expectation.fault = fault->text;
    return is_fault(fault->text, *fault, "fault");
  }

  bool is_fault(const std::string& name, const Value& at, const std::string& key) {
    if (std::find(faults_.begin(), faults_.end(), name) != faults_.end()) return true;
    report_.error(at.place, where_ + "." + key + ": there is no fault \"" + name + "\"",
                  did_you_mean(name, {faults_.begin(), faults_.end()}));
    return false;
  }

  bool read_recovery(Expectation& expectation) {
    const Value& fault = item_.at("recovery");
    Value* until = item_.find("until");
    const Value* within = item_.find("within");
    if (until == nullptr || until->invented || within == nullptr || within->invented) return false;
    expectation.metric = judge::kRecovery;
    expectation.fault = fault.text;
    expectation.statistic = "value";
    expectation.unit = Unit::nanoseconds;
    expectation.comparison = Comparison::less_equal;
    expectation.limit = *read_scalar(within->text, UnitKind::duration).value;
    expectation.limit_text = "<= " + for_people(expectation.limit, UnitKind::duration);
    return is_fault(fault.text, fault, "recovery") && ends(fault) &&
           read_condition(*until, expectation.until);
  }

  // A fault that is never undone has no end to recover from.
  bool ends(const Value& name) {
    for (const Value& fault : root_.at("faults").items) {
      if (fault.at("name").text != name.text || fault.find("for") != nullptr ||
          fault.find("restart") != nullptr || fault.find("deploy") != nullptr ||
          fault.find("reset") != nullptr || fault.find("admin") != nullptr ||
          (fault.find("stop") != nullptr && fault.at("stop").find("down") != nullptr))
        continue;
      report_.error(name.place, where_ + ".recovery: the fault \"" + name.text + "\" never ends",
                    "say how long it lasts, such as for: 10s");
      return false;
    }
    return true;
  }

  // METRIC, (WHOSE) and STATISTIC if it has one, and a limit: "e2e_latency(payment) p99 < 500ms".
  bool read_condition(Value& until, judge::Condition& condition) {
    const std::string where = where_ + ".until";
    const std::size_t compared = until.text.find_first_of("<>=");
    std::string_view subject = trimmed(std::string_view(until.text).substr(0, compared));
    std::string_view statistic;
    if (const std::size_t space = subject.rfind(' '); space != std::string_view::npos) {
      statistic = subject.substr(space + 1);
      subject = trimmed(subject.substr(0, space));
    }
    std::string_view of;
    if (const std::size_t open = subject.find('('); open != std::string_view::npos && subject.back() == ')') {
      of = trimmed(subject.substr(open + 1, subject.size() - open - 2));
      subject = trimmed(subject.substr(0, open));
    }
    const Metric* metric = judge::find_metric(subject);
    if (compared == std::string::npos || metric == nullptr || !metric->recovers())
      return no_condition(until, subject, where);
    condition.metric = metric->name;
    condition.of = of;
    if (!of.empty() && !is_measured_of(*metric, condition.of, until, where)) return false;
    const bool per_order = metric->name.ends_with("_latency");
    if (per_order != is_statistic(statistic) || (!per_order && !statistic.empty())) {
      report_.error(until.place,
                    where + ": " + std::string(metric->name) +
                        (per_order ? " needs a statistic" : " has none but its value"),
                    per_order ? "such as \"" + std::string(metric->name) + " p99 < 500ms\""
                              : "write it without \"" + std::string(statistic) + "\"");
      return false;
    }
    if (per_order) condition.statistic = statistic;
    const Limit limit =
        read_limit(std::string_view(until.text).substr(compared), unit_kind(metric->unit), false);
    if (!limit.problem.empty()) {
      report_.error(until.place, where + " " + limit.problem, limit.hint);
      return false;
    }
    if (metric->name == "lag") warn_of_auto_commit(condition.of, limit.comparison, limit.limit, until, where);
    condition.comparison = limit.comparison;
    condition.limit = limit.limit;
    condition.upper_limit = limit.upper_limit;
    condition.text = condition.metric + (of.empty() ? "" : "(" + condition.of + ")") +
                     (per_order ? " " + condition.statistic : "") + " " + limit.text;
    until.text = condition.metric + (of.empty() ? "" : "(" + condition.of + ")") +
                 (per_order ? " " + condition.statistic : "") + " " + limit.canonical;
    return true;
  }

  // A group's lag counts what it has not committed: with enable.auto.commit it grows to the interval of
  // commits.
  void warn_of_auto_commit(const std::string& of, Comparison comparison, std::int64_t limit, const Value& at,
                           const std::string& where) {
    const bool is_upper = comparison == Comparison::less || comparison == Comparison::less_equal;
    for (const Entry& client : clients_.entries) {
      const Value* commit = client.value.find("commit");
      const bool is_meant = of.empty() || of == client.key;
      if (!is_upper || !is_meant || commit == nullptr || commit->text != "auto") continue;
      constexpr std::int64_t kNanosPerMilli = 1'000'000;
      const std::int64_t interval =
          count_of(client.value.at("config").at("auto.commit.interval.ms")) * kNanosPerMilli;
      if (interval <= limit) continue;
      report_.warning(at.place,
                      where + ": " + client.key + " commits once in " +
                          for_people(interval, UnitKind::duration) +
                          " (auto.commit.interval.ms), and its lag grows to that while orders come",
                      "allow more, or write commit: after-batch");
      return;
    }
  }

  bool no_condition(const Value& until, std::string_view subject, const std::string& where) {
    std::vector<std::string_view> metrics;
    std::string all;
    for (const Metric& metric : judge::known_metrics()) {
      if (!metric.recovers()) continue;
      metrics.push_back(metric.name);
      all += (all.empty() ? "" : ", ") + std::string(metric.name);
    }
    const std::string_view meant = nearest(subject, metrics);
    report_.error(until.place,
                  where + " must be a condition such as \"lag(payment) < 1s\", not " + describe(until),
                  meant.empty() || meant == subject ? "it may be about " + all
                                                    : "did you mean " + std::string(meant) + "?");
    return false;
  }

  Value& item_;
  const std::set<std::string>& ids_;  // that others have
  std::string where_;
  const Value& root_;
  const Value& clients_;
  const std::vector<std::string>& faults_;
  Report& report_;
};

}  // namespace

std::vector<Expectation> read_expectations(Value& root, Report& report) {
  std::vector<Expectation> expectations;
  Value* expect = root.find("expect");
  if (expect == nullptr) return expectations;
  const std::vector<std::string> faults = fault_names(root);
  std::set<std::string> ids, given;
  for (const Value& item : expect->items) {
    if (const Value* id = item.find("id")) given.insert(id->text);
  }
  for (std::size_t i = 0; i < expect->items.size(); ++i) {
    Value& item = expect->items[i];
    std::optional<Expectation> expectation = Reader(item, i, root, faults, given, report).read();
    if (!expectation) continue;
    given.insert(expectation->id);
    if (!ids.insert(expectation->id).second) {
      report.error(
          item.place,
          "expect[" + std::to_string(i) + "]: another expectation is called \"" + expectation->id + "\" too",
          "give each an id of its own");
    }
    expectations.push_back(std::move(*expectation));
  }
  return expectations;
}

std::vector<InvariantOff> read_invariants_off(const Value& root, Report& report) {
  std::vector<InvariantOff> off;
  const Value* invariants = root.find("invariants");
  if (invariants == nullptr) return off;
  const std::vector<std::string>& known = check::known_invariants();
  for (const Entry& entry : invariants->entries) {
    if (std::find(known.begin(), known.end(), entry.key) == known.end()) {
      std::string hint = did_you_mean(entry.key, std::vector<std::string_view>(known.begin(), known.end()));
      if (hint.empty()) hint = "a violation names the invariant it breaks, for example acked-never-lost";
      report.error(entry.key_place, "there is no invariant \"" + entry.key + "\"", hint);
      continue;
    }
    const Value* because = entry.value.find("because");
    off.push_back(InvariantOff{entry.key, because == nullptr ? "" : because->text});
  }
  return off;
}

}  // namespace sim::scenario
