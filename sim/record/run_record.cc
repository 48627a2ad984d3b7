#include "record/run_record.h"

#include <type_traits>
#include <utility>

#include "observe/fold.h"

namespace sim::record {
namespace {

template <class F, class... Others>
inline constexpr bool kIsOneOf = (std::is_same_v<F, Others> || ...);

}  // namespace

RunRecord::RunRecord(RecordSpec spec)
    : names_(std::move(spec.names)),
      checkers_(std::move(spec.invariants)),
      ledger_(std::move(spec.ledger)),
      series_(ledger_.services()),
      groups_(names_),
      leadership_(names_),
      meaning_(names_) {}

void RunRecord::on(const observe::Observation& seen) {
  series_.advance(seen.at, ledger_);
  meaning_.on(seen);
  std::visit(
      [&](const auto& fact) {
        see(fact, seen);
        leaders_.on(fact, seen, [&](const auto& change) { see(change, seen); });
      },
      seen.fact);
}

// The logs of replicas come first, for others look at what a fact has made of them; what befell the log of a
// partition is told the ledger before a leader takes over and after anything else.
template <class F>
void RunRecord::see(const F& fact, const observe::Observation& seen) {
  observe::tell(logs_, fact, seen);
  checkers_.on(fact, seen, logs_);
  constexpr bool changes_logs =
      kIsOneOf<F, observe::BatchAppended, observe::ReplicaAppended, observe::TookOver>;
  const observe::LeaderLogChange* change = changes_logs ? logs_.change() : nullptr;
  if constexpr (kIsOneOf<F, observe::TookOver>) {
    if (change != nullptr) ledger_.on(*change, seen);
  }
  observe::tell(ledger_, fact, seen);
  if constexpr (changes_logs && !kIsOneOf<F, observe::TookOver>) {
    if (change != nullptr) ledger_.on(*change, seen);
  }
  observe::tell(series_, fact, seen);
  observe::tell(timeline_, fact, seen);
  observe::tell(groups_, fact, seen);
  observe::tell(leadership_, fact, seen);
  observe::tell(topics_, fact, seen);
}

bool RunRecord::settled() const {
  if (ledger_.totals().ended != ledger_.totals().placed) return false;
  bool all_committed = true;
  ledger_.for_each_partition([&](TopicPartition tp) {
    for (std::size_t s = 0; s < ledger_.services(); ++s) {
      if (ledger_.reads(tp, s) && ledger_.committed(tp, s) < ledger_.readable_end(tp)) all_committed = false;
    }
  });
  return all_committed;
}

void RunRecord::finish(Instant end, bool settled) {
  ledger_.finish(end, settled, &logs_);
  series_.finish(end, ledger_);
}

}  // namespace sim::record
