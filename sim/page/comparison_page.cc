#include "page/comparison_page.h"

#include <algorithm>
#include <utility>

#include "base/int128.h"
#include "page/charts.h"
#include "page/frame.h"
#include "page/markup.h"
#include "page/plot_area.h"
#include "page/scale.h"
#include "page/words.h"

namespace sim::page {
namespace {

using Tenths = Svg::Tenths;

constexpr std::int64_t kAsMuch = 1'000;  // ratios are in thousandths

std::string value_of_metric(const ComparedMetric& metric, std::int64_t value) {
  const std::string size =
      metric.is_time() ? human_duration(value < 0 ? -value : value) : count_of(value < 0 ? -value : value);
  return (value < 0 ? "-" : "") + size;
}

// "e2e p99" for e2e_p99_ns
std::string metric_words(const std::string& name) {
  std::string words = name.ends_with("_ns") ? name.substr(0, name.size() - 3) : name;
  std::replace(words.begin(), words.end(), '_', ' ');
  return words;
}

// "+12.5 %"; from eleven times as much on "393 ×".
std::string signed_percent(std::int64_t part, std::int64_t whole) {
  if (whole == 0) return "";
  const auto tenths = static_cast<std::int64_t>(int128{part} * 1'000 / whole);
  if (tenths >= 10'000) return count_of((tenths + 1'000) / 1'000) + " ×";
  return (tenths < 0 ? "-" : "+") + fixed(tenths < 0 ? -tenths : tenths, 1) + " %";
}

// B in thousandths of A. REQUIRES: mean_a > 0
std::int64_t ratio_of(const ComparedMetric& metric, std::int64_t difference) {
  return static_cast<std::int64_t>((int128{metric.mean_a} + difference) * kAsMuch / metric.mean_a);
}

std::string ratio_words(std::int64_t ratio) {
  if (ratio == kAsMuch) return "as much";
  if (ratio < kAsMuch)
    return ratio % 10 == 0 ? fixed(ratio / (ratio % 100 == 0 ? 100 : 10), ratio % 100 == 0 ? 1 : 2) + " ×"
                           : fixed(ratio, 3) + " ×";
  return count_of(ratio / kAsMuch) + " ×";
}

std::vector<const ComparedMetric*> drawable(const ComparedSides& sides) {
  std::vector<const ComparedMetric*> metrics;
  for (const ComparedMetric& one : sides.metrics)
    if (one.mean_a > 0 && one.differs()) metrics.push_back(&one);
  return metrics;
}

// Of the metrics that changed for certain (of two runs: at all), the one whose mean changed most in relation.
const ComparedMetric* greatest_change(const std::vector<const ComparedMetric*>& metrics) {
  const ComparedMetric* greatest = nullptr;
  const auto size = [](const ComparedMetric& metric) {
    const std::int64_t ratio = std::max<std::int64_t>(ratio_of(metric, metric.mean_difference), 1);
    return ratio >= kAsMuch ? ratio : kAsMuch * kAsMuch / ratio;
  };
  for (const ComparedMetric* one : metrics) {
    if (one->pairs > 1 && !one->is_certain) continue;
    if (greatest == nullptr || size(*one) > size(*greatest)) greatest = one;
  }
  return greatest;
}

Figure changes_figure(const ComparedSides& sides) {
  constexpr Tenths kRow = 220;
  constexpr std::int64_t kFurthest = 1'000;  // times as much, or as little
  const std::vector<const ComparedMetric*> metrics = drawable(sides);
  if (metrics.empty()) return {};
  std::int64_t span = 1'250;  // the axis reaches from 1/span to span
  for (const ComparedMetric* one : metrics) {
    for (const std::int64_t difference : {one->mean_difference, one->mean_difference - one->half_width,
                                          one->mean_difference + one->half_width}) {
      const std::int64_t ratio =
          std::clamp(ratio_of(*one, difference), kAsMuch / kFurthest, kAsMuch * kFurthest);
      span = std::max(span, ratio >= kAsMuch ? ratio : kAsMuch * kAsMuch / ratio);
    }
  }
  const std::int64_t high = span <= 2'000 ? 2'000 : span <= 10'000 ? 10'000 : round_above(span);
  const std::int64_t low = std::max<std::int64_t>(kAsMuch * kAsMuch / high, 1);
  const Scale scale = Scale::logarithmic(low, high, kPlotLeft, kPlotRight);
  Svg svg(kDrawingWidth, "What changed from A to B",
          "A dot at the mean of B as a multiple of that of A, a line for its 95 % interval");
  const Tenths bottom = 60 + static_cast<Tenths>(metrics.size()) * kRow;
  std::vector<std::int64_t> ticks{kAsMuch};
  for (std::int64_t tick = high <= 2'000    ? 1'250
                           : high <= 10'000 ? 2'000
                                            : 10'000;
       tick <= high; tick = tick == 1'250                   ? 2'000
                            : tick == 2'000 && high > 2'000 ? 5'000
                            : tick == 5'000                 ? 10'000
                                                            : tick * 10) {
    ticks.push_back(tick);
    ticks.push_back(std::max<std::int64_t>(kAsMuch * kAsMuch / tick, 1));
  }
  for (const std::int64_t tick : ticks) {
    const std::string words = tick == 1'250 ? "1.25 ×" : ratio_words(tick);
    value_column(svg, scale.at(tick), 60, bottom, words);
  }
  svg.line({scale.at(kAsMuch), 60}, {scale.at(kAsMuch), bottom}, "median");
  Tenths y = 60;
  for (const ComparedMetric* one : metrics) {
    const Tenths middle = y + kRow / 2;
    const std::int64_t ratio = std::max<std::int64_t>(ratio_of(*one, one->mean_difference), 1);
    text_left(svg, middle, shortened(metric_words(one->name), kLettersLeft));
    const auto place = [&](std::int64_t difference) {
      return scale.at(std::max<std::int64_t>(ratio_of(*one, difference), 1));
    };
    if (one->half_width > 0) {
      svg.line({place(one->mean_difference - one->half_width), middle},
               {place(one->mean_difference + one->half_width), middle}, "whisker");
    }
    const bool may_be_chance = one->pairs > 1 && !one->is_certain;
    svg.dot({scale.at(ratio), middle}, 45, may_be_chance ? "seed-unsure" : "seed-held",
            metric_words(one->name) + ": " + value_of_metric(*one, one->median_a) + " to " +
                value_of_metric(*one, one->median_b) + ", mean " +
                signed_percent(one->mean_difference, one->mean_a));
    text_right(svg, middle, "small", signed_percent(one->mean_difference, one->mean_a));
    y += kRow;
  }
  const ComparedMetric* greatest = greatest_change(metrics);
  const std::string finding =
      greatest == nullptr
          ? "Whatever differs may be chance"
          : upper_first(metric_words(greatest->name)) +
                " changes most: " + value_of_metric(*greatest, greatest->mean_a) + " on average in A, " +
                value_of_metric(*greatest, greatest->mean_a + greatest->mean_difference) + " in B";
  return {
      finding,
      sides.pairs > 1
          ? "Means over the seeds that both sides have, in pairs; a ring is a difference that may be chance "
            "(its 95 % interval holds none at all)."
          : "One run against another: how much of it is chance a single pair cannot tell; sweeps can.",
      svg.markup(bottom + 210)};
}

class ComparisonPage {
 public:
  explicit ComparisonPage(const ComparedSides& sides) : sides_(sides) {}

  std::string markup() const {
    const bool is_beyond = !sides_.beyond_tolerance.empty();
    const std::string header = soft("A is " + escaped(sides_.name_a) + ", B is " + escaped(sides_.name_b) +
                                    ". " + counted(sides_.pairs, "seed") + " of both.") +
                               element("h1", "", is_beyond ? verdict_badge("failed") : "A against B") +
                               element("p", "class=\"finding\"", escaped(finding())) + beyond() +
                               soft("The same comparison again:") +
                               element("pre", "tabindex=\"0\"", code(sides_.command));
    std::string charts = figure_markup(changes_figure(sides_));
    if (sides_.runs.size() == 2)
      charts += figure_markup(compared_spectra(sides_.runs[0], "A", sides_.runs[1], "B"));
    return html_of({"A against B: " + sides_.name_a + ", " + sides_.name_b, header,
                    section("charts", "Charts", charts) + failures() + metrics(), soft("kraftsim")});
  }

 private:
  std::string finding() const {
    const ComparedMetric* greatest = greatest_change(drawable(sides_));
    std::string words;
    if (sides_.only_a_failed + sides_.only_b_failed + sides_.both_failed == 0)
      words = "Neither side ever failed. ";
    else if (sides_.pairs == 1)
      words = sides_.both_failed > 0     ? "Both failed. "
              : sides_.only_a_failed > 0 ? "A failed, and B did not. "
                                         : "B failed, and A did not. ";
    else
      words = "Of " + count_of(sides_.pairs) + " seeds A failed with " +
              count_of(sides_.only_a_failed + sides_.both_failed) + ", B with " +
              count_of(sides_.only_b_failed + sides_.both_failed) + ". ";
    const bool has_changes = std::any_of(sides_.metrics.begin(), sides_.metrics.end(),
                                         [](const ComparedMetric& one) { return one.differs(); });
    if (greatest != nullptr)
      return words + upper_first(metric_words(greatest->name)) +
             " changes most: " + signed_percent(greatest->mean_difference, greatest->mean_a) + ".";
    return words + (has_changes ? "What else differs may be chance." : "No metric differs.");
  }

  std::string beyond() const {
    std::string items;
    for (const std::string& one : sides_.beyond_tolerance) items += element("li", "", escaped(one));
    return items.empty() ? ""
                         : element("div", "class=\"missing\"",
                                   element("p", "", "More than was allowed:") + element("ul", "", items));
  }

  std::string failures() const {
    if (sides_.pairs < 2) return "";
    const std::int64_t differ = sides_.only_a_failed + sides_.only_b_failed;
    Table table{"", {"failed", "seeds"}, {}};
    table.rows.push_back({"only in A", count_of(sides_.only_a_failed)});
    table.rows.push_back({"only in B", count_of(sides_.only_b_failed)});
    table.rows.push_back({"in both", count_of(sides_.both_failed)});
    table.rows.push_back({"in neither", count_of(sides_.pairs - differ - sides_.both_failed)});
    const std::string chance = differ == 0 ? ""
                                           : soft("So lopsided a count, or more so, has a chance of " +
                                                  percent_of(sides_.chance_per_million / 10) +
                                                  " if both sides fail equally often (sign test).");
    return section("failures", "Failures, seed by seed", page::markup(table) + chance);
  }

  std::string metrics() const {
    Table table{"Of the orders of a run; seeds in pairs",
                {"metric", "median of A", "median of B", "mean difference", "95 % interval", "in relation",
                 "B is more", "B is less"},
                {}};
    std::string same;
    for (const ComparedMetric& one : sides_.metrics) {
      if (!one.differs()) {
        same += (same.empty() ? "" : ", ") + metric_words(one.name);
        continue;
      }
      const std::string interval = one.pairs > 1
                                       ? value_of_metric(one, one.mean_difference - one.half_width) + " to " +
                                             value_of_metric(one, one.mean_difference + one.half_width) +
                                             (one.is_certain ? "" : ", may be chance")
                                       : "of one pair there is none";
      table.rows.push_back({escaped(metric_words(one.name)), value_of_metric(one, one.median_a),
                            value_of_metric(one, one.median_b), value_of_metric(one, one.mean_difference),
                            interval, signed_percent(one.mean_difference, one.mean_a), count_of(one.more),
                            count_of(one.less)});
    }
    return section(
        "metrics", "Metrics",
        (table.rows.empty() ? "" : page::markup(table)) +
            (same.empty() ? "" : element("p", "", "The same on both sides: " + escaped(same) + ".")));
  }

  const ComparedSides& sides_;
};

}  // namespace

std::string page_of_comparison(const ComparedSides& sides) {
  return ComparisonPage(sides).markup();
}

}  // namespace sim::page
