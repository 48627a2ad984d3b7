#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "observe/leaders.h"
#include "observe/observation.h"
#include "observe/partition_map.h"

// What every replica's log holds, batch by batch, as far as facts tell.
//
// The log of a partition is what its leader's replica holds: the latest leader's, whatever a replaced one
// still appends. It is kept once, in 24 bytes a batch; a replica is how much it shares with it and, seldom,
// what it holds beyond. Another leader makes its own replica the log: LeaderLogChange says what went and what
// came.
//
// It judges nothing. Entries below a log's start are kept: deleted by retention is not lost. A replica that
// nothing was heard of before it leads is taken to hold all below its epoch's start.
namespace sim::observe {

// A batch at its place, as far as two of them are told apart.
struct LogEntry {
  Offset end_offset = 0;
  std::uint64_t content = 0;  // kUnknown: found at a start, and never told of
  LeaderEpoch leader_epoch = kNoLeaderEpoch;
  std::int32_t count = 0;

  static constexpr std::uint64_t kUnknown = 0;

  Offset base_offset() const { return end_offset - count; }
  bool operator==(const LogEntry&) const = default;
};
LogEntry entry_of(const Batch& batch);
std::uint64_t content_of(const BatchData& data, Offset base_offset, LeaderEpoch leader_epoch,
                         std::int32_t count);

// The first entry that ends above `offset`.
std::vector<LogEntry>::const_iterator entry_above(const std::vector<LogEntry>& log, Offset offset);

// The log of a partition is no longer what it was, other than by its leader's appending.
struct LeaderLogChange {
  TopicPartition tp;
  Offset kept_end = 0;  // all below has stayed
  std::vector<LogEntry> dropped{};
  std::vector<LogEntry> added{};
};

class ReplicaLogs {
 public:
  struct Replica {
    NodeId broker = kNoNode;
    Offset start = 0;
    Offset high_watermark = 0;
    Offset exposed = 0;      // the highest its high watermark ever was
    std::size_t shared = 0;  // entries of the log that it has, from the first
    Offset shared_end = 0;
    std::vector<LogEntry> tail;  // what it holds instead of, or beyond, the rest

    Offset end() const { return tail.empty() ? shared_end : tail.back().end_offset; }
  };
  struct Partition {
    std::vector<LogEntry> log;  // of the latest leader
    std::vector<Replica> replicas;
    NodeId leader = kNoNode;  // the latest
    LeaderEpoch leader_epoch = kNoLeaderEpoch;
    Incarnation leader_life{};
    bool is_led = false;      // as the controller has it
    bool is_deleted = false;  // with its topic

    Offset end() const { return log.empty() ? 0 : log.back().end_offset; }
    const Replica* replica(NodeId broker) const;
  };

  void on(const BatchAppended& fact);
  void on(const ReplicaAppended& fact);
  void on(const HighWatermarkAdvanced& fact) { raise_high_watermark(fact.tp, fact.broker, fact.to); }
  void on(const FollowerHighWatermarkAdvanced& fact) { raise_high_watermark(fact.tp, fact.broker, fact.to); }
  void on(const BecameLeader& fact, const Observation& seen) { note_process(fact.broker, seen); }
  void on(const BecameFollower& fact, const Observation& seen);
  void on(const ReplicaOpened& fact, const Observation& seen);
  void on(const TookOver& change, const Observation& seen);
  void on(const Elected& change);
  void on(const LogTruncated& fact) { truncate(fact.tp, fact.broker, fact.to); }
  void on(const LogLost& fact);
  void on(const LogDeleted& fact) { truncate(fact.tp, fact.broker, 0); }
  void on(const LogStartRaised& fact);
  void on(const TopicDeleted& fact);
  void on(const ProcessStarted&, const Observation& seen) { life(seen, true); }
  void on(const ProcessStopped&, const Observation& seen) { life(seen, false); }

  // What the latest of BatchAppended, ReplicaAppended and TookOver changed of a log; null: nothing, or its
  // leader appended at its end. Valid until the next of them.
  const LeaderLogChange* change() const { return changed_ ? &change_ : nullptr; }

  const Partition* find(TopicPartition tp) const { return partitions_.find(tp); }
  const PartitionMap<Partition>& partitions() const { return partitions_; }

  bool is_up(NodeId broker) const;
  // The latest leader still lives, and no one was told to take its place.
  bool has_leader(const Partition& partition) const;
  // Where the log ends for good, if nothing more happens: the leader's end; of a partition without one, what
  // the fullest replica holds of it, on whatever disk it is intact. What lies above is lost, what lies below
  // unavailable at worst. A topic that an operator has deleted loses nothing thereby.
  Offset final_end(const Partition& partition) const;
  // The first offset, below both high watermarks, at which two replicas differ; kNoOffset: none. Those that
  // are down do not count: what they have they will compare before anybody sees it.
  Offset divergence(const Partition& partition) const;

 private:
  void life(const Observation& observation, bool starts);
  void raise_high_watermark(TopicPartition tp, NodeId broker, Offset to);

  Replica* find_replica(Partition& partition, NodeId broker);
  Replica& replica(Partition& partition, NodeId broker);
  void append(TopicPartition tp, NodeId broker, const Batch& batch);
  void follow(Partition& partition, Replica& replica, const LogEntry& entry, bool is_compacted);
  void truncate(TopicPartition tp, NodeId broker, Offset to);
  static void match(const Partition& partition, Replica& replica);
  void note_process(NodeId broker, const Observation& observation);

  struct Broker {
    ProcessId process = kNoProcess;
    Incarnation life{};
    bool is_up = false;
  };
  PartitionMap<Partition> partitions_;
  std::vector<Broker> brokers_;  // by id
  LeaderLogChange change_;
  bool changed_ = false;
};

}  // namespace sim::observe
