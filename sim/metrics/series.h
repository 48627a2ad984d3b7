#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "metrics/order_ledger.h"
#include "observe/observation.h"
#include "observe/partition_map.h"

// A row per simulated second: what a Kafka operator's dashboard would have shown. A second ends with what
// happens at its last instant: row 0 covers [0 s, 1 s], row 1 covers (1 s, 2 s], and so on.
//
// Rows are made when the first observation of a later second arrives, so an idle second costs the run
// nothing. Gauges (lag, under-replicated partitions, orders in flight) are read at the end of the second,
// counters count within it. Lag is what kafka_exporter calls it: high watermark less committed offset; in
// seconds it is the age of the oldest record that is not yet committed.
namespace sim::metrics {

class Series {
 public:
  struct Lag {
    std::int64_t offsets = 0;
    std::int64_t ns = 0;
  };
  struct Row {
    std::int64_t placed = 0;
    std::int64_t acknowledged = 0;
    std::int64_t failed = 0;
    std::int64_t fulfilled = 0;
    std::int64_t in_flight = 0;  // placed, but neither fulfilled nor failed
    std::int64_t messages_in = 0;
    std::int64_t bytes_in = 0;
    std::int64_t isr_shrinks = 0;
    std::int64_t isr_expands = 0;
    std::int64_t under_replicated = 0;
    std::int64_t produce_throttle_ms = 0;  // the longest that a client was asked for
    std::int64_t fetch_throttle_ms = 0;
    std::int64_t request_throttle_ms = 0;
    std::vector<Lag> lag;  // by service
  };

  explicit Series(std::size_t services) : services_(services) {}

  static std::size_t row_of(std::int64_t at_ns) {
    return at_ns <= 0 ? 0 : static_cast<std::size_t>((at_ns - 1) / 1'000'000'000);
  }

  // Closes the seconds that are over. Told before each observation, of whatever kind.
  // REQUIRES: `ledger` has seen everything before it, and not yet this one
  void advance(Instant now, const OrderLedger& ledger) {
    while (nanos(now) > next_close_) [[unlikely]] {
        close_row(next_close_, ledger);
        next_close_ += kSecond;
      }
  }
  void on(const observe::BatchAppended& fact);
  void on(const observe::IsrChanged& fact);
  void on(const observe::ClientThrottled& fact);
  void on(const observe::TopicCreated& fact);
  // Closes the last second, which may be a part of one.
  void finish(Instant end, const OrderLedger& ledger);

  const std::vector<Row>& rows() const { return rows_; }
  // Where row i ends: a whole second, but for the last.
  std::int64_t end_of(std::size_t row) const;

 private:
  static constexpr std::int64_t kSecond = 1'000'000'000;

  struct Replicas {
    std::int32_t isr = -1;  // -1 = as many as there are replicas
  };

  void close_row(std::int64_t at, const OrderLedger& ledger);
  Lag lag_of(std::size_t service, std::int64_t at, const OrderLedger& ledger) const;
  std::int32_t replicas_of(TopicId topic) const;

  std::size_t services_;
  std::vector<Row> rows_;
  Row now_;
  OrderLedger::Totals before_;
  std::int64_t next_close_ = kSecond;
  std::int64_t last_end_ = 0;
  std::vector<std::int32_t> replication_factor_;  // by topic
  observe::PartitionMap<Replicas> replicas_;
};

}  // namespace sim::metrics
