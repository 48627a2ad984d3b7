#include "raft/replica.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/overloaded.h"

namespace sim::raft {
namespace {

constexpr node::TimerId kPollTimer{node::Part::raft, 0};  // of the role's deadlines
constexpr node::TimerId kNetworkTimer{node::Part::raft, 1};

node::NetworkClientConfig client_config(const RaftConfig& config) {
  node::NetworkClientConfig result;
  result.request_timeout = config.request_timeout;
  result.reconnect_backoff = result.reconnect_backoff_max = std::chrono::milliseconds(50);  // RaftManager
  result.max_in_flight = 1;
  return result;
}

// Without directory ids (kraft.version 0) nobody knows one replica's disk from another.
ReplicaSpec completed(ReplicaSpec spec) {
  if (spec.bootstrap_servers.empty()) {
    for (const QuorumVoter& voter : spec.voters) spec.bootstrap_servers.push_back(voter.endpoint);
  }
  if (spec.history.directory_ids) return spec;
  spec.self.directory = kNoDirectory;
  for (QuorumVoter& voter : spec.voters) voter.key.directory = kNoDirectory;
  return spec;
}

}  // namespace

Replica::Replica(const ReplicaSpec& spec, const log::LogImage* image)
    : spec_(completed(spec)),
      log_(image, VoterSet(spec_.voters)),
      role_(Unattached{LocalTime::max()}),
      client_(spec.process, Lane::raft, client_config(spec.config), kNetworkTimer) {
  if (image != nullptr && image->quorum_state) state_ = *image->quorum_state;
  if (spec_.defect == PlantedDefect::vote_forgotten_on_restart) {
    state_.voted = ReplicaKey{};
    state_.leader = kNoNode;
  }
  if (const MetadataSnapshotPtr snapshot = log_.latest_snapshot()) high_watermark_ = snapshot->id.end_offset;
}

// ---- Inputs

// What comes back on connections that it has opened.
bool Replica::is_for_client(const node::Input& input) const {
  if (const auto* received = std::get_if<node::Received>(&input)) return received->envelope.response;
  if (const auto* fired = std::get_if<node::TimerFired>(&input)) return fired->timer == kNetworkTimer;
  const auto* lost = std::get_if<node::Disconnected>(&input);
  return std::holds_alternative<node::Connected>(input) ||
         (lost != nullptr && lost->channel.client == spec_.process);
}

Replica::Events Replica::start(node::Env env, node::Effects& out) {
  Events events;
  Step step{env, out, events};
  node::report(out, observe::MetadataLogOpened{id(), state_, log_.start_offset(), log_.end_offset()});
  check_voters(step);
  initialize(step);
  work(step);
  return events;
}

Replica::Events Replica::step(node::Input& input, node::Env env, node::Effects& out) {
  Events events;
  Step step{env, out, events};
  if (awaits_restart()) return events;
  const bool at_once = !blocked_on_ && deferred_.empty();
  if (is_for_client(input)) {
    client_.step(input, env, out, network_events_);
    for (node::NetworkClient::Event& event : network_events_) {
      if (at_once && !blocked_on_ && deferred_.empty() && !awaits_restart()) {
        on_event(event, step);
      } else {
        deferred_.emplace_back(std::move(event));
      }
    }
    network_events_.clear();
  } else if (auto* received = std::get_if<node::Received>(&input)) {
    if (at_once) {
      on_request(received->envelope, step);
    } else {
      deferred_.emplace_back(std::move(received->envelope));
    }
  } else if (const auto* done = std::get_if<node::Persisted>(&input)) {
    persisted(done->id, step);
  } else if (const auto* lost = std::get_if<node::Disconnected>(&input)) {
    if (auto* leader = std::get_if<Leader>(&role_)) {
      std::erase_if(leader->parked, [lost](const auto& one) { return one.channel == lost->channel; });
    }
    std::erase_if(deferred_, [lost](const Deferred& one) {
      const auto* envelope = std::get_if<Envelope>(&one);
      return envelope != nullptr && envelope->channel == lost->channel;
    });
  } else if (std::holds_alternative<node::TimerFired>(input)) {
    armed_for_ = LocalTime::max();
  }
  work(step);
  return events;
}

// One input after the other, until a write blocks.
void Replica::work(Step& step) {
  while (!blocked_on_ && !awaits_restart()) {
    if (deferred_.empty()) {
      poll(step);
      if (!blocked_on_ || deferred_.empty()) return;
      continue;
    }
    Deferred input = std::move(deferred_.front());
    deferred_.pop_front();
    handle(input, step);
  }
}

void Replica::handle(Deferred& input, Step& step) {
  if (auto* envelope = std::get_if<Envelope>(&input)) return on_request(*envelope, step);
  on_event(std::get<node::NetworkClient::Event>(input), step);
}

void Replica::persisted(node::PersistId id, Step& step) {
  const auto snapshot = std::find_if(snapshots_being_written_.begin(), snapshots_being_written_.end(),
                                     [id](const auto& one) { return one.first == id; });
  if (snapshot != snapshots_being_written_.end()) {
    log_.add_snapshot(std::move(snapshot->second));
    snapshots_being_written_.erase(snapshot);
    if (!clean_at_) clean_at_ = step.now() + spec_.config.clean_interval;
    return;
  }
  if (blocked_on_ != id) return;  // several writes of one step are done in order: the last one counts
  blocked_on_.reset();
  if (std::exchange(state_is_new_, false))
    node::report(step.out, observe::QuorumStateStored{spec_.self.id, state_});
  if (auto* leader = std::get_if<Leader>(&role_)) {
    maybe_advance_high_watermark(*leader, step);
  } else if (auto* follower = std::get_if<Follower>(&role_)) {
    if (follower->fetched_high_watermark != kNoOffset) {
      advance_high_watermark(
          std::min(std::exchange(follower->fetched_high_watermark, kNoOffset), log_.end_offset()), step);
    }
  }
}

// ---- What is due (KafkaRaftClient.poll)

void Replica::poll(Step& step) {
  std::uint64_t before = 0;
  do {
    before = role_changes_;
    next_poll_ = LocalTime::max();
    poll_role(step);
  } while (role_changes_ != before && !blocked_on_ && !awaits_restart());
  if (awaits_restart()) return;
  hand_out_committed(step);
  maybe_clean(step);
  if (blocked_on_ || next_poll_ >= armed_for_) return;
  armed_for_ = next_poll_;
  step.out.emplace_back(node::SetTimer{kPollTimer, std::max(next_poll_, step.now())});
}

void Replica::poll_role(Step& step) {
  if (shutdown_deadline_) {
    const bool has_remote_leader = std::holds_alternative<Follower>(role_);
    if (!is_voter() || log_.voters().is_only(spec_.self) || has_remote_leader ||
        step.now() >= *shutdown_deadline_) {
      is_shut_down_ = true;
      step.events.emplace_back(ShutDown{});
      return;
    }
    need_poll_at(*shutdown_deadline_);
  }
  std::visit([&](auto& role) { on_poll(role, step); }, role_);
}

void Replica::on_poll(Unattached& role, Step& step) {
  if (!is_voter()) return fetch_from_any_voter(step);
  if (shutdown_deadline_) return;
  if (role.election_deadline == LocalTime::max())
    role.election_deadline = election_deadline(step);  // became a voter
  if (step.now() >= role.election_deadline)
    return spec_.history.pre_vote ? to_prospective(step) : to_candidate(step);
  need_poll_at(role.election_deadline);
  // Others may know a leader by now (pollUnattachedAsVoter); up to 3.9 a voter only waited.
  if (spec_.history.pre_vote) fetch_from_any_voter(step);
}

void Replica::on_poll(Prospective& role, Step& step) {
  if (!shutdown_deadline_) {  // who leaves waits for no election any more
    if (step.now() >= role.election_deadline) return election_lost(step);
    need_poll_at(role.election_deadline);
  }
  if (!role.election.is_rejected()) request_votes(role.election, true, step);
}

void Replica::on_poll(Candidate& role, Step& step) {
  if (shutdown_deadline_) return request_votes(role.election, false, step);
  if (role.backs_off_until) {
    if (step.now() >= *role.backs_off_until) return to_candidate(step, role.retries + 1);
    return need_poll_at(*role.backs_off_until);
  }
  if (step.now() >= role.election_deadline) {
    if (spec_.history.pre_vote) return to_prospective(step);
    election_lost(step);
    return need_poll_at(*role.backs_off_until);
  }
  need_poll_at(role.election_deadline);
  if (!role.election.is_rejected()) request_votes(role.election, false, step);
}

void Replica::request_votes(const Election& election, bool pre_vote, Step& step) {
  election.for_each_unrecorded([&](const QuorumVoter& voter) {
    if (!can_send_to(voter.endpoint, step)) return;
    VoteRequest request;
    request.voter = voter.key;
    request.candidate = spec_.self;
    request.candidate_epoch = epoch();
    request.last_offset_epoch = log_.last_epoch();
    request.last_offset = log_.end_offset();
    request.pre_vote = pre_vote;
    send_to(voter.endpoint, request, step);
  });
}

void Replica::on_poll(Leader& role, Step& step) {
  const bool needs_others = spec_.history.check_quorum && log_.voters().size() > 1;
  const bool lost_quorum = needs_others && step.now() >= role.check_quorum_deadline;
  if (shutdown_deadline_ || role.resign_requested || lost_quorum) return to_resigned(step);
  if (needs_others) need_poll_at(role.check_quorum_deadline);
  if (role.change && step.now() >= role.change->deadline)
    finish_change(role, ErrorCode::request_timed_out, step);
  if (role.change) need_poll_at(role.change->deadline);
  probe_new_voter(role, step);

  release_parked(role, false, step);
  for (const Leader::ParkedFetch& one : role.parked) need_poll_at(one.deadline);

  begin_quorum(role, step);
  const auto drain_at = accumulator_.drain_at();
  if (drain_at && step.now() >= *drain_at) return drain(role, step);
  if (drain_at) need_poll_at(*drain_at);
}

// To whom something is under way, or who just failed, waits for the next time
// (maybeSendBeginQuorumEpochRequests).
void Replica::begin_quorum(Leader& role, Step& step) {
  if (step.now() >= role.begin_quorum_at) {
    role.to_begin.clear();
    for (const QuorumVoter& voter : log_.voters().all()) {
      if (voter.key.id == id()) continue;
      const Link& to = link(voter.endpoint);
      if (!to.in_flight && to.backs_off_until <= step.now()) role.to_begin.push_back(voter.key.id);
    }
    role.begin_quorum_at = step.now() + spec_.config.fetch_timeout / 2;
  }
  if (log_.voters().size() > 1) need_poll_at(role.begin_quorum_at);
  std::erase_if(role.to_begin, [&](NodeId to) {
    const QuorumVoter* voter = log_.voters().find(to);
    if (voter == nullptr) return true;
    return can_send_to(voter->endpoint, step) &&
           send_to(voter->endpoint, BeginQuorumEpochRequest{voter->key, id(), spec_.process, epoch()}, step);
  });
}

void Replica::on_poll(Follower& role, Step& step) {
  if (is_voter()) {
    if (step.now() >= role.fetch_deadline)
      return spec_.history.pre_vote ? to_prospective(step) : to_candidate(step);
    need_poll_at(role.fetch_deadline);
  } else if (step.now() >= role.fetch_deadline) {
    return fetch_from_any_voter(step);
  } else {
    need_poll_at(role.fetch_deadline);
  }
  // maybeSendFetchToBestNode: while the leader does not answer, another voter is asked who leads.
  const bool leader_is_lost = link(leader_endpoint_).backs_off_until > step.now() ||
                              client_.is_backing_off(leader_endpoint_, step.now());
  if (leader_is_lost || probe_) return fetch_from_any_voter(step);
  fetch_from_leader(role, step);
}

void Replica::fetch_from_leader(Follower& role, Step& step) {
  if (!can_send_to(leader_endpoint_, step)) return;
  const QuorumVoter* ours = log_.voters().find(id());
  const bool key_is_old = ours != nullptr && spec_.history.directory_ids && log_.voters_offset() > 0 &&
                          (ours->endpoint != spec_.process || ours->key != spec_.self);
  if (step.now() >= role.update_voter_at) {
    role.update_voter_at = step.now() + 3 * spec_.config.fetch_timeout;
    if (is_voter() && key_is_old) {
      send_to(leader_endpoint_, UpdateRaftVoterRequest{epoch(), QuorumVoter{spec_.self, spec_.process}},
              step);
      return;
    }
  }
  if (role.fetching) {
    FetchSnapshotRequest request;
    request.replica = spec_.self;
    request.current_leader_epoch = epoch();
    request.snapshot_id = *role.fetching;
    request.position = role.fetched_bytes;
    request.max_bytes = spec_.config.max_snapshot_chunk_bytes;
    send_to(leader_endpoint_, request, step);
  } else {
    send_to(leader_endpoint_, fetch_request(), step);
  }
}

Message Replica::fetch_request() const {
  FetchRequest request;
  request.replica = id();
  request.max_wait_ms = static_cast<std::int32_t>(millis(spec_.config.fetch_max_wait));
  request.max_bytes = spec_.config.max_fetch_bytes;
  FetchRequest::Partition& partition = request.partitions.emplace_back();
  partition.tp = kClusterMetadata;
  partition.current_leader_epoch = leader_epoch(epoch());
  partition.fetch_offset = log_.end_offset();
  partition.last_fetched_epoch = log_.last_epoch();
  partition.max_bytes = spec_.config.max_fetch_bytes;
  if (spec_.history.fetch_high_watermark) partition.high_watermark = high_watermark();
  partition.replica_directory = spec_.self.directory;
  return request;
}

// RequestManager.findReadyBootstrapServer: a random one, and only one request under way to any.
void Replica::fetch_from_any_voter(Step& step) {
  if (std::any_of(links_.begin(), links_.end(), [](const Link& one) { return one.in_flight.has_value(); }))
    return;
  // A request counts as under way from when it was made, though its connection is still being set up.
  if (probe_ && step.now() >= probe_->gives_up_at) {
    link(probe_->server).backs_off_until = step.now() + spec_.config.retry_backoff;
    probe_.reset();
  }
  if (!probe_) {
    std::vector<ProcessId> ready;
    LocalTime earliest = LocalTime::max();
    for (const ProcessId server : spec_.bootstrap_servers) {
      if (server == spec_.process) continue;
      const LocalTime until = link(server).backs_off_until;
      if (until > step.now()) {
        earliest = std::min(earliest, until);
      } else if (!client_.is_backing_off(server, step.now())) {
        ready.push_back(server);
      }
    }
    if (ready.empty()) {
      if (earliest != LocalTime::max()) need_poll_at(earliest);
      return;
    }
    const ProcessId chosen = ready[step.env.rng.below(ready.size())];
    probe_ = Probe{chosen, step.now() + spec_.config.request_timeout};
  }
  if (can_send_to(probe_->server, step)) {
    send_to(std::exchange(probe_, std::nullopt)->server, fetch_request(), step);
  } else {
    need_poll_at(probe_->gives_up_at);
  }
}

void Replica::drain(Leader& role, Step& step) {
  std::vector<log::LogWrite> writes;
  for (BatchDataPtr& data : accumulator_.drain(step.now())) append_batch(std::move(data), step, writes);
  if (writes.empty()) return;
  persist(std::move(writes), node::Safety::flushed, step);
  release_parked(role, false, step);
}

// ---- Connections (RequestManager)

Replica::Link& Replica::link(ProcessId server) {
  for (Link& one : links_) {
    if (one.server == server) return one;
  }
  links_.push_back(Link{server});
  return links_.back();
}

bool Replica::can_send_to(ProcessId server, Step& step) {
  const Link& to = link(server);
  if (to.in_flight) return false;
  if (to.backs_off_until > step.now()) {
    need_poll_at(to.backs_off_until);
    return false;
  }
  return client_.ready(server, step.env, step.out);  // its answer or its end wakes us
}

bool Replica::send_to(ProcessId server, Message&& message, Step& step) {
  link(server).in_flight = client_.send(server, std::move(message), step.env, step.out);
  return true;
}

// ---- For its owner

std::optional<Offset> Replica::append(std::vector<MetadataRecord> records, node::Env env,
                                      node::Effects& out) {
  SIM_CHECK(!records.empty(), "there is something to append");
  const auto* leader = std::get_if<Leader>(&role_);
  if (leader == nullptr || leader->resign_requested || awaits_restart()) return std::nullopt;
  const Offset first = accumulator_.append(std::move(records), env.now);
  const LocalTime drain_at = *accumulator_.drain_at();
  if (!blocked_on_ && drain_at < armed_for_) {
    armed_for_ = drain_at;
    out.emplace_back(node::SetTimer{kPollTimer, drain_at});
  }
  return first;
}

void Replica::resign(node::Env env, node::Effects& out) {
  auto* leader = std::get_if<Leader>(&role_);
  if (leader == nullptr) return;
  leader->resign_requested = true;
  armed_for_ = env.now;
  out.emplace_back(node::SetTimer{kPollTimer, env.now});
}

void Replica::shut_down(node::Env env, node::Effects& out) {
  if (shutdown_deadline_) return;
  shutdown_deadline_ = env.now + spec_.config.shutdown_timeout;
  armed_for_ = env.now;
  out.emplace_back(node::SetTimer{kPollTimer, env.now});
}

void Replica::check_voters(Step& step) {
  if (voters_ == log_.voters()) return;
  voters_ = log_.voters();
  node::report(step.out, observe::QuorumVotersChanged{id(), voters_.ids()});
}

}  // namespace sim::raft
