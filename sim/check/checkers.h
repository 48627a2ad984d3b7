#pragma once

#include <string>
#include <utility>
#include <vector>

#include "check/group_invariants.h"
#include "check/invariants.h"
#include "check/metadata_invariants.h"
#include "check/raft_invariants.h"
#include "check/replica_invariants.h"
#include "check/transaction_invariants.h"
#include "observe/fold.h"

namespace sim::check {

// Everything that must hold of a run: of orders and partitions, of their replicas, of the quorum, of the
// metadata. A value: what it looks at besides the facts, the logs of replicas, is handed to it.
//
// The checkers of the quorum and of the metadata judge what is told and rest on no fold that already knows
// better.
class Checkers {
 public:
  explicit Checkers(InvariantsSpec spec);

  // A fact, or what follows from it (observe/leaders.h). `logs` as they are after it.
  template <class F>
  void on(const F& fact, const observe::Observation& seen, const observe::ReplicaLogs& logs) {
    look(replicas_, fact, seen, logs);
    look(orders_, fact, seen, logs);
    look(transactions_, fact, seen, logs);
    if constexpr (observe::kHeeds<RaftInvariants, F>) {
      const bool had_forgotten = quorum_.has_forgotten();
      look(quorum_, fact, seen, logs);
      if (quorum_.has_forgotten() && !had_forgotten) quorum_forgot();
    }
    look(metadata_, fact, seen, logs);
    look(groups_, fact, seen, logs);
  }

  // Those of invariants that are not switched off.
  std::vector<Violation> violations() const;
  const ReplicaInvariants& replicas() const { return replicas_; }
  const TransactionInvariants& transactions() const { return transactions_; }

 private:
  template <class Checker, class F>
  static void look(Checker& checker, const F& fact, const observe::Observation& seen,
                   const observe::ReplicaLogs& logs) {
    if constexpr (requires { checker.on(fact, logs); }) {
      checker.at(seen);
      checker.on(fact, logs);
    } else if constexpr (observe::kHeeds<Checker, F>) {
      checker.at(seen);
      observe::tell(checker, fact, seen);
    }
  }
  void quorum_forgot();

  std::vector<std::string> off_;
  ReplicaInvariants replicas_;
  TransactionInvariants transactions_;
  Invariants orders_;
  RaftInvariants quorum_;
  MetadataInvariants metadata_;
  GroupInvariants groups_;
};

}  // namespace sim::check
