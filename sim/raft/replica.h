#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <variant>
#include <vector>

#include "node/network_client.h"
#include "node/node.h"
#include "protocol/messages.h"
#include "raft/accumulator.h"
#include "raft/config.h"
#include "raft/raft_log.h"
#include "raft/roles.h"

// A replica of __cluster_metadata: voter or observer of the KRaft quorum (KafkaRaftClient, QuorumState). A
// value, owned by the process of a controller or broker, which feeds it the inputs for Part::raft and acts
// on what it returns.
//
//   from         event                                             to
//   any          a valid message of a higher epoch, leader known   Follower
//   any          a valid message of a higher epoch, none known     Unattached
//   not Leader   a leader of its epoch, if it knew none            Follower
//   Unattached   election timeout (voter)                          Prospective | Candidate without pre-vote
//   Follower     fetch timeout (voter)                             Prospective | Candidate without pre-vote
//   Prospective  a majority would elect it                         Candidate, epoch + 1
//   Prospective  refused, or election timeout                      Follower of whom it knew | Unattached
//   Candidate    a majority granted                                Leader
//   Candidate    election timeout                                  Prospective | backs off without pre-vote
//   Leader       shut down, resigned, no majority fetches          Resigned, same epoch
//   Resigned     election timeout                                  Unattached, epoch + 1 | Candidate likewise
// Valid messages are Vote, BeginQuorumEpoch and EndQuorumEpoch requests and all responses; a fetch moves
// nobody. Observers are only ever Unattached or Follower. Who waits to elect keeps its deadline in a new
// epoch.
//
// The raft thread blocks in its writes, as Kafka's does: between a Persist and its Persisted inputs are kept,
// requests are not sent, and answers leave `after` it. So whatever is said rests on what is flushed. One
// exception, also Kafka's: followers may fetch what the leader has appended while it flushes; the fetch that
// acknowledges it is handled after the flush.
//
// Nothing polls: one timer for the deadlines of the role, one for connections. Both may fire early, never
// late.
//
// Left out: KRaft versions of replicas (a probe of a new voter's ApiVersions always succeeds), several
// listeners, and DescribeQuorum. A sole voter counts its own record only once flushed (Kafka: a moment
// before).
namespace sim::raft {

class Replica {
 public:
  // ---- What happened, in order
  struct Committed {  // to be replayed; control batches among them
    std::vector<Batch> batches;
  };
  struct SnapshotLoaded {  // forget everything, begin with this
    MetadataSnapshotPtr snapshot;
  };
  struct LeaderChanged {  // whom it knows to lead; kNoNode: nobody
    QuorumEpoch quorum_epoch;
    NodeId leader = kNoNode;
    ProcessId endpoint = kNoProcess;
  };
  struct LeadershipWon {  // everything of earlier epochs is committed and was handed out: may decide
    QuorumEpoch quorum_epoch;
  };
  struct LeadershipLost {
    QuorumEpoch quorum_epoch;
  };
  struct ShutDown {};  // after shut_down(): nothing more to wait for
  struct Failed {      // where Kafka's fault handler ends the process
    const char* why;
  };
  using Event =
      std::variant<Committed, SnapshotLoaded, LeaderChanged, LeadershipWon, LeadershipLost, ShutDown, Failed>;
  using Events = std::vector<Event>;

  Replica(const ReplicaSpec& spec, const log::LogImage* image);

  Events start(node::Env env, node::Effects& out);
  // Inputs for Part::raft.
  Events step(node::Input& input, node::Env env, node::Effects& out);

  // Leads, as far as it knows: may be a step behind the world, as leaders are.
  bool is_leader() const { return std::holds_alternative<Leader>(role_); }
  // As leader: the place of the first of these records. They are committed when a Committed reaches it.
  // nullopt: does not lead (any more). One call's records become one batch, or part of one.
  std::optional<Offset> append(std::vector<MetadataRecord> records, node::Env env, node::Effects& out);
  // Steps down at the next step.
  void resign(node::Env env, node::Effects& out);
  void shut_down(node::Env env, node::Effects& out);
  // The state made by all records below the id's end. REQUIRES: its end offset <= high_watermark()
  void take_snapshot(MetadataSnapshotPtr snapshot, node::Env env, node::Effects& out);

  NodeId id() const { return spec_.self.id; }
  QuorumEpoch epoch() const { return state_.quorum_epoch; }
  NodeId leader() const { return state_.leader; }
  ProcessId leader_endpoint() const { return leader_endpoint_; }
  const Role& role() const { return role_; }
  bool is_voter() const { return log_.voters().contains(spec_.self); }
  Offset high_watermark() const { return high_watermark_.value_or(0); }
  const RaftLog& log() const { return log_; }
  VoterSet voters() const { return log_.voters(); }

 private:
  struct Link {  // to one server (RequestManager.ConnectionState)
    ProcessId server;
    std::optional<CorrelationId> in_flight{};
    LocalTime backs_off_until = LocalTime::min();
  };
  using Deferred = std::variant<Envelope, node::NetworkClient::Event>;
  struct Step {  // of the step under way
    node::Env env;
    node::Effects& out;
    Events& events;
    LocalTime now() const { return env.now; }
  };

  // ---- replica.cc: inputs, and the poll that follows them
  bool is_for_client(const node::Input& input) const;
  void work(Step& step);
  void handle(Deferred& input, Step& step);
  void persisted(node::PersistId id, Step& step);
  node::PersistId next_write() { return {node::Part::raft, ++writes_asked_for_}; }
  void poll(Step& step);
  void poll_role(Step& step);
  void on_poll(Unattached& role, Step& step);
  void on_poll(Prospective& role, Step& step);
  void on_poll(Candidate& role, Step& step);
  void on_poll(Leader& role, Step& step);
  void on_poll(Follower& role, Step& step);
  void on_poll(Resigned& role, Step& step);
  void begin_quorum(Leader& role, Step& step);
  void request_votes(const Election& election, bool pre_vote, Step& step);
  void fetch_from_leader(Follower& role, Step& step);
  void fetch_from_any_voter(Step& step);
  void drain(Leader& role, Step& step);
  void maybe_clean(Step& step);
  bool send_to(ProcessId server, Message&& message, Step& step);
  bool can_send_to(ProcessId server, Step& step);
  Link& link(ProcessId server);
  void need_poll_at(LocalTime at) { next_poll_ = std::min(next_poll_, at); }
  Message fetch_request() const;
  void check_voters(Step& step);
  bool awaits_restart() const { return failed_ || is_shut_down_; }

  // ---- transitions.cc
  void become(Role role, Step& step);
  void store(QuorumState state, Step& step);
  void initialize(Step& step);
  void to_unattached(QuorumEpoch epoch, Step& step);
  void to_follower(QuorumEpoch epoch, NodeId leader, ProcessId endpoint, Step& step);
  void to_prospective(Step& step);
  void to_candidate(Step& step, std::int32_t retries = 1);
  void to_leader(Candidate& candidate, Step& step);
  void to_resigned(Step& step);
  void election_lost(Step& step);
  void election_answered(Step& step);
  // Learns of a leader or an epoch from a message (maybeTransition); false: the message contradicts what is
  // known.
  bool maybe_transition(const QuorumLeader& told, Step& step);
  void maybe_follow(const QuorumLeader& told, Step& step);
  void fail(const char* why, Step& step);
  LocalTime election_deadline(Step& step);

  // ---- requests.cc: as asked by others
  void on_request(Envelope& envelope, Step& step);
  VoteResponse on(const VoteRequest& request, Step& step);
  BeginQuorumEpochResponse on(const BeginQuorumEpochRequest& request, Step& step);
  EndQuorumEpochResponse on(const EndQuorumEpochRequest& request, Step& step);
  void on(const FetchRequest& request, const Envelope& from, Step& step);
  FetchSnapshotResponse on(const FetchSnapshotRequest& request, Step& step);
  bool would_grant(const ReplicaKey& candidate, bool up_to_date, bool pre_vote) const;
  ErrorCode validate_leader_only(QuorumEpoch asked) const;
  FetchResponse::Partition answer_to(const FetchRequest::Partition& asked, const ReplicaKey& replica,
                                     Step& step);
  bool skips_truncation(Offset fetch_offset) const;
  FetchResponse::Partition empty_answer(ErrorCode error) const;
  void release_parked(Leader& leader, bool all, Step& step);
  void reply(const Channel& channel, CorrelationId correlation, Message message, Step& step,
             bool at_once = false);
  QuorumLeader current() const;
  bool is_for_us(const ReplicaKey& voter) const;
  // Leader's bookkeeping
  Leader::Progress& progress_of(Leader& leader, const ReplicaKey& replica);
  void heard_of(Leader& leader, const ReplicaKey& replica, Step& step);
  bool maybe_advance_high_watermark(Leader& leader, Step& step);

  // ---- responses.cc: as answered to us
  void on_event(node::NetworkClient::Event& event, Step& step);
  void on_response(node::NetworkClient::Response& response, Step& step);
  enum class Handled : std::uint8_t { no, done, failed };
  Handled handle_common(ErrorCode error, const QuorumLeader& told, Step& step);
  bool on(const VoteResponse& response, NodeId from, Step& step);
  bool on(const BeginQuorumEpochResponse& response, NodeId from, Step& step);
  bool on(const EndQuorumEpochResponse& response, NodeId from, Step& step);
  bool on(FetchResponse& response, NodeId from, Step& step);
  bool on(const FetchSnapshotResponse& response, NodeId from, Step& step);
  bool on(const UpdateRaftVoterResponse& response, NodeId from, Step& step);
  void restart_fetch_timer(Follower& role, Step& step);
  NodeId node_at(ProcessId server) const;

  // ---- commit.cc: log, high watermark, snapshots
  void persist(std::vector<log::LogWrite> writes, node::Safety safety, Step& step);
  void append_control(std::vector<ControlRecord> records, Leader& role, Step& step);
  void append_batch(BatchDataPtr data, Step& step, std::vector<log::LogWrite>& writes);
  void advance_high_watermark(Offset to, Step& step);
  void hand_out_committed(Step& step);

  // ---- voter_changes.cc
  void on(const AddRaftVoterRequest& request, const Envelope& from, Step& step);
  void on(const RemoveRaftVoterRequest& request, const Envelope& from, Step& step);
  void on(const UpdateRaftVoterRequest& request, const Envelope& from, Step& step);
  ErrorCode may_change_voters(const Leader& leader) const;
  bool on(const ApiVersionsResponse& response, NodeId from, Step& step);
  void probe_new_voter(Leader& leader, Step& step);
  void server_unreachable(ProcessId server, Step& step);
  bool is_caught_up(const Leader& leader, const ReplicaKey& replica, Step& step) const;
  void write_voters(Leader& leader, const VoterSet& voters, Step& step);
  void voter_change_committed(Leader& leader, Step& step);
  void finish_change(Leader& leader, ErrorCode error, Step& step);

  ReplicaSpec spec_;
  RaftLog log_;
  QuorumState state_;  // as on disk, or on its way there
  ProcessId leader_endpoint_ = kNoProcess;
  Role role_;
  std::uint64_t role_changes_ = 0;
  std::optional<Offset> high_watermark_;  // of the log
  Offset handed_out_ = kNoOffset;         // to the owner, below it; none yet
  Accumulator accumulator_;
  VoterSet voters_;  // as last reported

  node::NetworkClient client_;
  std::vector<Link> links_;
  struct Probe {
    ProcessId server;
    LocalTime gives_up_at;
  };
  std::optional<Probe> probe_;  // the voter an observer asks next, once it is connected

  std::optional<node::PersistId> blocked_on_;
  bool state_is_new_ = false;  // it has not been flushed yet
  std::uint64_t writes_asked_for_ = 0;
  std::deque<Deferred> deferred_;
  node::NetworkClient::Events network_events_;  // empty between steps; its memory is used again
  std::vector<Offset> ends_;                    // likewise
  std::vector<std::pair<node::PersistId, MetadataSnapshotPtr>> snapshots_being_written_;

  LocalTime next_poll_ = LocalTime::max();  // earliest deadline met in this poll
  LocalTime armed_for_ = LocalTime::max();
  std::optional<LocalTime> clean_at_;
  std::optional<LocalTime> shutdown_deadline_;
  QuorumEpoch announced_epoch_{-1};
  NodeId announced_leader_ = kNoNode;
  bool is_shut_down_ = false;
  bool failed_ = false;
};

}  // namespace sim::raft
