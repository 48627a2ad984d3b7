#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "partition/partition_table.h"
#include "protocol/messages.h"
#include "server/deadline_queue.h"
#include "server/reply_to.h"

// Appends with acks=all that wait until their data is replicated (DelayedProduce in Kafka).
//
// An operation waits on each of its partitions until the high watermark has passed what it appended there,
// or the partition failed it; it is done when none is left. Per partition those that wait stand in order of
// the offset they need, so an advance touches only what it completes. Deadlines lie in a queue shared with
// fetches (DeadlineQueue); who is woken when is told by ReplicaManager.
namespace sim::replica {

using partition::kNotLocal;
using partition::LocalIndex;
using partition::Partition;
using partition::PartitionTable;
using server::DeadlineQueue;
using server::ReplyTo;

// Produce and fetch share one queue of deadlines.
constexpr DeadlineQueue::Key deadline_of_produce(std::uint32_t key) {
  return key * 2;
}
constexpr DeadlineQueue::Key deadline_of_fetch(std::int32_t session) {
  return static_cast<DeadlineQueue::Key>(session) * 2 + 1;
}

// An append that a coordinator of this broker asked for; unique within an incarnation.
using AppendId = Id<struct AppendTag, std::uint64_t>;
// Who is told what became of an append: a client, or a coordinator of this broker.
using Appender = std::variant<ReplyTo, AppendId>;

struct AppendOutcome {
  Appender who;
  std::vector<ProduceResponse::Partition> partitions;
};

class ProducePurgatory {
 public:
  struct Operation {
    AppendOutcome outcome;
    std::vector<Offset> required;  // by partition of the outcome; kNoOffset = does not wait for it
  };

  // REQUIRES: some partition is to be waited for. Its key for the deadline and expire().
  std::uint32_t park(Operation operation, const PartitionTable& table);

  // What waits on `local` for no more than its high watermark, or all of it if the partition is no longer led
  // here, learns it; operations that are done are added to `done`.
  void check(LocalIndex local, const Partition& partition, DeadlineQueue& deadlines,
             std::vector<AppendOutcome>& done);
  void fail_all(LocalIndex local, ErrorCode error, DeadlineQueue& deadlines,
                std::vector<AppendOutcome>& done);
  // Its time is up: what still waits is REQUEST_TIMED_OUT.
  AppendOutcome expire(std::uint32_t key);

  bool is_waiting(LocalIndex local) const {
    return static_cast<std::size_t>(local) < waiting_.size() &&
           !waiting_[static_cast<std::size_t>(local)].empty();
  }

 private:
  struct Waiting {
    Offset required = 0;
    std::uint32_t key = 0;
    std::uint32_t partition = 0;  // of the outcome
  };
  struct Slot {
    Operation operation;
    std::vector<LocalIndex> locals;
    std::uint32_t left = 0;
  };

  void resolve(const Waiting& waiting, ErrorCode error, DeadlineQueue& deadlines,
               std::vector<AppendOutcome>& done);
  AppendOutcome release(std::uint32_t key);

  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
  std::vector<std::vector<Waiting>> waiting_;  // by local index, by required offset
};

}  // namespace sim::replica
