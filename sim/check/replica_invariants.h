#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "check/former_behaviour.h"
#include "check/violation.h"
#include "observe/leaders.h"
#include "observe/observation.h"
#include "observe/partition_map.h"
#include "observe/replica_logs.h"

// What must hold of replicated logs, looked at whenever one of them changes.
//
//   acked-never-lost          what was acknowledged with acks=all is in the log of every later leader
//   replicas-agree            no two replicas differ below both their high watermarks
//   exposed-never-changes     an offset that could be read once never shows another record
//   high-watermark-covered    every member of the maximal ISR holds all below its leader's high watermark,
//   and whoever
//                             is proposed to join all that was ever exposed
//   high-watermark-within-log a follower's high watermark never passes the end of its log
//   high-watermark-min-isr    the high watermark stands still while the ISR is below min.insync.replicas
//   read-below-high-watermark a consumer gets nothing at or above the high watermark of the broker that
//   served it
//
// Kafka keeps the first three under premises. Where one of them was broken (an election from outside ISR and
// ELR; as many replicas losing the record with their disks as it was promised to be on; behaviour of former
// times, switched on), losing a record is no violation but a Loss, which says when and why.
namespace sim::check {

struct ReplicaPromise {
  std::vector<bool> acks_all_of_flow;  // by FlowId
  FormerBehaviour history{};
  std::vector<bool> acks_all_of_hop{};  // by hop - 1
};

// A part of a log that its new leader does not have.
struct Loss {
  Instant at;
  TopicPartition tp;
  Offset from = 0;
  Offset to = 0;
  Offset acked_to = 0;  // below it, what was there was acknowledged with acks=all
  NodeId leader = kNoNode;
  LeaderEpoch leader_epoch = kNoLeaderEpoch;
  std::string cause;
  bool premise_broken = false;
};

// What took a part of a log from the disks of its replicas.
struct Taken {
  Instant at;  // the last time
  std::string what;
};

class ReplicaInvariants {
 public:
  explicit ReplicaInvariants(ReplicaPromise promise) : promise_(std::move(promise)) {}

  // What is told from here on happened in this observation.
  void at(const observe::Observation& seen) {
    violations_.at(seen);
    now_ = seen.at;
  }
  // `logs` as they are after what is told.
  void on(const observe::TopicCreated& fact) { topics_.on(fact); }
  void on(const observe::Elected& change);
  void on(const observe::TookOver& change, const observe::ReplicaLogs& logs);
  void on(const observe::HighWatermarkAdvanced& fact, const observe::ReplicaLogs& logs);
  void on(const observe::FollowerHighWatermarkAdvanced& fact, const observe::ReplicaLogs& logs);
  void on(const observe::BatchAcknowledged& fact, const observe::ReplicaLogs& logs);
  void on(const observe::LogLost& fact);
  void on(const observe::RecordsPolled& fact, const observe::ReplicaLogs& logs);
  void on(const observe::IsrChanged& fact);
  void on(const observe::IsrProposed& fact, const observe::ReplicaLogs& logs);
  void on(const observe::IsrProposalDropped& fact);
  // A replica that was taken from a broker is in the ISR until its leader hears of it.
  void on(const observe::LogDeleted& fact) { std::erase(partitions_[fact.tp].maximal_isr, fact.broker); }

  const std::vector<Violation>& violations() const { return violations_.all(); }
  // In order of time.
  const std::vector<Loss>& losses() const { return losses_; }
  // From here on the quorum has forgotten what it had decided: who leads and who is in sync is decided anew,
  // of replicas as they are.
  void quorum_forgot();

  // When two replicas of the partition were first seen to differ below both high watermarks; nullopt: never.
  std::optional<Instant> first_divergence(TopicPartition tp) const;
  // What took something of [from, to) from disks, from `since` on; nullopt: nothing did.
  std::optional<Taken> taken(TopicPartition tp, Offset from, Offset to, Instant since) const;

 private:
  enum class Election : std::uint8_t { clean, last_known_leader, unclean };
  struct Shortened {  // a replica's log, by what happened to its disk
    NodeId broker;
    Instant at;
    Offset from = 0;
    Offset to = 0;
    bool wiped = false;
  };
  struct Excused {
    NodeId broker;
    Offset until = 0;  // where its log ended before
  };
  struct Partition {
    std::vector<NodeId> isr;          // as the leader has it committed
    std::vector<NodeId> maximal_isr;  // and what it has proposed
    std::vector<NodeId> may_lead;  // ISR and those of the ELR that are replicas, as the controller has them
    NodeId decided_leader = kNoNode;
    LeaderEpoch decided_epoch = kNoLeaderEpoch;
    Election election = Election::clean;  // of the decided leader
    NodeId leader = kNoNode;              // that has taken over
    Offset exposed_end = 0;               // of the log as it is
    Offset acked_end = 0;                 // of what was acknowledged with acks=all
    std::int32_t min_isr = 1;
    bool premise_broken = false;                    // once: what follows is under no promise
    std::vector<observe::LogEntry> once_exposed{};  // and gone
    std::vector<Shortened> shortened{};
    std::vector<Excused> excused{};  // lost their disks' contents, and do not hold all again
    std::optional<Instant> diverged{};
  };

  static std::ptrdiff_t disks_that_lost(const Partition& partition, Offset kept, Offset end);
  void lost(Partition& partition, const observe::BecameLeader& fact, const observe::LeaderLogChange& change);
  void check_agreement(TopicPartition tp, const observe::ReplicaLogs& logs);
  void check_covered(const observe::HighWatermarkAdvanced& fact, Partition& partition,
                     const observe::ReplicaLogs::Partition& log);
  void check_unchanged(const observe::HighWatermarkAdvanced& fact, Partition& partition,
                       const observe::ReplicaLogs::Partition& log);
  static std::optional<Taken> taken(const Partition& partition, Offset from, Offset to, Instant since);
  std::string why(const Partition& partition, const observe::BecameLeader& fact,
                  const observe::LeaderLogChange& change) const;
  void violated(const char* invariant, std::string what) { violations_.add(invariant, std::move(what)); }
  bool is_excused(const Partition& partition) const {
    return partition.premise_broken || !promise_.history.words.empty();
  }

  ReplicaPromise promise_;
  observe::TopicNames topics_;
  observe::PartitionMap<Partition> partitions_;
  std::vector<Loss> losses_;
  Violations violations_;
  Instant now_{};
};

}  // namespace sim::check
