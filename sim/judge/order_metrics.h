#pragma once

#include "judge/metric.h"

// What becomes of orders, from the ledger and the series: latencies, lag, rates, and counts of what went
// wrong. What each means stands in the table of judge/metric.cc.
namespace sim::judge {

Measured e2e_latency(const MeasuredRun& run, const Expectation& expectation);
Measured produce_latency(const MeasuredRun& run, const Expectation& expectation);
Measured lag(const MeasuredRun& run, const Expectation& expectation);
Measured lag_offsets(const MeasuredRun& run, const Expectation& expectation);
Measured throughput(const MeasuredRun& run, const Expectation& expectation);

Measured lost_orders(const MeasuredRun& run, const Expectation& expectation);
Measured lost_acked(const MeasuredRun& run, const Expectation& expectation);
Measured lost_for_group(const MeasuredRun& run, const Expectation& expectation);
Measured duplicate_records(const MeasuredRun& run, const Expectation& expectation);
Measured reordered_keys(const MeasuredRun& run, const Expectation& expectation);
Measured failed_orders(const MeasuredRun& run, const Expectation& expectation);
Measured fulfilled_orders(const MeasuredRun& run, const Expectation& expectation);
Measured unhandled_orders(const MeasuredRun& run, const Expectation& expectation);
Measured open_orders(const MeasuredRun& run, const Expectation& expectation);
Measured retried_orders(const MeasuredRun& run, const Expectation& expectation);
Measured duplicate_effects(const MeasuredRun& run, const Expectation& expectation);
Measured aborted_reads(const MeasuredRun& run, const Expectation& expectation);
Measured torn_transactions(const MeasuredRun& run, const Expectation& expectation);

// Lag is looked at once a second, as are rates and latencies of the orders of a second.
Course e2e_latency_course(const MeasuredRun& run, const Condition& condition);
Course produce_latency_course(const MeasuredRun& run, const Condition& condition);
Course lag_course(const MeasuredRun& run, const Condition& condition);
Course lag_offsets_course(const MeasuredRun& run, const Condition& condition);
Course throughput_course(const MeasuredRun& run, const Condition& condition);

}  // namespace sim::judge
