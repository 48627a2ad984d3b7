#pragma once

#include "judge/metric.h"

// What expectations ask of the cluster itself, from its timeline: how long failovers took, how often leaders
// changed, what was fenced, under-replicated or without a leader. What each means stands in the table of
// judge/metric.cc.
namespace sim::judge {

Measured time_to_new_controller(const MeasuredRun& run, const Expectation& expectation);
Measured time_to_new_leader(const MeasuredRun& run, const Expectation& expectation);
Measured time_to_fence(const MeasuredRun& run, const Expectation& expectation);
Measured unavailability(const MeasuredRun& run, const Expectation& expectation);
Measured leader_elections(const MeasuredRun& run, const Expectation& expectation);
Measured controller_elections(const MeasuredRun& run, const Expectation& expectation);
Measured quorum_epochs(const MeasuredRun& run, const Expectation& expectation);
Measured metadata_commit_gap(const MeasuredRun& run, const Expectation& expectation);
Measured diverged_partitions(const MeasuredRun& run, const Expectation& expectation);
Measured unconverged(const MeasuredRun& run, const Expectation& expectation);
Measured stuck_partitions(const MeasuredRun& run, const Expectation& expectation);

// Gauges: the most at any one time of the window.
Measured fenced_brokers(const MeasuredRun& run, const Expectation& expectation);
Measured under_replicated(const MeasuredRun& run, const Expectation& expectation);
Measured offline_partitions(const MeasuredRun& run, const Expectation& expectation);

Course fenced_brokers_course(const MeasuredRun& run, const Condition& condition);
Course under_replicated_course(const MeasuredRun& run, const Condition& condition);
Course offline_partitions_course(const MeasuredRun& run, const Condition& condition);

}  // namespace sim::judge
