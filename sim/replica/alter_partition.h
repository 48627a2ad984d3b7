#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "partition/partition.h"
#include "server/context.h"
#include "server/controller_channel.h"

// Carries the ISR changes of this broker's leaders to the controller (AlterPartitionManager): one request in
// flight, which takes along every partition that waits; one change per partition at a time; tried for ever,
// 50 ms after an error of the whole request, or when a further change comes before.
namespace sim::replica {

using partition::IsrChange;
using server::Context;
using server::ControllerChannel;

class AlterPartitionManager {
 public:
  struct Answer {
    TopicPartition tp;
    IsrChange change;
    AlterPartitionResponse::Partition partition;
  };
  using Answers = std::vector<Answer>;

  explicit AlterPartitionManager(ProcessId self);

  void set_controller(ProcessId controller, const Context& context);
  // False: an earlier change of this partition is not yet answered (OPERATION_NOT_ATTEMPTED).
  [[nodiscard]] bool submit(const IsrChange& change, const Context& context);

  // Propagate once the answers are dealt with: they may lead to new changes.
  void step(node::Input& input, const Context& context, Answers& answers);
  // Sends what waits, unless a request is under way.
  void propagate(const Context& context);

 private:
  void handle(ControllerChannel::Answer& answer, const Context& context, Answers& answers);
  void send(const Context& context);

  ControllerChannel channel_;
  std::vector<IsrChange> unsent_;  // sent or not: until answered
  std::size_t in_flight_ = 0;      // the first so many are in the request under way
  bool answered_ = false;  // the request under way; the next one leaves when the answers are dealt with
  bool backing_off_ = false;
};

}  // namespace sim::replica
