#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "controller/cluster_control.h"
#include "controller/controller.h"
#include "controller/decision.h"
#include "controller/metadata_log.h"
#include "controller/parked_fetches.h"
#include "controller/replication_control.h"
#include "metadata/metadata_image.h"
#include "node/node.h"

namespace sim::controller {

// The process behind boot_controller. One event after the other, as QuorumController's queue: a decision is made
// from the image, its records are written and replayed at once, so that the next decision sees them; its answer
// waits until everything written so far is committed. A refused request is answered at once.
class QuorumController final : public node::Node {
 public:
  QuorumController(const ControllerBoot& boot, const log::LogImage* image);

  std::unique_ptr<node::Node> clone() const override { return std::make_unique<QuorumController>(*this); }
  void step(node::Input& input, node::Env env, node::Effects& out) override;

 private:
  struct PendingAnswer {
    Offset end = 0;  // everything below it must be committed
    Channel channel;
    CorrelationId correlation = 0;
    Message answer;
  };
  struct CreatedTopic {  // to be told when it is committed
    Offset offset = 0;
    TopicId id = kNoTopic;
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

  bool is_active() const { return voters_.front() == self_; }
  void activate(node::Env env, node::Effects& out);
  void receive(const Envelope& request, node::Env env, node::Effects& out);
  void timer_fired(node::TimerId timer, node::Env env, node::Effects& out);
  void persisted(const node::Persisted& done, node::Env env, node::Effects& out);
  void disconnected(const Channel& channel);

  void on(const ApiVersionsRequest& request, const Envelope& from, node::Env env, node::Effects& out);
  void on(const FetchRequest& request, const Envelope& from, node::Env env, node::Effects& out);
  void on(const CreateTopicsRequest& request, const Envelope& from, node::Env env, node::Effects& out);
  void on(const AllocateProducerIdsRequest& request, const Envelope& from, node::Env env, node::Effects& out);
  void on(const AlterPartitionRequest& request, const Envelope& from, node::Env env, node::Effects& out);
  void on(const BrokerRegistrationRequest& request, const Envelope& from, node::Env env, node::Effects& out);
  void on(const BrokerHeartbeatRequest& request, const Envelope& from, node::Env env, node::Effects& out);

  // Writes and replays; nothing if there are no records.
  void write(std::vector<MetadataRecord> records, node::Env env, node::Effects& out);
  void replay(const Batch& batch, LocalTime now);
  void note_created_topics(const Batch& batch);
  void answer_when_committed(const Envelope& request, Message answer, node::Effects& out);
  void settle(node::Env env, node::Effects& out);  // what follows each event: alarms, sweeps

  FetchResponse fetch_response(const FetchRequest& request) const;
  bool has_news_for(const FetchRequest& request) const;
  void answer_fetches(const std::vector<ParkedFetches::Fetch>& fetches, node::Effects& out) const;

  ProcessId self_;
  NodeId id_;
  ControllerConfig config_;
  std::vector<ProcessId> voters_;
  std::vector<MetadataRecord> bootstrap_;

  MetadataLog log_;
  metadata::MetadataImage image_;  // everything written, committed or not
  ReplicationControl replication_;
  ClusterControl cluster_;

  std::deque<PendingAnswer> pending_;  // `end` never falls
  std::deque<CreatedTopic> created_;
  ParkedFetches parked_;
  Alarm session_alarm_;
  Alarm fetch_alarm_;
  Sweep balance_;
  Sweep unclean_;
};

}  // namespace sim::controller
