#include "cluster/awaited.h"

#include <algorithm>
#include <optional>

namespace sim::cluster {
namespace {

// The group of that id, or the one that is the service of that name.
const std::string& group_of(const std::string& name, const observe::Names& names) {
  if (std::find(names.groups.begin(), names.groups.end(), name) != names.groups.end()) return name;
  const auto service = std::find(names.services.begin(), names.services.end(), name);
  if (service == names.services.end()) return name;
  return names.groups[static_cast<std::size_t>(service - names.services.begin())];
}

bool is_of(const fault::Moment& moment, TopicPartition tp, const Roles& roles) {
  if (moment.partition && *moment.partition != tp.partition) return false;
  return moment.of.empty() || roles.topic(moment.of) == std::optional(tp.topic);
}

}  // namespace

Awaited::Awaited(const fault::Schedule& schedule) {
  for (const fault::Fault& fault : schedule) {
    if (!fault.when) continue;
    has_moments_ = has_moments_ || std::holds_alternative<fault::Moment>(*fault.when);
    has_lags_ = has_lags_ || std::holds_alternative<fault::Threshold>(*fault.when);
  }
}

void Awaited::on(const observe::Fact& fact, Instant now) {
  if (!has_lags_) return;
  if (const auto* append = std::get_if<observe::BatchAppended>(&fact)) {
    std::deque<Appended>& log = appended_[append->tp];
    const Offset base = append->batch.base_offset;
    while (!log.empty() && log.back().end > base) log.pop_back();  // another leader had written there
    log.push_back({append->batch.end_offset(), now});
  } else if (const auto* stored = std::get_if<observe::OffsetsStored>(&fact)) {
    committed_[{stored->group, stored->tp}] = stored->offset;
    // What all groups have committed is nobody's lag any more.
    Offset least = stored->offset;
    for (const auto& [whose, offset] : committed_) {
      if (whose.second == stored->tp) least = std::min(least, offset);
    }
    std::deque<Appended>& log = appended_[stored->tp];
    while (log.size() > 1 && log.front().end <= least) log.pop_front();
  }
}

bool Awaited::is_moment(const fault::Moment& moment, const observe::Fact& fact, const Roles& roles) const {
  using What = fault::Moment::What;
  switch (moment.what) {
    case What::append: {
      const auto* append = std::get_if<observe::BatchAppended>(&fact);
      return append != nullptr && is_of(moment, append->tp, roles);
    }
    case What::isr_change: {
      const auto* change = std::get_if<observe::IsrChanged>(&fact);
      return change != nullptr && is_of(moment, change->tp, roles);
    }
    case What::leader_change: {
      const auto* leader = std::get_if<observe::BecameLeader>(&fact);
      return leader != nullptr && is_of(moment, leader->tp, roles);
    }
    case What::rebalance: {
      const auto* group = std::get_if<observe::GroupStateChanged>(&fact);
      return group != nullptr &&
             (group->state == observe::GroupState::preparing_rebalance ||
              group->state == observe::GroupState::assigning ||
              group->state == observe::GroupState::reconciling) &&
             (moment.of.empty() || moment.of == group->group);
    }
    case What::controller_change: {
      const auto* controller = std::get_if<observe::ControllerChanged>(&fact);
      return controller != nullptr && controller->active;
    }
  }
  return false;
}

std::int64_t Awaited::lag_of(const GroupPartition& whose, Offset committed, fault::Threshold::What what,
                             Instant now) const {
  const auto found = appended_.find(whose.second);
  if (found == appended_.end() || found->second.empty() || found->second.back().end <= committed) return 0;
  if (what == fault::Threshold::What::lag_offsets) return found->second.back().end - committed;
  const auto oldest = std::find_if(found->second.begin(), found->second.end(),
                                   [committed](const Appended& one) { return one.end > committed; });
  return nanos(now) - nanos(oldest->at);
}

bool Awaited::is_above(const fault::Threshold& threshold, Instant now, const observe::Names& names) const {
  const std::string& group = group_of(threshold.group, names);
  return std::any_of(committed_.begin(), committed_.end(), [&](const auto& one) {
    return one.first.first == group && lag_of(one.first, one.second, threshold.what, now) > threshold.limit;
  });
}

}  // namespace sim::cluster
