// What others ask of a replica (KafkaRaftClient.handle*Request).
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/overloaded.h"
#include "raft/replica.h"

namespace sim::raft {

QuorumLeader Replica::current() const {
  return QuorumLeader{epoch(), state_.leader, leader_endpoint_};
}

void Replica::reply(const Channel& channel, CorrelationId correlation, Message message, Step& step,
                    bool at_once) {
  step.out.emplace_back(node::Send{Envelope{channel, correlation, true, std::move(message)},
                                   at_once ? std::nullopt : blocked_on_});
}

// isValidVoterKey: meant for this replica, as far as the sender told.
bool Replica::is_for_us(const ReplicaKey& voter) const {
  if (voter.id == kNoNode) return true;
  if (voter.id != id()) return false;
  return voter.directory == kNoDirectory || spec_.self.directory == kNoDirectory ||
         voter.directory == spec_.self.directory;
}

void Replica::on_request(Envelope& envelope, Step& step) {
  const auto answer = [&](Message message) {
    reply(envelope.channel, envelope.correlation, std::move(message), step);
  };
  if (const auto* vote = std::get_if<VoteRequest>(&envelope.message)) {
    answer(on(*vote, step));
  } else if (const auto* fetch = std::get_if<FetchRequest>(&envelope.message)) {
    on(*fetch, envelope, step);
  } else if (const auto* begin = std::get_if<BeginQuorumEpochRequest>(&envelope.message)) {
    answer(on(*begin, step));
  } else if (const auto* end = std::get_if<EndQuorumEpochRequest>(&envelope.message)) {
    answer(on(*end, step));
  } else if (const auto* snapshot = std::get_if<FetchSnapshotRequest>(&envelope.message)) {
    answer(on(*snapshot, step));
  } else if (const auto* add = std::get_if<AddRaftVoterRequest>(&envelope.message)) {
    on(*add, envelope, step);
  } else if (const auto* remove = std::get_if<RemoveRaftVoterRequest>(&envelope.message)) {
    on(*remove, envelope, step);
  } else if (const auto* update = std::get_if<UpdateRaftVoterRequest>(&envelope.message)) {
    on(*update, envelope, step);
  } else {
    SIM_CHECK(std::holds_alternative<ApiVersionsRequest>(envelope.message),
              "only the quorum talks on this lane");
    answer(ApiVersionsResponse{});
  }
}

VoteResponse Replica::on(const VoteRequest& request, Step& step) {
  VoteResponse response;
  const auto refused = [&](ErrorCode error) {
    response.error = error;
    response.current = current();
    return response;
  };
  if (request.pre_vote && !spec_.history.pre_vote) return refused(ErrorCode::unsupported_version);
  const QuorumEpoch last_epoch = quorum_epoch(request.last_offset_epoch);
  const bool impossible =
      request.pre_vote ? last_epoch > request.candidate_epoch : last_epoch >= request.candidate_epoch;
  if (request.last_offset < 0 || request.last_offset_epoch.value() < 0 || impossible)
    return refused(ErrorCode::invalid_request);
  if (request.candidate_epoch < epoch()) return refused(ErrorCode::fenced_leader_epoch);
  if (request.candidate.id.value() < 0) return refused(ErrorCode::invalid_request);
  if (request.candidate_epoch > epoch()) to_unattached(request.candidate_epoch, step);
  if (!is_for_us(request.voter)) return refused(ErrorCode::invalid_voter_key);

  const auto theirs = std::pair(request.last_offset_epoch, request.last_offset);
  const bool up_to_date = theirs >= std::pair(log_.last_epoch(), log_.end_offset()) ||
                          spec_.defect == PlantedDefect::vote_without_log_check;
  response.vote_granted = would_grant(request.candidate, up_to_date, request.pre_vote);
  if (response.vote_granted && !request.pre_vote) {
    QuorumState state = state_;
    state.voted = request.candidate;
    store(state, step);
    // Whoever got our vote has as good a chance as we: time for it to win.
    const LocalTime deadline = election_deadline(step);
    if (auto* unattached = std::get_if<Unattached>(&role_)) {
      unattached->election_deadline = deadline;
    } else if (std::holds_alternative<Prospective>(role_)) {
      Prospective again{Election(log_.voters(), id()), deadline};
      become(std::move(again), step);
    }
  }
  node::report(step.out, observe::QuorumVoteAnswered{id(), request.candidate.id, request.candidate_epoch,
                                                     request.pre_vote, response.vote_granted});
  response.current = current();
  return response;
}

bool can_grant_vote(const Role& role, const QuorumState& state, const ReplicaKey& candidate, bool up_to_date,
                    bool pre_vote) {
  const auto without_leader = [&] {
    if (pre_vote) return up_to_date;
    if (state.voted.id != kNoNode) {
      const bool same_disk =
          state.voted.directory == kNoDirectory || state.voted.directory == candidate.directory;
      return state.voted.id == candidate.id && same_disk;
    }
    return state.leader == kNoNode && up_to_date;
  };
  return std::visit(Overloaded{
                        [&](const Unattached&) { return without_leader(); },
                        [&](const Prospective&) { return without_leader(); },
                        [&](const Follower& at) { return pre_vote && up_to_date && !at.has_fetched; },
                        [&](const Candidate&) { return pre_vote && up_to_date; },
                        [&](const Resigned&) { return pre_vote && up_to_date; },
                        [](const Leader&) { return false; },
                    },
                    role);
}

bool Replica::would_grant(const ReplicaKey& candidate, bool up_to_date, bool pre_vote) const {
  QuorumState state = state_;
  if (spec_.defect == PlantedDefect::vote_granted_again) state.voted = ReplicaKey{};
  return can_grant_vote(role_, state, candidate, up_to_date, pre_vote);
}

BeginQuorumEpochResponse Replica::on(const BeginQuorumEpochRequest& request, Step& step) {
  const bool old_is_believed = spec_.defect == PlantedDefect::old_epoch_accepted;
  if (request.quorum_epoch < epoch() && !old_is_believed) return {ErrorCode::fenced_leader_epoch, current()};
  if (request.leader.value() < 0) return {ErrorCode::invalid_request, current()};
  maybe_transition(QuorumLeader{request.quorum_epoch, request.leader, request.leader_endpoint}, step);
  if (!is_for_us(request.voter)) return {ErrorCode::invalid_voter_key, current()};
  return {ErrorCode::none, current()};
}

EndQuorumEpochResponse Replica::on(const EndQuorumEpochRequest& request, Step& step) {
  if (request.quorum_epoch < epoch()) return {ErrorCode::fenced_leader_epoch, current()};
  if (request.leader.value() < 0) return {ErrorCode::invalid_request, current()};
  maybe_transition(QuorumLeader{request.quorum_epoch, request.leader, request.leader_endpoint}, step);
  auto* follower = std::get_if<Follower>(&role_);
  if (follower != nullptr && state_.leader == request.leader) {
    // strictExponentialElectionBackoffMs: the best successor at once, each later one twice as late as the one
    // before.
    const auto& preferred = request.preferred_candidates;
    const auto it = std::find_if(preferred.begin(), preferred.end(),
                                 [this](const ReplicaKey& key) { return is_for_us(key); });
    const auto position = it - preferred.begin();
    const std::int64_t max_ms = millis(spec_.config.election_backoff_max);
    std::int64_t backoff_ms = max_ms;
    if (it != preferred.end()) {
      const std::int64_t base_ms = max_ms >> (preferred.size() - 1);
      backoff_ms = position == 0 ? 0 : std::min(max_ms, base_ms << (position - 1));
    }
    follower->fetch_deadline = step.now() + from_millis(backoff_ms);
  }
  return {ErrorCode::none, current()};
}

// ---- Fetch

ErrorCode Replica::validate_leader_only(QuorumEpoch asked) const {
  if (asked < epoch()) return ErrorCode::fenced_leader_epoch;
  if (asked > epoch()) return ErrorCode::unknown_leader_epoch;
  if (!is_leader()) return ErrorCode::not_leader_or_follower;
  if (shutdown_deadline_) return ErrorCode::broker_not_available;
  return ErrorCode::none;
}

FetchResponse::Partition Replica::empty_answer(ErrorCode error) const {
  FetchResponse::Partition answer;
  answer.tp = kClusterMetadata;
  answer.error = error;
  answer.log_start_offset = log_.start_offset();
  answer.current_leader = LeaderHint{state_.leader, leader_epoch(epoch()), leader_endpoint_};
  return answer;
}

// A planted defect: whoever diverges is sent what follows, if that begins where its log ends.
bool Replica::skips_truncation(Offset fetch_offset) const {
  if (spec_.defect != PlantedDefect::truncation_skipped) return false;
  const std::vector<Batch> next = log_.read(fetch_offset, log_.end_offset(), 1);
  return !next.empty() && next.front().base_offset == fetch_offset;
}

// tryCompleteFetchRequest. A fetch at offset N says "I hold everything below N": it acknowledges as well as
// asks.
FetchResponse::Partition Replica::answer_to(const FetchRequest::Partition& asked, const ReplicaKey& replica,
                                            Step& step) {
  if (const ErrorCode error = validate_leader_only(quorum_epoch(asked.current_leader_epoch));
      error != ErrorCode::none) {
    return empty_answer(error);
  }
  auto& leader = std::get<Leader>(role_);
  FetchResponse::Partition answer = empty_answer(ErrorCode::none);
  answer.high_watermark = leader.high_watermark.value_or(kNoOffset);
  const MetadataSnapshotPtr snapshot = log_.latest_snapshot();
  if (asked.fetch_offset == 0 && snapshot != nullptr) {
    answer.snapshot_id = snapshot->id;
    return answer;
  }
  const RaftLog::Validation validation = log_.validate(asked.fetch_offset, asked.last_fetched_epoch);
  if (const auto* from = std::get_if<RaftLog::FromSnapshot>(&validation)) {
    answer.snapshot_id = from->id;
    return answer;
  }
  if (const auto* diverging = std::get_if<RaftLog::Diverging>(&validation);
      diverging != nullptr && !skips_truncation(asked.fetch_offset)) {
    answer.diverging_epoch = diverging->end;
    return answer;
  }
  Leader::Progress& progress = progress_of(leader, replica);
  progress.end_offset = asked.fetch_offset;
  if (asked.fetch_offset >= log_.end_offset()) {
    progress.last_caught_up = step.now();
  } else if (progress.leader_end_at_last_fetch > 0 &&
             asked.fetch_offset >= progress.leader_end_at_last_fetch) {
    progress.last_caught_up = std::max(progress.last_caught_up, progress.last_fetch);
  }
  progress.last_fetch = step.now();
  progress.leader_end_at_last_fetch = log_.end_offset();
  heard_of(leader, replica, step);
  const bool is_news = !leader.high_watermark || asked.fetch_offset > *leader.high_watermark;
  if (is_news && log_.voters().contains(replica)) maybe_advance_high_watermark(leader, step);
  answer.batches = log_.read(asked.fetch_offset, log_.end_offset(), asked.max_bytes);
  answer.high_watermark = leader.high_watermark.value_or(kNoOffset);
  return answer;
}

void Replica::on(const FetchRequest& request, const Envelope& from, Step& step) {
  SIM_CHECK(request.partitions.size() == 1 && request.partitions.front().tp == kClusterMetadata,
            "the quorum has one log");
  const FetchRequest::Partition& asked = request.partitions.front();
  const ReplicaKey replica{request.replica, asked.replica_directory};
  FetchResponse response;
  if (asked.fetch_offset < 0 || asked.last_fetched_epoch.value() < 0 ||
      asked.last_fetched_epoch > asked.current_leader_epoch) {
    response.partitions.push_back(empty_answer(ErrorCode::invalid_request));
    return reply(from.channel, from.correlation, std::move(response), step);
  }
  response.partitions.push_back(answer_to(asked, replica, step));
  const FetchResponse::Partition& answer = response.partitions.front();
  const bool tells_high_watermark = spec_.history.fetch_high_watermark && asked.high_watermark != kNoOffset &&
                                    answer.high_watermark > asked.high_watermark;
  const bool says_something = answer.error != ErrorCode::none || !answer.batches.empty() ||
                              answer.diverging_epoch.end_offset != kNoOffset ||
                              answer.snapshot_id.end_offset != kNoOffset || tells_high_watermark;
  auto* leader = std::get_if<Leader>(&role_);
  if (says_something || request.max_wait_ms == 0 || leader == nullptr) {
    return reply(from.channel, from.correlation, std::move(response), step);
  }
  const LocalTime deadline = step.now() + from_millis(request.max_wait_ms);
  leader->parked.push_back(
      Leader::ParkedFetch{from.channel, from.correlation, replica, asked, deadline, answer.high_watermark});
}

// Answers whom new records, or (`all`) a new high watermark concern: their fetches are looked at once more,
// and count once more. Who waited long enough is told what was true when it asked, and that is not a new sign
// of life. What was appended a moment ago is sent while it is being flushed.
void Replica::release_parked(Leader& leader, bool all, Step& step) {
  const auto waits_on = [&](const Leader::ParkedFetch& one) {
    return !all && one.deadline > step.now() && log_.end_offset() <= one.asked.fetch_offset;
  };
  const auto first_due = std::stable_partition(leader.parked.begin(), leader.parked.end(), waits_on);
  if (first_due == leader.parked.end()) return;
  std::vector<Leader::ParkedFetch> due(std::make_move_iterator(first_due),
                                       std::make_move_iterator(leader.parked.end()));
  leader.parked.erase(first_due, leader.parked.end());
  for (const Leader::ParkedFetch& one : due) {
    FetchResponse response;
    if (all || log_.end_offset() > one.asked.fetch_offset) {
      response.partitions.push_back(answer_to(one.asked, one.replica, step));
    } else {
      response.partitions.push_back(empty_answer(ErrorCode::none));
      response.partitions.back().high_watermark = one.high_watermark;
    }
    reply(one.channel, one.correlation, std::move(response), step, is_leader());
  }
}

// By its whole key: a voter's id on another disk is an observer, and what it holds does not count for the
// voter.
Leader::Progress* Leader::find(const ReplicaKey& key) {
  const auto it = std::find_if(replicas.begin(), replicas.end(), [&](const Progress& one) {
    return one.key.id == key.id && (one.key.directory == key.directory || one.key.directory == kNoDirectory ||
                                    key.directory == kNoDirectory);
  });
  return it == replicas.end() ? nullptr : &*it;
}

Leader::Progress& Replica::progress_of(Leader& leader, const ReplicaKey& replica) {
  if (Leader::Progress* known = leader.find(replica)) return *known;
  return leader.replicas.emplace_back(Leader::Progress{replica});
}

// LeaderState.updateCheckQuorumForFollowingVoter. A leader that is the only voter is never without majority.
void Replica::heard_of(Leader& leader, const ReplicaKey& replica, Step& step) {
  if (log_.voters().contains(replica) &&
      std::find(leader.fetched.begin(), leader.fetched.end(), replica.id) == leader.fetched.end()) {
    leader.fetched.push_back(replica.id);
  }
  const std::size_t needed = log_.voters().majority() - (is_voter() ? 1 : 0);
  if (leader.fetched.size() < needed) return;
  leader.fetched.clear();
  leader.check_quorum_deadline = step.now() + spec_.config.fetch_timeout * 3 / 2;
}

FetchSnapshotResponse Replica::on(const FetchSnapshotRequest& request, Step& step) {
  FetchSnapshotResponse response;
  response.current = current();
  response.error = validate_leader_only(request.current_leader_epoch);
  if (response.error != ErrorCode::none) return response;
  const MetadataSnapshotPtr snapshot = log_.snapshot(request.snapshot_id);
  if (snapshot == nullptr) {
    response.error = ErrorCode::snapshot_not_found;
    return response;
  }
  if (request.position < 0 || request.position >= snapshot->size_bytes) {
    response.error = ErrorCode::position_out_of_range;
    return response;
  }
  heard_of(std::get<Leader>(role_), request.replica, step);
  response.snapshot_id = snapshot->id;
  response.size = snapshot->size_bytes;
  response.position = request.position;
  response.bytes = std::min<std::int64_t>(request.max_bytes, snapshot->size_bytes - request.position);
  response.snapshot = snapshot;
  return response;
}

}  // namespace sim::raft
