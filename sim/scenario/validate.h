#pragma once

#include "scenario/tree.h"

// What no single value can tell: whether the parts of a scenario fit together. Impossible clusters are errors;
// what Kafka would start with, and regret, is a warning.
namespace sim::scenario {

// REQUIRES: root has been completed
void validate_cluster(const Value& root, Report& report);
void validate_topics(const Value& root, Report& report);
void validate_clients(Value& root, Report& report);

}  // namespace sim::scenario
