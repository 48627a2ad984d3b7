#include <algorithm>
#include <tuple>

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

constexpr Tenths kTop = 100;
constexpr Tenths kBottom = 3600;
constexpr std::size_t kMostCurves = 8;

struct Curve {
  std::string name;
  std::string css;
  std::int64_t orders = 0;
  std::vector<std::pair<std::int64_t, std::int64_t>> points;  // beyond, ns
};

std::vector<Curve> curves_of(const Documents& run) {
  std::vector<Curve> curves;
  for (const Json& one : list_at(run.charts, "curves")) {
    Curve curve;
    const std::string of = text(one, "of");
    curve.name = of == "service"        ? text(one, "service")
                 : of == "acknowledged" ? "acknowledged"
                                        : "all services";
    curve.css = of == "service" ? service_style(run, curve.name) : of == "acknowledged" ? "ack" : "e2e";
    curve.orders = integer(one, "orders", 0);
    const Json& beyond = list_at(one, "beyond");
    const Json& latency = list_at(one, "latency_ns");
    for (std::size_t i = 0; i < beyond.size() && i < latency.size(); ++i) {
      if (!beyond[i].is_number_integer() || !latency[i].is_number_integer()) continue;
      const auto many = beyond[i].get<std::int64_t>();
      const auto ns = latency[i].get<std::int64_t>();
      if (many > 0 && many <= curve.orders) curve.points.emplace_back(many, std::max<std::int64_t>(ns, 1));
    }
    if (!curve.points.empty() && curves.size() < kMostCurves) curves.push_back(std::move(curve));
  }
  return curves;
}

// How many orders one in which is slower, in thousandths: 1000 is all, 100 000 one in a hundred.
std::int64_t one_in(std::int64_t orders, std::int64_t beyond) {
  return static_cast<std::int64_t>(int128{orders} * 1000 / beyond);
}

std::string quantile_name(std::int64_t one_in_milli) {
  if (one_in_milli == 2000) return "p50";
  std::string nines = "p";
  int digits = 0;
  for (std::int64_t rest = one_in_milli / 1000; rest > 1; rest /= 10) {
    if (++digits == 3) nines += '.';
    nines += '9';
  }
  return digits == 1 ? "p90" : nines;
}

std::string draw(const std::vector<Curve>& curves) {
  std::int64_t rarest = 2000;
  std::int64_t least = curves.front().points.front().second;
  std::int64_t most = least;
  for (const Curve& curve : curves) {
    for (const auto& [beyond, ns] : curve.points) {
      rarest = std::max(rarest, one_in(curve.orders, beyond));
      least = std::min(least, ns);
      most = std::max(most, ns);
    }
  }
  const std::int64_t low = round_below(least);
  const std::int64_t high = std::max(round_above(most), low * 10);
  const Scale rank = Scale::logarithmic(1000, rarest, kPlotLeft, kPlotRight);
  const Scale latency = Scale::logarithmic(low, high, kBottom, kTop);
  Svg svg(kDrawingWidth, "Latency by percentile",
          "From the median on the left to the rarest orders on the right");
  for (const std::int64_t tick : log_values(low, high)) {
    value_line(svg, latency.at(tick), human_duration(tick));
  }
  std::vector<std::int64_t> ranks{2000};
  for (std::int64_t tick = 10'000; tick <= rarest; tick *= 10) ranks.push_back(tick);
  for (const std::int64_t tick : ranks) {
    value_column(svg, rank.at(tick), kTop, kBottom, quantile_name(tick));
  }
  svg.line({kPlotLeft, kBottom}, {kPlotRight, kBottom}, "axis");
  std::vector<Label> labels;
  for (const Curve& curve : curves) {
    std::vector<Svg::Point> points;
    for (const auto& [beyond, ns] : curve.points)
      points.push_back({rank.at(one_in(curve.orders, beyond)), latency.at(ns)});
    svg.polyline(points, curve.css);
    labels.push_back({points.back().y + 35, shortened(curve.name, kLettersRight), "small ink-" + curve.css});
  }
  spread(labels, kTop + 40, kBottom);
  for (const Label& label : labels)
    svg.text({kPlotRight + 60, label.y}, Anchor::start, label.css, label.words);
  return svg.markup(kBottom + 210);
}

// The summary's figures of what a curve shows: exact, where a curve has a point every few percent.
const Json& exact_figures(const Documents& run, const Curve& curve) {
  if (curve.css == "e2e") return object_at(run.summary, "e2e_latency");
  if (curve.css == "ack") return object_at(run.summary, "produce_latency");
  return object_at(object_at(object_at(run.summary, "services"), curve.name.c_str()), "latency");
}

}  // namespace

std::string service_style(const Documents& run, const std::string& service) {
  std::size_t place = 0;
  for (const Json& one : list_at(run.charts, "curves")) {
    if (text(one, "of") != "service") continue;
    if (text(one, "service") == service) break;
    ++place;
  }
  return "s" + std::to_string(place % 6);
}

Figure percentile_spectrum(const Documents& run) {
  const std::vector<Curve> curves = curves_of(run);
  if (curves.empty()) return {};
  Table table{"Latency by percentile, after the warm-up",
              {"latency of", "p50", "p90", "p99", "p99.9", "slowest"},
              {}};
  for (const Curve& curve : curves) {
    std::vector<std::string> row{escaped(curve.name)};
    for (const char* key : {"p50_ns", "p90_ns", "p99_ns", "p99.9_ns", "max_ns"}) {
      const std::int64_t ns = integer(exact_figures(run, curve), key);
      row.push_back(ns < 0 ? "too few" : human_duration(ns));
    }
    table.rows.push_back(std::move(row));
  }
  const Json& counts = object_at(run.summary, "orders");
  const std::int64_t placed = integer(counts, "placed", 0);
  const std::int64_t done = integer(counts, "fulfilled", 0);
  const Json& latency = object_at(run.summary, "e2e_latency");
  const std::int64_t p99 = integer(latency, "p99_ns");
  std::string finding;
  if (done == 0)
    finding = "None of " + counted(placed, "order") + " was ever done";
  else if (done * 2 < placed)
    finding = "Only " + count_of(done) + " of " + count_of(placed) + " orders were ever done";
  else if (const std::int64_t p50 = integer(latency, "p50_ns"); p50 >= 0)
    finding = "Half of the orders are done within " + human_duration(p50) +
              (p99 < 0 ? "" : ", one in a hundred takes longer than " + human_duration(p99));
  else
    finding = "How long orders take";
  return {finding,
          "From the intended time of an order until all services had done it, each of them, and until the "
          "producer had "
          "its answer. What was never done counts at its age when the run ended.",
          draw(curves) + element("details", "", element("summary", "", "The figures") + markup(table))};
}

Figure compared_spectra(const Documents& a, const std::string& name_a, const Documents& b,
                        const std::string& name_b) {
  std::vector<Curve> both;
  for (const auto& [run, name, css] : {std::tuple{&a, &name_a, "s0"}, {&b, &name_b, "s1"}}) {
    for (Curve& curve : curves_of(*run)) {
      if (curve.css != "e2e") continue;
      curve.name = *name + ", end to end";
      curve.css = css;
      both.push_back(std::move(curve));
    }
  }
  if (both.size() < 2) return {};
  const std::int64_t from = integer(object_at(a.summary, "e2e_latency"), "p99_ns");
  const std::int64_t to = integer(object_at(b.summary, "e2e_latency"), "p99_ns");
  const std::string finding = from < 0 || to < 0
                                  ? "End-to-end latency of both"
                                  : "One order in a hundred takes longer than " + human_duration(from) +
                                        " in " + name_a + ", than " + human_duration(to) + " in " + name_b;
  return {
      finding,
      "From the intended time of an order until all services had done it. What was never done counts at its "
      "age when the run ended.",
      draw(both)};
}

}  // namespace sim::page
