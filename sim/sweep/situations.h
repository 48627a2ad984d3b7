#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "observe/observation.h"
#include "observe/partition_map.h"

// Rare situations by name: whether a run has been in each. A sweep in which nothing of the kind ever happened
// has tested nothing of the kind, however green it is (FoundationDB's and Antithesis' "sometimes"
// assertions).
namespace sim::sweep {

class Situations final : public observe::Observer {
 public:
  void on(const observe::Observation& observation) override;

  const std::set<std::string>& seen() const { return seen_; }
  void add(std::string name) { seen_.insert(std::move(name)); }

 private:
  struct Partition {
    NodeId leader = kNoNode;
    NodeId last_leader = kNoNode;
    std::vector<NodeId> isr;
    std::vector<NodeId> elr;
    bool is_known = false;
  };

  void on_fact(const observe::QuorumRoleChanged& fact, ProcessId process);
  void on_fact(const observe::QuorumVoteAnswered& fact);
  void on_fact(const observe::BatchAcknowledged& fact);
  void on_fact(const observe::RecordFailed& fact);
  void on_fact(const observe::CommitAcknowledged& fact);
  void on_fact(const observe::PartitionChanged& fact);
  void on_fact(const observe::BrokerStateChanged& fact);
  void on_fact(const observe::ControllerChanged& fact);
  void on_fact(const observe::GroupStateChanged& fact);
  void on_fact(const observe::LogLost& fact);
  void on_fact(const observe::LogTruncated& fact);
  // Of a replica, as far as it knows
  void on_high_watermark(TopicPartition tp, NodeId broker, Offset to);

  std::set<std::string> seen_;
  observe::PartitionMap<Partition> partitions_;
  observe::PartitionMap<std::map<NodeId, Offset>> high_watermarks_;
  std::map<ProcessId, observe::QuorumRole> roles_;  // of those that are up
};

// All that there are names for. A name that is none of these is an error of whoever requires it.
const std::vector<std::string>& known_situations();

}  // namespace sim::sweep
