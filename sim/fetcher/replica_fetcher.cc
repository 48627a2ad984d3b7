#include "fetcher/replica_fetcher.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/overloaded.h"

namespace sim::fetcher {

namespace {

using node::NetworkClient;

Lane lane_of(std::int32_t index) {
  return static_cast<Lane>(static_cast<std::int32_t>(Lane::replica_fetcher) + index);
}

// A fetcher's back-off, then its network client.
constexpr std::size_t kTimersOfEach = 2;
node::TimerId fetcher_timer(std::size_t place, std::size_t which) {
  return {node::Part::fetchers, static_cast<std::uint16_t>(place * kTimersOfEach + which)};
}

// ReplicaFetcherBlockingSend: one request in flight, no back-off of its own before connecting again.
node::NetworkClientConfig client_config(const BrokerConfig& config) {
  node::NetworkClientConfig result;
  result.request_timeout = from_millis(config.replica_socket_timeout_ms);
  result.reconnect_backoff = result.reconnect_backoff_max = Duration{0};
  result.max_in_flight = 1;
  return result;
}

}  // namespace

ReplicaFetcher::ReplicaFetcher(ProcessId self, NodeId source, ProcessId endpoint, std::int32_t index,
                               const BrokerConfig& config, std::size_t place)
    : source_(source),
      endpoint_(endpoint),
      index_(index),
      backoff_timer_(fetcher_timer(place, 0)),
      client_(self, lane_of(index), client_config(config), fetcher_timer(place, 1)) {}

// ---- Which partitions

ReplicaFetcher::Position* ReplicaFetcher::find(LocalIndex local, TopicPartition tp) {
  if (local == kNotLocal || !std::cmp_less(local, by_local_.size())) return nullptr;
  const std::int32_t index = by_local_[static_cast<std::size_t>(local)];
  if (index < 0) return nullptr;
  Position& position = partitions_[static_cast<std::size_t>(index)];
  return position.tp == tp ? &position : nullptr;
}

void ReplicaFetcher::resume(PartitionTable& table, const Context& context, Work& work) {
  if (stage_ == Stage::resting) proceed(table, context, work);
}

void ReplicaFetcher::add(LocalIndex local, const PartitionTable& table, const History& history) {
  const Partition& partition = table.at(local);
  SIM_CHECK(!partition.has_unwritten(), "a log is followed from its end, so its end must be known");
  if (!std::cmp_less(local, by_local_.size())) by_local_.resize(static_cast<std::size_t>(local) + 1, -1);
  remove(local, partition.tp());
  std::int32_t index = static_cast<std::int32_t>(partitions_.size());
  if (free_.empty()) {
    partitions_.emplace_back();
  } else {
    index = free_.back();
    free_.pop_back();
  }
  Position& position = partitions_[static_cast<std::size_t>(index)];
  const bool touched = position.touched;  // a place may still be noted from who had it before
  position = Position{};
  position.touched = touched;
  position.tp = partition.tp();
  position.local = local;
  position.leader_epoch = partition.leader_epoch();
  position.offset = partition.log_end_offset();
  position.last_fetched_epoch = partition.log().latest_epoch();
  position.used = true;
  by_local_[static_cast<std::size_t>(local)] = index;
  const bool by_epoch =
      history.truncation == Truncation::epoch || history.truncation == Truncation::epoch_search;
  if (by_epoch && position.last_fetched_epoch != kNoLeaderEpoch) {
    position.truncating = true;
    position.offset = partition.high_watermark();
    truncating_.push_back(index);
  } else {
    ++ready_;
  }
  // It was in the session a moment ago: an update, not a departure.
  const auto forgotten = std::find(to_forget_.begin(), to_forget_.end(), position.tp);
  if (forgotten != to_forget_.end()) {
    to_forget_.erase(forgotten);
    position.in_session = true;
    position.sent_offset = kNoOffset;
  }
  touch(position);
}

void ReplicaFetcher::remove(LocalIndex local, TopicPartition tp) {
  Position* position = find(local, tp);
  if (position == nullptr) return;
  if (position->in_session) to_forget_.push_back(tp);
  if (is_ready(*position)) --ready_;
  position->used = false;
  const std::int32_t index = std::exchange(by_local_[static_cast<std::size_t>(local)], -1);
  std::erase(delayed_, index);
  std::erase(truncating_, index);
  free_.push_back(index);
}

void ReplicaFetcher::touch(Position& position) {
  if (std::exchange(position.touched, true)) return;
  touched_.push_back(static_cast<std::int32_t>(&position - partitions_.data()));
}

void ReplicaFetcher::delay(Position& position, const Context& context) {
  if (!position.used || position.delayed) return;
  if (is_ready(position)) --ready_;
  position.delayed = true;
  position.delayed_until = context.now() + from_millis(context.config.replica_fetch_backoff_ms);
  delayed_.push_back(static_cast<std::int32_t>(&position - partitions_.data()));
  touch(position);
}

void ReplicaFetcher::delay_all(const Context& context) {
  for (Position& position : partitions_) delay(position, context);
}

void ReplicaFetcher::close_if_idle(const Context& context) {
  if (!is_empty() || stage_ == Stage::writing) return;
  NetworkClient::Events nobody_cares;
  client_.close(endpoint_, context.env, context.out, nobody_cares);
  stage_ = Stage::resting;
  reset_session(0);
  out_of_range_.clear();
  asked_epochs_.clear();
}

// ---- The loop

bool ReplicaFetcher::is_meant(const node::Input& input) const {
  const auto is_ours = [this](const Channel& channel) {
    return channel.server == endpoint_ && channel.lane == lane_of(index_);
  };
  if (const auto* fired = std::get_if<node::TimerFired>(&input))
    return fired->timer.number / kTimersOfEach == backoff_timer_.number / kTimersOfEach;
  if (const auto* received = std::get_if<node::Received>(&input)) return is_ours(received->envelope.channel);
  if (const auto* connected = std::get_if<node::Connected>(&input)) return is_ours(connected->channel);
  return is_ours(std::get<node::Disconnected>(input).channel);
}

void ReplicaFetcher::step(node::Input& input, PartitionTable& table, const Context& context, Work& work) {
  if (const auto* fired = std::get_if<node::TimerFired>(&input);
      fired != nullptr && fired->timer == backoff_timer_) {
    return resume(table, context, work);
  }
  NetworkClient::Events events = std::move(events_);  // its memory is used again
  client_.step(input, context.env, context.out, events);
  bool request_lost = false;
  for (NetworkClient::Event& event : events) {
    request_lost |= std::holds_alternative<NetworkClient::Failure>(event);
    // The loss of a request has told all; only a connection that never was is news of its own.
    if (!(request_lost && std::holds_alternative<NetworkClient::Unavailable>(event)))
      handle(event, table, context, work);
  }
  events.clear();
  events_ = std::move(events);
}

void ReplicaFetcher::handle(NetworkClient::Event& event, PartitionTable& table, const Context& context,
                            Work& work) {
  std::visit(Overloaded{
                 [&](NetworkClient::Response& response) {
                   if (auto* fetched = std::get_if<FetchResponse>(&response.message)) {
                     on_fetched(*fetched, table, context, work);
                   } else if (auto* ends = std::get_if<OffsetForLeaderEpochResponse>(&response.message)) {
                     on_epoch_ends(*ends, table, context, work);
                   } else {
                     on_offset(std::get<ListOffsetsResponse>(response.message), table, context, work);
                   }
                 },
                 [&](NetworkClient::Failure&) {
                   if (stage_ == Stage::fetching) {
                     reset_session(session_id_);
                     delay_all(context);
                   }
                   for (const OutOfRange& one : std::exchange(out_of_range_, {})) {
                     if (Position* position = find(one.local, one.tp)) delay(*position, context);
                   }
                   for (const AskedEpoch& one : std::exchange(asked_epochs_, {})) {
                     if (Position* position = find(one.local, one.tp)) delay(*position, context);
                   }
                   proceed(table, context, work);
                 },
                 [&](NetworkClient::Ready&) {
                   if (stage_ == Stage::connecting) proceed(table, context, work);
                 },
                 [&](NetworkClient::Unavailable&) {
                   if (stage_ != Stage::connecting) return;
                   reset_session(session_id_);
                   out_of_range_.clear();
                   delay_all(context);
                   rest(context);
                 },
                 [](NetworkClient::MayRetry&) {},
             },
             event);
}

void ReplicaFetcher::proceed(PartitionTable& table, const Context& context, Work& work) {
  if (!work.writes.empty()) {
    stage_ = Stage::writing;
    return;
  }
  end_delays(context);
  if (throttled_) hold_back(table, context);
  const bool truncates = !truncating_.empty() && may_truncate();
  if (out_of_range_.empty() && !truncates && !has_something_to_send()) return rest(context);
  stage_ = Stage::connecting;
  if (!client_.ready(endpoint_, context.env, context.out)) return;
  if (!out_of_range_.empty()) return ask(context);
  if (truncates) return ask_epoch_ends(context);
  FetchRequest request = build(table, context);
  if (request.session_epoch > 0 && ready_ == 0 && request.forgotten.empty()) return rest(context);
  client_.send(endpoint_, std::move(request), context.env, context.out);
  stage_ = Stage::fetching;
}

void ReplicaFetcher::written(PartitionTable& table, const Context& context, Work& work) {
  SIM_CHECK(stage_ == Stage::writing, "a fetcher waits for what it has asked to be written");
  apply_learned(table, work);
  proceed(table, context, work);
}

void ReplicaFetcher::rest(const Context& context) {
  stage_ = Stage::resting;
  if (is_empty()) return close_if_idle(context);
  if (delayed_.empty()) return;
  LocalTime first = LocalTime::max();
  for (const std::int32_t index : delayed_)
    first = std::min(first, partitions_[static_cast<std::size_t>(index)].delayed_until);
  context.out.emplace_back(node::SetTimer{backoff_timer_, first});
}

void ReplicaFetcher::end_delays(const Context& context) {
  std::erase_if(delayed_, [&](std::int32_t index) {
    Position& position = partitions_[static_cast<std::size_t>(index)];
    if (position.delayed_until > context.now()) return false;
    position.delayed = false;
    if (is_ready(position)) ++ready_;
    touch(position);
    return true;
  });
}

// RemoteLeaderEndPoint.shouldFollowerThrottle. Kafka looks again with each fetch, or after
// replica.fetch.backoff.ms if there is nothing else to fetch; here always after that.
void ReplicaFetcher::hold_back(const PartitionTable& table, const Context& context) {
  for (Position& position : partitions_) {
    if (!position.used || !is_ready(position)) continue;
    const bool in_sync =
        position.leader_high_watermark != kNoOffset && position.offset >= position.leader_high_watermark;
    const ThrottledReplicas& replicas = table.at(position.local).config().follower_throttled;
    if (!in_sync && replicas.contains(position.tp.partition, context.self.value())) delay(position, context);
  }
}

// ---- Answers (AbstractFetcherThread.processFetchRequest)

void ReplicaFetcher::on_fetched(FetchResponse& response, PartitionTable& table, const Context& context,
                                Work& work) {
  SIM_CHECK(stage_ == Stage::fetching, "one request is in flight");
  if (!accept_session(response)) return proceed(table, context, work);
  std::vector<FetchResponse::Partition*> diverging;
  std::size_t batches = 0;
  for (const FetchResponse::Partition& answer : response.partitions) batches += answer.batches.size();
  work.writes.reserve(work.writes.size() + batches);
  work.batches.reserve(work.batches.size() + batches);
  for (FetchResponse::Partition& answer : response.partitions) {
    const LocalIndex local = table.find(answer.tp);
    Position* position = find(local, answer.tp);
    // It may have left, or come anew, while the fetch was under way.
    if (position == nullptr || !position->in_session || !is_ready(*position) ||
        position->sent_offset != position->offset)
      continue;
    if (answer.error != ErrorCode::none) {
      on_error(answer, *position, context);
    } else if (answer.diverging_epoch.end_offset != kNoOffset) {
      diverging.push_back(&answer);
    } else {
      take(answer, *position, table.at(local), context, work);
    }
  }
  for (FetchResponse::Partition* answer : diverging) {
    const LocalIndex local = table.find(answer->tp);
    Partition& partition = table.at(local);
    truncate(partition.truncation_point(answer->diverging_epoch), *find(local, answer->tp), partition,
             context, work);
  }
  if (session_epoch_ == 0) reset_session(0);
  if (work.writes.empty()) apply_learned(table, work);
  proceed(table, context, work);
}

void ReplicaFetcher::take(FetchResponse::Partition& answer, Position& position, Partition& partition,
                          const Context&, Work& work) {
  SIM_CHECK(position.offset == partition.log_end_offset() && !partition.has_unwritten(),
            "what is fetched continues the log");
  // A leader gives whole batches. Where logs differ unnoticed, ours may end within one
  // (UnexpectedAppendOffsetException).
  if (!answer.batches.empty() && answer.batches.front().base_offset < position.offset)
    return remove(position.local, position.tp);  // failed, until the metadata names a newer epoch
  learned_.push_back(Learned{position.local, position.tp, answer.high_watermark, answer.log_start_offset});
  position.leader_high_watermark = answer.high_watermark;
  if (answer.batches.empty()) return;
  for (Batch& batch : answer.batches) {
    partition.assign_as_is(batch);
    position.offset = batch.end_offset();
    position.last_fetched_epoch = batch.leader_epoch;
    work.writes.emplace_back(log::AppendBatch{position.tp, batch});
    work.batches.push_back(
        PlacedBatch{position.local, position.tp, partition.truncations(), false, std::move(batch)});
  }
  touch(position);
}

void ReplicaFetcher::truncate(Offset end, Position& position, Partition& partition, const Context& context,
                              Work& work) {
  const std::size_t epochs = partition.log().epochs().size();
  const bool cut = partition.truncate_to(end, context);
  if (cut) work.truncated.push_back(position.local);
  if (cut || partition.log().epochs().size() != epochs)
    work.writes.emplace_back(log::TruncateLog{position.tp, end});
  position.offset = end;
  position.last_fetched_epoch = partition.log().latest_epoch();
  touch(position);
}

void ReplicaFetcher::on_error(const FetchResponse::Partition& answer, Position& position,
                              const Context& context) {
  if (answer.error == ErrorCode::offset_out_of_range) {
    out_of_range_.push_back(OutOfRange{position.local, position.tp, position.leader_epoch, kNoOffset});
  } else if (answer.error == ErrorCode::fenced_leader_epoch &&
             position.sent_leader_epoch == position.leader_epoch) {
    remove(position.local, position.tp);  // failed, until the metadata names a newer epoch
  } else {
    delay(position, context);
  }
}

void ReplicaFetcher::apply_learned(PartitionTable& table, Work& work) {
  for (const Learned& one : std::exchange(learned_, {})) {
    Partition* partition = table.get(one.local, one.tp);
    if (partition == nullptr || partition->is_leader() || find(one.local, one.tp) == nullptr) continue;
    const bool changed = partition->follow_high_watermark(one.high_watermark);
    const Offset start = partition->log_start_offset();
    partition->raise_log_start(std::min(one.log_start, partition->log_end_offset()));
    if (partition->log_start_offset() != start) {
      touch(*find(one.local, one.tp));
      work.raised.push_back({one.local, start});
    }
    if (changed) work.high_watermark_changed.push_back(one.local);
  }
}

// ---- OFFSET_OUT_OF_RANGE (AbstractFetcherThread.fetchOffsetAndTruncate)

void ReplicaFetcher::ask(const Context& context) {
  const OutOfRange& one = out_of_range_.front();
  ListOffsetsRequest request;
  request.replica = context.self;
  const std::int64_t what = one.leader_end == kNoOffset ? kLatestTimestamp : kEarliestTimestamp;
  const LeaderEpoch told = told_leader_epoch(one.leader_epoch, context.config.history);
  request.partitions.push_back(ListOffsetsRequest::Partition{one.tp, told, what});
  client_.send(endpoint_, std::move(request), context.env, context.out);
  stage_ = Stage::asking;
}

void ReplicaFetcher::on_offset(const ListOffsetsResponse& response, PartitionTable& table,
                               const Context& context, Work& work) {
  SIM_CHECK(stage_ == Stage::asking && response.partitions.size() == 1, "one question has one answer");
  OutOfRange one = out_of_range_.front();
  const ListOffsetsResponse::Partition& answer = response.partitions.front();
  Position* position = find(one.local, one.tp);
  Partition* partition = table.get(one.local, one.tp);
  const bool gone = position == nullptr || partition == nullptr || position->leader_epoch != one.leader_epoch;
  if (!gone && answer.error == ErrorCode::none && one.leader_end == kNoOffset &&
      answer.offset >= partition->log_end_offset()) {
    out_of_range_.front().leader_end = answer.offset;  // it is not our end that is wrong: ask for its start
    return proceed(table, context, work);
  }
  out_of_range_.erase(out_of_range_.begin());
  if (gone) return proceed(table, context, work);
  if (answer.error != ErrorCode::none) {
    if (answer.error == ErrorCode::fenced_leader_epoch)
      remove(one.local, one.tp);
    else
      delay(*position, context);
  } else if (one.leader_end == kNoOffset) {
    truncate(answer.offset, *position, *partition, context, work);
  } else if (answer.offset > partition->log_end_offset()) {
    partition->truncate_fully_and_start_at(answer.offset, context);
    work.writes.emplace_back(log::ResetLog{one.tp, answer.offset});
    work.truncated.push_back(one.local);
    position->offset = answer.offset;
    position->last_fetched_epoch = kNoLeaderEpoch;
    touch(*position);
  } else {
    position->offset = partition->log_end_offset();
    touch(*position);
  }
  proceed(table, context, work);
}

}  // namespace sim::fetcher
