#include "metrics/group_timeline.h"

#include <algorithm>
#include <utility>

#include "base/contains.h"

namespace sim::metrics {

GroupTimeline::Event& GroupTimeline::add(Event::Kind kind, std::string group,
                                         const observe::Observation& seen) {
  Event event;
  event.at = nanos(seen.at);
  event.kind = kind;
  event.process = seen.process;
  event.group = std::move(group);
  return events_.emplace_back(std::move(event));
}

const std::string& GroupTimeline::group_of(observe::ServiceId service) const {
  return groups_[static_cast<std::size_t>(service.value())];
}

// ---- Told by the coordinator

void GroupTimeline::on(const observe::RebalanceBegan& fact, const observe::Observation& seen) {
  Event& event = add(Event::Kind::rebalance_began, fact.group, seen);
  event.generation = fact.generation;
  event.rebalance_reason = fact.reason;
  event.member_id = fact.member;
}

void GroupTimeline::on(const observe::GroupStateChanged& fact, const observe::Observation& seen) {
  Event& event = add(Event::Kind::state_changed, fact.group, seen);
  event.generation = fact.generation;
  event.state = fact.state;
  event.members = fact.members;
}

void GroupTimeline::on(const observe::MemberDeparted& fact, const observe::Observation& seen) {
  Event& event = add(Event::Kind::departed, fact.group, seen);
  event.departure_reason = fact.reason;
  event.member_id = fact.member;
}

void GroupTimeline::on(const observe::OffsetsReset& fact, const observe::Observation& seen) {
  add(Event::Kind::offsets_reset, fact.group, seen);
}

// ---- Told by members

void GroupTimeline::on(const observe::AssignmentReceived& fact, const observe::Observation& seen) {
  Event& event = add(Event::Kind::assigned, group_of(fact.service), seen);
  event.generation = fact.generation;
  event.partitions = fact.partitions;

  const auto process = static_cast<std::size_t>(seen.process.value());
  if (process >= members_.size()) members_.resize(process + 1);
  Member& member = members_[process];
  member.service = fact.service;
  member.number = fact.member;
  const std::vector<TopicPartition> before = std::exchange(member.owns, fact.partitions);
  std::sort(member.owns.begin(), member.owns.end());
  for (const TopicPartition tp : before) {
    if (!std::binary_search(member.owns.begin(), member.owns.end(), tp)) release(member, tp, nanos(seen.at));
  }
  for (const TopicPartition tp : member.owns) take(member, tp, nanos(seen.at));
}

void GroupTimeline::on(const observe::PartitionsRevoked& fact, const observe::Observation& seen) {
  Event& event = add(fact.lost ? Event::Kind::lost : Event::Kind::revoked, group_of(fact.service), seen);
  event.partitions = fact.partitions;
  const auto process = static_cast<std::size_t>(seen.process.value());
  if (process >= members_.size()) return;
  Member& member = members_[process];
  std::vector<TopicPartition> gone = fact.partitions;
  std::sort(gone.begin(), gone.end());
  std::erase_if(member.owns,
                [&](TopicPartition tp) { return std::binary_search(gone.begin(), gone.end(), tp); });
  for (const TopicPartition tp : gone) release(member, tp, nanos(seen.at));
}

void GroupTimeline::on(const observe::ProcessStopped&, const observe::Observation& seen) {
  const auto process = static_cast<std::size_t>(seen.process.value());
  if (process >= members_.size() || members_[process].owns.empty()) return;
  Member& member = members_[process];
  add(Event::Kind::stopped, group_of(member.service), seen).partitions = member.owns;
  for (const TopicPartition tp : std::exchange(member.owns, {})) release(member, tp, nanos(seen.at));
}

void GroupTimeline::on(const observe::TopicDeleted& fact) {
  for (observe::PartitionMap<Owned>& partitions : ownership_) {
    partitions.for_each([&](TopicPartition tp, const Owned& one) {
      if (tp.topic != fact.id || one.gap == kNoGap) return;
      gaps_[one.gap].to = gaps_[one.gap].from;  // there is nothing to own any more
      partitions[tp].gap = kNoGap;
    });
  }
}

// ---- Who owns what

GroupTimeline::Owned& GroupTimeline::owned(observe::ServiceId service, TopicPartition tp) {
  const auto index = static_cast<std::size_t>(service.value());
  if (index >= ownership_.size()) ownership_.resize(index + 1);
  return ownership_[index][tp];
}

const std::vector<std::int32_t>& GroupTimeline::owners(observe::ServiceId service, TopicPartition tp) const {
  static const std::vector<std::int32_t> nobody;
  const auto index = static_cast<std::size_t>(service.value());
  if (index >= ownership_.size()) return nobody;
  const Owned* one = ownership_[index].find(tp);
  return one == nullptr ? nobody : one->owners;
}

void GroupTimeline::take(const Member& member, TopicPartition tp, std::int64_t at) {
  Owned& one = owned(member.service, tp);
  if (!contains(one.owners, member.number)) one.owners.push_back(member.number);
  if (one.gap == kNoGap) return;
  gaps_[one.gap].to = at;
  one.gap = kNoGap;
}

void GroupTimeline::release(const Member& member, TopicPartition tp, std::int64_t at) {
  Owned& one = owned(member.service, tp);
  if (std::erase(one.owners, member.number) == 0 || !one.owners.empty()) return;
  one.gap = gaps_.size();
  gaps_.push_back(Gap{member.service, tp, at, -1});
}

}  // namespace sim::metrics
