#pragma once

#include <cstdint>
#include <string>

#include "scenario/tree.h"

// What no single value can tell: whether the parts of a scenario fit together. Impossible clusters are
// errors; what Kafka would start with, and regret, is a warning.
namespace sim::scenario {

// REQUIRES: root has been completed
void validate_cluster(const Value& root, Report& report);
void validate_topics(const Value& root, Report& report);
void validate_clients(Value& root, Report& report);
// What all of it together asks for. REQUIRES: the others have looked
void validate_limits(const Value& root, Report& report);

// "topic orders asks for 3 in-sync replicas and has 2: ...": min.insync.replicas above the number of
// replicas.
std::string more_in_sync_than_replicas(const std::string& topic, std::int64_t min_isr, std::int64_t replicas);

}  // namespace sim::scenario
