#include "page/sweep_page.h"

#include <algorithm>
#include <utility>

#include "page/frame.h"
#include "page/markup.h"
#include "page/plot_area.h"
#include "page/scale.h"
#include "page/words.h"

namespace sim::page {
namespace {

using Tenths = Svg::Tenths;

constexpr std::size_t kMostConfigurationsDrawn = 40;
constexpr std::size_t kMostSweepRows = 300;  // of a table
constexpr std::size_t kMostMarks = 6'000;    // of a drawing
constexpr Tenths kNameHeight = 150;          // of a configuration, above its row

// Of parts of a million, two digits that count: "6.5 %", "0.012 %".
std::string percent_of_millionths(std::int64_t parts) {
  const int decimals = parts >= 10'000 || parts == 0 ? 1 : parts >= 1'000 ? 2 : 3;
  const std::int64_t unit = decimals == 1 ? 1'000 : decimals == 2 ? 100 : 10;
  std::string text = fixed((parts + unit / 2) / unit, decimals);
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text + " %";
}

std::string configuration_name(const Json& configuration) {
  const std::string name = text(configuration, "name");
  return name.empty() ? "the scenario as it is" : name;
}

// Runs that said something.
std::int64_t judged_runs(const Json& configuration) {
  return integer(configuration, "runs", 0) - integer(configuration, "inconclusive", 0) -
         integer(configuration, "crashed", 0);
}

std::string true_rate(const Json& configuration) {
  const std::int64_t low = integer(configuration, "rate_low_per_million", 0);
  const std::int64_t high = integer(configuration, "rate_high_per_million", 1'000'000);
  if (judged_runs(configuration) <= 0) return "unknown";
  if (low == 0) return "below " + percent_of_millionths(high);
  if (high >= 1'000'000) return "above " + percent_of_millionths(low);
  return percent_of_millionths(low) + " to " + percent_of_millionths(high);
}

std::string seen_of(const Json& configuration) {
  return count_of(integer(configuration, "failed", 0)) + " of " + count_of(judged_runs(configuration));
}

std::vector<std::string> settings_of(const Json& configuration) {
  std::vector<std::string> settings;
  for (const Json& one : list_at(configuration, "settings"))
    if (one.is_string()) settings.push_back(one.get<std::string>());
  return settings;
}

std::string left_out_words(std::size_t shown, std::size_t all) {
  return all > shown ? " The first " + std::to_string(shown) + " of " + std::to_string(all) +
                           " configurations are drawn; the table below has more."
                     : "";
}

// The name of a configuration above its row, which may be long.
void name_row(Svg& svg, Tenths& y, const std::string& name) {
  constexpr std::size_t kMostLetters = 110;
  svg.text({kPlotLeft, y + 110}, Svg::Anchor::start, "panel", shortened(name, kMostLetters));
  y += kNameHeight;
}

Figure failure_rates(const Json& summary) {
  constexpr Tenths kRow = 170;
  const Json& configurations = list_at(summary, "configurations");
  const std::size_t shown = std::min<std::size_t>(configurations.size(), kMostConfigurationsDrawn);
  if (shown == 0) return {};
  std::int64_t most = 1'000;
  const Json* worst = nullptr;
  for (std::size_t i = 0; i < configurations.size(); ++i) {
    const Json& one = configurations[i];
    if (i < shown && judged_runs(one) > 0) most = std::max(most, integer(one, "rate_high_per_million", 0));
    const auto rate = [](const Json& of) {
      return integer(of, "failed", 0) * 1'000'000 / std::max<std::int64_t>(judged_runs(of), 1);
    };
    if (worst == nullptr || rate(one) > rate(*worst)) worst = &one;
  }
  const std::int64_t high = std::min<std::int64_t>(round_above(most), 1'000'000);
  const Scale scale = Scale::linear(0, high, kPlotLeft, kPlotRight);
  Svg svg(kDrawingWidth, "How often each configuration fails",
          "A dot at the share of runs that failed, a line where the true rate lies with 95 % confidence");
  const Tenths bottom = 60 + static_cast<Tenths>(shown) * (kNameHeight + kRow);
  for (const std::int64_t tick : round_values(0, high, 6))
    value_column(svg, scale.at(tick), 60, bottom, percent_of_millionths(tick));
  Tenths y = 60;
  for (std::size_t i = 0; i < shown; ++i) {
    const Json& one = configurations[i];
    name_row(svg, y, configuration_name(one));
    const Tenths middle = y + kRow / 2 - 20;
    const std::int64_t judged = judged_runs(one);
    if (judged > 0) {
      const Tenths from = scale.at(integer(one, "rate_low_per_million", 0));
      const Tenths to = scale.at(integer(one, "rate_high_per_million", 1'000'000));
      svg.line({from, middle}, {to, middle}, "whisker");
      svg.line({from, middle - 30}, {from, middle + 30}, "whisker");
      svg.line({to, middle - 30}, {to, middle + 30}, "whisker");
      const std::int64_t failed = integer(one, "failed", 0);
      svg.dot({scale.at(failed * 1'000'000 / judged), middle}, 45, failed > 0 ? "rate-failed" : "rate-held",
              configuration_name(one) + ": " + seen_of(one) + " failed, true rate " + true_rate(one));
    }
    text_right(svg, middle, "small", seen_of(one));
    y += kRow;
  }
  const std::int64_t failed = integer(*worst, "failed", 0);
  std::string finding = configurations.size() == 1
                            ? seen_of(*worst) + " runs failed: the true rate is " + true_rate(*worst)
                        : failed == 0 ? "No configuration ever failed"
                                      : configuration_name(*worst) + " fails most often: " + seen_of(*worst) +
                                            " runs; the true rate is " + true_rate(*worst);
  return {finding,
          "Share of runs that failed, with the interval in which the true rate lies with 95 % confidence "
          "(Wilson's; of none or all the rule of three)." +
              left_out_words(shown, configurations.size()),
          svg.markup(bottom + 210)};
}

void draw_seed(Svg& svg, Svg::Point at, const SweepSeed& one) {
  const std::string tip = "seed " + std::to_string(one.seed) + ": " + one.outcome +
                          (one.slowest > 0 ? ", " + human_duration(one.slowest) : "");
  if (one.outcome == "held") return svg.dot(at, 26, "seed-held", tip);
  if (one.outcome == "inconclusive") return svg.dot(at, 26, "seed-unsure", tip);
  constexpr Tenths kArm = 32;
  svg.line({at.x - kArm, at.y - kArm}, {at.x + kArm, at.y + kArm}, "seed-failed");
  svg.line({at.x - kArm, at.y + kArm}, {at.x + kArm, at.y - kArm}, "seed-failed");
}

Figure latency_of_seeds(const SweepDocuments& sweep) {
  constexpr Tenths kRow = 330;
  constexpr Tenths kLanes = 7;  // seeds of like latency lie beside each other
  const Json& configurations = list_at(sweep.summary, "configurations");
  const std::size_t shown = std::min<std::size_t>(configurations.size(), kMostConfigurationsDrawn);
  std::vector<std::vector<const SweepSeed*>> rows(shown);
  std::int64_t least = 0;
  std::int64_t most = 0;
  bool has_longest = false;
  const SweepSeed* worst = nullptr;
  std::size_t marks = 0;
  for (const SweepSeed& one : sweep.seeds) {
    if (one.slowest <= 0 || one.configuration >= shown) continue;
    rows[one.configuration].push_back(&one);
    ++marks;
    least = least == 0 ? one.slowest : std::min(least, one.slowest);
    if (one.slowest > most) worst = &one;
    most = std::max(most, one.slowest);
    has_longest = has_longest || one.is_longest;
  }
  if (worst == nullptr) return {};
  const std::size_t every = marks / kMostMarks + 1;
  const std::int64_t low = round_below(least);
  const std::int64_t high = std::max(round_above(most), low * 2);
  const Scale scale = Scale::logarithmic(low, high, kPlotLeft, kPlotRight);
  Svg svg(kDrawingWidth, "The latency of each seed",
          "A row for each configuration and a mark for each seed; crosses are runs that failed");
  const Tenths bottom = 60 + static_cast<Tenths>(shown) * (kNameHeight + kRow);
  for (const std::int64_t tick : log_values(low, high))
    value_column(svg, scale.at(tick), 60, bottom, human_duration(tick));
  Tenths y = 60;
  for (std::size_t i = 0; i < shown; ++i) {
    name_row(svg, y, configuration_name(configurations[i]));
    std::vector<std::int64_t> values;
    for (std::size_t k = 0; k < rows[i].size(); ++k) {
      values.push_back(rows[i][k]->slowest);
      if (k % every != 0 && rows[i][k]->outcome == "held") continue;
      const auto lane = static_cast<Tenths>(k) % kLanes;
      draw_seed(svg, {scale.at(rows[i][k]->slowest), y + 40 + lane * (kRow - 100) / kLanes}, *rows[i][k]);
    }
    if (!values.empty()) {
      const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
      std::nth_element(values.begin(), middle, values.end());
      svg.line({scale.at(*middle), y}, {scale.at(*middle), y + kRow - 70}, "median");
      text_right(svg, y + kRow / 2 - 40, "small", "median " + human_duration(*middle));
    }
    y += kRow;
  }
  std::string caption = std::string("One in a hundred orders of a run takes longer than where its mark is") +
                        (has_longest ? " (where fewer than 300 were placed: none does)" : "") +
                        "; what was never done counts at its age. A dot is a run that held, a cross one that "
                        "failed, a ring one that is inconclusive, the line the median.";
  if (every > 1) caption += " Of the runs that held one in " + std::to_string(every) + " is drawn.";
  return {"The slowest hundredth of a run's orders takes " + human_duration(least) + " to " +
              human_duration(most) + ", longest with seed " + std::to_string(worst->seed),
          caption + left_out_words(shown, configurations.size()), svg.markup(bottom + 210)};
}

std::string name_of_configuration(const Json& summary, const Json& entry) {
  const Json& configurations = list_at(summary, "configurations");
  const auto place = static_cast<std::size_t>(std::max<std::int64_t>(integer(entry, "configuration", 0), 0));
  return place < configurations.size() ? text(configurations[place], "name") : "";
}

class SweepPage {
 public:
  explicit SweepPage(const SweepDocuments& sweep) : sweep_(sweep), summary_(sweep.summary) {}

  std::string markup() const {
    const std::string name = text(object_at(summary_, "scenario"), "name");
    const std::string verdict = verdict_of();
    const std::string header =
        soft(escaped(name) + ", seeds " + escaped(text(summary_, "seeds")) +
             (text(summary_, "shard").empty() ? "" : ", shard " + escaped(text(summary_, "shard")))) +
        element("h1", "", verdict_badge(verdict)) + element("p", "class=\"finding\"", escaped(finding())) +
        missing() + cards() +
        element("nav", "aria-label=\"sections\"",
                "<a href=\"#charts\">Charts</a><a href=\"#failures\">Failures</a><a "
                "href=\"#configurations\">Configurations</a><a href=\"#situations\">Rare situations</a>");
    return html_of(
        {verdict_word(verdict) + " " + name + ", " + counted(runs(), "run"), header,
         section("charts", "Charts",
                 figure_markup(failure_rates(summary_)) + figure_markup(latency_of_seeds(sweep_))) +
             failures() + troubles() + configurations() + situations(),
         soft("kraftsim, build " + escaped(text(summary_, "build")) +
              ". The results of all seeds are in "
              "results.jsonl beside this page.")});
  }

 private:
  std::int64_t sum_of(const char* key) const {
    std::int64_t sum = 0;
    for (const Json& one : list_at(summary_, "configurations")) sum += integer(one, key, 0);
    return sum;
  }
  std::int64_t runs() const { return sum_of("runs"); }

  std::string verdict_of() const {
    if (sum_of("failed") + sum_of("crashed") > 0) return "failed";
    return sum_of("inconclusive") > 0 || runs() == 0 ? "inconclusive" : "ok";
  }

  std::string finding() const {
    const std::size_t many = list_at(summary_, "configurations").size();
    std::string words = count_of(sum_of("failed")) + " of " + counted(runs(), "run") + " failed" +
                        (many > 1 ? ", in " + std::to_string(many) + " configurations" : "");
    const Json& failures = list_at(summary_, "failures");
    if (!failures.empty()) {
      words += ". Most often (" + counted(integer(failures.front(), "runs", 0), "run") +
               "): " + text(failures.front(), "what") + ", first with seed " +
               count_of(integer(failures.front(), "smallest_seed", 0));
    }
    if (const std::int64_t crashed = sum_of("crashed"); crashed > 0)
      words += ". " + counted(crashed, "run") + " met a bug of the simulator or was killed";
    if (const std::int64_t unsure = sum_of("inconclusive"); unsure > 0)
      words += ". " + counted(unsure, "run") + (unsure == 1 ? " is" : " are") + " inconclusive";
    return words + ".";
  }

  std::string missing() const {
    const std::int64_t expected = integer(summary_, "expected_runs", 0);
    if (expected <= runs()) return "";
    return element("div", "class=\"missing\"",
                   element("p", "",
                           "Of " + counted(expected, "run") + " " + count_of(runs()) +
                               " are here: the rest was not played, or is in other shards."));
  }

  std::string cards() const {
    return element("ul", "class=\"cards\"",
                   card(count_of(runs()), "runs") + card(count_of(sum_of("failed")), "failed") +
                       card(count_of(sum_of("inconclusive")), "inconclusive") +
                       card(std::to_string(list_at(summary_, "failures").size()), "kinds of failure"));
  }

  std::string example(const Json& group) const {
    const std::int64_t seed = integer(group, "smallest_seed", 0);
    const Json& all = list_at(summary_, "configurations");
    const auto place =
        static_cast<std::size_t>(std::max<std::int64_t>(integer(group, "configuration", 0), 0));
    const std::vector<std::string> settings =
        place < all.size() ? settings_of(all[place]) : std::vector<std::string>{};
    const std::string page =
        sweep_.page_of_seed(name_of_configuration(summary_, group), static_cast<std::uint64_t>(seed));
    const std::string link =
        page.empty() ? "" : element("a", "href=\"" + escaped(page) + "\"", "seed " + count_of(seed)) + "<br>";
    return link + code(sweep_.command(settings, static_cast<std::uint64_t>(seed)));
  }

  std::string failures() const {
    Table table{"", {"what failed", "with", "runs", "the smallest seed"}, {}};
    for (const Json& one : list_at(summary_, "failures")) {
      if (table.rows.size() == kMostSweepRows) break;
      const std::string anomaly = text(one, "anomaly");
      const std::string fault = text(one, "fault");
      table.rows.push_back({escaped(text(one, "what")) + (anomaly.empty() ? "" : ", " + escaped(anomaly)) +
                                (fault.empty() ? "" : ", after " + escaped(fault)),
                            escaped(name_of_configuration(summary_, one)), count_of(integer(one, "runs", 0)),
                            example(one)});
    }
    return section("failures", "Failures, by what failed",
                   table.rows.empty() ? element("p", "", "None.") : page::markup(table));
  }

  std::string troubles() const {
    Table table{"", {"what was said", "with", "runs", "the smallest seed"}, {}};
    for (const char* kind : {"troubles", "inconclusive"}) {
      for (const Json& one : list_at(summary_, kind)) {
        if (table.rows.size() == kMostSweepRows) break;
        const std::string note = text(one, "note");
        table.rows.push_back({escaped(note.substr(0, note.find('\n'))),
                              escaped(name_of_configuration(summary_, one)),
                              count_of(integer(one, "runs", 0)), example(one)});
      }
    }
    return table.rows.empty() ? "" : section("undecided", "Runs that say nothing", page::markup(table));
  }

  std::string configurations() const {
    Table table{"",
                {"configuration", "settings", "runs", "failed", "true rate", "inconclusive", "p99, median",
                 "p99, longest", "lost, most"},
                {}};
    const Json& all = list_at(summary_, "configurations");
    for (const Json& one : all) {
      if (table.rows.size() == kMostSweepRows) break;
      const Json& metrics = object_at(one, "metrics");
      const auto metric = [&](const char* name, const char* key) {
        return integer(object_at(metrics, name), key);
      };
      const auto duration = [](std::int64_t ns) { return ns < 0 ? "too few" : human_duration(ns); };
      const std::int64_t lost = metric("lost", "most");
      table.rows.push_back({escaped(configuration_name(one)), code(joined(settings_of(one))),
                            count_of(integer(one, "runs", 0)), count_of(integer(one, "failed", 0)),
                            true_rate(one), count_of(integer(one, "inconclusive", 0)),
                            duration(metric("e2e_p99_ns", "median")),
                            duration(metric("e2e_p99_ns", "most")) +
                                (metric("e2e_p99_ns", "most") < 0
                                     ? ""
                                     : " (seed " + count_of(metric("e2e_p99_ns", "seed_of_most")) + ")"),
                            lost < 0 ? "" : count_of(lost)});
    }
    const std::string rest =
        all.size() > table.rows.size()
            ? element("p", "",
                      "And " + std::to_string(all.size() - table.rows.size()) + " more, in summary.json.")
            : "";
    return section("configurations", "Configurations", page::markup(table) + rest);
  }

  std::string situations() const {
    Table table{"", {"situation", "runs that were in it"}, {}};
    std::string never;
    for (const auto& [name, many] : object_at(summary_, "situations").items()) {
      const std::int64_t in_runs = many.is_number_integer() ? many.get<std::int64_t>() : 0;
      if (in_runs > 0)
        table.rows.push_back({escaped(name), count_of(in_runs)});
      else
        never += (never.empty() ? "" : ", ") + name;
    }
    if (table.rows.empty() && never.empty()) return "";
    return section(
        "situations", "Rare situations",
        soft("A sweep that was never in a situation has tested nothing of it, however green it is.") +
            (table.rows.empty() ? "" : folded("Those that occurred", page::markup(table))) +
            (never.empty() ? "" : element("p", "", "Never: " + escaped(never) + ".")));
  }

  const SweepDocuments& sweep_;
  const Json& summary_;
};

}  // namespace

SweepDocuments sweep_documents(std::string_view summary, std::string_view results) {
  SweepDocuments sweep;
  sweep.summary = Json::parse(summary, nullptr, false);
  if (sweep.summary.is_discarded()) sweep.summary = nullptr;
  while (!results.empty()) {
    const std::size_t end = std::min(results.find('\n'), results.size());
    const Json line = Json::parse(results.substr(0, end), nullptr, false);
    results.remove_prefix(std::min(end + 1, results.size()));
    if (!line.is_object() || text(line, "outcome").empty()) continue;
    const Json& metrics = object_at(line, "metrics");
    SweepSeed seed;
    seed.configuration =
        static_cast<std::size_t>(std::max<std::int64_t>(integer(line, "configuration", 0), 0));
    seed.seed = static_cast<std::uint64_t>(std::max<std::int64_t>(integer(line, "seed", 0), 0));
    seed.outcome = text(line, "outcome");
    seed.slowest = integer(metrics, "e2e_p99_ns");
    if (seed.slowest < 0) {
      seed.slowest = integer(metrics, "e2e_max_ns");
      seed.is_longest = true;
    }
    sweep.seeds.push_back(std::move(seed));
  }
  return sweep;
}

std::string page_of_sweep(const SweepDocuments& sweep) {
  return SweepPage(sweep).markup();
}

}  // namespace sim::page
