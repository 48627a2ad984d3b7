#pragma once

#include "scenario/tree.h"

// Defaults and cross-checks of Kafka's server and topic properties.
namespace sim::scenario {

// log.retention.ms and its like are computed from the hours and minutes. (KafkaConfig.validateValues)
void complete_server_properties(Value& properties, Report& report);

// What a topic does not say, its broker synonym says. (KafkaConfig.extractLogConfigMap)
// REQUIRES: server has been completed
void complete_topic_properties(Value& properties, const Value& server, Report& report);

}  // namespace sim::scenario
