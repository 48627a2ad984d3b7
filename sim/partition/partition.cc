#include "partition/partition.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/check.h"
#include "base/contains.h"
#include "server/coordinators.h"

namespace sim::partition {

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

}  // namespace

Partition::Partition(TopicPartition tp, const log::LogImage& image) : tp_(tp), log_(image) {
  high_watermark_ = std::clamp(image.high_watermark, log_.log_start_offset(), log_.log_end_offset());
  producers_.rebuild(log_, high_watermark_);
}

// ---- Roles

void Partition::take_assignment(const metadata::PartitionRegistration& registration,
                                const metadata::TopicImage& topic, const Context& context) {
  leader_ = registration.leader;
  leader_epoch_ = registration.leader_epoch;
  partition_epoch_ = registration.partition_epoch;
  replicas_ = registration.replicas.size();
  set_config(topic.config);
  internal_ = server::is_internal_topic(topic.name);
  defect_ = context.config.defect;
  append_rules_.verifies_transactions = context.config.transaction_partition_verification_enable &&
                                        context.config.history.transaction_verification &&
                                        defect_ != PlantedDefect::verification_skipped;
  append_rules_.checks_marker_version = context.config.history.transaction_marker_version;
  append_rules_.refuses_late_markers = defect_ != PlantedDefect::late_marker_accepted;
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
    const FollowerProgress* so_far = follower(replica);
    followers.push_back(so_far != nullptr ? *so_far : FollowerProgress{replica});
  }
  role.followers = std::move(followers);
  take_assignment(registration, topic, context);
  // Metadata that says what is known already, of this very partition epoch, makes Kafka forget a change of
  // the ISR that it has asked for since (Partition.updateAssignmentAndIsr): the answer will be ignored, and
  // until the next metadata the high watermark does not wait for who is joining.
  const bool forgets_proposal = !transition.new_leader_epoch && transition.was_leader &&
                                partition_epoch_ == epoch_before &&
                                !std::holds_alternative<CommittedIsr>(role.isr);
  set_isr(CommittedIsr{registration.isr}, context);
  if (forgets_proposal) node::report(context.out, observe::IsrProposalDropped{tp_, context.self});

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
  take_assignment(registration, topic, context);
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
Partition::AppendCheck Partition::check_append(const BatchData& batch, std::int16_t acks, std::int64_t now_ms,
                                               const ProducerStates::Append& append) const {
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
  const ProducerStates::Verdict verdict = producers_.check(batch, append, append_rules_);
  return {verdict.error, verdict.duplicate_of};
}

ProducerStates::Verification Partition::start_verification(ProducerId producer, ProducerEpoch epoch,
                                                           std::int32_t sequence, bool adds_partition,
                                                           std::int64_t now_ms) {
  if (!is_leader()) return {ErrorCode::not_leader_or_follower, kNoGuard};
  return producers_.start_verification(producer, epoch, sequence, adds_partition, now_ms);
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
  const Offset end = readable_end(request.from_follower, request.read_committed);
  if (request.offset < end)
    result.batches = log_.read(request.offset, end, request.max_bytes, request.at_least_one);
  if (request.read_committed && !result.batches.empty() &&
      defect_ != PlantedDefect::aborted_transactions_omitted) {
    result.aborted_transactions =
        producers_.aborted_between(request.offset, result.batches.back().end_offset());
  }
  return result;
}

ListOffsetsResponse::Partition Partition::list_offset(const ListOffsetsRequest::Partition& request,
                                                      bool from_replica, bool read_committed) const {
  ListOffsetsResponse::Partition answer;
  answer.tp = tp_;
  answer.error = check_access(request.current_leader_epoch, true);
  if (answer.error != ErrorCode::none) return answer;
  const Offset fetchable = readable_end(from_replica, read_committed);
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

// ---- As follower

bool Partition::follow_high_watermark(Offset leader_high_watermark) {
  Offset to = std::clamp(leader_high_watermark, log_start_offset(), log_end_offset());
  if (defect_ == PlantedDefect::high_watermark_not_clamped) to = std::max(to, leader_high_watermark);
  if (std::exchange(high_watermark_, to) == to) return false;
  producers_.high_watermark_advanced(to);
  return true;
}

void Partition::raise_log_start(Offset start) {
  if (start <= log_start_offset()) return;
  log_.raise_log_start(start);
  producers_.log_start_raised(start);
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
  ++truncations_;
  high_watermark_ = std::min(high_watermark_, log_end_offset());
  producers_.rebuild(log_, high_watermark_);
  node::report(context.out, observe::LogTruncated{tp_, context.self, from, log_end_offset()});
  return true;
}

void Partition::truncate_fully_and_start_at(Offset start, const Context& context) {
  const Offset from = log_end_offset();
  log_.truncate_fully_and_start_at(start);
  ++truncations_;
  high_watermark_ = start;
  producers_.rebuild(log_, high_watermark_);
  node::report(context.out, observe::LogTruncated{tp_, context.self, from, start});
}

}  // namespace sim::partition
