#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "observe/leaders.h"
#include "observe/names.h"
#include "observe/observation.h"
#include "observe/partition_map.h"

// leadership.csv: every change of who leads a partition, in which epoch, with which ISR; of the active
// controller; and of who is fenced.
//
// A row is the whole state of one partition from its time on, so a reader needs no memory. `event` says what
// made the row, `node` which process told it:
//   decided         the active controller has committed it (`offset` = that of its record); no leader: none
//                   is elected
//   leader          the broker has taken over (`offset` = where its epoch starts)
//   leader_stopped  its process has ended: nobody leads
//   isr             the leader has learnt of it
//   high_watermark  the first advance under this leader: from here on the partition works again
//   truncated       `offset` = the new log end of broker `replica`
// `replicas` and `elr` (KIP-966) are as the controller has last committed them.
// The active controller is the leader of __cluster_metadata, and its epoch the quorum's: controller (it is
// active), controller_resigned, controller_stopped. Rows without a topic are about broker `replica`: fenced,
// unfenced, stopping (it is handing over its leaderships).
namespace sim::trace {

class Leadership {
 public:
  struct Row {
    Instant at;
    TopicPartition tp;  // no topic: about a broker
    const char* event;
    NodeId leader;
    std::int32_t epoch;
    std::vector<NodeId> isr;
    Offset offset;
    NodeId replica;
    ProcessId process;
    std::vector<NodeId> replicas{};  // as the controller has assigned them
    std::vector<NodeId> elr{};       // eligible leader replicas (KIP-966)
  };

  explicit Leadership(const observe::Names& names) : processes_(names.processes) {}

  void on(const observe::TopicCreated& fact) { topics_.on(fact); }
  void on(const observe::Elected& change, const observe::Observation& seen);
  void on(const observe::TookOver& change, const observe::Observation& seen);
  void on(const observe::Left& change, const observe::Observation& seen);
  void on(const observe::ControllerSeated& change, const observe::Observation& seen);
  void on(const observe::BrokerRated& change, const observe::Observation& seen);
  void on(const observe::IsrChanged& fact, const observe::Observation& seen);
  void on(const observe::HighWatermarkAdvanced& fact, const observe::Observation& seen);
  void on(const observe::LogTruncated& fact, const observe::Observation& seen);

  const std::vector<Row>& rows() const { return rows_; }
  // With its header.
  std::string csv() const;

 private:
  struct Partition {
    NodeId leader = kNoNode;
    ProcessId process = kNoProcess;  // that took over, until another is elected or it ends
    LeaderEpoch leader_epoch = kNoLeaderEpoch;
    std::vector<NodeId> isr;
    std::vector<NodeId> replicas;
    std::vector<NodeId> elr;
    bool has_advanced = false;  // the high watermark, under this leader
    bool is_down = false;       // its leader's process has ended
  };

  void add(const char* event, const observe::Observation& seen, TopicPartition tp, const Partition& partition,
           Offset offset, NodeId replica = kNoNode);

  std::vector<std::string> processes_;
  observe::TopicNames topics_;
  observe::PartitionMap<Partition> partitions_;
  std::vector<Row> rows_;
};

}  // namespace sim::trace
