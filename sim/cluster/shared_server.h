#pragma once

#include <memory>
#include <optional>

#include "broker/broker.h"
#include "controller/quorum_controller.h"
#include "metadata/snapshot_generator.h"
#include "node/durable_image.h"
#include "node/node.h"
#include "raft/replica.h"
#include "server/controller_registration.h"

// A server process (SharedServer, KafkaRaftServer): one replica of the metadata log, and the roles that share
// it. A dedicated controller is a voter with a controller, a dedicated broker an observer with a broker, and
// in combined mode one process has all three.
//
// It takes every input to the part that it concerns, and what the replica tells to the controller first, then
// to the broker. It reports what the roles have replayed, and writes snapshots of it.
//
// SIGTERM: the broker winds up first, then the replica steps down and leaves (up to 5 s), then the process
// ends. It also ends when its broker could not register, and where Kafka's fault handler ends it.
namespace sim::cluster {

struct ServerBoot {
  raft::ReplicaSpec quorum;
  std::optional<controller::ControllerBoot> controller;
  std::optional<broker::BrokerBoot> broker;
  metadata::SnapshotConfig snapshots;
};

class SharedServer final : public node::Node {
 public:
  SharedServer(const ServerBoot& boot, const node::DurableImage& image);

  std::unique_ptr<node::Node> clone() const override { return std::make_unique<SharedServer>(*this); }
  void step(node::Input& input, node::Env env, node::Effects& out) override;
  void report_performed(const std::vector<node::PersistId>& ids, const node::DurableImage& image,
                        node::Effects& out) const override {
    if (broker_) broker_->report_performed(ids, image, out);
  }

  const raft::Replica& replica() const { return replica_; }
  const controller::QuorumController* controller() const { return controller_ ? &*controller_ : nullptr; }
  const broker::Broker* broker() const { return broker_ ? &*broker_ : nullptr; }

 private:
  struct Step {
    node::Env env;
    node::Effects& out;
  };

  void start(const Step& step);
  void stop(const Step& step);
  void wind_up(const Step& step);
  void route(node::Part part, node::Input& input, const Step& step);
  void step_broker(node::Part part, node::Input& input, const Step& step);
  bool has_lost_metadata_directory(const node::Input& input) const;

  void handle(raft::Replica::Events events, const Step& step);
  void on(raft::Replica::Committed& event, const Step& step);
  void on(raft::Replica::SnapshotLoaded& event, const Step& step);
  void on(raft::Replica::LeaderChanged& event, const Step& step);
  void on(raft::Replica::LeadershipWon& event, const Step& step);
  void on(raft::Replica::LeadershipLost& event, const Step& step);
  void on(raft::Replica::ShutDown& event, const Step& step);
  void on(raft::Replica::Failed& event, const Step& step);

  controller::QuorumController::Context context(const Step& step) { return {replica_, step.env, step.out}; }
  void report_replayed(const Step& step) const;  // by the broker
  void maybe_write_snapshot(const Step& step);

  ProcessId self_;
  bool lacks_metadata_directory_;  // cannot open it
  raft::Replica replica_;
  std::optional<controller::QuorumController> controller_;
  std::optional<server::ControllerRegistration> registration_;  // of the controller
  std::optional<broker::Broker> broker_;
  metadata::SnapshotGenerator snapshots_;
  bool leaves_quorum_ = false;
};

}  // namespace sim::cluster
