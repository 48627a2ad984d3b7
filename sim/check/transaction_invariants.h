#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "check/violation.h"
#include "observe/leaders.h"
#include "observe/observation.h"
#include "observe/partition_map.h"
#include "observe/replica_logs.h"

// What must hold of transactions, from full knowledge: which batch a client sent in which of its
// transactions, what that client was told of it, and which marker ended it in each partition.
//
//   transaction-all-or-nothing    all that was written in one transaction, records and offsets, in whatever
//                                 partition, is committed or all of it aborted; and as the client was told
//   read-committed-only           a read_committed consumer gets nothing of an open or aborted transaction
//   fenced-never-writes           in no partition a batch of an older producer epoch follows a batch or
//                                 marker of a newer one
//
// A transaction of which a log lost a batch, or of which a batch lies in the log of a leader that was
// replaced, is not judged. Deliberately not here: a marker that never comes, which shows as a partition that
// is STUCK.
namespace sim::check {

// A transaction that took effect in part.
struct TornTransaction {
  Instant at;  // when the marker was written by which it was
  TopicPartition tp;
  std::string what;
};

class TransactionInvariants {
 public:
  explicit TransactionInvariants(std::vector<bool> read_committed_of_service)
      : read_committed_(std::move(read_committed_of_service)) {}

  // What is told from here on happened in this observation.
  void at(const observe::Observation& seen) {
    violations_.at(seen);
    now_ = seen.at;
    process_ = seen.process;
  }
  void on(const observe::TopicCreated& fact) { topics_.on(fact); }
  void on(const observe::ProducerTransactionChanged& fact);
  void on(const observe::OffsetsAddedToTransaction& fact);
  void on(const observe::BatchDrained& fact);
  void on(const observe::BatchAppended& fact);
  void on(const observe::RecordsPolled& fact);
  void on(const observe::TookOver& change);
  void on(const observe::ProcessStopped& fact);

  const std::vector<Violation>& violations() const { return violations_.all(); }
  const std::vector<TornTransaction>& torn() const { return torn_; }

 private:
  enum class Told : std::uint8_t { nothing, committed, aborted };
  struct Transaction {
    std::string transactional_id;
    Told told = Told::nothing;
    bool is_committed_somewhere = false;
    bool is_aborted_somewhere = false;
    bool is_disturbed = false;
    bool is_torn = false;
  };
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  struct Producer {  // a process
    observe::ProducerTransactionState state = observe::ProducerTransactionState::uninitialized;
    std::size_t current = kNone;  // of transactions_
  };
  struct Piece {
    std::size_t transaction = kNone;
    Offset from = 0;
    Offset to = 0;
  };
  struct Open {
    ProducerId producer_id;
    std::vector<Piece> pieces;
  };
  struct Range {
    Offset from = 0;
    Offset to = 0;
  };
  struct Partition {
    LeaderEpoch leader_epoch = kNoLeaderEpoch;
    std::vector<Open> open;
    std::vector<Range> aborted;  // rising
    std::map<ProducerId, ProducerEpoch> epochs;
  };
  using Sent = std::tuple<TopicPartition, ProducerId, ProducerEpoch, std::int32_t>;  // and its base sequence

  Producer& producer_of(ProcessId process);
  std::size_t transaction_of(TopicPartition tp, const BatchData& batch) const;
  void ended(TopicPartition tp, Partition& partition, const Batch& marker);
  void judge(std::size_t transaction, TopicPartition tp);
  void told(std::size_t transaction, Told what);
  void violated(const char* invariant, std::string what) { violations_.add(invariant, std::move(what)); }

  std::vector<bool> read_committed_;
  observe::TopicNames topics_;
  observe::PartitionMap<Partition> partitions_;
  std::vector<Producer> producers_;  // by process
  std::vector<Transaction> transactions_;
  std::map<Sent, std::size_t> sent_;
  std::map<std::pair<ProducerId, ProducerEpoch>, std::size_t> offsets_;  // the latest that has any
  std::vector<TornTransaction> torn_;
  Violations violations_;
  Instant now_{};
  ProcessId process_ = kNoProcess;
};

}  // namespace sim::check
