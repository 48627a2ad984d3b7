#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "judge/measured_run.h"
#include "record/run_record.h"

// What became of a run in the words of those who study failures: LOST(acked), LOST(group), FAILED, DUP(log),
// ABORTED-READ, TORN, DUP(effect), DIVERGED, REORDER(key), UNAVAIL, STUCK. Each with its orders or
// partitions, with when and, where it is known, why. A run of which there is nothing to tell has none.
namespace sim::judge {

// The cause of most gaps.
inline constexpr std::string_view kNobodyLedIt = "nobody led it";

struct VerdictWord {
  std::string_view word;
  std::string_view meaning;
};
// Every word that a verdict may have, in the order in which they are told.
const std::vector<VerdictWord>& verdict_words();

struct VerdictCase {     // one order, or one partition
  std::int64_t at = -1;  // ns
  std::optional<metrics::OrderLedger::Index> order{};
  TopicPartition tp{kNoTopic, -1};
  Offset offset = kNoOffset;
  std::int64_t lasted = -1;  // ns; of what has a duration
  std::string cause{};
};

struct OutcomeVerdict {
  std::string word;                // LOST(acked), ...
  std::string service;             // whose; empty: of no service
  std::vector<VerdictCase> cases;  // in order of time, then of orders
  // What the first ten are called: orders by number, partitions by name. Of partitions those of Kafka's own
  // topics are named only if there are no others.
  std::vector<std::string> first;
  std::size_t of_kafka = 0;  // cases of its topics that are not named for that

  bool of_orders() const { return !cases.empty() && cases.front().order.has_value(); }
};

// None of them is empty.
std::vector<OutcomeVerdict> find_verdicts(const MeasuredRun& run);

}  // namespace sim::judge
