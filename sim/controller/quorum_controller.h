#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "controller/cluster_control.h"
#include "controller/controller.h"
#include "controller/decision.h"
#include "controller/replication_control.h"
#include "metadata/metadata_image.h"
#include "node/node.h"
#include "raft/replica.h"

// A KRaft controller (QuorumController): decides about brokers, topics and leaders as records of the metadata
// log. One event after the other, as its queue takes them.
//
// The active one, which leads the quorum, makes a decision from the image, appends its records and replays
// them at once, so that the next decision sees them; the answer waits until everything written so far is
// committed. A refused request is answered at once. When it renounces, because it leads no more, the image
// goes back to the last commit, and whoever waits for an answer hears NOT_CONTROLLER. A standby replays what
// is committed and refuses all requests.
//
// It is a value, owned by its process beside the replica of the log, which it is handed in each call.
//
// Deliberately different: the records of a new cluster are one append, however many (Kafka: one metadata
// transaction). Left out: a limit on what waits in the queue, metadata versions and other features, quotas.
namespace sim::controller {

inline constexpr node::TimerId kSessionTimer{node::Part::controller, 0};
inline constexpr node::TimerId kBalanceTimer{node::Part::controller, 1};
inline constexpr node::TimerId kUncleanTimer{node::Part::controller, 2};
inline constexpr node::TimerId kNoOpTimer{node::Part::controller, 3};

class QuorumController {
 public:
  struct Context {  // of the event under way
    raft::Replica& log;
    node::Env env;
    node::Effects& out;
    LocalTime now() const { return env.now; }
  };

  explicit QuorumController(const ControllerBoot& boot) : boot_(boot) {}

  // ---- From the replica of the metadata log
  void replay(const std::vector<Batch>& committed, const Context& context);
  void load(const MetadataSnapshot& snapshot, const Context& context);
  // Leads the quorum from here on, and has replayed everything of earlier epochs.
  void claim(QuorumEpoch quorum_epoch, const Context& context);
  // Leads no more. Nothing happens if it has found out before.
  void renounce(const Context& context);

  // Inputs for Part::controller: requests, the end of connections that they came by, its timers.
  void step(node::Input& input, const Context& context);

  bool is_active() const { return active_.has_value(); }
  // Everything it knows of, committed or not.
  const metadata::MetadataImage& image() const { return image_; }
  const metadata::MetadataImage& committed_image() const { return active_ ? active_->committed : image_; }

 private:
  struct PendingAnswer {
    Offset end = 0;  // everything below it must be committed
    Channel channel;
    CorrelationId correlation = 0;
    Message answer;
  };
  // One deadline of many behind one timer: set only when it changes.
  struct Alarm {
    node::TimerId timer;
    std::optional<LocalTime> armed_for{};
    void set(std::optional<LocalTime> deadline, node::Effects& out);
  };
  // An election that nobody asked for: looked at some time after it was found that there is something to do.
  struct Sweep {
    node::TimerId timer;
    bool scheduled = false;
    bool more_to_do = false;  // the last run stopped at its limit: the next one follows soon
    void schedule(Duration interval, LocalTime now, node::Effects& out);
  };
  // Sessions are looked at every eighth of one (maybeFenceStaleBroker), and again soon after one has ended.
  // Turns at which none has ended are not taken.
  struct SessionCheck {
    Duration period;
    LocalTime next_turn;
    Alarm alarm{kSessionTimer};
    void await(std::optional<LocalTime> expiry, node::Effects& out);
  };
  struct Active {  // what only the active controller has
    Active(const ControllerConfig& config, QuorumEpoch epoch, const metadata::MetadataImage& image,
           const RegistrationOffsets& registered, LocalTime now)
        : quorum_epoch(epoch),
          committed(image),
          registered_at(registered),
          replication(config, image),
          cluster(config, image, registered, now),
          session_check{session_check_period(config), now + session_check_period(config)} {}

    QuorumEpoch quorum_epoch;
    // To go back to. The image proper is ahead of it by what is written and not committed.
    metadata::MetadataImage committed;
    RegistrationOffsets registered_at;
    ReplicationControl replication;
    ClusterControl cluster;
    std::deque<PendingAnswer> pending{};  // `end` never falls
    SessionCheck session_check;
    Sweep balance{kBalanceTimer};
    Sweep unclean{kUncleanTimer};
  };

  static Duration session_check_period(const ControllerConfig& config);

  void receive(const Envelope& request, const Context& context);
  void timer_fired(node::TimerId timer, const Context& context);
  void disconnected(const Channel& channel);

  void on(const ApiVersionsRequest& request, const Envelope& from, const Context& context);
  void on(const CreateTopicsRequest& request, const Envelope& from, const Context& context);
  void on(const AllocateProducerIdsRequest& request, const Envelope& from, const Context& context);
  void on(const AlterPartitionRequest& request, const Envelope& from, const Context& context);
  void on(const BrokerRegistrationRequest& request, const Envelope& from, const Context& context);
  void on(const ControllerRegistrationRequest& request, const Envelope& from, const Context& context);
  void on(const BrokerHeartbeatRequest& request, const Envelope& from, const Context& context);
  void on(const AssignReplicasToDirsRequest& request, const Envelope& from, const Context& context);
  void on(const ElectLeadersRequest& request, const Envelope& from, const Context& context);
  void on(const AlterPartitionReassignmentsRequest& request, const Envelope& from, const Context& context);
  void on(const DeleteTopicsRequest& request, const Envelope& from, const Context& context);
  void on(const IncrementalAlterConfigsRequest& request, const Envelope& from, const Context& context);
  void on(const CreatePartitionsRequest& request, const Envelope& from, const Context& context);

  // ---- Writing. REQUIRES: is_active()
  // Writes and replays; nothing if there are no records. False: it turned out to lead no more, and renounced.
  bool write(std::vector<MetadataRecord> records, const Context& context);
  bool append(std::vector<MetadataRecord> records, const Context& context);
  // Writes, and answers once that is committed.
  void conclude(const Envelope& request, std::vector<MetadataRecord> records, Message answer,
                const Context& context);
  template <class Answer>
  void conclude(const Envelope& request, Decision<Answer> decision, const Context& context) {
    conclude(request, std::move(decision.records), std::move(decision.answer), context);
  }
  void schedule_no_op(const Context& context);
  void check_sessions(const Context& context);
  void settle(const Context& context);  // what follows each event: alarms, sweeps

  // ---- Replaying
  void replay(const Batch& batch, const Context& context);
  void replay(const std::vector<MetadataRecord>& records, Offset base_offset, bool tells, node::Effects& out);
  void tell_of(const MetadataRecord& record, Offset offset, node::Effects& out) const;
  void tell_of_topics(const std::vector<TopicId>& created, std::size_t told_before, node::Effects& out) const;
  void report_replayed(node::Effects& out) const;

  ControllerBoot boot_;
  metadata::MetadataImage image_;
  RegistrationOffsets registered_at_;  // of a standby
  std::optional<Active> active_;
};

}  // namespace sim::controller
