#include "judge/cluster_metrics.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/contains.h"
#include "judge/convergence.h"
#include "judge/statistic.h"
#include "judge/stuck.h"

namespace sim::judge {
namespace {

using metrics::ClusterTimeline;
using metrics::kStillLasts;

// Which partitions `of` names: all of a topic, one, or every one.
class Partitions {
 public:
  Partitions(const MeasuredRun& run, const std::string& of) : topics_(run.timeline.topics()), of_(of) {}
  bool include(TopicPartition tp) const { return of_.empty() || topics_[tp.topic] == of_ || is_named(tp); }
  // Itself, not its topic.
  bool is_named(TopicPartition tp) const { return !of_.empty() && topics_[tp] == of_; }

 private:
  const observe::TopicNames& topics_;
  const std::string& of_;
};

ProcessId process_named(const MeasuredRun& run, const std::string& name) {
  const auto place = place_of(run.names.processes, name);
  return place ? ProcessId{static_cast<std::int32_t>(*place)} : kNoProcess;
}
ProcessId process_of(const MeasuredRun& run, NodeId broker) {
  return process_named(run, "broker-" + std::to_string(broker.value()));
}
bool is_broker(const MeasuredRun& run, ProcessId process) {
  return run.names.processes[static_cast<std::size_t>(process.value())].starts_with("broker-");
}

bool touches(const ClusterTimeline::Strike& strike, ProcessId process) {
  return process != kNoProcess && contains(strike.touched, process);
}

// The samples that add(strike, samples) finds for each strike of the fault asked for, or of any.
template <class Add>
Measured from_strikes(const MeasuredRun& run, const Expectation& expectation, Add add) {
  std::vector<Sample> samples;
  for (const ClusterTimeline::Strike& strike : run.timeline.strikes()) {
    const std::string& name = run.names.faults[static_cast<std::size_t>(strike.fault.value())];
    if (expectation.fault.empty() || name == expectation.fault) add(strike, samples);
  }
  return statistic_of(expectation.statistic, std::move(samples));
}

// ---- Gauges

// Turns changes by so much at a time into steps.
class Gauge {
 public:
  void add(std::int64_t at, std::int64_t by) {
    if (by == 0) return;
    if (course_.back().first != at) course_.emplace_back(at, course_.back().second);
    course_.back().second += by;
  }
  Course take() { return std::move(course_); }

 private:
  Course course_{{0, 0}};
};

Course fenced_over_time(const MeasuredRun& run, const std::string& of) {
  Gauge gauge;
  for (const ClusterTimeline::BrokerChange& change : run.timeline.brokers()) {
    if (of.empty() || process_of(run, change.broker) == process_named(run, of))
      gauge.add(change.at, change.fenced ? 1 : -1);
  }
  return gauge.take();
}

template <class IsBad>
Course partitions_over_time(const MeasuredRun& run, const std::string& of, IsBad is_bad) {
  Gauge gauge;
  std::map<TopicPartition, bool> was_bad;
  const Partitions partitions(run, of);
  for (const ClusterTimeline::PartitionChange& change : run.timeline.partitions()) {
    if (!partitions.include(change.tp)) continue;
    const bool bad = is_bad(change);
    gauge.add(change.at, (bad ? 1 : 0) - (was_bad[change.tp] ? 1 : 0));
    was_bad[change.tp] = bad;
  }
  return gauge.take();
}

Course under_replicated_over_time(const MeasuredRun& run, const std::string& of) {
  return partitions_over_time(run, of, [](const auto& change) { return change.under_replicated; });
}
Course offline_over_time(const MeasuredRun& run, const std::string& of) {
  return partitions_over_time(run, of,
                              [](const auto& change) { return change.leader == kNoNode && !change.gone; });
}

Measured most_at_any_time(const MeasuredRun& run, const Expectation& expectation, const Course& course) {
  std::vector<std::int64_t> instants{0, nanos(run.warmup)};
  for (const FaultWindow& fault : run.faults) {
    instants.push_back(nanos(fault.from));
    instants.push_back(nanos(fault.to));
    instants.push_back(nanos(fault.effect_to));
  }
  if (expectation.window == Window::between) instants.push_back(expectation.from_ns);
  for (const auto& [at, value] : course) instants.push_back(at);
  Measured measured;
  for (const std::int64_t at : instants) {
    if (at > run.end_ns || !lies_in(run, expectation, at, true)) continue;
    const auto after = std::upper_bound(course.begin(), course.end(), at,
                                        [](std::int64_t t, const auto& step) { return t < step.first; });
    measured.value = std::max(measured.value.value_or(0), std::prev(after)->second);
    ++measured.samples;
  }
  return measured;
}

}  // namespace

// ---- From a strike on

Measured time_to_new_controller(const MeasuredRun& run, const Expectation& expectation) {
  return from_strikes(run, expectation, [&](const auto& strike, std::vector<Sample>& samples) {
    if (expectation.fault.empty() && !touches(strike, strike.controller)) return;
    for (const ClusterTimeline::ControllerChange& change : run.timeline.controllers()) {
      if (change.at >= strike.from && change.active && change.process != strike.controller)
        return samples.push_back(Sample{change.at - strike.from});
    }
    samples.push_back(Sample{run.end_ns - strike.from, true});
  });
}

Measured time_to_new_leader(const MeasuredRun& run, const Expectation& expectation) {
  const Partitions partitions(run, expectation.of);
  const auto& changes = run.timeline.partitions();
  return from_strikes(run, expectation, [&](const auto& strike, std::vector<Sample>& samples) {
    std::map<TopicPartition, NodeId> waiting;  // for another leader than this one
    for (std::size_t i = 0; i < strike.leaders_before; ++i) waiting[changes[i].tp] = changes[i].leader;
    std::erase_if(waiting, [&](const auto& entry) {
      const auto& [tp, leader] = entry;
      const bool lost_its_leader = touches(strike, process_of(run, leader));
      return !partitions.include(tp) || (!partitions.is_named(tp) && !lost_its_leader);
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
    samples.insert(samples.end(), waiting.size(), Sample{run.end_ns - strike.from, true});
  });
}

Measured time_to_fence(const MeasuredRun& run, const Expectation& expectation) {
  return from_strikes(run, expectation, [&](const auto& strike, std::vector<Sample>& samples) {
    std::vector<ProcessId> waiting;
    for (const ProcessId process : strike.touched) {
      if (expectation.of.empty() && is_broker(run, process)) waiting.push_back(process);
    }
    if (!expectation.of.empty()) waiting.push_back(process_named(run, expectation.of));
    for (const ClusterTimeline::BrokerChange& change : run.timeline.brokers()) {
      if (change.at < strike.from || !change.fenced) continue;
      if (std::erase(waiting, process_of(run, change.broker)) != 0)
        samples.push_back(Sample{change.at - strike.from});
    }
    samples.insert(samples.end(), waiting.size(), Sample{run.end_ns - strike.from, true});
  });
}

// ---- Leaders

Measured unavailability(const MeasuredRun& run, const Expectation& expectation) {
  std::vector<Sample> samples;
  const Partitions partitions(run, expectation.of);
  for (const ClusterTimeline::Gap& gap : run.timeline.gaps()) {
    if (!partitions.include(gap.tp) || !lies_in(run, expectation, gap.from, true)) continue;
    const bool open = gap.to == kStillLasts;
    samples.push_back(Sample{(open ? run.end_ns : gap.to) - gap.from, open});
  }
  if (samples.empty()) samples.push_back(Sample{});  // never
  return statistic_of(expectation.statistic, std::move(samples));
}

Measured leader_elections(const MeasuredRun& run, const Expectation& expectation) {
  const Partitions partitions(run, expectation.of);
  const auto& changes = run.timeline.partitions();
  return Measured{std::count_if(changes.begin(), changes.end(),
                                [&](const ClusterTimeline::PartitionChange& change) {
                                  return !change.first && change.leader != kNoNode &&
                                         change.leader != change.leader_before &&
                                         partitions.include(change.tp) &&
                                         lies_in(run, expectation, change.at, true);
                                }),
                  1};
}

Measured controller_elections(const MeasuredRun& run, const Expectation& expectation) {
  std::int64_t times = 0;
  bool first = true;
  for (const ClusterTimeline::ControllerChange& change : run.timeline.controllers()) {
    if (!change.active) continue;
    if (!std::exchange(first, false) && lies_in(run, expectation, change.at, true)) ++times;
  }
  return Measured{times, 1};
}

Measured quorum_epochs(const MeasuredRun& run, const Expectation& expectation) {
  const auto& epochs = run.timeline.quorum_epochs();
  return Measured{std::count_if(epochs.begin(), epochs.end(),
                                [&](std::int64_t at) { return lies_in(run, expectation, at, true); }),
                  1};
}

// Each belongs to the window in which it began; the last lasts to the end of the run.
Measured metadata_commit_gap(const MeasuredRun& run, const Expectation& expectation) {
  const auto& commits = run.timeline.metadata_commits();
  std::vector<std::int64_t> samples;
  for (std::size_t i = 0; i < commits.size(); ++i) {
    if (!lies_in(run, expectation, commits[i], true)) continue;
    samples.push_back((i + 1 < commits.size() ? commits[i + 1] : run.end_ns) - commits[i]);
  }
  return statistic_of(expectation.statistic, samples);
}

// ---- When the run ends

Measured diverged_partitions(const MeasuredRun& run, const Expectation& expectation) {
  std::int64_t count = 0;
  const observe::ReplicaLogs& logs = run.record.logs();
  const Partitions partitions(run, expectation.of);
  logs.partitions().for_each([&](TopicPartition tp, const observe::ReplicaLogs::Partition& log) {
    if (partitions.include(tp) && logs.divergence(log) != kNoOffset) ++count;
  });
  return Measured{count, 1};
}

Measured stuck_partitions(const MeasuredRun& run, const Expectation& expectation) {
  const Partitions partitions(run, expectation.of);
  const auto stuck = stuck_partitions_of(run);
  return Measured{std::count_if(stuck.begin(), stuck.end(),
                                [&](const StuckPartition& one) { return partitions.include(one.tp); }),
                  1};
}

Measured unconverged(const MeasuredRun& run, const Expectation&) {
  if (run.is_cut) return Measured{};
  return Measured{static_cast<std::int64_t>(unconverged_of(run).size()), 1};
}

// ---- Gauges

Measured fenced_brokers(const MeasuredRun& run, const Expectation& expectation) {
  return most_at_any_time(run, expectation, fenced_over_time(run, expectation.of));
}
Measured under_replicated(const MeasuredRun& run, const Expectation& expectation) {
  return most_at_any_time(run, expectation, under_replicated_over_time(run, expectation.of));
}
Measured offline_partitions(const MeasuredRun& run, const Expectation& expectation) {
  return most_at_any_time(run, expectation, offline_over_time(run, expectation.of));
}

Course fenced_brokers_course(const MeasuredRun& run, const Condition& condition) {
  return fenced_over_time(run, condition.of);
}
Course under_replicated_course(const MeasuredRun& run, const Condition& condition) {
  return under_replicated_over_time(run, condition.of);
}
Course offline_partitions_course(const MeasuredRun& run, const Condition& condition) {
  return offline_over_time(run, condition.of);
}

}  // namespace sim::judge
