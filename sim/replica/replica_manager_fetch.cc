#include <algorithm>
#include <utility>

#include "base/check.h"
#include "partition/replica_selector.h"
#include "replica/replica_manager.h"

// Fetching, by consumers and followers: read now, or wait for enough (DelayedFetch).
namespace sim::replica {

void ReplicaManager::on(const FetchRequest& request, const Envelope& from, const Context& context) {
  ReplyTo to{from.channel, from.correlation};
  if (client_quotas_.is_enabled()) to.thread_nanos = from.thread_nanos;
  const auto refuse = [&](const ReplyTo& whom, ErrorCode error) {
    FetchResponse response;
    response.error = error;
    context.out.emplace_back(
        node::Send{Envelope{whom.channel, whom.correlation, true, std::move(response)}, {}});
  };
  const FetchSessions::Opened opened = sessions_.open(request, table_, context);
  if (opened.error != ErrorCode::none) return refuse(to, opened.error);
  const FetchSessions::Slot slot = opened.slot;
  if (sessions_.at(slot).waiting) {  // its client has given that one up
    deadlines_.remove(deadline_of_fetch(slot));
    refuse(sessions_.at(slot).waiting->reply_to, ErrorCode::invalid_fetch_session_epoch);
    sessions_.at(slot).waiting.reset();
  }
  sessions_.at(slot).read_committed = request.read_committed;
  if (context.config.rack_aware_replica_selector) sessions_.at(slot).rack = request.rack;
  std::int32_t max_bytes = std::min(request.max_bytes, context.config.fetch_max_bytes);
  if (client_quotas_.is_enabled() && request.replica == kNoNode) {
    const std::int64_t most = client_quotas_.most_fetched_in_window(from.channel.client);
    max_bytes = static_cast<std::int32_t>(std::min<std::int64_t>(max_bytes, most));
  }
  const std::int32_t min_bytes = std::min(request.min_bytes, max_bytes);
  Draft now = draft(slot, max_bytes, &request, context);
  if (request.max_wait_ms <= 0 || sessions_.at(slot).size == 0 || now.bytes >= min_bytes || now.urgent) {
    return send(slot, std::move(now), to, context);
  }
  wait(slot, WaitingFetch{to, min_bytes, max_bytes, 0}, from_millis(request.max_wait_ms), context);
}

// `request` is the fetch that is being handled, which tells a follower's progress; null when it is read once
// more for its answer.
ReplicaManager::Draft ReplicaManager::draft(FetchSessions::Slot slot, std::int64_t max_bytes,
                                            const FetchRequest* request, const Context& context) {
  FetchSession& session = sessions_.at(slot);
  Draft result;
  result.response.session_id = session.cached ? session.id : 0;
  std::erase_if(session.to_look_at, [&session](std::int32_t index) {
    if (!session.at(index).used) session.at(index).listed = false;
    return !session.at(index).used;
  });
  std::sort(session.to_look_at.begin(), session.to_look_at.end(),
            [&session](std::int32_t a, std::int32_t b) { return session.at(a).order < session.at(b).order; });
  bool at_least_one = true;
  // By index: reading may list further partitions, whose turn is the next answer.
  const std::size_t count = session.to_look_at.size();
  for (std::size_t i = 0; i < count; ++i) {
    const std::int32_t index = session.to_look_at[i];
    sessions_.look_up(slot, index, table_);
    FetchedPartition& wanted = session.at(index);
    const std::int64_t limit = std::min<std::int64_t>(wanted.max_bytes, max_bytes);
    FetchResponse::Partition answer = read(session, wanted, limit, at_least_one, request, context);
    std::int64_t bytes = 0;
    for (const Batch& batch : answer.batches) bytes += batch.size_bytes();
    if (bytes > 0) at_least_one = false;
    max_bytes = std::max<std::int64_t>(0, max_bytes - bytes);
    result.bytes += bytes;
    wanted.waiting_bytes = bytes;
    wanted.troubled = answer.error != ErrorCode::none || answer.diverging_epoch.end_offset != kNoOffset;
    const bool leads_elsewhere = answer.preferred_read_replica != kNoNode;
    result.urgent |= wanted.troubled || leads_elsewhere;
    const bool news = bytes > 0 || wanted.troubled || leads_elsewhere ||
                      answer.high_watermark != wanted.high_watermark ||
                      answer.log_start_offset != wanted.log_start;
    if (!news && !session.full) continue;
    if (result.sources.empty()) {
      result.response.partitions.reserve(session.to_look_at.size());
      result.sources.reserve(session.to_look_at.size());
    }
    result.response.partitions.push_back(std::move(answer));
    result.sources.push_back(index);
  }
  return result;
}

FetchResponse::Partition ReplicaManager::read(const FetchSession& session, const FetchedPartition& wanted,
                                              std::int64_t max_bytes, bool at_least_one,
                                              const FetchRequest* request, const Context& context) {
  FetchResponse::Partition answer;
  answer.tp = wanted.tp;
  const auto refuse = [&](ErrorCode error) {
    FetchResponse::Partition refusal;
    refusal.tp = wanted.tp;
    refusal.error = error;
    if (error == ErrorCode::not_leader_or_follower || error == ErrorCode::fenced_leader_epoch) {
      refusal.current_leader = leader_hint(wanted.tp, context);
    }
    return refusal;
  };
  if (wanted.local == kNotLocal) {
    const bool unknown = context.image.topic(wanted.tp.topic) == nullptr;
    return refuse(unknown ? ErrorCode::unknown_topic_id : missing(wanted.tp, context));
  }
  Partition& partition = table_.at(wanted.local);
  const bool from_follower = session.from_follower();
  if (const ErrorCode error = partition.check_access(wanted.current_leader_epoch, from_follower);
      error != ErrorCode::none) {
    return refuse(error);
  }
  if (from_follower && partition.follower(session.replica) == nullptr) {
    return refuse(ErrorCode::unknown_leader_epoch);  // not assigned, as far as we know
  }
  // A follower is told the high watermark from before its own fetch moved it.
  answer.high_watermark = partition.high_watermark();
  answer.last_stable_offset = partition.last_stable_offset();
  answer.log_start_offset = partition.log_start_offset();
  if (!session.rack.empty() && !from_follower && partition.is_leader()) {
    answer.preferred_read_replica =
        preferred_read_replica(partition, wanted.fetch_offset, session.rack, context);
    if (answer.preferred_read_replica != kNoNode) return answer;
  }
  Partition::Read data = partition.read({wanted.fetch_offset, wanted.last_fetched_epoch, from_follower,
                                         max_bytes, at_least_one, session.read_committed});
  if (data.error != ErrorCode::none) return refuse(data.error);
  answer.diverging_epoch = data.diverging_epoch;
  answer.batches = std::move(data.batches);
  answer.aborted_transactions = std::move(data.aborted_transactions);
  if (from_follower && holds_back(partition, session.replica, context)) answer.batches.clear();
  if (!from_follower || request == nullptr || data.diverges()) return answer;

  const Partition::FollowerFetch progress = partition.follower_fetched(
      session.replica, request->replica_epoch, wanted.fetch_offset, wanted.follower_log_start, context);
  if (progress.error != ErrorCode::none) return refuse(progress.error);
  if (progress.isr_change) submit(*progress.isr_change, context);
  if (progress.high_watermark_advanced) high_watermark_changed(wanted.local, context);
  return answer;
}

void ReplicaManager::send(FetchSessions::Slot slot, Draft draft, const ReplyTo& to, const Context& context) {
  if (client_quotas_.is_enabled() && !sessions_.at(slot).from_follower()) {
    const std::int32_t throttle_ms =
        client_quotas_.fetched(to.channel.client, wire_size(draft.response), to.thread_nanos, context);
    if (throttle_ms > 0) return send_throttled(slot, to, throttle_ms, context);
  }
  if (sessions_.at(slot).from_follower()) count_throttled(draft.response, context);
  settle(slot, draft);
  context.out.emplace_back(std::in_place_type<node::Send>, to.channel, to.correlation, true,
                           std::move(draft.response));
  sessions_.answered(slot, table_);
}

// FetchContext.getThrottledResponse: nothing is told, and what would have been waits for the next fetch. A
// session that was to begin with this answer does not.
void ReplicaManager::send_throttled(FetchSessions::Slot slot, const ReplyTo& to, std::int32_t throttle_ms,
                                    const Context& context) {
  FetchResponse response;
  response.throttle_ms = throttle_ms;
  const FetchSession& session = sessions_.at(slot);
  if (session.cached && !session.full) response.session_id = session.id;
  context.out.emplace_back(
      node::Send{Envelope{to.channel, to.correlation, true, std::move(response), throttle_ms}, {}});
  sessions_.answered_in_vain(slot, table_);
}

// ReplicaManager.shouldLeaderThrottle: never a replica that is in sync.
bool ReplicaManager::holds_back(const Partition& partition, NodeId replica, const Context& context) {
  if (!leader_quota_.is_throttled(partition.tp(), partition.config(), context)) return false;
  const std::vector<NodeId>& isr = partition.isr();
  return std::find(isr.begin(), isr.end(), replica) == isr.end() && leader_quota_.is_exceeded(context);
}

void ReplicaManager::count_throttled(const FetchResponse& response, const Context& context) {
  if (context.config.leader_replication_throttled_rate == server::ClientQuota::kNoLimit) return;
  for (const FetchResponse::Partition& one : response.partitions) {
    const LocalIndex local = table_.find(one.tp);
    if (local == kNotLocal || !leader_quota_.is_throttled(one.tp, table_.at(local).config(), context))
      continue;
    std::int64_t bytes = 0;
    for (const Batch& batch : one.batches) bytes += batch.size_bytes();
    leader_quota_.record(bytes, context);
  }
}

// The session remembers what it is being told, and keeps in sight what may have more to tell without moving.
void ReplicaManager::settle(FetchSessions::Slot slot, const Draft& draft) {
  FetchSession& session = sessions_.at(slot);
  for (std::size_t i = 0; i < draft.sources.size(); ++i) {
    FetchedPartition& told = session.at(draft.sources[i]);
    const FetchResponse::Partition& answer = draft.response.partitions[i];
    told.high_watermark = answer.high_watermark;  // -1 with an error: told again once that is over
    if (answer.error == ErrorCode::none) told.log_start = answer.log_start_offset;
    if (!answer.batches.empty()) told.order = session.next_order++;  // others first next time
  }
  std::erase_if(session.to_look_at, [&](std::int32_t index) {
    FetchedPartition& one = session.at(index);
    bool keep = one.used && (one.troubled || one.local == kNotLocal);
    if (one.used && !keep) {
      const Partition& partition = table_.at(one.local);
      keep = one.fetch_offset < partition.readable_end(session.from_follower(), session.read_committed) ||
             partition.high_watermark() != one.high_watermark ||
             partition.log_start_offset() != one.log_start ||
             (session.from_follower() && partition.awaits_join(session.replica));
    }
    one.listed = keep;
    return !keep;
  });
}

void ReplicaManager::wait(FetchSessions::Slot slot, WaitingFetch waiting, Duration max_wait,
                          const Context& context) {
  FetchSession& session = sessions_.at(slot);
  for (const std::int32_t index : session.to_look_at) waiting.bytes += session.at(index).waiting_bytes;
  session.waiting = waiting;
  deadlines_.add(deadline_of_fetch(slot), context.now() + max_wait, context.out);
}

void ReplicaManager::complete(FetchSessions::Slot slot, const Context& context) {
  FetchSession& session = sessions_.at(slot);
  const WaitingFetch waiting = *std::exchange(session.waiting, std::nullopt);
  deadlines_.remove(deadline_of_fetch(slot));
  send(slot, draft(slot, waiting.max_bytes, nullptr, context), waiting.reply_to, context);
}

// DelayedFetch.tryComplete, for the one partition that has moved: the bytes of the others are counted
// already.
bool ReplicaManager::consider(FetchSession& session, FetchedPartition& wanted, const Context& context) {
  if (wanted.local == kNotLocal) return true;
  const Partition& partition = table_.at(wanted.local);
  if (partition.check_access(wanted.current_leader_epoch, session.from_follower()) != ErrorCode::none)
    return true;
  const Offset end = partition.readable_end(session.from_follower(), session.read_committed);
  if (wanted.fetch_offset > end) return true;  // the log was cut
  FetchResponse::EpochEnd diverging;
  if (partition.check_divergence(wanted.fetch_offset, wanted.last_fetched_epoch, diverging) !=
      ErrorCode::none)
    return true;
  if (diverging.end_offset != kNoOffset) return true;
  std::int64_t bytes = partition.log().bytes_between(wanted.fetch_offset, end, wanted.max_bytes);
  bytes = std::min<std::int64_t>(bytes, wanted.max_bytes);
  if (session.from_follower() && holds_back(partition, session.replica, context)) bytes = 0;
  session.waiting->bytes += bytes - std::exchange(wanted.waiting_bytes, bytes);
  return session.waiting->bytes >= session.waiting->min_bytes;
}

// Before the end of a log moves: followers that fetched up to it, and had nothing to say since, were in sync
// until their last fetch.
void ReplicaManager::log_end_will_advance(LocalIndex local) {
  Partition& partition = table_.at(local);
  for (const FetchWatcher& watcher : sessions_.watchers(local)) {
    FetchSession& session = sessions_.at(watcher.session);
    if (!session.from_follower()) continue;
    if (!session.at(watcher.partition).listed)
      partition.follower_fetched_nothing_new(session.replica, session.last_used);
    sessions_.list(watcher.session, watcher.partition);
    if (session.waiting) woken_.push_back(watcher);
  }
}

void ReplicaManager::wake_all(LocalIndex local) {
  for (const FetchWatcher& watcher : sessions_.watchers(local)) {
    sessions_.list(watcher.session, watcher.partition);
    if (sessions_.at(watcher.session).waiting) woken_.push_back(watcher);
  }
}

}  // namespace sim::replica
