#pragma once

#include <optional>
#include <vector>

#include "observe/observation.h"
#include "observe/partition_map.h"

// Who leads what: the one place that says which decisions, and which of those who say that they lead, count.
//
// The active controller elects; a broker takes over when it learns of it; it leaves when its process ends.
// Between election and taking over a partition has a leader by name only. A decision that is told again by
// the next controller is no news (its offset shows it). A broker that takes over in a lower leader epoch than
// another before it is deposed and does not know it: it counts for nothing. So does one that was started
// again and finds itself leader in the epoch in which its former life led: it opens its sockets once it is
// unfenced (BrokerServer.startup), and before that its registration has deposed it. One that takes over
// although a later leader is already elected does lead until that one takes over, which is said
// (`is_superseded`).
//
// What changes is handed out as Elected, TookOver, Left, ControllerSeated and BrokerRated; folds heed these
// instead of the facts behind them.
namespace sim::observe {

struct Elected {  // a decision about a partition, each once: also one that leaves its leader as it was
  const PartitionChanged& decision;
  NodeId leader_before = kNoNode;
  bool is_first = false;  // of this partition: its creation
  bool vacates = false;   // nobody is elected, and somebody led until now
};
struct TookOver {
  const BecameLeader& by;
  bool is_superseded = false;  // another leader is elected already
};
struct Left {  // the process that led has ended
  TopicPartition tp;
  bool is_superseded = false;
};
struct ControllerSeated {  // a controller has become active, or none is
  enum class How : std::uint8_t { active, resigned, stopped };
  How how = How::active;
  NodeId node = kNoNode;
  QuorumEpoch quorum_epoch{-1};
};
struct BrokerRated {  // a decision about a broker, each once
  const BrokerStateChanged& decision;
  bool was_fenced = false;
  bool was_in_controlled_shutdown = false;
};

class Leaders {
 public:
  struct Partition {
    // Elected
    bool is_decided = false;
    NodeId elected = kNoNode;
    LeaderEpoch elected_epoch = kNoLeaderEpoch;
    Offset decided_at = kNoOffset;  // the offset of the record
    // In office: who took over last. It stays named when it has left.
    NodeId broker = kNoNode;
    ProcessId process = kNoProcess;
    LeaderEpoch leader_epoch = kNoLeaderEpoch;
    Instant since{};
    bool in_office = false;    // since it took over, until it leaves or nobody is elected
    bool has_stopped = false;  // its process has ended, and nobody has taken over

    bool is_superseded() const { return is_decided && elected_epoch > leader_epoch; }
    // Whom those who have heard the latest news take for the leader: who was elected last; but who took over
    // in a later epoch, if that election was not told yet.
    NodeId latest_leader() const { return elected_epoch >= leader_epoch ? elected : broker; }
  };

  // Calls listen(change) for each change that follows from a fact.
  template <class F, class Listen>
  void on(const F&, const Observation&, Listen) {}
  template <class Listen>
  void on(const PartitionChanged& fact, const Observation&, Listen listen) {
    if (const auto change = decide(fact)) listen(*change);
  }
  template <class Listen>
  void on(const BecameLeader& fact, const Observation& seen, Listen listen) {
    if (const auto change = take_over(fact, seen)) listen(*change);
  }
  template <class Listen>
  void on(const ControllerChanged& fact, const Observation& seen, Listen listen) {
    if (const auto change = seat(fact, seen)) listen(*change);
  }
  template <class Listen>
  void on(const BrokerStateChanged& fact, const Observation&, Listen listen) {
    if (const auto change = rate(fact)) listen(*change);
  }
  template <class Listen>
  void on(const ProcessStopped&, const Observation& seen, Listen listen) {
    for (const Left& change : stop(seen.process)) listen(change);
    if (const auto change = unseat(seen.process)) listen(*change);
  }
  template <class Listen>
  void on(const TopicDeleted& fact, const Observation&, Listen) {
    forget(fact.id);
  }

  const Partition* find(TopicPartition tp) const { return partitions_.find(tp); }

 private:
  struct Broker {
    bool fenced = false;
    bool in_controlled_shutdown = false;
    Offset decided_at = kNoOffset;
  };

  std::optional<Elected> decide(const PartitionChanged& fact);
  std::optional<TookOver> take_over(const BecameLeader& fact, const Observation& seen);
  std::optional<ControllerSeated> seat(const ControllerChanged& fact, const Observation& seen);
  std::optional<ControllerSeated> unseat(ProcessId process);
  std::optional<BrokerRated> rate(const BrokerStateChanged& fact);
  std::vector<Left> stop(ProcessId process);
  void forget(TopicId topic);

  PartitionMap<Partition> partitions_;
  std::vector<Broker> brokers_;  // by id
  ProcessId controller_ = kNoProcess;
  QuorumEpoch quorum_epoch_{-1};
};

}  // namespace sim::observe
