#pragma once

#include <utility>
#include <vector>

#include "check/checkers.h"
#include "observe/leaders.h"
#include "observe/observation.h"
#include "observe/replica_logs.h"

namespace sim::check {

// The checkers with what they need, for who wants to know of nothing else; a whole run is
// record::RunRecord's.
class AllInvariants final : public observe::Observer {
 public:
  explicit AllInvariants(InvariantsSpec spec) : checkers_(std::move(spec)) {}

  void on(const observe::Observation& seen) override {
    std::visit([&](const auto& fact) { on_fact(fact, seen); }, seen.fact);
  }

  std::vector<Violation> violations() const { return checkers_.violations(); }
  const observe::ReplicaLogs& logs() const { return logs_; }
  const ReplicaInvariants& replicas() const { return checkers_.replicas(); }

 private:
  template <class F>
  void on_fact(const F& fact, const observe::Observation& seen) {
    const auto see = [&](const auto& one) {
      observe::tell(logs_, one, seen);
      checkers_.on(one, seen, logs_);
    };
    see(fact);
    leaders_.on(fact, seen, see);
  }

  observe::Leaders leaders_;
  observe::ReplicaLogs logs_;
  Checkers checkers_;
};

}  // namespace sim::check
