#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "check/acks.h"
#include "check/former_behaviour.h"
#include "check/violation.h"
#include "observe/observation.h"
#include "observe/partition_map.h"

// What must hold of every run, whatever its scenario is about. It looks on and touches nothing; a broken
// promise of the simulated cluster is a Violation, and finding one is our work.
//
//   one-leader-per-epoch         at most one broker leads a partition in one leader epoch
//   high-watermark-monotone      in one leader epoch the high watermark never falls, nor passes the log's end
//   one-batch-per-offset         in one leader epoch no offset is appended twice
//   read-below-high-watermark    a consumer never gets a record that was not below the high watermark
//   acked-below-high-watermark   what a producer with acks=all hears as written is below the high watermark
//   commit-within-log            a committed offset never lies beyond the end of the log
//   isr-known                    an ISR is never empty, names brokers that exist, each once, its leader among
//                                them
//   stages-in-order              an order is placed, accepted, drained, appended, polled, started, done in
//                                this order
//
// High watermark and log end of a partition are the highest ever seen: after an unclean election a consumer
// may still hold what it fetched before, which is no crime of its own.
namespace sim::check {

struct InvariantsSpec {
  std::vector<NodeId> brokers;         // all there are; empty: not known
  std::vector<bool> acks_all_of_flow;  // by FlowId
  FormerBehaviour history{};
  std::vector<std::string> off{};                 // invariants that the scenario does not ask for
  std::vector<bool> read_committed_of_service{};  // by ServiceId
  std::vector<bool> acks_all_of_hop{};            // by hop - 1: of what services send on

  // Whether its producer has acks=all.
  bool waits_for_all(RecordId record) const {
    return has_acks_all(record, acks_all_of_flow, acks_all_of_hop);
  }
};
// The names of all there are.
const std::vector<std::string>& known_invariants();

class Invariants final : public observe::Observer {
 public:
  explicit Invariants(InvariantsSpec spec) : spec_(std::move(spec)) {}

  void on(const observe::Observation& observation) override;

  // What is told from here on happened in this observation.
  void at(const observe::Observation& seen) { violations_.at(seen); }
  void on(const observe::TopicCreated& fact) { topics_.on(fact); }
  void on(const observe::OrderPlaced& fact);
  void on(const observe::RecordDerived& fact);
  void on(const observe::RecordAccepted& fact);
  void on(const observe::BatchDrained& fact);
  void on(const observe::BatchAppended& fact);
  void on(const observe::BatchAcknowledged& fact);
  void on(const observe::BecameLeader& fact, const observe::Observation& seen);
  void on(const observe::HighWatermarkAdvanced& fact, const observe::Observation& seen);
  void on(const observe::IsrChanged& fact, const observe::Observation& seen);
  void on(const observe::RecordsPolled& fact);
  void on(const observe::ProcessingStarted& fact);
  void on(const observe::ProcessingDone& fact);
  void on(const observe::OffsetsStored& fact) { check_committed(fact.tp, fact.offset, fact.group); }
  void on(const observe::CommitAcknowledged& fact);

  // From here on the quorum has forgotten what it had decided: leader epochs are used anew.
  void quorum_forgot();

  const InvariantsSpec& spec() const { return spec_; }
  const std::vector<Violation>& violations() const { return violations_.all(); }

 private:
  struct Leadership {
    LeaderEpoch leader_epoch;
    NodeId broker = kNoNode;
    ProcessId process = kNoProcess;
    Offset high_watermark = 0;
    Offset end = 0;
  };
  struct Partition {
    std::vector<Leadership> leaders;   // by leader epoch, ascending
    std::vector<Offset> polled_below;  // by service
    Offset high_watermark = 0;
    Offset log_end = 0;
  };

  void check_committed(TopicPartition tp, Offset offset, const std::string& who);

  Leadership& leadership(Partition& partition, LeaderEpoch leader_epoch);
  // The leadership this process held last; null if it never led.
  static Leadership* latest_of(Partition& partition, ProcessId process);
  std::uint64_t& stages_of(RecordId id);
  void advance(RecordId id, std::uint64_t stage, std::uint64_t after, const char* what);
  void violated(const char* invariant, std::string what) { violations_.add(invariant, std::move(what)); }
  std::string called(RecordId id) const;

  InvariantsSpec spec_;
  observe::TopicNames topics_;
  observe::PartitionMap<Partition> partitions_;
  // By flow, then number, first of orders and then of what each hop makes of them: bits of what has happened.
  std::vector<std::vector<std::uint64_t>> stages_;
  std::vector<std::vector<std::vector<std::uint64_t>>> derived_stages_;  // by hop - 1
  bool is_forgotten_ = false;
  Violations violations_;
};

}  // namespace sim::check
