#pragma once

#include <cstdint>
#include <map>

#include "server/context.h"
#include "server/controller_channel.h"

// Tells the controller which log directory each replica lies in, where that is not what the metadata says
// (AssignmentsManager, KIP-858). One request is under way at a time, gathered for 100 ms; what was refused is
// told again, after an exponential back-off (up to 10 s) if the whole request was.
namespace sim::replica {

using server::Context;
using server::ControllerChannel;

class DirectoryAssignments {
 public:
  explicit DirectoryAssignments(ProcessId self);

  void set_controller(ProcessId controller, const Context& context);
  void assign(TopicPartition tp, DirectoryId directory, const Context& context);

  void step(node::Input& input, const Context& context);

 private:
  void schedule(const Context& context);
  void send(const Context& context);
  void handle(const ControllerChannel::Answers& answers, const Context& context);
  void on(const AssignReplicasToDirsResponse& response);
  void fail();

  ControllerChannel channel_;
  std::map<TopicPartition, DirectoryId> ready_;
  std::map<TopicPartition, DirectoryId> in_flight_;
  std::int32_t failures_ = 0;  // of whole requests, one after the other
  bool scheduled_ = false;
};

}  // namespace sim::replica
