#include <algorithm>
#include <utility>

#include "base/human.h"
#include "base/int128.h"
#include "page/charts.h"
#include "page/markup.h"
#include "page/plot_area.h"
#include "page/scale.h"
#include "page/words.h"

namespace sim::page {
namespace {

using Tenths = Svg::Tenths;
using Anchor = Svg::Anchor;

constexpr std::size_t kMostRows = 12;  // of partitions
constexpr std::size_t kMostFaults = 6;
constexpr std::size_t kMostGroups = 6;

struct Strike {
  std::string name;
  std::string what;
  std::int64_t from = 0;
  std::int64_t to = 0;
};

std::vector<Strike> strikes_of(const Documents& run) {
  std::vector<Strike> strikes;
  for (const Json& fault : list_at(run.summary, "faults")) {
    for (const Json& strike : list_at(fault, "strikes")) {
      std::string whom;
      for (const Json& one : list_at(strike, "touched"))
        if (one.is_string()) whom += (whom.empty() ? "" : ", ") + one.get<std::string>();
      strikes.push_back({text(fault, "name"),
                         text(fault, "kind") + " " + (whom.empty() ? text(fault, "target") : whom),
                         integer(strike, "from_ns", 0), integer(strike, "to_ns", 0)});
    }
  }
  return strikes;
}

class Timeline {
 public:
  explicit Timeline(const Documents& run)
      : run_(run),
        end_(std::max<std::int64_t>(integer(run.summary, "end_ns", 1), 1)),
        time_(Scale::linear(0, end_, kPlotLeft, kPlotRight)),
        strikes_(strikes_of(run)),
        svg_(kDrawingWidth, "What happened over time",
             "Panels that share an axis of simulated time. The tables below hold the same figures") {}

  std::string draw() {
    fault_rows();
    latency();
    outcomes();
    lag();
    leaders();
    time_axis();
    return svg_.markup(y_ + 60);
  }

 private:
  Tenths x(std::int64_t ns) const { return time_.at(ns); }

  void panel_title(std::string_view words) {
    y_ += 190;
    svg_.text({kPlotLeft, y_}, Anchor::start, "panel", words);
    y_ += 60;
  }

  void shade(Tenths top, Tenths height) {
    for (const Strike& strike : strikes_)
      svg_.rect({x(strike.from), top}, std::max<Tenths>(x(strike.to) - x(strike.from), 10), height, "window");
    svg_.line({kPlotLeft, top + height}, {kPlotRight, top + height}, "axis");
  }

  void fault_rows() {
    if (strikes_.empty()) return;
    panel_title("Faults");
    std::vector<std::string> names;
    for (const Strike& strike : strikes_) {
      if (std::find(names.begin(), names.end(), strike.name) == names.end()) names.push_back(strike.name);
    }
    for (std::size_t i = 0; i < names.size() && i < kMostFaults; ++i) {
      std::string what;
      Tenths last = kPlotLeft;
      Tenths widest = 0;  // of the bars that end last
      for (const Strike& strike : strikes_) {
        if (strike.name != names[i]) continue;
        const std::string span = strike.to > strike.from
                                     ? human_duration(strike.from) + " to " + human_duration(strike.to)
                                     : "at " + human_duration(strike.from);
        svg_.rect({x(strike.from), y_}, std::max<Tenths>(x(strike.to) - x(strike.from), 20), 110, "fault",
                  strike.name + ": " + strike.what + ", " + span);
        if (x(strike.to) >= last) widest = x(strike.to) - x(strike.from);
        last = std::max(last, x(strike.to));
        if (what.empty()) what = strike.what;
      }
      text_left(svg_, y_ + 57, shortened(names[i], kLettersLeft));
      if (last + 80 + width_of(what) < kDrawingWidth)
        svg_.text({last + 60, y_ + 95}, Anchor::start, "small", what);
      else if (widest > width_of(what) + 120)
        svg_.text({last - 60, y_ + 92}, Anchor::end, "small on-bar", what);
      y_ += 150;
    }
    if (names.size() > kMostFaults) {
      svg_.text({kPlotLeft, y_ + 95}, Anchor::start, "small",
                "and " + std::to_string(names.size() - kMostFaults) + " more, in the table of faults");
      y_ += 150;
    }
  }

  void latency() {
    const Json& bins = list_at(run_.charts, "bins");
    std::int64_t least = 0;
    std::int64_t most = 0;
    for (const Json& bin : bins) {
      for (const char* key : {"p50_ns", "p90_ns", "p99_ns", "max_ns"}) {
        const std::int64_t ns = integer(bin, key);
        if (ns <= 0) continue;
        least = least == 0 ? ns : std::min(least, ns);
        most = std::max(most, ns);
      }
    }
    if (most == 0) return;
    panel_title("End-to-end latency of the orders placed then, what is not done at its age");
    constexpr Tenths kHeight = 1700;
    const std::int64_t low = round_below(least);
    const std::int64_t high = std::max(round_above(most), low * 10);
    const Scale scale = Scale::logarithmic(low, high, y_ + kHeight, y_);
    shade(y_, kHeight);
    for (const std::int64_t tick : log_values(low, high)) {
      value_line(svg_, scale.at(tick), human_duration(tick));
    }
    const std::int64_t half = integer(run_.charts, "bin_ns", 0) / 2;
    for (const Json& bin : bins) {
      const std::int64_t max = integer(bin, "max_ns");
      if (max > 0)
        svg_.dot({x(integer(bin, "from_ns", 0) + half), scale.at(max)}, 16, "max",
                 human_duration(integer(bin, "from_ns", 0)) + ": the longest wait is " + human_duration(max));
    }
    std::vector<Label> labels;
    for (const auto& [key, name] : {std::pair{"p50_ns", "p50"}, {"p90_ns", "p90"}, {"p99_ns", "p99"}}) {
      std::vector<Svg::Point> points;
      Tenths last = -1;
      const auto draw = [this, &points, css = name] {
        svg_.polyline(points, css);
        points.clear();
      };
      for (const Json& bin : bins) {
        const std::int64_t ns = integer(bin, key);
        if (ns <= 0) {  // too few orders to say: a gap
          draw();
          continue;
        }
        points.push_back({x(integer(bin, "from_ns", 0) + half), scale.at(ns)});
        last = points.back().y;
      }
      draw();
      if (last >= 0) labels.push_back({last + 35, name, std::string("small ink-") + name});
    }
    if (!bins.empty())
      labels.push_back({scale.at(integer(bins.back(), "max_ns", low)) + 35, "longest", "small ink-max"});
    label_right(labels, y_ + 40, y_ + kHeight);
    y_ += kHeight;
  }

  void outcomes() {
    const Json& bins = list_at(run_.charts, "bins");
    const std::int64_t width = integer(run_.charts, "bin_ns", 0);
    std::int64_t most = 0;
    for (const Json& bin : bins) most = std::max(most, integer(bin, "orders", 0));
    if (most == 0 || width <= 0) return;
    panel_title("Orders placed each second, and what became of them");
    constexpr Tenths kHeight = 900;
    shade(y_, kHeight);
    const auto rate_milli = [width](std::int64_t orders) {
      return static_cast<std::int64_t>(int128{orders} * 1'000'000'000'000 / width);
    };
    const Scale scale = Scale::linear(0, most, 0, kHeight);
    for (const std::int64_t tick : {most / 2, most}) {
      value_line(svg_, y_ + kHeight - scale.at(tick), human_rate(rate_milli(tick)));
    }
    std::vector<Label> labels;
    for (const char* outcome : {"fulfilled", "open", "failed", "lost"}) {
      std::int64_t all = 0;
      for (const Json& bin : bins) all += integer(bin, outcome, 0);
      if (all > 0) labels.push_back({y_ + kHeight / 2, outcome, std::string("small ink-") + outcome});
    }
    for (const Json& bin : bins) {
      const std::int64_t from = integer(bin, "from_ns", 0);
      std::int64_t below = 0;
      for (const char* outcome : {"fulfilled", "open", "failed", "lost"}) {
        const std::int64_t orders = integer(bin, outcome, 0);
        if (orders <= 0) continue;
        const Tenths height = scale.at(below + orders) - scale.at(below);
        svg_.rect({x(from), y_ + kHeight - scale.at(below + orders)},
                  std::max<Tenths>(x(from + width) - x(from) - 4, 4), height, std::string("fill-") + outcome,
                  "from " + human_duration(from) + ": " + human_count(static_cast<std::uint64_t>(orders)) +
                      " " + outcome);
        below += orders;
      }
    }
    label_right(labels, y_ + 100, y_ + kHeight);
    y_ += kHeight;
  }

  void lag() {
    struct Group {
      std::string name;
      const std::vector<std::optional<std::int64_t>>* milli = nullptr;
      std::int64_t most = 0;
    };
    std::vector<Group> groups;
    const std::string prefix = "kafka_consumergroup_lag_seconds[";
    for (const auto& [column, milli] : run_.metrics.milli) {
      if (!column.starts_with(prefix)) continue;
      Group group{column.substr(prefix.size(), column.size() - prefix.size() - 1), &milli, 0};
      for (const auto& value : milli) group.most = std::max(group.most, value.value_or(0));
      groups.push_back(group);
    }
    if (groups.empty()) return;
    std::stable_sort(groups.begin(), groups.end(),
                     [](const Group& a, const Group& b) { return a.most > b.most; });
    const std::size_t left_out = groups.size() > kMostGroups ? groups.size() - kMostGroups : 0;
    groups.resize(std::min(groups.size(), kMostGroups));
    panel_title("Lag: how old the oldest order is that a group has not committed" +
                (left_out > 0 ? "; the " + std::to_string(kMostGroups) + " groups that lag most of " +
                                    std::to_string(groups.size() + left_out)
                              : std::string()));
    constexpr Tenths kHeight = 1000;
    const std::int64_t most = std::max<std::int64_t>(groups.front().most, 1000);
    const Scale scale = Scale::linear(0, most, y_ + kHeight, y_);
    shade(y_, kHeight);
    for (const std::int64_t tick : round_values(0, most, 4)) {
      value_line(svg_, scale.at(tick), instant_of(tick * 1'000'000));
    }
    std::vector<Label> labels;
    for (std::size_t i = 0; i < groups.size(); ++i) {
      std::vector<Svg::Point> points;
      for (std::size_t at = 0; at < groups[i].milli->size(); ++at) {
        if (const auto value = (*groups[i].milli)[at])
          points.push_back({x(run_.metrics.at_ms[at] * 1'000'000), scale.at(*value)});
      }
      if (points.empty()) continue;
      const std::string css = service_style(run_, groups[i].name);
      labels.push_back({points.back().y + 35, shortened(groups[i].name, kLettersRight), "small ink-" + css});
      svg_.polyline(points, css);
    }
    label_right(labels, y_ + 40, y_ + kHeight);
    y_ += kHeight;
  }

  void leaders() {
    const Json& controllers = list_at(run_.charts, "controllers");
    const Json& all = list_at(run_.charts, "leaders");
    if (controllers.empty() && all.empty()) return;
    std::vector<const Json*> shown;
    for (const Json& one : all) shown.push_back(&one);
    std::stable_sort(shown.begin(), shown.end(), [](const Json* a, const Json* b) {
      return list_at(*a, "spans").size() > list_at(*b, "spans").size();
    });
    const std::size_t left_out = shown.size() > kMostRows ? shown.size() - kMostRows : 0;
    shown.resize(std::min(shown.size(), kMostRows));
    if (left_out == 0) {  // as they are numbered
      shown.clear();
      for (const Json& one : all) shown.push_back(&one);
    }
    panel_title(
        "Who leads: number of the broker; the bar's height is the size of the ISR; red where nobody does" +
        (left_out > 0 ? "; " + std::to_string(left_out) + " quieter partitions are left out"
                      : std::string()));
    std::int64_t widest = 1;
    for (const Json* one : shown)
      for (const Json& span : list_at(*one, "spans")) widest = std::max(widest, integer(span, "isr", 0));
    if (!controllers.empty()) {
      text_left(svg_, y_ + 62, "controller");
      for (const Json& span : controllers) {
        const std::string who = text(span, "process");
        bar(span, 130, 130, who.empty() ? "none" : "controller-bar",
            who.empty() ? "no active controller" : who, who);
      }
      y_ += 180;
    }
    for (const Json* one : shown) {
      const std::string name = text(*one, "topic") + "-" + std::to_string(integer(*one, "partition", 0));
      text_left(svg_, y_ + 62, shortened(name, kLettersLeft));
      for (const Json& span : list_at(*one, "spans")) {
        const std::int64_t leader = integer(span, "leader");
        if (leader < 0) {
          bar(span, 130, 130, "none", name + ": nobody leads", "");
          continue;
        }
        const std::int64_t isr = integer(span, "isr", 0);
        const Tenths height = isr <= 0 ? 130 : std::max<Tenths>(130 * isr / widest, 30);
        bar(span, height, 130, "b" + std::to_string(leader % 6),
            name + ": broker-" + std::to_string(leader) + " leads" +
                (isr > 0 ? ", ISR of " + std::to_string(isr) : ""),
            std::to_string(leader));
      }
      y_ += 160;
    }
  }

  void bar(const Json& span, Tenths height, Tenths full, const std::string& css, const std::string& tip,
           const std::string& words) {
    const std::int64_t from = integer(span, "from_ns", 0);
    const std::int64_t to = integer(span, "to_ns", 0);
    const Tenths width = std::max<Tenths>(x(to) - x(from), 8);
    svg_.rect({x(from), y_ + full - height}, width, height, css,
              tip + ", " + human_duration(from) + " to " + human_duration(to));
    if (!words.empty() && height == full && width > width_of(words) + 60)
      svg_.text({x(from) + width / 2, y_ + 102}, Anchor::middle, "small on-bar", words);
  }

  void time_axis() {
    y_ += 30;
    svg_.line({kPlotLeft, y_}, {kPlotRight, y_}, "axis");
    for (const std::int64_t at : round_times(end_, 9)) {
      svg_.line({x(at), y_}, {x(at), y_ + 40}, "axis");
      svg_.text({x(at), y_ + 150}, Anchor::middle, "small", instant_of(at));
    }
    y_ += 150;
  }

  void label_right(std::vector<Label>& labels, Tenths top, Tenths bottom) {
    spread(labels, top, bottom);
    for (const Label& label : labels)
      svg_.text({kPlotRight + 60, label.y}, Anchor::start, label.css, label.words);
  }

  const Documents& run_;
  std::int64_t end_;
  Scale time_;
  std::vector<Strike> strikes_;
  Svg svg_;
  Tenths y_ = 0;
};

std::string finding_of(const Documents& run) {
  const Json& bins = list_at(run.charts, "bins");
  std::int64_t worst = -1;
  std::int64_t at = 0;
  std::int64_t usual = 0;
  std::vector<std::int64_t> medians;
  for (const Json& bin : bins) {
    if (integer(bin, "p50_ns") > 0) medians.push_back(integer(bin, "p50_ns"));
    if (integer(bin, "max_ns") > worst) {
      worst = integer(bin, "max_ns");
      at = integer(bin, "from_ns", 0);
    }
  }
  if (run.charts.is_null()) return "Of latency and outcomes nothing is left to draw";
  if (worst < 0) return "Nothing was placed";
  if (!medians.empty()) {
    std::nth_element(medians.begin(), medians.begin() + static_cast<std::ptrdiff_t>(medians.size() / 2),
                     medians.end());
    usual = medians[medians.size() / 2];
  }
  const std::string slowest =
      "an order placed about " + human_duration(at) + " into the run waits longest, " + human_duration(worst);
  return usual > 0 ? "The median is usually " + human_duration(usual) + "; " + slowest : upper_first(slowest);
}

std::string data_table(const Documents& run) {
  Table table{"Orders by the time they were placed",
              {"from", "orders", "p50", "p90", "p99", "longest", "fulfilled", "open", "failed", "lost"},
              {}};
  for (const Json& bin : list_at(run.charts, "bins")) {
    std::vector<std::string> row{human_duration(integer(bin, "from_ns", 0)),
                                 count_of(integer(bin, "orders", 0))};
    for (const char* key : {"p50_ns", "p90_ns", "p99_ns", "max_ns"}) {
      const std::int64_t ns = integer(bin, key);
      row.push_back(ns < 0 ? "too few" : human_duration(ns));
    }
    for (const char* outcome : {"fulfilled", "open", "failed", "lost"})
      row.push_back(count_of(integer(bin, outcome, 0)));
    table.rows.push_back(std::move(row));
  }
  return table.rows.empty() ? ""
                            : element("details", "", element("summary", "", "The figures") + markup(table));
}

}  // namespace

Figure incident_timeline(const Documents& run) {
  if (list_at(run.charts, "bins").empty() && run.metrics.at_ms.empty()) return {};
  return {finding_of(run),
          "Lines of a percentile are drawn where at least three orders lie beyond it. Shaded: while a fault "
          "was on. "
          "Rest the pointer on a bar to read it.",
          Timeline(run).draw() + data_table(run)};
}

}  // namespace sim::page
