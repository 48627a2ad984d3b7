// Voters come and go one at a time (KIP-853: AddVoterHandler, RemoveVoterHandler, UpdateVoterHandler). A
// VotersRecord counts from its appending on, and is committed by the majority that it makes.
#include <utility>

#include "raft/replica.h"

namespace sim::raft {

// What stands in the way of any change.
ErrorCode Replica::may_change_voters(const Leader& leader) const {
  if (shutdown_deadline_ || leader.resign_requested) return ErrorCode::not_leader_or_follower;
  if (leader.change) return ErrorCode::request_timed_out;  // another one is under way
  if (!leader.high_watermark) return ErrorCode::request_timed_out;
  if (!spec_.history.directory_ids) return ErrorCode::unsupported_version;
  if (log_.voters_offset() > *leader.high_watermark) return ErrorCode::request_timed_out;
  return ErrorCode::none;
}

void Replica::write_voters(Leader& leader, const VoterSet& voters, Step& step) {
  std::vector<ControlRecord> records{VotersRecord{voters.all()}};
  append_control(std::move(records), leader, step);
}

void Replica::on(const AddRaftVoterRequest& request, const Envelope& from, Step& step) {
  const auto refuse = [&](ErrorCode error) {
    reply(from.channel, from.correlation, AddRaftVoterResponse{error}, step);
  };
  auto* leader = std::get_if<Leader>(&role_);
  if (leader == nullptr) return refuse(ErrorCode::not_leader_or_follower);
  if (request.voter.key.id == kNoNode || request.voter.key.directory == kNoDirectory)
    return refuse(ErrorCode::invalid_request);
  if (const ErrorCode error = may_change_voters(*leader); error != ErrorCode::none) return refuse(error);
  if (log_.voters().find(request.voter.key.id) != nullptr) return refuse(ErrorCode::duplicate_voter);
  const LocalTime deadline = step.now() + from_millis(request.timeout_ms);
  leader->change =
      Leader::VoterChange{from.channel, from.correlation, true, request.voter, kNoOffset, deadline};
  maybe_add_caught_up_voter(*leader, step);
}

// LeaderState.isReplicaCaughtUp: reached the end within the last hour, and not long ago.
void Replica::maybe_add_caught_up_voter(Leader& leader, Step& step) {
  if (!leader.change || !leader.change->adds || leader.change->committed_at != kNoOffset || blocked_on_)
    return;
  const QuorumVoter voter = leader.change->voter;
  for (const Leader::Progress& one : leader.replicas) {
    if (one.key != voter.key || one.last_caught_up == LocalTime::min()) continue;
    if (step.now() - one.last_caught_up > std::chrono::hours(1)) continue;
    leader.change->committed_at = accumulator_.next_offset() + 1;
    return write_voters(leader, log_.voters().with(voter), step);
  }
}

void Replica::on(const RemoveRaftVoterRequest& request, const Envelope& from, Step& step) {
  const auto refuse = [&](ErrorCode error) {
    reply(from.channel, from.correlation, RemoveRaftVoterResponse{error}, step);
  };
  auto* leader = std::get_if<Leader>(&role_);
  if (leader == nullptr) return refuse(ErrorCode::not_leader_or_follower);
  if (const ErrorCode error = may_change_voters(*leader); error != ErrorCode::none) return refuse(error);
  if (!log_.voters().contains(request.voter) || log_.voters().size() == 1)
    return refuse(ErrorCode::voter_not_found);
  const LocalTime deadline = step.now() + spec_.config.request_timeout;
  const Offset end = accumulator_.next_offset() + 1;
  leader->change =
      Leader::VoterChange{from.channel, from.correlation, false, QuorumVoter{request.voter}, end, deadline};
  write_voters(*leader, log_.voters().without(request.voter.id), step);
}

void Replica::on(const UpdateRaftVoterRequest& request, const Envelope& from, Step& step) {
  UpdateRaftVoterResponse response;
  response.error = validate_leader_only(request.current_leader_epoch);
  if (response.error == ErrorCode::none) response.error = may_change_voters(std::get<Leader>(role_));
  if (response.error == ErrorCode::none && !log_.voters().contains(request.voter.key))
    response.error = ErrorCode::voter_not_found;
  response.current = current();
  const bool accepted = response.error == ErrorCode::none;
  reply(from.channel, from.correlation, std::move(response), step);  // before it is committed, as in Kafka
  if (accepted) write_voters(std::get<Leader>(role_), log_.voters().with(request.voter), step);
}

void Replica::voter_change_committed(Leader& leader, Step& step) {
  if (leader.change && leader.change->committed_at != kNoOffset &&
      *leader.high_watermark >= leader.change->committed_at) {
    finish_change(leader, ErrorCode::none, step);
  }
  // A leader that is no voter any more leads until that is committed.
  if (!is_voter() && *leader.high_watermark >= log_.voters_offset()) leader.resign_requested = true;
}

void Replica::finish_change(Leader& leader, ErrorCode error, Step& step) {
  const Leader::VoterChange change = *std::exchange(leader.change, std::nullopt);
  Message answer = RemoveRaftVoterResponse{error};
  if (change.adds) answer = AddRaftVoterResponse{error};
  reply(change.channel, change.correlation, std::move(answer), step);
}

}  // namespace sim::raft
