#include "scenario/expectations.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "scenario/faults.h"
#include "scenario/suggest.h"
#include "scenario/units.h"

namespace sim::scenario {

namespace {

using check::Comparison;
using check::Expectation;
using check::Unit;
using check::Window;

// Whom `of` may name.
enum class Of { anyone, producer, consumer };

struct Metric {
  std::string_view name;
  Unit unit;
  Of of;
};

constexpr Metric kMetrics[] = {
    {"e2e_latency", Unit::nanoseconds, Of::anyone},  {"produce_latency", Unit::nanoseconds, Of::producer}, {"lag", Unit::nanoseconds, Of::consumer},
    {"lost_orders", Unit::count, Of::anyone},        {"failed_orders", Unit::count, Of::producer},         {"unhandled_orders", Unit::count, Of::consumer},
    {"duplicate_effects", Unit::count, Of::consumer}, {"fulfilled_orders", Unit::count, Of::anyone},        {"throughput", Unit::milli_per_s, Of::anyone},
};

constexpr std::string_view kPercentiles[] = {"p50", "p90", "p95", "p99", "p99.9", "max", "mean"};

const Metric& metric_of(std::string_view name) {
  for (const Metric& metric : kMetrics) {
    if (metric.name == name) return metric;
  }
  return kMetrics[0];  // a wrong one has been reported
}

UnitKind unit_kind(Unit unit) {
  return unit == Unit::nanoseconds ? UnitKind::duration : unit == Unit::milli_per_s ? UnitKind::rate : UnitKind::none;
}

struct Operator {
  std::string_view text;
  Comparison comparison;
};
constexpr Operator kOperators[] = {{"<=", Comparison::less_equal}, {">=", Comparison::greater_equal}, {"==", Comparison::equal},
                                   {"<", Comparison::less},        {">", Comparison::greater},        {"=", Comparison::equal}};

std::string_view symbol(Comparison comparison) {
  switch (comparison) {
    case Comparison::less: return "<";
    case Comparison::less_equal: return "<=";
    case Comparison::equal: return "=";
    case Comparison::greater_equal: return ">=";
    case Comparison::greater: return ">";
  }
  return {};
}

// "500ms" -> "500 ms", for people.
std::string spaced(const std::string& scalar) {
  const std::size_t unit = scalar.find_first_not_of("-0123456789.");
  if (unit == std::string::npos || scalar[unit] == '/') return scalar;
  return scalar.substr(0, unit) + " " + scalar.substr(unit);
}

class Reader {
 public:
  Reader(Value& item, std::size_t index, const Value& clients, const std::vector<std::string>& faults, Report& report)
      : item_(item), where_("expect[" + std::to_string(index) + "]"), clients_(clients), faults_(faults), report_(report) {}

  std::optional<Expectation> read() {
    const Value* metric_name = item_.find("metric");
    if (metric_name == nullptr || metric_name->invented) return std::nullopt;
    const Metric& metric = metric_of(metric_name->text);
    Expectation expectation;
    expectation.metric = metric.name;
    expectation.unit = metric.unit;
    expectation.source = report_.source(0).name + ":" + std::to_string(item_.place.line);
    const bool limited = read_limit(metric, expectation);
    const bool aimed = read_of(metric, expectation);
    const bool timed = read_window(expectation);
    if (!limited || !aimed || !timed) return std::nullopt;
    if (item_.find("id") == nullptr) item_.entries.insert(item_.entries.begin(), Entry{"id", Place{}, scalar(made_up_id(expectation))});
    expectation.id = item_.at("id").text;
    return expectation;
  }

 private:
  static std::string made_up_id(const Expectation& expectation) {
    std::string id = expectation.metric;
    if (expectation.statistic != "value") id += "-" + expectation.statistic;
    if (!expectation.of.empty()) id += "-" + expectation.of;
    return id.substr(0, 64);
  }

  // The one statistic of the item, and what it is compared with.
  bool read_limit(const Metric& metric, Expectation& expectation) {
    for (Entry& entry : item_.entries) {
      const bool percentile = std::find(std::begin(kPercentiles), std::end(kPercentiles), entry.key) != std::end(kPercentiles);
      if (!percentile && entry.key != "value" && entry.key != "equals") continue;
      const bool latency = metric.unit == Unit::nanoseconds;
      if (percentile != latency) {
        report_.error(entry.key_place, where_ + ": " + std::string(metric.name) + " has no \"" + entry.key + "\"",
                      latency ? "give one of p50, p90, p95, p99, p99.9, max, mean" : "give value or equals");
        return false;
      }
      expectation.statistic = percentile ? entry.key : "value";
      return read_comparison(entry, metric, expectation);
    }
    return false;  // none or a wrong one, which has been reported
  }

  bool read_comparison(Entry& entry, const Metric& metric, Expectation& expectation) {
    std::string_view text = entry.value.text;
    bool found = entry.key == "equals";
    expectation.comparison = Comparison::equal;
    for (const Operator& op : kOperators) {
      if (found || !text.starts_with(op.text)) continue;
      expectation.comparison = op.comparison;
      text.remove_prefix(op.text.size());
      found = true;
    }
    const std::size_t first = text.find_first_not_of(' ');
    text.remove_prefix(std::min(first, text.size()));
    const UnitKind kind = unit_kind(metric.unit);
    const Scalar limit = read_scalar(text, kind);
    const std::string key = where_ + "." + entry.key;
    if (!found) {
      report_.error(entry.value.place, key + " needs a comparison: " + describe(entry.value) + " begins with none of <, <=, >, >=, =",
                    limit.value ? "write \"< " + std::string(text) + "\"" : "");
      return false;
    }
    if (!limit.value || *limit.value < 0) {
      report_.error(entry.value.place, key + " must be compared with " + std::string(describe(kind)) + ": \"" + std::string(text) + "\" " +
                                           (limit.value ? "is negative" : limit.problem), limit.hint);
      return false;
    }
    expectation.limit = *limit.value;
    const std::string canonical = print_scalar(*limit.value, kind);
    expectation.limit_text = std::string(symbol(expectation.comparison)) + " " + spaced(canonical);
    entry.value.text = entry.key == "equals" ? canonical : std::string(symbol(expectation.comparison)) + " " + canonical;
    return true;
  }

  bool read_of(const Metric& metric, Expectation& expectation) {
    const Value* of = item_.find("of");
    if (of == nullptr) return true;
    const Value* client = clients_.find(of->text);
    if (client == nullptr) {
      std::vector<std::string_view> names;
      for (const Entry& entry : clients_.entries) names.push_back(entry.key);
      report_.error(of->place, where_ + ".of: there is no client \"" + of->text + "\"", did_you_mean(of->text, names));
      return false;
    }
    const bool produces = client->find("produces") != nullptr;
    if ((metric.of == Of::producer && !produces) || (metric.of == Of::consumer && produces)) {
      report_.error(of->place, where_ + ".of: " + std::string(metric.name) + " is measured of a client that " + (produces ? "consumes" : "produces") + ", and " +
                                   of->text + (produces ? " produces" : " consumes"));
      return false;
    }
    expectation.of = of->text;
    return true;
  }

  bool read_window(Expectation& expectation) {
    const Value& window = item_.at("window");
    if (window.text == "all") {
      expectation.window = Window::all;
    } else if (window.text == "steady") {
      expectation.window = Window::steady;
    } else if (window.text == "faults") {
      expectation.window = Window::faults;
    } else if (window.text.starts_with("after(") && window.text.ends_with(")")) {
      expectation.window = Window::after;
      expectation.after_fault = window.text.substr(6, window.text.size() - 7);
    } else {
      report_.error(window.place, where_ + ".window must be all, steady, faults or after(FAULT), not " + describe(window),
                    did_you_mean(window.text, {"all", "steady", "faults"}));
      return false;
    }
    if (expectation.window == Window::faults && faults_.empty()) {
      report_.error(window.place, where_ + ".window: there is no fault in this scenario");
      return false;
    }
    return expectation.window != Window::after || is_fault(expectation.after_fault, window, "window");
  }

  bool is_fault(const std::string& name, const Value& at, const std::string& key) {
    if (std::find(faults_.begin(), faults_.end(), name) != faults_.end()) return true;
    report_.error(at.place, where_ + "." + key + ": there is no fault \"" + name + "\"", did_you_mean(name, {faults_.begin(), faults_.end()}));
    return false;
  }

  Value& item_;
  std::string where_;
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
  std::set<std::string> ids;
  for (std::size_t i = 0; i < expect->items.size(); ++i) {
    Value& item = expect->items[i];
    std::optional<Expectation> expectation = Reader(item, i, root.at("clients"), faults, report).read();
    if (!expectation) continue;
    if (!ids.insert(expectation->id).second) {
      report.error(item.place, "expect[" + std::to_string(i) + "]: another expectation is called \"" + expectation->id + "\" too", "give each an id of its own");
    }
    expectations.push_back(std::move(*expectation));
  }
  return expectations;
}

}  // namespace sim::scenario
