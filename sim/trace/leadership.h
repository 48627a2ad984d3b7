#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "observe/observation.h"
#include "observe/partition_map.h"

// leadership.csv: every change of who leads a partition, in which epoch, with which ISR.
//
// A row is the whole state of one partition from its time on, so a reader needs no memory. `event` says what
// made the row: leader (`offset` = where its epoch starts), leader_stopped (nobody leads), isr,
// high_watermark (the first advance under this leader: from here on the partition works again), truncated
// (`offset` = the new log end of broker `replica`).
namespace sim::trace {

class Leadership final : public observe::Observer {
 public:
  void on(const observe::Observation& observation) override;

  // With its header.
  std::string csv() const;

 private:
  struct Partition {
    NodeId leader = kNoNode;
    ProcessId process = kNoProcess;
    LeaderEpoch leader_epoch = kNoLeaderEpoch;
    std::vector<NodeId> isr;
    bool has_advanced = false;  // the high watermark, under this leader
  };
  struct Row {
    Instant at;
    TopicPartition tp;
    const char* event;
    NodeId leader;
    LeaderEpoch leader_epoch;
    std::vector<NodeId> isr;
    Offset offset;
    NodeId replica;
  };

  void add(const char* event, TopicPartition tp, const Partition& partition, Offset offset,
           NodeId replica = kNoNode);
  void on(const observe::BecameLeader& fact, ProcessId process);
  void on(const observe::IsrChanged& fact, ProcessId process);
  void on(const observe::HighWatermarkAdvanced& fact, ProcessId process);
  void stopped(ProcessId process);

  observe::TopicNames topics_;
  observe::PartitionMap<Partition> partitions_;
  std::vector<Row> rows_;
  Instant now_{};
};

}  // namespace sim::trace
