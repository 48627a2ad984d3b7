#include "broker/partition.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/check.h"
#include "base/contains.h"
#include "base/overloaded.h"

namespace sim::broker {

namespace {

// LogValidator.validateTimestamp. A producer's time stamp counts, or else the leader sets its own.
bool has_valid_timestamps(const BatchData& batch, const TopicConfig& config, std::int64_t now_ms) {
  if (config.log_append_time) return true;
  if (batch.max_timestamp_ms - now_ms > config.message_timestamp_after_max_ms) return false;
  const std::int64_t before_max_ms = config.message_timestamp_before_max_ms;
  if (before_max_ms == std::numeric_limits<std::int64_t>::max()) return true;
  const std::vector<Record>& records = batch.application_records();
  return std::all_of(records.begin(), records.end(),
                     [=](const Record& record) { return now_ms - record.timestamp_ms <= before_max_ms; });
}

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

Partition::Partition(TopicPartition tp, const log::LogImage& image) : tp_(tp), log_(image) {
  high_watermark_ = std::clamp(image.high_watermark, log_.log_start_offset(), log_.log_end_offset());
  producers_.rebuild(log_);
}

// ---- Roles

void Partition::take_assignment(const metadata::PartitionRegistration& registration,
                                const metadata::TopicImage& topic) {
  leader_ = registration.leader;
  leader_epoch_ = registration.leader_epoch;
  partition_epoch_ = registration.partition_epoch;
  replicas_ = registration.replicas.size();
  set_config(topic.config);
  internal_ = topic.name == kOffsetsTopicName;
}

std::optional<Partition::Transition> Partition::become_leader(
    const metadata::PartitionRegistration& registration, const metadata::TopicImage& topic,
    const Context& context) {
  if (registration.partition_epoch < partition_epoch_) return std::nullopt;
  Transition transition{registration.leader_epoch > leader_epoch_, is_leader(), false};
  const PartitionEpoch epoch_before = transition.new_leader_epoch ? PartitionEpoch{-1} : partition_epoch_;
  if (!transition.was_leader) role_ = LeaderRole{};
  LeaderRole& role = leading();

  std::vector<FollowerProgress> followers;
  for (const NodeId replica : registration.replicas) {
    if (replica == context.self) continue;
    const FollowerProgress* known = follower(replica);
    followers.push_back(known != nullptr ? *known : FollowerProgress{replica});
  }
  role.followers = std::move(followers);
  take_assignment(registration, topic);
  defect_ = context.config.defect;
  set_isr(CommittedIsr{registration.isr}, context);

  if (transition.new_leader_epoch) {
    // Whatever was assigned before lands below what this epoch appends.
    role.epoch_start = log_.next_offset();
    log_.begin_epoch(leader_epoch_, role.epoch_start);
    for (FollowerProgress& one : role.followers) {
      const bool in_sync = contains(registration.isr, one.broker);
      if (!transition.was_leader) one = FollowerProgress{one.broker};
      one.leader_end_at_last_fetch = transition.was_leader ? role.epoch_start : kNoOffset;
      one.last_fetch = transition.was_leader && in_sync ? context.now() : kLongAgo;
      one.last_caught_up = in_sync ? context.now() : kLongAgo;
      one.in_maximal_isr = in_sync;
    }
    node::report(context.out, observe::BecameLeader{tp_, context.self, leader_epoch_, role.epoch_start,
                                                    static_cast<std::int32_t>(effective_min_isr())});
  }
  report_isr_if_changed(epoch_before, context);
  if (transition.new_leader_epoch && defect_ == PlantedDefect::high_watermark_at_election)
    set_high_watermark(log_end_offset(), context);
  transition.high_watermark_advanced = maybe_advance_high_watermark(context);  // the ISR may be down to one
  return transition;
}

std::optional<Partition::Transition> Partition::become_follower(
    const metadata::PartitionRegistration& registration, const metadata::TopicImage& topic,
    const Context& context) {
  if (registration.partition_epoch < partition_epoch_) return std::nullopt;
  const Transition transition{registration.leader_epoch > leader_epoch_, is_leader(), false};
  role_ = FollowerRole{};
  take_assignment(registration, topic);
  defect_ = context.config.defect;
  if (transition.new_leader_epoch) {
    node::report(context.out, observe::BecameFollower{tp_, context.self, leader_epoch_, leader_});
  }
  return transition;
}

ErrorCode Partition::check_leader_epoch(LeaderEpoch current) const {
  if (current == kNoLeaderEpoch || current == leader_epoch_) return ErrorCode::none;
  return current < leader_epoch_ ? ErrorCode::fenced_leader_epoch : ErrorCode::unknown_leader_epoch;
}

ErrorCode Partition::check_access(LeaderEpoch current, bool leader_only) const {
  const ErrorCode error = check_leader_epoch(current);
  if (error == ErrorCode::none && leader_only && !is_leader()) return ErrorCode::not_leader_or_follower;
  return error;
}

// ---- Appending

// Partition.appendRecordsToLeader, UnifiedLog.append, LogValidator: in this order.
Partition::AppendCheck Partition::check_append(const BatchData& batch, std::int16_t acks,
                                               std::int64_t now_ms) const {
  if (!is_leader()) return {ErrorCode::not_leader_or_follower, {}};
  const bool checks_isr = acks == -1 && defect_ != PlantedDefect::min_isr_not_checked;
  if (checks_isr && is_under_min_isr()) return {ErrorCode::not_enough_replicas, {}};
  if (batch.size_bytes > config_.max_message_bytes) return {ErrorCode::message_too_large, {}};
  if (config_.cleanup_compact) {
    for (const Record& record : batch.application_records()) {
      if (record.key_bytes < 0) return {ErrorCode::invalid_record, {}};
    }
  }
  if (!has_valid_timestamps(batch, config_, now_ms)) return {ErrorCode::invalid_timestamp, {}};
  if (batch.size_bytes > config_.segment_bytes) return {ErrorCode::record_list_too_large, {}};
  const ProducerStates::Verdict verdict = producers_.check(batch);
  return {verdict.error, verdict.duplicate_of};
}

Batch Partition::assign(BatchDataPtr data) {
  SIM_CHECK(is_leader(), "only a leader gives offsets");
  Batch batch = log_.assign(std::move(data), leader_epoch_);
  producers_.note(batch);
  return batch;
}

void Partition::assign_as_is(const Batch& batch) {
  log_.assign_as_is(batch);
  producers_.note(batch);
}

observe::Fact Partition::appended(TopicPartition tp, const Batch& batch, bool as_leader, NodeId broker) {
  if (as_leader) return observe::BatchAppended{tp, batch, broker};
  return observe::ReplicaAppended{tp, broker, batch.end_offset(), batch};
}

bool Partition::append(Batch batch, bool as_leader, const Context& context) {
  node::report(context.out, appended(tp_, batch, as_leader, context.self));
  const Offset base_offset = batch.base_offset;
  if (log_.append(std::move(batch))) rolled_segment_ = base_offset;
  return is_leader() && maybe_advance_high_watermark(context);
}

// ---- Reading

ErrorCode Partition::check_divergence(Offset offset, LeaderEpoch last_fetched_epoch,
                                      FetchResponse::EpochEnd& end) const {
  if (last_fetched_epoch == kNoLeaderEpoch) return ErrorCode::none;
  const auto ours = log_.end_offset_for(last_fetched_epoch);
  if (!ours || offset < log_start_offset()) return ErrorCode::offset_out_of_range;
  if (ours->leader_epoch < last_fetched_epoch || ours->end_offset < offset) {
    end = FetchResponse::EpochEnd{ours->leader_epoch, ours->end_offset};
  }
  return ErrorCode::none;
}

Partition::Read Partition::read(const ReadRequest& request) const {
  Read result;
  result.error = check_divergence(request.offset, request.last_fetched_epoch, result.diverging_epoch);
  if (result.error != ErrorCode::none || result.diverges()) return result;
  if (request.offset < log_start_offset() || request.offset > log_end_offset()) {
    result.error = ErrorCode::offset_out_of_range;
    return result;
  }
  const Offset end = readable_end(request.from_follower);
  if (request.offset < end)
    result.batches = log_.read(request.offset, end, request.max_bytes, request.at_least_one);
  return result;
}

ListOffsetsResponse::Partition Partition::list_offset(const ListOffsetsRequest::Partition& request,
                                                      bool from_replica) const {
  ListOffsetsResponse::Partition answer;
  answer.tp = tp_;
  answer.error = check_access(request.current_leader_epoch, true);
  if (answer.error != ErrorCode::none) return answer;
  const Offset fetchable = readable_end(from_replica);
  // A new leader may not yet know how far its predecessor had exposed the log (KAFKA-2729).
  const bool lagging = !from_replica && leading().epoch_start > high_watermark_;
  if (request.timestamp == kEarliestTimestamp) {
    answer.offset = log_start_offset();
    const auto& epochs = log_.epochs();
    if (!epochs.empty() && epochs.front().start_offset <= answer.offset)
      answer.leader_epoch = epochs.front().leader_epoch;
    return answer;
  }
  if (request.timestamp == kLatestTimestamp) {
    if (lagging) {
      answer.error = ErrorCode::offset_not_available;
      return answer;
    }
    answer.offset = fetchable;
    answer.leader_epoch = leader_epoch_;
    return answer;
  }
  const auto found = log_.offset_for_timestamp(request.timestamp);
  if (found && *found < fetchable) {
    answer.offset = std::max(*found, log_start_offset());
    answer.leader_epoch = leader_epoch_;
  } else if (lagging) {
    answer.error = ErrorCode::offset_not_available;
  }
  return answer;
}

// ---- Followers and ISR

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
  const Offset from = std::exchange(high_watermark_, high_watermark);
  node::report(context.out, observe::HighWatermarkAdvanced{tp_, from, high_watermark_, context.self,
                                                           static_cast<std::int32_t>(effective_min_isr())});
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

// ---- As follower

bool Partition::follow_high_watermark(Offset leader_high_watermark) {
  Offset to = std::clamp(leader_high_watermark, log_start_offset(), log_end_offset());
  if (defect_ == PlantedDefect::high_watermark_not_clamped) to = std::max(to, leader_high_watermark);
  return std::exchange(high_watermark_, to) != to;
}

void Partition::raise_log_start(Offset start) {
  if (start <= log_start_offset()) return;
  log_.raise_log_start(start);
  high_watermark_ = std::max(high_watermark_, log_start_offset());
}

// AbstractFetcherThread.getOffsetTruncationState. If we do not know the leader's epoch, what we cut now may
// not be all: the next fetch tells.
Offset Partition::truncation_point(FetchResponse::EpochEnd leader_end) const {
  const auto ours = log_.end_offset_for(leader_end.leader_epoch);
  if (!ours) return std::min(leader_end.end_offset, log_end_offset());
  if (ours->leader_epoch != leader_end.leader_epoch) return std::min(ours->end_offset, log_end_offset());
  return std::min({ours->end_offset, leader_end.end_offset, log_end_offset()});
}

Offset Partition::end_offset_before_search(LeaderEpoch leader_epoch) const {
  const auto& epochs = log_.epochs();
  if (leader_epoch == kNoLeaderEpoch || epochs.empty() || leader_epoch < epochs.front().leader_epoch)
    return kNoOffset;
  const auto end = log_.end_offset_for(leader_epoch);
  return end ? end->end_offset : kNoOffset;
}

bool Partition::truncate_to(Offset end, const Context& context) {
  const Offset from = log_end_offset();
  log_.truncate_to(end);  // even where there is nothing to cut: an epoch noted at the end may be wrong
  if (end >= from) return false;
  producers_.rebuild(log_);
  ++truncations_;
  high_watermark_ = std::min(high_watermark_, log_end_offset());
  node::report(context.out, observe::LogTruncated{tp_, context.self, from, log_end_offset()});
  return true;
}

void Partition::truncate_fully_and_start_at(Offset start, const Context& context) {
  const Offset from = log_end_offset();
  log_.truncate_fully_and_start_at(start);
  producers_.rebuild(log_);
  ++truncations_;
  high_watermark_ = start;
  node::report(context.out, observe::LogTruncated{tp_, context.self, from, start});
}

}  // namespace sim::broker
