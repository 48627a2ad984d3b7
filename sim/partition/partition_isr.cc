#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/contains.h"
#include "base/overloaded.h"
#include "partition/partition.h"

// A leader's side of replication: how far its followers are, who is in sync, and what that commits.
namespace sim::partition {

namespace {

// The controller refused an ISR (Partition.handleAlterPartitionError): it was not applied and never will be;
// or we are behind, and stay pending until the metadata says how things are; anything else is worth another
// try.
bool was_not_applied(ErrorCode error) {
  return error == ErrorCode::operation_not_attempted || error == ErrorCode::ineligible_replica;
}
bool awaits_metadata(ErrorCode error) {
  return error == ErrorCode::unknown_topic_or_partition || error == ErrorCode::unknown_topic_id ||
         error == ErrorCode::fenced_leader_epoch || error == ErrorCode::invalid_update_version ||
         error == ErrorCode::invalid_request || error == ErrorCode::new_leader_elected;
}

}  // namespace

const FollowerProgress* Partition::follower(NodeId broker) const {
  if (!is_leader()) return nullptr;
  for (const FollowerProgress& one : leading().followers) {
    if (one.broker == broker) return &one;
  }
  return nullptr;
}

FollowerProgress* Partition::find_follower(NodeId broker) {
  return const_cast<FollowerProgress*>(std::as_const(*this).follower(broker));
}

const CommittedIsr& Partition::committed() const {
  return std::visit(
      Overloaded{[](const CommittedIsr& state) -> const CommittedIsr& { return state; },
                 [](const PendingExpandIsr& state) -> const CommittedIsr& { return state.last_committed; },
                 [](const PendingShrinkIsr& state) -> const CommittedIsr& { return state.last_committed; }},
      leading().isr);
}

const std::vector<NodeId>& Partition::isr() const {
  static const std::vector<NodeId> kNone;
  return is_leader() ? committed().isr : kNone;
}

// Without the maximal ISR, what is pending counts as done where that asks for less, and as not done where
// that does.
void Partition::set_isr(IsrState state, const Context& context) {
  leading().isr = std::move(state);
  const bool maximal = context.config.history.isr_maximal;
  const auto* expanding = std::get_if<PendingExpandIsr>(&leading().isr);
  const auto* shrinking = std::get_if<PendingShrinkIsr>(&leading().isr);
  for (FollowerProgress& one : leading().followers) {
    one.in_maximal_isr = contains(isr(), one.broker);
    if (expanding != nullptr && expanding->joining == one.broker)
      one.in_maximal_isr = maximal && defect_ != PlantedDefect::high_watermark_ignores_joiner;
    if (shrinking != nullptr && contains(shrinking->leaving, one.broker))
      one.in_maximal_isr = maximal && defect_ != PlantedDefect::shrinks_before_committed;
  }
}

std::size_t Partition::maximal_isr_size() const {
  if (!is_leader()) return 0;
  const auto& followers = leading().followers;
  return 1 + static_cast<std::size_t>(
                 std::count_if(followers.begin(), followers.end(),
                               [](const FollowerProgress& one) { return one.in_maximal_isr; }));
}

std::size_t Partition::effective_min_isr() const {
  return std::min(static_cast<std::size_t>(std::max(config_.min_insync_replicas, 0)), replicas_);
}

std::optional<ErrorCode> Partition::replicated(Offset end) const {
  if (!is_leader()) return ErrorCode::not_leader_or_follower;
  if (defect_ == PlantedDefect::acknowledges_at_once) return ErrorCode::none;
  if (high_watermark_ < end) return std::nullopt;
  return maximal_isr_size() >= effective_min_isr() ? ErrorCode::none
                                                   : ErrorCode::not_enough_replicas_after_append;
}

void Partition::report_isr_if_changed(PartitionEpoch before, const Context& context) const {
  if (partition_epoch_ == before) return;
  node::report(context.out, observe::IsrChanged{tp_, isr(), partition_epoch_, context.self});
}

// Partition.isReplicaIsrEligible: alive, and fetching under the registration that we know of.
bool Partition::is_isr_eligible(const FollowerProgress& follower, const Context& context) const {
  const metadata::BrokerRegistration* broker = context.image.broker(follower.broker);
  if (!follower.broker_epoch) return false;
  if (context.config.history.isr_unfenced_only && (broker == nullptr || !broker->active())) return false;
  if (*follower.broker_epoch == kNoBrokerEpoch) return true;  // asks for no check
  return broker != nullptr && *follower.broker_epoch == broker->broker_epoch;
}

// KIP-966: fewer than min.insync.replicas are in sync, so what they hold is not promised to stay.
bool Partition::is_frozen(const Context& context) const {
  const History& history = context.config.history;
  if (!history.high_watermark_min_isr) return false;
  return history.isr_maximal ? is_under_min_isr() : maximal_isr_size() < effective_min_isr();
}

// The least end offset of those that count: the maximal ISR, and whoever is caught up and may join, lest the
// high watermark run away from it for ever.
bool Partition::maybe_advance_high_watermark(const Context& context) {
  if (is_frozen(context) && defect_ != PlantedDefect::min_isr_not_checked) return false;
  const Offset end = log_end_offset();
  const Duration max_lag = from_millis(context.config.replica_lag_time_max_ms);
  Offset high_watermark = end;
  const bool ignores_joiner = defect_ == PlantedDefect::high_watermark_ignores_joiner;
  for (const FollowerProgress& one : leading().followers) {
    if (one.log_end_offset >= high_watermark) continue;
    if (one.in_maximal_isr ||
        (one.is_caught_up(end, context.now(), max_lag) && is_isr_eligible(one, context) && !ignores_joiner)) {
      high_watermark = one.log_end_offset;
    }
  }
  if (defect_ == PlantedDefect::high_watermark_ignores_slowest) high_watermark = fastest_follower();
  const bool may_fall =
      defect_ == PlantedDefect::high_watermark_falls && high_watermark >= log_start_offset();
  if (high_watermark == high_watermark_ || (high_watermark < high_watermark_ && !may_fall)) return false;
  set_high_watermark(high_watermark, context);
  return true;
}

Offset Partition::fastest_follower() const {
  Offset fastest = leading().followers.empty() ? log_end_offset() : 0;
  for (const FollowerProgress& one : leading().followers) fastest = std::max(fastest, one.log_end_offset);
  return std::min(fastest, log_end_offset());
}

void Partition::set_high_watermark(Offset high_watermark, const Context& context) {
  const bool has_transactions = producers_.first_unstable_offset() != kNoOffset;
  const Offset stable_from = last_stable_offset();
  const Offset from = std::exchange(high_watermark_, high_watermark);
  node::report(context.out, observe::HighWatermarkAdvanced{tp_, from, high_watermark_, context.self,
                                                           static_cast<std::int32_t>(effective_min_isr())});
  if (!has_transactions) return;
  producers_.high_watermark_advanced(high_watermark_);
  node::report(context.out, observe::LastStableOffsetAdvanced{tp_, context.self, stable_from,
                                                              last_stable_offset(), high_watermark_});
}

Partition::FollowerFetch Partition::follower_fetched(NodeId broker, BrokerEpoch broker_epoch, Offset offset,
                                                     Offset log_start, const Context& context) {
  FollowerProgress* one = find_follower(broker);
  SIM_CHECK(one != nullptr, "whoever is not a follower is refused before");
  const metadata::BrokerRegistration* registration = context.image.broker(broker);
  const bool alive = registration != nullptr && !registration->fenced;
  if (broker_epoch != kNoBrokerEpoch && alive && registration->broker_epoch > broker_epoch) {
    return FollowerFetch{ErrorCode::not_leader_or_follower, false, {}};  // of an earlier life
  }
  const Offset before = one->log_end_offset;
  const Offset leader_end = log_end_offset();
  if (offset >= leader_end) {
    one->last_caught_up = std::max(one->last_caught_up, context.now());
  } else if (offset >= one->leader_end_at_last_fetch) {
    one->last_caught_up = std::max(one->last_caught_up, one->last_fetch);
  }
  one->log_end_offset = defect_ == PlantedDefect::counts_what_was_sent ? leader_end : offset;
  one->log_start_offset = log_start;
  one->leader_end_at_last_fetch = std::max(leader_end, one->leader_end_at_last_fetch);
  one->last_fetch = context.now();
  one->broker_epoch = broker_epoch;

  FollowerFetch result;
  result.isr_change = expand_isr(*one, context);
  if (before != offset) result.high_watermark_advanced = maybe_advance_high_watermark(context);
  return result;
}

void Partition::follower_fetched_nothing_new(NodeId broker, LocalTime when) {
  FollowerProgress* one = find_follower(broker);
  if (one == nullptr || one->log_end_offset != log_end_offset()) return;
  one->last_caught_up = std::max(one->last_caught_up, when);
  one->last_fetch = std::max(one->last_fetch, when);
}

bool Partition::awaits_join(NodeId broker) const {
  return is_leader() && !contains(isr(), broker);
}

// Joins once it holds all that was ever exposed, and all that this epoch began with.
std::optional<IsrChange> Partition::expand_isr(const FollowerProgress& follower, const Context& context) {
  const auto* committed_isr = std::get_if<CommittedIsr>(&leading().isr);
  if (committed_isr == nullptr || contains(committed_isr->isr, follower.broker)) return std::nullopt;
  if (!is_isr_eligible(follower, context)) return std::nullopt;
  const bool may_be_behind = defect_ == PlantedDefect::joins_behind;
  if (follower.log_end_offset < high_watermark_ && !may_be_behind) return std::nullopt;
  if (context.config.history.isr_epoch_start_check && !may_be_behind &&
      follower.log_end_offset < leading().epoch_start)
    return std::nullopt;
  std::vector<NodeId> isr = committed_isr->isr;
  isr.push_back(follower.broker);
  IsrChange change = propose(isr, context);
  set_isr(PendingExpandIsr{*committed_isr, follower.broker, change.change}, context);
  return change;
}

bool Partition::has_lagging_isr() const {
  if (!is_leader()) return false;
  const auto& followers = leading().followers;
  return std::any_of(followers.begin(), followers.end(), [this](const FollowerProgress& one) {
    return one.in_maximal_isr && one.log_end_offset != log_end_offset();
  });
}

std::optional<IsrChange> Partition::shrink_isr(const Context& context) {
  if (!is_leader()) return std::nullopt;
  const auto* committed_isr = std::get_if<CommittedIsr>(&leading().isr);
  if (committed_isr == nullptr) return std::nullopt;
  const Duration max_lag = from_millis(context.config.replica_lag_time_max_ms);
  std::vector<NodeId> leaving;
  std::vector<NodeId> staying;
  for (const NodeId member : committed_isr->isr) {
    const FollowerProgress* one = follower(member);
    const bool in_sync = member == context.self ||
                         (one != nullptr && one->is_caught_up(log_end_offset(), context.now(), max_lag));
    (in_sync ? staying : leaving).push_back(member);
  }
  if (leaving.empty()) return std::nullopt;
  IsrChange change = propose(staying, context);
  set_isr(PendingShrinkIsr{*committed_isr, std::move(leaving), change.change}, context);
  if (defect_ == PlantedDefect::shrinks_before_committed) maybe_advance_high_watermark(context);
  return change;
}

IsrChange Partition::propose(const std::vector<NodeId>& isr, const Context& context) {
  IsrChange change;
  change.change = next_change_++;
  change.request.tp = tp_;
  change.request.leader_epoch = leader_epoch_;
  change.request.partition_epoch = partition_epoch_;
  for (const NodeId member : isr) {
    const FollowerProgress* one = follower(member);
    BrokerEpoch broker_epoch = kNoBrokerEpoch;
    if (member == context.self)
      broker_epoch = context.broker_epoch;
    else if (one != nullptr && one->broker_epoch)
      broker_epoch = *one->broker_epoch;
    change.request.new_isr.push_back({member, broker_epoch});
  }
  node::report(context.out, observe::IsrProposed{tp_, isr, partition_epoch_, context.self});
  return change;
}

// Partition.submitAlterPartition's completion. An answer to a change that the metadata has overtaken is
// ignored.
Partition::IsrAnswer Partition::isr_answered(std::uint64_t change,
                                             const AlterPartitionResponse::Partition& answer,
                                             const Context& context) {
  IsrAnswer result;
  if (!is_leader()) return result;
  const auto* expand = std::get_if<PendingExpandIsr>(&leading().isr);
  const auto* shrink = std::get_if<PendingShrinkIsr>(&leading().isr);
  const bool current =
      (expand != nullptr && expand->change == change) || (shrink != nullptr && shrink->change == change);
  if (!current) return result;

  if (answer.error == ErrorCode::none) {
    if (answer.leader_epoch != leader_epoch_ || answer.partition_epoch < partition_epoch_) return result;
    const PartitionEpoch before = std::exchange(partition_epoch_, answer.partition_epoch);
    set_isr(CommittedIsr{answer.isr}, context);
    report_isr_if_changed(before, context);
    result.high_watermark_advanced = maybe_advance_high_watermark(context);
    return result;
  }
  if (was_not_applied(answer.error)) {
    set_isr(CommittedIsr{committed()}, context);
    node::report(context.out, observe::IsrProposalDropped{tp_, context.self});
    return result;
  }
  result.retry = !awaits_metadata(answer.error);
  return result;
}

void Partition::isr_not_attempted(std::uint64_t change, const Context& context) {
  if (!is_leader()) return;
  const auto is_it = Overloaded{[](const CommittedIsr&) { return false; },
                                [change](const auto& pending) { return pending.change == change; }};
  if (std::visit(is_it, leading().isr)) set_isr(CommittedIsr{committed()}, context);
}

}  // namespace sim::partition
