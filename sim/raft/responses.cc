// What a replica makes of answers (KafkaRaftClient.handle*Response).
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/overloaded.h"
#include "raft/replica.h"

namespace sim::raft {

NodeId Replica::node_at(ProcessId server) const {
  for (const QuorumVoter& voter : log_.voters().all()) {
    if (voter.endpoint == server) return voter.key.id;
  }
  return kNoNode;
}

void Replica::on_event(node::NetworkClient::Event& event, Step& step) {
  std::visit(Overloaded{
                 [&](node::NetworkClient::Response& response) { on_response(response, step); },
                 [&](node::NetworkClient::Failure& failure) {
                   Link& to = link(failure.server);
                   if (to.in_flight == failure.correlation) to.in_flight.reset();
                 },
                 // What Kafka's channel answers itself: BROKER_NOT_AVAILABLE.
                 [&](node::NetworkClient::Unavailable& lost) {
                   link(lost.server).backs_off_until = step.now() + spec_.config.retry_backoff;
                   if (probe_ && probe_->server == lost.server) probe_.reset();
                   server_unreachable(lost.server, step);
                 },
                 [](node::NetworkClient::Ready&) {},     // the poll that follows
                 [](node::NetworkClient::MayRetry&) {},  // sees to it
             },
             event);
}

void Replica::on_response(node::NetworkClient::Response& response, Step& step) {
  Link& to = link(response.server);
  if (to.in_flight != response.correlation) return;  // asked in another role
  const NodeId from = node_at(response.server);
  const std::uint64_t role_changes = role_changes_;
  const bool succeeded = std::visit(
      [&](auto& message) {
        if constexpr (requires { on(message, from, step); }) {
          return on(message, from, step);
        } else {
          SIM_CHECK(false, "answers are in kind");
          return false;
        }
      },
      response.message);
  if (role_changes_ != role_changes) return;  // all connections were reset
  Link& answered = link(response.server);
  answered.in_flight.reset();
  if (!succeeded) answered.backs_off_until = step.now() + spec_.config.retry_backoff;
}

// maybeHandleCommonResponse
Replica::Handled Replica::handle_common(ErrorCode error, const QuorumLeader& told, Step& step) {
  if (told.quorum_epoch < epoch() || error == ErrorCode::unknown_leader_epoch) return Handled::done;
  if (told.quorum_epoch > epoch() || error == ErrorCode::fenced_leader_epoch ||
      error == ErrorCode::not_leader_or_follower) {
    maybe_transition(told, step);
    return Handled::done;
  }
  if (told.leader != kNoNode && state_.leader == kNoNode) {
    if (told.leader == id()) {
      fail("told to lead an epoch that we do not", step);
      return Handled::done;
    }
    maybe_follow(told, step);
    return error == ErrorCode::none ? Handled::no : Handled::done;
  }
  if (error == ErrorCode::broker_not_available) return Handled::failed;
  if (error == ErrorCode::invalid_voter_key) return Handled::done;
  if (error == ErrorCode::invalid_request) {
    fail("INVALID_REQUEST", step);
    return Handled::done;
  }
  return Handled::no;
}

bool Replica::on(const VoteResponse& response, NodeId from, Step& step) {
  if (response.error == ErrorCode::unsupported_version) {  // a voter of before 4.0: no use in asking first
    if (std::holds_alternative<Prospective>(role_)) to_candidate(step);
    return true;
  }
  const Handled handled = handle_common(response.error, response.current, step);
  if (handled != Handled::no) return handled == Handled::done;
  if (response.error != ErrorCode::none) return false;
  if (auto* prospective = std::get_if<Prospective>(&role_)) {
    prospective->election.record(from, response.vote_granted);
  } else if (auto* candidate = std::get_if<Candidate>(&role_)) {
    candidate->election.record(from, response.vote_granted);
  } else {
    return true;
  }
  election_answered(step);
  return true;
}

bool Replica::on(const BeginQuorumEpochResponse& response, NodeId, Step& step) {
  const Handled handled = handle_common(response.error, response.current, step);
  if (handled != Handled::no) return handled == Handled::done;
  return response.error == ErrorCode::none;
}

bool Replica::on(const EndQuorumEpochResponse& response, NodeId from, Step& step) {
  const Handled handled = handle_common(response.error, response.current, step);
  if (handled != Handled::no) return handled == Handled::done;
  if (auto* resigned = std::get_if<Resigned>(&role_)) std::erase(resigned->unacknowledged, from);
  return response.error == ErrorCode::none;
}

void Replica::restart_fetch_timer(Follower& role, Step& step) {
  role.fetch_deadline = step.now() + spec_.config.fetch_timeout;
  role.has_fetched = true;
}

bool Replica::on(FetchResponse& response, NodeId, Step& step) {
  if (response.error != ErrorCode::none || response.partitions.size() != 1) return false;
  FetchResponse::Partition& log = response.partitions.front();
  const LeaderHint& hint = log.current_leader;
  const Handled handled = handle_common(
      log.error, QuorumLeader{quorum_epoch(hint.leader_epoch), hint.leader, hint.endpoint}, step);
  if (handled != Handled::no) return handled == Handled::done;
  auto* follower = std::get_if<Follower>(&role_);
  if (log.error != ErrorCode::none || follower == nullptr) return false;

  restart_fetch_timer(*follower, step);
  const node::Safety safety =
      (is_voter() && spec_.defect != PlantedDefect::acknowledged_before_flush) || spec_.always_flush
          ? node::Safety::flushed
          : node::Safety::written;
  if (log.diverging_epoch.end_offset != kNoOffset) {
    const Offset to = log_.truncate_to(log.diverging_epoch);
    if (to < high_watermark()) {
      fail("told to drop what is committed", step);
      return true;
    }
    node::report(step.out, observe::MetadataTruncated{id(), to});
    check_voters(step);
    persist({log::TruncateLog{kClusterMetadata, to}}, safety, step);
    return true;
  }
  if (log.snapshot_id.end_offset != kNoOffset) {
    if (log_.snapshot(log.snapshot_id) != nullptr) return true;
    follower->fetching = log.snapshot_id;
    follower->fetched_bytes = 0;
    return true;
  }
  if (log.batches.empty()) {
    advance_high_watermark(std::min(log.high_watermark, log_.end_offset()), step);
    return true;
  }
  std::vector<log::LogWrite> writes;
  writes.reserve(log.batches.size());
  for (Batch& batch : log.batches) {
    log_.append_as_follower(batch);
    node::report(step.out, observe::MetadataAppended{id(), batch});
    if (batch.data->control) check_voters(step);
    writes.emplace_back(log::AppendBatch{kClusterMetadata, std::move(batch)});
  }
  follower->fetched_high_watermark = log.high_watermark;
  persist(std::move(writes), safety, step);
  return true;
}

bool Replica::on(const FetchSnapshotResponse& response, NodeId, Step& step) {
  const Handled handled = handle_common(response.error, response.current, step);
  if (handled != Handled::no) return handled == Handled::done;
  auto* follower = std::get_if<Follower>(&role_);
  if (follower == nullptr || !follower->fetching) return false;
  if (response.error == ErrorCode::snapshot_not_found) {
    follower->fetching.reset();
    restart_fetch_timer(*follower, step);
    return true;
  }
  if (response.error != ErrorCode::none) return false;
  SIM_CHECK(response.snapshot_id == *follower->fetching && response.position == follower->fetched_bytes,
            "slices of a snapshot come in order");
  restart_fetch_timer(*follower, step);
  follower->fetched_bytes += response.bytes;
  if (follower->fetched_bytes < response.size) return true;
  follower->fetching.reset();
  log_.add_snapshot(response.snapshot);
  log_.reset_to_latest_snapshot();
  check_voters(step);
  node::report(step.out, observe::MetadataSnapshotFetched{id(), response.snapshot_id});
  const Offset end = response.snapshot_id.end_offset;
  persist({log::WriteSnapshot{kClusterMetadata, response.snapshot}, log::ResetLog{kClusterMetadata, end},
           log::CleanLog{kClusterMetadata, end}},
          node::Safety::flushed, step);
  advance_high_watermark(end, step);
  return true;
}

bool Replica::on(const UpdateRaftVoterResponse& response, NodeId, Step& step) {
  const Handled handled = handle_common(response.error, response.current, step);
  return handled == Handled::no ? response.error == ErrorCode::none : handled == Handled::done;
}

void Replica::on_poll(Resigned& role, Step& step) {
  if (!shutdown_deadline_) {
    if (step.now() >= role.election_deadline) {
      const bool elects_at_once = is_voter() && !spec_.history.pre_vote;
      return elects_at_once ? to_candidate(step) : to_unattached(epoch().next(), step);
    }
    need_poll_at(role.election_deadline);
  }
  for (const NodeId to : role.unacknowledged) {
    const QuorumVoter* voter = log_.voters().find(to);
    if (voter == nullptr || !can_send_to(voter->endpoint, step)) continue;
    send_to(voter->endpoint, EndQuorumEpochRequest{id(), spec_.process, epoch(), role.preferred_successors},
            step);
  }
}

}  // namespace sim::raft
