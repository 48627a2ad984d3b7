#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "judge/metric.h"

// Metrics of consumer groups: what metrics::GroupTimeline saw of them.
namespace sim::judge {

Measured rebalances(const MeasuredRun& run, const Expectation& expectation);
Measured expelled_members(const MeasuredRun& run, const Expectation& expectation);
Measured left_members(const MeasuredRun& run, const Expectation& expectation);
Measured revoked_partitions(const MeasuredRun& run, const Expectation& expectation);
Measured ownership_gap(const MeasuredRun& run, const Expectation& expectation);

// What became of one group over the whole run.
struct GroupSummary {
  struct Expelled {
    observe::DepartureReason reason;
    std::uint64_t times = 0;
  };
  std::string name;
  std::uint64_t rebalances = 0;  // that in which it formed included
  std::uint64_t left = 0;
  std::vector<Expelled> expelled;    // in the order of reasons; none is 0
  std::int64_t longest_gap_ns = -1;  // without an owner of a partition; -1: there was none
};
// In the order of services; groups of several services once.
std::vector<GroupSummary> summarize_groups(const MeasuredRun& run);

// What happened to a group, in words: "a member was expelled: no heartbeat within session.timeout.ms".
std::string in_words(observe::DepartureReason reason);
std::string in_words(observe::RebalanceReason reason);
// The same, for a list: "no heartbeat within session.timeout.ms".
std::string_view why(observe::DepartureReason reason);

// Why a group may have handled, between two instants, what it had handled before: somebody reset its
// offsets, or one of its members stopped (the process `member`), departed, or had to join anew. Empty:
// nothing of that kind happened.
std::string what_happened_to(const MeasuredRun& run, const std::string& group, ProcessId member,
                             std::int64_t from, std::int64_t to);

}  // namespace sim::judge
