#include "judge/charts.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <numeric>
#include <optional>
#include <utility>

#include "base/int128.h"
#include "judge/statistic.h"
#include "metrics/percentile.h"

namespace sim::judge {
namespace {

using metrics::OrderLedger;
using metrics::Outcome;

// ---- Over time

// About a hundred bins of a round width; fewer where that lets a p99 be drawn, which takes 300 orders a bin.
std::int64_t bin_width(std::int64_t load_ns, std::uint64_t orders) {
  constexpr std::int64_t kWidths[] = {50,     100,    200,    500,     1'000,   2'000,    5'000,
                                      10'000, 30'000, 60'000, 300'000, 600'000, 3'600'000};
  constexpr std::int64_t kNanosPerMilli = 1'000'000;
  std::int64_t narrowest = 0;
  for (const std::int64_t ms : kWidths) {
    const std::int64_t width = ms * kNanosPerMilli;
    if (load_ns / 130 > width) continue;
    if (narrowest == 0) narrowest = width;
    if (load_ns / 25 < width) break;
    if (uint128{orders} * static_cast<std::uint64_t>(width) >=
        uint128{350} * static_cast<std::uint64_t>(load_ns))
      return width;
  }
  return narrowest == 0 ? kWidths[std::size(kWidths) - 1] * kNanosPerMilli : narrowest;
}

// Edges around all of these latencies: the rounded preferred numbers R10 of ISO 3.
std::vector<std::int64_t> heat_edges(std::int64_t least, std::int64_t most) {
  constexpr std::int64_t kTenToAPower[] = {100, 125, 160, 200, 250, 315, 400, 500, 630, 800};
  std::vector<std::int64_t> edges;
  for (std::int64_t power = 1; power <= 1'000'000'000'000'000; power *= 10) {
    for (const std::int64_t step : kTenToAPower) {
      const std::int64_t edge = step * power;
      if (edge <= least) edges.clear();
      edges.push_back(edge);
      if (edge > most && edges.size() > 1) return edges;
    }
  }
  return edges;
}

void fill_heat(const std::vector<std::vector<std::int64_t>>& latencies, Charts& charts) {
  std::int64_t least = 0;
  std::int64_t most = -1;
  for (const auto& bin : latencies) {
    for (const std::int64_t ns : bin) {
      least = most < 0 ? ns : std::min(least, ns);
      most = std::max(most, ns);
    }
  }
  if (most < 0) return;
  charts.heat.edges_ns = heat_edges(least, most);
  const std::vector<std::int64_t>& edges = charts.heat.edges_ns;
  const auto last_step = static_cast<std::ptrdiff_t>(edges.size()) - 2;
  for (const auto& bin : latencies) {
    std::vector<std::uint64_t>& row = charts.heat.orders.emplace_back(edges.size() - 1);
    for (const std::int64_t ns : bin) {
      const auto above = std::upper_bound(edges.begin(), edges.end(), ns) - edges.begin() - 1;
      ++row[static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(above, 0, last_step))];
    }
  }
}

// The last bin is left out if the load ends within it, for its rate would look like a drop.
void fill_bins(const MeasuredRun& run, Charts& charts) {
  const std::int64_t load_ns = std::min(nanos(run.load), run.end_ns);
  charts.bin_ns = bin_width(load_ns, charts.orders);
  std::vector<std::vector<std::int64_t>> latencies(static_cast<std::size_t>(load_ns / charts.bin_ns));
  charts.bins.resize(latencies.size());
  for (OrderLedger::Index i = 0; i < run.ledger.size(); ++i) {
    const std::int64_t intended = run.ledger.order(i).intended;
    const auto bin = static_cast<std::size_t>(intended / charts.bin_ns);
    if (intended < 0 || bin >= latencies.size()) continue;
    latencies[bin].push_back(run.ledger.ended(i) - intended);
    ++charts.bins[bin].outcomes[static_cast<std::size_t>(run.ledger.outcome(i))];
  }
  fill_heat(latencies, charts);
  for (std::size_t bin = 0; bin < latencies.size(); ++bin) {
    Charts::Bin& one = charts.bins[bin];
    one.from_ns = static_cast<std::int64_t>(bin) * charts.bin_ns;
    const Distribution distribution = distribution_of(latencies[bin]);
    one.orders = distribution.count;
    one.p50 = distribution.p50;
    one.p90 = distribution.p90;
    one.p99 = distribution.p99;
    if (distribution.count > 0) one.max = distribution.max;
  }
}

// ---- Percentiles

Charts::Curve curve_of(Charts::Curve::Of of, std::string service, std::vector<std::int64_t> samples) {
  Charts::Curve curve;
  curve.of = of;
  curve.service = std::move(service);
  curve.orders = samples.size();
  if (samples.size() < 4) return curve;
  std::sort(samples.begin(), samples.end());
  const std::uint64_t n = samples.size();
  for (std::uint64_t beyond = n; beyond >= 3; beyond = std::min(beyond - 1, beyond * 97 / 100)) {
    const std::uint64_t rank = std::max<std::uint64_t>(1, n - beyond);
    curve.points.push_back({beyond, samples[rank - 1]});
  }
  return curve;
}

// end_of(index, order) is nullopt for orders that do not count.
template <class End>
std::vector<std::int64_t> samples_after_warmup(const MeasuredRun& run, End end_of) {
  std::vector<std::int64_t> samples;
  for (OrderLedger::Index i = 0; i < run.ledger.size(); ++i) {
    const OrderLedger::Order& order = run.ledger.order(i);
    if (order.intended < nanos(run.warmup)) continue;
    if (const std::optional<std::int64_t> end = end_of(i, order)) samples.push_back(*end - order.intended);
  }
  return samples;
}

void fill_curves(const MeasuredRun& run, Charts& charts) {
  using Of = Charts::Curve::Of;
  const OrderLedger& ledger = run.ledger;
  charts.curves.push_back(curve_of(
      Of::end_to_end, "", samples_after_warmup(run, [&](OrderLedger::Index i, const OrderLedger::Order&) {
        return std::optional(ledger.ended(i));
      })));
  for (std::size_t s = 0; s < ledger.services(); ++s) {
    charts.curves.push_back(
        curve_of(Of::service, run.names.services[s],
                 samples_after_warmup(run, [&](OrderLedger::Index i, const OrderLedger::Order& order) {
                   return ledger.wants(order, s) ? std::optional(ledger.ended(i, s)) : std::nullopt;
                 })));
  }
  charts.curves.push_back(curve_of(
      Of::acknowledged, "", samples_after_warmup(run, [&](OrderLedger::Index i, const OrderLedger::Order&) {
        return std::optional(ledger.answered(i));
      })));
}

// ---- Where the time went

void fill_bands(const MeasuredRun& run, Charts& charts) {
  constexpr std::pair<std::int32_t, std::int32_t> kBands[] = {{0, 50}, {50, 90}, {90, 99}, {99, 100}};
  struct Timed {
    std::int64_t latency = 0;
    OrderLedger::Index order = 0;
  };
  std::vector<Timed> orders;
  for (OrderLedger::Index i = 0; i < run.ledger.size(); ++i) {
    const OrderLedger::Order& order = run.ledger.order(i);
    const std::size_t last = run.ledger.last_service(i);
    if (order.intended < nanos(run.warmup) || last == run.ledger.services() ||
        run.ledger.outcome(i) != Outcome::fulfilled) {
      continue;
    }
    orders.push_back(Timed{run.ledger.ended(i, last) - order.intended, i});
  }
  std::stable_sort(orders.begin(), orders.end(),
                   [](const Timed& a, const Timed& b) { return a.latency < b.latency; });
  for (const auto& [from, to] : kBands) {
    const std::size_t begin = orders.size() * static_cast<std::size_t>(from) / 100;
    const std::size_t end = orders.size() * static_cast<std::size_t>(to) / 100;
    if (end - begin < 3) continue;
    std::array<int128, metrics::kStages> sums{};
    for (std::size_t i = begin; i < end; ++i) {
      const auto stages = run.ledger.stages(orders[i].order, run.ledger.last_service(orders[i].order));
      for (std::size_t stage = 0; stage < metrics::kStages; ++stage) sums[stage] += stages[stage];
    }
    Charts::Band band;
    band.from_percent = from;
    band.to_percent = to;
    band.orders = end - begin;
    for (std::size_t stage = 0; stage < metrics::kStages; ++stage)
      band.mean_ns[stage] = static_cast<std::int64_t>(sums[stage] / static_cast<std::int64_t>(end - begin));
    if (std::accumulate(band.mean_ns.begin(), band.mean_ns.end(), std::int64_t{0}) > 0)
      charts.bands.push_back(band);
  }
}

// ---- Who led what

// Turns states, each true from its instant on, into spans; of several at one instant the last counts.
template <class State, class Emit>
class Spans {
 public:
  explicit Spans(Emit emit) : emit_(emit) {}
  void add(TopicPartition tp, std::int64_t at, const State& state) {
    const auto [known, is_new] = since_.try_emplace(tp, at, state);
    if (is_new || known->second.second == state) return;
    if (at > known->second.first) emit_(tp, known->second.first, at, known->second.second);
    known->second = {at, state};
  }
  void finish(std::int64_t end) {
    for (const auto& [tp, state] : since_) emit_(tp, state.first, end, state.second);
  }

 private:
  Emit emit_;
  std::map<TopicPartition, std::pair<std::int64_t, State>> since_;
};

void fill_leaders(const MeasuredRun& run, Charts& charts) {
  using State = std::pair<NodeId, std::size_t>;
  std::map<TopicPartition, std::vector<Charts::LeaderSpan>> found;
  const auto emit = [&found](TopicPartition tp, std::int64_t from, std::int64_t to, const State& state) {
    found[tp].push_back(Charts::LeaderSpan{from, to, state.first, state.second});
  };
  Spans<State, decltype(emit)> spans(emit);
  const observe::TopicNames& topics = run.record.topics();
  for (const trace::Leadership::Row& row : run.record.leadership().rows()) {
    if (row.tp.topic == kNoTopic || row.tp == kClusterMetadata || topics[row.tp.topic].starts_with("__"))
      continue;
    spans.add(row.tp, nanos(row.at), State{row.leader, row.isr.size()});
  }
  spans.finish(run.end_ns);
  for (auto& [tp, of_partition] : found)
    charts.leaders.push_back({topics[tp.topic], tp.partition, std::move(of_partition)});
  std::stable_sort(charts.leaders.begin(), charts.leaders.end(),
                   [](const auto& a, const auto& b) { return a.topic < b.topic; });
}

void fill_controllers(const MeasuredRun& run, Charts& charts) {
  const auto emit = [&charts](TopicPartition, std::int64_t from, std::int64_t to, const std::string& who) {
    charts.controllers.push_back(Charts::ControllerSpan{from, to, who});
  };
  Spans<std::string, decltype(emit)> spans(emit);
  for (const trace::Leadership::Row& row : run.record.leadership().rows()) {
    if (row.tp != kClusterMetadata) continue;
    const auto process = static_cast<std::size_t>(row.process.value());
    const bool is_named = row.leader != kNoNode && process < run.names.processes.size();
    spans.add(row.tp, nanos(row.at), is_named ? run.names.processes[process] : std::string());
  }
  spans.finish(run.end_ns);
}

}  // namespace

Charts charts_of(const MeasuredRun& run, const std::vector<FaultReport>& faults) {
  Charts charts;
  charts.orders = run.ledger.size();
  for (OrderLedger::Index i = 0; i < run.ledger.size(); ++i) {
    const std::int64_t intended = run.ledger.order(i).intended;
    if (charts.first_order_ns < 0 || intended < charts.first_order_ns) charts.first_order_ns = intended;
  }
  fill_bins(run, charts);
  fill_curves(run, charts);
  fill_bands(run, charts);
  fill_leaders(run, charts);
  fill_controllers(run, charts);
  charts.stories = stories_of(run, faults);
  return charts;
}

}  // namespace sim::judge
