#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "server/context.h"
#include "server/controller_channel.h"

// A broker's life, as it is agreed with the active controller (BrokerLifecycleManager): it registers, then
// heartbeats on a connection of its own.
//
//   not_running                    start()
//   starting                       registers, then tells every 10 ms how far it has replayed the metadata,
//                                  until the controller says that it has caught up with its registration
//   recovery                       asks to be unfenced, once its owner is ready
//   running                        serves; heartbeats every broker.heartbeat.interval.ms
//   pending_controlled_shutdown    asks to be let go, until its leaders have moved and all active brokers
//                                  know
//   shutting_down                  for good. Also where a start ends that was not registered in time
//                                  (initial.broker.registration.timeout.ms)
//
// One request is under way at a time. After a failure the next follows broker.heartbeat.interval.ms later, as
// after a success (Kafka 4.1; before that an exponential back-off). So a broker that may not register yet,
// since the session of its last life is still valid, asks every two seconds. One that was fenced while it was
// running stays running and asks to be unfenced with every heartbeat.
//
// Deliberately different: the first life of a broker goes on from one that was up before the run (its
// registration is in the bootstrap records), so it never asks to be fenced, and may be anywhere between two
// heartbeats. ZooKeeper migration is left
// out.
namespace sim::broker {

using server::BrokerConfig;
using server::Context;
using server::ControllerChannel;

enum class BrokerState : std::uint8_t {
  not_running,
  starting,
  recovery,
  running,
  pending_controlled_shutdown,
  shutting_down,
};

class Lifecycle {
 public:
  struct Identity {
    ProcessId process;
    NodeId id;
    std::string rack;
    Incarnation incarnation;
    BrokerEpoch previous_broker_epoch = kNoBrokerEpoch;  // -1: the last life did not end cleanly
    std::vector<DirectoryId> log_dirs{};                 // that are online; empty: it has only one
    // Of the first heartbeat that is not sent in haste; 0: broker.heartbeat.interval.ms, as of all others.
    Duration first_interval{};
  };

  Lifecycle(Identity identity, const BrokerConfig& config);

  void start(const Context& context);
  void set_controller(ProcessId controller, const Context& context);
  void set_ready_to_unfence(const Context& context);
  void begin_controlled_shutdown(const Context& context);
  void begin_shutdown(const Context& context);
  // The controller is told at once. Without its answer for log.dir.failure.timeout.ms the broker shuts down.
  void directory_failed(DirectoryId directory, const Context& context);

  void step(node::Input& input, const Context& context);

  BrokerState state() const { return state_; }
  // As registered; -1 before.
  BrokerEpoch broker_epoch() const { return broker_epoch_; }
  // The first life goes on from one before the run.
  bool is_first_life() const { return identity_.incarnation == Incarnation{}; }
  bool is_ready_to_unfence() const { return ready_to_unfence_; }

 private:
  void communicate(const Context& context);
  void send(Message request, const Context& context);
  void handle(const ControllerChannel::Answers& answers, const Context& context);
  void on(const BrokerRegistrationResponse& response, const Context& context);
  void on(const BrokerHeartbeatResponse& response, const Context& context);
  void schedule(Duration delay, const Context& context);
  void schedule_in_an_interval(const Context& context);
  void schedule_after_failure(const Context& context);

  struct OfflineDirectory {
    DirectoryId id;
    LocalTime tell_until{};
    bool is_told = false;
  };
  void await_news_told(const Context& context);

  Identity identity_;
  ControllerChannel channel_;
  BrokerState state_ = BrokerState::not_running;
  BrokerEpoch broker_epoch_ = kNoBrokerEpoch;
  bool ready_to_unfence_ = false;
  bool registered_ = false;
  bool communication_in_flight_ = false;
  bool next_is_immediate_ = false;  // asked for while a request was under way
  bool got_controlled_shutdown_response_ = false;
  std::vector<OfflineDirectory> offline_directories_;
  std::size_t offline_directories_sent_ = 0;  // in the request under way
};

}  // namespace sim::broker
