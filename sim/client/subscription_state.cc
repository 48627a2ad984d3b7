#include "client/subscription_state.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace sim::client {

// ---- Assignment

void SubscriptionState::assign(std::vector<TopicPartition> partitions) {
  std::sort(partitions.begin(), partitions.end());
  std::vector<Partition> next;
  next.reserve(partitions.size());
  positions_missing_ = 0;
  for (const TopicPartition tp : partitions) {
    if (Partition* kept = mutable_find(tp)) {
      next.push_back(std::move(*kept));
    } else {
      next.emplace_back().tp = tp;
    }
    if (!next.back().has_valid_position()) ++positions_missing_;
  }
  partitions_ = std::move(next);
  first_ = last_ = -1;
  for (std::size_t i = 0; i < partitions_.size(); ++i) append_to_round(static_cast<std::int32_t>(i));
}

std::vector<TopicPartition> SubscriptionState::assigned() const {
  std::vector<TopicPartition> out;
  out.reserve(partitions_.size());
  for (const Partition& partition : partitions_) out.push_back(partition.tp);
  return out;
}

const SubscriptionState::Partition* SubscriptionState::find(TopicPartition tp) const {
  const auto found = std::lower_bound(
      partitions_.begin(), partitions_.end(), tp,
      [](const Partition& partition, TopicPartition wanted) { return partition.tp < wanted; });
  return found == partitions_.end() || found->tp != tp ? nullptr : &*found;
}

SubscriptionState::Partition* SubscriptionState::mutable_find(TopicPartition tp) {
  return const_cast<Partition*>(find(tp));
}

SubscriptionState::Partition& SubscriptionState::at(TopicPartition tp) {
  Partition* partition = mutable_find(tp);
  SIM_CHECK(partition != nullptr, "only assigned partitions have a state");
  return *partition;
}

void SubscriptionState::append_to_round(std::int32_t index) {
  Partition& partition = partitions_[static_cast<std::size_t>(index)];
  partition.before = last_;
  partition.after = -1;
  if (last_ >= 0) {
    partitions_[static_cast<std::size_t>(last_)].after = index;
  } else {
    first_ = index;
  }
  last_ = index;
}

void SubscriptionState::remove_from_round(std::int32_t index) {
  const Partition& partition = partitions_[static_cast<std::size_t>(index)];
  (partition.before >= 0 ? partitions_[static_cast<std::size_t>(partition.before)].after : first_) =
      partition.after;
  (partition.after >= 0 ? partitions_[static_cast<std::size_t>(partition.after)].before : last_) =
      partition.before;
}

void SubscriptionState::move_to_end(TopicPartition tp) {
  const Partition* partition = find(tp);
  if (partition == nullptr || partition->after < 0) return;
  const auto index = static_cast<std::int32_t>(partition - partitions_.data());
  remove_from_round(index);
  append_to_round(index);
}

void SubscriptionState::mark_pending_revocation() {
  for (Partition& partition : partitions_) partition.pending_revocation = true;
}

void SubscriptionState::mark_pending_revocation(const std::vector<TopicPartition>& partitions) {
  for (const TopicPartition tp : partitions) {
    if (Partition* partition = mutable_find(tp)) partition->pending_revocation = true;
  }
}

void SubscriptionState::set_paused(bool paused) {
  for (Partition& partition : partitions_) partition.paused = paused;
}

// ---- Positions

void SubscriptionState::enter(Partition& partition, FetchState state) {
  positions_missing_ +=
      (state != FetchState::fetching ? 1 : 0) - (partition.state != FetchState::fetching ? 1 : 0);
  partition.state = state;
  partition.next_retry = LocalTime::min();
}

std::vector<OffsetCommitRequest::Partition> SubscriptionState::all_consumed() const {
  std::vector<OffsetCommitRequest::Partition> out;
  for (const Partition& partition : partitions_) {
    if (!partition.has_valid_position()) continue;
    out.push_back(OffsetCommitRequest::Partition{partition.tp, partition.position.offset,
                                                 partition.position.offset_epoch});
  }
  return out;
}

void SubscriptionState::advance(TopicPartition tp, Offset offset, LeaderEpoch offset_epoch) {
  Partition& partition = at(tp);
  SIM_CHECK(partition.has_valid_position(), "only a valid position advances");
  partition.position.offset = offset;
  partition.position.offset_epoch = offset_epoch;
}

void SubscriptionState::validate(Partition& partition, const FetchPosition& position) {
  const bool comparable =
      position.offset_epoch != kNoLeaderEpoch && position.current_leader.leader_epoch != kNoLeaderEpoch;
  enter(partition, comparable ? FetchState::await_validation : FetchState::fetching);
  partition.position = position;
}

void SubscriptionState::seek_unvalidated(TopicPartition tp, FetchPosition position) {
  validate(at(tp), position);
}

void SubscriptionState::request_reset(TopicPartition tp) {
  SIM_CHECK(reset_policy_ != AutoOffsetReset::none, "a reset needs a policy");
  Partition* partition = mutable_find(tp);
  if (partition == nullptr) return;
  enter(*partition, FetchState::await_reset);
  partition->reset_strategy = reset_policy_;
}

std::vector<TopicPartition> SubscriptionState::reset_initializing_positions() {
  std::vector<TopicPartition> without_policy;
  for (const Partition& partition : partitions_) {
    if (partition.state != FetchState::initializing) continue;
    if (reset_policy_ == AutoOffsetReset::none) {
      without_policy.push_back(partition.tp);
    } else {
      request_reset(partition.tp);
    }
  }
  return without_policy;
}

bool SubscriptionState::maybe_seek_to_reset(TopicPartition tp, AutoOffsetReset asked_for, Offset offset,
                                            LeaderAndEpoch leader) {
  Partition* partition = mutable_find(tp);
  if (partition == nullptr || partition->state != FetchState::await_reset) return false;
  if (partition->reset_strategy != asked_for) return false;
  validate(*partition, FetchPosition{offset, kNoLeaderEpoch, leader});
  return true;
}

void SubscriptionState::maybe_validate_position(TopicPartition tp, LeaderAndEpoch leader) {
  Partition* partition = mutable_find(tp);
  if (partition == nullptr || leader.leader == kNoNode) return;
  if (partition->state == FetchState::await_reset || partition->state == FetchState::initializing) return;
  if (partition->position.current_leader == leader) return;
  validate(*partition, FetchPosition{partition->position.offset, partition->position.offset_epoch, leader});
  partition->preferred_read_replica = kNoNode;
}

Validation SubscriptionState::maybe_complete_validation(TopicPartition tp, const FetchPosition& asked_about,
                                                        Offset end_offset, LeaderEpoch leader_epoch) {
  Partition* partition = mutable_find(tp);
  if (partition == nullptr || partition->state != FetchState::await_validation) return Validation::ignored;
  if (partition->position != asked_about) return Validation::ignored;
  const bool undefined = end_offset == kNoOffset || leader_epoch == kNoLeaderEpoch;
  if (!undefined && end_offset >= partition->position.offset) {
    enter(*partition, FetchState::fetching);
    return Validation::valid;
  }
  if (reset_policy_ == AutoOffsetReset::none) return Validation::truncation_error;
  if (undefined) {
    request_reset(tp);
    return Validation::reset_requested;
  }
  enter(*partition, FetchState::fetching);
  partition->position.offset = end_offset;
  partition->position.offset_epoch = leader_epoch;
  return Validation::truncated;
}

void SubscriptionState::set_next_retry(TopicPartition tp, LocalTime when) {
  if (Partition* partition = mutable_find(tp)) partition->next_retry = when;
}

// ---- What fetches tell

void SubscriptionState::update_offsets(TopicPartition tp, Offset high_watermark, Offset log_start_offset,
                                       Offset last_stable_offset) {
  Partition* partition = mutable_find(tp);
  if (partition == nullptr) return;
  if (high_watermark >= 0) partition->high_watermark = high_watermark;
  if (log_start_offset >= 0) partition->log_start_offset = log_start_offset;
  if (last_stable_offset >= 0) partition->last_stable_offset = last_stable_offset;
}

void SubscriptionState::update_preferred_read_replica(TopicPartition tp, NodeId replica, LocalTime until) {
  Partition* partition = mutable_find(tp);
  if (partition == nullptr || partition->preferred_read_replica == replica) return;
  partition->preferred_read_replica = replica;
  partition->preferred_until = until;
}

bool SubscriptionState::clear_preferred_read_replica(TopicPartition tp) {
  Partition* partition = mutable_find(tp);
  if (partition == nullptr || partition->preferred_read_replica == kNoNode) return false;
  partition->preferred_read_replica = kNoNode;
  return true;
}

}  // namespace sim::client
