#include "app/cluster_measures.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/int128.h"
#include "check/metric_names.h"
#include "metrics/percentile.h"

namespace sim::app {
namespace {

using check::Condition;
using check::Expectation;
using check::Measured;
using metrics::ClusterTimeline;
using metrics::kStillLasts;

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kMustHoldFor = 3 * kSecond;

// How long something took, or has taken so far.
struct Sample {
  std::int64_t ns = 0;
  bool at_least = false;
  auto operator<=>(const Sample&) const = default;
};

Measured statistic_of(const std::string& statistic, std::vector<Sample> samples) {
  if (samples.empty()) return Measured{};
  std::sort(samples.begin(), samples.end());
  Measured measured;
  measured.samples = samples.size();
  const auto pick = [&measured](const Sample& sample) {
    measured.value = sample.ns;
    measured.at_least = sample.at_least;
  };
  if (const auto share = check::percentile_share(statistic)) {
    pick(samples[static_cast<std::size_t>(metrics::rank_of(*share, samples.size()) - 1)]);
  } else if (statistic == "min") {
    pick(samples.front());
  } else if (statistic == "mean") {
    int128 sum = 0;
    for (const Sample& sample : samples) {
      sum += sample.ns;
      measured.at_least = measured.at_least || sample.at_least;
    }
    measured.value = static_cast<std::int64_t>(sum / static_cast<std::int64_t>(samples.size()));
  } else {
    pick(samples.back());
  }
  return measured;
}

// Which partitions `of` names: all of a topic, one, or every one.
class Partitions {
 public:
  Partitions(const ClusterTimeline& timeline, const std::string& of) : timeline_(timeline), of_(of) {}
  bool include(TopicPartition tp) const {
    return of_.empty() || timeline_.topics()[tp.topic] == of_ || timeline_.topics()[tp] == of_;
  }

 private:
  const ClusterTimeline& timeline_;
  const std::string& of_;
};

class ClusterMeasure {
 public:
  ClusterMeasure(const MeasuredRun& run, const Expectation& expectation)
      : run_(run), timeline_(run.timeline), expectation_(expectation) {}

  std::vector<Sample> times_to_new_controller() const {
    return times_from_strikes([this](const ClusterTimeline::Strike& strike, std::vector<Sample>& samples) {
      if (expectation_.fault.empty() && !touches(strike, strike.controller)) return;
      for (const ClusterTimeline::ControllerChange& change : timeline_.controllers()) {
        if (change.at >= strike.from && change.active && change.process != strike.controller) {
          return samples.push_back(Sample{change.at - strike.from});
        }
      }
      samples.push_back(Sample{run_.end_ns - strike.from, true});
    });
  }

  std::vector<Sample> times_to_new_leader() const {
    return times_from_strikes([this](const ClusterTimeline::Strike& strike, std::vector<Sample>& samples) {
      std::map<TopicPartition, NodeId> waiting;  // for another leader than this one
      const Partitions partitions(timeline_, expectation_.of);
      const auto& changes = timeline_.partitions();
      for (std::size_t i = 0; i < strike.leaders_before; ++i) waiting[changes[i].tp] = changes[i].leader;
      std::erase_if(waiting, [&](const auto& entry) {
        const auto& [tp, leader] = entry;
        const bool named = !expectation_.of.empty() && timeline_.topics()[tp] == expectation_.of;
        return !partitions.include(tp) || (!named && !touches(strike, broker(leader)));
      });
      for (std::size_t i = strike.leaders_before; i < changes.size(); ++i) {
        const auto found = waiting.find(changes[i].tp);
        if (found == waiting.end()) continue;
        if (changes[i].leader == kNoNode) {
          found->second = kNoNode;  // the same one again will do
        } else if (changes[i].leader != found->second) {
          samples.push_back(Sample{changes[i].at - strike.from});
          waiting.erase(found);
        }
      }
      samples.insert(samples.end(), waiting.size(), Sample{run_.end_ns - strike.from, true});
    });
  }

  std::vector<Sample> times_to_fence() const {
    return times_from_strikes([this](const ClusterTimeline::Strike& strike, std::vector<Sample>& samples) {
      std::vector<ProcessId> waiting;
      for (const ProcessId process : strike.touched) {
        if (expectation_.of.empty() && is_broker(process)) waiting.push_back(process);
      }
      if (!expectation_.of.empty()) waiting.push_back(process(expectation_.of));
      for (const ClusterTimeline::BrokerChange& change : timeline_.brokers()) {
        if (change.at < strike.from || !change.fenced) continue;
        if (std::erase(waiting, broker(change.broker)) != 0)
          samples.push_back(Sample{change.at - strike.from});
      }
      samples.insert(samples.end(), waiting.size(), Sample{run_.end_ns - strike.from, true});
    });
  }

  std::vector<Sample> gaps() const {
    std::vector<Sample> samples;
    const Partitions partitions(timeline_, expectation_.of);
    for (const ClusterTimeline::Gap& gap : timeline_.gaps()) {
      if (!partitions.include(gap.tp) || !lies_in(run_, expectation_, gap.from, true)) continue;
      const bool open = gap.to == kStillLasts;
      samples.push_back(Sample{(open ? run_.end_ns : gap.to) - gap.from, open});
    }
    if (samples.empty()) samples.push_back(Sample{});  // never
    return samples;
  }

  std::int64_t leader_elections() const {
    const Partitions partitions(timeline_, expectation_.of);
    return std::count_if(
        timeline_.partitions().begin(), timeline_.partitions().end(), [&](const auto& change) {
          return !change.first && change.leader != kNoNode && change.leader != change.leader_before &&
                 partitions.include(change.tp) && lies_in(run_, expectation_, change.at, true);
        });
  }

  std::int64_t controller_elections() const {
    std::int64_t times = 0;
    bool first = true;
    for (const ClusterTimeline::ControllerChange& change : timeline_.controllers()) {
      if (!change.active) continue;
      if (!std::exchange(first, false) && lies_in(run_, expectation_, change.at, true)) ++times;
    }
    return times;
  }

  // The gauge as steps: its value from each time on.
  std::vector<std::pair<std::int64_t, std::int64_t>> steps(const std::string& metric,
                                                           const std::string& of) const {
    std::vector<std::pair<std::int64_t, std::int64_t>> steps{{0, 0}};
    const auto add = [&steps](std::int64_t at, std::int64_t by) {
      if (by == 0) return;
      if (steps.back().first != at) steps.emplace_back(at, steps.back().second);
      steps.back().second += by;
    };
    if (metric == "fenced_brokers") {
      for (const ClusterTimeline::BrokerChange& change : timeline_.brokers()) {
        if (of.empty() || broker(change.broker) == process(of)) add(change.at, change.fenced ? 1 : -1);
      }
      return steps;
    }
    std::map<TopicPartition, bool> is_bad;
    const Partitions partitions(timeline_, of);
    for (const ClusterTimeline::PartitionChange& change : timeline_.partitions()) {
      if (!partitions.include(change.tp)) continue;
      const bool bad =
          metric == "offline_partitions" ? change.leader == kNoNode && !change.gone : change.under_replicated;
      add(change.at, (bad ? 1 : 0) - (is_bad[change.tp] ? 1 : 0));
      is_bad[change.tp] = bad;
    }
    return steps;
  }

  std::int64_t diverged_partitions() const {
    std::int64_t count = 0;
    const observe::ReplicaLogs& logs = run_.record.logs();
    const Partitions partitions(timeline_, expectation_.of);
    logs.partitions().for_each([&](TopicPartition tp, const observe::ReplicaLogs::Partition& log) {
      if (partitions.include(tp) && logs.divergence(log) != kNoOffset) ++count;
    });
    return count;
  }

  std::int64_t stuck_partitions() const {
    const Partitions partitions(timeline_, expectation_.of);
    const auto stuck = stuck_partitions_of(run_);
    return std::count_if(stuck.begin(), stuck.end(),
                         [&](const auto& one) { return partitions.include(one.tp); });
  }

  Measured most_at_any_time() const {
    const auto gauge = steps(expectation_.metric, expectation_.of);
    std::vector<std::int64_t> instants{0, nanos(run_.warmup)};
    for (const FaultWindow& fault : run_.faults) {
      instants.push_back(nanos(fault.from));
      instants.push_back(nanos(fault.to));
    }
    for (const auto& [at, value] : gauge) instants.push_back(at);
    Measured measured;
    for (const std::int64_t at : instants) {
      if (at > run_.end_ns || !lies_in(run_, expectation_, at, true)) continue;
      const auto after = std::upper_bound(gauge.begin(), gauge.end(), at,
                                          [](std::int64_t t, const auto& step) { return t < step.first; });
      measured.value = std::max(measured.value.value_or(0), std::prev(after)->second);
      ++measured.samples;
    }
    return measured;
  }

 private:
  template <class Add>
  std::vector<Sample> times_from_strikes(Add add) const {
    std::vector<Sample> samples;
    for (const ClusterTimeline::Strike& strike : timeline_.strikes()) {
      const std::string& name = run_.names.faults[static_cast<std::size_t>(strike.fault.value())];
      if (expectation_.fault.empty() || name == expectation_.fault) add(strike, samples);
    }
    return samples;
  }

  static bool touches(const ClusterTimeline::Strike& strike, ProcessId process) {
    return process != kNoProcess &&
           std::find(strike.touched.begin(), strike.touched.end(), process) != strike.touched.end();
  }
  ProcessId process(const std::string& name) const {
    const auto found = std::find(run_.names.processes.begin(), run_.names.processes.end(), name);
    if (found == run_.names.processes.end()) return kNoProcess;
    return ProcessId{static_cast<std::int32_t>(found - run_.names.processes.begin())};
  }
  ProcessId broker(NodeId id) const { return process("broker-" + std::to_string(id.value())); }
  bool is_broker(ProcessId process) const {
    return run_.names.processes[static_cast<std::size_t>(process.value())].starts_with("broker-");
  }

  const MeasuredRun& run_;
  const ClusterTimeline& timeline_;
  const Expectation& expectation_;
};

// ---- Recovery

// A condition at the end of each second, from what happened in it: nullopt where nothing can be said.
class SecondBySecond {
 public:
  SecondBySecond(const MeasuredRun& run, const Condition& condition) : run_(run) {
    asked_.metric = condition.metric;
    asked_.of = condition.of;
    asked_.statistic = condition.statistic;
    if (asked_.metric != "e2e_latency" && asked_.metric != "produce_latency") return;
    latencies_.resize(run.series.rows().size());
    for (metrics::OrderLedger::Index i = 0; i < run.ledger.size(); ++i) {
      const std::optional<std::int64_t> latency = latency_of(run, asked_, i);
      const std::size_t row = metrics::Series::row_of(run.ledger.order(i).intended);
      if (latency && row < latencies_.size()) latencies_[row].push_back(Sample{*latency});
    }
  }

  std::optional<std::int64_t> value(std::size_t row) const {
    const std::int64_t end = run_.series.end_of(row);
    const std::int64_t from = row == 0 ? 0 : run_.series.end_of(row - 1);
    if (asked_.metric == "lag" || asked_.metric == "lag_offsets") return lag(row);
    if (end > nanos(run_.load)) return std::nullopt;
    if (asked_.metric == "throughput") {
      return static_cast<std::int64_t>(int128{run_.series.rows()[row].fulfilled} * 1'000 * kSecond /
                                       (end - from));
    }
    const Measured measured = statistic_of(asked_.statistic, latencies_[row]);
    return check::judge(asked_, measured) == check::Verdict::inconclusive ? std::nullopt : measured.value;
  }

 private:
  std::int64_t lag(std::size_t row) const {
    std::int64_t worst = 0;
    for (std::size_t s = 0; s < run_.series.rows()[row].lag.size(); ++s) {
      if (!asked_.of.empty() && run_.names.services[s] != asked_.of) continue;
      const metrics::Series::Lag& one = run_.series.rows()[row].lag[s];
      worst = std::max(worst, asked_.metric == "lag" ? one.ns : one.offsets);
    }
    return worst;
  }

  const MeasuredRun& run_;
  Expectation asked_;
  std::vector<std::vector<Sample>> latencies_;  // by row
};

// Times at which the condition becomes true or false, from the gauge's steps or second by second.
std::vector<std::pair<std::int64_t, bool>> truth(const MeasuredRun& run, const Expectation& expectation) {
  const Condition& until = expectation.until;
  const auto holds = [&until](std::int64_t value) {
    return check::holds(value, until.comparison, until.limit, until.upper_limit);
  };
  std::vector<std::pair<std::int64_t, bool>> truth;
  if (is_cluster_metric(until.metric)) {
    for (const auto& [at, value] : ClusterMeasure(run, expectation).steps(until.metric, until.of)) {
      truth.emplace_back(at, holds(value));
    }
    return truth;
  }
  const SecondBySecond seconds(run, until);
  for (std::size_t row = 0; row < run.series.rows().size(); ++row) {
    const std::optional<std::int64_t> value = seconds.value(row);
    if (value) truth.emplace_back(run.series.end_of(row), holds(*value));
  }
  return truth;
}

Sample recovered_from(const std::vector<std::pair<std::int64_t, bool>>& truth, std::int64_t ended,
                      std::int64_t run_end) {
  std::optional<std::int64_t> since;  // it holds, as of `ended` at the earliest
  for (const auto& [at, holds] : truth) {
    if (since && at - *since >= kMustHoldFor) break;
    if (!holds) {
      since.reset();
    } else if (!since) {
      since = std::max(at, ended);
    }
  }
  if (!since) return Sample{run_end - ended, true};
  return Sample{*since - ended};
}

}  // namespace

std::vector<ClusterTimeline::Gap> open_gaps_of(const ClusterTimeline& timeline) {
  std::map<TopicPartition, bool> is_gone;
  for (const ClusterTimeline::PartitionChange& change : timeline.partitions())
    is_gone[change.tp] = change.gone;
  std::vector<ClusterTimeline::Gap> open;
  for (const ClusterTimeline::Gap& gap : timeline.gaps()) {
    if (gap.to == kStillLasts && !is_gone[gap.tp]) open.push_back(gap);
  }
  return open;
}

std::vector<StuckPartition> stuck_partitions_of(const MeasuredRun& run) {
  using metrics::kNever;
  const metrics::OrderLedger& ledger = run.ledger;
  struct Answers {
    std::int64_t acknowledged = kNever;   // last
    std::int64_t waiting_since = kNever;  // the first order that has waited since
    std::int64_t refused = kNever;        // last
  };
  std::map<TopicPartition, Answers> answers;
  const auto each_unanswered = [&](auto visit) {
    for (metrics::OrderLedger::Index i = 0; i < ledger.size(); ++i) {
      const metrics::OrderLedger::Order& order = ledger.order(i);
      const metrics::OrderLedger::Batch& batch = ledger.batch_of(order);
      if (batch.record_count > 0 && batch.acknowledged == kNever) visit(order, answers[batch.tp]);
    }
  };
  for (metrics::OrderLedger::Index i = 0; i < ledger.size(); ++i) {
    const metrics::OrderLedger::Batch& batch = ledger.batch_of(ledger.order(i));
    if (batch.acknowledged == kNever) continue;
    Answers& one = answers[batch.tp];
    one.acknowledged = std::max(one.acknowledged, batch.acknowledged);
  }
  each_unanswered([&](const auto& order, Answers& one) {
    if (order.failed != kNever && order.failed <= one.acknowledged) return;
    const std::int64_t since = std::max(order.intended, one.acknowledged);
    if (one.waiting_since == kNever || since < one.waiting_since) one.waiting_since = since;
    one.refused = std::max(one.refused, order.failed);
  });

  std::map<TopicPartition, StuckPartition> stuck;
  for (const auto& [tp, one] : answers) {
    if (one.waiting_since == kNever) continue;
    const std::int64_t refused = std::max(one.refused, ledger.last_refused(tp));
    if (refused - one.waiting_since >= kStuckAfter)
      stuck[tp] = StuckPartition{tp, one.waiting_since, refused, true};
  }
  for (const ClusterTimeline::Gap& gap : open_gaps_of(run.timeline)) {
    if (run.end_ns - gap.from >= kStuckAfter)
      stuck[gap.tp] = StuckPartition{gap.tp, gap.from, run.end_ns, false};
  }
  std::vector<StuckPartition> result;
  for (const auto& [tp, one] : stuck) result.push_back(one);
  return result;
}

bool is_cluster_metric(const std::string& metric) {
  constexpr const char* kCluster[] = {"time_to_new_controller", "time_to_new_leader", "time_to_fence",
                                      "unavailability",         "leader_elections",   "controller_elections",
                                      "fenced_brokers",         "under_replicated",   "offline_partitions",
                                      "diverged_partitions",    "stuck_partitions"};
  return std::find(std::begin(kCluster), std::end(kCluster), metric) != std::end(kCluster);
}

Measured measure_cluster(const MeasuredRun& run, const Expectation& expectation) {
  const ClusterMeasure measure(run, expectation);
  const std::string& metric = expectation.metric;
  if (metric == "time_to_new_controller")
    return statistic_of(expectation.statistic, measure.times_to_new_controller());
  if (metric == "time_to_new_leader")
    return statistic_of(expectation.statistic, measure.times_to_new_leader());
  if (metric == "time_to_fence") return statistic_of(expectation.statistic, measure.times_to_fence());
  if (metric == "unavailability") return statistic_of(expectation.statistic, measure.gaps());
  if (metric == "leader_elections") return Measured{measure.leader_elections(), 1};
  if (metric == "controller_elections") return Measured{measure.controller_elections(), 1};
  if (metric == "diverged_partitions") return Measured{measure.diverged_partitions(), 1};
  if (metric == "stuck_partitions") return Measured{measure.stuck_partitions(), 1};
  return measure.most_at_any_time();
}

Measured measure_recovery(const MeasuredRun& run, const Expectation& expectation) {
  const auto changes = truth(run, expectation);
  std::vector<Sample> samples;
  for (const FaultWindow& fault : run.faults) {
    if (fault.name != expectation.fault || nanos(fault.to) >= run.end_ns) continue;
    samples.push_back(recovered_from(changes, nanos(fault.to), run.end_ns));
  }
  return statistic_of("max", std::move(samples));
}

}  // namespace sim::app
