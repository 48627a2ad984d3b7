#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "observe/leaders.h"
#include "observe/observation.h"
#include "observe/partition_map.h"

// What became of controllers, brokers and partitions, and when faults struck: lists in the order of time,
// from which failover times and gauges are read when the run is over.
//
// Decisions count from when the active controller knows them committed; one that is told twice counts once.
namespace sim::metrics {

inline constexpr std::int64_t kStillLasts = -1;

class ClusterTimeline {
 public:
  struct Strike {
    FaultId fault;
    std::int64_t from = 0;
    std::int64_t to = kStillLasts;
    std::vector<ProcessId> touched;
    std::int64_t effects = 0;
    std::vector<observe::AdminAnswered> answers{};  // that its operator got
    std::vector<observe::RoleMissed> missed{};      // of its targets: nobody who is up
    ProcessId controller = kNoProcess;              // active when it struck
    std::size_t leaders_before = 0;                 // changes of leaders until then
  };
  struct ControllerChange {
    std::int64_t at = 0;
    ProcessId process;
    bool active = false;
  };
  struct BrokerChange {  // fenced or unfenced
    std::int64_t at = 0;
    NodeId broker;
    bool fenced = false;
  };
  struct PartitionChange {
    std::int64_t at = 0;
    TopicPartition tp;
    NodeId leader = kNoNode;
    NodeId leader_before = kNoNode;
    bool first = false;  // of this partition: its creation
    bool under_replicated = false;
    bool gone = false;  // deleted with its topic
  };
  // Nobody leads: from the end of the leader's process or of its office until the next takes over.
  struct Gap {
    TopicPartition tp;
    std::int64_t from = 0;
    std::int64_t to = kStillLasts;
  };

  void on(const observe::TopicCreated& fact) { topics_.on(fact); }
  void on(const observe::TopicDeleted& fact, const observe::Observation& seen);
  void on(const observe::Elected& change, const observe::Observation& seen);
  void on(const observe::TookOver& change, const observe::Observation& seen);
  void on(const observe::Left& change, const observe::Observation& seen);
  void on(const observe::ControllerSeated& change, const observe::Observation& seen);
  void on(const observe::BrokerRated& change, const observe::Observation& seen);
  void on(const observe::MetadataCommitted& fact, const observe::Observation& seen);
  void on(const observe::QuorumRoleChanged& fact, const observe::Observation& seen);
  void on(const observe::FaultStruck& fact, const observe::Observation& seen);
  void on(const observe::FaultEnded& fact, const observe::Observation& seen);
  void on(const observe::LogLost& fact, const observe::Observation& seen);
  void on(const observe::AdminAnswered& fact);
  void on(const observe::RoleMissed& fact);

  const std::vector<Strike>& strikes() const { return strikes_; }
  const std::vector<ControllerChange>& controllers() const { return controllers_; }
  const std::vector<BrokerChange>& brokers() const { return brokers_; }
  const std::vector<PartitionChange>& partitions() const { return partitions_; }
  const std::vector<Gap>& gaps() const { return gaps_; }
  // Of every partition: somebody is elected, and no replica is missed.
  bool every_isr_is_full() const { return lacking_ == 0; }
  struct Loss {  // of a replica's log, or of what of it was not flushed
    std::int64_t at = 0;
    TopicPartition tp;
    NodeId broker;
  };
  const std::vector<Loss>& losses() const { return losses_; }
  // When the leader of the quorum knew more of the metadata log committed than anybody before, each time.
  const std::vector<std::int64_t>& metadata_commits() const { return metadata_commits_; }
  // When a voter first was in a quorum epoch higher than any before, each time, since there was a first
  // leader.
  const std::vector<std::int64_t>& quorum_epochs() const { return quorum_epochs_; }
  const observe::TopicNames& topics() const { return topics_; }

 private:
  struct Partition {
    bool is_decided = false;
    bool lacks = false;  // a leader, or replicas
    NodeId elected = kNoNode;
    std::size_t gap = kNoGap;  // the one that is open
  };
  static constexpr std::size_t kNoGap = static_cast<std::size_t>(-1);

  void note_lack(Partition& partition, bool lacks);
  void begin_gap(TopicPartition tp, const observe::Observation& seen);

  ProcessId controller_ = kNoProcess;  // the latest that has not resigned; it may have ended
  observe::PartitionMap<Partition> state_;
  observe::TopicNames topics_;
  std::vector<Strike> strikes_;
  std::vector<ControllerChange> controllers_;
  std::vector<BrokerChange> brokers_;
  std::vector<PartitionChange> partitions_;
  std::vector<Gap> gaps_;
  std::vector<Loss> losses_;
  std::size_t lacking_ = 0;  // partitions
  std::vector<std::int64_t> metadata_commits_;
  Offset metadata_committed_ = 0;
  std::vector<std::int64_t> quorum_epochs_;
  QuorumEpoch highest_quorum_epoch_{-1};
  bool had_quorum_leader_ = false;
};

}  // namespace sim::metrics
