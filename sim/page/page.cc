#include "page/page.h"

#include <algorithm>
#include <utility>

#include "page/charts.h"
#include "page/finding.h"
#include "page/frame.h"
#include "page/glossary.h"
#include "page/markup.h"
#include "page/words.h"

namespace sim::page {
namespace {

constexpr std::size_t kMostOfAScenario = 200'000;  // bytes of it that are shown

std::string verdict_markup(const std::string& verdict, const char* words) {
  return "<span class=\"" + escaped(verdict) + "\">" + words + "</span>";
}

std::string list_of_texts(const Json& list) {
  std::string all;
  for (const Json& one : list)
    if (one.is_string()) all += (all.empty() ? "" : ", ") + one.get<std::string>();
  return all;
}

class Page {
 public:
  Page(const Documents& run, const std::vector<ChangedSetting>& changed) : run_(run), changed_(changed) {}

  std::string markup() const {
    const Json& scenario = object_at(run_.summary, "scenario");
    const std::string name = text(scenario, "name").empty()
                                 ? text(object_at(run_.manifest, "scenario"), "name")
                                 : text(scenario, "name");
    const std::string seed = seed_of();
    const std::string verdict = text(run_.summary, "verdict");
    const std::string header =
        element("p", "class=\"soft\"",
                escaped(name) + ", seed " + escaped(seed) + ". " + escaped(text(scenario, "about"))) +
        element("h1", "", verdict_badge(verdict)) +
        element("p", "class=\"finding\"", escaped(finding_of_run(run_))) + missing() + cards() + repro() +
        element("nav", "aria-label=\"sections\"",
                "<a href=\"#expectations\">Expectations</a><a href=\"#charts\">Charts</a><a "
                "href=\"#faults\">Faults</a>"
                "<a href=\"#verdicts\">What went wrong</a><a href=\"#orders\">Orders</a><a "
                "href=\"#settings\">Settings</a>"
                "<a href=\"#glossary\">Glossary</a>");
    return html_of({verdict_word(verdict) + " " + name + ", seed " + seed, header,
                    expectations() + charts() + faults() + verdicts() + orders() + services() + settings() +
                        section("glossary", "Glossary", glossary_markup()),
                    footer()});
  }

 private:
  std::string seed_of() const {
    for (const Json* one : {&run_.summary, &run_.manifest}) {
      const auto seed = one->is_object() ? one->find("seed") : one->end();
      if (one->is_object() && seed != one->end() && seed->is_number_unsigned())
        return std::to_string(seed->get<std::uint64_t>());
    }
    return "?";
  }

  std::string missing() const {
    std::string items;
    for (const std::string& one : run_.missing) items += element("li", "", escaped(one));
    if (flag(run_.summary, "partial"))
      items += element("li", "", "The run was interrupted: this is what there was until then");
    return items.empty()
               ? ""
               : element("div", "class=\"missing\"",
                         element("p", "", "Not all of the run is here:") + element("ul", "", items));
  }

  std::string cards() const {
    if (run_.summary.is_null()) return "";
    std::string all;
    const Json& orders = object_at(run_.summary, "orders");
    all += card(count_of(integer(orders, "placed", 0)), "orders placed");
    for (const auto& [key, what] : {std::pair{"fulfilled", "fulfilled"},
                                    {"lost", "lost"},
                                    {"failed", "failed"},
                                    {"open", "still open"},
                                    {"retried", "sent again"}}) {
      const std::int64_t many = integer(orders, key, 0);
      if (many > 0 || std::string(key) == "fulfilled" || std::string(key) == "lost")
        all += card(count_of(many), what);
    }
    const Json& latency = object_at(run_.summary, "e2e_latency");
    for (const auto& [key, what] : {std::pair{"p50_ns", "end to end, p50"},
                                    {"p99_ns", "end to end, p99"},
                                    {"max_ns", "end to end, slowest"}}) {
      if (const std::int64_t ns = integer(latency, key); ns >= 0 && integer(latency, "count", 0) > 0)
        all += card(human_duration(ns), what);
    }
    all += card(human_duration(integer(run_.summary, "end_ns", 0)), "simulated");
    return element("ul", "class=\"cards\"", all);
  }

  std::string repro() const {
    const std::string command = text(run_.summary, "repro");
    if (command.empty()) return "";
    return element("p", "class=\"soft\"", "The same run again, to the byte:") +
           element("pre", "tabindex=\"0\"", code(command));
  }

  std::string expectations() const {
    Table table{"", {"verdict", "what", "measured", "expected", "of", "where"}, {}};
    for (const Json& one : list_at(run_.summary, "expectations")) {
      const std::string verdict = text(one, "verdict");
      const std::string measured = measured_value(one);
      table.rows.push_back(
          {verdict_markup(verdict, verdict == "ok"       ? "ok"
                                   : verdict == "failed" ? "failed"
                                                         : "undecided"),
           escaped(words_of_expectation(one)),
           (flag(one, "at_least") ? "at least " : "") + (measured.empty() ? "nothing" : escaped(measured)),
           escaped(text(one, "expected")), counted(integer(one, "samples", 0), "sample"),
           code(text(one, "source"))});
    }
    std::string content = table.rows.empty() ? element("p", "", "None: nothing was expected of this run.")
                                             : page::markup(table);
    const Json& invariants = object_at(run_.summary, "invariants");
    const Json& violations = list_at(invariants, "violations");
    if (violations.empty() && !run_.summary.is_null())
      content +=
          element("p", "class=\"soft\"",
                  "Every invariant held throughout (Raft's and Kafka's safety, looked at after each event)." +
                      (list_at(invariants, "off").empty()
                           ? std::string()
                           : " Switched off: " + escaped(list_of_texts(list_at(invariants, "off"))) + "."));
    for (const Json& one : violations)
      content += element("p", "class=\"failed\"",
                         escaped("Invariant " + text(one, "invariant") + " was broken " +
                                 count_of(integer(one, "times", 1)) + " times, first at " +
                                 human_duration(integer(one, "first_at_ns", 0)) + ": " + text(one, "first")));
    return section("expectations", "Expectations", content);
  }

  std::string charts() const {
    return section("charts", "Charts",
                   figure_markup(incident_timeline(run_)) + figure_markup(percentile_spectrum(run_)) +
                       figure_markup(stage_breakdown(run_)));
  }

  // When things were as before again; it may be that they never were.
  static std::string felt_until(const Json& strike) {
    const std::int64_t until = integer(strike, "effect_to_ns");
    if (until < 0) return "";
    const std::string by = text(strike, "effect_ended_by");
    return human_duration(until) + (by.empty() || by == "recovered" ? "" : " (" + escaped(by) + ")");
  }

  std::string faults() const {
    Table table{"", {"fault", "what it is", "from", "to", "felt until", "whom it struck", "what it did"}, {}};
    for (const Json& fault : list_at(run_.summary, "faults")) {
      const std::string what = escaped(text(fault, "kind") + " " + text(fault, "target"));
      for (const Json& strike : list_at(fault, "strikes")) {
        const std::string touched = list_of_texts(list_at(strike, "touched"));
        const std::int64_t effects = integer(strike, "effects", 0);
        table.rows.push_back(
            {escaped(text(fault, "name")), what, human_duration(integer(strike, "from_ns", 0)),
             human_duration(integer(strike, "to_ns", 0)), felt_until(strike),
             touched.empty() ? "nobody" : escaped(touched),
             effects == 0 ? "nothing" : count_of(effects) + " × " + escaped(text(fault, "effect"))});
      }
      if (list_at(fault, "strikes").empty())
        table.rows.push_back({escaped(text(fault, "name")), what, "never", "", "", "nobody", "nothing"});
    }
    if (run_.summary.is_null()) return "";
    return section(
        "faults", "Faults",
        table.rows.empty() ? element("p", "", "None: nothing was made to go wrong.") : page::markup(table));
  }

  std::string verdicts() const {
    if (run_.summary.is_null()) return "";
    Table table{"", {"what", "at", "how many", "first", "cause", "for example"}, {}};
    for (const Json& one : list_at(run_.summary, "verdicts")) {
      const Json& partitions = list_at(one, "partitions");
      const std::string examples = list_of_texts(partitions.empty() ? list_at(one, "orders") : partitions);
      const std::int64_t longest = integer(one, "longest_ns");
      table.rows.push_back(
          {escaped(text(one, "verdict")), escaped(text(one, "service")),
           count_of(integer(one, "count", 0)) + (longest > 0 ? ", up to " + human_duration(longest) : ""),
           human_duration(integer(one, "first_at_ns", 0)), escaped(text(one, "cause")),
           escaped((partitions.empty() && !examples.empty() ? "orders " : "") + examples)});
    }
    return section(
        "verdicts", "What went wrong",
        table.rows.empty()
            ? element(
                  "p", "",
                  "Nothing: no order was lost, refused or done twice, and no partition was without a leader.")
            : page::markup(table));
  }

  std::string orders() const {
    std::string all;
    for (const Json& story : list_at(run_.charts, "stories")) {
      const std::int64_t intended = integer(story, "intended_ns", 0);
      const std::string latency = human_duration(integer(story, "latency_ns", 0));
      const std::string outcome = text(story, "outcome");
      const std::string title =
          "Order " + count_of(integer(story, "order", 0)) + " of " + text(story, "flow") + " (" +
          text(story, "why") + "): " +
          (outcome == "fulfilled" ? "done after " + latency
                                  : outcome + ", " + latency + " old when the run ended");
      std::string steps;
      for (const Json& step : list_at(story, "steps")) {
        const std::int64_t at = integer(step, "at_ns", 0);
        steps += element(
            "li", flag(step, "around_it") ? "class=\"around\"" : "",
            element("span", "",
                    at == intended ? "at " + human_duration(at) : "+" + human_duration(at - intended)) +
                escaped(text(step, "what")));
      }
      all += element("details", all.empty() ? "open" : "",
                     element("summary", "", escaped(title)) + element("ol", "class=\"steps\"", steps));
    }
    if (all.empty()) return "";
    return section(
        "orders", "Orders to look at",
        element("p", "class=\"soft\"",
                "What happened to an order, and in colour what happened around it while it was under way.") +
            all);
  }

  std::string services() const {
    Table table{"", {"service", "done", "more than once", "lost", "p50", "p99", "slowest"}, {}};
    const Json& services = object_at(run_.summary, "services");
    for (const auto& [name, service] : services.items()) {
      const Json& latency = object_at(service, "latency");
      std::vector<std::string> row{escaped(name), count_of(integer(service, "done", 0)),
                                   count_of(integer(service, "done_again", 0)),
                                   count_of(integer(service, "lost", 0))};
      for (const char* key : {"p50_ns", "p99_ns", "max_ns"}) {
        const std::int64_t ns = integer(latency, key);
        const bool is_known = ns >= 0 && integer(latency, "count", 0) > 0;
        row.push_back(is_known ? human_duration(ns) : "too few");
      }
      table.rows.push_back(std::move(row));
    }
    return table.rows.empty() ? "" : section("services", "Services", page::markup(table) + groups());
  }

  std::string groups() const {
    Table table{
        "Their consumer groups",
        {"group", "rebalances", "members that left", "expelled", "longest time a partition had no owner"},
        {}};
    for (const auto& [name, group] : object_at(run_.summary, "groups").items()) {
      std::string expelled;
      for (const auto& [reason, many] : object_at(group, "expelled").items()) {
        if (many.is_number_integer())
          expelled += (expelled.empty() ? "" : ", ") + count_of(many.get<std::int64_t>()) + " × " + reason;
      }
      const std::int64_t gap = integer(group, "longest_ownership_gap_ns");
      table.rows.push_back({escaped(name), count_of(integer(group, "rebalances", 0)),
                            count_of(integer(group, "left", 0)), expelled.empty() ? "0" : escaped(expelled),
                            gap < 0 ? "none" : human_duration(gap)});
    }
    return table.rows.empty() ? "" : page::markup(table);
  }

  std::string settings() const {
    std::string content;
    if (!changed_.empty()) {
      Table table{
          "Not as Kafka has them by default", {"setting", "where", "here", "Kafka's default", "meaning"}, {}};
      for (const ChangedSetting& one : changed_)
        table.rows.push_back(
            {code(one.name), escaped(one.where), code(one.value), code(one.standard), escaped(one.meaning)});
      content += page::markup(table);
    }
    if (!run_.resolved_scenario.empty()) {
      std::string shown = run_.resolved_scenario;
      if (shown.size() > kMostOfAScenario) {
        shown.resize(kMostOfAScenario);
        shown += "\n... the rest is in scenario.resolved.yaml\n";
      }
      content += element("details", "",
                         element("summary", "", "The whole scenario with every default, as it can be run") +
                             element("pre", "tabindex=\"0\"", code(shown)));
    }
    return section("settings", "The cluster and its settings", content);
  }

  std::string footer() const {
    std::string line = "kraftsim " + text(run_.summary, "version");
    if (const std::string fingerprint = text(run_.summary, "fingerprint"); !fingerprint.empty())
      line +=
          ", fingerprint " + fingerprint + ", " + count_of(integer(run_.summary, "events", 0)) + " events";
    return element("p", "class=\"soft\"", escaped(line));
  }

  const Documents& run_;
  const std::vector<ChangedSetting>& changed_;
};

}  // namespace

std::string page_of(const Documents& run, const std::vector<ChangedSetting>& changed) {
  return Page(run, changed).markup();
}

}  // namespace sim::page
