// The table of transitions in replica.h, one function each (QuorumState).
#include <algorithm>
#include <utility>

#include "base/overloaded.h"
#include "raft/replica.h"

namespace sim::raft {
namespace {

observe::QuorumRole kind_of(const Role& role) {
  return std::visit(Overloaded{
                        [](const Unattached&) { return observe::QuorumRole::unattached; },
                        [](const Prospective&) { return observe::QuorumRole::prospective; },
                        [](const Candidate&) { return observe::QuorumRole::candidate; },
                        [](const Leader&) { return observe::QuorumRole::leader; },
                        [](const Follower&) { return observe::QuorumRole::follower; },
                        [](const Resigned&) { return observe::QuorumRole::resigned; },
                    },
                    role);
}

// KafkaRaftClient.RETRY_BACKOFF_BASE_MS and binaryExponentialElectionBackoffMs, up to 3.9.
constexpr std::int64_t kRetryBackoffBaseMs = 100;

}  // namespace

LocalTime Replica::election_deadline(Step& step) {
  const std::int64_t extra = step.env.rng.between(0, nanos(spec_.config.election_timeout));
  return step.now() + spec_.config.election_timeout + Duration{extra};
}

// Every change of role forgets what is under way on connections, and whoever waits at a leader is sent on.
void Replica::become(Role role, Step& step) {
  auto* was_leader = std::get_if<Leader>(&role_);
  std::vector<Leader::ParkedFetch> parked;
  if (was_leader != nullptr) {
    parked = std::move(was_leader->parked);
    if (was_leader->change) finish_change(*was_leader, ErrorCode::not_leader_or_follower, step);
    if (was_leader->announced) step.events.emplace_back(LeadershipLost{announced_epoch_});
    accumulator_ = Accumulator();
  }
  role_ = std::move(role);
  ++role_changes_;
  probe_.reset();
  for (Link& one : links_) {
    one.in_flight.reset();
    one.backs_off_until = LocalTime::min();
  }
  for (const Leader::ParkedFetch& one : parked) {
    FetchResponse response;
    response.partitions.push_back(empty_answer(ErrorCode::not_leader_or_follower));
    reply(one.channel, one.correlation, std::move(response), step);
  }
  node::report(step.out, observe::QuorumRoleChanged{id(), kind_of(role_), epoch(), state_.leader});
  // Its own leadership is announced when it may decide (hand_out_committed).
  const bool leads = std::holds_alternative<Leader>(role_);
  if (!leads && (announced_epoch_ != epoch() || announced_leader_ != state_.leader)) {
    announced_epoch_ = epoch();
    announced_leader_ = state_.leader;
    step.events.emplace_back(LeaderChanged{epoch(), state_.leader, leader_endpoint_});
  }
}

// Nothing that rests on it leaves before it is on disk.
void Replica::store(QuorumState state, Step& step) {
  if (state == state_) return;
  state_ = state;
  state_is_new_ = true;
  persist({log::WriteQuorumState{kClusterMetadata, state_}}, node::Safety::flushed, step);
}

// QuorumState.initialize: what the last life left.
void Replica::initialize(Step& step) {
  const LocalTime never = LocalTime::max();
  if (state_.quorum_epoch < quorum_epoch(log_.last_epoch())) {
    store(QuorumState{quorum_epoch(log_.last_epoch()), kNoNode, {}}, step);
  }
  const bool votes = is_voter();
  if (state_.leader == id()) {
    Resigned resigned;
    resigned.election_deadline = election_deadline(step);
    for (const QuorumVoter& voter : log_.voters().all()) {
      if (voter.key.id != id()) resigned.unacknowledged.push_back(voter.key.id);
    }
    leader_endpoint_ = spec_.process;
    become(std::move(resigned), step);
  } else if (votes && state_.leader == kNoNode && state_.voted == spec_.self) {
    Candidate candidate{Election(log_.voters(), id()), election_deadline(step)};
    become(std::move(candidate), step);
    election_answered(step);
  } else if (const QuorumVoter* leader = log_.voters().find(state_.leader); leader != nullptr) {
    leader_endpoint_ = leader->endpoint;
    Follower follower;
    follower.fetch_deadline = step.now() + spec_.config.fetch_timeout;
    follower.update_voter_at = step.now() + 3 * spec_.config.fetch_timeout;
    become(follower, step);
  } else {
    become(Unattached{votes ? election_deadline(step) : never}, step);
  }
  if (log_.voters().is_only(spec_.self) && !is_leader() && !std::holds_alternative<Candidate>(role_))
    to_candidate(step);
}

void Replica::to_unattached(QuorumEpoch new_epoch, Step& step) {
  LocalTime deadline = LocalTime::max();
  if (is_voter()) {
    // Whoever was waiting to elect goes on waiting, not anew; so one node that asks too often delays nobody.
    std::visit(Overloaded{
                   [&](const Unattached& was) { deadline = was.election_deadline; },
                   [&](const Candidate& was) { deadline = was.election_deadline; },
                   [&](const Resigned& was) { deadline = was.election_deadline; },
                   [&](const Prospective& was) {
                     deadline = was.election.is_rejected() ? election_deadline(step) : was.election_deadline;
                   },
                   [&](const Leader&) { deadline = election_deadline(step); },
                   [&](const Follower&) { deadline = election_deadline(step); },
               },
               role_);
  }
  if (new_epoch != epoch()) {
    store(QuorumState{new_epoch, kNoNode, {}}, step);
    leader_endpoint_ = kNoProcess;
  }
  become(Unattached{deadline}, step);
}

void Replica::to_follower(QuorumEpoch new_epoch, NodeId leader, ProcessId endpoint, Step& step) {
  QuorumState state = state_;
  if (new_epoch != epoch()) state.voted = ReplicaKey{};  // within an epoch the vote is kept
  state.quorum_epoch = new_epoch;
  state.leader = leader;
  store(state, step);
  leader_endpoint_ = endpoint;
  Follower follower;
  follower.fetch_deadline = step.now() + spec_.config.fetch_timeout;
  follower.update_voter_at = step.now() + 3 * spec_.config.fetch_timeout;
  become(follower, step);
}

void Replica::to_prospective(Step& step) {
  Prospective prospective{Election(log_.voters(), id()), election_deadline(step)};
  become(std::move(prospective), step);
  election_answered(step);
}

void Replica::to_candidate(Step& step, std::int32_t retries) {
  store(QuorumState{epoch().next(), kNoNode, spec_.self}, step);
  leader_endpoint_ = kNoProcess;
  Candidate candidate{Election(log_.voters(), id()), election_deadline(step), retries};
  become(std::move(candidate), step);
  election_answered(step);
}

void Replica::to_leader(Candidate& candidate, Step& step) {
  Leader leader;
  leader.epoch_start = log_.end_offset();
  leader.check_quorum_deadline = step.now() + spec_.config.fetch_timeout * 3 / 2;
  leader.begin_quorum_at = step.now();
  for (const QuorumVoter& voter : log_.voters().all()) leader.replicas.push_back(Leader::Progress{voter.key});
  std::vector<NodeId> granting = candidate.election.granting();

  QuorumState state = state_;
  state.leader = id();
  store(state, step);
  leader_endpoint_ = spec_.process;
  become(std::move(leader), step);
  log_.begin_epoch(leader_epoch(epoch()));
  accumulator_ = Accumulator(log_.end_offset(), spec_.config.append_linger, spec_.config.max_batch_bytes);
  std::vector<ControlRecord> records;
  records.reserve(3);
  records.emplace_back(LeaderChangeMessage{id(), log_.voters().ids(), std::move(granting)});
  // The first leader writes down what came with the bootstrap checkpoint, so that all replicate it.
  if (spec_.history.directory_ids && log_.voters_offset() == 0) {
    records.emplace_back(KRaftVersionRecord{});
    records.emplace_back(VotersRecord{log_.voters().all()});
  }
  accumulator_.append_control(std::move(records), step.now());
}

// LeaderState.nonLeaderVotersByDescendingFetchOffset
void Replica::to_resigned(Step& step) {
  auto& leader = std::get<Leader>(role_);
  std::vector<Leader::Progress> others;
  for (const Leader::Progress& one : leader.replicas) {
    if (one.key.id != id() && log_.voters().contains(one.key)) others.push_back(one);
  }
  std::stable_sort(others.begin(), others.end(), [](const auto& a, const auto& b) {
    return a.end_offset.value_or(-1) > b.end_offset.value_or(-1);
  });
  Resigned resigned;
  resigned.election_deadline = election_deadline(step);
  for (const Leader::Progress& one : others) {
    resigned.preferred_successors.push_back(one.key);
    resigned.unacknowledged.push_back(one.key.id);
  }
  become(std::move(resigned), step);
}

void Replica::election_lost(Step& step) {
  if (std::holds_alternative<Prospective>(role_)) {
    if (state_.leader != kNoNode && state_.leader != id() && leader_endpoint_ != kNoProcess) {
      return to_follower(epoch(), state_.leader, leader_endpoint_, step);
    }
    return to_unattached(epoch(), step);
  }
  auto* candidate = std::get_if<Candidate>(&role_);
  // Since KAFKA-18345 a candidate that lost waits for the rest of its election timeout.
  if (candidate == nullptr || spec_.history.pre_vote || candidate->backs_off_until) return;
  const std::int64_t most = std::int64_t{2} << std::min(20, candidate->retries - 1);
  const std::int64_t backoff_ms = kRetryBackoffBaseMs * step.env.rng.between(0, most);
  candidate->backs_off_until =
      step.now() + std::min(spec_.config.election_backoff_max, from_millis(backoff_ms));
}

// A vote was counted, or the first, its own.
void Replica::election_answered(Step& step) {
  if (auto* prospective = std::get_if<Prospective>(&role_)) {
    if (prospective->election.is_granted()) return to_candidate(step);
    if (prospective->election.is_rejected()) election_lost(step);
  } else if (auto* candidate = std::get_if<Candidate>(&role_)) {
    const bool half_is_enough = spec_.defect == PlantedDefect::elected_without_majority;
    if (candidate->election.is_granted() || (half_is_enough && candidate->election.is_granted_by_half())) {
      return to_leader(*candidate, step);
    }
    if (candidate->election.is_rejected()) election_lost(step);
  }
}

bool Replica::maybe_transition(const QuorumLeader& told, Step& step) {
  const bool names_us = told.leader == id();
  const bool consistent = names_us ? is_leader() || told.quorum_epoch < epoch()
                                   : told.quorum_epoch != epoch() || told.leader == kNoNode ||
                                         state_.leader == kNoNode || told.leader == state_.leader;
  if (!consistent && !(names_us && std::holds_alternative<Resigned>(role_))) {
    fail("two leaders in one epoch, or one that we never were", step);
    return false;
  }
  const bool old_is_believed =
      spec_.defect == PlantedDefect::old_epoch_accepted && told.quorum_epoch < epoch();
  if (told.quorum_epoch > epoch() || old_is_believed) {
    if (told.leader != kNoNode && told.endpoint != kNoProcess) {
      to_follower(told.quorum_epoch, told.leader, told.endpoint, step);
    } else {
      to_unattached(told.quorum_epoch, step);
    }
  } else if (told.quorum_epoch == epoch()) {
    maybe_follow(told, step);
  }
  return true;
}

// The leader of our epoch, if we knew none or not where it is. Who knows it already learns nothing: a
// Prospective that is reminded of its leader goes on asking.
void Replica::maybe_follow(const QuorumLeader& told, Step& step) {
  if (told.leader == kNoNode || told.endpoint == kNoProcess) return;
  if (state_.leader != kNoNode && leader_endpoint_ != kNoProcess) return;
  to_follower(epoch(), told.leader, told.endpoint, step);
}

void Replica::fail(const char* why, Step& step) {
  failed_ = true;
  step.events.emplace_back(Failed{why});
}

}  // namespace sim::raft
