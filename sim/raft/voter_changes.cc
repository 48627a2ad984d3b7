// Voters come and go one at a time (KIP-853: AddVoterHandler, RemoveVoterHandler, UpdateVoterHandler). A
// VotersRecord counts from its appending on, and is committed by the majority that it makes.
#include <algorithm>
#include <utility>

#include "raft/replica.h"

namespace sim::raft {

// What stands in the way of any change.
ErrorCode Replica::may_change_voters(const Leader& leader) const {
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
  const QuorumVoter& voter = request.voter;
  if (const ErrorCode error = validate_leader_only(epoch()); error != ErrorCode::none) return refuse(error);
  if (voter.key.id == kNoNode || voter.key.directory == kNoDirectory || voter.endpoint == kNoProcess)
    return refuse(ErrorCode::invalid_request);
  auto& leader = std::get<Leader>(role_);
  if (const ErrorCode error = may_change_voters(leader); error != ErrorCode::none) return refuse(error);
  if (log_.voters().find(voter.key.id) != nullptr) return refuse(ErrorCode::duplicate_voter);
  const Link& to = link(voter.endpoint);  // something else is under way to it, or it just failed
  if (to.in_flight || to.backs_off_until > step.now()) return refuse(ErrorCode::request_timed_out);
  const LocalTime deadline = step.now() + spec_.config.request_timeout;
  leader.change = Leader::VoterChange{from.channel, from.correlation, true, voter, kNoOffset, deadline};
  probe_new_voter(leader, step);
}

// The new voter is asked whether it knows how to be one, as soon as it can be reached.
void Replica::probe_new_voter(Leader& leader, Step& step) {
  if (!leader.change || !leader.change->adds || leader.change->probed) return;
  if (!can_send_to(leader.change->voter.endpoint, step)) return;
  leader.change->probed = true;
  send_to(leader.change->voter.endpoint, ApiVersionsRequest{}, step);
}

// It knows. Now it must also hold what the leader holds, or else the high watermark would wait for it.
bool Replica::on(const ApiVersionsResponse&, NodeId, Step& step) {
  auto* leader = std::get_if<Leader>(&role_);
  if (leader == nullptr || !leader->change || !leader->change->adds || !leader->change->probed ||
      leader->change->committed_at != kNoOffset) {
    return true;
  }
  const QuorumVoter voter = leader->change->voter;
  if (!is_caught_up(*leader, voter.key, step)) {
    finish_change(*leader, ErrorCode::request_timed_out, step);
    return true;
  }
  leader->change->committed_at = accumulator_.next_offset() + 1;
  write_voters(*leader, log_.voters().with(voter), step);
  return true;
}

// LeaderState.isReplicaCaughtUp: it reached the end once, and fetched within the last hour.
bool Replica::is_caught_up(const Leader& leader, const ReplicaKey& replica, Step& step) const {
  return std::any_of(leader.replicas.begin(), leader.replicas.end(), [&](const Leader::Progress& one) {
    return one.key == replica && one.last_caught_up != LocalTime::min() &&
           step.now() - one.last_fetch < std::chrono::hours(1);
  });
}

// What waited for a connection fails with it.
void Replica::server_unreachable(ProcessId server, Step& step) {
  auto* leader = std::get_if<Leader>(&role_);
  if (leader == nullptr) return;
  std::erase(leader->to_begin, node_at(server));
  const auto& change = leader->change;
  if (change && change->adds && change->committed_at == kNoOffset && change->voter.endpoint == server)
    finish_change(*leader, ErrorCode::request_timed_out, step);
}

void Replica::on(const RemoveRaftVoterRequest& request, const Envelope& from, Step& step) {
  const auto refuse = [&](ErrorCode error) {
    reply(from.channel, from.correlation, RemoveRaftVoterResponse{error}, step);
  };
  if (const ErrorCode error = validate_leader_only(epoch()); error != ErrorCode::none) return refuse(error);
  if (request.voter.id == kNoNode || request.voter.directory == kNoDirectory)
    return refuse(ErrorCode::invalid_request);
  auto& leader = std::get<Leader>(role_);
  if (const ErrorCode error = may_change_voters(leader); error != ErrorCode::none) return refuse(error);
  const QuorumVoter* voter = log_.voters().find(request.voter.id);
  if (voter == nullptr || voter->key != request.voter || log_.voters().size() == 1)
    return refuse(ErrorCode::voter_not_found);
  const LocalTime deadline = step.now() + spec_.config.request_timeout;
  const Offset end = accumulator_.next_offset() + 1;
  leader.change =
      Leader::VoterChange{from.channel, from.correlation, false, QuorumVoter{request.voter}, end, deadline};
  write_voters(leader, log_.voters().without(request.voter.id), step);
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
  if (!leader.change || leader.change->committed_at == kNoOffset) return;
  if (*leader.high_watermark < leader.change->committed_at) return;
  const bool removed = !leader.change->adds;
  finish_change(leader, ErrorCode::none, step);
  // A leader that removed itself leads until that is committed. (Had the request timed out before, it would
  // stay: RemoveVoterHandler resigns only with the answer.)
  if (removed && !is_voter()) leader.resign_requested = true;
}

void Replica::finish_change(Leader& leader, ErrorCode error, Step& step) {
  const Leader::VoterChange change = *std::exchange(leader.change, std::nullopt);
  Message answer = RemoveRaftVoterResponse{error};
  if (change.adds) answer = AddRaftVoterResponse{error};
  reply(change.channel, change.correlation, std::move(answer), step);
}

}  // namespace sim::raft
