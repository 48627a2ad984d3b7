#pragma once

#include <vector>

#include "node/network_client.h"
#include "node/node.h"
#include "protocol/envelope.h"
#include "protocol/messages.h"

// Follows the metadata log of one controller by fetching, and hands on what is committed (interim: an
// observer of the raft quorum takes its place, and with it the choice of whom to follow).
//
// Keeps nothing on disk: after a restart it reads the log from its beginning.
namespace sim::broker {

class MetadataFollower {
 public:
  MetadataFollower(ProcessId self, NodeId id, ProcessId controller);

  void start(node::Env env, node::Effects& out);
  bool owns(const node::Input& input) const;
  // Batches that became committed, in order.
  std::vector<Batch> step(node::Input& input, node::Env env, node::Effects& out);

  ProcessId controller() const { return controller_; }

 private:
  void fetch(node::Env env, node::Effects& out);
  std::vector<Batch> on(FetchResponse& response, node::Env env, node::Effects& out);

  node::NetworkClient client_;
  NodeId id_;
  ProcessId controller_;
  Offset end_ = 0;
  LeaderEpoch last_epoch_ = kNoLeaderEpoch;
  Offset high_watermark_ = 0;
  std::vector<Batch> uncommitted_;
};

}  // namespace sim::broker
