#include <limits>
#include <utility>

#include "fetcher/replica_fetcher.h"

// What a fetcher says in its requests, and leaves out because its session knows it (FetchSessionHandler).
namespace sim::fetcher {

namespace {

// Of the epoch a log ends with: as far as the time of `history` knew of it.
LeaderEpoch told_last_epoch(LeaderEpoch last_fetched_epoch, const History& history) {
  return history.truncation == Truncation::fetch ? last_fetched_epoch : kNoLeaderEpoch;
}

}  // namespace

LeaderEpoch ReplicaFetcher::told_leader_epoch(LeaderEpoch leader_epoch, const History& history) {
  return history.fetch_leader_epoch ? leader_epoch : kNoLeaderEpoch;
}

bool ReplicaFetcher::has_something_to_send() const {
  if (ready_ > 0) return true;
  return session_epoch_ > 0 && (!to_forget_.empty() || !touched_.empty());
}

FetchRequest::Partition ReplicaFetcher::describe(Position& position, const PartitionTable& table,
                                                 const History& history) {
  position.in_session = true;
  position.sent_offset = position.offset;
  position.sent_log_start = table.at(position.local).log_start_offset();
  position.sent_leader_epoch = told_leader_epoch(position.leader_epoch, history);
  position.sent_last_epoch = told_last_epoch(position.last_fetched_epoch, history);
  FetchRequest::Partition result;
  result.tp = position.tp;
  result.current_leader_epoch = position.sent_leader_epoch;
  result.fetch_offset = position.sent_offset;
  result.last_fetched_epoch = position.sent_last_epoch;
  result.log_start_offset = position.sent_log_start;
  return result;
}

FetchRequest ReplicaFetcher::build(PartitionTable& table, const Context& context) {
  FetchRequest request;
  request.replica = context.self;
  const History& history = context.config.history;
  request.replica_epoch = history.isr_broker_epoch ? context.broker_epoch : kNoBrokerEpoch;
  request.max_wait_ms = context.config.replica_fetch_wait_max_ms;
  request.min_bytes = context.config.replica_fetch_min_bytes;
  request.max_bytes = context.config.replica_fetch_response_max_bytes;
  request.session_id = session_id_;
  request.session_epoch = session_epoch_;
  request_was_full_ = session_epoch_ == 0;
  if (request_was_full_) {
    to_forget_.clear();
    for (Position& position : partitions_) {
      if (position.used && is_ready(position))
        request.partitions.push_back(describe(position, table, history));
    }
  } else {
    for (const std::int32_t index : touched_) {
      Position& position = partitions_[static_cast<std::size_t>(index)];
      if (!position.used) continue;
      if (!is_ready(position)) {
        if (std::exchange(position.in_session, false)) request.forgotten.push_back(position.tp);
        continue;
      }
      const bool same = position.in_session && position.sent_offset == position.offset &&
                        position.sent_log_start == table.at(position.local).log_start_offset() &&
                        position.sent_leader_epoch == told_leader_epoch(position.leader_epoch, history) &&
                        position.sent_last_epoch == told_last_epoch(position.last_fetched_epoch, history);
      if (!same) request.partitions.push_back(describe(position, table, history));
    }
    request.forgotten.insert(request.forgotten.end(), to_forget_.begin(), to_forget_.end());
    to_forget_.clear();
  }
  for (FetchRequest::Partition& partition : request.partitions)
    partition.max_bytes = context.config.replica_fetch_max_bytes;
  if (context.config.defect == server::PlantedDefect::divergence_not_checked) {
    for (FetchRequest::Partition& partition : request.partitions)
      partition.last_fetched_epoch = kNoLeaderEpoch;
  }
  for (const std::int32_t index : touched_) partitions_[static_cast<std::size_t>(index)].touched = false;
  touched_.clear();
  return request;
}

// The next request is a full one, which closes session `id`.
void ReplicaFetcher::reset_session(std::int32_t id) {
  session_id_ = id;
  session_epoch_ = 0;
  to_forget_.clear();
  for (Position& position : partitions_) position.in_session = false;
}

// FetchSessionHandler.handleResponse: false if the answer says only that the session is over.
bool ReplicaFetcher::accept_session(const FetchResponse& response) {
  if (response.error != ErrorCode::none) {
    reset_session(response.error == ErrorCode::fetch_session_id_not_found ? 0 : session_id_);
    return false;
  }
  if (response.session_id == 0) {  // in_session is kept until the answer was read
    session_id_ = 0;
    session_epoch_ = 0;
  } else if (request_was_full_) {
    session_id_ = response.session_id;
    session_epoch_ = 1;
  } else {
    session_epoch_ = session_epoch_ == std::numeric_limits<std::int32_t>::max() ? 1 : session_epoch_ + 1;
  }
  return true;
}

}  // namespace sim::fetcher
