#pragma once

#include "check/checkers.h"
#include "metrics/cluster_timeline.h"
#include "metrics/group_timeline.h"
#include "metrics/order_ledger.h"
#include "metrics/series.h"
#include "observe/leaders.h"
#include "observe/names.h"
#include "observe/observation.h"
#include "observe/partition_map.h"
#include "observe/replica_logs.h"
#include "trace/leadership.h"
#include "trace/meaning.h"

// All that is kept of a run, as a value: what replicas held, what became of orders, what a dashboard would
// have shown, who led what, which invariants were broken.
//
// It is told every observation and touches no file. A copy made in mid-run goes on as the original does: no
// part points into another, and what one part needs of another is handed to it. The order in which the parts
// are told a fact is fixed here, and nowhere else.
namespace sim::record {

struct RecordSpec {
  observe::Names names;
  metrics::LedgerSpec ledger;
  check::InvariantsSpec invariants;
};

class RunRecord final : public observe::Observer {
 public:
  explicit RunRecord(RecordSpec spec);

  void on(const observe::Observation& seen) override;

  // Every order has ended, and every group has committed all there is.
  bool settled() const;
  // Settled, and of every partition somebody is elected and no replica is missed.
  bool converged() const { return settled() && timeline_.every_isr_is_full(); }
  // The run is over: what did not happen will not. Settled: nothing was under way any more. Told once.
  void finish(Instant end, bool settled);

  const observe::Names& names() const { return names_; }
  const observe::TopicNames& topics() const { return topics_; }
  const observe::ReplicaLogs& logs() const { return logs_; }
  const check::Checkers& checkers() const { return checkers_; }
  const metrics::OrderLedger& ledger() const { return ledger_; }
  const metrics::Series& series() const { return series_; }
  const metrics::ClusterTimeline& timeline() const { return timeline_; }
  const metrics::GroupTimeline& groups() const { return groups_; }
  const trace::Leadership& leadership() const { return leadership_; }
  // A fingerprint of all that was told.
  std::uint64_t meaning() const { return meaning_.value(); }

 private:
  template <class F>
  void see(const F& fact, const observe::Observation& seen);

  observe::Names names_;
  observe::TopicNames topics_;
  observe::Leaders leaders_;
  observe::ReplicaLogs logs_;
  check::Checkers checkers_;
  metrics::OrderLedger ledger_;
  metrics::Series series_;
  metrics::ClusterTimeline timeline_;
  metrics::GroupTimeline groups_;
  trace::Leadership leadership_;
  trace::Meaning meaning_;
};

}  // namespace sim::record
