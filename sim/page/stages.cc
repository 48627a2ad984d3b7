#include <algorithm>

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

struct StageWords {
  const char* key;  // in charts.json
  const char* name;
};
constexpr StageWords kStageWords[] = {
    {"send_wait", "blocked in send()"},
    {"linger", "in the producer: its batch, or no leader"},
    {"retry", "retries"},
    {"network", "network"},
    {"request_queue", "request queue"},
    {"append", "append"},
    {"replication", "replication"},
    {"fetch_wait", "until fetched"},
    {"consumer_queue", "behind others of its poll"},
    {"service", "service"},
};

std::string band_name(const Json& band) {
  const std::int64_t from = integer(band, "from_percent", 0);
  const std::int64_t to = integer(band, "to_percent", 0);
  if (from == 0) return "quickest " + std::to_string(to) + " %";
  if (to == 100) return "slowest " + std::to_string(100 - from) + " %";
  return std::to_string(from) + " to " + std::to_string(to) + " %";
}

std::int64_t total_of(const Json& band) {
  std::int64_t total = 0;
  for (const StageWords& stage : kStageWords)
    total += std::max<std::int64_t>(integer(object_at(band, "stages_mean_ns"), stage.key, 0), 0);
  return total;
}

const StageWords& longest_stage(const Json& band) {
  return *std::max_element(std::begin(kStageWords), std::end(kStageWords),
                           [&](const StageWords& a, const StageWords& b) {
                             const Json& means = object_at(band, "stages_mean_ns");
                             return integer(means, a.key, 0) < integer(means, b.key, 0);
                           });
}

std::int64_t share_milli_percent(std::int64_t part, std::int64_t whole) {
  return static_cast<std::int64_t>(int128{part} * 100'000 / whole);
}

}  // namespace

Figure stage_breakdown(const Documents& run) {
  constexpr Tenths kBar = 300;
  const Json& bands = list_at(run.charts, "bands");
  std::vector<const Json*> shown;
  for (const Json& band : bands) {
    if (total_of(band) > 0) shown.push_back(&band);
  }
  if (shown.empty()) return {};
  Svg svg(kDrawingWidth, "Where the time goes",
          "A bar for the quick and for the slow orders, divided by stages of an order's way");
  Table table{"Mean time in each stage", {"fulfilled orders"}, {}};
  for (const StageWords& stage : kStageWords) table.head.push_back(escaped(stage.name));
  table.head.push_back("in all");
  Tenths y = 60;
  std::vector<bool> is_used(std::size(kStageWords));
  for (const Json* band : shown) {
    const std::int64_t total = total_of(*band);
    const Json& means = object_at(*band, "stages_mean_ns");
    const Scale scale = Scale::linear(0, total, kPlotLeft, kPlotRight);
    text_left(svg, y + kBar / 2, band_name(*band));
    std::int64_t before = 0;
    std::vector<std::string> row{band_name(*band) + ", " + count_of(integer(*band, "orders", 0)) + " orders"};
    for (std::size_t i = 0; i < std::size(kStageWords); ++i) {
      const std::int64_t mean = std::max<std::int64_t>(integer(means, kStageWords[i].key, 0), 0);
      row.push_back(human_duration(mean));
      if (mean == 0) continue;
      is_used[i] = true;
      const Tenths from = scale.at(before);
      const Tenths width = scale.at(before + mean) - from;
      before += mean;
      const std::string share = percent_of(share_milli_percent(mean, total));
      svg.rect({from, y}, width, kBar, "stage" + std::to_string(i),
               std::string(kStageWords[i].name) + ": " + human_duration(mean) + ", " + share);
      if (width > width_of(share) + 60)
        svg.text({from + width / 2, y + 190}, Anchor::middle, "small on-stage" + std::to_string(i), share);
    }
    row.push_back(human_duration(total));
    svg.text({kPlotRight + 60, y + 190}, Anchor::start, "small", human_duration(total) + " mean");
    table.rows.push_back(std::move(row));
    y += kBar + 120;
  }
  Tenths x = kPlotLeft;
  y += 40;
  for (std::size_t i = 0; i < std::size(kStageWords); ++i) {
    if (!is_used[i]) continue;
    const Tenths width = 190 + width_of(kStageWords[i].name) + 160;
    if (x + width > kDrawingWidth) {
      x = kPlotLeft;
      y += 190;
    }
    svg.rect({x, y}, 120, 120, "stage" + std::to_string(i));
    svg.text({x + 170, y + 105}, Anchor::start, "small", kStageWords[i].name);
    x += width;
  }
  const Json& last = *shown.back();
  const StageWords& longest = longest_stage(last);
  const std::int64_t most = integer(object_at(last, "stages_mean_ns"), longest.key, 0);
  const std::string finding = upper_first(
      "of the " + band_name(last) + " of the fulfilled orders the largest share goes to: " + longest.name +
      ", " + percent_of(share_milli_percent(most, total_of(last))));
  const Json& counts = object_at(run.summary, "orders");
  const std::int64_t not_done = integer(counts, "placed", 0) - integer(counts, "fulfilled", 0);
  return {
      finding,
      "Fulfilled orders after the warm-up, on the way to the service that did them last." +
          (not_done > 0 ? " The " + count_of(not_done) + " that were not fulfilled are left out."
                        : std::string()),
      svg.markup(y + 190) + element("details", "", element("summary", "", "The figures") + markup(table))};
}

}  // namespace sim::page
