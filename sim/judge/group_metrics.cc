#include "judge/group_metrics.h"

#include <algorithm>
#include <array>

#include "base/contains.h"
#include "judge/statistic.h"

namespace sim::judge {
namespace {

using metrics::GroupTimeline;
using Kind = GroupTimeline::Event::Kind;
using observe::DepartureReason;
using observe::RebalanceReason;

// The group of the service that `of` names; of none, every group.
bool is_group_asked_for(const MeasuredRun& run, const std::string& of, const std::string& group) {
  if (of.empty()) return true;
  const auto service = place_of(run.names.services, of);
  return service && run.names.groups[*service] == group;
}

template <class Test>
Measured count_group_events(const MeasuredRun& run, const Expectation& expectation, Test test) {
  const auto& events = run.groups.events();
  return Measured{std::count_if(events.begin(), events.end(),
                                [&](const GroupTimeline::Event& event) {
                                  return test(event) &&
                                         is_group_asked_for(run, expectation.of, event.group) &&
                                         lies_in(run, expectation, event.at, true);
                                }),
                  1};
}

}  // namespace

Measured rebalances(const MeasuredRun& run, const Expectation& expectation) {
  return count_group_events(run, expectation,
                            [](const auto& event) { return event.kind == Kind::rebalance_began; });
}

Measured expelled_members(const MeasuredRun& run, const Expectation& expectation) {
  return count_group_events(run, expectation, [](const auto& event) {
    return event.kind == Kind::departed && is_expulsion(event.departure_reason);
  });
}

Measured left_members(const MeasuredRun& run, const Expectation& expectation) {
  return count_group_events(run, expectation, [](const auto& event) {
    return event.kind == Kind::departed && !is_expulsion(event.departure_reason);
  });
}

Measured revoked_partitions(const MeasuredRun& run, const Expectation& expectation) {
  std::int64_t count = 0;
  for (const GroupTimeline::Event& event : run.groups.events()) {
    if (event.kind != Kind::revoked && event.kind != Kind::lost) continue;
    if (!is_group_asked_for(run, expectation.of, event.group)) continue;
    if (lies_in(run, expectation, event.at, true)) count += std::ssize(event.partitions);
  }
  return Measured{count, 1};
}

Measured ownership_gap(const MeasuredRun& run, const Expectation& expectation) {
  const auto service = place_of(run.names.services, expectation.of);
  std::vector<Sample> samples;
  for (const GroupTimeline::Gap& gap : run.groups.gaps()) {
    if (service && gap.service.value() != static_cast<std::int32_t>(*service)) continue;
    if (!lies_in(run, expectation, gap.from, true)) continue;
    const bool is_open = gap.to < 0;
    samples.push_back(Sample{(is_open ? run.end_ns : gap.to) - gap.from, is_open});
  }
  if (samples.empty()) samples.push_back(Sample{});  // never
  return statistic_of(expectation.statistic, std::move(samples));
}

std::vector<GroupSummary> summarize_groups(const MeasuredRun& run) {
  std::vector<GroupSummary> groups;
  std::vector<std::array<std::uint64_t, 8>> expelled;
  const auto place = [&](const std::string& name) {
    return static_cast<std::size_t>(
        std::find_if(groups.begin(), groups.end(), [&](const auto& one) { return one.name == name; }) -
        groups.begin());
  };
  for (const std::string& name : run.names.groups) {
    if (place(name) != groups.size()) continue;
    groups.push_back(GroupSummary{name, 0, 0, {}});
    expelled.push_back({});
  }
  for (const GroupTimeline::Event& event : run.groups.events()) {
    const std::size_t at = place(event.group);
    if (at == groups.size()) continue;
    if (event.kind == Kind::rebalance_began) ++groups[at].rebalances;
    if (event.kind != Kind::departed) continue;
    if (is_expulsion(event.departure_reason)) {
      ++expelled[at][static_cast<std::size_t>(event.departure_reason)];
    } else {
      ++groups[at].left;
    }
  }
  for (std::size_t at = 0; at < groups.size(); ++at) {
    for (std::size_t reason = 0; reason < expelled[at].size(); ++reason) {
      if (expelled[at][reason] > 0)
        groups[at].expelled.push_back({static_cast<DepartureReason>(reason), expelled[at][reason]});
    }
  }
  for (const GroupTimeline::Gap& gap : run.groups.gaps()) {
    const std::size_t at = place(run.names.groups[static_cast<std::size_t>(gap.service.value())]);
    const std::int64_t to = gap.to < 0 ? run.end_ns : gap.to;
    groups[at].longest_gap_ns = std::max(groups[at].longest_gap_ns, to - gap.from);
  }
  return groups;
}

// ---- Words

std::string_view why(DepartureReason reason) {
  switch (reason) {
    case DepartureReason::closed: return "it was closed";
    case DepartureReason::poll_timeout: return "no poll() within max.poll.interval.ms";
    case DepartureReason::removed: return "somebody removed it";
    case DepartureReason::session_expired: return "no heartbeat within session.timeout.ms";
    case DepartureReason::join_timeout: return "it did not join the rebalance within max.poll.interval.ms";
    case DepartureReason::sync_timeout: return "it did not fetch its assignment within max.poll.interval.ms";
    case DepartureReason::over_capacity: return "group.max.size";
    case DepartureReason::revocation_timeout:
      return "it did not give up its partitions within max.poll.interval.ms";
  }
  return "?";
}

std::string in_words(DepartureReason reason) {
  const char* what =
      is_expulsion(reason) ? "a member was expelled from the group: " : "a member left the group: ";
  return what + std::string(why(reason));
}

std::string in_words(RebalanceReason reason) {
  switch (reason) {
    case RebalanceReason::member_joined: return "a rebalance began: a member joined";
    case RebalanceReason::member_rejoined:
      return "a rebalance began: a member joined anew, or the leader, whose topics had changed";
    case RebalanceReason::member_left: return "a rebalance began: a member left";
    case RebalanceReason::member_expelled: return "a rebalance began: a member was expelled";
    case RebalanceReason::static_member_replaced: return "a rebalance began: a static member came back";
    case RebalanceReason::assignment_not_stored:
      return "a rebalance began: the coordinator could not store the assignment";
    case RebalanceReason::group_over_capacity: return "a rebalance began: group.max.size";
    case RebalanceReason::topics_changed: return "a rebalance began: topics have changed";
    case RebalanceReason::protocol_changed: return "a rebalance began: back to the classic protocol";
  }
  return "?";
}

std::string what_happened_to(const MeasuredRun& run, const std::string& group, ProcessId member,
                             std::int64_t from, std::int64_t to) {
  const GroupTimeline::Event* stop = nullptr;
  const GroupTimeline::Event* departure = nullptr;
  const GroupTimeline::Event* rebalance = nullptr;
  bool was_reset = false;
  const auto& events = run.groups.events();
  auto event = std::lower_bound(events.begin(), events.end(), from,
                                [](const auto& one, std::int64_t at) { return one.at < at; });
  for (; event != events.end() && event->at <= to; ++event) {
    if (event->group != group) continue;
    if (event->kind == Kind::offsets_reset) was_reset = true;
    if (event->kind == Kind::stopped && event->process == member) stop = &*event;
    if (event->kind == Kind::departed && departure == nullptr) departure = &*event;
    if (event->kind == Kind::rebalance_began && rebalance == nullptr) rebalance = &*event;
  }
  if (was_reset) return "its offsets were reset";
  if (stop != nullptr)
    return run.names.processes[static_cast<std::size_t>(member.value())] + " stopped before it had committed";
  if (departure != nullptr) return in_words(departure->departure_reason);
  return rebalance == nullptr ? "" : in_words(rebalance->rebalance_reason);
}

}  // namespace sim::judge
